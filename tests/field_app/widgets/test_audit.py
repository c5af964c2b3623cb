"""Every scene × language × text size × screen × theme × grip passes the audit; and the audit itself can fail."""

from __future__ import annotations

import pytest

from field_app.widgets.theme import THEMES, Choice
from shared.texts import LANGUAGES
from tests.examples import corners
from tests.field_app.widgets.bench import Bench

SCREENS = ((1280, 800), (800, 1280), (1024, 600))
NAMES = ("checklist", "controls", "sheet", "search", "dialog", "failure", "cover")


@pytest.mark.parametrize("language, size, scale", corners(LANGUAGES, SCREENS, (100, 150, 200)))
@pytest.mark.parametrize("name", NAMES)
def test_a_screen_has_no_fault(bench: Bench, name: str, language: str, scale: int, size: tuple[int, int]) -> None:
    from tests.field_app.widgets.audit import audit
    from tests.field_app.widgets.scenes import SCENES

    grip = "left" if language == "ru" else "right"
    stage = bench.show(lambda: SCENES[name](language), size, Choice("light", scale, grip))
    assert audit(stage) == []


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("name", NAMES)
def test_a_theme_changes_no_size(bench: Bench, name: str, theme: str) -> None:
    from field_app.widgets.semantic import ui_tree
    from field_app.widgets.theme import look
    from tests.field_app.widgets.scenes import SCENES

    stage = bench.show(lambda: SCENES[name]("kk"))
    before = ui_tree(stage)
    look.change(Choice(theme))
    bench.frame()
    assert ui_tree(stage) == before


def test_the_audit_finds_what_is_planted(bench: Bench) -> None:
    from field_app.widgets.button import Button
    from field_app.widgets.layout import Col
    from tests.field_app.widgets import audit

    small, nameless, tight = Button("Да", tall=40), Button("", "undo"), Button("Непереносимоедлинноеслово", fixed=None)
    stage = bench.show(lambda: Col(small, nameless, tight), (120, 400))
    assert any("small target" in fault for fault in audit.small_targets(stage))
    assert any("no name" in fault for fault in audit.unnamed(stage))
    assert any("word breaks" in fault for fault in audit.broken_words(stage))
    nameless.place(small.x, small.y, 64, 64)
    assert any("overlaps" in fault for fault in audit.overlaps(stage))
    nameless.place(300, 0, 64, 64)
    assert any("leaves" in fault for fault in audit.outside(stage))
