"""Walks the whole ledger and the read log and names the first bad place of each kind. Changes nothing.

Checked: the bytes of every frame, its seal, its place in its chain and in the ledger, the head of the ledger, the
spelling of every line; then for every subject its kind, its clock, what it was accepted up to and who may hold it; the
read log. Frames are read one after another and never held whole; bytes, seals, spelling and what subjects say are
checked by several processes. Source: SETTLED decisions 1, 5, 12, 65.
"""

from __future__ import annotations

import multiprocessing
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple

import zstandard
from sqlalchemy import select as columns
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError
from sqlmodel import Session, col, func, select

from server.ledger import queries
from server.ledger.opening import broken_read_log
from server.ledger.tables import AccessRow, ChainRow, FrameRow, HeadsRow, SubjectRow
from shared.accounts import Office as OfficeState
from shared.accounts import Person
from shared.ledger.frame import Frame, FrameUnreadable, is_sealed, read_frames
from shared.ledger.merge import heads_digest, operations_of
from shared.ledger.messages import next_ledger_head
from shared.ledger.operation import Operation, genesis, is_canonical
from shared.permissions import readers
from shared.registry import BODIES, kind_of_subject, state_of
from shared.values import SubjectId

Progress = Callable[[int, int], None]
RUN = 64
"""Frames of one piece of work."""
WORTH_PROCESSES = 2000
"""Fewer frames are checked sooner than processes start."""
ODD_SHOWN = 20


@dataclass
class Finding:
    """What was walked, and what is wrong: places as words for a person. `odd` lines count for nothing by themselves."""

    frames: int = 0
    operations: int = 0
    wrong: list[str] = field(default_factory=list)
    odd: list[str] = field(default_factory=list)

    @property
    def is_whole(self) -> bool:
        """Whether nothing is wrong."""
        return not self.wrong


@dataclass(frozen=True, slots=True)
class Stored:
    """A row of the frames table; ids and hashes as text, the key of its device as hex ("" when nobody knows it)."""

    cursor: int
    subject: str
    device: str
    first: int
    count: int
    last_id: str
    data: bytes
    ledger_head: str
    key: str
    only_place: bool


Spread = Callable[[Callable[[list[Any]], list[Any]], Iterable[list[Any]]], Iterator[tuple[list[Any], list[Any]]]]
"""Does a piece of work for every run, here or in other processes, and gives each with what came of it, in order."""
UNREADABLE = (FrameUnreadable, zstandard.ZstdError, ValueError, IndexError)
"""What damaged bytes of a frame raise."""


class Checked(NamedTuple):
    """What a frame says by itself: what is wrong ("" for nothing), the id before it, ids of lines oddly spelled."""

    wrong: str
    prev: str
    odd: tuple[str, ...]


def verify(
    session: Session, progress: Progress = lambda done, of: None, *, processes: int = 1, above: int = 0
) -> Finding:  # fmt: skip
    """The state of the ledger. Stops at the first frame that is wrong: nothing behind it can be trusted.

    above  seals and spelling are checked above this position only; places, chains and heads from the beginning
    """
    found = Finding()
    try:
        return _walked(session, found, progress, processes, above)
    except DatabaseError as error:
        found.wrong.append(f"the database's own file is damaged behind frame {found.frames}: {error.orig}")
        found.wrong += _damaged_pages(session)
        return found


def _damaged_pages(session: Session) -> list[str]:
    """What SQLite says of its pages; other databases say it in their own logs."""
    if session.get_bind().dialect.name != "sqlite":
        return []
    session.rollback()
    try:
        return [str(row[0]) for row in session.execute(text("PRAGMA integrity_check(5)"))]
    except DatabaseError as error:
        return [str(error.orig)]


def _walked(session: Session, found: Finding, progress: Progress, processes: int, above: int) -> Finding:
    total = session.exec(select(func.count()).select_from(FrameRow)).one()
    if processes < 2 or total < WORTH_PROCESSES:
        return _seen(session, found, progress, above, total, lambda work, runs: ((run, work(run)) for run in runs))
    with ProcessPoolExecutor(processes, multiprocessing.get_context("spawn")) as pool:
        try:
            return _seen(session, found, progress, above, total, partial(_beside, pool, 3 * processes))
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _seen(session: Session, found: Finding, progress: Progress, above: int, total: int, spread: Spread) -> Finding:
    walk = _Walk()
    for row, checked in _checked(_stored(session, above), spread):
        wrong = checked.wrong or walk.step(row, checked.prev)
        if wrong:
            found.wrong.append(
                f"position {row.cursor}, subject {row.subject}, device {row.device}, operations {row.first} to "
                f"{row.first + row.count - 1}: {wrong}"
            )
            return found
        found.frames += 1
        found.operations += row.count
        found.odd += [f"operation {id_}: not canonical" for id_ in checked.odd][: ODD_SHOWN - len(found.odd)]
        if found.frames % 500 == 0:
            progress(found.frames, total)
    progress(found.frames, total)
    found.wrong += walk.end(session)
    found.wrong += _subjects(session, walk, found.odd, spread)
    line = broken_read_log(session)
    if line is not None:
        found.wrong.append(f"read log, line {line}: changed or missing")
    return found


