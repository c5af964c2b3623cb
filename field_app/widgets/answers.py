"""The answer part of a question card for choices, words, photos and what is only shown. A tap answers; again clears."""

from __future__ import annotations

from field_app.widgets.button import Button
from field_app.widgets.icon import Icon
from field_app.widgets.layout import Col, Grid, Row
from field_app.widgets.node import Box, Node
from field_app.widgets.question_view import NOT_APPLICABLE, NOT_KNOWN, QuestionActions, QuestionView
from field_app.widgets.text import Text
from field_app.widgets.textfield import TextField
from shared.texts import Texts

ANSWER_HIGH, ANSWER_WIDE = 72, 120
SEARCH_FROM = 15
"""From this many options on, a list is searched instead of shown."""


class Choices(Grid):
    """All options of a list as equal cells. `many` lets several stand at once."""

    def __init__(self, view: QuestionView, actions: QuestionActions, texts: Texts) -> None:
        self.many = view.kind.startswith("select_multiple")
        options = [o for o in view.options if o.code not in (NOT_KNOWN, NOT_APPLICABLE)]
        self._buttons = {
            option.code: Button(
                option.text,
                role="check" if self.many else "choice",
                act=lambda code=option.code: self._tapped(code),
                tall=ANSWER_HIGH,
                reserve=True,
                icon_size=20,
                icon_grows=False,
                inset=6,
                disabled_now=view.read_only,
            )
            for option in options
        }
        super().__init__(*self._buttons.values(), cell=ANSWER_WIDE, columns=3 if len(options) > 3 else None, gap=8)
        self._actions = actions
        self.show(view)

    def show(self, view: QuestionView) -> None:
        self._view = view
        self._chosen = tuple((view.value or "").split()) if self.many else (view.value,)
        for code, button in self._buttons.items():
            chosen = code in self._chosen
            button.show(
                kind="selected" if chosen else "plain",
                icon="check" if chosen else None,
                state="selected" if chosen else "",
            )

    def _tapped(self, code: str) -> None:
        if self.many:
            order = [c for c in self._buttons if (c in self._chosen) != (c == code)]
            self._actions.answer(self._view.item, " ".join(order) or None)
        else:
            self._actions.answer(self._view.item, None if code in self._chosen else code)


class Search(Row):
    """One wide button that shows the choice and opens the search sheet."""

    def __init__(self, view: QuestionView, actions: QuestionActions, texts: Texts) -> None:
        self._empty = texts("widgets.choose")
        self._button = Button(
            self._empty,
            "search",
            act=lambda: actions.search(view.item),
            trail="down",
            text_align="left",
            tall=ANSWER_HIGH,
            disabled_now=view.read_only,
            grow=1,
        )
        super().__init__(self._button)
        self.show(view)

    def show(self, view: QuestionView) -> None:
        words = view.shown or ", ".join(o.text for o in view.options if o.code in (view.value or "").split())
        self._button.show(icon="check" if words else "search", state="selected" if words else "")
        self._button.say(words or self._empty)


class Words(Row):
    """A text field; every key goes out as a draft."""

    def __init__(self, view: QuestionView, actions: QuestionActions, texts: Texts) -> None:
        many = "multiline" in view.appearance
        self.field = TextField(
            view.text,
            view.value or "",
            hint=view.hint,
            lines=3 if many else 1,
            multiline=many,
            on_draft=lambda text, caret: actions.draft(view.item, text, caret),
            on_step=lambda text, caret: actions.step(view.item, text, caret),
            on_leave=lambda text: actions.leave(view.item, text),
            tall=ANSWER_HIGH,
            grow=1,
            disabled_now=view.read_only,
        )
        super().__init__(self.field)
        if view.caret is not None:
            self.field.caret = view.caret

    def show(self, view: QuestionView) -> None:
        if self.field.editor is None and (view.value or "") != self.field.text:
            self.field.show_text(view.value or "", view.caret)


class Masked(Row):
    """Words that were said, as dots until somebody asks for them: `actions.search(item)` shows them."""

    def __init__(self, view: QuestionView, actions: QuestionActions, texts: Texts) -> None:
        dots = Row(
            Icon("lock", 20, "muted"), Text("• • • • • • • •", 18, "muted", grow=1), gap=12, pad=(16, 8),
            tall=ANSWER_HIGH, grow=1, box=Box(fill="surface2", radius=8),
        )  # fmt: skip
        button = Button(texts("widgets.show"), "eye", act=lambda: actions.search(view.item), tall=ANSWER_HIGH)
        super().__init__(dots, button, gap=8)

    def show(self, view: QuestionView) -> None:
        """The dots say nothing, so nothing changes."""


class Photos(Row):
    """Takes a photo; says how many there are."""

    def __init__(self, view: QuestionView, actions: QuestionActions, texts: Texts) -> None:
        self._texts = texts
        key = "widgets.sign_here" if view.appearance == "signature" else "widgets.take_photo"
        self._button = Button(
            texts(key), "camera", act=lambda: actions.photo(view.item), tall=ANSWER_HIGH, disabled_now=view.read_only
        )
        self._count = Text("", 18, "muted", grow=1)
        super().__init__(self._button, self._count, gap=16)
        self.show(view)

    def show(self, view: QuestionView) -> None:
        count = len((view.value or "").split())
        self._count.say(self._texts.plural("widgets.photos", count) if count else "")


class Shown(Row):
    """What the checklist works out by itself: read only."""

    def __init__(self, view: QuestionView, actions: QuestionActions, texts: Texts) -> None:
        self._text = Text("", 20, bold=True, grow=1)
        super().__init__(
            self._text, tall=64, pad=(16, 8), box=Box(fill="surface2", radius=8) if view.kind != "note" else Box()
        )
        self.show(view)

    def show(self, view: QuestionView) -> None:
        self._text.say(view.shown or view.value or "–")


class Unknown(Col):
    """A type this version does not know: a text field, and a sentence that says so."""

    def __init__(self, view: QuestionView, actions: QuestionActions, texts: Texts) -> None:
        self._words = Words(view, actions, texts)
        super().__init__(Text(texts("widgets.unknown_kind"), 14, "muted"), self._words, gap=4)

    def show(self, view: QuestionView) -> None:
        self._words.show(view)


class Nothing(Node):
    """A note of the checklist has its text in the head and nothing to answer."""

    absent = True

    def __init__(self, view: QuestionView, actions: QuestionActions, texts: Texts) -> None:
        super().__init__()

    def show(self, view: QuestionView) -> None:
        """Nothing changes."""
