"""A frame opened: the ids of its chain, its readable lines with their bodies, its unreadable ones. Each is made once.

Decides nothing: whether the seal holds, where the frame fits and who may write it are questions of the door.
Source: SETTLED decisions 1, 8, 20.
"""

from __future__ import annotations

from typing import NamedTuple

from shared.ledger.frame import Frame
from shared.ledger.operation import Body, Line, LineUnreadable, Operation, decode_line, may_be_strange
from shared.values import OperationId, PersonId


class Said(NamedTuple):
    """A readable line: its place in the frame from 0, its fields, its body."""

    place: int
    fields: Line
    body: Body


class Opened(NamedTuple):
    """What a frame holds. `unreadable` names each line that cannot be read: (id, reason)."""

    frame: Frame
    ids: tuple[bytes, ...]
    said: list[Said]
    unreadable: list[tuple[str, str]]

    def operations(self) -> list[Operation]:
        """The readable lines as operations with their places in the chain."""
        header, ids = self.frame.header, self.ids
        return [
            Operation(
                id=OperationId(ids[place].hex()), subject=header.subject, device=header.device,
                seq=header.first + place, clock=fields.clock, author=PersonId(fields.author), at=fields.at,
                kind=fields.kind, body=body,
            )
            for place, fields, body in self.said
        ]  # fmt: skip


def opened(frame: Frame, bodies: dict[str, type[Body]]) -> Opened:
    """Reads every line of a frame. An unreadable line keeps its place in the chain, so those behind it stand."""
    ids = frame.ids()
    said: list[Said] = []
    unreadable: list[tuple[str, str]] = []
    strange = may_be_strange(b"\n".join(frame.lines))
    for place, line in enumerate(frame.lines):
        try:
            fields, body = decode_line(line, bodies, plain=not strange)
        except LineUnreadable as error:
            unreadable.append((ids[place].hex(), error.reason))
            continue
        said.append(Said(place, fields, body))
    return Opened(frame, ids, said, unreadable)
