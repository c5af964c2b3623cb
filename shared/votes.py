"""How an open vote of the Council comes out, with every step of the arithmetic.

Serves requests, elections and meetings; asked by folds, by the decision and by the page while the vote is open.
Decides nothing about who may be a member and never refuses a request: without a quorum or a majority a matter is
*not approved*. Source: SETTLED decision 50; the rules council.* of rules.toml.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction
from math import ceil, floor
from typing import Literal

import msgspec

from shared.errors import RuleBroken
from shared.law.law import Law, UsedRule
from shared.values import PersonId
from shared.vote_steps import Step as Step
from shared.vote_steps import Tally as Tally
from shared.vote_steps import majority_is_simple, steps_of

Choice = Literal["for", "against", "abstain"]
Result = Literal["approved", "not_approved", "no_quorum"]
Outcome = Literal["approved", "not_approved", "no_quorum", "not_yet"]  # not_yet only while the vote is open
RULES_USED = ("council.quorum", "council.majority", "council.tie", "council.recused_in_base")


class Place(StrEnum):
    """What a seat of the Council shows, in the order of the row."""

    FOR = "for"
    MAY_VOTE = "may_vote"
    ABSTAINED = "abstained"
    AGAINST = "against"
    SILENT = "silent"
    NOT_THERE = "not_there"
    RECUSED = "recused"


_PLACES: Mapping[Choice, Place] = {"for": Place.FOR, "against": Place.AGAINST, "abstain": Place.ABSTAINED}


class Ground(StrEnum):
    """Why the vote says so; the sentence stands under `votes.ground.<ground>`."""

    MAJORITY = "majority"
    CHAIR_FOR = "chair_for"
    CHAIR_AGAINST = "chair_against"
    CHAIR_SILENT = "chair_silent"
    TIE = "tie"
    TOO_FEW = "too_few"
    NO_QUORUM = "no_quorum"
    OPEN_ENOUGH = "open_enough"
    OPEN_TOO_FEW = "open_too_few"
    OPEN_NO_QUORUM = "open_no_quorum"
    OPEN_OUT_OF_REACH = "open_out_of_reach"


_TIES = frozenset({Ground.CHAIR_FOR, Ground.CHAIR_AGAINST, Ground.CHAIR_SILENT, Ground.TIE})


@dataclass(frozen=True, slots=True)
class Count:
    """What is counted.

    members          in office on the day (not the seats of the statute)
    recused          may not take part in this matter; those who are no members are left aside
    not_taking_part  marked as not there, or declared so
    votes            the last choice of each voter; a vote that may not count is left aside and named
    attending        who is there by roll-call: they take part even when they say nothing. None = no roll-call
                     (written poll): who has not voted at the close did not take part
    """

    members: frozenset[PersonId]
    votes: Mapping[PersonId, Choice]
    recused: frozenset[PersonId] = frozenset()
    not_taking_part: frozenset[PersonId] = frozenset()
    chair: PersonId | None = None
    attending: frozenset[PersonId] | None = None
    is_open: bool = False


class Seat(msgspec.Struct, frozen=True):
    """One seat of the row."""

    member: PersonId
    place: Place


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """The outcome and how it comes about.

    seats       every member in office once, in the order of the row
    mark        the mark of the needed number stands behind this seat, counted from 1; 0 = no seat
    not_counted votes left aside and why: not_entitled, recused, not_taking_part
    rules       the rules used, as a decision stores them
    """

    tally: Tally
    outcome: Outcome
    ground: Ground
    is_open: bool
    seats: tuple[Seat, ...]
    mark: int
    steps: tuple[Step, ...]
    rules: tuple[UsedRule, ...]
    not_counted: Mapping[PersonId, str] = field(default_factory=dict)

    @property
    def result(self) -> Result:
        """What the closed vote decides. Raises RuleBroken("vote_open") while it is open."""
        if self.is_open or self.outcome == "not_yet":
            raise RuleBroken("vote_open", "council.majority")
        return self.outcome

    @property
    def chair_decided(self) -> bool:
        """Whether the chair's own vote broke a tie."""
        return self.ground in (Ground.CHAIR_FOR, Ground.CHAIR_AGAINST)

    @property
    def unconfirmed(self) -> tuple[UsedRule, ...]:
        """The rules used whose text nobody has confirmed."""
        return tuple(rule for rule in self.rules if rule.confidence != "T")


def entitled(count: Count) -> frozenset[PersonId]:
    """Members who may vote on the matter: in office, not recused, not marked as not there."""
    here = count.members if count.attending is None else count.members & count.attending
    return here - count.recused - count.not_taking_part


def quorum(base: int, law: Law) -> int:
    """Members who must take part for the vote to be valid, rounded up.

    base  members in office on the day, at least 1

    Raises RuleBroken("no_members") for an empty base, RuleUnknown, RuleUnreadable.
    Source: rule council.quorum, a share of the base.
    """
    if base < 1:
        raise RuleBroken("no_members", law.rule("council.quorum").legal_basis)
    return ceil(law.fraction("council.quorum") * base)


