"""Joins the parts of every language into the catalogue that is read at run time. Run: python -m shared.texts.build"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from shared.texts import FOLDER, LANGUAGES, Language


def joined(language: Language, folder: Path = FOLDER) -> Catalog:
    """All parts of a language in one catalogue.

    Raises ValueError when two parts give one key, or a sentence is empty.
    """
    whole = Catalog(locale=language, charset="utf-8")
    origin: dict[str, str] = {}
    for part in sorted((folder / language).glob("*.po")):
        with part.open("rb") as file:
            for message in read_po(file, locale=language, abort_invalid=True):
                if not message.id:
                    continue
                key = str(message.id[0] if isinstance(message.id, tuple) else message.id)
                if key in origin:
                    raise ValueError(f"{part}: key {key} stands in {origin[key]} already")
                forms = message.string if isinstance(message.string, tuple) else (message.string,)
                if not all(forms):
                    raise ValueError(f"{part}: key {key} has an empty sentence")
                origin[key] = part.name
                whole.add(message.id, message.string)
    return whole


def build(folder: Path = FOLDER) -> None:
    """Writes `<language>/qorgan.mo` for every language, each file replaced as a whole."""
    for language in LANGUAGES:
        target = folder / language / "qorgan.mo"
        fresh = target.with_suffix(f".{os.getpid()}.new")
        with fresh.open("wb") as file:
            write_mo(file, joined(language, folder))
        fresh.replace(target)


if __name__ == "__main__":
    try:
        build()
    except ValueError as error:
        sys.exit(str(error))
