"""What waits for a reader, as numbers alone: shown in the menu. It opens nothing and names nobody."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from server.console.nav import Waiting
from server.elections import queries as elections
from server.office import Reader
from server.visit_requests import queries as requests
from shared.accounts import Role

_VOTERS = frozenset({Role.COUNCIL_MEMBER, Role.COMMISSIONER})


def waiting(session: Session, reader: Reader, now: datetime) -> dict[str, Waiting]:
    """Section → how much waits: requests for the reader's vote (or for the secretary's hand), ballots not yet cast."""
    if reader.hat in _VOTERS:
        mine = requests.waiting_for(session, reader.person, now)
        return {"requests": Waiting(*mine), "elections": Waiting(elections.open_ballots_of(session, reader.person))}
    if reader.hat is Role.COUNCIL_SECRETARY:
        return {"requests": Waiting(*requests.waiting_for_secretary(session, now))}
    return {}
