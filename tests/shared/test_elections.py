"""Rounds of an election against brute force for all small cases, ties and their next step."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from datetime import date

import pytest

from shared.elections import Poll, RoundResult, break_tie, count_round, tie_step
from shared.errors import RuleBroken
from shared.law.law import Law, read_rules
from shared.values import PersonId
from shared.votes import Choice

TODAY = date(2026, 11, 22)
BOOK = read_rules()
LAW = BOOK.on(TODAY)
A, B, C, D = (PersonId(name) for name in "ABCD")
MARKS: dict[str, Choice] = {"f": "for", "a": "against", "-": "abstain"}


def with_tie(value: str) -> Law:
    return BOOK.changed("election.tie", value, legal_basis="", confidence="U", decided_on=TODAY, valid_from=TODAY).on(
        TODAY
    )


def a_poll(*ballots: str, seats: int = 1, council: int = 0, **others: object) -> Poll:
    """Each ballot "ffa" = for A, for B, against C; council = members in office, as many as ballots unless told."""
    names = (A, B, C, D)[: max(len(ballot) for ballot in ballots)]
    return Poll(
        candidates=names,
        seats=seats,
        members=frozenset(PersonId(f"m{seat}") for seat in range(council or len(ballots))),
        ballots={
            PersonId(f"m{seat}"): {name: MARKS[mark] for name, mark in zip(names, ballot, strict=True)}
            for seat, ballot in enumerate(ballots)
        },
        **others,  # type: ignore[arg-type]
    )


def told(result: RoundResult) -> tuple[str, str, int, str | None]:
    return "".join(result.elected), "".join(result.tied), result.open_seats, result.next_step


@pytest.mark.parametrize(
    ("ballots", "seats", "expected"),
    [
        (("fa", "fa", "ff"), 1, ("A", "", 0, None)),
        (("ff", "ff", "fa"), 1, ("A", "", 0, None)),  # both have a majority, A has more
        (("ff", "ff", "ff"), 1, ("", "AB", 1, "second_round")),
        (("ff", "ff", "ff"), 2, ("AB", "", 0, None)),
        (("fff", "fff", "faa"), 2, ("A", "BC", 1, "second_round")),  # A is in, B and C share the last seat
        (("fff", "fff", "fff"), 2, ("", "ABC", 2, "second_round")),
        (("fa", "f-", "-f"), 2, ("A", "", 1, None)),  # B has no majority: the seat stays empty
        (("aa", "aa", "fa"), 2, ("", "", 2, None)),
        (("f", "f", "-", "-"), 1, ("", "", 1, None)),  # two of four is no majority, abstentions count
        (("f", "f", "f", "-"), 1, ("A", "", 0, None)),
        (("f", "f", "a", "a"), 1, ("", "", 1, None)),  # for = against: no casting vote for a candidate
    ],
)
def test_rounds(ballots: tuple[str, ...], seats: int, expected: tuple[str, str, int, str | None]) -> None:
    assert told(count_round(a_poll(*ballots, seats=seats), LAW)) == expected


def test_without_a_quorum_nobody_is_elected() -> None:
    result = count_round(a_poll(*["f"] * 7, council=11), LAW)
    assert told(result) == ("", "", 1, None)
    assert not result.quorum_met
    assert told(count_round(a_poll(*["f"] * 8, council=11), LAW)) == ("A", "", 0, None)


def test_a_relative_does_not_vote_on_that_candidate_and_votes_on_the_others() -> None:
    kin = {A: frozenset({PersonId("m0"), PersonId("m1")})}
    poll = a_poll("ff", "ff", "ff", "aa", "aa", "f-", council=6, recused_for=kin)
    standing = {each.candidate: each for each in count_round(poll, LAW).standings}
    assert standing[A].arithmetic.tally.votes_for == 2
    assert standing[A].arithmetic.tally.taking_part == 4
    assert standing[B].arithmetic.tally.votes_for == 3
    assert standing[B].arithmetic.tally.taking_part == 6


def test_a_candidate_missing_on_a_ballot_is_an_abstention() -> None:
    poll = Poll((A, B), 1, frozenset({PersonId("m0")}), {PersonId("m0"): {A: "for"}})
    standing = {each.candidate: each.arithmetic.tally for each in count_round(poll, LAW).standings}
    assert (standing[B].abstained, standing[B].taking_part) == (1, 1)


def test_strangers_and_the_recused_do_not_count() -> None:
    poll = a_poll("f", "f", "f", "a", council=4, recused=frozenset({PersonId("m0")}))
    poll = Poll(poll.candidates, 1, poll.members, {**poll.ballots, PersonId("guest"): {A: "for"}}, recused=poll.recused)
    tally = count_round(poll, LAW).standings[0].arithmetic.tally
    assert (tally.votes_for, tally.taking_part, tally.base) == (2, 3, 4)


@pytest.mark.parametrize(
    ("rule", "number", "is_secret", "step"),
    [
        ("second_round", 1, False, "second_round"),
        ("second_round", 1, True, "second_round"),
        ("second_round", 2, False, "chair"),
        ("second_round", 2, True, "lot"),
        ("chair", 1, False, "chair"),
        ("chair", 1, True, "lot"),
        ("lot", 1, False, "lot"),
        ("lot", 2, False, "lot"),
    ],
)
def test_what_decides_a_tie(rule: str, number: int, is_secret: bool, step: str) -> None:
    assert tie_step(number, is_secret, with_tie(rule)) == step


def test_a_second_tie_is_decided_for_exactly_the_open_seats() -> None:
    result = count_round(a_poll("fff", "fff", "faa", seats=2, number=2), LAW)
    assert told(result) == ("A", "BC", 1, "chair")
    assert break_tie(result, [C]) == (A, C)
    for wrong in ([], [A], [D], [B, C], [B, B]):
        with pytest.raises(RuleBroken, match="candidate_unknown"):
            break_tie(result, wrong)


def test_the_chair_cannot_pass_over_the_second_round() -> None:
    result = count_round(a_poll("ff", "ff", "ff"), LAW)
    with pytest.raises(RuleBroken, match="candidate_unknown"):
        break_tie(result, [A])


def test_the_order_on_the_ballot_never_decides() -> None:
    forward = count_round(a_poll("fff", "ff-", "fa-", seats=1), LAW)
    poll = a_poll("fff", "ff-", "fa-", seats=1)
    for order in itertools.permutations(poll.candidates):
        turned = count_round(Poll(order, 1, poll.members, poll.ballots), LAW)
        assert (set(turned.elected), set(turned.tied)) == (set(forward.elected), set(forward.tied))


@pytest.mark.parametrize("seats", [0, -1])
def test_an_election_without_seats_is_refused(seats: int) -> None:
    with pytest.raises(RuleBroken):
        count_round(a_poll("f", seats=seats), LAW)


def test_a_candidate_stands_once() -> None:
    with pytest.raises(RuleBroken):
        count_round(Poll((A, A), 1, frozenset({PersonId("m0")}), {}), LAW)


def small_polls() -> Iterator[Poll]:
    """Every way to vote: up to 3 candidates, up to 4 votes each (as sums), silent members, 1 to 3 seats."""
    for candidates, voters in ((1, 4), (2, 3), (3, 2)):
        for ballots in itertools.product(map("".join, itertools.product("fa-", repeat=candidates)), repeat=voters):
            for seats in range(1, candidates + 1):
                for silent in (0, 1, 2):
                    yield a_poll(*ballots, seats=seats, council=voters + silent)


def brute_force(poll: Poll) -> tuple[set[str], set[str], int]:
    """By definition: in when fewer than `seats` rivals are as good; tied when only those ahead leave a seat."""
    voters, council = len(poll.ballots), len(poll.members)
    quorum_met = 3 * voters >= 2 * council
    votes = {name: [ballot[name] for ballot in poll.ballots.values()].count("for") for name in poll.candidates}
    able = {name: votes[name] for name in votes if quorum_met and 2 * votes[name] > voters}
    elected, tied = set(), set()
    for name, mine in able.items():
        better = sum(1 for other in able.values() if other > mine)
        as_good = sum(1 for other in able.values() if other >= mine)
        if as_good <= poll.seats:
            elected.add(str(name))
        elif better < poll.seats:
            tied.add(str(name))
    return elected, tied, poll.seats - len(elected)


def test_all_small_elections_against_brute_force() -> None:
    polls = ties = 0
    for poll in small_polls():
        result = count_round(poll, LAW)
        assert (set(result.elected), set(result.tied), result.open_seats) == brute_force(poll), poll
        assert bool(result.tied) == (result.next_step is not None)
        assert not result.tied or len(result.tied) > result.open_seats
        assert {each.candidate for each in result.standings} == set(poll.candidates)
        polls += 1
        ties += bool(result.tied)
    assert polls == 3 * (3**4 + 2 * 9**3 + 3 * 27**2)
    assert ties > 100


def test_many_random_elections_of_a_real_size() -> None:
    draw = random.Random(51)
    for _ in range(2000):
        names = 4
        ballots = ["".join(draw.choices("fa-", (3, 1, 1), k=names)) for _ in range(draw.randint(6, 11))]
        poll = a_poll(*ballots, seats=draw.randint(1, names), council=11)
        result = count_round(poll, LAW)
        assert (set(result.elected), set(result.tied), result.open_seats) == brute_force(poll)
        places = {str(each.candidate): each.place for each in result.standings}
        assert {name for name, place in places.items() if place == "elected"} == set(map(str, result.elected))


def test_a_decision_stores_the_rules_it_used() -> None:
    rules = count_round(a_poll("f"), LAW).rules
    assert [rule.key for rule in rules][-1] == "election.tie"
    assert rules[0].value == "2/3"
