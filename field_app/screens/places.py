"""Finding a place among thousands: any spelling, any language, while the person types."""

from __future__ import annotations

from collections.abc import Callable

from field_app.register import RESULTS_LIMIT, register_of
from field_app.screens.screen import Desk
from field_app.widgets.list import Entry
from field_app.widgets.picker import search_sheet
from field_app.widgets.sheet import Sheet
from field_app.widgets.theme import look

ROW, ROW_LARGE = 72, 148
"""dp of a row: a name of two lines and the key below, at large text as well."""


def find_place(desk: Desk, title: str, choose: Callable[[str], object]) -> Sheet:
    """A sheet that searches the register; `choose(key)` gets the institution tapped."""
    register, language = register_of(desk.store), desk.texts.language

    def find(query: str) -> list[Entry]:
        return [
            Entry(row.key, row.name(language), f"{row.region_iso} · {row.key}", icon="building")
            for row in register.search(query, limit=RESULTS_LIMIT if query.strip() else len(register))
        ]

    return search_sheet(desk.texts, title, find, choose, row=ROW_LARGE if look.large else ROW)
