"""Reading the ledger: operations and folded states of subjects, chains, pages for tablets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Function, and_, bindparam, func, or_
from sqlmodel import Session, col, select

from server.db import Id
from server.ledger.packing import unpacked as unpacked
from server.ledger.tables import AccessRow, ChainRow, CounterRow, FrameRow, SubjectRow
from shared.ledger.frame import Frame, read_frames
from shared.ledger.merge import digest, operations_of
from shared.ledger.messages import PAGE_BYTES, ChainHead
from shared.ledger.operation import Operation
from shared.permissions import EVERYBODY
from shared.registry import BODIES, state_of
from shared.values import DeviceId, PersonId, SubjectId, is_id


def frame_of(row: FrameRow) -> Frame:
    """The frame behind a row."""
    return read_frames(unpacked(row.data)[:-1].split(b"\n"))[0]


def frames_of(session: Session, subject: SubjectId) -> list[FrameRow]:
    """Frames of a subject, oldest first."""
    return list(session.exec(select(FrameRow).where(FrameRow.subject == subject).order_by(col(FrameRow.cursor))))


def operations(session: Session, subject: SubjectId) -> list[Operation]:
    """Every readable operation of a subject."""
    found: list[Operation] = []
    for row in frames_of(session, subject):
        found += operations_of(frame_of(row), BODIES)[0]
    return found


def state(session: Session, subject: SubjectId, extra: Iterable[Operation] = ()) -> Any:
    """The folded state of a subject with the one it belongs to; None when nothing is known of it.

    extra  operations about to be appended
    """
    row = session.get(SubjectRow, subject)
    extra = list(extra)
    if row is None:
        return None
    parent = state(session, SubjectId(row.parent)) if row.parent else None
    return state_of(row.kind, subject, [*operations(session, subject), *extra], parent)


def states(session: Session, wanted: Iterable[SubjectId]) -> dict[SubjectId, Any]:
    """The folded states of many subjects, each as `state` folds it, in two reads; unknown ones are left out."""
    ids = list(dict.fromkeys(wanted))
    rows = list(session.exec(select(SubjectRow).where(col(SubjectRow.id).in_(ids))))
    held: dict[str, list[Operation]] = {row.id: [] for row in rows}
    frames = select(FrameRow).where(col(FrameRow.subject).in_(ids)).order_by(col(FrameRow.cursor))
    for frame in session.exec(frames):
        held[frame.subject] += operations_of(frame_of(frame), BODIES)[0]
    parents = {row.parent: state(session, SubjectId(row.parent)) for row in rows if row.parent}
    return {
        SubjectId(row.id): state_of(row.kind, SubjectId(row.id), held[row.id], parents.get(row.parent or ""))
        for row in rows
    }  # fmt: skip


def subjects(session: Session, kind: str) -> list[SubjectId]:
    """Ids of all subjects of a kind, oldest first."""
    rows = session.exec(select(SubjectRow.id).where(SubjectRow.kind == kind).order_by(SubjectRow.id))
    return [SubjectId(id_) for id_ in rows]


def the(session: Session, kind: str) -> Any:
    """The state of the one subject of a kind (office, law, form, register). Raises LookupError before founding."""
    found = subjects(session, kind)
    if not found:
        raise LookupError(f"no {kind} subject: the office is not founded")
    return state(session, found[0])


def children(session: Session, subject: SubjectId, kind: str | None = None) -> list[SubjectId]:
    """Subjects that belong to this one."""
    query = select(SubjectRow.id).where(SubjectRow.parent == subject).order_by(col(SubjectRow.id))
    if kind:
        query = query.where(SubjectRow.kind == kind)
    return [SubjectId(id_) for id_ in session.exec(query)]


def counter(session: Session) -> CounterRow:
    """Position, epoch and head of the ledger now."""
    row = session.get(CounterRow, 1)
    if row is None:
        raise LookupError("the office is not founded")
    return row


def chain_heads(session: Session, device: DeviceId) -> list[ChainHead]:
    """How far every chain of a device is held."""
    rows = session.exec(select(ChainRow).where(ChainRow.device == device).order_by(col(ChainRow.subject)))
    return [ChainHead(SubjectId(row.subject), row.seq, row.head) for row in rows]


def subject_digest(session: Session, subject: SubjectId) -> str:
    """Digest over the chains held of a subject, as merge.digest."""
    rows = session.exec(select(ChainRow).where(ChainRow.subject == subject))
    return digest((row.device, row.seq, row.head) for row in rows)


def head_at(session: Session, position: int) -> str | None:
    """The ledger head that stood at a position; None when no frame lies at or below it."""
    query = select(FrameRow.ledger_head).where(FrameRow.cursor <= position).order_by(FrameRow.cursor.desc()).limit(1)  # type: ignore[attr-defined]
    return session.exec(query).first()


MOST_FRAMES = 2000
"""Most frames of a page, however small they are."""
READ_TOGETHER = 16


@dataclass(frozen=True)
class Page:
    """Frames a tablet may take next, as wire bytes, and where the page behind begins."""

    frames: tuple[bytes, ...]
    subjects: frozenset[SubjectId]
    cursor: tuple[int, int]
    more: bool


def lost_frames(
    session: Session, person: PersonId, own: DeviceId, held: Iterable[ChainHead], limit: int = PAGE_BYTES
) -> tuple[tuple[bytes, ...], bool]:
    """Frames of the device's own chains beyond what it still holds, oldest first in each, whole frames to `limit`
    bytes; and whether more are left. Nothing of a subject its person may not hold. Source: SETTLED decision 4.
    """
    frames: list[bytes] = []
    size = 0
    for head in held:
        if not is_id(head.subject) or not may_hold(session, person, head.subject):
            continue
        query = (
            select(FrameRow)
            .where(FrameRow.device == own, FrameRow.subject == head.subject)
            .where(FrameRow.first + FrameRow.count - 1 > head.seq)
            .order_by(FrameRow.cursor)  # type: ignore[arg-type]
        )
        for row in session.exec(query):
            data = unpacked(row.data)
            if frames and size + len(data) > limit:
                return tuple(frames), True
            frames.append(data)
            size += len(data)
    return tuple(frames), False


def audiences(person: PersonId) -> tuple[str, str]:
    """The audiences a person's tablet belongs to."""
    return (person, EVERYBODY)


