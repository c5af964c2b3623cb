"""Walks a screen and names what is wrong with it: small or overlapping targets, broken words, children outside their
parent, controls without a name, controls no key reaches. Eyes miss these on pictures they have seen three times."""

from __future__ import annotations

from kivy.uix.widget import Widget

from field_app.widgets.button import Button
from field_app.widgets.control import TARGET, Control
from field_app.widgets.list import EntryRow
from field_app.widgets.node import Node
from field_app.widgets.scroll import Scroll
from field_app.widgets.semantic import bounds, focus_order, shown, walk
from field_app.widgets.stage import Stage
from field_app.widgets.text import Text, extents
from field_app.widgets.theme import look


def label(widget: Widget) -> str:
    return f"{type(widget).__name__}({getattr(widget, 'name', '') or getattr(widget, 'text', '')})"


def small_targets(root: Widget) -> list[str]:
    least = look.dp(TARGET)
    return [
        f"small target {label(w)} {w.width:.0f}×{w.height:.0f}"
        for w in walk(root)
        if isinstance(w, Control) and (w.width < least or w.height < least)
    ]


def unnamed(root: Widget) -> list[str]:
    return [f"no name: {label(w)}" for w in walk(root) if isinstance(w, Control) and not w.name.strip()]


def outside(root: Widget) -> list[str]:
    """Children that leave their parent; a scrolling pane is judged by its body."""
    faults = []
    for parent in walk(root):
        if not isinstance(parent, Node) or isinstance(parent, Scroll | Stage):
            continue
        if isinstance(parent.parent, Scroll) and parent.height <= 1:
            continue
        for kid in parent.kids:
            if getattr(kid, "absent", False) or kid.width < 1:
                continue
            over = max(parent.x - kid.x, parent.y - kid.y, kid.right - parent.right, kid.top - parent.top)
            if over > 1.5:
                faults.append(f"{label(kid)} leaves {label(parent)} by {over:.0f}")
    return faults


def broken_words(root: Widget) -> list[str]:
    """Words wider than the room they have, and texts higher than theirs."""
    faults = []
    for widget in walk(root):
        if isinstance(widget, Text) and widget.text.strip() and widget.width > 1:
            room = widget.width - widget.across
            if extents(widget.text, widget.pixels, widget.bold)[1] > room + 2.5:
                faults.append(f"word breaks in {label(widget)}: room {room:.0f}")
            if widget.texture(widget.width).height > widget.height + 1.5:
                faults.append(f"text cut in {label(widget)}")
        elif isinstance(widget, Button):
            if widget.minimum() > widget.width + 1.5 and widget.fixed is None:
                faults.append(f"word breaks in {label(widget)}: {widget.minimum():.0f} > {widget.width:.0f}")
            if widget.measure(widget.width) > widget.height + 1.5:
                faults.append(f"text cut in {label(widget)}: {widget.measure(widget.width):.0f} > {widget.height:.0f}")
        elif isinstance(widget, EntryRow):
            _, title = widget._drawn["title"]
            if title.size[1] + widget._drawn["sub"][1].size[1] > widget.height:
                faults.append(f"text cut in row {widget.name}")
    return faults


def overlaps(root: Widget) -> list[str]:
    """Pairs of shown controls that share room, unless one holds the other."""
    controls = [w for w in walk(root) if isinstance(w, Control) and shown(w)]
    boxes = [(w, *bounds(w)) for w in controls]
    faults = []
    for i, (first, x, y, width, height) in enumerate(boxes):
        for second, left, bottom, wide, high in boxes[i + 1 :]:
            across = min(x + width, left + wide) - max(x, left)
            down = min(y + height, bottom + high) - max(y, bottom)
            if across > 1 and down > 1 and not _holds(first, second) and not _clipped_apart(first, second):
                faults.append(f"{label(first)} overlaps {label(second)}")
    return faults


def _holds(first: Widget, second: Widget) -> bool:
    node = second.parent
    while node is not None and node is not node.parent:
        if node is first:
            return True
        node = node.parent
    return False


def _pane(widget: Widget) -> Widget | None:
    node = widget.parent
    while node is not None and node is not node.parent:
        if isinstance(node, Scroll):
            return node
        node = node.parent
    return None


def _clipped_apart(first: Widget, second: Widget) -> bool:
    """One of them stands in a pane that the other is not in: the pane cuts it off."""
    panes = _pane(first), _pane(second)
    if panes[0] is panes[1]:
        return False
    for widget, pane in zip((first, second), panes, strict=True):
        if pane is None:
            continue
        other = second if widget is first else first
        left, bottom, wide, high = bounds(pane)
        x, y, width, height = bounds(other)
        if x >= left + wide - 1 or x + width <= left + 1 or y >= bottom + high - 1 or y + height <= bottom + 1:
            return True
    return False


def unreached(stage: Stage) -> list[str]:
    """Controls that Tab never comes to. Rows of a list are reached by arrows from the one that is."""
    order = focus_order(stage)
    stage.set_focus(None)
    reached = set()
    for _ in range(len(order) + 1):
        stage.move_focus(+1)
        reached.add(id(stage.focus))
    stage.set_focus(None)
    wanted = [w for w in walk(stage) if isinstance(w, Control) and not w.disabled_now and not isinstance(w, EntryRow)]
    return [f"Tab does not reach {label(w)}" for w in wanted if id(w) not in reached]


def audit(stage: Stage) -> list[str]:
    """Everything wrong with what stands on the stage."""
    return [
        *small_targets(stage),
        *unnamed(stage),
        *outside(stage),
        *broken_words(stage),
        *overlaps(stage),
        *unreached(stage),
    ]
