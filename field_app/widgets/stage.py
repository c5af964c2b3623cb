"""The root of everything seen: fits the window, leads the keyboard focus, and lies the cover page over all.

Keys: Tab and Shift+Tab in reading order, Enter and Space act, Escape goes back, Ctrl+K covers, Page Up and Page Down
scroll. Decides nothing about screens; it is given `back` and `cover`.
"""

from __future__ import annotations

from collections.abc import Callable

from kivy.core.window import WindowBase
from kivy.input.motionevent import MotionEvent
from kivy.uix.widget import Widget

from field_app.widgets.control import Control
from field_app.widgets.list import RowList
from field_app.widgets.node import Node
from field_app.widgets.scroll import Scroll
from field_app.widgets.semantic import focus_order, shown, walk
from field_app.widgets.textfield import TextField
from field_app.widgets.theme import Choice, look

KEYS = {
    9: "tab",
    13: "enter",
    27: "escape",
    32: "space",
    271: "enter",
    273: "up",
    274: "down",
    275: "right",
    276: "left",
    278: "home",
    279: "end",
    280: "page_up",
    281: "page_down",
    8: "backspace",
}


def name_of(code: int) -> str:
    """The name of a key, by its code: "tab", "a", "7", or "" for one that means nothing here."""
    if code in KEYS:
        return KEYS[code]
    if 256 <= code <= 265:  # the digit block
        return str(code - 256)
    return chr(code) if 32 < code < 127 else ""


class Stage(Node):
    """Holds one page, and above it at most one cover."""

    def __init__(self, back: Callable[[], object] = lambda: None, cover: Callable[[], object] = lambda: None) -> None:
        super().__init__()
        self.size_hint = (None, None)  # the window leaves the size to `fit`
        self.back, self.cover = back, cover
        self.focus: Control | None = None
        self._window: WindowBase | None = None
        self._unwatch: Callable[[], None] = lambda: None

    # --- window ----------------------------------------------------------------------------------------------
    def attach(self, window: WindowBase) -> None:
        """Takes over a window: size, keys, background."""
        self._window = window
        window.add_widget(self)
        window.bind(on_resize=self._resized, on_key_down=self._key_down)
        window.clearcolor = look.colour("page")
        self._unwatch = look.watch(self._look_changed)
        self.fit()

    def detach(self) -> None:
        """Lets the window go."""
        if self._window is not None:
            self._window.unbind(on_resize=self._resized, on_key_down=self._key_down)
            self._window.remove_widget(self)
            self._unwatch()
            self._window = None

    def _resized(self, *_: object) -> None:
        self.fit()

    def fit(self) -> None:
        """Lays everything out in the window as it is now."""
        if self._window is not None:
            self.place(0, 0, *self._window.size)

    def arrange(self) -> None:
        for kid in self.kids:
            kid.place(self.x, self.y, self.width, self.height)

    def holds_layout(self, kid: Widget) -> bool:
        return True

    def _look_changed(self, before: Choice, after: Choice) -> None:
        if before.theme != after.theme:
            if self._window is not None:
                self._window.clearcolor = look.colour("page")
            self.repaint()
        if (before.scale, before.grip) != (after.scale, after.grip):
            self.fit()

    def show(self, page: Node) -> None:
        """One page instead of whatever stood here."""
        self.set_focus(None)
        self.refill([page])
        self.fit()
        self._listen(page)

    def lay_over(self, page: Node) -> None:
        """A page above the present one, which is out of reach until `lift`."""
        self.set_focus(None)
        for kid in self.kids:
            kid.absent = True
        self.add(page)
        self.fit()

    def lift(self) -> None:
        """Takes the upper page away."""
        self.set_focus(None)
        if len(self.kids) > 1:
            self.drop(self.kids[-1])
        self.kids[-1].absent = False

    def _listen(self, page: Node) -> None:
        for widget in walk(page):
            self._adopt(widget)

    def _adopt(self, widget: Widget) -> None:
        if isinstance(widget, RowList):
            widget.focus_moved = self.set_focus
        if isinstance(widget, TextField):
            widget.on_key = self._field_key

    # --- focus -----------------------------------------------------------------------------------------------
    def set_focus(self, control: Control | None, visible: bool = True) -> None:
        """Moves the focus and brings it into view. A text field begins editing."""
        if self.focus is not None and self.focus is not control:
            self.focus.show_focus(False)
        self.focus = control
        if control is None:
            return
        for pane in self._panes_of(control):
            if not isinstance(pane, RowList):
                pane.show(control)
        self._adopt(control)
        control.show_focus(visible)
        if isinstance(control, TextField) and visible:
            control.edit()

    def begun_editing(self, field: TextField) -> None:
        """A finger began to edit: the field has the focus, without its ring."""
        if self.focus is not field:
            if self.focus is not None:
                self.focus.show_focus(False)
            self.focus = field
            self._adopt(field)

    def _panes_of(self, widget: Widget) -> list[Scroll]:
        panes, node = [], widget.parent
        while node is not None and node is not self:
            if isinstance(node, Scroll):
                panes.append(node)
            node = node.parent
        return panes

    def move_focus(self, step: int) -> None:
        """To the next (+1) or previous (-1) control in reading order, round the end."""
        order = focus_order(self)
        if not order:
            return
        at = order.index(self.focus) + step if self.focus in order else 0 if step > 0 else len(order) - 1
        self.set_focus(order[at % len(order)])

    def on_touch_down(self, touch: MotionEvent) -> bool:
        field = self.focus if isinstance(self.focus, TextField) else None
        if self.focus is not None and not (field and field.collide_point(*field.to_widget(*touch.pos))):
            self.focus.show_focus(False)
            self.focus = None
        return bool(self.kids) and bool(self.kids[-1].on_touch_down(touch))

    # --- keys ------------------------------------------------------------------------------------------------
    def _key_down(self, _: object, code: int, scan: int, text: str | None, modifiers: list[str]) -> bool:
        return self.key(name_of(code), modifiers)

    def _field_key(self, key: str, modifiers: list[str]) -> bool:
        return self.key(key, modifiers)

    def key(self, key: str, modifiers: list[str] | None = None) -> bool:
        """A key that no editor took; true when it was used."""
        modifiers = modifiers or []
        if key == "k" and "ctrl" in modifiers:
            self.cover()
            return True
        if key == "tab":
            self.move_focus(-1 if "shift" in modifiers else 1)
            return True
        if key == "escape":
            self.back()
            return True
        if key in ("page_up", "page_down"):
            return self._page(-1 if key == "page_up" else 1)
        return self.focus is not None and self.focus.key(key)

    def _page(self, direction: int) -> bool:
        panes = self._panes_of(self.focus) if self.focus is not None else []
        found = panes or [w for w in walk(self) if isinstance(w, Scroll) and w.range > 0 and shown(w)]
        if found:
            max(found, key=lambda pane: pane.width * pane.height).page(direction)
        return bool(found)