def page(session: Session, person: PersonId, own: DeviceId, after: tuple[int, int], limit: int = PAGE_BYTES) -> Page:
    """The next page above `after` = (position, cursor), whole frames to `limit` bytes, own frames left out.

    The position of a frame is the larger of its cursor and the number at which its subject was granted, so that a
    subject joined late is handed over whole. One statement says which frames wait, in what order; their bytes, which
    nothing ever changes, are read only as far as the page goes. Source: SETTLED decision 22.
    """
    waiting = _waiting(session, person, own, after)
    frames: list[bytes] = []
    seen: set[SubjectId] = set()
    size, reached = 0, after
    for (position, cursor, subject), data in zip(waiting, _bytes_of(session, waiting), strict=True):
        if frames and size + len(data) > limit:
            return Page(tuple(frames), frozenset(seen), reached, True)
        frames.append(data)
        seen.add(SubjectId(subject))
        size += len(data)
        reached = (int(position), cursor)
    return Page(tuple(frames), frozenset(seen), reached, len(waiting) == MOST_FRAMES)


def _waiting_query(is_sqlite: bool) -> Any:
    larger = func.max if is_sqlite else func.greatest
    position: Function[int] = larger(FrameRow.cursor, AccessRow.granted)
    return (
        select(position, FrameRow.cursor, FrameRow.subject)
        .join(AccessRow, AccessRow.subject == FrameRow.subject)  # type: ignore[arg-type]
        .where(col(AccessRow.audience).in_(bindparam("audiences", expanding=True)))
        .where(FrameRow.device != bindparam("own", type_=Id()))
        .where(or_(position > bindparam("at"),
                   and_(position == bindparam("at"), col(FrameRow.cursor) > bindparam("behind"))))
        .order_by(position, FrameRow.cursor)  # type: ignore[arg-type]
        .limit(bindparam("most"))
    )  # fmt: skip


_WAITING = {is_sqlite: _waiting_query(is_sqlite) for is_sqlite in (True, False)}
_BYTES = select(FrameRow.cursor, FrameRow.data).where(col(FrameRow.cursor).in_(bindparam("cursors", expanding=True)))
"""Made once: a page is asked for so often that building its statements anew would cost more than running them."""


def _waiting(session: Session, person: PersonId, own: DeviceId, after: tuple[int, int]) -> list[tuple[int, int, str]]:
    """(position, cursor, subject) of the frames that come next, in their order, at most MOST_FRAMES."""
    query = _WAITING[session.get_bind().dialect.name == "sqlite"]
    asked = {"audiences": audiences(person), "own": own, "at": after[0], "behind": after[1], "most": MOST_FRAMES}
    return [(at, cursor, subject) for at, cursor, subject in session.connection().execute(query, asked)]


def _bytes_of(session: Session, waiting: Sequence[tuple[int, int, str]]) -> Iterator[bytes]:
    """The wire bytes of these frames in this order, read some at a time: a page rarely needs all that wait."""
    connection = session.connection()
    for at in range(0, len(waiting), READ_TOGETHER):
        cursors = [cursor for _, cursor, _ in waiting[at : at + READ_TOGETHER]]
        data = {int(cursor): packed for cursor, packed in connection.execute(_BYTES, {"cursors": cursors})}
        for cursor in cursors:
            yield unpacked(data[cursor])


def subjects_for(session: Session, person: PersonId) -> list[SubjectId]:
    """Subjects the person's tablets hold by name, not as everybody."""
    rows = session.exec(select(AccessRow.subject).where(AccessRow.audience == person).order_by(col(AccessRow.subject)))
    return [SubjectId(id_) for id_ in rows]


def readable_subjects(session: Session, person: PersonId, wanted: Iterable[SubjectId]) -> list[SubjectId]:
    """Of these subjects the ones the person's tablet may hold whole, so that a digest may be compared."""
    wanted = list(wanted)
    if not wanted:
        return []
    rows = session.exec(
        select(AccessRow.subject)
        .where(AccessRow.subject.in_(wanted), AccessRow.audience.in_(audiences(person)))  # type: ignore[attr-defined]
        .distinct()
    )
    return sorted(SubjectId(id_) for id_ in rows)


def may_hold(session: Session, person: PersonId, subject: SubjectId) -> bool:
    """Whether the person's tablets may hold the subject, and with it its media."""
    return any(session.get(AccessRow, (audience, subject)) is not None for audience in audiences(person))
