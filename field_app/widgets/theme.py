"""Colours, sizes and grip: everything about the look that a person may choose, in one place.

Widgets keep token names ("card", "text") and sizes in dp or sp; only this module turns them into colours and pixels,
so a theme change repaints what stands on the screen and builds nothing anew. Imports no Kivy: the colour table is
checked as plain numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

Theme = Literal["light", "dark", "contrast", "night"]
Grip = Literal["right", "left"]
Colour = tuple[float, float, float, float]

THEMES: tuple[Theme, ...] = get_args(Theme)
SCALES: tuple[int, ...] = (100, 125, 150, 200)
LARGE_TEXT = 150
"""From this text size on: one pane, a wider rail, question tools last."""

_NAMES = [
    *("bg", "surface", "surface2", "text", "muted", "line", "primary", "on", "soft", "ok", "ok_soft"),
    *("warn", "warn_soft", "bad", "bad_soft", "info", "info_soft", "focus", "halo", "hair"),
]
_HEX: dict[Theme, str] = {
    "light": "FFFFFF F4F6F8 E8ECF0 14202B 4A5865 76838F 0B5C7A FFFFFF D8ECF4 1B6B3A DDF1E4 7A4B00 FFF0CC "
    "A3201D FBE1DF 3F3D9B E6E6F9 14202B FFD54A D3DAE0",
    "dark": "0E151B 17212A 22303B EEF3F6 B3C0CA 7E8D99 7CC7E4 06222E 153646 7FD49B 14341F F5C667 3A2B08 "
    "FF9B94 45191A B9B8FF 26264F FFFFFF FFD54A 2E3D49",
    "contrast": "000000 000000 1A1A1A FFFFFF FFFFFF FFFFFF FFE45C 000000 1A1A1A 7CFFA8 000000 FFE45C 000000 "
    "FFB3AD 000000 C9C8FF 000000 000000 00E5FF FFFFFF",
    "night": "0A0705 140E0A 1F1610 E8B48A C08E68 8A6244 E0A070 1A0D04 2A1A0F BFB27A 1A1709 E8B060 241806 "
    "F08A70 2A110B C8A8A8 1E1515 FFD2AE FFD2AE 35261B",
}


def from_hex(digits: str) -> Colour:
    """Six hex digits → red, green, blue, alpha, each 0..1."""
    red, green, blue = (int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4))
    return red, green, blue, 1.0


def _tokens(theme: Theme) -> dict[str, Colour]:
    tokens = dict(zip(_NAMES, map(from_hex, _HEX[theme].split()), strict=True))
    light = theme == "light"
    tokens["page"] = tokens["surface" if light else "bg"]
    tokens["card"] = tokens["bg" if light else "surface"]
    tokens["inverse"] = tokens["text"]
    tokens["on_inverse"] = tokens["bg"]
    tokens["scrim"] = (*tokens["text"][:3], 0.45) if light else (0.0, 0.0, 0.0, 0.6)
    tokens["none"] = (0.0, 0.0, 0.0, 0.0)
    return tokens


TOKENS: dict[Theme, dict[str, Colour]] = {theme: _tokens(theme) for theme in THEMES}


def luminance(colour: Colour) -> float:
    """Relative luminance 0..1. Source: WCAG 2.2, "relative luminance"."""

    def linear(channel: float) -> float:
        return channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4

    return 0.2126 * linear(colour[0]) + 0.7152 * linear(colour[1]) + 0.0722 * linear(colour[2])


def contrast(first: Colour, second: Colour) -> float:
    """Contrast ratio 1..21 of two opaque colours. Source: WCAG 2.2, "contrast ratio"."""
    dark, light = sorted((luminance(first), luminance(second)))
    return (light + 0.05) / (dark + 0.05)


@dataclass(frozen=True)
class Choice:
    """What the person chose. `scale` is the size of text in per cent."""

    theme: Theme = "light"
    scale: int = 100
    grip: Grip = "right"


class Look:
    """The current choice, and how dp, sp and tokens come out under it.

    `version` rises when sizes change, so that measured heights are known to be stale.
    """

    def __init__(self) -> None:
        self.choice = Choice()
        self.density = 1.0
        self.version = 0
        self._watchers: list[Callable[[Choice, Choice], None]] = []

    def change(self, choice: Choice) -> None:
        """Takes a new choice and tells the watchers (before, after). Raises ValueError for a size not on offer."""
        if choice.scale not in SCALES:
            raise ValueError(f"text size {choice.scale} is not one of {SCALES}")
        before, self.choice = self.choice, choice
        if (before.scale, before.grip) != (choice.scale, choice.grip):
            self.version += 1
        for watcher in tuple(self._watchers):
            watcher(before, choice)

    def set_density(self, density: float) -> None:
        """Pixels in one dp. Set once at start, from the screen."""
        self.density = density
        self.version += 1

    def watch(self, watcher: Callable[[Choice, Choice], None]) -> Callable[[], None]:
        """Calls `watcher(before, after)` at every change; returns the function that ends this."""
        self._watchers.append(watcher)
        return lambda: self._watchers.remove(watcher)

    def colour(self, token: str) -> Colour:
        """The colour of a token in the current theme. Raises KeyError for an unknown token."""
        return TOKENS[self.choice.theme][token]

    def dp(self, size: float) -> float:
        """Density-independent size → pixels."""
        return size * self.density

    def sp(self, size: float) -> int:
        """Text size → whole pixels, with the person's text size."""
        return round(size * self.density * self.choice.scale / 100)

    def icon(self, size: float) -> int:
        """Icon size → whole pixels: icons grow with the text, but stop at 150 %."""
        return round(size * self.density * min(self.choice.scale, LARGE_TEXT) / 100)

    def stroke(self, width: float = 1) -> int:
        """Width of an edge in pixels, at least one; high contrast doubles hairlines."""
        if self.choice.theme == "contrast":
            width = max(width, 2)
        return max(1, round(width * self.density))

    @property
    def large(self) -> bool:
        """Whether the text is so large that panes and strips change their shape."""
        return self.choice.scale >= LARGE_TEXT


look = Look()
