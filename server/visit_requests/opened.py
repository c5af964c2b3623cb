"""The sealed words of requests and of votes for one reader: each opening is one line of the read log.

Never called for somebody the matrix does not allow: `open_words` answers "not found" then.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlmodel import Session

from server.ledger.opening import open_many, open_words
from server.office import Office, Reader
from server.visit_requests import queries
from shared.ballots import Vote
from shared.values import PersonId, SubjectId
from shared.visit_requests import VisitRequest

Purpose = str
"""Last part of a text key under `requests.purpose`."""


def of_request(
    session: Session, office: Office, reader: Reader, state: VisitRequest, purpose: Purpose, now: datetime
) -> dict[str, Any]:
    """The words of a request: institution, reason, from_on, to_on, members, leader; empty when they cannot be opened.

    Raises RuleBroken("not_found") when the reader may not read the request.
    """
    return _of_states(session, office, reader, [state], purpose, now)[state.id]


def of_requests(
    session: Session, office: Office, reader: Reader, requests: Iterable[SubjectId], purpose: Purpose, now: datetime
) -> dict[SubjectId, dict[str, Any]]:
    """The words of several requests by id, as `of_request` answers them; all lines of the read log at once."""
    return _of_states(session, office, reader, queries.request_states(session, requests), purpose, now)


def _of_states(
    session: Session, office: Office, reader: Reader, states: Iterable[VisitRequest], purpose: Purpose, now: datetime
) -> dict[SubjectId, dict[str, Any]]:
    wanted = [(state, [state.words] if state.words else []) for state in states]
    found = open_many(session, office, reader, "request.read", wanted, f"requests.purpose.{purpose}", now)
    return {state.id: (words[0] or {}) if words else {} for (state, _), words in zip(wanted, found, strict=True)}


def reasons(
    session: Session, office: Office, reader: Reader, vote: Vote, names: Mapping[PersonId, str], now: datetime
) -> list[dict[str, str]]:
    """The reasons given with the votes of a closed count, by name; they stay sealed while it is open."""
    if vote.closed is None:
        return []
    casts = [cast for cast in vote.votes.values() if cast.words]
    wanted = [cast.words for cast in casts if cast.words]
    found = open_words(session, office, reader, "vote.read", vote, wanted, "requests.purpose.reasons", now)
    return [
        {"name": names.get(cast.voter, ""), "choice": cast.choice, "reason": str(words["reason"])}
        for cast, words in zip(casts, found, strict=True)
        if words and words.get("reason")
    ]
