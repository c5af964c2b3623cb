"""What the person chose about the tablet itself, kept in clear beside the store: it is needed before the lock opens.

Language, look, minutes until the lock, the office's address. Never anything about visits or people.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any, get_args

from field_app.widgets.theme import SCALES, THEMES, Choice, Grip, Theme
from shared.texts import LANGUAGES, Language

FILE = "choices.json"
LOCK_MINUTES = (1, 2, 3, 4, 5)
"""Source: SETTLED decision 38."""


@dataclass(frozen=True)
class Choices:
    """The choices of one tablet."""

    language: Language = "kk"
    theme: Theme = "light"
    scale: int = 100
    grip: Grip = "right"
    lock_minutes: int = 2
    office: str = ""

    @property
    def look(self) -> Choice:
        """The part that the widgets draw by."""
        return Choice(self.theme, self.scale, self.grip)


_ALLOWED: Mapping[str, tuple[Any, ...]] = {
    "language": LANGUAGES, "theme": THEMES, "scale": SCALES, "grip": get_args(Grip), "lock_minutes": LOCK_MINUTES,
}  # fmt: skip


def load(home: Path) -> Choices:
    """The choices in this folder; whatever is missing, damaged or not on offer is as on the first day."""
    try:
        said = json.loads((home / FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return Choices()
    if not isinstance(said, dict):
        return Choices()
    known = {field.name for field in fields(Choices)}
    kept = {
        name: value
        for name, value in said.items()
        if name in known and (value in _ALLOWED[name] if name in _ALLOWED else isinstance(value, str))
    }
    return Choices(**kept)


def keep(home: Path, choices: Choices) -> None:
    """Writes them whole; a full disk loses a look, never a word, so it is no failure."""
    with contextlib.suppress(OSError):
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        fresh = home / (FILE + ".new")
        with fresh.open("w", encoding="utf-8") as file:
            json.dump(asdict(choices), file, ensure_ascii=False)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(home / FILE)


def replaced(choices: Choices, **changes: Any) -> Choices:
    """The choices with some of them changed."""
    return replace(choices, **changes)
