"""Keys for a PIN and the dots it shows as: on the lock, and where a PIN is set. Nothing typed is ever drawn.

Keys of a keyboard work as well; a passphrase is typed on one. Holds the digits until `done` takes them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from field_app.widgets.button import Button
from field_app.widgets.icon import Icon
from field_app.widgets.layout import Grid, Wrap
from field_app.widgets.semantic import Semantic
from shared.texts import Texts

PIN_LENGTH = 8
"""Fewest digits of a PIN. Source: SECURITY A.6."""
PIN_LIMIT = 64


class Dots(Semantic, Wrap):
    """How many signs are typed; never which."""

    role = "status"
    focusable = False

    def __init__(self, texts: Texts) -> None:
        self._texts = texts
        super().__init__(gap=12)
        self.show(0)

    def show(self, count: int) -> None:
        """Filled dots for what is typed, rings up to the fewest digits."""
        most = max(PIN_LENGTH, count)
        if len(self.kids) != most:
            self.refill(Icon("ring", 20, "muted", fixed=20) for _ in range(most))
        for place, dot in enumerate(self.kids):
            typed = place < count
            dot.show("dot" if typed else "ring", "text" if typed else "muted")
        self.name = self._texts.plural("unlock.typed", count)
        self.reflow()


class PinPad(Grid):
    """Ten digits, backspace and a key that goes on: `done(pin)`; `dots` shows how much is typed."""

    def __init__(self, texts: Texts, word: str, done: Callable[[str], object]) -> None:
        self.dots, self._done, self._pin = Dots(texts), done, ""
        keys = [self._digit(digit) for digit in "123456789"]
        back = Button("", "backspace", "key_quiet", self._back, name=texts("widgets.backspace"), tall=88, repeats=True)
        self.go = Button(word, None, "primary", self._go, size=18, inset=4, tall=88)
        super().__init__(*keys, back, self._digit("0"), self.go, columns=3, cell=64, gap=12, fixed=360)

    def _digit(self, digit: str) -> Button:
        return Button(digit, None, "key", lambda: self.press(digit), size=28, bold=True, tall=88, repeats=True)

    def press(self, letters: str) -> None:
        """More signs."""
        if not self.go.disabled_now:
            self._pin = (self._pin + letters)[:PIN_LIMIT]
            self.dots.show(len(self._pin))

    def _back(self) -> None:
        self._pin = self._pin[:-1]
        self.dots.show(len(self._pin))

    def _go(self) -> None:
        if self._pin:
            pin = self._pin
            self.clear()
            self._done(pin)

    def clear(self) -> None:
        """Forgets what was typed."""
        self._pin = ""
        self.dots.show(0)

    def wait(self, waiting: bool) -> None:
        """Whether the key that goes on does nothing for now."""
        self.go.disabled_now = waiting
        self.go.show()

    def key_down(self, code: int, letters: str | None, modifiers: list[str]) -> bool:
        """A key of a keyboard; true when it was used."""
        if code in (13, 271):
            self._go()
        elif code == 8:
            self._back()
        elif letters and letters.isprintable() and not {"ctrl", "alt", "meta"} & set(modifiers):
            self.press(letters)
        else:
            return False
        return True


class KeyPage:
    """Mixin of a page that hands the keyboard to its `pad` while it is on the stage."""

    pad: PinPad | None = None
    _bound: Any = None

    def listen(self, parent: Any) -> None:
        """Called with the stage, or None when the page leaves it."""
        from kivy.core.window import Window

        if parent is not None and self._bound is None:
            self._bound = self._key_of_window
            Window.bind(on_key_down=self._bound)
        elif parent is None and self._bound is not None:
            Window.unbind(on_key_down=self._bound)
            self._bound = None

    def _key_of_window(self, _: Any, code: int, scan: int, letters: str | None, modifiers: list[str]) -> bool:
        return self.pad is not None and self.pad.key_down(code, letters, modifiers)
