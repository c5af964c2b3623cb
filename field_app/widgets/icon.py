"""Turns the drawings of icons into white textures at the pixel size asked for, and shows one as a node.

An icon never stands without a word but for Undo and close; a name without a drawing is an error at once.
"""

from __future__ import annotations

import math
from functools import cache

from kivy.graphics import Color, Rectangle
from kivy.graphics.texture import Texture
from PIL import Image, ImageDraw

from field_app.widgets.icon_shapes import SHAPES
from field_app.widgets.nine import to_texture
from field_app.widgets.node import Node
from field_app.widgets.theme import look

_FINE = 6
_FIELD = 24
Points = list[tuple[float, float]]


def _arc(x: float, y: float, radius: float, start: float, end: float) -> Points:
    steps = max(2, round(abs(end - start) / 8))
    angles = (math.radians(start + (end - start) * i / steps) for i in range(steps + 1))
    return [(x + radius * math.cos(a), y + radius * math.sin(a)) for a in angles]


def _pairs(numbers: list[float]) -> Points:
    return list(zip(numbers[::2], numbers[1::2], strict=True))


class _Pen:
    """Draws strokes with round ends and joints on a grey picture of `size` pixels, `_FINE` times as fine."""

    def __init__(self, size: int) -> None:
        self.unit = size * _FINE / _FIELD
        self.stroke = max(1.75 * self.unit, 1.35 * _FINE)
        self.picture = Image.new("L", (size * _FINE, size * _FINE), 0)
        self._draw = ImageDraw.Draw(self.picture)

    def line(self, points: Points, wide: float = 1.0, grey: int = 255) -> None:
        at = [(x * self.unit, y * self.unit) for x, y in points]
        width = self.stroke * wide
        self._draw.line(at, fill=grey, width=round(width), joint="curve")
        for x, y in (at[0], at[-1], *at[1:-1]):
            self._draw.ellipse((x - width / 2, y - width / 2, x + width / 2, y + width / 2), fill=grey)

    def dot(self, x: float, y: float, radius: float) -> None:
        x, y, radius = x * self.unit, y * self.unit, radius * self.unit
        self._draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=255)

    def box(self, x0: float, y0: float, x1: float, y1: float, radius: float) -> None:
        corners = (
            _arc(x1 - radius, y0 + radius, radius, -90, 0)
            + _arc(x1 - radius, y1 - radius, radius, 0, 90)
            + _arc(x0 + radius, y1 - radius, radius, 90, 180)
            + _arc(x0 + radius, y0 + radius, radius, 180, 270)
        )
        self.line([*corners, corners[0]])

    def fill(self, points: Points) -> None:
        self._draw.polygon([(x * self.unit, y * self.unit) for x, y in points], fill=255)
        self.line([*points, points[0]])

    def step(self, word: str, numbers: list[float]) -> None:
        if word == "line":
            self.line(_pairs(numbers))
        elif word == "shape":
            points = _pairs(numbers)
            self.line([*points, points[0]])
        elif word == "fill":
            self.fill(_pairs(numbers))
        elif word == "ring":
            self.line(_arc(*numbers, 0, 360))
        elif word == "arc":
            self.line(_arc(*numbers))
        elif word == "dot":
            self.dot(*numbers)
        elif word == "box":
            self.box(*numbers)
        elif word == "dashes":
            x, y, radius, count = numbers
            for i in range(int(count)):
                start = 360 * i / count
                self.line(_arc(x, y, radius, start + 5, start + 360 / count * 0.62))
        elif word == "cut":
            self.line(_pairs(numbers), wide=1.6, grey=0)
        else:
            raise ValueError(f"unknown step {word}")


def drawing(name: str, size: int) -> Image.Image:
    """Grey picture of an icon, size × size pixels. Raises KeyError for a name without a drawing."""
    pen = _Pen(size)
    for step in SHAPES[name].split(";"):
        word, *numbers = step.split()
        pen.step(word, [float(number) for number in numbers])
    return pen.picture.resize((size, size), Image.Resampling.BOX)


@cache
def icon_texture(name: str, size: int) -> Texture:
    """White texture of an icon, size × size pixels. Raises KeyError for a name without a drawing."""
    return to_texture(drawing(name, size))


class Icon(Node):
    """One icon on its own, for decoration beside a word that says the same."""

    def __init__(self, name: str, size: float = 24, colour: str = "text", **style: object) -> None:
        super().__init__(**style)
        self.icon_name, self.icon_size, self.token = name, size, colour
        with self.canvas:
            self._colour = Color(*look.colour(colour))
            self._rectangle = Rectangle()

    def natural(self) -> float:
        return self.fixed if self.fixed is not None else look.icon(self.icon_size)

    def minimum(self) -> float:
        return self.natural()

    def measure(self, width: float) -> float:
        return max(self.tall, look.icon(self.icon_size))

    def arrange(self) -> None:
        side = look.icon(self.icon_size)
        self._rectangle.texture = icon_texture(self.icon_name, side)
        self._rectangle.size = (side, side)
        self._rectangle.pos = (round(self.center_x - side / 2), round(self.center_y - side / 2))

    def repaint(self) -> None:
        super().repaint()
        self._colour.rgba = look.colour(self.token)

    def show(self, name: str, colour: str | None = None) -> None:
        """Another icon of the same size, in place."""
        self.icon_name, self.token = name, colour or self.token
        self._colour.rgba = look.colour(self.token)
        if self.width > 1:
            self.arrange()
