"""Decisions about frames kept aside, and branches a person took in: pure, on every copy the same."""

from __future__ import annotations

import itertools

import msgspec
import pytest

from shared.accounts import DeviceEnrolled, Person, PersonAdded
from shared.ledger.branch import BranchTakenIn, branch_bodies, branches, with_branches
from shared.ledger.frame import FRAME_BYTES, Frame
from shared.ledger.merge import operations_of
from shared.ledger.operation import LINE_BYTES, encode_line
from shared.observations.answers import AnswerRecorded
from shared.observations.record import NoteRecorded, RecordOpened
from shared.quarantine import FrameKeptAside, FrameTakenIn, ReadingRestored
from shared.registry import BODIES, state_of
from shared.values import DeviceId, PersonId, SubjectId
from tests.make import AT, PERSON, SUBJECT, a_chain, a_device, a_line, an_id, an_operation

OFFICER, LEADER = PersonId(an_id(90)), PersonId(an_id(91))
TABLET = DeviceId(an_id(3))


def a_decision(kind: type, held: str = "revoked", second: str = LEADER, reason: str = "checked", head: str = "a" * 64):
    return kind(device=TABLET, subject=SUBJECT, first=1, count=2, head=head, held=held, reason=reason,
                second=PersonId(second))  # fmt: skip


def the_person(*bodies) -> Person:
    enrolled = DeviceEnrolled(device=TABLET, sign_key="1" * 64, box_key="2" * 64, label="Tablet")
    bodies = (PersonAdded(name="A"), enrolled, *bodies)
    operations = [
        an_operation(number, clock=number, seq=number, body=body, author=OFFICER, subject=PERSON)
        for number, body in enumerate(bodies, 1)
    ]
    return state_of("person", SubjectId(PERSON), operations)


def test_the_last_decision_stands_and_what_was_taken_in_stays_in() -> None:
    aside, taken = a_decision(FrameKeptAside), a_decision(FrameTakenIn)
    assert the_person(aside).frame_decisions["a" * 64].outcome == "kept_aside"
    assert the_person(aside, taken).frame_decisions["a" * 64].outcome == "taken_in"
    state = the_person(taken, aside)
    assert state.frame_decisions["a" * 64].outcome == "taken_in"
    assert [each.code for each in state.not_counted] == ["already_decided"]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (a_decision(FrameTakenIn, second=OFFICER), "same_person"),
        (a_decision(FrameKeptAside, second=""), "same_person"),
        (a_decision(FrameKeptAside, reason=""), "no_reason"),
        (a_decision(FrameTakenIn, held="bad_seal"), "frame_forged"),
        (ReadingRestored(device=TABLET, stopped="fork", reason="x", second=OFFICER), "same_person"),
        (ReadingRestored(device=DeviceId(an_id(77)), stopped="fork", reason="x", second=LEADER), "device_unknown"),
    ],
)
def test_what_two_people_cannot_decide_does_not_count(body, code) -> None:
    state = the_person(body)
    assert [each.code for each in state.not_counted] == [code]
    assert not state.frame_decisions
    assert not state.restored


def test_a_tablet_let_read_again_is_in_the_history() -> None:
    (restored,) = the_person(ReadingRestored(device=TABLET, stopped="twin", reason="found", second=LEADER)).restored
    assert (restored.author, restored.second, restored.stopped) == (OFFICER, LEADER, "twin")


# ── branches ────────────────────────────────────────────────────────────────────────────────────────────────────────


def a_branch(count: int = 2) -> Frame:
    """The second history of a chain: other lines at the same places, sealed by the same device."""
    device = a_device()
    for number in range(count):
        device.add(encode_line(AnswerRecorded(item="/mc/light", value=40 + number), PERSON, AT, number + 1))
    return device.frame(1, count)


def carried(frame: Frame, *, subject: str = SUBJECT, clock: int = 50):
    return [
        an_operation(900 + number, clock=clock + number, device=an_id(8), seq=number, body=body, subject=subject)
        for number, body in enumerate(branch_bodies(frame), 1)
    ]


