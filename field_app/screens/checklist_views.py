"""A question of a form as the card shows it, and what a card says turned into what the ledger keeps. Pure.

Decides which kind of card a type gets, how a value reads in the person's language, how a row of a repeat is called.
Source: UX T4, SETTLED decisions 57 and 58.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from field_app.screens.checklist_state import NO_WORDS, numbered
from field_app.widgets.keypad import shown_as
from field_app.widgets.question_view import Option, QuestionView, RepeatRow
from shared.checklists.definition import Question, Repeat
from shared.checklists.evaluate import Evaluation
from shared.checklists.paths import place_of, without_row
from shared.checklists.progress import is_asked, theme_of
from shared.observations.answers import Value
from shared.texts import Texts

_KINDS = {"acknowledge": "select_one", "range": "decimal", "barcode": "text"}
TRUE = "true"
NON_ANSWER_CODES = {"does_not_apply": "not_applicable"}
"""Code of the card's grey row → code of the ledger, where they differ."""
SHOWN_CODES = {code: shown for shown, code in NON_ANSWER_CODES.items()}
_ROW_NUMBERS = 2
"""How many numbers a row's title carries besides its name."""


@dataclass(frozen=True)
class Said:
    """What a person said about an item, for the card. value: as the ledger has it, opened."""

    value: Any = None
    non_answer: str = ""
    refused_by: str = ""
    draft: str | None = None
    caret: int | None = None
    colleague: str = ""
    counts: Mapping[str, int] = field(default_factory=dict)


def as_text(value: Any) -> str | None:
    """A ledger value in the form cards use: codes parted by blanks, digits, words; None for nothing."""
    if value is None:
        return None
    if isinstance(value, bool):
        return TRUE if value else None
    if isinstance(value, int):
        return str(value)
    return value if isinstance(value, str) else " ".join(value) or None


def as_value(question: Question, text: str) -> Value:
    """What a card says as the ledger keeps it: whole numbers, lists of codes, truth, decimals and words as text."""
    if question.type in ("integer",) or (question.type == "range" and "." not in text):
        return int(text)
    if question.type == "select_multiple":
        return text.split()
    return text == TRUE if question.type == "acknowledge" else text


def readable(evaluation: Evaluation, path: str, value: Any, texts: Texts) -> str:
    """A value as a person reads it: words of choices, dates as dd.mm.yyyy, a decimal comma."""
    question = evaluation.entry(path).item
    text = as_text(value) or ""
    if not isinstance(question, Question) or not text:
        return text
    if question.type in ("select_one", "select_multiple"):
        return ", ".join(evaluation.choice_label(question, code) for code in text.split())
    if question.type == "acknowledge":
        return texts("checklist_screen.acknowledged")
    if question.type == "image":
        return texts.plural("widgets.photos", len(text.split()))
    form = {"date": "date", "decimal": "decimal", "range": "decimal"}.get(question.type)
    if form == "date" and "month-year" in question.appearance:
        form = "month"
    return shown_as(form, text) if form else text


def non_answer_words(code: str, texts: Texts) -> str:
    """A non-answer of the ledger in words."""
    return texts(f"widgets.{SHOWN_CODES.get(code, code)}")


def label_of(evaluation: Evaluation, path: str, language: str) -> str:
    """The text of an item with its values filled in; the question's own name where the form says nothing."""
    return evaluation.label(path, language)


def view_of(
    evaluation: Evaluation, path: str, said: Said, texts: Texts, *, read_only: bool, number: str | None = None,
    masked: bool = False,
) -> QuestionView:  # fmt: skip
    """The card of a question, of a note or calculation, or of a repeat.

    masked   words that were said are not drawn until somebody asks for them
    """
    language = texts.language
    item = evaluation.entry(path).item
    if not isinstance(item, Question):
        return _repeat_view(evaluation, path, item, texts, read_only)
    kind = _kind(evaluation, path, item)
    value = said.draft if said.draft is not None else as_text(said.value)
    shown = ""
    if kind in ("known", "calculate", "note"):
        value = as_text(evaluation.answer(path)) if path in evaluation.known else evaluation.text(path) or None
        shown = readable(evaluation, path, value, texts) if kind != "note" else ""
    elif item.external is not None or kind.endswith("from_file"):
        shown = readable(evaluation, path, value, texts)
    options = _options(evaluation, path, item, texts) if kind.startswith("select") else ()
    hint = evaluation.filled(path, item.hint, language)[0]
    bounds = evaluation.filled(path, item.constraint_message, language)[0]
    return QuestionView(
        path, "masked" if masked and kind == "text" and value else kind, label_of(evaluation, path, language),
        number=numbered(evaluation.form, language).get(place_of(path), "") if number is None else number,
        value=value, shown=shown, caret=said.caret, options=options,
        non_answer=SHOWN_CODES.get(said.non_answer, said.non_answer) or None, refused_by=said.refused_by or None,
        hint=hint or (bounds if kind in ("integer", "decimal") else ""), least=_least(item),
        appearance=item.appearance, warning=warning_of(evaluation, path, texts),
        has_standard=bool(item.standards or item.hint != NO_WORDS) and kind not in ("note", "known"),
        colleague=said.colleague, counts=dict(said.counts), read_only=read_only or item.read_only,
    )  # fmt: skip


