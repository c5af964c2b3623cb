"""The pinned checklists of a record, read from their packs, and which answers are words. Source: SETTLED 29, 56."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from field_app.store.store import Store
from shared.checklists.definition import Checklist, DamagedChecklist, Item, Question, decode, walk
from shared.checklists.paths import place_of
from shared.observations.record import Record

WORDS = frozenset({"text", "geopoint", "barcode"})
"""Types whose answers are free words or places: sealed, whatever screen they come from."""


@lru_cache(maxsize=16)
def _read(path: Path, name: str) -> tuple[Checklist, dict[str, Item]]:
    checklist = decode(path.read_bytes(), name)
    return checklist, dict(walk(checklist.items))


def load(store: Store, name: str) -> Checklist | None:
    """The checklist with this SHA-256, None when its pack is not here or damaged."""
    found = _loaded(store, name)
    return found[0] if found else None


def _loaded(store: Store, name: str) -> tuple[Checklist, dict[str, Item]] | None:
    try:
        return _read(store.pack_path(name), name)
    except (FileNotFoundError, DamagedChecklist):
        return None


def question_at(store: Store, record: Record, path: str) -> Question | None:
    """The question at an answer's path, in whichever pinned checklist has it."""
    for _, _, name in record.checklists:
        loaded = _loaded(store, name)
        item = loaded[1].get(place_of(path)) if loaded else None
        if isinstance(item, Question):
            return item
    return None


def is_words(store: Store, record: Record, path: str, value: object) -> bool:
    """Whether the answer is sealed: by its question's type; text to an unknown question is, to be safe."""
    question = question_at(store, record, path)
    return question.type in WORDS if question else isinstance(value, str)
