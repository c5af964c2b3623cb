"""Everything of a store that is in memory between unlock and lock, and how it is read from the disk.

Database and copy hold the same own records under the same numbers; whichever lost one takes it from the other. Reading
never begins afresh: what cannot be placed is counted and reported. Source: SETTLED decisions 35, 36; SECURITY B.20.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import msgspec

from field_app.store.copy import Copy
from field_app.store.database import Database
from field_app.store.disk import drop_ballast
from field_app.store.errors import NotSaved, StoreDamaged, not_saved
from field_app.store.held import Book
from field_app.store.kept import (
    Draft,
    FrameState,
    Identity,
    KeptReceipt,
    MediaKept,
    Meta,
    OwnFrame,
    OwnIdentity,
    OwnNonce,
    OwnOperation,
    OwnRecord,
    Place,
    Pulled,
    SubjectKey,
    own_decoder,
    packed,
)
from shared.ledger.door import place
from shared.ledger.frame import Frame, FrameHeader, read_frames, read_header
from shared.ledger.operation import LineUnreadable, Operation, decode_line, genesis, next_id
from shared.registry import BODIES
from shared.values import DeviceId, OperationId, PersonId, SubjectId

Result = TypeVar("Result")


@dataclass
class Cut:
    """A frame cut here and what became of it; `number` is that of its own record."""

    number: int
    header: FrameHeader
    head: str
    state: FrameState = FrameState("cut")

    @property
    def last(self) -> int:
        """Seq of its last operation."""
        return self.header.first + self.header.count - 1

    @property
    def is_received(self) -> bool:
        """Whether the office's signed receipt says it holds these bytes."""
        return self.state.status in ("accepted", "already")


@dataclass(frozen=True)
class Loose:
    """A frame of another device that is kept and not folded: it waits for an earlier one of its chain, or for the key
    of its device. number: of its row; 0 when it has none. is_checked: its seal was found good."""

    frame: Frame
    number: int = 0
    is_checked: bool = False


@dataclass
class Damage:
    """What a start found wrong and what it could not mend; shown on T11, never hidden.

    A copy torn at its end alone is what a kill leaves behind, no damage."""

    rebuilt: bool = False
    is_copy_torn: bool = False
    mended: int = 0
    lost_rows: int = 0
    unplaced: int = 0
    lost_files: int = 0

    @property
    def is_none(self) -> bool:
        """Whether all was well."""
        return not (self.rebuilt or self.mended or self.lost_rows or self.unplaced or self.lost_files)


