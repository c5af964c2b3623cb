"""Every screen of the window's own part in the states a person meets, for the audit and the gallery."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from field_app.screens.bundle import save_sheet
from field_app.store.errors import StoreDamaged
from field_app.store.kept import Alarm
from tests.field_app.screens.hall import Hall
from tests.field_app.screens.panes import Panes

Scene = Callable[[Panes, Hall], None]


def unlock(panes: Panes, hall: Hall) -> None:
    panes.tablet.show_lock()


def unlock_damaged(panes: Panes, hall: Hall) -> None:
    unlock(panes, hall)
    panes.tablet.stage.kids[-1]._refused(StoreDamaged("no enrolment"))


def enrol_office(panes: Panes, hall: Hall) -> None:
    panes.tablet.home = panes.tablet.home / "none"
    panes.tablet.show_enrol()


def enrol_pin(panes: Panes, hall: Hall) -> None:
    enrol_office(panes, hall)
    page = panes.tablet.stage.kids[-1]
    page._address, page._code, page.step = "https://office.example", "K7Q2", "pin"
    page._show(panes.tablet.texts("unlock.pin_simple"))


def enrol_compare(panes: Panes, hall: Hall) -> None:
    panes.tablet.store = hall.store
    panes.tablet.show_enrol()


def today(panes: Panes, hall: Hall) -> None:
    panes.open(hall.store, "today")


def today_ready(panes: Panes, hall: Hall) -> None:
    panes.open(hall.store, "today")
    panes.tablet.screen.choose(hall.keys["ready"])


def today_request(panes: Panes, hall: Hall) -> None:
    panes.open(hall.store, "today")
    panes.tablet.screen.choose(hall.store.subjects("visit_request")[0])


def find(panes: Panes, hall: Hall) -> None:
    panes.open(hall.store, "today")
    panes.tablet.screen.find()


def basis(panes: Panes, hall: Hall) -> None:
    panes.open(hall.store, "today")
    panes.tablet.screen._ask_basis("x")


def visit_before(panes: Panes, hall: Hall) -> None:
    panes.open(hall.store, "visit", subject=hall.keys["ready"])


def visit(panes: Panes, hall: Hall) -> None:
    panes.open(hall.store, "visit", subject=hall.keys["running"])


def visit_closed(panes: Panes, hall: Hall) -> None:
    panes.tablet.worker.progress.trouble = "no_network"
    panes.open(hall.store, "visit", subject=hall.keys["over"])


def request(panes: Panes, hall: Hall) -> None:
    panes.open(hall.store, "request")


def sync(panes: Panes, hall: Hall) -> None:
    """Everything that can stand above the list at once."""
    panes.tablet.worker.progress.trouble = "twin"
    alarms = tuple(
        Alarm(code, at="2026-03-06T18:02:11+05:00") for code in ("office_restored", "store_lost", "kept_aside")
    )
    hall.store._o.meta = msgspec.structs.replace(hall.store._o.meta, alarms=alarms)
    panes.open(hall.store, "sync")


def bundle(panes: Panes, hall: Hall) -> None:
    panes.open(hall.store, "sync")
    save_sheet(panes.tablet.screen)


def leave(panes: Panes, hall: Hall) -> None:
    panes.open(hall.store, "sync")
    assert panes.tablet.close_asked()


def settings(panes: Panes, hall: Hall) -> None:
    panes.open(hall.store, "settings")


SCENES: dict[str, Scene] = {
    scene.__name__: scene
    for scene in (
        unlock, unlock_damaged, enrol_office, enrol_pin, enrol_compare, today, today_ready, today_request, find, basis,
        visit_before, visit, visit_closed, request, sync, bundle, leave, settings,
    )
}  # fmt: skip
