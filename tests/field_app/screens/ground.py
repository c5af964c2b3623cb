"""A visit under way on a real store: two members, a register, standards, the pinned forms; and screens over it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from field_app.acts import visits
from field_app.acts.subjects import record_id
from field_app.choices import Choices
from field_app.going import Going
from field_app.store.kept import Identity
from field_app.store.store import Store
from field_app.widgets import control
from field_app.widgets.node import Node
from field_app.widgets.semantic import semantics
from field_app.widgets.theme import look
from server.checklists.importer import DATA, Imported, import_workbook
from server.packs.content import places, standards, standards_count
from shared.accounts import PersonAdded
from shared.institutions import Institution, encode_register
from shared.ledger.crypto import sha256
from shared.ledger.frame import cut
from shared.ledger.operation import Body, encode_line, genesis, next_id
from shared.packs import ChecklistPublished, RegisterPublished
from shared.values import PersonId, SubjectId, stamp
from tests.field_app.widgets.bench import Bench, PartStage, Window
from tests.ground.tablet import CHEAP
from tests.make import an_id

PIN = "48213579"
START = datetime(2026, 3, 7, 9, 5, tzinfo=UTC)
ME, PAVEL = an_id(501), an_id(502)
COLONY = Institution("KZ-35-025", "ИК-25", "colony", "KZ-35", name_kk="ИК-25", name_en="IK-25")


class Keystore:
    """A key that stays in the test."""

    def secret(self) -> bytes:
        return b"k" * 32


class Clock:
    """A second passes at every question for the time."""

    def __init__(self) -> None:
        self.at = START

    def __call__(self) -> datetime:
        self.at += timedelta(seconds=1)
        return self.at


@cache
def forms() -> list[Imported]:
    """The three workbooks, compiled."""
    found = [import_workbook(path.read_bytes()) for path in sorted((DATA / "checklists").glob("*.xlsx"))]
    return [each for each in found if isinstance(each, Imported)]


def a_store(folder: Path, person: str = ME, name: str = "Айгерим") -> tuple[Store, Clock]:
    """An enrolled store with packs and two people."""
    now = Clock()
    store = Store.create(folder, PIN, Keystore(), now(), CHEAP)
    identity = store.identity
    store.enrol(
        Identity(
            sign_seed=identity.sign_seed, box_secret=identity.box_secret, device=an_id(601 if person == ME else 602),
            person=PersonId(person), name=name, server_device=an_id(603), language="ru",
        )
    )  # fmt: skip
    for who, called in ((ME, "Айгерим"), (PAVEL, "Павел")):
        store.record(SubjectId(who), PersonAdded(name=called), now=now())
    _packs(store, now)
    return store, now


def _keep(store: Store, data: bytes) -> str:
    name = sha256(data).hex()
    store.pack_path(name).parent.mkdir(exist_ok=True)
    store.pack_path(name).write_bytes(data)
    return name


def _packs(store: Store, now: Callable[[], datetime]) -> None:
    form = store.new_subject(now())
    for each in forms():
        name = _keep(store, each.data)
        title = each.checklist.title
        store.record(
            form, ChecklistPublished(each.checklist.form_id, each.checklist.version, name, len(each.data),
                                     title.kk or title.en, title.ru or title.en, title.en), now=now()
        )  # fmt: skip
    register = store.new_subject(now())
    data, _ = encode_register([COLONY])
    for what, body, count in (("institutions", data, 1), ("places", places(), 1),
                              ("standards", standards(), standards_count())):  # fmt: skip
        store.record(register, RegisterPublished(what, _keep(store, body), len(body), count), now=now())


def a_visit(store: Store, now: Callable[[], datetime]) -> tuple[SubjectId, SubjectId]:
    """An unplanned visit under way: (visit, record)."""
    visit = visits.plan_on_the_spot(store, institution=COLONY.key, reason="письмо", now=now())
    visits.start(store, visit, COLONY.key, now())
    record = record_id(store, visit)
    assert record is not None
    return visit, record


class Room(Going):
    """The window's part behind the lock, on the bench's stage, over one store."""

    def __init__(self, bench: Bench, store: Store, now: Callable[[], datetime], size: tuple[int, int] = (1280, 800),
                 **choices: Any) -> None:  # fmt: skip
        super().__init__(store.folder, now)
        self.choices = Choices(**({"language": "ru"} | choices))
        self.bench, self.size = bench, size
        if bench.stage is not None:
            bench.stage.detach()
        look.change(self.choices.look)
        control.guard = control.TapGuard()
        self.stage = bench.stage = PartStage(size, self.back, self.cover)
        self.stage.attach(Window)
        self.store = store
        self.covered = 0
        self.visit, self.record = SubjectId(""), SubjectId("")

    def cover(self) -> None:
        self.covered += 1

    def lock(self) -> None:
        """Not part of a room."""

    def battery(self) -> int | None:
        return 62

    def width(self) -> float:
        return float(self.size[0])

    def apart(self, work: Callable[[], Any], done: Callable[[Any], object]) -> None:
        """At once: tests have no patience."""
        try:
            result = work()
        except Exception as error:
            result = error
        done(result)

    # --- hands -----------------------------------------------------------------------------------------------
    def all(self) -> list[Any]:
        return semantics(self.stage)

    def named(self, name: str, role: str = "") -> Any:
        """The control whose name is, or begins with, the words."""
        found = [w for w in self.all() if w.name == name and role in ("", w.role)]
        found = found or [w for w in self.all() if w.name.startswith(name) and role in ("", w.role)]
        assert found, f"{name!r} not among {[w.name for w in self.all()]}"
        return found[0]

    def card(self, path: str) -> Any:
        screen: Any = self.screen
        screen.cards.jump(path)
        return screen.cards.card(path)

    def within(self, node: Node, name: str) -> Any:
        found = [w for w in semantics(node) if w.name == name] or [
            w for w in semantics(node) if w.name.startswith(name)
        ]
        assert found, f"{name!r} not in {[w.name for w in semantics(node)]}"
        return found[0]

    def tap(self, name: str) -> None:
        self.bench.tap(self.named(name))

    def tap_in(self, path: str, name: str) -> None:
        self.bench.tap(self.within(self.card(path), name))

    def type(self, words: str) -> None:
        """Letters into the field that has the keyboard."""
        field: Any = self.stage.focus
        for letter in words:
            field.editor.insert_text(letter)

    def type_into(self, name: str, words: str) -> None:
        """Letters into a field, touched first."""
        self.bench.tap(self.named(name, "field"))
        self.type(words)

    def answers(self) -> dict[str, Any]:
        """Path → effective value of the record, words opened."""
        from field_app.show import answers

        return {each["item"]: each["said"][0]["value"] if each["said"] else None
                for each in answers(self.store, self.record) if each["state"] != "blank"}  # fmt: skip


class Colleague:
    """Another member's tablet as far as this one sees it: frames of that device."""

    def __init__(self, store: Store, now: Callable[[], datetime], person: str = PAVEL, number: int = 602) -> None:
        self.store, self.now, self.person = store, now, person
        self.device = an_id(number)
        self.seed = sha256(f"colleague {number}".encode())
        self._at: dict[str, tuple[int, bytes]] = {}

    def says(self, subject: SubjectId, *bodies: Body) -> list[str]:
        """The bodies arrive here; ids of the operations."""
        opened = self.store._o
        held = opened.book.at(subject)
        seq, before = self._at.get(subject, (0, genesis(self.device, subject)))
        lines, ids, last, clock = [], [], before, held.clock
        for body in bodies:
            clock += 1
            lines.append(encode_line(body, PersonId(self.person), stamp(self.now()), clock))
            last = next_id(last, lines[-1])
            ids.append(last.hex())
        frame = cut(self.seed, self.device, subject, seq + 1, before, lines)
        held.extend(frame, 0)
        opened.book.changed(held)
        self._at[subject] = (seq + len(lines), last)
        return ids


@pytest.fixture
def room(bench: Bench, tmp_path: Path) -> Iterator[Room]:
    """A visit under way, seen by its only member."""
    store, now = a_store(tmp_path / "tablet")
    made = Room(bench, store, now)
    made.visit, made.record = a_visit(store, now)
    yield made
    made.stage.set_focus(None)
    store.close()
