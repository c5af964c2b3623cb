"""Who is elected by a round of an election, and what happens to a tie for the last seat.

Each voter says for, against or abstain on each candidate; a candidate needs a quorum and a majority of his own, then
the most votes for win, up to the seats. Seats nobody has a majority for stay empty. The chair's casting vote does not
make a majority here: it only breaks the second tie. Source: SETTLED decision 51; domain section 4.2, M-5 to M-11.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from shared.errors import RuleBroken
from shared.law.law import Law, UsedRule
from shared.values import PersonId
from shared.votes import Arithmetic, Choice, Count, count_votes

TieStep = Literal["second_round", "chair", "lot"]
RULES_USED = ("council.quorum", "council.majority", "council.recused_in_base", "council.ballot", "election.tie")


@dataclass(frozen=True, slots=True)
class Poll:
    """One round to be counted.

    candidates   who stands in this round, in the order of the ballot
    seats        still to fill, at least 1
    number       1 for the first round; a tie in any later one goes to the chair or the lot
    members      of the Council in office on the day
    ballots      the last ballot of each voter; a candidate missing on it is an abstention
    recused      take no part in the round
    recused_for  candidate → those who may not vote on that candidate (himself, a relative: M-11)
    """

    candidates: tuple[PersonId, ...]
    seats: int
    members: frozenset[PersonId]
    ballots: Mapping[PersonId, Mapping[PersonId, Choice]]
    number: int = 1
    recused: frozenset[PersonId] = frozenset()
    recused_for: Mapping[PersonId, frozenset[PersonId]] = field(default_factory=dict)
    is_secret: bool = False


@dataclass(frozen=True, slots=True)
class Standing:
    """A candidate's count, and where it leaves him."""

    candidate: PersonId
    arithmetic: Arithmetic
    has_majority: bool
    place: Literal["elected", "tied", "not_elected"]


@dataclass(frozen=True, slots=True)
class RoundResult:
    """What a round says.

    standings   most votes for first; equal ones in the order of the ballot
    elected     for certain, in that order
    tied        for the last seats, in the order of the ballot
    open_seats  still to fill: by `next_step` among the tied, or left empty when nobody is tied
    next_step   what decides between the tied, None without a tie
    rules       the rules used, as a decision stores them
    """

    standings: tuple[Standing, ...]
    elected: tuple[PersonId, ...]
    tied: tuple[PersonId, ...]
    open_seats: int
    next_step: TieStep | None
    rules: tuple[UsedRule, ...]

    @property
    def quorum_met(self) -> bool:
        """Whether any candidate's count had its quorum."""
        return any(standing.arithmetic.tally.quorum_met for standing in self.standings)


def count_round(poll: Poll, law: Law) -> RoundResult:
    """The result of a round, counted after its close.

    Raises RuleBroken("candidate_unknown") without candidates or seats, or when one stands twice;
    RuleBroken("no_members"), RuleUnknown, RuleUnreadable.
    Source: rules council.quorum, council.majority, election.tie.
    """
    if not poll.candidates or poll.seats < 1 or len(set(poll.candidates)) != len(poll.candidates):
        raise RuleBroken("candidate_unknown", "election.tie")
    counts = {candidate: _count(poll, candidate, law) for candidate in poll.candidates}
    votes_for = {candidate: arithmetic.tally.votes_for for candidate, arithmetic in counts.items()}
    able = [candidate for candidate in poll.candidates if _has_majority(counts[candidate])]
    able.sort(key=lambda candidate: -votes_for[candidate])
    elected, tied = _split(able, votes_for, poll.seats)
    tied.sort(key=poll.candidates.index)
    return RoundResult(
        standings=_standings(poll, counts, votes_for, frozenset(elected), frozenset(tied)),
        elected=tuple(elected),
        tied=tuple(tied),
        open_seats=poll.seats - len(elected),
        next_step=tie_step(poll.number, poll.is_secret, law) if tied else None,
        rules=tuple(law.used(RULES_USED)),
    )


def tie_step(round_number: int, is_secret: bool, law: Law) -> TieStep:
    """What decides a tie for the last seat after this round.

    round_number  1 for the first round
    is_secret     a secret ballot is never decided by the chair, whose vote it would show: a lot is drawn in the minutes

    Raises RuleUnknown, RuleUnreadable. Source: rule election.tie; SETTLED decision 51.
    """
    rule = law.text("election.tie")
    if rule == "second_round" and round_number == 1:
        return "second_round"
    return "lot" if is_secret or rule == "lot" else "chair"


def break_tie(result: RoundResult, chosen: Iterable[PersonId]) -> tuple[PersonId, ...]:
    """Everyone elected once the chair named, or the lot drew, `chosen` among the tied.

    Raises RuleBroken("candidate_unknown") unless exactly the open seats are filled, each by another of the tied and
    the tie is one for the chair or the lot.
    """
    names = list(chosen)
    fits = len(names) == result.open_seats and len(set(names)) == len(names) and set(names) <= set(result.tied)
    if result.next_step not in ("chair", "lot") or not fits:
        raise RuleBroken("candidate_unknown", "election.tie", seats=result.open_seats)
    return (*result.elected, *names)


def _count(poll: Poll, candidate: PersonId, law: Law) -> Arithmetic:
    votes: dict[PersonId, Choice] = {
        voter: ballot.get(candidate, "abstain") for voter, ballot in poll.ballots.items() if voter in poll.members
    }
    recused = poll.recused | poll.recused_for.get(candidate, frozenset())
    return count_votes(Count(members=poll.members, votes=votes, recused=recused), law)


def _has_majority(arithmetic: Arithmetic) -> bool:
    tally = arithmetic.tally
    return tally.quorum_met and tally.votes_for >= tally.needed_for


def _split(
    able: list[PersonId], votes_for: Mapping[PersonId, int], seats: int
) -> tuple[list[PersonId], list[PersonId]]:
    """The elected and the tied, of candidates sorted by their votes."""
    if len(able) <= seats:
        return able, []
    last = votes_for[able[seats - 1]]
    if votes_for[able[seats]] < last:
        return able[:seats], []
    return [each for each in able if votes_for[each] > last], [each for each in able if votes_for[each] == last]


def _standings(
    poll: Poll,
    counts: Mapping[PersonId, Arithmetic],
    votes_for: Mapping[PersonId, int],
    elected: frozenset[PersonId],
    tied: frozenset[PersonId],
) -> tuple[Standing, ...]:
    ordered = sorted(poll.candidates, key=lambda candidate: (candidate not in elected, -votes_for[candidate]))
    return tuple(
        Standing(
            candidate,
            counts[candidate],
            _has_majority(counts[candidate]),
            "elected" if candidate in elected else "tied" if candidate in tied else "not_elected",
        )
        for candidate in ordered
    )
