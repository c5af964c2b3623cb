"""Headers of an XLSForm sheet: which field and which language a column holds.

Accepts what authors write ("Label::Kazakh (kk)", "relevance", "constraint message") and says which columns change the
behaviour of a form in a way the evaluator does not follow.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

LANGUAGES = ("kk", "ru", "en")
_NAMES = {"kazakh": "kk", "қазақша": "kk", "russian": "ru", "русский": "ru", "english": "en"}
_OTHER_NAMES = {
    "relevance": "relevant",
    "calculate": "calculation",
    "readonly": "read_only",
    "list name": "list_name",
    "list": "list_name",
    "value": "name",
    "choice filter": "choice_filter",
    "repeat count": "repeat_count",
    "jr:count": "repeat_count",
    "constraint message": "constraint_message",
    "required message": "required_message",
    "title": "form_title",
    "id_string": "form_id",
}
TRANSLATED = frozenset({"label", "hint", "constraint_message", "required_message", "form_title"})
UNSUPPORTED = re.compile(
    r"trigger|save_to|intent|autoplay|guidance_hint|(media|instance|bind|body|control)::?.*"
    r"|(image|audio|video|big-image)(::.*)?|image|audio|video|entity|submission_url|public_key|auto_send|auto_delete"
)
"""Columns that would change the form's behaviour; others that are unknown are the author's own notes."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its header as written, its field, its language (empty when it has none)."""

    header: str
    field: str
    language: str


def column_of(header: str) -> Column:
    """What a header means. The language is `?` when it is none of ours."""
    name, _, tail = header.partition("::")
    field = re.sub(r"\s+", " ", name.strip().lower())
    field = _OTHER_NAMES.get(field, field)
    if tail and field in TRANSLATED:
        return Column(header, field, language_of(tail))
    return Column(header, f"{field}::{tail.strip().lower()}" if tail else field, "")


def language_of(text: str) -> str:
    """The code of "Kazakh (kk)", "kk" or "Kazakh"; `?` when it is none of ours."""
    text = text.strip().lower()
    found = re.search(r"\(([a-z-]+)\)$", text)
    code = found[1] if found else _NAMES.get(text, text)
    return code if code in LANGUAGES else "?"


def columns_of(headers: list[str]) -> dict[str, Column]:
    """Columns by header."""
    return {header: column_of(header) for header in headers}
