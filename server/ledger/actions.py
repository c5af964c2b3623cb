"""Making operations in the office: `record` seals with the server's device, the person is the author.

What a rule does not allow is refused here before it is stored: the fold says so, and the transaction ends.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlmodel import Session

from server.ledger import queries
from server.ledger.append import Incoming, append, begin_subject
from server.ledger.queries import Standing
from server.ledger.tables import CounterRow
from server.office import Office
from shared.errors import RuleBroken
from shared.ledger.frame import cut
from shared.ledger.merge import operations_of
from shared.ledger.operation import Body, encode_line, genesis
from shared.registry import BODIES, PARENT_FIELD, subject_kind_of
from shared.values import PersonId, SubjectId, stamp


def found_ledger(session: Session) -> None:
    """The counter of an empty ledger: position 0, epoch 1, head of 32 zero bytes."""
    session.add(CounterRow(id=1, value=0, epoch=1, head=bytes(32).hex()))
    session.flush()


def record(
    session: Session, office: Office, subject: SubjectId, author: PersonId, bodies: Sequence[Body], now: datetime
) -> Any:
    """Appends operations of `author` to a subject, in one frame, and projects it. Returns the folded state.

    Raises RuleBroken when the fold does not count one of them: nothing is stored then.
    """
    if not bodies:
        return queries.state(session, subject)
    row = lock_subject(session, subject, bodies)
    chain = queries.chain(session, office.keys.device, subject)
    seq = chain.seq if chain else 0
    prev = bytes.fromhex(chain.head) if chain else genesis(office.keys.device, subject)
    at = stamp(now)
    lines = [encode_line(body, author, at, row.clock + n) for n, body in enumerate(bodies, 1)]
    frame = cut(office.keys.sign_secret, office.keys.device, subject, seq + 1, prev, lines)
    operations = operations_of(frame, BODIES)[0]
    states = append(session, [Incoming(frame, tuple(operations))], now)
    state = states[subject]
    mine = {operation.id for operation in operations}
    for refused in state.not_counted:
        if refused.operation in mine:
            raise RuleBroken(refused.code, refused.source)
    return state


def lock_subject(session: Session, subject: SubjectId, bodies: Sequence[Body]) -> Standing:
    """The subject's row, locked until the transaction ends; made when the subject begins.

    Raises RuleBroken("kind_wrong_subject") when the bodies belong to another kind of subject.
    """
    row = queries.standings(session, [subject], lock=True).get(subject)
    kinds = {kind for body in bodies if (kind := subject_kind_of(body.KIND))}
    if row is None:
        if len(kinds) != 1:
            raise RuleBroken("kind_wrong_subject", "SETTLED 14")
        kind = kinds.pop()
        parent = next(
            (getattr(body, PARENT_FIELD[kind], "") for body in bodies if hasattr(body, PARENT_FIELD.get(kind, "-"))),
            None,
        )
        row = begin_subject(session, subject, kind, SubjectId(parent) if parent else None)
    elif kinds - {row.kind}:
        raise RuleBroken("kind_wrong_subject", "SETTLED 14")
    return row
