"""The election of NPM members by the Council, as it happens: call, candidates, eligibility, rounds, result.

The count itself is `shared/elections.py`. Rounds are open ballots here; secret ones are kept outside the ledger and
only their count becomes an operation. Source: domain section 4, SETTLED decisions 14, 51.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from shared.errors import RuleBroken
from shared.law.law import UsedRule
from shared.ledger.operation import Body, Operation
from shared.ledger.subject import Fold, Subject, Words
from shared.values import PersonId
from shared.votes import Choice, Tally

BarAnswer = Literal["clear", "barred", "unknown"]


class ElectionCalled(Body, frozen=True):
    """Seats to fill (of a region when named), the days the call stays open, the term the elected will serve."""

    KIND = "election_called"
    seats: int
    call_from: str
    call_until: str
    term_from: str
    term_until: str
    rules: tuple[UsedRule, ...]
    region: str = ""


class CandidateEntered(Body, frozen=True):
    """A candidate with a background of the law. sealed words: papers (list of what was handed in, remarks)."""

    KIND = "candidate_entered"
    candidate: PersonId
    name: str
    background: str
    key: str = ""
    sealed: str = ""


class CandidateWithdrew(Body, frozen=True):
    """The candidate no longer stands; possible until the first round closes."""

    KIND = "candidate_withdrew"
    candidate: PersonId


class EligibilityChecked(Body, frozen=True):
    """The result for each bar of the law and its date; never the papers behind it."""

    KIND = "eligibility_checked"
    candidate: PersonId
    bars: dict[str, BarAnswer]
    eligible: bool
    on: str


class RoundOpened(Body, frozen=True):
    """A ballot over these candidates for so many seats."""

    KIND = "round_opened"
    round: int
    candidates: tuple[PersonId, ...]
    seats: int
    entitled: tuple[PersonId, ...]
    chair: PersonId
    closes_at: str
    rules: tuple[UsedRule, ...]
    recused: tuple[PersonId, ...] = ()


class BallotCast(Body, frozen=True):
    """The author's choice for each candidate of the round, as pairs; replaces an earlier one."""

    KIND = "ballot_cast"
    round: int
    choices: tuple[tuple[PersonId, Choice], ...]


class VoterRecused(Body, frozen=True):
    """The author takes no part in the round (is or is related to a candidate)."""

    KIND = "voter_recused"
    round: int


class RoundClosed(Body, frozen=True):
    """The count of a round: for each candidate the arithmetic, who is elected, who is tied for the last seat.

    tallies  pairs of candidate and count, most votes for first
    """

    KIND = "round_closed"
    round: int
    tallies: tuple[tuple[PersonId, Tally], ...]
    elected: tuple[PersonId, ...]
    tied: tuple[PersonId, ...]
    rules: tuple[UsedRule, ...]


class TieDecided(Body, frozen=True):
    """Who takes the last seat after a second tie: by the chair (open ballot) or by lot in the minutes (secret)."""

    KIND = "tie_decided"
    round: int
    elected: tuple[PersonId, ...]
    by: Literal["chair", "lot"]
    minutes: str = ""


class ElectionClosed(Body, frozen=True):
    """The result of the election."""

    KIND = "election_closed"
    elected: tuple[PersonId, ...]


@dataclass
class Candidate:
    """A candidate of the election."""

    id: PersonId
    name: str
    background: str
    entered_at: str
    words: Words | None
    bars: dict[str, BarAnswer] = field(default_factory=dict)
    eligible: bool | None = None
    checked_on: str = ""
    withdrew: bool = False


@dataclass
class Round:
    """One ballot of the election."""

    opened: RoundOpened
    opened_at: str
    ballots: dict[PersonId, dict[PersonId, Choice]] = field(default_factory=dict)
    recused: dict[PersonId, str] = field(default_factory=dict)
    closed: RoundClosed | None = None
    closed_at: str = ""
    tie: TieDecided | None = None


@dataclass
class Election(Subject):
    """State of an election."""

    called: ElectionCalled | None = None
    called_at: str = ""
    candidates: dict[PersonId, Candidate] = field(default_factory=dict)
    rounds: list[Round] = field(default_factory=list)
    closed: ElectionClosed | None = None
    closed_at: str = ""
    history: list[tuple[str, str, PersonId]] = field(default_factory=list)

    @property
    def elected(self) -> tuple[PersonId, ...]:
        """Everyone elected so far, in the order of the rounds."""
        found: list[PersonId] = []
        for round_ in self.rounds:
            found += round_.closed.elected if round_.closed else ()
            found += round_.tie.elected if round_.tie else ()
        return tuple(found)

    @property
    def open_round(self) -> Round | None:
        """The round whose ballot is open."""
        return self.rounds[-1] if self.rounds and not self.rounds[-1].closed else None


