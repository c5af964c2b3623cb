"""The frame every screen stands in: top bar, list pane, detail pane, action strip, rail; and one sheet above them.

Two panes from 1200 dp; below that, and at large text, one pane with the list behind a bar that names it. The rail
stays beside every sheet and dialog. Decides where things stand, never what they are.
"""

from __future__ import annotations

from collections.abc import Callable

from kivy.input.motionevent import MotionEvent

from field_app.widgets.button import Button
from field_app.widgets.layout import Col, Row
from field_app.widgets.node import Box, Node
from field_app.widgets.rail import SHORT, Rail
from field_app.widgets.sheet import Sheet
from field_app.widgets.theme import look
from field_app.widgets.topbar import TOP, TopBar

STRIP = 80
TWO_PANES = 1200
PAGE_MARGIN, PORTRAIT_MARGIN = 24, 16


def two_panes(width: float) -> bool:
    """Whether list and detail stand side by side in a window of this width in pixels."""
    return width >= look.dp(TWO_PANES) and not look.large


def page_margin(width: float) -> float:
    """Margin of a page in dp at this width in pixels."""
    return PAGE_MARGIN if width >= look.dp(840) else PORTRAIT_MARGIN


class Strip(Row):
    """The action strip: at most one filled button. `spare` parts give way where the rest would not fit."""

    def __init__(self, *kids: Node | None, spare: tuple[Node, ...] = ()) -> None:
        self._spare = spare
        super().__init__(*kids, tall=STRIP, pad=(24, 8), gap=16, box=Box(fill="card", sides="t", radius=0))
        self._all = tuple(self.kids)

    def widths(self, width: float) -> list[float]:
        shorter = [kid for kid in self._all if isinstance(kid, Button)]
        self.kids = list(self._all)
        for kid in self._spare:
            kid.absent, kid.opacity = False, 1
        for button in shorter:
            button.shorten(False)
        for step in (*shorter[:1], *self._spare, *shorter[1:]):
            if self.natural() <= width:
                break
            if isinstance(step, Button):
                step.shorten(True)
            else:
                step.absent, step.opacity = True, 0
                self.kids = [kid for kid in self.kids if kid is not step]
        return super().widths(width)

    def measure(self, width: float) -> float:
        widths = self.widths(width)
        return max(self.tall, max(k.high(w) for k, w in zip(self.kids, widths, strict=True)) + 2 * look.dp(8))

    def arrange(self) -> None:
        self.widths(self.width)
        super().arrange()


class Page(Col):
    """The column of a scrolling page: its margins follow its width."""

    def __init__(self, *kids: Node | None, gap: float = 12) -> None:
        super().__init__(*kids, gap=gap)
        self._at = 0.0

    @property
    def pads(self) -> tuple[float, float, float, float]:
        side = look.dp(page_margin(self._at))
        return side, look.dp(16), side, look.dp(16)

    def measure(self, width: float) -> float:
        self._at = width
        return super().measure(width)


