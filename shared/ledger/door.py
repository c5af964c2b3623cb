"""The door: what is refused, held back or taken in when a frame arrives. What counts is decided later, in the fold.

Pure: the caller has looked up what it knows of the device and of the chain. Source: SETTLED decisions 7, 8, 20.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from operator import lt
from typing import NamedTuple

from shared.ledger.frame import Frame
from shared.ledger.messages import FrameStatus, Reason
from shared.ledger.operation import Line, Operation

CLOCK_LEAP = 1_000_000


class Held(NamedTuple):
    """How far a chain is held: seq and id (hex) of its last operation; (0, genesis) when there is none."""

    seq: int
    id: str


@dataclass(frozen=True)
class Verdict:
    """What becomes of a frame; `skip` of its first operations are held already."""

    status: FrameStatus
    reason: Reason = ""
    skip: int = 0


def place(frame: Frame, held: Held, known_ids: Collection[str]) -> Verdict:
    """Where the frame stands against the chain held: fits, is known, waits for a gap, or is a fork.

    known_ids   ids (hex) of the chain's operations with seq in first-1 … last, as far as they are held
    """
    header, ids = frame.header, [id_.hex() for id_ in frame.ids()]
    if header.first > held.seq + 1:
        return Verdict("waiting", "gap")
    overlap = held.seq - header.first + 1
    if overlap == 0:
        return Verdict("accepted") if header.prev == held.id else Verdict("quarantined", "fork")
    if overlap < len(ids):
        return Verdict("accepted", "", overlap) if ids[overlap - 1] == held.id else Verdict("quarantined", "fork")
    return Verdict("already") if ids[-1] in known_ids else Verdict("quarantined", "fork")


def clocks_hold(operations: Collection[Operation] | Collection[Line], held_clock: int, subject_clock: int) -> bool:
    """Whether the clocks rise strictly in the chain and none leaps more than a million above the subject."""
    clocks = [operation.clock for operation in operations]
    if all(map(lt, [held_clock, *clocks], clocks)) and (not clocks or clocks[-1] <= subject_clock + CLOCK_LEAP):
        return True  # they rise, so the last one is the highest: none of them leaps
    last = held_clock
    for operation in operations:
        if operation.clock <= last or operation.clock > subject_clock + CLOCK_LEAP:
            return False
        last = operation.clock
        subject_clock = max(subject_clock, operation.clock)
    return True