# ── frames by themselves ────────────────────────────────────────────────────────────────────────────────────────────


def _stored(session: Session, above: int) -> Iterator[Stored]:
    keys = _keys(session)
    f = FrameRow.__table__.c  # type: ignore[attr-defined]
    query = columns(f.cursor, f.subject, f.device, f.first, f.count, f.last_id, f.data, f.ledger_head)
    query = query.order_by(f.cursor)
    for row in session.execute(query, execution_options={"yield_per": RUN}):
        yield Stored(*row, keys.get(row.device, ""), row.cursor <= above)


def _keys(session: Session) -> Mapping[str, str]:
    """Signing keys (hex) of every device, as the office's and the persons' own subjects name them.

    A subject that cannot be read names none: the walk comes to its damaged frame before any that a key of it seals.
    """
    keys: dict[str, str] = {}
    for subject in queries.subjects(session, "person"):
        with suppress(*UNREADABLE):
            state: Person = queries.state(session, subject)
            keys |= {device.id: device.sign_key for device in state.devices.values()}
    for subject in queries.subjects(session, "office"):
        with suppress(*UNREADABLE):
            office: OfficeState = queries.state(session, subject)
            keys.update(office.servers)
    return keys


def _checked(rows: Iterable[Stored], spread: Spread) -> Iterator[tuple[Stored, Checked]]:
    """Every row with what its frame says, in order."""
    for run, done in spread(check_run, _runs(rows)):
        yield from zip(run, done, strict=True)


def _beside(
    pool: ProcessPoolExecutor, most: int, work: Callable[[list[Any]], list[Any]], runs: Iterable[list[Any]]
) -> Iterator[tuple[list[Any], list[Any]]]:
    """Every run with what came of it, in order; at most so many are on their way at a time."""
    waiting: deque[tuple[list[Any], Future[list[Any]]]] = deque()
    for run in runs:
        waiting.append((run, pool.submit(work, run)))
        if len(waiting) > most:
            first, done = waiting.popleft()
            yield first, done.result()
    while waiting:
        first, done = waiting.popleft()
        yield first, done.result()


def _runs(rows: Iterable[Any]) -> Iterator[list[Any]]:
    run: list[Any] = []
    for row in rows:
        run.append(row)
        if len(run) == RUN:
            yield run
            run = []
    if run:
        yield run


def check_run(rows: list[Stored]) -> list[Checked]:
    """What each of these frames says by itself; runs in a process of its own."""
    return [_check(row) for row in rows]


def _check(row: Stored) -> Checked:
    try:
        frame = read_frames(queries.unpacked(row.data)[:-1].split(b"\n"))[0]
    except UNREADABLE as error:
        return Checked(f"cannot be read ({error})", "", ())
    header, ids = frame.header, frame.ids()
    if (header.device, header.subject, header.first, header.count) != (row.device, row.subject, row.first, row.count):
        return Checked("its header is not the one of its row", "", ())
    if ids[-1].hex() != row.last_id:
        return Checked("its last id is not the one of its row", "", ())
    if row.only_place:
        return Checked("", header.prev, ())
    return Checked(_unsealed(row, frame), header.prev, _odd(frame, ids))


def _unsealed(row: Stored, frame: Frame) -> str:
    if not row.key:
        return "its device is unknown"
    return "" if is_sealed(frame, bytes.fromhex(row.key)) else "its seal is broken"


def _odd(frame: Frame, ids: Sequence[bytes]) -> tuple[str, ...]:
    return tuple(id_.hex() for id_, line in zip(ids, frame.lines, strict=True) if not is_canonical(line))


# ── frames against each other ───────────────────────────────────────────────────────────────────────────────────────


class _Walk:
    """Heads of chains and of the ledger as they follow from the frames alone, and the last position of each subject."""

    def __init__(self) -> None:
        self._head = bytes(32)
        self._position = 0
        self._chains: dict[tuple[str, str], tuple[int, str]] = {}
        self.accepted: dict[str, int] = {}

    def step(self, row: Stored, prev: str) -> str:
        """What is wrong with the place of this frame; empty when nothing is."""
        start = (0, genesis(row.device, row.subject).hex())
        seq, head = self._chains.get((row.device, row.subject), start)
        if (row.first, prev) != (seq + 1, head):
            return f"it does not follow operation {seq} of its chain"
        self._head = next_ledger_head(self._head, bytes.fromhex(row.last_id))
        if self._head.hex() != row.ledger_head:
            return "the head of the ledger does not follow from the frames before"
        self._chains[row.device, row.subject] = (row.first + row.count - 1, row.last_id)
        self._position = self.accepted[row.subject] = row.cursor
        return ""

    def end(self, session: Session) -> list[str]:
        """What is wrong at the end: the counter, the table of chains."""
        wrong = []
        counter = queries.counter(session)
        if counter.head != self._head.hex():
            wrong.append("the counter's head is not the one of the last frame: frames are missing at the end")
        if counter.value < self._position:
            wrong.append(f"the counter stands at {counter.value}, the last frame at {self._position}")
        kept = {(row.device, row.subject): (row.seq, row.head) for row in session.exec(select(ChainRow))}
        for place in sorted(kept.keys() | self._chains.keys()):
            if kept.get(place) != self._chains.get(place):
                wrong.append(f"chain of device {place[0]} on subject {place[1]}: table and frames differ")
                break
        return [*wrong, *self._heads(session)]

    def _heads(self, session: Session) -> list[str]:
        """The first device whose digest is not the one over its chains."""
        chains: dict[str, list[tuple[str, int, str]]] = {}
        for (device, subject), (seq, head) in self._chains.items():
            chains.setdefault(device, []).append((subject, seq, head))
        should = {device: heads_digest(ends) for device, ends in chains.items()}
        kept = {row.device: row.digest for row in session.exec(select(HeadsRow))}
        wrong = sorted(device for device in should.keys() | kept.keys() if should.get(device) != kept.get(device))
        return [f"heads of device {wrong[0]}: not the digest over its chains"] if wrong else []