def _kind(evaluation: Evaluation, path: str, item: Question) -> str:
    if item.type in ("note", "calculate") or item.elsewhere == "notice":
        return "calculate" if item.type == "calculate" else "note"
    if path in evaluation.known:
        return "known"
    if item.type == "geopoint":
        return "geopoint"
    if item.external is not None:
        return f"{item.type}_from_file"
    return _KINDS.get(item.type, item.type)


def _options(evaluation: Evaluation, path: str, item: Question, texts: Texts) -> tuple[Option, ...]:
    if item.type == "acknowledge":
        return (Option(TRUE, texts("checklist_screen.acknowledged")),)
    if item.external is not None:
        return ()
    return tuple(
        Option(each.name, evaluation.filled("", each.label, texts.language)[0] or each.name)
        for each in evaluation.choices(path)
    )


def _least(item: Question) -> int | None:
    start = dict(item.parameters).get("start", "")
    return int(start) if start.lstrip("-").isdigit() else None


def warning_of(evaluation: Evaluation, path: str, texts: Texts) -> str:
    """What to say under a question: the form's own sentence, else ours. Blank ones are listed at sign-off only."""
    item = evaluation.entry(path).item
    found = [each for each in evaluation.warnings(path) if each != "required"]
    if not found or not isinstance(item, Question):
        return ""
    own = evaluation.filled(path, item.constraint_message, texts.language)[0] if found[0] == "constraint" else ""
    return texts("checklist_screen.warns", reason=own) if own else texts(f"checklist_screen.{found[0]}")


def _repeat_view(evaluation: Evaluation, path: str, item: Any, texts: Texts, read_only: bool) -> QuestionView:
    rows = []
    for number, row in enumerate(evaluation.shown_rows(path), 1):
        inside = f"{path}[{row}]"
        counts = theme_of(evaluation, inside)
        title = row_title(evaluation, inside, texts, number)
        rows.append(RepeatRow(row, title, counts.asked - counts.left, counts.asked))
    counted = isinstance(item, Repeat) and bool(item.count)
    return QuestionView(
        path, "repeat", label_of(evaluation, path, texts.language), rows=tuple(rows), read_only=read_only or counted
    )


def row_title(evaluation: Evaluation, inside: str, texts: Texts, number: int) -> str:
    """A row called by its answers: the repeat's name with the row's own, then its first numbers.

    "Камера, комната 12 · Сегодня в ней человек: 9 · Спальных мест: 6"; the row's number while it has no name.
    """
    item = evaluation.entry(inside).item
    name, numbers = "", []
    for each in getattr(item, "items", ()):
        if not isinstance(each, Question) or not is_asked(each):
            continue
        value = as_text(evaluation.answer(f"{inside}/{each.name}"))
        if not value:
            continue
        if not name and each.type == "text":
            name = value
        elif not name and each.type in ("select_one", "select_multiple"):
            name = readable(evaluation, f"{inside}/{each.name}", value, texts)
        elif each.type == "integer" and len(numbers) < _ROW_NUMBERS:
            label = evaluation.label(f"{inside}/{each.name}", texts.language)
            numbers.append(texts("checklist_screen.row_number", label=label, number=value))
    whole = texts("checklist_screen.row", what=evaluation.label(without_row(inside), texts.language),
                  name=name or str(number))  # fmt: skip
    return " · ".join([whole, *numbers])


def by_words(rows: Sequence[Mapping[str, str]], query: str, *columns: str) -> list[Mapping[str, str]]:
    """Rows of an outside list in which every word of the query begins a word, letters folded."""
    from shared.institutions import fold_letters

    words = fold_letters(query).split()
    if not words:
        return list(rows)
    found = []
    for row in rows:
        text = " " + fold_letters(" ".join(row.get(column, "") for column in columns))
        if all(f" {word}" in text for word in words):
            found.append(row)
    return found
