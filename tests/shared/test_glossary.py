"""The glossary and the catalogues hold the same terms in the three languages."""

from __future__ import annotations

import csv
from typing import Any

import pytest

from shared.texts import FOLDER, LANGUAGES, Language, texts
from shared.texts.build import joined


def glossary() -> list[dict[str, Any]]:
    with (FOLDER / "glossary.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_every_term_stands_once_and_in_every_language() -> None:
    terms = glossary()
    assert len(terms) == len({term["key"] for term in terms}) >= 170
    for term in terms:
        assert all(term[column].strip() for column in ("key", *LANGUAGES)), term


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_catalogue_says_what_the_glossary_says(language: Language) -> None:
    for term in glossary():
        assert texts(language)(f"term.{term['key']}") == term[language]


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_term_stands_outside_the_glossary(language: Language) -> None:
    known = {f"term.{term['key']}" for term in glossary()}
    used = {message.id for message in joined(language) if isinstance(message.id, str)}
    assert {key for key in used if key.startswith("term.")} == known
