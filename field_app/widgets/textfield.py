"""A field for words: shows its text as a drawing, and puts an editor in its place while it has the focus.

Every key is told through `on_draft(text, caret)` before the next frame; a finished word is told through
`on_step(text, caret)` as a state to come back to. The field keeps no clipboard history and writes no log.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from kivy.input.motionevent import MotionEvent
from kivy.uix.textinput import TextInput

from field_app.widgets.control import Control
from field_app.widgets.fonts import FONT
from field_app.widgets.keyboard import SYSTEM
from field_app.widgets.node import Box
from field_app.widgets.steps import State, Steps
from field_app.widgets.text import Text, extents, shape
from field_app.widgets.theme import look

_IDLE = Box(fill="card", edge="line")
_ACTIVE = Box(fill="card", edge="primary", edge_width=2)
INSET = 14


class Editor(TextInput):
    """Kivy's text input without its own look, its own undo and its own Tab order."""

    def __init__(self, field: TextField) -> None:
        self._field, self._changing = field, 0
        super().__init__(
            text=field.text,
            multiline=field.multiline,
            font_name=FONT,
            font_size=field.pixels,
            padding=(0, 0, 0, 0),
            line_spacing=0,
            background_normal="",
            background_active="",
            background_color=(0, 0, 0, 0),
            cursor_width=look.stroke(2),
            write_tab=False,
            unfocus_on_touch=False,
            text_validate_unfocus=False,
            **SYSTEM,
        )
        self.paint()

    def settle(self) -> None:
        """Breaks the lines now: Kivy would wait for the next frame, and a key may come sooner."""
        self._refresh_text(self._field.text)

    def _refresh_line_options(self, *args: object) -> None:
        """Kivy shapes the text anew in the frame after its making and puts the caret at the end: it stays."""
        index = self.cursor_index()
        super()._refresh_line_options(*args)
        self.cursor = self.get_cursor_from_index(index)

    def insert_text(self, substring: str, from_undo: bool = False) -> None:
        with self._one_change():
            super().insert_text(substring, from_undo)

    def do_backspace(self, from_undo: bool = False, mode: str = "bkspc") -> None:
        with self._one_change():
            super().do_backspace(from_undo, mode)

    def delete_selection(self, from_undo: bool = False) -> None:
        with self._one_change():
            super().delete_selection(from_undo)

    @contextmanager
    def _one_change(self) -> Iterator[None]:
        """Kivy tells of the new text before it moves the caret; the field is told when both are in place."""
        self._changing += 1
        try:
            yield
        finally:
            self._changing -= 1
            self.told()

    def told(self, *_: object) -> None:
        """Tells the field of a finished change."""
        if not self._changing:
            self._field.changed()

    def paint(self) -> None:
        self.foreground_color = look.colour("text")
        self.cursor_color = look.colour("primary")
        self.selection_color = (*look.colour("primary")[:3], 0.3)

    def keyboard_on_key_down(self, window, keycode, text, modifiers) -> bool:
        if self._field.editor_key(keycode[1], modifiers):
            return True
        return super().keyboard_on_key_down(window, keycode, text, modifiers)

    def on_touch_down(self, touch: MotionEvent) -> bool:
        return False

    def on_touch_move(self, touch: MotionEvent) -> bool:
        return False

    def on_touch_up(self, touch: MotionEvent) -> bool:
        return False