def _note(state: Election, operation: Operation) -> None:
    state.history.append((operation.at, operation.kind, operation.author))


def _standing(state: Election, candidate: PersonId) -> Candidate:
    if state.closed:
        raise RuleBroken("election_closed", "SETTLED 51")
    if candidate not in state.candidates:
        raise RuleBroken("candidate_unknown", "SETTLED 51")
    return state.candidates[candidate]


def _called(state: Election, operation: Operation, body: ElectionCalled) -> None:
    if state.called or body.seats < 1:
        raise RuleBroken("call_open", "selection.call")
    state.called, state.called_at = body, operation.at
    _note(state, operation)


def _entered(state: Election, operation: Operation, body: CandidateEntered) -> None:
    if state.called is None or state.rounds:
        raise RuleBroken("call_closed", "selection.call")
    if body.candidate in state.candidates:
        raise RuleBroken("member_twice", "selection.call")
    words = Words(operation.id, operation.kind, body.key, body.sealed) if body.sealed else None
    state.candidates[body.candidate] = Candidate(body.candidate, body.name, body.background, operation.at, words)
    _note(state, operation)


def _withdrew(state: Election, operation: Operation, body: CandidateWithdrew) -> None:
    _standing(state, body.candidate).withdrew = True
    _note(state, operation)


def _checked(state: Election, operation: Operation, body: EligibilityChecked) -> None:
    candidate = _standing(state, body.candidate)
    if state.rounds:
        raise RuleBroken("round_open", "member.bar.conviction")
    candidate.bars, candidate.eligible, candidate.checked_on = dict(body.bars), body.eligible, body.on
    _note(state, operation)


def _round_opened(state: Election, operation: Operation, body: RoundOpened) -> None:
    if state.open_round or body.round != len(state.rounds) + 1:
        raise RuleBroken("round_open", "SETTLED 51")
    for candidate in body.candidates:
        if not _standing(state, candidate).eligible:
            raise RuleBroken("not_eligible", "member.bar.conviction")
    round_ = Round(body, operation.at)
    round_.recused = dict.fromkeys(body.recused, operation.at)
    state.rounds.append(round_)
    _note(state, operation)


def may_vote_in(state: Election, person: PersonId) -> Round:
    """The open round in which this person may vote. Raises RuleBroken."""
    round_ = state.open_round
    if round_ is None:
        raise RuleBroken("round_closed", "SETTLED 51")
    if person not in round_.opened.entitled:
        raise RuleBroken("not_entitled", "member.selector")
    if person in round_.recused:
        raise RuleBroken("recused", "domain M-11")
    return round_


def _ballot(state: Election, operation: Operation, body: BallotCast) -> None:
    round_ = may_vote_in(state, operation.author)
    if body.round != round_.opened.round:
        raise RuleBroken("round_closed", "SETTLED 51")
    choices = dict(body.choices)
    if len(choices) != len(body.choices) or set(choices) != set(round_.opened.candidates):
        raise RuleBroken("candidate_unknown", "SETTLED 51")
    round_.ballots[operation.author] = choices
    _note(state, operation)


def _voter_recused(state: Election, operation: Operation, body: VoterRecused) -> None:
    round_ = may_vote_in(state, operation.author)
    round_.recused[operation.author] = operation.at
    round_.ballots.pop(operation.author, None)
    _note(state, operation)


def _round_closed(state: Election, operation: Operation, body: RoundClosed) -> None:
    round_ = state.open_round
    if round_ is None or body.round != round_.opened.round:
        raise RuleBroken("round_closed", "SETTLED 51")
    round_.closed, round_.closed_at = body, operation.at
    _note(state, operation)


def _tie_decided(state: Election, operation: Operation, body: TieDecided) -> None:
    round_ = state.rounds[-1] if state.rounds else None
    if round_ is None or round_.closed is None or round_.tie or not set(body.elected) <= set(round_.closed.tied):
        raise RuleBroken("candidate_unknown", "election.tie")
    round_.tie = body
    _note(state, operation)


def _election_closed(state: Election, operation: Operation, body: ElectionClosed) -> None:
    if state.closed or state.open_round or tuple(body.elected) != state.elected:
        raise RuleBroken("round_open", "SETTLED 51")
    state.closed, state.closed_at = body, operation.at
    _note(state, operation)


ELECTION = Fold(
    "election",
    lambda subject, parent: Election(subject),
    {
        ElectionCalled: _called,
        CandidateEntered: _entered,
        CandidateWithdrew: _withdrew,
        EligibilityChecked: _checked,
        RoundOpened: _round_opened,
        BallotCast: _ballot,
        VoterRecused: _voter_recused,
        RoundClosed: _round_closed,
        TieDecided: _tie_decided,
        ElectionClosed: _election_closed,
    },
)
