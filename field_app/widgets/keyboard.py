"""The port through which letters reach a text field. This one is the hardware or the system's own keyboard.

Predictions, corrections and learning are switched off: a system keyboard may otherwise keep what was typed. A keyboard
drawn by the app itself takes the same place.
"""

from __future__ import annotations

from typing import Protocol


class Typing(Protocol):
    """What a keyboard may do to a field."""

    def insert_text(self, substring: str, from_undo: bool = False) -> None: ...

    def do_backspace(self, from_undo: bool = False, mode: str = "bkspc") -> None: ...


SYSTEM: dict[str, object] = {
    "input_type": "text",
    "keyboard_suggestions": False,
    "keyboard_mode": "auto",
    "use_bubble": False,
    "use_handles": False,
}
"""Settings of an editor that takes its letters from the system."""
