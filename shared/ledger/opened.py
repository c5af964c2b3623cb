"""A frame opened: the ids of its chain, its readable lines with their bodies, its unreadable ones. Each is made once.

Decides nothing: whether the seal holds, where the frame fits and who may write it are questions of the door.
Source: SETTLED decisions 1, 8, 20.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from shared.ledger.frame import Frame
from shared.ledger.operation import Body, Line, LineUnreadable, Operation, decode_line, decode_lines, may_be_strange
from shared.values import OperationId, PersonId


class Opened(NamedTuple):
    """What a frame holds. Of each readable line in its order `places` says where in the frame from 0, `fields` and
    `bodies` what it says. `unreadable` names each line that cannot be read: (id, reason)."""

    frame: Frame
    ids: tuple[bytes, ...]
    places: Sequence[int]
    fields: list[Line]
    bodies: list[Body]
    unreadable: list[tuple[str, str]]

    def operations(self) -> list[Operation]:
        """The readable lines as operations with their places in the chain."""
        header, ids = self.frame.header, self.ids
        subject, device, first = header.subject, header.device, header.first
        return [
            Operation(
                OperationId(ids[place].hex()), subject, device, first + place, one.clock, PersonId(one.author), one.at,
                one.kind, body,
            )
            for place, one, body in zip(self.places, self.fields, self.bodies, strict=True)
        ]  # fmt: skip


def opened(frame: Frame, bodies: dict[str, type[Body]]) -> Opened:
    """Reads every line of a frame. An unreadable line keeps its place in the chain, so those behind it stand."""
    together = decode_lines(frame.lines, bodies)
    if together is None:
        return one_by_one(frame, bodies)
    return Opened(frame, frame.ids(), range(len(frame.lines)), *together, [])


def one_by_one(frame: Frame, bodies: dict[str, type[Body]]) -> Opened:
    """As `opened`, each line by itself: what a line that cannot be read needs."""
    found = Opened(frame, frame.ids(), [], [], [], [])
    places: list[int] = []
    strange = may_be_strange(b"\n".join(frame.lines))
    for place, line in enumerate(frame.lines):
        try:
            fields, body = decode_line(line, bodies, plain=not strange)
        except LineUnreadable as error:
            found.unreadable.append((found.ids[place].hex(), error.reason))
            continue
        places.append(place)
        found.fields.append(fields)
        found.bodies.append(body)
    return found._replace(places=places)
