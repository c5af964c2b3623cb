"""The laws of merging, literally, and the one order. A hundred examples once missed a tie that four thousand find."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from shared.ledger.merge import digest, fold, heads_digest, heads_moved, in_order, merge
from shared.ledger.operation import Operation
from shared.values import OperationId
from tests.examples import examples
from tests.make import an_id, an_operation

Known = dict[OperationId, Operation]

# Few clocks, devices and numbers, so that ties of every kind come up: also two statements with one seq.
operations = st.builds(
    lambda number, clock, device, seq: an_operation(number, clock=clock, device=an_id(device), seq=seq),
    st.integers(1, 40), st.integers(1, 3), st.integers(10, 12), st.integers(1, 3),
)  # fmt: skip


@st.composite
def worlds(draw: st.DrawFn) -> list[Operation]:
    """Operations that differ by id."""
    return draw(st.lists(operations, max_size=14, unique_by=lambda operation: operation.id))


@st.composite
def three(draw: st.DrawFn) -> tuple[Known, Known, Known]:
    """Three overlapping parts of one world."""
    world = draw(worlds())
    parts = [draw(st.sets(st.sampled_from(world))) if world else set() for _ in range(3)]
    a, b, c = ({operation.id: operation for operation in part} for part in parts)
    return a, b, c


@examples(1000)
@given(three())
def test_merge_is_commutative_associative_and_idempotent(parts: tuple[Known, Known, Known]) -> None:
    a, b, c = parts
    before = dict(a)
    assert merge(a, b.values()) == merge(b, a.values())
    assert merge(merge(a, b.values()), c.values()) == merge(a, merge(b, c.values()).values())
    assert merge(a, a.values()) == a
    assert merge(merge(a, b.values()), b.values()) == merge(a, b.values())
    assert merge(a, {}.values()) == a == before


@examples(1000)
@given(worlds(), st.randoms(use_true_random=False))
def test_the_order_is_total_and_the_same_whatever_came_first(world: list[Operation], luck: random.Random) -> None:
    mixed = list(world)
    luck.shuffle(mixed)
    assert in_order(mixed) == in_order(world)
    keys = [operation.order for operation in world]
    assert len(set(keys)) == len(keys)


@examples(600)
@given(worlds(), st.randoms(use_true_random=False))
def test_a_fold_does_not_depend_on_arrival(world: list[Operation], luck: random.Random) -> None:
    def apply(state: list[str], operation: Operation) -> None:
        state.append(operation.id)

    mixed = list(world)
    luck.shuffle(mixed)
    assert fold(world, [], apply) == fold(mixed, [], apply)


def test_two_statements_with_one_number_stand_in_one_order() -> None:
    first, second = an_operation(7, clock=5, seq=3), an_operation(8, clock=5, seq=3)
    assert in_order([second, first]) == in_order([first, second]) == [first, second]


@examples(500)
@given(worlds(), st.randoms(use_true_random=False))
def test_a_digest_tells_whether_two_copies_hold_the_same(world: list[Operation], luck: random.Random) -> None:
    last = {operation.device: operation for operation in sorted(world, key=lambda each: each.seq)}
    heads = [(operation.device, operation.seq, operation.id) for operation in last.values()]
    mixed = list(heads)
    luck.shuffle(mixed)
    assert digest(heads) == digest(mixed)
    for place, (device, seq, id_) in enumerate(heads):
        others = heads[:place] + heads[place + 1 :]
        assert len({digest(heads), digest(others), digest([*others, (device, seq + 1, id_)]),
                    digest([*others, (device, seq, an_operation(999).id)])}) == 4  # fmt: skip


@examples(200)
@given(st.randoms(use_true_random=False))
def test_the_digest_over_chains_moves_with_one_as_if_it_were_made_anew(luck: random.Random) -> None:
    chains: dict[str, tuple[int, str]] = {}
    moved = heads_digest(())
    for _ in range(luck.randint(1, 40)):
        subject = f"subject {luck.randrange(6)}"
        before = chains.get(subject)
        after = chains[subject] = ((before or (0, ""))[0] + luck.randint(1, 9), luck.randbytes(32).hex())
        moved = heads_moved(moved, subject, before, after)
        ends = [(subject, *end) for subject, end in chains.items()]
        luck.shuffle(ends)
        assert moved == heads_digest(ends)
        assert moved != heads_digest(ends[1:])