def needed_for(taking_part: int, base: int, law: Law) -> int:
    """Votes for that approve a matter: more than half of those taking part, abstentions included, or the rule's share.

    A share ("2/3") means at least that share. The rule's unit tells of whom: "of present", else of the base.
    Raises RuleUnknown, RuleUnreadable. Source: rule council.majority.
    """
    whole = taking_part if law.rule("council.majority").unit == "of present" else base
    if majority_is_simple(law):
        return floor(Fraction(whole, 2)) + 1
    return max(1, ceil(law.fraction("council.majority") * whole))


def count_votes(count: Count, law: Law) -> Arithmetic:
    """The vote as it stands (`count.is_open`) or as it closed, by the rules of `law`.

    While open, those who may still vote are taken as taking part; *approved* is said only when the votes cast alone
    make the quorum and nobody who may still vote could raise the needed number above the votes for.
    Raises RuleBroken("no_members") when nobody is in office, RuleUnknown, RuleUnreadable.
    Source: SETTLED decision 50; boundary cases in tests/shared/test_votes.py.
    """
    counted = {member: choice for member, choice in count.votes.items() if member in entitled(count)}
    tally = _tally(count, counted, law)
    outcome, ground = _standing(tally, law) if count.is_open else _closed(tally, counted, count.chair, law)
    seats = _seats(count, counted)
    return Arithmetic(
        tally=tally,
        outcome=outcome,
        ground=ground,
        is_open=count.is_open,
        seats=seats,
        mark=min(tally.needed_for, len(seats)),
        steps=steps_of(tally, law, ground.value if ground in _TIES else None),
        rules=tuple(law.used(RULES_USED)),
        not_counted={member: _why_not(count, member) for member in count.votes if member not in counted},
    )


def _tally(count: Count, counted: Mapping[PersonId, Choice], law: Law) -> Tally:
    if not count.members:
        raise RuleBroken("no_members", law.rule("council.quorum").legal_basis)
    recused = len(count.members & count.recused)
    base = len(count.members) if law.flag("council.recused_in_base") else len(count.members) - recused
    may_vote = len(entitled(count)) - len(counted) if count.is_open else 0
    stays = count.is_open or count.attending is not None
    taking_part = len(entitled(count)) if stays else len(counted)
    choices = list(counted.values())
    return Tally(
        members=len(count.members),
        recused=recused,
        base=base,
        quorum_needed=quorum(max(1, base), law),  # all recused and left out of the base: nobody makes a quorum
        taking_part=taking_part,
        needed_for=needed_for(taking_part, base, law),
        votes_for=choices.count("for"),
        against=choices.count("against"),
        abstained=choices.count("abstain"),
        may_vote=may_vote,
        not_there=len(count.members) - recused - taking_part,
    )


def _closed(
    tally: Tally, counted: Mapping[PersonId, Choice], chair: PersonId | None, law: Law
) -> tuple[Outcome, Ground]:
    if not tally.quorum_met:
        return "no_quorum", Ground.NO_QUORUM
    if tally.votes_for >= tally.needed_for:
        return "approved", Ground.MAJORITY
    if tally.votes_for != tally.against or tally.votes_for == 0 or not majority_is_simple(law):
        return "not_approved", Ground.TOO_FEW
    if law.text("council.tie") != "chair":
        return "not_approved", Ground.TIE
    return _cast_by_chair(counted.get(chair) if chair else None)


def _cast_by_chair(choice: Choice | None) -> tuple[Outcome, Ground]:
    if choice == "for":
        return "approved", Ground.CHAIR_FOR
    if choice == "against":
        return "not_approved", Ground.CHAIR_AGAINST
    return "not_approved", Ground.CHAIR_SILENT


def _standing(tally: Tally, law: Law) -> tuple[Outcome, Ground]:
    if not tally.quorum_met:
        return "no_quorum", Ground.OPEN_NO_QUORUM
    if tally.votes_for >= tally.needed_for and tally.voted >= tally.quorum_needed:
        return "approved", Ground.OPEN_ENOUGH
    best = tally.votes_for + tally.may_vote
    if best < tally.needed_for and (best < tally.against or not majority_is_simple(law)):
        return "not_yet", Ground.OPEN_OUT_OF_REACH
    return "not_yet", Ground.OPEN_TOO_FEW


def _seats(count: Count, counted: Mapping[PersonId, Choice]) -> tuple[Seat, ...]:
    order = list(Place)
    seats = [Seat(member, _place(count, counted, member)) for member in count.members]
    return tuple(sorted(seats, key=lambda seat: (order.index(seat.place), seat.member)))


def _place(count: Count, counted: Mapping[PersonId, Choice], member: PersonId) -> Place:
    if member in count.recused:
        return Place.RECUSED
    choice = counted.get(member)
    if choice is not None:
        return _PLACES[choice]
    if member not in entitled(count):
        return Place.NOT_THERE
    if count.is_open:
        return Place.MAY_VOTE
    return Place.NOT_THERE if count.attending is None else Place.SILENT


def _why_not(count: Count, member: PersonId) -> str:
    if member not in count.members:
        return "not_entitled"
    return "recused" if member in count.recused else "not_taking_part"