class Frame(Node):
    """One screen. `list_title` names the list where it does not stand beside the detail; `list_opens` shows it."""

    def __init__(
        self,
        top: TopBar,
        rail: Rail,
        detail: Node,
        *,
        list_pane: Node | None = None,
        list_width: float = 320,
        list_title: str = "",
        list_opens: Callable[[], object] = lambda: None,
        strip: Node | None = None,
        side: Node | None = None,
        side_width: float = 312,
    ) -> None:
        super().__init__(box=Box(fill="page", radius=0))
        self.top_bar, self.rail, self.detail, self.strip, self.side = top, rail, detail, strip, side
        self.list_pane, self.list_width, self.side_width = list_pane, list_width, side_width
        self.list_bar: Button | None = None
        if list_pane is not None:
            list_pane.restyle(Box(fill="card", radius=0, sides="r"))
            self.list_bar = Button(
                list_title, "menu", "quiet", list_opens, trail="down", text_align="left", bold=True, inset=24
            )
            self.list_bar.box = Box(fill="card", radius=0, sides="b")
            self.list_bar._build_box()
        self.sheet: Sheet | None = None
        self.undo_strip: Node | None = None
        for part in (top, self.list_bar, list_pane, detail, side, strip, rail):
            if part is not None:
                self.add(part)

    # --- layout ----------------------------------------------------------------------------------------------
    def arrange(self) -> None:
        rail = self.rail.wide
        left = self.x + (rail if look.choice.grip == "left" else 0)
        width = self.width - rail
        rail_x = self.x if look.choice.grip == "left" else self.x + width
        self.rail.place(rail_x, self.y, rail, self.height)
        top = look.dp(TOP)
        self.top_bar.place(left, self.top - top, width, top)
        foot, ceiling = self.y, self.top - top
        beside = two_panes(self.width)
        x = left
        if self.list_pane is not None and self.list_bar is not None:
            self._show(self.list_pane, beside)
            self._show(self.list_bar, not beside)
            if beside:
                wide = look.dp(self.list_width)
                self.list_pane.place(x, foot, wide, ceiling - foot)
                x, width = x + wide, width - wide
            else:
                high = self.list_bar.high(width)
                ceiling -= high
                self.list_bar.place(x, ceiling, width, high)
        if self.strip is not None:
            high = self.strip.high(width)
            self.strip.place(x, foot, width, high)
            foot += high
        if self.undo_strip is not None:
            high = self.undo_strip.high(width)
            self.undo_strip.place(x, foot, width, high)
            foot += high
        if self.side is not None:
            self._show(self.side, beside)
            if beside:
                wide = look.dp(self.side_width)
                self.side.place(x + width - wide, foot, wide, ceiling - foot)
                width -= wide
        self.detail.place(x, foot, width, ceiling - foot)
        self._arrange_over(left, self.width - rail)

    def _show(self, part: Node, present: bool) -> None:
        """A part that has no room here is neither drawn nor reached."""
        part.absent = not present or self.sheet is not None
        part.opacity = 1 if present else 0
        if not present:
            part.place(self.x, self.y - 2, 1, 1)

    def _arrange_over(self, left: float, width: float) -> None:
        if self.sheet is not None:
            under = 0 if self.short else look.dp(TOP)
            self.top_bar.absent = self.short
            self.sheet.place(left, self.y, width, self.height - under)

    @property
    def short(self) -> bool:
        """Whether the window is so low that a sheet takes the top bar's room as well."""
        return self.height < look.dp(SHORT)

    def holds_layout(self, kid: Node) -> bool:
        return kid is not self.list_bar and kid is not self.strip

    # --- what lies above -------------------------------------------------------------------------------------
    def open(self, sheet: Sheet) -> None:
        """Lays a sheet over the panes; whatever was open gives way. Rail and top bar stay where they are."""
        self.close()
        self.sheet = sheet
        sheet.close = self.close
        for part in self._under():
            part.absent = True
        self.add(sheet)
        self.arrange()

    def close(self) -> None:
        """Takes the sheet away; what it held was saved while it was typed."""
        sheet, self.sheet = self.sheet, None
        if sheet is None:
            return
        self.drop(sheet)
        for part in self._under():
            part.absent = False
        self.top_bar.absent = False
        self.arrange()
        sheet.closed()

    def _under(self) -> list[Node]:
        return [part for part in self.kids if part not in (self.rail, self.top_bar, self.sheet)]

    def offer_undo(self, strip: Node | None) -> None:
        """Shows an undo strip above the action strip, or takes it away."""
        if self.undo_strip is not None:
            self.drop(self.undo_strip)
        self.undo_strip = strip
        if strip is not None:
            self.add(strip)
        self.arrange()

    def on_touch_down(self, touch: MotionEvent) -> bool:
        if self.sheet is not None and self.sheet.collide_point(*touch.pos):
            self.sheet.on_touch_down(touch)
            return True
        return any(not getattr(part, "absent", False) and part.on_touch_down(touch) for part in reversed(self.kids))