@dataclass
class Opened:
    """An unlocked store."""

    folder: Path
    key: bytes
    database: Database
    copy: Copy
    identity: Identity = field(default_factory=lambda: Identity(b"", b""))
    book: Book = field(default_factory=Book)
    numbers: dict[SubjectId, list[int]] = field(default_factory=dict)
    cuts: list[Cut] = field(default_factory=list)
    meta: Meta = field(default_factory=Meta)
    nonce: str = ""
    keys: dict[str, SubjectKey] = field(default_factory=dict)
    key_rows: dict[str, int] = field(default_factory=dict)
    drafts: dict[str, tuple[int, Draft]] = field(default_factory=dict)
    place: Place | None = None
    media: dict[str, tuple[int, MediaKept]] = field(default_factory=dict)
    receipts: list[KeptReceipt] = field(default_factory=list)
    pulled: dict[int, tuple[int, FrameHeader]] = field(default_factory=dict)
    loose: list[Loose] = field(default_factory=list)
    aside: list[Loose] = field(default_factory=list)
    """Frames of others that came by hand and that the office keeps aside."""
    damage: Damage = field(default_factory=Damage)
    is_short: bool = False
    """The ballast was given up; it is laid again behind the first save that finds room."""
    lay_ballast: Callable[[], None] = lambda: None

    def write(self, work: Callable[[Writing], Result]) -> Result:
        """Runs `work` in one transaction of database and copy; when it returns, all of it is on the disk.

        work   changes rows only, nothing in memory; runs again after the ballast was given up for it

        Raises NotSaved, StorageFull; then nothing was written.
        """
        try:
            result = self._write_once(work)
        except NotSaved:  # a full disk has many names; where it is something else, writing once more does no harm
            if not self.gave_room():
                raise
            return self._write_once(work)
        if self.is_short:
            self.lay_ballast()
        return result

    def gave_room(self) -> bool:
        """Gives the ballast up; whether there was one."""
        dropped = drop_ballast(self.folder)
        self.is_short = self.is_short or dropped
        return dropped

    def _write_once(self, work: Callable[[Writing], Result]) -> Result:
        size = self.copy.size
        try:
            self.database.begin()
            writing = Writing(self.database)
            result = work(writing)
            if writing.records:
                self.copy.append(writing.records)
            self.database.commit()
        except (OSError, sqlite3.Error) as error:
            self.database.roll_back()
            with contextlib.suppress(OSError):
                self.copy.cut_back(size)
            raise not_saved(error) from error
        except BaseException:
            self.database.roll_back()
            with contextlib.suppress(OSError):
                self.copy.cut_back(size)
            raise
        return result

    def cut_of(self, subject: SubjectId) -> int:
        """Seq of the last operation of an own chain that lies in a frame."""
        return max((cut.last for cut in self.cuts if cut.header.subject == subject), default=0)

    def own_lines(self, subject: SubjectId, first: int, last: int) -> list[bytes]:
        """Own lines of a subject by seq, both ends inclusive."""
        lines = []
        for number in self.numbers[subject][first - 1 : last]:
            plain = self._own(number)
            record = own_decoder.decode(plain) if plain is not None else None
            if not isinstance(record, OwnOperation):
                raise StoreDamaged(f"own {number}")
            lines.append(record.line)
        return lines

    def _own(self, number: int) -> bytes | None:
        """An own record; from the copy where the database went bad since the start."""
        with contextlib.suppress(sqlite3.DatabaseError):
            plain = self.database.get("own", number)
            if plain is not None:
                return plain
        return self.copy.read().bodies.get(number)

    def close(self) -> None:
        """Lets go of both files."""
        self.database.close()
        self.copy.close()


