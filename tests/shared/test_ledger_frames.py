"""Frames: what a seal vouches for, limits, and that no bytes make a reader fall over."""

from __future__ import annotations

import base64
from dataclasses import replace

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.ledger.crypto import sha256, verifying_key
from shared.ledger.frame import (
    FRAME_BYTES,
    FRAME_LINES,
    Frame,
    FrameUnreadable,
    cut,
    is_sealed,
    pieces,
    read_frames,
    read_header,
)
from shared.ledger.merge import operations_of
from shared.ledger.operation import LINE_BYTES, genesis
from shared.registry import BODIES
from tests.examples import examples
from tests.make import SUBJECT, a_chain, a_line, an_id

TABLET = a_chain(12)
FRAME = TABLET.frame(4, 9)
WIRE = FRAME.encoded()


def _read(data: bytes) -> list[Frame]:
    return read_frames(data[:-1].split(b"\n"))


def test_a_frame_reads_back_as_it_was_written() -> None:
    assert _read(WIRE) == [FRAME]
    assert _read(WIRE + TABLET.frame(10, 12).encoded()) == [FRAME, TABLET.frame(10, 12)]
    assert is_sealed(FRAME, TABLET.public)
    assert not is_sealed(FRAME, verifying_key(sha256(b"somebody else")))


def test_ids_follow_from_the_chain() -> None:
    assert list(FRAME.ids()) == TABLET.ids()[4:10]
    assert FRAME.header.prev == TABLET.ids()[3].hex()
    assert TABLET.frame(1, 3).header.prev == genesis(TABLET.id, SUBJECT).hex()


_other = {
    "count": st.integers(-2, 600),
    "device": st.integers(3, 60).map(an_id),
    "first": st.integers(-3, 2**70),
    "frame": st.integers(-1, 5),
    "prev": st.binary(min_size=32, max_size=32).map(bytes.hex) | st.sampled_from([id_.hex() for id_ in TABLET.ids()]),
    "seal": st.binary(max_size=80).map(lambda data: base64.b64encode(data).decode()) | st.text(max_size=90),
    "subject": st.integers(1, 60).map(an_id),
}


@st.composite
def changed_headers(draw: st.DrawFn) -> dict[str, object]:
    name = draw(st.sampled_from(sorted(_other)))
    fields = msgspec.structs.asdict(FRAME.header)
    value = draw(_other[name].filter(lambda value: value != fields[name]))
    return fields | {name: value}


@examples(1200)
@given(changed_headers())
def test_no_single_changed_header_field_passes_the_seal(fields: dict[str, object]) -> None:
    data = msgspec.json.encode(fields) + b"\n" + b"\n".join(FRAME.lines) + b"\n"
    try:
        frames = _read(data)
    except FrameUnreadable:
        return
    assert not is_sealed(frames[0], TABLET.public)


@examples(1200)
@given(st.integers(0, len(WIRE) - 1), st.integers(1, 255))
def test_no_single_changed_byte_passes_the_seal_as_something_else(at: int, by: int) -> None:
    data = WIRE[:at] + bytes([WIRE[at] ^ by]) + WIRE[at + 1 :]
    try:
        frames = read_frames(data[:-1].split(b"\n") if data.endswith(b"\n") else data.split(b"\n"))
    except FrameUnreadable:
        return
    # Base64 leaves bits of the last letter unused and JSON has more than one spelling: what is said stays the same.
    assert frames == [FRAME] or not is_sealed(frames[0], TABLET.public) or _same_but_seal(frames[0])


def _same_but_seal(frame: Frame) -> bool:
    mine, theirs = FRAME.header, frame.header
    same_seal = base64.b64decode(mine.seal) == base64.b64decode(theirs.seal)
    return frame.lines == FRAME.lines and same_seal and msgspec.structs.replace(theirs, seal=mine.seal) == mine


