"""Two buttons that move a pane by pages, so that nobody has to swipe. They are quiet where all is in view."""

from __future__ import annotations

from field_app.widgets.button import Button
from field_app.widgets.layout import Row
from field_app.widgets.scroll import Scroll
from shared.texts import Texts


class PageButtons(Row):
    """Up and down for one pane."""

    def __init__(self, texts: Texts, pane: Scroll) -> None:
        self._pane = pane
        self._up = self._button("up", texts("widgets.page_up"), -1)
        self._down = self._button("down", texts("widgets.page_down"), +1)
        super().__init__(self._up, self._down, gap=8)
        pane.moved = self._moved

    def _button(self, icon: str, name: str, direction: int) -> Button:
        return Button("", icon, "quiet", lambda: self._pane.page(direction), name=name, fixed=64, inset=8, repeats=True)

    def _moved(self) -> None:
        for button, dead in (
            (self._up, self._pane.offset <= 0),
            (self._down, self._pane.offset >= self._pane.range),
        ):
            state = "end" if dead else ""
            if button.state != state or not button._drawn:
                button.show(kind="bare" if dead else "quiet", state=state)
