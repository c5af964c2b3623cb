"""One press of a button, a vote for on many requests: what it will do, doing it, and taking it back.

Urgent, special, disputed and conflicted requests are left out and named, so are those the person voted on already.
Nothing here decides a request. Source: UX section 4 (bulk), SETTLED decision 52.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from server.ledger import queries as ledger
from server.ledger.actions import lock_subject
from server.office import Office, Reader, new_subject
from server.visit_requests import queries
from server.visit_requests.actions import UNDO, cast_vote, take_back_vote
from server.visit_requests.tables import BulkVoteRow, RequestRow
from shared.ballots import Vote
from shared.errors import RuleBroken
from shared.values import PersonId, SubjectId, is_id, stamp

Lines = list[queries.Line]


@dataclass(frozen=True)
class Preview:
    """What a bulk will do: requests that get the vote, and those left out with the reason."""

    voted: Lines
    left_out: list[tuple[queries.Line, str]]


def preview(session: Session, office: Office, reader: Reader, requests: Iterable[str], now: datetime) -> Preview:
    """The exact numbers before anything is done. Requests the reader may not see are not named at all."""
    ids = list(dict.fromkeys(id_ for id_ in requests if is_id(id_)))
    rows = [row for id_ in ids if (row := session.get(RequestRow, id_)) and row.state != "filed"]
    voted: Lines = []
    left_out = []
    for line in queries.lines(session, office, reader, rows, now):
        reason = _left_out(line)
        if reason:
            left_out.append((line, reason))
        else:
            voted.append(line)
    return Preview(voted, left_out)


def _left_out(line: queries.Line) -> str:
    if line.row.state != "voting":
        return "decided"
    if line.locked:
        return line.locked
    if line.mine:
        return "voted"
    return "" if line.may_vote else "closed"


def vote_for_all(session: Session, office: Office, reader: Reader, requests: Iterable[str], now: datetime) -> str:
    """Casts the reader's vote for on every request the preview names; the id of the bulk.

    A request that changed since the preview is left out with its reason: a bulk never fails as a whole.
    """
    planned = preview(session, office, reader, requests, now)
    bulk = new_subject(now)
    for vote in sorted(line.row.vote or "" for line in planned.voted):
        lock_subject(session, SubjectId(vote), [])  # all before the first vote takes the ledger's counter
    for line in planned.voted:
        left_out = _cast(session, office, reader.person, line, now)
        session.add(BulkVoteRow(bulk=bulk, person=reader.person, at=now, request=line.row.id, left_out=left_out))
    session.add_all(
        BulkVoteRow(bulk=bulk, person=reader.person, at=now, request=line.row.id, left_out=reason)
        for line, reason in planned.left_out
    )
    session.flush()
    return bulk


def _cast(session: Session, office: Office, voter: PersonId, line: queries.Line, now: datetime) -> str:
    if line.row.vote is None:
        return "closed"
    try:
        cast_vote(session, office, voter, line.row.vote, "for", "", now)
    except RuleBroken as broken:
        return "conflict" if broken.code == "recused" else "closed"
    return ""


def undo_until(rows: list[BulkVoteRow]) -> datetime:
    """Until when the bulk may be taken back."""
    return rows[0].at + UNDO


def undo(session: Session, office: Office, reader: Reader, bulk: str, now: datetime) -> tuple[int, int]:
    """Takes back the votes of a bulk that still stand as they were cast: (taken back, not any more).

    Raises RuleBroken("too_late_to_undo") behind ten minutes, "not_found" for somebody else's bulk.
    """
    rows = queries.bulk_rows(session, bulk, reader.person)
    if now > undo_until(rows):
        raise RuleBroken("too_late_to_undo", "SETTLED 52")
    done = kept = 0
    for row in rows:
        if row.left_out or row.undone:
            continue
        row.undone = _take_back(session, office, reader.person, row, now)
        done, kept = done + (row.undone == "yes"), kept + (row.undone == "no")
    session.flush()
    return done, kept


def _take_back(session: Session, office: Office, voter: PersonId, row: BulkVoteRow, now: datetime) -> str:
    request = queries.request_state(session, row.request)
    vote = ledger.state(session, request.vote) if request.vote else None
    cast = vote.votes.get(voter) if isinstance(vote, Vote) else None
    if request.vote is None or cast is None or (cast.choice, cast.words, cast.at) != ("for", None, stamp(row.at)):
        return "no"
    try:
        take_back_vote(session, office, voter, request.vote, now)
    except RuleBroken:
        return "no"
    return "yes"
