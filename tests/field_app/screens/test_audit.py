"""Every screen of the window, in three languages, three text sizes and three screens: nothing small, cut, broken,
overlapping, unnamed or out of reach of the keyboard; Note and Cover on every screen behind the lock."""

from __future__ import annotations

import pytest

from field_app.widgets.control import Control
from field_app.widgets.semantic import shown, walk
from field_app.widgets.theme import Choice
from shared.texts import LANGUAGES, texts
from tests.examples import corners
from tests.field_app.screens.panes import Panes
from tests.field_app.screens.scenes import SCENES
from tests.field_app.widgets.audit import audit

SIZES = ((1280, 800), (800, 1280), (1024, 600))
SCALES = (100, 150, 200)
BEFORE_THE_LOCK = {"unlock", "unlock_damaged", "enrol_office", "enrol_pin", "enrol_compare"}


@pytest.mark.parametrize("name", SCENES)
def test_a_screen_is_whole_in_every_language_size_and_window(bench, hall, name):
    faults = {}
    for language, size, scale in corners(LANGUAGES, SIZES, SCALES):
        panes = Panes(bench, hall.store.folder, size, language, Choice(scale=scale))
        SCENES[name](panes, hall)
        found = audit(panes.tablet.stage)
        if name not in BEFORE_THE_LOCK:
            controls = {w.name for w in walk(panes.tablet.stage) if isinstance(w, Control) and shown(w)}
            found += [f"{key} is not there" for key in ("widgets.note", "widgets.cover")
                      if texts(language)(key) not in controls]  # fmt: skip
        if found:
            faults[language, size, scale] = found
    assert not faults, "\n".join(f"{where}: {each}" for where, found in faults.items() for each in found[:4])
