"""Buttons, answers and chips: one widget with up to four textures, so that a page of cards stays light.

A button keeps one size in all its states: room for the tick and the bold word of a selected answer is reserved.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from kivy.graphics import Color, Rectangle
from kivy.graphics.texture import Texture

from field_app.widgets.control import Control
from field_app.widgets.icon import icon_texture
from field_app.widgets.node import Box
from field_app.widgets.text import extents, shape
from field_app.widgets.theme import look


@dataclass(frozen=True)
class Kind:
    """How a kind of button is painted: box, letters, and letters while pressed on `pressed`."""

    box: Box
    letters: str = "text"
    bold: bool = False
    pressed: str = "surface2"


KINDS: dict[str, Kind] = {
    "plain": Kind(Box(fill="card", edge="line")),
    "primary": Kind(Box(fill="primary", edge="primary"), "on", True, "primary"),
    "selected": Kind(Box(fill="primary", edge="primary"), "on", True, "primary"),
    "soft": Kind(Box(fill="soft"), "primary", True),
    "soft_edge": Kind(Box(fill="soft", edge="primary"), "primary", True),
    "outline": Kind(Box(fill="card", edge="primary", edge_width=2), "primary", True, "soft"),
    "inverse": Kind(Box(fill="inverse", edge="inverse"), "on_inverse", True, "muted"),
    "grey": Kind(Box(fill="card", edge="hair"), "muted"),
    "grey_selected": Kind(Box(fill="surface2", edge="text", edge_width=2), "text", True),
    "quiet": Kind(Box(fill="card", edge="hair"), "text"),
    "bare": Kind(Box(), "muted"),
    "on_bad": Kind(Box(), "bg", False, "bad"),
    "ghost": Kind(Box(), "primary"),
    "info": Kind(Box(fill="info_soft", edge="info_soft"), "info", True),
    "warn": Kind(Box(fill="warn_soft", edge="warn", edge_width=2), "warn", True),
    "danger": Kind(Box(fill="card", edge="bad"), "bad"),
    "key": Kind(Box(fill="card", edge="hair")),
    "key_quiet": Kind(Box(fill="page", edge="hair"), "muted"),
}
_GAP = 8


class Button(Control):
    """Word, icon, second line, trailing icon, small count; `upright` puts the icon above the word.

    short      words to show in an action strip where the whole ones would need a second line
    icon_grows whether the icon follows the text size
    reserve    counts the tick and the bold word in its widths, whatever the state
    align      "centre" or "left"
    """

    def __init__(
        self,
        text: str = "",
        icon: str | None = None,
        kind: str = "plain",
        act: Callable[[], object] | None = None,
        *,
        size: float = 18,
        icon_size: float = 24,
        sub: str = "",
        trail: str | None = None,
        badge: str = "",
        upright: bool = False,
        text_align: str = "centre",
        short: str = "",
        reserve: bool = False,
        icon_grows: bool = True,
        inset: float = 16,
        bold: bool | None = None,
        **control: object,
    ) -> None:
        self.text, self.icon, self.kind, self.sub, self.trail, self.badge = text, icon, kind, sub, trail, badge
        self.text_size, self.icon_size, self.upright, self.text_align = size, icon_size, upright, text_align
        self.icon_grows = icon_grows
        self.reserve, self._inset, self._bold, self._long, self._short = reserve, inset, bold, text, short
        control.setdefault("name", " ".join(part for part in (text, sub) if part))
        super().__init__(act=act, box=KINDS[kind].box, **control)
        if self.disabled_now:
            self.restyle(self._painted())
        self._drawn: dict[str, tuple[Color, Rectangle]] = {}

    # --- measures --------------------------------------------------------------------------------------------
    @property
    def bold(self) -> bool:
        return KINDS[self.kind].bold if self._bold is None else self._bold

    @property
    def inset(self) -> float:
        return look.dp(self._inset)

    @property
    def _px(self) -> int:
        return look.sp(self.text_size)

    def _side(self, name: str | None, size: float = 0) -> float:
        if not name:
            return 0
        return look.icon(size or self.icon_size) if self.icon_grows else round(look.dp(size or self.icon_size))

    def _beside(self) -> float:
        """Width taken by what stands left and right of the word."""
        if self.upright:
            return 0
        gap = look.dp(_GAP)
        icon = self._side(self.icon or ("check" if self.reserve else None))
        taken = icon + gap if icon and self.text else icon
        if self.trail:
            taken += self._side(self.trail, 20) + gap
        if self.badge:
            taken += extents(self.badge, look.sp(14), True)[0] + gap
        return taken

    def _word(self, which: int) -> float:
        if not self.text:
            return 0
        bold = self.bold or self.reserve
        own = extents(self.text, self._px, bold)[which]
        return max(own, extents(self.sub, look.sp(14))[which]) if self.sub else own

    def natural(self) -> float:
        if self.fixed is not None:
            return self.fixed
        icon = self._side(self.icon) if self.upright else 0
        return max(look.dp(64), max(self._word(0), icon) + self._beside() + 2 * self.inset)

    def minimum(self) -> float:
        if self.fixed is not None:
            return self.fixed
        icon = self._side(self.icon) if self.upright else 0
        return max(look.dp(64), max(self._word(1), icon) + self._beside() + 2 * self.inset)

    def _text_width(self, width: float) -> float:
        """Width for the word: the narrowest that keeps the number of lines, so that two lines come out even."""
        room = max(1.0, width - 2 * self.inset - self._beside())
        wanted = self._word(0)
        if wanted <= room:
            return wanted
        if self.sub:
            return room
        lines, least = self._shape(room, True).height, self._word(1)
        for share in (0.5, 0.55, 0.6, 0.7, 0.8, 0.9):
            tried = max(least, wanted * share)
            if tried <= room and self._shape(tried, True).height <= lines:
                return tried
        return room

    def _shape(self, width: float, measuring: bool = False) -> Texture:
        align = "left" if self.text_align == "left" or (self.icon and not self.upright) else "center"
        bold = self.bold or (measuring and self.reserve)
        fits = extents(self.text, self._px, bold)[0] <= width + 1
        return shape(self.text, self._px, bold, None if fits else max(1, int(width + 0.5)), align)

    def shorten(self, brief: bool) -> bool:
        """Shows the short words, or the whole ones again; false where there are no short ones."""
        self.text = self._short if brief and self._short else self._long
        self._heights.clear()
        return bool(self._short)

    def measure(self, width: float) -> float:
        word = self._text_width(width)
        high = self._shape(word, True).height if self.text else 0
        if self.sub:
            high += shape(self.sub, look.sp(14), False, max(1, int(word + 0.5))).height
        icon = self._side(self.icon)
        high = high + icon + look.dp(2) if self.upright else max(high, icon)
        return max(self.tall, high + 2 * look.dp(6))

    # --- drawing ---------------------------------------------------------------------------------------------
    def _put(self, part: str, texture: Texture, token: str, x: float, y: float) -> None:
        found = self._drawn.get(part)
        if found is None:
            with self.canvas:
                found = self._drawn[part] = (Color(), Rectangle())
        colour, rectangle = found
        colour.rgba = look.colour(token)
        rectangle.texture, rectangle.size, rectangle.pos = texture, texture.size, (round(x), round(y))

    def arrange(self) -> None:
        for colour, _ in self._drawn.values():
            colour.rgba = look.colour("none")
        letters = KINDS[self.kind].letters
        if self.disabled_now and letters == "text":
            letters = "muted"
        if self.upright:
            self._arrange_upright(letters)
        else:
            self._arrange_beside(letters)

    def _arrange_upright(self, letters: str) -> None:
        side = int(self._side(self.icon))
        word = self._text_width(self.width)
        texture = self._shape(word) if self.text else None
        total = side + (look.dp(2) + texture.height if texture else 0)
        top = self.center_y + total / 2
        shift = look.dp(9) if self.badge else 0
        if self.icon:
            self._put("icon", icon_texture(self.icon, side), letters, self.center_x - side / 2 - shift, top - side)
        if self.badge:
            badge = shape(self.badge, look.sp(14), True)
            self._put("badge", badge, letters, self.center_x + look.dp(7), top - side / 2 - badge.height / 2)
        if texture:
            self._put("text", texture, letters, self.center_x - texture.width / 2, top - total)

    def _arrange_beside(self, letters: str) -> None:
        icon = int(self._side(self.icon))
        word = self._text_width(self.width)
        texture = self._shape(word) if self.text else None
        gap = look.dp(_GAP)
        total = icon + (texture.width if texture else 0) + (gap if icon and texture else 0)
        left, behind = self.x + self.inset, look.icon(20) + gap if self.trail else 0
        x = left if self.text_align == "left" else self.center_x - (total + behind) / 2
        if self.icon:
            self._put("icon", icon_texture(self.icon, icon), letters, x, self.center_y - icon / 2)
        word_x = x + icon + (gap if icon else 0)
        sub = shape(self.sub, look.sp(14), False, max(1, int(word + 0.5))) if self.sub else None
        low = sub.height if sub else 0
        if texture:
            self._put("text", texture, letters, word_x, self.center_y - (texture.height + low) / 2 + low)
        if sub and texture:
            quiet = letters if self.kind in ("primary", "selected", "inverse") else "muted"
            self._put("sub", sub, quiet, word_x, self.center_y - (texture.height + low) / 2)
        right = self.right - self.inset
        if self.trail:
            side = look.icon(20)
            right -= side
            self._put("trail", icon_texture(self.trail, side), letters, right, self.center_y - side / 2)
            right -= look.dp(_GAP)
        if self.badge:
            badge = shape(self.badge, look.sp(14), True)
            self._put("badge", badge, letters, right - badge.width, self.center_y - badge.height / 2)

    def repaint(self) -> None:
        super().repaint()
        if self.width > 1:
            self.arrange()

    def _painted(self) -> Box:
        kind = KINDS[self.kind]
        if self.disabled_now and self.kind not in ("selected", "grey_selected"):
            return kind.box.but(fill="page", edge="hair")
        return kind.box.but(fill=kind.pressed) if self.pressed else kind.box

    def pressed_changed(self) -> None:
        self.restyle(self._painted())

    # --- changes ---------------------------------------------------------------------------------------------
    def show(self, *, kind: str | None = None, icon: str | None = "", state: str | None = None) -> None:
        """Another state at the same size. `icon` "" keeps the present one."""
        if state is not None:
            self.state = state
        self.kind = kind or self.kind
        self.icon = self.icon if icon == "" else icon
        self.restyle(self._painted())
        if self.width > 1:
            self.arrange()

    def say(self, text: str | None = None, *, badge: str | None = None, sub: str | None = None) -> None:
        """Other words in place, with a new layout if they need it."""
        self.text = self._long = self._long if text is None else text
        self.badge = self.badge if badge is None else badge
        self.sub = self.sub if sub is None else sub
        self.name = " ".join(part for part in (self.text, self.sub) if part)
        self.reflow()
        if self.width > 1:
            self.arrange()
