"""T1: the PIN. Says nothing about visits, people or what lies on the tablet; a wrong PIN says how many tries are left.

Source: UX T1, SETTLED decision 38.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kivy.clock import Clock

from field_app.screens.pinpad import KeyPage, PinPad
from field_app.widgets.button import Button
from field_app.widgets.icon import Icon
from field_app.widgets.layout import Col, Gap, Row
from field_app.widgets.node import Box, Node
from field_app.widgets.scroll import Scroll
from field_app.widgets.text import Text
from field_app.widgets.theme import look
from shared.texts import LANGUAGES, Language, Texts

LANGUAGE_WORDS: dict[Language, str] = {"kk": "ҚАЗ", "ru": "РУС", "en": "ENG"}
WIDE = 840
"""dp from which words and keys stand side by side."""


def language_row(language: Language, choose: Callable[[Language], object]) -> Row:
    """Three buttons, one a language; the present one is marked."""
    buttons = []
    for each in LANGUAGES:
        button = Button(
            LANGUAGE_WORDS[each],
            kind="soft" if each == language else "bare",
            act=lambda each=each: choose(each),
            fixed=112,
            inset=4,
        )
        button.state = "current" if each == language else ""
        buttons.append(button)
    return Row(*buttons, gap=12, pad=(16, 8))


class Halves(Node):
    """Words and keys: side by side in a wide window, one below the other in a narrow one or at large text."""

    def __init__(self, words: Node, keys: Node) -> None:
        self.words, self.keys = words, keys
        super().__init__(words, keys)

    def _wide(self, width: float) -> bool:
        return width >= look.dp(WIDE)

    def _sizes(self, width: float) -> tuple[float, float]:
        inner = width - 2 * look.dp(24)
        keys = min(max(self.keys.natural(), self.keys.minimum()), inner)
        words = min(look.dp(440), inner - keys - look.dp(48)) if self._wide(width) else min(look.dp(560), inner)
        return words, keys

    def measure(self, width: float) -> float:
        words, keys = self._sizes(width)
        high, low = self.words.high(words), self.keys.high(keys)
        return (max(high, low) if self._wide(width) else high + low + look.dp(32)) + 2 * look.dp(16)

    def arrange(self) -> None:
        words, keys = self._sizes(self.width)
        high, low = self.words.high(words), self.keys.high(keys)
        if self._wide(self.width):
            left = self.x + (self.width - words - keys - look.dp(48)) / 2
            self.words.place(left, self.center_y - high / 2, words, high)
            self.keys.place(left + words + look.dp(48), self.center_y - low / 2, keys, low)
            return
        spare = max(0.0, self.height - high - low - look.dp(32)) / 2
        top = self.top - spare
        self.words.place(self.x + (self.width - words) / 2, top - high, words, high)
        self.keys.place(self.x + (self.width - keys) / 2, top - high - look.dp(32) - low, keys, low)

    def holds_layout(self, kid: Node) -> bool:
        return False


class Unlock(KeyPage, Node):
    """`unlock(pin, refused)` tries it; `refused` gets what went wrong. `wait_left()` in seconds, `clock()` as text."""

    def __init__(
        self, texts: Texts, language: Language, unlock: Callable[[str, Callable[[Any], object]], None],
        speak: Callable[[Language], object], wait_left: Callable[[], int], clock: Callable[[], str],
    ) -> None:  # fmt: skip
        self._texts, self._unlock, self._wait_left, self._clock = texts, unlock, wait_left, clock
        self._tries = ""
        self.pad = PinPad(texts, texts("unlock.enter"), self._try)
        self._said = Text(texts("unlock.encrypted"), 18, "muted")
        self._time = Text(clock(), 14, "muted", text_align="center")
        words = Col(
            Row(Icon("shield", 36, "primary", fixed=40), Text("Qorgan", 32, bold=True), gap=12),
            Gap(16), Text(texts("unlock.title"), 24, bold=True), self._said, Gap(16), self.pad.dots, gap=8,
        )  # fmt: skip
        self._foot = Col(
            self._time, Text(texts("unlock.forgotten"), 14, "muted", text_align="center"), gap=4, pad=(24, 8, 24, 16)
        )
        super().__init__(box=Box(fill="page", radius=0))
        self._languages = language_row(language, speak)
        self._body = Scroll(Halves(words, self.pad))
        for part in (self._languages, self._body, self._foot):
            self.add(part)
        self._ticking = Clock.schedule_interval(lambda _: self._tick(), 1.0)

    def arrange(self) -> None:
        high, low = self._languages.high(self.width), self._foot.high(self.width)
        self._languages.place(self.x, self.top - high, self.width, high)
        self._body.place(self.x, self.y + low, self.width, self.height - high - low)
        self._foot.place(self.x, self.y, self.width, low)

    def holds_layout(self, kid: Node) -> bool:
        return True

    def on_parent(self, _: Any, parent: Any) -> None:
        self.listen(parent)
        if parent is None:
            self._ticking.cancel()

    def _try(self, pin: str) -> None:
        self.pad.wait(True)
        self._say(self._texts("unlock.opening"), "muted")
        self._unlock(pin, self._refused)

    def _refused(self, error: Any) -> None:
        """Why it did not open, in words."""
        from field_app.store import errors

        self.pad.wait(False)
        self._tries = ""
        if isinstance(error, errors.PinWrong):
            self._tries = self._texts.plural("unlock.wrong", error.left)
            self._say(self._tries, "bad")
            self._tick()
        elif isinstance(error, errors.StoreError) and self._texts.has(f"unlock.{error.code}"):
            self._say(self._texts(f"unlock.{error.code}"), "bad")
        else:
            self._say(self._texts("unlock.store_failed"), "bad")

    def _say(self, sentence: str, colour: str) -> None:
        self._said.say(sentence, colour)

    def _tick(self) -> None:
        self._time.say(self._clock())
        if not self._tries:
            return
        left = self._wait_left()
        self.pad.wait(left > 0)
        wait = self._texts.plural("unlock.wait", left) if left else ""
        self._say("\n".join(part for part in (self._tries, wait) if part), "bad")
