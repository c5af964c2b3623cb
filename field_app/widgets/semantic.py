"""What a control is, is called and stands at, in words: for tests, for reading aloud, for a screen-reader bridge later.

`ui_tree` lists a screen as plain data; nothing here draws or decides.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

from kivy.uix.widget import Widget

Role = Literal["button", "choice", "check", "field", "row", "link", "status", "heading", "list", "dialog", "page"]


class Semantic:
    """Mixin: `role`, `name` as shown in the person's language, `state` in one word, `help` as a sentence.

    `focusable` is false for things that only say something (a status, a heading).
    """

    role: Role = "button"
    name: str = ""
    state: str = ""
    help: str = ""
    focusable: bool = True


def walk(root: Widget) -> Iterator[Widget]:
    """Every widget in reading order, parents first; what is closed or covered is left out by `hides`."""
    yield root
    for kid in getattr(root, "kids", None) or root.children[::-1]:
        if not getattr(kid, "absent", False):
            yield from walk(kid)


def semantics(root: Widget) -> list[Widget]:
    """The widgets of a screen that say what they are, in reading order."""
    return [widget for widget in walk(root) if isinstance(widget, Semantic)]


def focus_order(root: Widget) -> list[Widget]:
    """The controls a person reaches with Tab, in that order."""
    return [w for w in semantics(root) if w.focusable and not getattr(w, "disabled_now", False)]


def bounds(widget: Widget) -> tuple[int, int, int, int]:
    """x, y from the lower left corner of the window, width, height; whole pixels."""
    x, y = widget.to_window(widget.x, widget.y)
    return round(x), round(y), round(widget.width), round(widget.height)


def shown(widget: Widget) -> bool:
    """Whether any part of the widget lies inside every scrolling pane and window that holds it."""
    x, y, width, height = bounds(widget)
    node: Any = widget.parent
    while node is not None and node is not node.parent:
        if getattr(node, "clips", False):
            left, bottom, wide, high = bounds(node)
            if x >= left + wide or x + width <= left or y >= bottom + high or y + height <= bottom:
                return False
        node = node.parent
    return True


def ui_tree(root: Widget) -> list[dict[str, object]]:
    """The screen as JSON-ready data: role, name, state, help, bounds, shown, focus (place in the Tab order or None)."""
    order = {id(w): place for place, w in enumerate(focus_order(root), 1)}
    return [
        {
            "role": w.role,
            "name": w.name,
            "state": w.state,
            "help": w.help,
            "bounds": list(bounds(w)),
            "shown": shown(w),
            "focus": order.get(id(w)),
        }
        for w in semantics(root)
    ]
