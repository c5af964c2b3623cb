"""A screen that asks: cards over answers, drafts while words are typed, the caret and the place put back.

The checklist of a visit and a private interview are such screens; each says where its answers go (`Verbs`). A text is a
draft at every key and becomes an answer when its field is left; an unchanged one becomes nothing; one that the disk did
not take stays in its card. Source: SETTLED decisions 40 and 41.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from field_app.screens.checklist_cards import Cards
from field_app.screens.checklist_views import NON_ANSWER_CODES, as_text, as_value
from field_app.screens.screen import Screen, replace_place
from field_app.store.kept import Draft, Place
from field_app.widgets.answers import Words
from field_app.widgets.keypad import value_of
from field_app.widgets.layout import Col
from field_app.widgets.node import Node
from field_app.widgets.question_view import QuestionActions, QuestionView
from field_app.widgets.questions import QuestionCard
from field_app.widgets.sheet import Sheet
from field_app.widgets.text import Text
from field_app.widgets.textfield import TextField
from field_app.widgets.theme import look
from shared.checklists.definition import Question
from shared.checklists.evaluate import Evaluation

KEYPAD_FORMS = {"integer": "integer", "decimal": "decimal", "range": "decimal", "date": "date", "time": "time"}
TYPED = frozenset({"text", "barcode", "datetime", "audio"})


@dataclass(frozen=True)
class Verbs:
    """Where answers go. Each writes and raises when the disk does not take it."""

    answer: Callable[[str, Any, str], object]
    clear: Callable[[str, str], object]
    non_answer: Callable[[str, Any, Any], object]
    add_row: Callable[[str], str]


class Asking(Screen):
    """Gives a subclass the cards and everything a tap or a key on them does.

    The subclass gives `subject` (whose drafts these are), `verbs`, `evaluation(path)`, `view(path)`, `own(path)`,
    `visible()` and `took(path)`, which is called after something was written about a path.
    """

    cards: Cards
    subject: str
    verbs: Verbs

    def start_asking(self) -> None:
        """Before `build`: nothing typed is unsaved yet."""
        self.unsaved: dict[str, str] = {}
        self.last = self.at.item

    # --- what the subclass gives -----------------------------------------------------------------------------
    @abstractmethod
    def evaluation(self, path: str) -> Evaluation:
        """The evaluation that has the path."""

    @abstractmethod
    def view(self, path: str) -> QuestionView:
        """The card's content now."""

    @abstractmethod
    def own(self, path: str) -> Any:
        """The own answer as the ledger has it, opened; None for none."""

    @abstractmethod
    def visible(self) -> list[str]:
        """Paths of the cards from top to bottom."""

    @abstractmethod
    def took(self, path: str) -> None:
        """Something about the path was written: everything that follows from it is brought up to date."""

    @abstractmethod
    def actions(self) -> QuestionActions:
        """What the cards can do."""

    # --- cards -----------------------------------------------------------------------------------------------
    def make_card(self, path: str) -> Node:
        """The card of a question, or the heading of a group inside a theme."""
        item = self.evaluation(path).entry(path).item
        if type(item).__name__ == "Group":
            return Col(
                Text(self.evaluation(path).label(path, self.desk.texts.language), 20, bold=True), pad=(0, 16, 0, 4)
            )
        return QuestionCard(self.view(path), self.actions(), self.desk.texts)

    def card_words(self, path: str) -> tuple[str, bool]:
        """The text of a card and whether it is a low one, before it is made."""
        item = self.evaluation(path).entry(path).item
        low = not isinstance(item, Question) or item.type in ("note", "calculate")
        return self.evaluation(path).label(path, self.desk.texts.language), low

    def show_again(self, anchor: str = "") -> None:
        """Every card as it stands now; the anchor does not move on the glass."""
        held = self.cards.anchor(anchor)
        for path, card in self.cards.made().items():
            if isinstance(card, QuestionCard):
                view = self.view(path)
                if view == card.view:
                    continue
                if view.kind != card.view.kind or view.options != card.view.options or view.text != card.view.text:
                    self.cards.remake(path)
                else:
                    card.show(view)
        self.cards.show_paths(self.visible())
        self.cards.hold(held)

    # --- answers ---------------------------------------------------------------------------------------------
    def question(self, path: str) -> Question | None:
        """The question at a path."""
        item = self.evaluation(path).entry(path).item
        return item if isinstance(item, Question) else None

    def draft_name(self, path: str) -> str:
        """The name a text is kept under while it is typed."""
        return f"{self.subject} {path}"

    def _draft(self, path: str) -> str:
        name = self.draft_name(path)
        return name if name in self.desk.store.drafts() else ""

    def answer(self, path: str, text: str | None) -> None:
        """A tap on a coded answer, a number from the keypad: an operation at once. None clears."""
        question = self.question(path)
        if question is None:
            return
        self.last, draft = path, self._draft(path)
        if text is None:
            done = self.desk.saving(lambda: self.verbs.clear(path, draft))
        else:
            done = self.desk.saving(lambda: self.verbs.answer(path, as_value(question, text), draft))
        if done is not None:
            self.took(path)

    def non_answer(self, path: str, code: str | None) -> None:
        """Why there is no answer; None takes that back."""
        self.last = path
        if code is None:
            done = self.desk.saving(lambda: self.verbs.clear(path, self._draft(path)))
        else:
            code = NON_ANSWER_CODES.get(code, code)
            done = self.desk.saving(lambda: self.verbs.non_answer(path, code, ""))
        if done is not None:
            self.took(path)

    def refused_by(self, path: str, who: str) -> None:
        """Who refused."""
        if self.desk.saving(lambda: self.verbs.non_answer(path, "refused", who)) is not None:
            self.took(path)

    # --- words -----------------------------------------------------------------------------------------------
    def type_words(self, path: str, text: str, caret: int) -> None:
        """A key in a text field or on the keypad: on the disk, with the place, before the next frame."""
        self.last = path
        if self.desk.draft(self.draft_name(path), text, caret):
            self.unsaved.pop(path, None)
        else:
            self.unsaved[path] = text

    def leave_words(self, path: str, text: str) -> None:
        """A field is left: its text becomes an answer, or nothing when it is as it was."""
        draft, own = self._draft(path), as_text(self.own(path)) or ""
        if not draft and path not in self.unsaved:
            return
        if text.strip() == own.strip():
            done = self.desk.saving(lambda: self.desk.store.drop_draft(draft)) if draft else True
        elif not text.strip():
            done = self.desk.saving(lambda: self.verbs.clear(path, draft))
        else:
            done = self.desk.saving(lambda: self.verbs.answer(path, text, draft))
        if done is None:
            self.unsaved[path] = text
            return
        self.unsaved.pop(path, None)
        self.took(path)

    def leave(self) -> None:
        """Every draft of this screen becomes an answer, numbers from an open keypad too."""
        prefix = f"{self.subject} /"
        texts = {name[len(self.subject) + 1 :]: draft.text for name, draft in self.desk.store.drafts().items()
                 if name.startswith(prefix)}  # fmt: skip
        for path, text in {**texts, **self.unsaved}.items():
            self._leave_one(path, text)

    def _leave_one(self, path: str, text: str) -> None:
        try:
            question = self.question(path)
        except KeyError:
            return
        if question is None:
            return
        form = KEYPAD_FORMS.get(question.type)
        if form is None:
            self.leave_words(path, text)
            return
        form = "month" if form == "date" and "month-year" in question.appearance else form
        value = value_of(form, text) if text else None
        if value is not None and value != as_text(self.own(path)):
            self.answer(path, value)
        else:
            self.desk.saving(lambda: self.desk.store.drop_draft(self.draft_name(path)))

    def draft_of(self, path: str, drafts: dict[str, Draft]) -> Draft | None:
        """The draft of an item in the form its card shows: a whole number of a keypad, or words."""
        draft = drafts.get(self.draft_name(path))
        question = self.question(path) if draft else None
        form = KEYPAD_FORMS.get(question.type) if question else None
        if draft is None or form is None:
            return draft
        value = value_of(form, draft.text) if draft.text else None
        return Draft(draft.field, value, 0) if value is not None else None

    # --- rows ------------------------------------------------------------------------------------------------
    def add_row(self, path: str) -> None:
        """One more row; nobody asks whether there is another."""
        row = self.desk.saving(lambda: self.verbs.add_row(path))
        if row is not None:
            self.evaluation(path).add_row(path, row)
            self.took(path)

    def copy_row(self, path: str) -> None:
        """One more row with the answers of the last one, but for its name and its photos."""
        evaluation = self.evaluation(path)
        rows = evaluation.shown_rows(path)
        if not rows:
            return
        row = self.desk.saving(lambda: self._copied(path, rows[-1]))
        if row is not None:
            self.took(path)

    def _copied(self, path: str, last: str) -> str:
        evaluation, row, named = self.evaluation(path), self.verbs.add_row(path), False
        for item in getattr(evaluation.entry(path).item, "items", ()):
            value = self.own(f"{path}[{last}]/{item.name}") if isinstance(item, Question) else None
            if value is None or item.type == "image":
                continue
            if item.type == "text" and not named:
                named = True
                continue
            self.verbs.answer(f"{path}[{row}]/{item.name}", value, "")
        evaluation.add_row(path, row)
        return row

    # --- place -----------------------------------------------------------------------------------------------
    def field_of(self, path: str) -> TextField | None:
        """The text field of a card, made if need be."""
        card = self.cards.card(path)
        answer = getattr(card, "answer", None)
        answer = getattr(answer, "_words", answer)
        return answer.field if isinstance(answer, Words) else None

    def edited(self) -> tuple[str, int]:
        """(path, caret) of the field that has the keyboard; ("", 0) for none."""
        field = self.field_of(self.last) if self.last else None
        return (self.last, field.caret) if field is not None and field.editor is not None else ("", 0)

    def here(self) -> Place:
        path, hidden = self.cards.anchor()
        edited, caret = self.edited()
        more = {name: text for name, text in self.at.more.items() if name != "field"}
        if edited:
            more["field"] = edited
        return replace_place(
            self.at, item=path, scroll=round(hidden / look.density), caret=caret, more=more
        )  # fmt: skip

    def settle(self) -> None:
        path = self.at.item
        if path:
            self.cards.jump(path, self.at.scroll * look.density)
        edited = self.at.more.get("field", "")
        field = self.field_of(edited) if edited else None
        if field is not None and not field.disabled_now:
            self.last = edited
            field.caret = min(self.at.caret, len(field.text))
            self.desk.focus(field)

    def reach(self, path: str) -> None:
        """Brings a card to the top."""
        self.cards.jump(path)

    def current(self) -> str:
        """The item a note belongs to: the one last touched while it is still in view, else none."""
        return self.last if self.last and self.cards.in_view(self.last) else ""

    def open_keypad(self, sheet: object) -> None:
        """A sheet a card brings along."""
        if isinstance(sheet, Sheet):
            self.desk.open_sheet(sheet)


def ordered(paths: Sequence[str]) -> list[str]:
    """The paths without repeats, order kept."""
    return list(dict.fromkeys(paths))
