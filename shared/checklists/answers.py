"""Answers as the ledger holds them, and rows of outside lists as choices: the edge between data and expressions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from shared.checklists.definition import Choice, External, Question, Words
from shared.checklists.values import Single, as_number, date_of, moment_of, time_of

Answer = str | int | Sequence[str]
"""Text, a whole number, a decimal as text, names of choices, 2026-03-07, 14:05; true for something acknowledged."""


def is_empty(answer: Answer | None) -> bool:
    """Whether the answer says nothing: absent, blank text, no choice, not acknowledged. Zero says something."""
    return answer is None or answer is False or (not isinstance(answer, int) and len(answer) == 0)


def typed(item: Question, answer: Answer) -> Single:
    """An answer as expressions read it; what does not fit its type is read as the text it is."""
    if isinstance(answer, bool):
        return "OK" if answer else ""
    if isinstance(answer, int):
        return float(answer)
    if not isinstance(answer, str):
        return " ".join(answer)
    read: Single | None = None
    match item.type:
        case "integer" | "decimal" | "range":
            number = as_number(answer)
            read = number if number == number else None
        case "date":
            read = date_of(answer)
        case "time":
            read = time_of(answer)
        case "datetime":
            read = moment_of(answer)
    return answer if read is None else read


def external_choice(external: External, row: Mapping[str, str]) -> Choice:
    """A row of an external list as a choice. A label column `name_ru` brings `name_kk` and `name_en` with it."""
    stem, _, language = external.label.rpartition("_")
    if stem and language in ("kk", "ru", "en"):
        words = Words(*(row.get(f"{stem}_{each}", "") for each in ("kk", "ru", "en")))
    else:
        words = Words(en=row.get(external.label, ""))
    return Choice(row.get(external.value, ""), words)