def an_opened_record():
    return an_operation(800, clock=1, device=an_id(8), seq=1, body=RecordOpened(visit=an_id(5), checklists=()))


def test_a_branch_comes_out_as_it_went_in() -> None:
    frame = a_branch()
    assert [each.encoded() for each in branches(carried(frame))] == [frame.encoded()]


def test_both_histories_are_folded_in_whatever_order_they_came() -> None:
    main = operations_of(a_chain(2).frame(1, 2), BODIES)[0]
    operations = [an_opened_record(), *main, *carried(a_branch())]
    states = [state_of("record", SUBJECT, mixed) for mixed in itertools.permutations(operations)]
    assert set(states[0].answers.items) == {"/mc/beds", "/mc/light"}
    assert all(state == states[0] for state in states)


def test_operations_of_a_branch_are_taken_once() -> None:
    frame = a_branch()
    twice = with_branches([*carried(frame), *carried(frame, clock=70), *operations_of(frame, BODIES)[0]], BODIES)
    assert len([each for each in twice if each.device == TABLET]) == 2


def test_a_branch_of_the_largest_frame_fits_its_lines() -> None:
    device, size = a_device(), 0
    while size < FRAME_BYTES - 220_000:
        number = len(device.chains.get(SUBJECT, ()))
        noise = "".join(f"{(number * 7919 + at * 104729) ** 3 % 10**15:x}" for at in range(14_000))[:200_000]
        line = encode_line(NoteRecorded(key="0" * 32, sealed=noise), PERSON, AT, number + 1)
        device.add(line)
        size += len(line) + 1
    frame = device.frame(1, len(device.chains[SUBJECT]))
    bodies = branch_bodies(frame)
    assert len(bodies) > 1
    assert all(len(encode_line(body, PERSON, AT, 2**50)) <= LINE_BYTES for body in bodies)
    assert [each.encoded() for each in branches(carried(frame))] == [frame.encoded()]


def test_a_part_missing_changed_or_of_another_subject_folds_to_nothing() -> None:
    frame = a_branch()
    whole = carried(frame)[0]
    body = whole.body
    assert isinstance(body, BranchTakenIn)
    wrong = (
        msgspec.structs.replace(body, parts=2),
        msgspec.structs.replace(body, frame="0" * 64),
        msgspec.structs.replace(body, packed="!!"),
        msgspec.structs.replace(body, packed="AAAA"),
        msgspec.structs.replace(body, packed=""),
        msgspec.structs.replace(body, part=0),
    )
    for each in wrong:
        assert branches([an_operation(1, body=each)]) == []
        state = state_of("record", SUBJECT, [an_opened_record(), an_operation(1, clock=5, body=each)])
        assert state.not_counted == []
    assert branches(carried(frame, subject=an_id(44))) == []


@pytest.mark.parametrize("parts", [2**53 - 1, 0, -1])
def test_a_number_of_parts_that_nobody_could_send_costs_nothing(parts: int) -> None:
    (body,) = branch_bodies(a_branch(1))
    assert branches([an_operation(1, body=msgspec.structs.replace(body, parts=parts))]) == []


def test_a_branch_inside_a_branch_is_not_opened() -> None:
    inner = a_branch()
    device = a_device(4)
    for number, body in enumerate(branch_bodies(inner), 1):
        device.add(encode_line(body, PERSON, AT, number))
    outer = device.frame(1, len(device.chains[SUBJECT]))
    found = with_branches(carried(outer), BODIES)
    assert {each.device for each in found} == {DeviceId(an_id(8)), DeviceId(an_id(4))}


def test_a_line_of_a_branch_counts_by_its_own_clock_and_device() -> None:
    (line,) = operations_of(a_branch(1), BODIES)[0]
    folded = next(each for each in with_branches(carried(a_branch(1), clock=99), BODIES) if each.device == TABLET)
    assert folded == line
    assert a_line(1) not in a_branch(1).lines