@examples(1000)
@given(st.permutations(range(6)), st.sets(st.integers(0, 5), max_size=5))
def test_lines_cannot_be_moved_or_left_out(order: list[int], without: set[int]) -> None:
    lines = tuple(FRAME.lines[number] for number in order if number not in without)
    if lines == FRAME.lines:
        return
    header = msgspec.structs.replace(FRAME.header, count=len(lines))
    assert not is_sealed(Frame(header, lines), TABLET.public)


def test_a_chain_of_one_subject_does_not_pass_for_another() -> None:
    """The lines are the same; only the subject, which no line names, differs."""
    other = replace(TABLET, chains={an_id(77): TABLET.chains[SUBJECT]})
    stolen = msgspec.structs.replace(FRAME.header, subject=an_id(77))
    assert not is_sealed(Frame(stolen, FRAME.lines), TABLET.public)
    assert is_sealed(other.frame(4, 9, an_id(77)), TABLET.public)


@examples(800)
@given(st.binary(max_size=400) | st.integers(0, len(WIRE)).map(lambda n: WIRE[:n]))
def test_whatever_the_bytes_they_are_frames_or_unreadable(data: bytes) -> None:
    try:
        frames = read_frames(data.split(b"\n"))
    except FrameUnreadable as error:
        assert error.reason in {"header", "version", "too_large", "cut"}
        return
    for frame in frames:
        is_sealed(frame, TABLET.public)
        operations_of(frame, BODIES)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"count": 0}, "too_large"),
        ({"count": FRAME_LINES + 1}, "too_large"),
        ({"frame": 2}, "version"),
        ({"first": 0}, "header"),
        ({"first": 2**63}, "header"),
        ({"first": 2**80}, "header"),
        ({"prev": "0" * 63}, "header"),
        ({"device": "not an id"}, "header"),
        ({"subject": an_id(1).upper()}, "header"),
        ({"first": 1}, "header"),
    ],
)
def test_a_header_out_of_bounds_is_named(change: dict[str, object], reason: str) -> None:
    line = msgspec.json.encode(msgspec.structs.asdict(FRAME.header) | change)
    with pytest.raises(FrameUnreadable) as caught:
        read_header(line)
    assert caught.value.reason == reason


@examples(300)
@given(st.lists(st.integers(1, LINE_BYTES) | st.integers(1, 300), max_size=30))
def test_pieces_keep_to_the_limits_and_lose_nothing(sizes: list[int]) -> None:
    lines = [b"x" * size for size in sizes]
    runs = pieces(lines)
    assert [line for run in runs for line in run] == lines
    for run in runs:
        assert 1 <= len(run) <= FRAME_LINES
        assert sum(len(line) + 1 for line in run) <= FRAME_BYTES


def test_a_long_run_becomes_frames_of_five_hundred() -> None:
    assert [len(run) for run in pieces([b"{}"] * 1201)] == [500, 500, 201]


def test_the_largest_frame_is_read_and_one_byte_more_is_not() -> None:
    whole = [b"x" * (LINE_BYTES - 1)] * 4
    frame = cut(TABLET.secret, TABLET.id, SUBJECT, 1, genesis(TABLET.id, SUBJECT), whole)
    assert _read(frame.encoded()) == [frame]
    above = cut(TABLET.secret, TABLET.id, SUBJECT, 1, genesis(TABLET.id, SUBJECT), [*whole, b""])
    with pytest.raises(FrameUnreadable) as caught:
        _read(above.encoded())
    assert caught.value.reason == "too_large"


def test_an_unreadable_line_keeps_its_place_and_those_behind_it_stand() -> None:
    lines = [a_line(1, 1), b"not an operation", a_line(3, 3)]
    frame = cut(TABLET.secret, TABLET.id, SUBJECT, 1, genesis(TABLET.id, SUBJECT), lines)
    operations, unreadable = operations_of(frame, BODIES)
    assert [operation.seq for operation in operations] == [1, 3]
    assert unreadable == [(frame.ids()[1].hex(), "not_json")]
    assert [operation.id for operation in operations] == [frame.ids()[0].hex(), frame.ids()[2].hex()]
