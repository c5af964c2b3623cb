"""A sheet that searches a list: a field, results while typing, a tap chooses. The search itself is a function given."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from field_app.widgets.layout import Col, Row
from field_app.widgets.list import Entry, RowList
from field_app.widgets.node import Node
from field_app.widgets.sheet import Sheet
from field_app.widgets.text import Text
from field_app.widgets.textfield import TextField
from shared.texts import Texts


class Results(Node):
    """The field above, the list below, a sentence where nothing is found."""

    def __init__(
        self, texts: Texts, find: Callable[[str], Sequence[Entry]], choose: Callable[[str], object], row: float = 72
    ) -> None:
        super().__init__()
        self._find = find
        self.field = TextField(
            texts("widgets.search"), hint=texts("widgets.search"), on_draft=lambda text, caret: self.search(text)
        )
        self._bar = Row(Col(self.field, grow=1), pad=(24, 0, 24, 12))
        self.list = RowList(find(""), choose, row=row)
        self._empty = Text(texts("widgets.nothing_found"), 18, "muted", pad=(24, 16), upright="top")
        for part in (self._bar, self.list, self._empty):
            self.add(part)
        self._show_empty()

    def search(self, query: str) -> None:
        """Results for what is typed."""
        self.list.show_entries(self._find(query))
        self._show_empty()

    def _show_empty(self) -> None:
        found = bool(self.list.entries)
        self._empty.opacity, self._empty.absent = (0, True) if found else (1, False)

    def arrange(self) -> None:
        bar = self._bar.high(self.width)
        self._bar.place(self.x, self.top - bar, self.width, bar)
        for part in (self.list, self._empty):
            part.place(self.x, self.y, self.width, max(0, self.height - bar))

    def holds_layout(self, kid: Node) -> bool:
        return True


def search_sheet(
    texts: Texts, title: str, find: Callable[[str], Sequence[Entry]], choose: Callable[[str], object], row: float = 72
) -> Sheet:
    """A sheet over a list of any length. `find(query)` gives the rows, `choose(key)` gets the one tapped; `row` is the
    height of a row in dp (96 for names of three lines)."""

    def chosen(key: str) -> None:
        sheet.close()
        choose(key)

    sheet = Sheet(texts, title, Results(texts, find, chosen, row), scrolls=False)
    return sheet
