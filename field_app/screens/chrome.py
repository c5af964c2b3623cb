"""The frame around every screen: top bar with its marks, rail with the ways out, Note and Cover."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from field_app.widgets.frame import Frame
from field_app.widgets.node import Node
from field_app.widgets.rail import Rail, RailItem
from field_app.widgets.topbar import TopBar

if TYPE_CHECKING:
    from field_app.app import Tablet


def framed(
    tablet: Tablet, place: str, detail: Node, *, sub: str, current: str, back: bool,
    undo: Callable[[], object] | None, **parts: Any,
) -> Frame:  # fmt: skip
    """See `screens.screen.Chrome`. `current` names the rail item one stands at: today, visit, sync, settings.

    visit   among `parts`: the visit the screen belongs to; the rail then leads to its home
    """
    t = tablet.texts
    top = TopBar(
        t, place, sub, back=tablet.back if back else None, undo=undo, saved_at=tablet.saved_at,
        unsent=tablet.unsent, battery=tablet.battery(),
    )  # fmt: skip
    subject = parts.pop("visit", "")
    ways = [("today", "home", t("today.home"), {})]
    if subject:
        ways.append(("visit", "list", t("today.rail_visit"), {"subject": subject}))
    ways += [("sync", "cloud_up", t("today.rail_sync"), {}), ("settings", "settings", t("today.rail_tablet"), {})]
    items = [
        RailItem(icon, word, lambda name=name, where=where: tablet.go(name, **where), current=name == current)
        for name, icon, word, where in ways
    ]
    return Frame(top, Rail(t, items, note=tablet.note, cover=tablet.cover), detail, **parts)
