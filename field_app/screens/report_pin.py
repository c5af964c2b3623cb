"""The PIN once more, before a signature: a sheet of keys and dots; a keyboard types into it as well."""

from __future__ import annotations

from collections.abc import Callable

from field_app.screens.pinpad import PinPad
from field_app.widgets.control import Control
from field_app.widgets.layout import Col, Wrap
from field_app.widgets.node import Box
from field_app.widgets.sheet import Sheet
from field_app.widgets.text import Text
from shared.texts import Texts


class Typed(Control):
    """The dots as a field of the Tab order: digits, backspace and Enter of a keyboard go to the pad."""

    def __init__(self, pad: PinPad, name: str) -> None:
        self._keys = pad
        super().__init__(pad.dots, name=name, role="field", tall=64, box=Box(fill="card", edge="line"))

    def measure(self, width: float) -> float:
        return max(self.tall, pad_high(self._keys, width))

    def minimum(self) -> float:
        return self._keys.dots.minimum()

    def arrange(self) -> None:
        inner = self.width - 2 * self.height * 0.2
        high = self._keys.dots.high(inner)
        self._keys.dots.place(self.x + self.height * 0.2, self.y + (self.height - high) / 2, inner, high)

    def holds_layout(self, kid: object) -> bool:
        return True

    def key(self, key: str) -> bool:
        if key == "enter":
            return self._keys.key_down(13, None, [])
        if key == "backspace":
            return self._keys.key_down(8, None, [])
        return len(key) == 1 and self._keys.key_down(0, key, [])


def pad_high(pad: PinPad, width: float) -> float:
    """Height of the dots with room around them."""
    return pad.dots.high(width) + 24


class PinSheet:
    """Asks for the PIN; `done(pin)`. `say` shows why it was not taken."""

    def __init__(self, texts: Texts, title: str, sentence: str, word: str, done: Callable[[str], object]) -> None:
        self.pad = PinPad(texts, word, done)
        self.trouble = Text("", 18, "bad", tall=25)
        self.field = Typed(self.pad, texts("report_screen.pin"))
        body = Col(Text(sentence, 18), self.field, self.trouble, Wrap(self.pad), gap=12, pad=(24, 0, 24, 24))
        self.sheet = Sheet(texts, title, body)

    def say(self, sentence: str) -> None:
        """Why it was not taken; empty takes the words away."""
        self.trouble.say(sentence)
        self.pad.wait(False)

    def wait(self, sentence: str) -> None:
        """It is being tried."""
        self.trouble.say(sentence, "muted")
        self.pad.wait(True)
