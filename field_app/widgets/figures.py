"""The answer part for numbers, dates, times and places: steps of one, a keypad, *today* and *now*."""

from __future__ import annotations

from collections.abc import Callable

from field_app.widgets.answers import ANSWER_HIGH
from field_app.widgets.button import Button
from field_app.widgets.keypad import keypad_sheet, shown_as
from field_app.widgets.layout import Row
from field_app.widgets.node import Node
from field_app.widgets.question_view import QuestionActions, QuestionView
from field_app.widgets.text import Text
from shared.texts import Texts

_STEP_WIDE = 88


class Figure(Row):
    """A button that shows the value and opens the keypad; digits on a keyboard open it too."""

    def __init__(self, view: QuestionView, actions: QuestionActions, texts: Texts, form: str, *beside: Node) -> None:
        self.view, self.form, self._actions, self._texts = view, form, actions, texts
        self.button = _ValueButton(self, view, texts)
        super().__init__(self.button, *beside, gap=8)
        self.show(view)

    def show(self, view: QuestionView) -> None:
        self.view = view
        self.button.state = view.value or ""
        self.button.say(shown_as(self.form, view.value))
        self.button.name = " · ".join(part for part in (self._texts("widgets.enter"), self.button.text) if part)

    def open(self) -> None:
        """Opens the keypad over the panes."""
        item = self.view.item
        sheet = keypad_sheet(
            self._texts,
            self.view.text,
            self.form,
            self.view.value,
            draft=lambda text: self._actions.draft(item, text, len(text)),
            done=self._answer,
            hint=self.view.hint,
            unit=self.view.unit,
        )
        self._actions.open_sheet(sheet)

    def _answer(self, value: str | None) -> None:
        if value != self.view.value:
            self._actions.answer(self.view.item, value)


class _ValueButton(Button):
    def __init__(self, figure: Figure, view: QuestionView, texts: Texts) -> None:
        self._figure = figure
        super().__init__(
            "",
            act=figure.open,
            trail="keyboard",
            size=24,
            bold=True,
            tall=ANSWER_HIGH,
            grow=1,
            disabled_now=view.read_only,
            role="field",
        )

    def key(self, key: str) -> bool:
        if key.isdigit() and len(key) == 1 and not self.disabled_now:
            self.do()
            return True
        return super().key(key)


class Number(Figure):
    """Minus, value, plus, unit. A blank becomes the least value allowed, or 1 with plus and 0 with minus."""

    def __init__(self, view: QuestionView, actions: QuestionActions, texts: Texts) -> None:
        form = "decimal" if view.kind == "decimal" else "integer"
        unit = Text(view.unit, 18, "muted") if view.unit else None
        super().__init__(view, actions, texts, form)
        less = self._stepper(texts("widgets.less"), "minus", -1)
        more = self._stepper(texts("widgets.more"), "plus", +1)
        self.add(less, 0)
        self.add(more)
        if unit is not None:
            self.add(unit)

    def _stepper(self, name: str, icon: str, step: int) -> Button:
        return Button(
            "",
            icon,
            act=lambda: self._step(step),
            name=name,
            fixed=_STEP_WIDE,
            tall=ANSWER_HIGH,
            repeats=True,
            disabled_now=self.view.read_only,
        )

    def _step(self, step: int) -> None:
        least = self.view.least if self.view.least is not None else 0
        if self.view.value is None:
            number = max(least, 1 if step > 0 else 0)
            self._actions.answer(self.view.item, str(number))
            return
        whole, dot, rest = self.view.value.partition(".")
        number = int(whole) + step
        if number >= least or step > 0:
            self._actions.answer(self.view.item, f"{number}{dot}{rest}")


class Moment(Figure):
    """A date or a time, with one tap for today or now."""

    def __init__(self, view: QuestionView, actions: QuestionActions, texts: Texts) -> None:
        time = view.kind == "time"
        form = "time" if time else "month" if "month-year" in view.appearance else "date"
        word, value = ("widgets.now", actions.now) if time else ("widgets.today", actions.today)
        present = Button(
            texts(word),
            "clock" if time else "calendar",
            act=lambda: actions.answer(view.item, value()),
            tall=ANSWER_HIGH,
            disabled_now=view.read_only,
        )
        super().__init__(view, actions, texts, form, present)


class Position(Row):
    """Latitude and longitude typed by hand, in degrees with a decimal comma."""

    def __init__(self, view: QuestionView, actions: QuestionActions, texts: Texts) -> None:
        self._view, self._actions, self._texts = view, actions, texts
        self._half = [self._button(0, "widgets.latitude"), self._button(1, "widgets.longitude")]
        super().__init__(*self._half, gap=8)
        self.show(view)

    def _degrees(self) -> list[str]:
        parts = (self._view.value or "").split()
        return ([*parts, "", ""])[:2]

    def _button(self, half: int, key: str) -> Button:
        open_half: Callable[[], None] = lambda: self._open(half, key)  # noqa: E731
        return Button(
            self._texts(key),
            act=open_half,
            sub="–",
            trail="keyboard",
            tall=ANSWER_HIGH,
            grow=1,
            text_align="left",
            role="field",
            disabled_now=self._view.read_only,
        )

    def _open(self, half: int, key: str) -> None:
        sheet = keypad_sheet(
            self._texts,
            self._texts(key),
            "decimal",
            self._degrees()[half] or None,
            draft=lambda text: None,
            done=lambda value: self._set(half, value),
        )
        self._actions.open_sheet(sheet)

    def _set(self, half: int, value: str | None) -> None:
        parts = self._degrees()
        parts[half] = value or ""
        self._actions.answer(self._view.item, " ".join(parts).strip() or None)

    def show(self, view: QuestionView) -> None:
        self._view = view
        for button, part in zip(self._half, self._degrees(), strict=True):
            button.say(sub=shown_as("decimal", part) or "–")
            button.state = part
