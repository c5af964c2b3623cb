"""The database itself refuses a second frame at a place, and a place twice in a chain: whatever the program forgot.

Source: SECURITY B.4, SETTLED 7.
"""

from __future__ import annotations

import pytest
from sqlalchemy.exc import IntegrityError
from sqlmodel import select

from server.ledger.tables import ChainRow, FrameRow


@pytest.mark.parametrize("table", [FrameRow, ChainRow])
def test_a_place_is_taken_once(pair, table) -> None:
    database = pair[0].world.office.database
    with database.read() as session:
        taken = session.exec(select(table)).first().model_dump()
    taken |= {"cursor": 1_000_000} if table is FrameRow else {"seq": 1_000_000}
    with pytest.raises(IntegrityError), database.write() as session:
        session.add(table(**taken))
