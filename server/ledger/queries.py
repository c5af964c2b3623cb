"""Reading the ledger: operations and folded states of subjects, chains, pages for tablets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import Function, and_, bindparam, func, or_
from sqlalchemy import select as columns
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


class Standing(NamedTuple):
    """A subject as its row has it."""

    id: SubjectId
    kind: str
    parent: SubjectId | None
    clock: int


class Chain(NamedTuple):
    """How far one device's chain on a subject is held: seq, id (64 hex) and clock of its last operation."""

    seq: int
    head: str
    clock: int


class Counter(NamedTuple):
    """The counter of the ledger: its number, the epoch, the head (64 hex)."""

    value: int
    epoch: int
    head: str


_s, _f, _c, _a, _n = (
    row.__table__.c for row in (SubjectRow, FrameRow, ChainRow, AccessRow, CounterRow)  # type: ignore[attr-defined]
)  # fmt: skip
_STANDING = columns(_s.id, _s.kind, _s.parent, _s.clock)
_SUBJECT = _STANDING.where(_s.id == bindparam("subject"))
_SUBJECTS = _STANDING.where(_s.id.in_(bindparam("subjects", expanding=True))).order_by(_s.id)
_LOCKED = _SUBJECTS.with_for_update()
_FRAMES = columns(_f.data).where(_f.subject == bindparam("subject")).order_by(_f.cursor)
_FRAMES_OF_MANY = (
    columns(_f.subject, _f.data).where(_f.subject.in_(bindparam("subjects", expanding=True))).order_by(_f.cursor)
)
_OF_KIND = columns(_s.id).where(_s.kind == bindparam("kind")).order_by(_s.id)
_CHILDREN = columns(_s.id, _s.kind).where(_s.parent == bindparam("subject")).order_by(_s.id)
_COUNTER = columns(_n.value, _n.epoch, _n.head).where(_n.id == 1)
_HEADS = columns(_c.subject, _c.seq, _c.head).where(_c.device == bindparam("device")).order_by(_c.subject)
_CHAINS = columns(_c.device, _c.seq, _c.head).where(_c.subject == bindparam("subject"))
_CHAIN = columns(_c.seq, _c.head, _c.clock).where(_c.device == bindparam("device"), _c.subject == bindparam("subject"))
_HEAD_AT = columns(_f.ledger_head).where(_f.cursor <= bindparam("position")).order_by(_f.cursor.desc()).limit(1)
_READABLE = (
    columns(_a.subject).distinct()
    .where(_a.subject.in_(bindparam("subjects", expanding=True)))
    .where(_a.audience.in_(bindparam("audiences", expanding=True)))
)  # fmt: skip
"""Made once, and run without rows becoming objects: a push asks these dozens of times."""


def frame_of(row: FrameRow) -> Frame:
    """The frame behind a row."""
    return frame_in(row.data)


def frame_in(data: bytes) -> Frame:
    """The frame in the bytes of its row."""
    return read_frames(unpacked(data)[:-1].split(b"\n"))[0]


def frames_of(session: Session, subject: SubjectId) -> list[FrameRow]:
    """Rows of the frames of a subject, oldest first."""
    return list(session.exec(select(FrameRow).where(FrameRow.subject == subject).order_by(col(FrameRow.cursor))))


def operations(session: Session, subject: SubjectId) -> list[Operation]:
    """Every readable operation of a subject."""
    found: list[Operation] = []
    for (data,) in session.connection().execute(_FRAMES, {"subject": subject}):
        found += operations_of(frame_in(data), BODIES)[0]
    return found


def standing(session: Session, subject: SubjectId) -> Standing | None:
    """What the row of a subject says; None for one that does not stand."""
    found = session.connection().execute(_SUBJECT, {"subject": subject}).first()
    return None if found is None else Standing(*found)


def standings(session: Session, subjects: Iterable[SubjectId], *, lock: bool = False) -> dict[SubjectId, Standing]:
    """As `standing`, of those that stand. `lock` keeps the rows, taken in the order of their ids, until the end."""
    ids = sorted(set(subjects))
    if not ids:
        return {}
    rows = session.connection().execute(_LOCKED if lock else _SUBJECTS, {"subjects": ids})
    return {row.id: Standing(*row) for row in rows}


