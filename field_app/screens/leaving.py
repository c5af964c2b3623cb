"""What the window asks when it is closed with something the office has not received: once, and never twice in a row.

Everything is on the disk already, so nothing here holds a person back: the second close closes. Source: SECURITY B.26.
"""

from __future__ import annotations

from collections.abc import Callable

from field_app.screens.bundle import save_sheet
from field_app.screens.screen import Screen
from field_app.widgets.button import Button
from field_app.widgets.layout import Col, Gap, Wrap
from field_app.widgets.sheet import Sheet
from field_app.widgets.text import Text


def ask_to_leave(screen: Screen, count: int, close: Callable[[], object], asked: Callable[[bool], object]) -> None:
    """The sheet: what is not delivered, a file to take along, closing all the same.

    close   ends the window; asked: whether the next close is the second one, so that whoever goes on is asked again
    """
    t, desk = screen.desk.texts, screen.desk

    def to_a_file() -> None:
        desk.close_sheet()
        asked(True)
        save_sheet(screen)

    foot = Wrap(
        Button(t("bundle.save"), "file", "primary", to_a_file),
        Button(t("leave.stay"), None, "plain", desk.close_sheet),
        Button(t("leave.anyway"), None, "plain", close), gap=24, pad=(24, 12),
    )  # fmt: skip
    body = Col(Text(t.plural("leave.text", count), 18), Gap(8), pad=(24, 0))
    desk.open_sheet(Sheet(t, t("leave.title"), body, where="middle", foot=foot, on_closed=lambda: asked(False)))
