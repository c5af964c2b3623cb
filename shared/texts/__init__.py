"""Sentences by key in Kazakh, Russian and English, the same for the office and the tablet.

Sources are `<language>/<part>.po`; `python -m shared.texts.build` joins the parts of a language into one
`<language>/qorgan.mo`, which this module reads with the standard library alone. A missing key raises: an
untranslated sentence is a defect found by tests, never a fallback seen by a person.
"""

from __future__ import annotations

import gettext
from functools import cache
from pathlib import Path
from typing import Literal, get_args

Language = Literal["kk", "ru", "en"]
LANGUAGES: tuple[Language, ...] = get_args(Language)
FOLDER = Path(__file__).parent


class MissingText(KeyError):
    """No sentence stands under this key in this language."""


class Texts:
    """The sentences of one language."""

    def __init__(self, language: Language, catalogue: gettext.GNUTranslations) -> None:
        self.language = language
        self._catalogue = catalogue

    def __call__(self, key: str, /, **facts: object) -> str:
        """The sentence under `key` with its `{fact}` fields filled. Raises MissingText."""
        sentence = self._catalogue.gettext(key)
        if sentence == key:
            raise MissingText(f"{key} [{self.language}]")
        return sentence.format(**facts) if facts else sentence

    def plural(self, key: str, n: int, /, **facts: object) -> str:
        """The form of the sentence that the language wants for the whole number `n`; `{n}` is filled with it."""
        sentence = self._catalogue.ngettext(key, key, n)
        if sentence == key:
            raise MissingText(f"{key} [{self.language}]")
        return sentence.format(n=n, **facts)

    def has(self, key: str) -> bool:
        """Whether a sentence stands under this key."""
        return self._catalogue.gettext(key) != key or self._catalogue.ngettext(key, key, 1) != key


@cache
def texts(language: Language) -> Texts:
    """The sentences of a language. Raises FileNotFoundError when `shared.texts.build` was not run."""
    with (FOLDER / language / "qorgan.mo").open("rb") as file:
        return Texts(language, gettext.GNUTranslations(file))
