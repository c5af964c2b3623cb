"""How this office stands among its backups: what is durable, which backups are proven, what a restore changed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select as columns
from sqlmodel import Session, col, select

from server.backup.tables import BackupRow, StandingRow
from server.ledger import queries as ledger
from shared.values import DeviceId

LATE = timedelta(hours=24)
"""A proven backup older than this is late. Source: SECURITY A.6, durable mark."""


_standing: Any = StandingRow.__table__  # type: ignore[attr-defined]
_DURABLE = columns(_standing.c.durable).where(_standing.c.id == 1)


def durable(session: Session) -> int:
    """The ledger position that the last proven backup covers; 0 while none is. Source: SETTLED decision 25."""
    return session.connection().execute(_DURABLE).scalar() or 0


def sealing_device(session: Session, keys_device: DeviceId) -> DeviceId:
    """The device this database seals under: that of the key file until a restore named a new one."""
    standing = session.get(StandingRow, 1)
    return DeviceId(standing.server) if standing and standing.server else keys_device


@dataclass(frozen=True)
class Proven:
    """A backup that was read back whole."""

    name: str
    made_at: datetime
    proven_at: datetime
    epoch: int
    position: int
    size: int
    operations: int
    files: int


@dataclass(frozen=True)
class Standing:
    """Epoch, position and what is durable; when this database was restored last, if ever; epochs: number → position
    above which it began; the proven backups, newest first."""

    epoch: int
    position: int
    durable: int
    restored_at: datetime | None
    epochs: dict[int, int]
    backups: list[Proven]

    @property
    def newest(self) -> Proven | None:
        """The last proven backup."""
        return self.backups[0] if self.backups else None


def standing(session: Session, limit: int = 30) -> Standing:
    """Everything the page and the health of the office say of backups. Raises LookupError before founding."""
    counter, row = ledger.counter(session), session.get(StandingRow, 1)
    state = ledger.the(session, "office")
    rows = session.exec(select(BackupRow).order_by(col(BackupRow.proven_at).desc()).limit(limit))
    backups = [
        Proven(
            row.name, row.made_at, row.proven_at, row.epoch, row.position, row.size, row.operations, row.files
        )
        for row in rows
    ]  # fmt: skip
    return Standing(
        counter.epoch, counter.value, durable(session), row.restored_at if row else None, dict(state.epochs),
        backups,
    )  # fmt: skip
