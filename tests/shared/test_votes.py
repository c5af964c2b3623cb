"""The arithmetic of a vote: a table of boundaries, and 10,000 random votes against a slow counter of its own."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from fractions import Fraction
from typing import cast

import msgspec
import pytest

from shared.errors import RuleBroken
from shared.law.law import Law, LawBook, read_rules
from shared.values import PersonId
from shared.vote_steps import Tally, mixed
from shared.votes import Choice, Count, Ground, Place, count_votes, entitled, needed_for, quorum

TODAY = date(2026, 11, 22)
BOOK = read_rules()
LAW = BOOK.on(TODAY)
CHAIR = PersonId("m00")


def people(count: int, first: int = 0) -> frozenset[PersonId]:
    return frozenset(PersonId(f"m{number:02}") for number in range(first, first + count))


def law_with(**values: str) -> Law:
    book: LawBook = BOOK
    for name, value in values.items():
        unit = "of members" if name == "majority_of_base" else None
        key = "council.majority" if name == "majority_of_base" else f"council.{name}"
        book = book.changed(
            key,
            value,
            legal_basis="",
            confidence="U",
            decided_on=TODAY,
            valid_from=TODAY,
            unit=unit or BOOK.on(TODAY).rule(key).unit,
        )
    return book.on(TODAY)


def a_count(votes: str, base: int = 11, *, recused: int = 0, not_there: int = 0, is_open: bool = False) -> Count:
    """votes "ffaa-" = m00 for, m01 for, m02 against, m03 against, m04 abstains; recused, not there: at the end."""
    choices: dict[str, Choice] = {"f": "for", "a": "against", "-": "abstain"}
    return Count(
        members=people(base),
        votes={PersonId(f"m{seat:02}"): choices[mark] for seat, mark in enumerate(votes) if mark in choices},
        recused=people(recused, base - recused),
        not_taking_part=people(not_there, base - recused - not_there),
        chair=CHAIR,
        is_open=is_open,
    )


@pytest.mark.parametrize(
    ("base", "needed"),
    [(1, 1), (2, 2), (3, 2), (4, 3), (5, 4), (6, 4), (7, 5), (8, 6), (9, 6), (10, 7), (11, 8), (12, 8)],
)
def test_quorum_is_two_thirds_rounded_up(base: int, needed: int) -> None:
    assert quorum(base, LAW) == needed


def test_there_is_no_quorum_without_members() -> None:
    with pytest.raises(RuleBroken, match="no_members"):
        quorum(0, LAW)
    with pytest.raises(RuleBroken, match="no_members"):
        count_votes(Count(frozenset(), {}), LAW)


@pytest.mark.parametrize(("present", "needed"), [(0, 1), (1, 1), (2, 2), (7, 4), (8, 5), (9, 5), (10, 6), (11, 6)])
def test_a_simple_majority_is_more_than_half_of_those_taking_part(present: int, needed: int) -> None:
    assert needed_for(present, 11, LAW) == needed


@pytest.mark.parametrize(
    ("rule", "present", "base", "needed"), [("2/3", 9, 11, 6), ("2/3", 8, 11, 6), ("3/4", 8, 11, 6), ("2/3", 0, 11, 1)]
)
def test_a_share_means_at_least_that_share(rule: str, present: int, base: int, needed: int) -> None:
    assert needed_for(present, base, law_with(majority=rule)) == needed


def test_a_majority_may_be_of_the_base() -> None:
    assert needed_for(8, 11, law_with(majority_of_base="simple")) == 6
    assert needed_for(8, 12, law_with(majority_of_base="2/3")) == 8


@pytest.mark.parametrize(
    ("votes", "others", "outcome", "ground"),
    [
        ("fffffaaa", {}, "approved", Ground.MAJORITY),  # 8 vote, 5 needed: exactly n
        ("ffffaaa-", {}, "not_approved", Ground.TOO_FEW),  # n - 1, more for than against
        ("fffff---", {}, "approved", Ground.MAJORITY),
        ("ffff----", {}, "not_approved", Ground.TOO_FEW),  # abstentions count among those taking part
        ("ffffaaaa", {}, "approved", Ground.CHAIR_FOR),  # tie, the chair is for
        ("aaaaffff", {}, "not_approved", Ground.CHAIR_AGAINST),
        ("-fffaaa-", {}, "not_approved", Ground.CHAIR_SILENT),  # tie, the chair abstains
        (".ffffaaaa", {}, "not_approved", Ground.CHAIR_SILENT),  # tie, the chair did not vote
        ("fffaaa--", {}, "approved", Ground.CHAIR_FOR),  # a tie is a tie, whatever the abstentions
        ("fffffff", {}, "no_quorum", Ground.NO_QUORUM),  # 7 of 11, all for: quorum n - 1
        ("ffffffff", {}, "approved", Ground.MAJORITY),  # quorum exactly
        ("ffffffff", {"recused": 3}, "approved", Ground.MAJORITY),  # recused stay in the base of 11
        ("fffffff", {"recused": 4}, "no_quorum", Ground.NO_QUORUM),  # 7 left, all of them for
        ("ffffffff", {"not_there": 3}, "approved", Ground.MAJORITY),
        ("", {}, "no_quorum", Ground.NO_QUORUM),
        ("--------", {}, "not_approved", Ground.TOO_FEW),
        ("aaaaaaaaaaa", {}, "not_approved", Ground.TOO_FEW),
        ("fffffffffff", {}, "approved", Ground.MAJORITY),
    ],
)
def test_boundaries_of_a_closed_vote(votes: str, others: dict[str, int], outcome: str, ground: Ground) -> None:
    counted = count_votes(a_count(votes, **others), LAW)  # type: ignore[arg-type]
    assert (counted.outcome, counted.ground) == (outcome, ground)
    assert counted.result == outcome
    assert counted.chair_decided == (ground in (Ground.CHAIR_FOR, Ground.CHAIR_AGAINST))


def test_the_rules_change_the_outcome_and_not_the_code() -> None:
    assert count_votes(a_count("ffffaaaa"), law_with(tie="none")).ground is Ground.TIE
    assert count_votes(a_count("fffffaaa"), law_with(majority="2/3")).outcome == "not_approved"
    assert count_votes(a_count("ffffaaaa"), law_with(majority="2/3")).ground is Ground.TOO_FEW
    assert count_votes(a_count("fffff"), law_with(quorum="1/3")).outcome == "approved"
    assert count_votes(a_count("ffffff", recused=4), LAW).outcome == "no_quorum"
    assert count_votes(a_count("ffffff", recused=4), law_with(recused_in_base="no")).outcome == "approved"


def test_votes_that_may_not_count_are_left_aside_and_named() -> None:
    votes: dict[PersonId, Choice] = dict.fromkeys(people(8), "for")
    stranger = PersonId("guest")
    count = Count(
        members=people(11),
        votes=votes | {stranger: "for", PersonId("m10"): "for", PersonId("m09"): "for"},
        recused=frozenset({PersonId("m10"), PersonId("nobody")}),
        not_taking_part=frozenset({PersonId("m09")}),
    )
    counted = count_votes(count, LAW)
    assert counted.tally.votes_for == 8
    assert counted.tally.recused == 1
    assert counted.not_counted == {
        stranger: "not_entitled",
        PersonId("m10"): "recused",
        PersonId("m09"): "not_taking_part",
    }


def test_by_roll_call_who_is_there_takes_part_even_in_silence() -> None:
    count = replace(a_count("fffffa"), attending=people(10))
    counted = count_votes(count, LAW)
    assert (counted.tally.taking_part, counted.tally.needed_for, counted.outcome) == (10, 6, "not_approved")
    assert [seat.place for seat in counted.seats].count(Place.SILENT) == 4
    assert count_votes(replace(count, attending=people(8)), LAW).outcome == "approved"
    absent = replace(a_count("fffffffff"), attending=people(8))
    assert count_votes(absent, LAW).not_counted == {PersonId("m08"): "not_taking_part"}


class TestWhileOpen:
    def test_the_example_of_the_page(self) -> None:
        """Eleven members, one recused, one not there: four for, one against, one abstains, three may still vote."""
        counted = count_votes(a_count("ffffa-", recused=1, not_there=1, is_open=True), LAW)
        tally = counted.tally
        assert (tally.base, tally.quorum_needed, tally.taking_part, tally.needed_for) == (11, 8, 9, 5)
        assert (tally.votes_for, tally.missing, tally.may_vote, tally.voted) == (4, 1, 3, 6)
        assert (counted.outcome, counted.ground, counted.mark) == ("not_yet", Ground.OPEN_TOO_FEW, 5)
        places = [seat.place for seat in counted.seats]
        assert places == [Place.FOR] * 4 + [Place.MAY_VOTE] * 3 + [
            Place.ABSTAINED, Place.AGAINST, Place.NOT_THERE, Place.RECUSED,
        ]  # fmt: skip
        before_the_mark = places[: counted.mark]
        assert before_the_mark.count(Place.MAY_VOTE) == tally.missing

    def test_nothing_is_decided_by_an_open_vote(self) -> None:
        with pytest.raises(RuleBroken, match="vote_open"):
            _ = count_votes(a_count("fffffffffff", is_open=True), LAW).result

    @pytest.mark.parametrize(
        ("votes", "others", "ground"),
        [
            ("", {}, Ground.OPEN_TOO_FEW),
            ("ffffff", {}, Ground.OPEN_TOO_FEW),  # six of six needed, but the votes cast alone make no quorum
            ("ffffffaa", {}, Ground.OPEN_ENOUGH),
            ("fffffaaa", {}, Ground.OPEN_TOO_FEW),  # three who may still vote raise the number needed to six
            ("fffffaaa", {"not_there": 3}, Ground.OPEN_ENOUGH),
            ("", {"recused": 4}, Ground.OPEN_NO_QUORUM),
            ("aaaaaaaa", {}, Ground.OPEN_OUT_OF_REACH),
            ("faaaaa", {}, Ground.OPEN_TOO_FEW),  # five more for make six
            ("aaaaa-", {}, Ground.OPEN_TOO_FEW),  # five more for make a tie
            ("aaaaaa-", {}, Ground.OPEN_OUT_OF_REACH),
        ],
    )
    def test_as_things_stand(self, votes: str, others: dict[str, int], ground: Ground) -> None:
        assert count_votes(a_count(votes, is_open=True, **others), LAW).ground is ground

    def test_enough_is_said_only_when_closing_now_would_approve(self) -> None:
        for seed in range(3000):
            drawn, law = a_random_vote(random.Random(seed))
            count = replace(drawn, is_open=False, attending=None)
            standing = count_votes(replace(count, is_open=True), law)
            closed = count_votes(count, law)
            if standing.outcome == "approved":
                assert closed.outcome == "approved"
            if standing.ground is Ground.OPEN_OUT_OF_REACH:
                rest: dict[PersonId, Choice] = dict.fromkeys(entitled(count) - count.votes.keys(), "for")
                assert count_votes(replace(count, votes={**count.votes, **rest}), law).outcome != "approved"


def test_every_line_of_the_calculation_carries_its_rule() -> None:
    steps = count_votes(a_count("ffffa-", recused=1, not_there=1, is_open=True), LAW).steps
    assert [(step.name, step.result) for step in steps] == [
        ("base", 11), ("quorum", 8), ("taking_part", 9), ("needed", 5), ("votes_for", 4), ("missing", 1),
    ]  # fmt: skip
    assert steps[1].facts == {"base": 11, "share": "2/3", "exact": "7 1/3"}
    assert [step.rule.key if step.rule else None for step in steps] == [
        "council.recused_in_base", "council.quorum", None, "council.majority", None, None,
    ]  # fmt: skip
    assert [step.confidence for step in steps][:4] == ["U", "U", None, "U"]


def test_a_tie_shows_its_rule() -> None:
    step = count_votes(a_count("ffffaaaa"), LAW).steps[-1]
    assert (step.name, step.formula, step.rule and step.rule.key) == ("tie", "chair_for", "council.tie")


def test_a_decision_can_store_the_counts_and_names_nobody() -> None:
    counted = count_votes(a_count("fffffaaa"), LAW)
    stored = msgspec.json.encode([counted.tally, counted.rules, counted.steps])
    assert b"m0" not in stored
    assert msgspec.json.decode(msgspec.json.encode(counted.tally), type=Tally) == counted.tally
    assert {rule.key for rule in counted.unconfirmed} == {rule.key for rule in counted.rules}


@pytest.mark.parametrize(
    ("share", "text"), [("22/3", "7 1/3"), ("9/2", "4 1/2"), ("8/1", "8"), ("1/3", "1/3"), ("0/1", "0")]
)
def test_exact_numbers_without_a_decimal_sign(share: str, text: str) -> None:
    assert mixed(Fraction(share)) == text


def a_random_vote(draw: random.Random) -> tuple[Count, Law]:
    members = sorted(people(draw.randint(1, 15)))
    anyone = [*members, PersonId("x1"), PersonId("x2")]

    def some(most: int) -> frozenset[PersonId]:
        return frozenset(draw.sample(anyone, draw.randint(0, min(most, len(anyone)))))

    weights = draw.choice([(1, 1, 1), (5, 1, 1), (3, 3, 1), (4, 1, 3)])
    voters = draw.sample(anyone, draw.randint(0, len(anyone)))
    votes = {voter: cast(Choice, draw.choices(["for", "against", "abstain"], weights)[0]) for voter in voters}
    law = LAWS[draw.randrange(len(LAWS))]
    return Count(
        members=frozenset(members),
        votes=votes,
        recused=some(3),
        not_taking_part=some(3),
        chair=draw.choice([None, *anyone]),
        attending=draw.choice([None, None, some(17)]),
        is_open=draw.random() < 0.3,
    ), law


LAWS = [
    LAW,
    law_with(tie="none"),
    law_with(recused_in_base="no"),
    law_with(quorum="1/2"),
    law_with(quorum="1"),
    law_with(majority="2/3"),
    law_with(majority="3/4", tie="none"),
    law_with(majority_of_base="simple"),
    law_with(majority_of_base="2/3", recused_in_base="no"),
]


def slow_counter(count: Count, law: Law) -> dict[str, object]:
    """Counts heads one by one, in whole numbers only."""
    base = here = yes = no = abstained = 0
    keep_recused = law.value("council.recused_in_base") == "yes"
    votes: Mapping[str, str] = {str(voter): str(choice) for voter, choice in count.votes.items()}
    for member in sorted(count.members):
        if member in count.recused:
            base += 1 if keep_recused else 0
            continue
        base += 1
        if member in count.not_taking_part:
            continue
        if count.attending is not None and member not in count.attending:
            continue
        said = votes.get(member)
        if said is None and count.attending is None and not count.is_open:
            continue
        here += 1
        yes += said == "for"
        no += said == "against"
        abstained += said == "abstain"
    over, under = [int(part) for part in (str(law.value("council.quorum")) + "/1").split("/")[:2]]
    quorum_needed = 1  # even where all are recused and left out of the base
    while quorum_needed * under < over * base:
        quorum_needed += 1
    whole = here if law.rule("council.majority").unit == "of present" else base
    simple = law.value("council.majority") == "simple"
    needed = 1
    if simple:
        while needed * 2 <= whole:
            needed += 1
    else:
        top, bottom = [int(part) for part in str(law.value("council.majority")).split("/")]
        while needed * bottom < top * whole:
            needed += 1
    if here < quorum_needed:
        outcome = "no_quorum"
    elif yes >= needed:
        outcome = "approved"
    elif simple and yes == no and law.value("council.tie") == "chair":
        chair_votes = count.chair in count.members and count.chair not in count.recused | count.not_taking_part
        chair_votes = chair_votes and (count.attending is None or count.chair in count.attending)
        outcome = "approved" if chair_votes and votes.get(str(count.chair)) == "for" else "not_approved"
    else:
        outcome = "not_approved"
    return {
        "base": base, "quorum": quorum_needed, "here": here, "needed": needed,
        "for": yes, "against": no, "abstain": abstained, "outcome": outcome,
    }  # fmt: skip


def test_ten_thousand_random_votes_against_the_slow_counter() -> None:
    draw = random.Random(50)
    seen: set[object] = set()
    for _ in range(10_000):
        count, law = a_random_vote(draw)
        slow = slow_counter(count, law)
        counted = count_votes(count, law)
        tally = counted.tally
        assert {
            "base": tally.base, "quorum": tally.quorum_needed, "here": tally.taking_part, "needed": tally.needed_for,
            "for": tally.votes_for, "against": tally.against, "abstain": tally.abstained,
        } == {key: value for key, value in slow.items() if key != "outcome"}, count  # fmt: skip
        if not count.is_open:
            assert counted.outcome == slow["outcome"], count
        seen.add(counted.ground)
        assert sorted(seat.member for seat in counted.seats) == sorted(count.members)
        order = [list(Place).index(seat.place) for seat in counted.seats]
        assert order == sorted(order)
        assert tally.voted + len(counted.not_counted) == len(count.votes)
        assert tally.taking_part + tally.not_there + tally.recused == len(count.members)
    assert seen == set(Ground)
