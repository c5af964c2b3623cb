"""Walks the whole ledger and the read log and names the first bad place of each kind. Changes nothing.

Checked: the bytes of every frame, its seal, its place in its chain and in the ledger, the head of the ledger, the
spelling of every line; then for every subject its kind, its clock, what it was accepted up to and who may hold it; the
read log. Frames are read one after another and never held whole; bytes, seals and spelling are checked by several
processes. Source: SETTLED decisions 1, 5, 12, 65.
"""

from __future__ import annotations

import multiprocessing
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from typing import NamedTuple

import zstandard
from sqlalchemy import select as columns
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError
from sqlmodel import Session, col, func, select

from server.ledger import queries
from server.ledger.opening import broken_read_log
from server.ledger.tables import AccessRow, ChainRow, FrameRow, SubjectRow
from shared.accounts import Office as OfficeState
from shared.accounts import Person
from shared.ledger.frame import Frame, FrameUnreadable, is_sealed, read_frames
from shared.ledger.messages import next_ledger_head
from shared.ledger.operation import genesis, is_canonical
from shared.permissions import readers
from shared.registry import kind_of_subject, state_of
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
    walk = _Walk()
    total = session.exec(select(func.count()).select_from(FrameRow)).one()
    for row, checked in _checked(_stored(session, above), processes if total >= WORTH_PROCESSES else 1):
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
    found.wrong += _subjects(session, walk, found.odd)
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


def _checked(rows: Iterable[Stored], processes: int) -> Iterator[tuple[Stored, Checked]]:
    """Every row with what its frame says, in order; at most a few runs are on their way at a time."""
    runs = _runs(rows)
    if processes < 2:
        for run in runs:
            yield from zip(run, check_run(run), strict=True)
        return
    waiting: deque[tuple[list[Stored], Future[list[Checked]]]] = deque()
    with ProcessPoolExecutor(processes, multiprocessing.get_context("spawn")) as pool:
        try:
            for run in runs:
                waiting.append((run, pool.submit(check_run, run)))
                if len(waiting) > 3 * processes:
                    first, done = waiting.popleft()
                    yield from zip(first, done.result(), strict=True)
            while waiting:
                first, done = waiting.popleft()
                yield from zip(first, done.result(), strict=True)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _runs(rows: Iterable[Stored]) -> Iterator[list[Stored]]:
    run: list[Stored] = []
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
        return wrong


def _subjects(session: Session, walk: _Walk, odd: list[str]) -> list[str]:
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
    for row in rows:
        wrong = _subject(session, row, walk.accepted.get(row.id, 0), audiences.get(row.id, set()))
        if wrong:
            return [f"subject {row.id}: {wrong}"]
    return []


def _subject(session: Session, row: SubjectRow, accepted: int, held: set[str]) -> str:
    if row.accepted != accepted:
        return f"its row says it was accepted up to {row.accepted}, its last frame lies at {accepted}"
    operations = queries.operations(session, SubjectId(row.id))
    if (kind := kind_of_subject(operations)) != row.kind:
        return f"its row says {row.kind}, its operations say {kind}"
    parent = queries.state(session, SubjectId(row.parent)) if row.parent else None
    state = state_of(row.kind, SubjectId(row.id), operations, parent)
    wanted = readers(state)
    if wanted - held:
        return f"{sorted(wanted - held)[0]} may hold it and does not get it"
    if held - wanted and not isinstance(state, Person):  # members of a common visit hold each other's
        return f"{sorted(held - wanted)[0]} gets it and may not hold it"
    return ""
