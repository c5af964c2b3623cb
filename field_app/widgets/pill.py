"""A small mark of a state: icon, word and shape, never colour alone."""

from __future__ import annotations

from field_app.widgets.icon import Icon
from field_app.widgets.layout import Row
from field_app.widgets.node import Box
from field_app.widgets.semantic import Semantic
from field_app.widgets.text import Text

_KINDS: dict[str, tuple[str | None, str, str | None, float]] = {
    "grey": ("surface2", "text", None, 14),
    "outline": (None, "muted", "line", 14),
    "primary": ("soft", "primary", None, 14),
    "ok": ("ok_soft", "ok", None, 14),
    "plain_ok": (None, "ok", None, 14),
    "warn": ("warn_soft", "warn", "warn", 14),
    "info": ("info_soft", "info", None, 14),
    "failed": ("bad", "bg", None, 4),
}


class Pill(Semantic, Row):
    """`kind`: grey, outline, primary, ok, plain_ok, warn, info, failed."""

    role = "status"
    focusable = False

    def __init__(self, text: str, icon: str | None = None, kind: str = "grey") -> None:
        fill, ink, edge, radius = _KINDS[kind]
        room = (10, 2, 12, 2) if fill or edge else (0, 2, 0, 2)
        super().__init__(
            Icon(icon, 18, ink) if icon else None,
            Text(text, 14, ink, bold=True),
            gap=6,
            pad=room,
            tall=28,
            box=Box(fill=fill, edge=edge, radius=radius),
        )
        self.name = text
