"""Rows of a repeat (cells, wards, registers) as a list of doors with their counts; adding one is one tap."""

from __future__ import annotations

from field_app.widgets.button import Button
from field_app.widgets.layout import Col, Wrap
from field_app.widgets.question_view import QuestionActions, QuestionView, RepeatRow
from shared.texts import Texts


class Rows(Col):
    """One button a row, then *Add* and *Copy last*."""

    def __init__(self, view: QuestionView, actions: QuestionActions, texts: Texts) -> None:
        self._actions, self._texts, self._view = actions, texts, view
        self._add = Button(
            texts("widgets.add_row"), "plus", act=lambda: actions.add_row(view.item), disabled_now=view.read_only
        )
        self._copy = Button(
            texts("widgets.copy_row"), "copy", act=lambda: actions.copy_row(view.item), disabled_now=view.read_only
        )
        super().__init__(gap=8)
        self._built: tuple[RepeatRow, ...] | None = None
        self.show(view)

    def show(self, view: QuestionView) -> None:
        self._view = view
        if view.rows == self._built:
            return
        self._built = view.rows
        doors = [self._door(row) for row in view.rows]
        for button in (self._add, self._copy):
            if button.parent is not None:
                button.parent.drop(button)
        self.refill([*doors, Wrap(self._add, self._copy if view.rows else None, gap=8)])

    def _door(self, row: RepeatRow) -> Button:
        whole = row.asked and row.answered == row.asked
        return Button(
            row.title,
            "done" if whole else "half" if row.answered else "blank",
            act=lambda: self._actions.open_row(self._view.item, row.row),
            trail="right",
            badge=self._texts("widgets.of", done=row.answered, all=row.asked),
            text_align="left",
            tall=72,
            kind="quiet",
        )
