"""Frames that were held back: which of them may fit now that something moved.

Whoever may send at all can leave thousands of frames behind a gap, and every push that touches the subject asks for
them: what cannot fit is told by a few columns, and its bytes are not read. Decides nothing: the door is asked in
`receive`. Source: SETTLED decisions 7, 23; PROTOCOL P21, P36, P59, P63.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from sqlalchemy import and_, bindparam, exists, func, or_, select
from sqlmodel import Session

from server.accounts.tables import DeviceRow
from server.ledger.tables import ChainRow, HeldFrameRow
from server.ledger.underway import UnderWay
from server.quarantine.tables import FrameDecisionRow
from shared.values import DeviceId, SubjectId

TOGETHER = 500
"""Subjects of one question: a database takes so many and more."""
_h: Any = HeldFrameRow.__table__.c  # type: ignore[attr-defined]
_d: Any = FrameDecisionRow.__table__.c  # type: ignore[attr-defined]
_c: Any = ChainRow.__table__.c  # type: ignore[attr-defined]
_devices: Any = DeviceRow.__table__.c  # type: ignore[attr-defined]
_SUBJECTS, _DEVICES = (bindparam(name, expanding=True) for name in ("subjects", "devices"))
_WAITING = (
    select(
        _h.id,
        _h.device,
        _h.subject,
        _h.first,
        _h.prev,
        exists().where(_devices.id == _h.device, or_(_devices.confirmed_by != "", _devices.revoked_at.is_not(None))),
        func.coalesce(_c.seq, 0),
    )
    .outerjoin_from(_h.id.table, _c.seq.table, and_(_c.device == _h.device, _c.subject == _h.subject))
    .where(_h.status == "waiting")
    .where(or_(_h.subject.in_(_SUBJECTS), _h.parent.in_(_SUBJECTS), _h.device.in_(_DEVICES)))
    .order_by(_h.first)
)
_FORKS = select(_h.last_id).where(_h.subject.in_(_SUBJECTS), _h.reason == "fork")
_DECIDED = select(_d.head).where(_d.subject.in_(_SUBJECTS), _d.held == "fork")


def that_may_fit(
    session: Session, ledger: UnderWay, servers: Callable[[], Collection[DeviceId]], subjects: set[SubjectId],
    devices: frozenset[DeviceId],
) -> list[HeldFrameRow]:  # fmt: skip
    """Frames that waited, of these subjects, of those that belong to them and of these devices; within a chain by seq.

    ledger   chains as they are with what this request brought
    servers  asked for the devices of the office; a frame of a device that nobody named, or confirmed, waits for that
    devices  named just now: everything of theirs is looked at
    """
    if not subjects and not devices:
        return []
    session.flush()
    connection = session.connection()
    waiting = connection.execute(_WAITING, {"subjects": list(subjects), "devices": list(devices)}).all()
    if not waiting:
        return []
    forks = _second_histories(session, sorted({subject for _, _, subject, *_ in waiting}))

    def may_fit(device: str, subject: str, first: int, prev: str, is_known: bool, seq: int) -> bool:
        if device in devices:
            return True
        reached = max(seq, ledger.reached(DeviceId(device), SubjectId(subject)))
        return (first <= reached + 1 or prev in forks) and (is_known or device in servers())

    found = [session.get(HeldFrameRow, id_) for id_, *place in waiting if may_fit(*place)]
    return [row for row in found if row is not None]


def _second_histories(session: Session, subjects: list[str]) -> set[str]:
    """Last ids of frames that belong to one: what goes on from them belongs to it too."""
    found: set[str] = set()
    for at in range(0, len(subjects), TOGETHER):
        asked = {"subjects": subjects[at : at + TOGETHER]}
        for query in (_FORKS, _DECIDED):
            found.update(session.connection().execute(query, asked).scalars())
    return found
