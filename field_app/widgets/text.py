"""Text as white textures, tinted when drawn: a colour change never shapes a line again.

Shaped texts are kept in a bounded store under (text, size, weight, width, alignment) and are forgotten at lock.
"""

from __future__ import annotations

from collections import OrderedDict

from kivy.cache import Cache
from kivy.core.text import Label
from kivy.graphics import Color, Rectangle
from kivy.graphics.texture import Texture

from field_app.widgets.fonts import FONT
from field_app.widgets.node import Node
from field_app.widgets.theme import look

KEPT = 800
_Key = tuple[str, int, bool, int | None, str]
_shaped: OrderedDict[_Key, Texture] = OrderedDict()
_measured: OrderedDict[tuple[str, int, bool], tuple[float, float]] = OrderedDict()


def _label(size: int, bold: bool, **more: object) -> Label:
    return Label(font_name=FONT, bold=bold, font_size=size, font_hinting="light", color=(1, 1, 1, 1), **more)


def shape(text: str, size: int, bold: bool = False, width: int | None = None, align: str = "left") -> Texture:
    """White texture of the text, wrapped at `width` pixels (None: as wide as its longest line)."""
    key = (text, size, bold, width, align)
    texture = _shaped.get(key)
    if texture is None:
        label = _label(size, bold, text=text or " ", text_size=(width, None), halign=align)
        label.refresh()
        texture = _shaped[key] = label.texture
        if len(_shaped) > KEPT:
            _shaped.popitem(last=False)
    else:
        _shaped.move_to_end(key)
    return texture


def extents(text: str, size: int, bold: bool = False) -> tuple[float, float]:
    """Width in pixels of the widest line, and of the longest word that may not break."""
    key = (text, size, bold)
    found = _measured.get(key)
    if found is None:
        label = _label(size, bold)
        label.resolve_font_name()
        lines = max((label.get_extents(line)[0] for line in text.split("\n")), default=0)
        words = max((label.get_extents(word)[0] for word in text.replace("\n", " ").split(" ")), default=0)
        found = _measured[key] = (lines + 2, words + 2)
        if len(_measured) > KEPT * 2:
            _measured.popitem(last=False)
    return found


def forget() -> None:
    """Drops every shaped and measured text, Kivy's own caches of typed lines included: at lock."""
    _shaped.clear()
    _measured.clear()
    for category in ("textinput.label", "textinput.width"):
        if Cache._categories.get(category):
            Cache.remove(category)


class Text(Node):
    """A text that wraps at the width it is given. `size` in sp: 14 meta, 18 body, 20 question, 24 title, 32 count."""

    def __init__(
        self,
        text: str,
        size: float = 18,
        colour: str = "text",
        bold: bool = False,
        text_align: str = "left",
        upright: str = "centre",
        **style: object,
    ) -> None:
        self.text, self.text_size, self.token, self.bold = text, size, colour, bold
        self.text_align, self.upright = text_align, upright
        super().__init__(**style)
        with self.canvas:
            self._colour = Color(*look.colour(colour))
            self._rectangle = Rectangle(size=(0, 0))

    @property
    def pixels(self) -> int:
        return look.sp(self.text_size)

    def natural(self) -> float:
        if self.fixed is not None:
            return self.fixed
        return extents(self.text, self.pixels, self.bold)[0] + self.across

    def minimum(self) -> float:
        return extents(self.text, self.pixels, self.bold)[1] + self.across

    def texture(self, width: float) -> Texture:
        """The text shaped for a box of this width, padding included."""
        return shape(self.text, self.pixels, self.bold, max(1, int(width - self.across + 0.5)), self.text_align)

    def measure(self, width: float) -> float:
        _, top, _, bottom = self.pads
        return max(self.tall, self.texture(width).height + top + bottom)

    def arrange(self) -> None:
        left, top, _, _ = self.pads
        texture = self.texture(self.width)
        down = (self.height - texture.height) / 2 if self.upright == "centre" else top
        self._rectangle.texture = texture
        self._rectangle.size = texture.size
        self._rectangle.pos = (round(self.x + left), round(self.top - down - texture.height))

    def repaint(self) -> None:
        super().repaint()
        self._colour.rgba = look.colour(self.token)

    def say(self, text: str, colour: str | None = None) -> None:
        """Another text in place."""
        if colour and colour != self.token:
            self.token = colour
            self._colour.rgba = look.colour(colour)
        if text == self.text:
            return
        self.text = text
        self.reflow()
