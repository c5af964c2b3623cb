"""What the first steps are handed by the window: keys made, code shown, digits, the wait for the second officer."""

from __future__ import annotations

import platform
import time
from typing import TYPE_CHECKING

from field_app import choices as chosen
from field_app.screens.enrol import Enrolling
from shared.texts import Language

if TYPE_CHECKING:
    from field_app.app import Tablet
    from field_app.store.store import Store

LABEL_LIMIT = 80


def hands(tablet: Tablet) -> Enrolling:
    """The functions of this window."""
    return Enrolling(
        texts=tablet.texts, language=tablet.choices.language, address=tablet.choices.office,
        speak=lambda language: _speak(tablet, language),
        keep_address=lambda url: tablet.choose(chosen.replaced(tablet.choices, office=url)),
        has_store=lambda: tablet.store is not None,
        is_known=lambda: tablet.is_open and _store(tablet).is_enrolled,
        weakness=_weakness, create=lambda pin: _create(tablet, pin),
        show_code=lambda url, code, pin: _show_code(tablet, url, code, pin),
        digits=lambda: _digits(tablet), ask=tablet.start_worker,
        is_confirmed=lambda: tablet.is_open and _store(tablet).meta.confirmed,
        finish=lambda: tablet.opened(_store(tablet)), apart=tablet.apart,
    )  # fmt: skip


def _store(tablet: Tablet) -> Store:
    assert tablet.store is not None
    return tablet.store


def _speak(tablet: Tablet, language: Language) -> None:
    tablet.choose(chosen.replaced(tablet.choices, language=language))
    tablet.show_enrol()


def _weakness(pin: str) -> str:
    from field_app.store.vault import pin_weakness

    return pin_weakness(pin)


def _create(tablet: Tablet, pin: str) -> None:
    """A thread of its own: stretching the PIN takes half a second."""
    from field_app.store.store import Store
    from field_app.store.vault import calibrated

    effort = calibrated(time.perf_counter)
    tablet.store = Store.create(tablet.home, pin, tablet.keystore(), tablet.now(), effort)


def _show_code(tablet: Tablet, url: str, code: str, pin: str) -> None:
    """A thread of its own: it asks the office."""
    from field_app.enrolment import enrol

    enrol(_store(tablet), url, code, (platform.node() or "tablet")[:LABEL_LIMIT], pin)


def _digits(tablet: Tablet) -> str:
    from field_app.enrolment import own_fingerprint

    return own_fingerprint(_store(tablet))
