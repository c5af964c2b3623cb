"""`qorgan-tablet bundle write FILE` and `qorgan-tablet bundle read FILE`: exchange through a file from a keyboard."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from field_app.bundles import making, taking
from field_app.bundles.staying import staying
from field_app.store import carried
from field_app.store.disk import write_whole
from field_app.store.store import Store
from shared.texts import Texts


def write(store: Store, file: Path, to: str, with_files: bool, now: Any) -> str:
    """Writes the bundle for the office, or for a colleague's tablet (its number or the name of its person).

    Raises LookupError when no such colleague is known; RuleBroken, NotSaved, OSError.
    """
    colleague = _colleague(store, to)
    if colleague is None:
        data = making.for_office(store, now, with_files)
    else:
        data = making.for_colleague(store, colleague, now, with_files)
    write_whole(file.absolute(), data)
    return str(file)


def _colleague(store: Store, to: str) -> carried.Colleague | None:
    """Whom `to` names; None for the office."""
    if to in ("", "office"):
        return None
    found = [each for each in carried.colleagues(store) if to in (each.device, each.name)]
    if len(found) != 1:
        raise LookupError(", ".join(f"{each.name} {each.device}" for each in found or carried.colleagues(store)))
    return found[0]


def words_of_written(say: Texts, store: Store, file: str, to: str) -> str:
    """Where the bundle lies, and what of this tablet is not in it."""
    colleague = _colleague(store, to)
    return words_of_saved(say, file, staying(store, colleague.person) if colleague else 0)


def words_of_saved(say: Texts, file: str, left: int) -> str:
    """Where the bundle lies. left: interviews that its receiver may not read."""
    saved = say("bundle.saved", file=file)
    return f"{say.plural('bundle.stay', left)} {saved}" if left else saved


def words_of(say: Texts, taken: taking.Taken) -> str:
    """What a bundle brought, as sentences."""
    key = "bundle.from_office" if taken.sender == "office" else "bundle.from_colleague"
    words = say(key, name=taken.name, fresh=taken.fresh, receipts=taken.receipts, files=taken.files)
    if taken.refused:
        words += " " + say("bundle.some_refused", count=taken.refused)
    return words
