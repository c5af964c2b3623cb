"""Walks the whole ledger and the read log and names the first bad place of each kind. Changes nothing.

Checked: the bytes of every frame, its chain, its seal, its line in the frames table, the head of the ledger, the
spelling of every line. Source: SETTLED decisions 1, 5, 12, 65.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import zstandard
from sqlmodel import Session, col, func, select

from server.accounts.tables import DeviceRow
from server.ledger import queries
from server.ledger.opening import broken_read_log
from server.ledger.tables import ChainRow, FrameRow
from shared.accounts import Office as OfficeState
from shared.ledger.frame import Frame, FrameUnreadable, is_sealed
from shared.ledger.messages import next_ledger_head
from shared.ledger.operation import genesis, is_canonical


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


def verify(session: Session, progress: Callable[[int, int], None] = lambda done, of: None) -> Finding:
    """The state of the ledger. Stops at the first frame that is wrong: nothing behind it can be trusted."""
    found = Finding()
    walk = _Walk(session)
    total = session.exec(select(func.count()).select_from(FrameRow)).one()
    for row in _frames(session):
        wrong = walk.step(row)
        if wrong:
            found.wrong.append(f"position {row.cursor}, subject {row.subject}, device {row.device}: {wrong}")
            return found
        found.frames += 1
        found.operations += row.count
        if len(found.odd) < 20:
            found.odd += walk.odd
        if found.frames % 500 == 0:
            progress(found.frames, total)
    found.wrong += walk.end()
    line = broken_read_log(session)
    if line is not None:
        found.wrong.append(f"read log, line {line}: changed or missing")
    return found


def _frames(session: Session) -> Iterator[FrameRow]:
    return iter(session.exec(select(FrameRow).order_by(col(FrameRow.cursor)).execution_options(yield_per=200)))


class _Walk:
    """Heads of chains and of the ledger as they follow from the frames alone."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._head = bytes(32)
        self._chains: dict[tuple[str, str], tuple[int, str]] = {}
        self._keys = _keys(session)
        self.odd: list[str] = []

    def step(self, row: FrameRow) -> str:
        """What is wrong with this frame; empty when nothing is."""
        self.odd = []
        try:
            frame = queries.frame_of(row)
        except (FrameUnreadable, zstandard.ZstdError, ValueError, IndexError) as error:
            return f"cannot be read ({error})"
        wrong = self._misplaced(row, frame) or self._unsealed(frame)
        if wrong:
            return wrong
        ids = frame.ids()
        self._chains[row.device, row.subject] = (frame.last, ids[-1].hex())
        self._head = next_ledger_head(self._head, ids[-1])
        if self._head.hex() != row.ledger_head:
            return "the head of the ledger does not follow from the frames before"
        self.odd = [f"operation {id_.hex()}: not canonical" for id_, line in zip(ids, frame.lines, strict=True)
                    if not is_canonical(line)]  # fmt: skip
        return ""

    def _misplaced(self, row: FrameRow, frame: Frame) -> str:
        header = frame.header
        if (header.device, header.subject, header.first, header.count) != (
            row.device,
            row.subject,
            row.first,
            row.count,
        ):
            return "its header is not the one of its row"
        start = (0, genesis(row.device, row.subject).hex())
        seq, head = self._chains.get((row.device, row.subject), start)
        if (header.first, header.prev) != (seq + 1, head):
            return f"it does not follow operation {seq} of its chain"
        return "" if frame.ids()[-1].hex() == row.last_id else "its last id is not the one of its row"

    def _unsealed(self, frame: Frame) -> str:
        device = frame.header.device
        if device not in self._keys:
            return "its device is unknown"
        return "" if is_sealed(frame, self._keys[device]) else "its seal is broken"

    def end(self) -> list[str]:
        """What is wrong at the end: the counter's head, the table of chains."""
        wrong = []
        if queries.counter(self._session).head != self._head.hex():
            wrong.append("the counter's head is not the one of the last frame: frames are missing at the end")
        kept = {(row.device, row.subject): (row.seq, row.head) for row in self._session.exec(select(ChainRow))}
        for place in sorted(kept.keys() | self._chains.keys()):
            if kept.get(place) != self._chains.get(place):
                wrong.append(f"chain of device {place[0]} on subject {place[1]}: table and frames differ")
                break
        return wrong


def _keys(session: Session) -> dict[str, bytes]:
    keys = {row.id: bytes.fromhex(row.sign_key) for row in session.exec(select(DeviceRow))}
    try:
        state: OfficeState = queries.the(session, "office")
    except LookupError:
        return keys
    return keys | {device: bytes.fromhex(key) for device, key in state.servers.items()}
