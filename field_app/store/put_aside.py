"""Frames of others that came by hand and that the office keeps aside: they stay here, and count no more than there.

What the office says of a frame this tablet offered decides, and only while nothing else came of it: the frame counts
again when the office hands it out. No network here. Source: SETTLED decisions 19, 20, 23; PROTOCOL P52.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

import msgspec

from field_app.store.held import Held
from field_app.store.kept import Pulled
from field_app.store.opened import Loose, Opened
from shared.ledger.door import place
from shared.ledger.frame import Frame, FrameHeader, read_frames
from shared.ledger.messages import Reply
from shared.values import SubjectId

ASIDE = ("quarantined", "kept_aside")
UNKNOWN_POSITION = 2**53 - 1
"""A frame that came by hand, of which nobody knows where the office has it: due again after every restore."""


class Refolded(NamedTuple):
    """Subjects as they are without what was put aside, and frames that now wait for it."""

    subjects: dict[SubjectId, Held]
    waiting: list[Loose]


def said_aside(opened: Opened, reply: Reply) -> list[Loose]:
    """Frames that came by hand, that were offered, and that the office says it keeps aside."""
    heads = {each.head for each in reply.receipt.frames if each.status in ASIDE}
    known = {each.number for each in opened.aside}
    came = [
        number for number in opened.meta.offers
        if heads and opened.pulled[number][0] == UNKNOWN_POSITION and number not in known
    ]  # fmt: skip
    found = [Loose(frame, number, True) for number in came if (frame := pulled_frame(opened, number)) is not None]
    return [each for each in found if each.frame.ids()[-1].hex() in heads]


def without(opened: Opened, gone: Sequence[Loose]) -> Refolded:
    """The subjects of these frames as they are without them."""
    refolded = Refolded({}, [])
    elsewhere = {each.number for each in (*gone, *opened.aside, *opened.loose)}
    for subject in {each.frame.header.subject for each in gone}:
        refolded.subjects[subject] = held = _own_part(opened, subject)
        numbers = [
            number for number, (_, header) in sorted(opened.pulled.items())
            if header.subject == subject and number not in elsewhere
        ]  # fmt: skip
        frames = [Loose(frame, number, True) for number in numbers if (frame := pulled_frame(opened, number))]
        refolded.waiting.extend(_placed(held, frames))
    return refolded


def _own_part(opened: Opened, subject: SubjectId) -> Held:
    old, device, held = opened.book.subjects[subject], opened.identity.device, Held(subject)
    if device in old.chains:
        held.chains[device] = old.chains[device][:]
    held.add(each for each in old.operations if each.device == device)
    return held


def _placed(held: Held, frames: list[Loose]) -> list[Loose]:
    """Puts frames behind their chains; those that find no place."""
    moved = True
    while moved and frames:
        moved, left = False, []
        for each in frames:
            header = each.frame.header
            ids = held.chains.get(header.device, [])
            verdict = place(each.frame, held.chain(header.device), set(ids[header.first - 1 : each.frame.last]))
            if verdict.status == "waiting":
                left.append(each)
            elif verdict.status == "accepted":
                held.extend(each.frame, verdict.skip)
                moved = True
        frames = left
    return frames


def came_back(opened: Opened, frames: Iterable[Frame]) -> dict[bytes, Loose]:
    """Frames put aside that the office hands out now, by their bytes: their seal is checked like any other's."""
    wires = {frame.encoded() for frame in frames}
    return {wire: Loose(each.frame, each.number) for each in opened.aside if (wire := each.frame.encoded()) in wires}


def still_aside(opened: Opened, more: Sequence[Loose], back: Mapping[bytes, Loose]) -> list[Loose]:
    """What is aside after a reply that puts more there and takes some back."""
    numbers = {each.number for each in back.values()}
    return [each for each in (*opened.aside, *more) if each.number not in numbers]


def with_children(opened: Opened, subjects: Collection[SubjectId]) -> set[SubjectId]:
    """These subjects and those that belong to them."""
    children = {id_ for id_, held in opened.book.subjects.items() if held.parent in subjects}
    return {*subjects, *children}


def head_of(opened: Opened, header: FrameHeader) -> str:
    """Id of the last operation of a frame of others that is held here; "" when it is not."""
    for each in (*opened.loose, *opened.aside):
        if each.frame.header == header:
            return each.frame.ids()[-1].hex()
    held = opened.book.subjects.get(header.subject)
    ids = held.chains.get(header.device, []) if held else []
    last = header.first + header.count - 1
    return ids[last - 1] if last <= len(ids) else ""


def pulled_frame(opened: Opened, number: int) -> Frame | None:
    """A frame of another device as it came; None when its row cannot be read."""
    plain = opened.database.get("pulled", number)
    if plain is None:
        return None
    return read_frames(msgspec.msgpack.decode(plain, type=Pulled).frame[:-1].split(b"\n"))[0]