class TextField(Control):
    """A field with a name, a grey hint, a text. `lines` is how many it shows at least; it grows with its text.

    on_draft(text, caret)   after every change; on_step(text, caret) a state to come back to; on_leave(text) when the
                            focus goes; leave(key) is asked for Tab, Escape and the like, true when it used the key
    """

    def __init__(
        self,
        name: str,
        text: str = "",
        *,
        hint: str = "",
        lines: int = 1,
        multiline: bool = False,
        size: float = 18,
        on_draft: Callable[[str, int], object] = lambda text, caret: None,
        on_step: Callable[[str, int], object] = lambda text, caret: None,
        on_leave: Callable[[str], object] = lambda text: None,
        **control: object,
    ) -> None:
        self.text, self.hint, self.lines, self.multiline, self._size = text, hint, lines, multiline, size
        self.on_draft, self.on_step, self.on_leave = on_draft, on_step, on_leave
        self.on_key: Callable[[str, list[str]], bool] = lambda key, modifiers: False
        self.caret = len(text)
        self.steps = Steps()
        self.editor: Editor | None = None
        self._shown = Text(text or hint, size, "text" if text else "muted", upright="top")
        super().__init__(self._shown, name=name, role="field", box=_IDLE, pad=INSET, **control)

    # --- layout ----------------------------------------------------------------------------------------------
    @property
    def pixels(self) -> int:
        return look.sp(self._size)

    def natural(self) -> float:
        return self.fixed if self.fixed is not None else look.dp(240)

    def minimum(self) -> float:
        return look.dp(120)

    def measure(self, width: float) -> float:
        _, top, _, bottom = self.pads
        line = shape("Ә", self.pixels).height
        own = shape(self.text or self.hint, self.pixels, False, max(1, int(width - self.across))).height
        return max(self.tall, max(line * self.lines, own if self.multiline else line) + top + bottom)

    def arrange(self) -> None:
        left, top, right, bottom = self.pads
        inner = (self.x + left, self.y + bottom, self.width - left - right, self.height - top - bottom)
        if not self.multiline:
            high = shape("Ә", self.pixels).height
            inner = (inner[0], self.y + (self.height - high) / 2, inner[2], high)
        self._shown.place(*inner)
        if self.editor is not None:
            self.editor.font_size = self.pixels
            self.editor.pos, self.editor.size = inner[:2], inner[2:]

    # --- editing ---------------------------------------------------------------------------------------------
    def tapped(self, touch: MotionEvent) -> None:
        super().tapped(touch)
        self.edit()
        if self.editor is not None:
            self.editor.cursor = self.editor.get_cursor_from_xy(*touch.pos)
            self._caret_moved()

    def edit(self) -> None:
        """Begins editing with the caret where it was."""
        if self.disabled_now or self.editor is not None:
            return
        self.editor = Editor(self)
        self._shown.opacity = 0
        self.add_widget(self.editor)
        self.restyle(_ACTIVE)
        self.arrange()
        self.editor.settle()
        self.editor.cursor = self.editor.get_cursor_from_index(self.caret)
        self.editor.bind(text=self.editor.told, cursor=lambda *_: self._caret_moved())
        self.editor.bind(focus=lambda _, focus: None if focus else self.leave())
        self.editor.focus = True
        self._tell_stage()

    def _tell_stage(self) -> None:
        """The stage leads the focus: also one that a finger gave has to be taken away by the next touch elsewhere."""
        node = self.parent
        while node is not None and node is not node.parent:
            begun = getattr(node, "begun_editing", None)
            if begun is not None:
                begun(self)
                return
            node = node.parent

    def leave(self) -> None:
        """Ends editing; the text stays and is told through `on_leave`."""
        editor, self.editor = self.editor, None
        if editor is None:
            return
        editor.focus = False
        self.remove_widget(editor)
        self._shown.opacity = 1
        self._show_text()
        self.restyle(_IDLE)
        self.on_leave(self.text)

    def changed(self) -> None:
        """The editor's text is another than the field's."""
        if self.editor is None or self.editor.text == self.text:
            return
        before: State = (self.text, self.caret)
        self.text, self.caret = self.editor.text, self.editor.cursor_index()
        step = self.steps.change(before, (self.text, self.caret))
        self.on_draft(self.text, self.caret)
        if step is not None:
            self.on_step(*step)
        if self.multiline and self.high_now() != self.height:
            self.reflow()

    def high_now(self) -> float:
        self.invalidate()
        return max(self.high(self.width), self.height if self.fill else 0)

    def _caret_moved(self) -> None:
        if self.editor is not None and self.editor.text == self.text:
            self.caret = self.editor.cursor_index()

    def editor_key(self, key: str, modifiers: list[str]) -> bool:
        """A key before the editor sees it; true when it was used here."""
        if key == "z" and "ctrl" in modifiers:
            self.go_back() if "shift" not in modifiers else self.go_on()
            return True
        if key in ("tab", "escape") or (key == "enter" and not self.multiline) or ("ctrl" in modifiers and key == "k"):
            return self.on_key(key, modifiers)
        return False

    def go_back(self) -> bool:
        """Undoes the last word; false when there is none."""
        return self._go(self.steps.undo((self.text, self.caret)))

    def go_on(self) -> bool:
        return self._go(self.steps.redo((self.text, self.caret)))

    def _go(self, state: State | None) -> bool:
        if state is not None:
            self.show_text(*state)
            self.on_draft(self.text, self.caret)
        return state is not None

    def show_text(self, text: str, caret: int | None = None) -> None:
        """Another text from outside: undo, a restart, a preset phrase. Tells nobody."""
        self.text, self.caret = text, len(text) if caret is None else min(caret, len(text))
        if self.editor is not None:
            self.editor.text = text
            self.editor.cursor = self.editor.get_cursor_from_index(self.caret)
        self._show_text()

    def _show_text(self) -> None:
        self._shown.text, self._shown.token = self.text or self.hint, "text" if self.text else "muted"
        self._shown.repaint()
        self._shown.invalidate()
        self.state = "filled" if self.text else "empty"
        if self.width > 1:
            self.reflow() if self.multiline and self.high_now() != self.height else self.arrange()

    # --- keys and looks --------------------------------------------------------------------------------------
    def key(self, key: str) -> bool:
        if key in ("enter", "space"):
            self.edit()
            return True
        return False

    def show_focus(self, focused: bool) -> None:
        super().show_focus(focused)
        if not focused:
            self.leave()

    def repaint(self) -> None:
        super().repaint()
        if self.editor is not None:
            self.editor.paint()

    def longest_word(self) -> float:
        """Pixels of the longest word typed: wider than the field, it is broken by the editor."""
        return extents(self.text, self.pixels)[1]
