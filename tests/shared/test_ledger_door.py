"""The door against a slow, obvious model: hold every line of a chain and compare one by one."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from shared.ledger.crypto import sha256
from shared.ledger.door import CLOCK_LEAP, Held, Verdict, clocks_hold, place
from shared.ledger.frame import Frame, cut
from shared.ledger.operation import genesis
from tests.examples import examples
from tests.make import SUBJECT, a_device, a_line, an_operation

DEVICE = a_device()
START = genesis(DEVICE.id, SUBJECT)


def _ids(lines: list[bytes]) -> list[bytes]:
    ids = [START]
    for line in lines:
        ids.append(sha256(ids[-1] + line))
    return ids


def slow_place(chain: list[bytes], branch: list[bytes], first: int, last: int) -> Verdict:
    """What the model says of branch[first-1:last] when `chain` is held."""
    if first > len(chain) + 1:
        return Verdict("waiting", "gap")
    shared = min(len(chain), last)
    if chain[:shared] != branch[:shared]:
        return Verdict("quarantined", "fork")
    if last <= len(chain):
        return Verdict("already")
    return Verdict("accepted", "", len(chain) - first + 1)


@st.composite
def cases(draw: st.DrawFn) -> tuple[list[bytes], list[bytes], int, int]:
    """A chain held, a branch of the same device that may differ from some place on, and a part of the branch."""
    common = [a_line(number, number) for number in range(1, draw(st.integers(0, 6)) + 1)]
    held = common + [a_line(100 + number, 50) for number in range(draw(st.integers(0, 3)))]
    branch = common + [a_line(draw(st.integers(100, 103)) + number, 50) for number in range(draw(st.integers(0, 4)))]
    branch = branch or [a_line(1, 1)]
    first = draw(st.integers(1, len(branch)))
    return held, branch, first, draw(st.integers(first, len(branch)))


@examples(1200)
@given(cases())
def test_the_door_says_what_the_slow_model_says(case: tuple[list[bytes], list[bytes], int, int]) -> None:
    chain, branch, first, last = case
    ids, own = _ids(chain), _ids(branch)
    frame = cut(DEVICE.secret, DEVICE.id, SUBJECT, first, own[first - 1], branch[first - 1 : last])
    known = {id_.hex() for id_ in ids[max(0, first - 1) : last + 1]}
    assert place(frame, Held(len(chain), ids[-1].hex()), known) == slow_place(chain, branch, first, last)


def _as_frame(first: int, lines: list[bytes]) -> Frame:
    return cut(DEVICE.secret, DEVICE.id, SUBJECT, first, _ids(lines)[first - 1], lines[first - 1 :])


def test_the_same_frame_again_is_already_there() -> None:
    lines = [a_line(1, 1), a_line(2, 2)]
    ids = [id_.hex() for id_ in _ids(lines)]
    assert place(_as_frame(1, lines), Held(2, ids[2]), set(ids)) == Verdict("already")


def test_a_known_head_is_skipped_and_the_rest_taken() -> None:
    lines = [a_line(n, n) for n in range(1, 6)]
    ids = [id_.hex() for id_ in _ids(lines)]
    assert place(_as_frame(2, lines), Held(3, ids[3]), set(ids[1:4])) == Verdict("accepted", "", 2)


@examples(800)
@given(
    st.lists(st.integers(1, 2 * CLOCK_LEAP + 9) | st.integers(1, 9), max_size=6), st.integers(0, 9), st.integers(0, 9)
)
def test_clocks_rise_strictly_and_leap_at_most_a_million(clocks: list[int], held: int, subject: int) -> None:
    operations = [an_operation(n, clock=clock, seq=n) for n, clock in enumerate(clocks, 1)]
    rising = all(a < b for a, b in zip([held, *clocks], clocks, strict=False))
    highest = [max([subject, *clocks[:n]]) for n in range(len(clocks))]
    near = all(clock <= top + CLOCK_LEAP for clock, top in zip(clocks, highest, strict=True))
    assert clocks_hold(operations, held, subject) == (rising and near)