class Writing:
    """Changes of one transaction; own records go into database and copy under one number."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.records: list[tuple[int, bytes]] = []

    def own(self, record: OwnRecord) -> int:
        """Adds an own record; its number."""
        plain = packed(record)
        number = self.database.put("own", plain)
        self.records.append((number, plain))
        return number

    def put(self, table: str, record: msgspec.Struct, number: int | None = None) -> int:
        """Writes a row; its number."""
        return self.database.put(table, packed(record), number)

    def delete(self, table: str, number: int) -> None:
        """Removes a row."""
        self.database.delete(table, number)

    def delete_all(self, table: str, numbers: list[int]) -> None:
        """Removes several rows."""
        for number in numbers:
            self.database.delete(table, number)


# ── reading ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def load(opened: Opened, own: dict[int, bytes]) -> None:
    """Everything of the two files into memory, own records by number. Raises StoreDamaged, sqlite3.Error."""
    records = [(number, own_decoder.decode(plain)) for number, plain in own.items()]
    identities = [record.identity for _, record in records if isinstance(record, OwnIdentity)]
    if not identities:
        raise StoreDamaged("no identity")
    opened.identity = identities[-1]
    opened.nonce = next((record.nonce for _, record in reversed(records) if isinstance(record, OwnNonce)), "")
    chains = _load_chains(opened, [(number, each) for number, each in records if isinstance(each, OwnOperation)])
    database = opened.database
    states = {number: msgspec.msgpack.decode(plain, type=FrameState) for number, plain in database.rows("frame_state")}
    for number, record in records:
        if isinstance(record, OwnFrame):
            header = read_header(record.header)
            ids = chains.get(header.subject, [])
            last = header.first + header.count - 1
            if last <= len(ids):
                opened.cuts.append(Cut(number, header, ids[last - 1], states.get(number, FrameState("cut"))))
    for number, plain in database.rows("pulled"):
        pulled = msgspec.msgpack.decode(plain, type=Pulled)
        frame = read_frames(pulled.frame[:-1].split(b"\n"))[0]
        opened.pulled[number] = (pulled.bound, frame.header)
        (opened.aside if pulled.is_aside else opened.loose).append(Loose(frame, number, pulled.is_checked))
    settle_loose(opened)
    for held in opened.book.subjects.values():
        opened.book.changed(held)
    _load_rest(opened)


def _load_chains(opened: Opened, records: list[tuple[int, OwnOperation]]) -> dict[SubjectId, list[str]]:
    """Own operations into the book, chain by chain; what stands behind a hole is counted as unplaced.

    Raises StoreDamaged when both files lost the enrolment that they were written under.
    """
    device = opened.identity.device
    if records and not device:
        raise StoreDamaged("no enrolment")  # nobody can say whose these are, nor continue their chains
    chains: dict[SubjectId, list[str]] = {}
    waiting: dict[tuple[SubjectId, int], tuple[int, OwnOperation]] = {
        (record.subject, record.seq): (number, record) for number, record in records
    }
    for (subject, seq), (number, record) in sorted(waiting.items()):
        ids = chains.setdefault(subject, [])
        if seq != len(ids) + 1:
            opened.damage.unplaced += 1
            continue
        before = bytes.fromhex(ids[-1]) if ids else genesis(device, subject)
        id_ = next_id(before, record.line).hex()
        ids.append(id_)
        opened.numbers.setdefault(subject, []).append(number)
        held = opened.book.at(subject)
        held.chains[device] = ids
        operation = operation_of(record, device, id_)
        if operation is not None:
            held.operations.append(operation)
            held.clock = max(held.clock, operation.clock)
    for subject in chains:
        held = opened.book.at(subject)
        held.add(())
    return chains


def operation_of(record: OwnOperation, device: DeviceId, id_: str) -> Operation | None:
    """The operation behind an own record; None for a line this version cannot read."""
    try:
        fields, body = decode_line(record.line, BODIES)
    except LineUnreadable:
        return None
    return Operation(
        id=OperationId(id_), subject=record.subject, device=device, seq=record.seq, clock=fields.clock,
        author=PersonId(fields.author), at=fields.at, kind=fields.kind, body=body,
    )  # fmt: skip


def settle_loose(opened: Opened) -> None:
    """Takes frames of others into the book as far as their seals were found good and they fit behind their chains."""
    moved = True
    while moved and opened.loose:
        moved = False
        left: list[Loose] = []
        for each in opened.loose:
            frame = each.frame
            if not each.is_checked:
                left.append(each)
                continue
            held = opened.book.at(frame.header.subject)
            ids = held.chains.get(frame.header.device, [])
            verdict = place(frame, held.chain(frame.header.device), set(ids[frame.header.first - 1 : frame.last]))
            if verdict.status == "accepted":
                held.extend(frame, verdict.skip)
                moved = True
            elif verdict.status == "waiting":
                left.append(each)
        opened.loose = left


def _load_rest(opened: Opened) -> None:
    database = opened.database
    for _, plain in database.rows("meta"):
        opened.meta = msgspec.msgpack.decode(plain, type=Meta)
    if any(table == "pulled" for table, _ in database.damaged):  # frames of others are gone: they are asked for again
        opened.meta = msgspec.structs.replace(opened.meta, cursor="")
    for number, plain in database.rows("subject_key"):
        key = msgspec.msgpack.decode(plain, type=SubjectKey)
        opened.keys[key.id], opened.key_rows[key.id] = key, number
    for number, plain in database.rows("draft"):
        draft = msgspec.msgpack.decode(plain, type=Draft)
        opened.drafts[draft.field] = (number, draft)
    for _, plain in database.rows("place"):
        opened.place = msgspec.msgpack.decode(plain, type=Place)
    for number, plain in database.rows("media"):
        media = msgspec.msgpack.decode(plain, type=MediaKept)
        opened.media[media.sha256] = (number, media)
    opened.receipts = [msgspec.msgpack.decode(plain, type=KeptReceipt) for _, plain in database.rows("receipt")]