def _subjects(session: Session, walk: _Walk, odd: list[str], spread: Spread) -> list[str]:
    """The first subject whose row or whose audiences are not what its operations say."""
    rows = list(session.exec(select(SubjectRow).order_by(col(SubjectRow.id))))
    missing = sorted(walk.accepted.keys() - {row.id for row in rows})
    if missing:
        return [f"subject {missing[0]}: it has frames and no row"]
    behind = sum(row.projected < row.accepted for row in rows)
    if behind:
        odd.append(f"{behind} subjects wait to be projected")
    audiences: dict[str, set[str]] = {}
    for audience, subject in session.exec(select(AccessRow.audience, AccessRow.subject)):
        audiences.setdefault(subject, set()).add(audience)
    by_id = {row.id: row for row in rows}
    for run, done in spread(told_of_run, _runs(_kept(session, rows))):
        for kept, told in zip(run, done, strict=True):
            row = by_id[kept.subject]
            wrong = _subject(row, told, walk.accepted.get(row.id, 0), audiences.get(row.id, set()))
            if wrong:
                return [f"subject {row.id}: {wrong}"]
    return []


@dataclass(frozen=True, slots=True)
class Kept:
    """A subject with its packed frames, and the one it belongs to ("" for none) with its own."""

    subject: str
    kind: str
    frames: tuple[bytes, ...]
    parent: str
    parent_kind: str
    parent_frames: tuple[bytes, ...]


class Told(NamedTuple):
    """What the operations of a subject say: its kind, who may hold it, whether others may get it besides."""

    kind: str | None
    readers: frozenset[str]
    is_shared: bool


def _kept(session: Session, rows: Sequence[SubjectRow]) -> Iterator[Kept]:
    parents: dict[str, tuple[bytes, ...]] = {}
    kinds = {row.id: row.kind for row in rows}
    for row in rows:
        if row.parent and row.parent not in parents:
            if len(parents) >= RUN:  # records of a visit follow one another
                parents.clear()
            parents[row.parent] = _frames(session, row.parent)
        yield Kept(
            row.id, row.kind, _frames(session, row.id), row.parent or "", kinds.get(row.parent or "", ""),
            parents.get(row.parent or "", ()),
        )  # fmt: skip


def _frames(session: Session, subject: str) -> tuple[bytes, ...]:
    f = FrameRow.__table__.c  # type: ignore[attr-defined]
    return tuple(session.execute(columns(f.data).where(f.subject == subject).order_by(f.cursor)).scalars())


def told_of_run(run: list[Kept]) -> list[Told]:
    """What the operations of each of these subjects say; runs in a process of its own."""
    parents: dict[str, Any] = {}
    told = []
    for kept in run:
        if kept.parent_kind and kept.parent not in parents:
            above = _operations(kept.parent_frames)
            is_so = kind_of_subject(above) == kept.parent_kind
            parents[kept.parent] = state_of(kept.parent_kind, SubjectId(kept.parent), above) if is_so else None
        told.append(_told(kept, parents.get(kept.parent)))
    return told


def _told(kept: Kept, parent: Any) -> Told:
    operations = _operations(kept.frames)
    kind = kind_of_subject(operations)
    if kind != kept.kind:
        return Told(kind, frozenset(), False)
    state = state_of(kind, SubjectId(kept.subject), operations, parent)
    return Told(kind, frozenset(readers(state)), isinstance(state, Person))


def _operations(frames: Iterable[bytes]) -> list[Operation]:
    return [operation for data in frames for operation in operations_of(queries.frame_in(data), BODIES)[0]]


def _subject(row: SubjectRow, told: Told, accepted: int, held: set[str]) -> str:
    if row.accepted != accepted:
        return f"its row says it was accepted up to {row.accepted}, its last frame lies at {accepted}"
    if told.kind != row.kind:
        return f"its row says {row.kind}, its operations say {told.kind}"
    if told.readers - held:
        return f"{sorted(told.readers - held)[0]} may hold it and does not get it"
    if held - told.readers and not told.is_shared:  # members of a common visit hold each other's
        return f"{sorted(held - told.readers)[0]} gets it and may not hold it"
    return ""
