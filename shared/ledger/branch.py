"""A branch that a person took in: a second history of one chain, carried whole inside operations of the office.

A chain has one line at each place, so the frame of a fork has no place of its own. The office hands it on in its own
operations, seal and all: whoever folds the subject folds the lines of the branch too, each at its own (clock, device,
seq, id). Decides nothing; only what a person accepted comes here. Source: PROTOCOL P36-P38.
"""

from __future__ import annotations

import base64
import zlib
from collections.abc import Iterable

from shared.ledger.crypto import sha256
from shared.ledger.frame import FRAME_BYTES, Frame, FrameUnreadable, read_frames
from shared.ledger.merge import operations_of
from shared.ledger.operation import Body, Operation

PART_BYTES = 180 * 1024
"""Packed bytes an operation carries: with Base64 a line stays below 256 KiB."""
WIRE_BYTES = FRAME_BYTES + 4096
"""A frame with its header line."""


class BranchTakenIn(Body, frozen=True):
    """Part `part` of `parts` of the packed frame whose wire bytes have the hash `frame`: Base64 of zlib."""

    KIND = "branch_taken_in"
    frame: str
    part: int
    parts: int
    packed: str


def branch_bodies(frame: Frame) -> list[BranchTakenIn]:
    """The operations that carry a frame, in order."""
    wire = frame.encoded()
    packed = zlib.compress(wire, 9)
    runs = [packed[at : at + PART_BYTES] for at in range(0, len(packed), PART_BYTES)]
    name = sha256(wire).hex()
    return [
        BranchTakenIn(frame=name, part=number, parts=len(runs), packed=base64.b64encode(run).decode())
        for number, run in enumerate(runs, 1)
    ]


def branches(operations: Iterable[Operation]) -> list[Frame]:
    """The frames that these operations carry whole; what is cut, doubled or unreadable gives none."""
    parts: dict[tuple[str, str], dict[int, BranchTakenIn]] = {}
    for operation in operations:
        if isinstance(operation.body, BranchTakenIn):
            parts.setdefault((operation.subject, operation.body.frame), {}).setdefault(
                operation.body.part, operation.body
            )
    found = []
    for (subject, name), held in parts.items():
        frame = _joined(name, held)
        if frame is not None and frame.header.subject == subject:
            found.append(frame)
    return found


def _joined(name: str, held: dict[int, BranchTakenIn]) -> Frame | None:
    count = next(iter(held.values())).parts
    if len(held) != count or set(held) != set(range(1, count + 1)):
        return None
    try:
        packed = b"".join(base64.b64decode(held[number].packed, validate=True) for number in sorted(held))
        wire = zlib.decompressobj().decompress(packed, WIRE_BYTES)
        frames = read_frames(wire[:-1].split(b"\n"))
    except (ValueError, zlib.error, FrameUnreadable):
        return None
    return frames[0] if len(frames) == 1 and sha256(wire).hex() == name else None


def with_branches(operations: Iterable[Operation], bodies: dict[str, type[Body]]) -> list[Operation]:
    """The operations and, each once, those of the branches they carry; a branch inside a branch is not opened."""
    given = list(operations)
    if not any(isinstance(operation.body, BranchTakenIn) for operation in given):
        return given
    known = {operation.id: operation for operation in given}
    for frame in branches(given):
        for operation in operations_of(frame, bodies)[0]:
            known.setdefault(operation.id, operation)
    return list(known.values())
