"""The jump list of a visit: every theme with its counts, and three doors: all, what is left, where members differ."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from field_app.screens.checklist_state import Sitting, bare, letter_of
from field_app.widgets.button import Button
from field_app.widgets.layout import Col, Grid, Rule
from field_app.widgets.list import Entry, RowList
from shared.checklists.evaluate import Evaluation
from shared.checklists.paths import place_of
from shared.texts import Texts

Only = Literal["all", "left", "differs"]
ONLY: tuple[Only, ...] = ("all", "left", "differs")


def title_of(evaluation: Evaluation, path: str, language: str) -> str:
    """The title of a theme; that of the checklist for questions outside any group."""
    return evaluation.label(path, language)


def differing_in(sitting: Sitting, theme: str, evaluation: Evaluation) -> int:
    """How many items of a theme differ."""
    inside = f"{theme}/"
    return sum(
        (place_of(path) + "/").startswith(inside) if theme else path.count("/") == 1
        for path in sitting.differing()
        if place_of(path) in evaluation.form.entries
    )


def entries(sitting: Sitting, current: str, only: Only, texts: Texts) -> list[Entry]:
    """A row a theme: letter, title, done of all; the mark of differences behind. The current one always stays."""
    found = []
    for evaluation, theme in sitting.themes():
        title = title_of(evaluation, theme.path, texts.language)
        differs = differing_in(sitting, theme.path, evaluation)
        if theme.path != current and ((only == "left" and theme.is_complete) or (only == "differs" and not differs)):
            continue
        done = theme.asked - theme.left
        found.append(
            Entry(
                theme.path or f"?{evaluation.form.checklist.form_id}", bare(title), mark=letter_of(title),
                trail=texts("widgets.of", done=done, all=theme.asked), current=theme.path == current,
                icon="differs" if differs else "", icon_colour="warn",
            )
        )  # fmt: skip
    return found


def left_count(sitting: Sitting) -> int:
    """Blank questions of the whole visit."""
    return sum(theme.left for _, theme in sitting.themes())


class ThemeList(Col):
    """Three doors above, the themes below. `show` brings both up to date in place."""

    def __init__(self, texts: Texts, choose: Callable[[str], object], filter_by: Callable[[Only], object]) -> None:
        self._texts = texts
        self._doors = {
            only: Button(
                "", None, "plain", lambda only=only: filter_by(only), size=14, inset=4, role="choice", reserve=False
            )
            for only in ONLY
        }
        self.rows = RowList((), choose, row=64, fill=1)
        super().__init__(Grid(*self._doors.values(), cell=64, gap=8, pad=(16, 12)), Rule(), self.rows)

    def show(self, sitting: Sitting, current: str, only: Only) -> None:
        """The counts and rows as they stand now."""
        words = {
            "all": self._texts("checklist_screen.all"),
            "left": self._texts("checklist_screen.left", count=left_count(sitting)),
            "differs": self._texts("checklist_screen.differ", count=len(sitting.differing())),
        }
        for name, button in self._doors.items():
            chosen = name == only
            button.show(kind="selected" if chosen else "plain", state="selected" if chosen else "")
            if button.text != words[name]:
                button.say(words[name])
        found = entries(sitting, current, only, self._texts)
        if found != self.rows.entries:
            self.rows.show_entries(found, keep_place=True)

    def bring(self, current: str) -> None:
        """Scrolls the current theme into view."""
        place = next((n for n, entry in enumerate(self.rows.entries) if entry.current), None)
        high = self.rows.row_height
        if place is not None and not high <= place * high - self.rows.offset <= self.rows.height - 2 * high:
            self.rows.scroll_to(place * high - self.rows.height / 2)