def state(session: Session, subject: SubjectId, extra: Iterable[Operation] = ()) -> Any:
    """The folded state of a subject with the one it belongs to; None when nothing is known of it.

    extra  operations about to be appended
    """
    row = standing(session, subject)
    if row is None:
        return None
    parent = state(session, row.parent) if row.parent else None
    return state_of(row.kind, subject, [*operations(session, subject), *extra], parent)


def states(session: Session, wanted: Iterable[SubjectId]) -> dict[SubjectId, Any]:
    """The folded states of many subjects, each as `state` folds it, in two reads; unknown ones are left out."""
    rows = standings(session, wanted)
    held: dict[str, list[Operation]] = {id_: [] for id_ in rows}
    if rows:
        for subject, data in session.connection().execute(_FRAMES_OF_MANY, {"subjects": list(rows)}):
            held[subject] += operations_of(frame_in(data), BODIES)[0]
    parents = {row.parent: state(session, row.parent) for row in rows.values() if row.parent}
    return {id_: state_of(row.kind, id_, held[id_], parents.get(row.parent)) for id_, row in rows.items()}


def subjects(session: Session, kind: str) -> list[SubjectId]:
    """Ids of all subjects of a kind, oldest first."""
    return [SubjectId(id_) for (id_,) in session.connection().execute(_OF_KIND, {"kind": kind})]


def the(session: Session, kind: str) -> Any:
    """The state of the one subject of a kind (office, law, form, register). Raises LookupError before founding."""
    found = subjects(session, kind)
    if not found:
        raise LookupError(f"no {kind} subject: the office is not founded")
    return state(session, found[0])


def children(session: Session, subject: SubjectId, kind: str | None = None) -> list[SubjectId]:
    """Subjects that belong to this one."""
    rows = session.connection().execute(_CHILDREN, {"subject": subject})
    return [SubjectId(id_) for id_, of_kind in rows if not kind or of_kind == kind]


def counter(session: Session) -> Counter:
    """Position, epoch and head of the ledger now."""
    session.flush()
    row = session.connection().execute(_COUNTER).first()
    if row is None:
        raise LookupError("the office is not founded")
    return Counter(*row)


def counter_row(session: Session) -> CounterRow:
    """The counter's row, for who changes it: a restore and the epoch it begins."""
    row = session.get(CounterRow, 1, populate_existing=True)
    if row is None:
        raise LookupError("the office is not founded")
    return row


def chain(session: Session, device: DeviceId, subject: SubjectId) -> Chain | None:
    """How far the chain of a device on a subject is held; None before its first operation."""
    found = session.connection().execute(_CHAIN, {"device": device, "subject": subject}).first()
    return None if found is None else Chain(*found)


def chain_heads(session: Session, device: DeviceId) -> list[ChainHead]:
    """How far every chain of a device is held."""
    rows = session.connection().execute(_HEADS, {"device": device})
    return [ChainHead(SubjectId(subject), seq, head) for subject, seq, head in rows]


def subject_digest(session: Session, subject: SubjectId) -> str:
    """Digest over the chains held of a subject, as merge.digest."""
    return digest(
        (device, seq, head) for device, seq, head in session.connection().execute(_CHAINS, {"subject": subject})
    )


def head_at(session: Session, position: int) -> str | None:
    """The ledger head that stood at a position; None when no frame lies at or below it."""
    head: str | None = session.connection().execute(_HEAD_AT, {"position": position}).scalar()
    return head


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
    ids = list(wanted)
    if not ids:
        return []
    asked = {"subjects": ids, "audiences": audiences(person)}
    return sorted(SubjectId(id_) for (id_,) in session.connection().execute(_READABLE, asked))


def may_hold(session: Session, person: PersonId, subject: SubjectId) -> bool:
    """Whether the person's tablets may hold the subject, and with it its media."""
    return bool(readable_subjects(session, person, [subject]))
