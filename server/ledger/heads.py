"""The digest over all chains of a device, kept beside them: it moves with what is appended, however many there are.

Taken after the locks of subjects and before the counter, by device. Source: PROTOCOL P23, decision 0019.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import bindparam, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session

from server.ledger.tables import ChainRow, HeadsRow
from shared.ledger.merge import heads_digest, heads_moved
from shared.values import DeviceId, SubjectId

End = tuple[int, str]
"""Seq and id (64 hex) of the last operation of a chain."""

_chains, _heads = ChainRow.__table__, HeadsRow.__table__  # type: ignore[attr-defined]
_c, _h = _chains.c, _heads.c
_BEFORE = select(_c.device, _c.subject, _c.seq, _c.head).where(
    _c.device.in_(bindparam("devices", expanding=True)), _c.subject.in_(bindparam("subjects", expanding=True))
)  # fmt: skip
_ALL = select(_c.subject, _c.seq, _c.head).where(_c.device == bindparam("device"))
_KEPT = select(_h.device, _h.digest).where(_h.device.in_(bindparam("devices", expanding=True))).order_by(_h.device)
_LOCKED = _KEPT.with_for_update()
_MOVE = update(_heads).where(_h.device == bindparam("of")).values(digest=bindparam("to"))
_BEGIN = {
    "sqlite": sqlite.insert(_heads).on_conflict_do_nothing(),
    "postgresql": postgresql.insert(_heads).on_conflict_do_nothing(),
}


def digest_of(session: Session, device: DeviceId) -> str:
    """The digest over every chain of the device, as `merge.heads_digest` has it."""
    return _kept(session, _KEPT, [device]).get(device) or _from_chains(session, device)


def move(session: Session, ends: Mapping[tuple[DeviceId, SubjectId], End]) -> None:
    """The chains end there now. The caller holds the locks of the subjects, and writes the chains afterwards."""
    connection = session.connection()
    devices, subjects = sorted({device for device, _ in ends}), sorted({subject for _, subject in ends})
    before: dict[Any, End] = {
        (device, subject): (seq, head)
        for device, subject, seq, head in connection.execute(_BEFORE, {"devices": devices, "subjects": subjects})
    }
    kept = _kept(session, _LOCKED, devices)
    missing = [device for device in devices if device not in kept]
    if missing:
        begin = [{"device": device, "digest": _from_chains(session, device)} for device in missing]
        connection.execute(_BEGIN[connection.dialect.name], begin)
        kept = _kept(session, _LOCKED, devices)
    for (device, subject), end in ends.items():
        kept[device] = heads_moved(kept[device], subject, before.get((device, subject)), end)
    connection.execute(_MOVE, [{"of": device, "to": kept[device]} for device in devices])


def _kept(session: Session, statement: Any, devices: list[DeviceId]) -> dict[DeviceId, str]:
    return dict(session.connection().execute(statement, {"devices": devices}).all())


def _from_chains(session: Session, device: DeviceId) -> str:
    rows = session.connection().execute(_ALL, {"device": device})
    return heads_digest((subject, seq, head) for subject, seq, head in rows)
