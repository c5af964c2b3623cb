"""An open vote of the Council on one question, apart from what it decides, so that no tablet learns who voted how.

A vote may be replaced until the close; a recused member does not take part. Source: SETTLED decisions 15, 50, 52.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from shared.errors import RuleBroken
from shared.law.law import UsedRule
from shared.ledger.operation import Body, Operation
from shared.ledger.subject import Fold, Subject, Words
from shared.values import PersonId, SubjectId
from shared.votes import Choice, Result, Tally


class VoteOpened(Body, frozen=True):
    """The ballot is open.

    of        the subject that is decided
    entitled  members in office on the day, the chair among them
    recused   members who may not take part from the start (the filer): person ids
    closes_at stamp of the moment the count closes
    """

    KIND = "vote_opened"
    of: SubjectId
    entitled: tuple[PersonId, ...]
    chair: PersonId
    closes_at: str
    on: str
    rules: tuple[UsedRule, ...]
    recused: tuple[PersonId, ...] = ()


class MemberRecused(Body, frozen=True):
    """The author declares a conflict of interest and takes no part. sealed words: reason."""

    KIND = "member_recused"
    key: str = ""
    sealed: str = ""


class VoteCast(Body, frozen=True):
    """The author's vote; replaces an earlier one. sealed words: reason (opens to the Council after the close)."""

    KIND = "vote_cast"
    choice: Choice
    key: str = ""
    sealed: str = ""


class VoteTakenBack(Body, frozen=True):
    """The author's vote no longer stands; possible until the close. Undoes a vote cast for many requests at once."""

    KIND = "vote_taken_back"


class VoteClosed(Body, frozen=True):
    """The count, with the values of the rules it used."""

    KIND = "vote_closed"
    result: Result
    counts: Tally
    rules: tuple[UsedRule, ...]
    chair_decided: bool = False


@dataclass(frozen=True)
class Cast:
    """One vote as it was cast."""

    voter: PersonId
    choice: Choice
    at: str
    words: Words | None


@dataclass
class Vote(Subject):
    """State of a ballot: who may vote, who is recused, the votes that stand, and all that was done."""

    of: SubjectId = SubjectId("")
    entitled: tuple[PersonId, ...] = ()
    chair: PersonId = PersonId("")
    closes_at: str = ""
    opened_on: str = ""
    rules: tuple[UsedRule, ...] = ()
    recused: dict[PersonId, str] = field(default_factory=dict)
    votes: dict[PersonId, Cast] = field(default_factory=dict)
    history: list[tuple[str, str, PersonId, str]] = field(default_factory=list)
    closed: VoteClosed | None = None
    closed_at: str = ""

    @property
    def choices(self) -> dict[PersonId, Choice]:
        """The choice of each member whose vote stands."""
        return {voter: cast.choice for voter, cast in self.votes.items()}


def may_vote(state: Vote, person: PersonId) -> None:
    """Raises RuleBroken when this person may not cast a vote now."""
    if state.closed:
        raise RuleBroken("vote_closed", "council.majority", closed_at=state.closed_at)
    if person not in state.entitled:
        raise RuleBroken("not_entitled", "visit.plan.approver")
    if person in state.recused:
        raise RuleBroken("recused", "visit.recusal")


def _opened(state: Vote, operation: Operation, body: VoteOpened) -> None:
    if state.entitled:
        raise RuleBroken("vote_open", "SETTLED 15")
    if not body.entitled:
        raise RuleBroken("no_members", "council.quorum")
    state.of, state.entitled, state.chair = body.of, body.entitled, body.chair
    state.closes_at, state.rules, state.opened_on = body.closes_at, body.rules, body.on
    state.recused = dict.fromkeys(body.recused, operation.at)
    state.history.append((operation.at, operation.kind, operation.author, ""))


def _recused(state: Vote, operation: Operation, body: MemberRecused) -> None:
    may_vote(state, operation.author)
    state.recused[operation.author] = operation.at
    state.votes.pop(operation.author, None)
    state.history.append((operation.at, operation.kind, operation.author, ""))


def _cast(state: Vote, operation: Operation, body: VoteCast) -> None:
    may_vote(state, operation.author)
    words = Words(operation.id, operation.kind, body.key, body.sealed) if body.sealed else None
    state.votes[operation.author] = Cast(operation.author, body.choice, operation.at, words)
    state.history.append((operation.at, operation.kind, operation.author, body.choice))


def _taken_back(state: Vote, operation: Operation, body: VoteTakenBack) -> None:
    may_vote(state, operation.author)
    if operation.author not in state.votes:
        raise RuleBroken("too_late_to_undo", "SETTLED 52")
    state.votes.pop(operation.author)
    state.history.append((operation.at, operation.kind, operation.author, ""))


def _closed(state: Vote, operation: Operation, body: VoteClosed) -> None:
    if state.closed:
        raise RuleBroken("vote_closed", "SETTLED 50")
    state.closed, state.closed_at = body, operation.at
    state.history.append((operation.at, operation.kind, operation.author, body.result))


VOTE = Fold(
    "vote",
    lambda subject, parent: Vote(subject),
    {
        VoteOpened: _opened,
        MemberRecused: _recused,
        VoteCast: _cast,
        VoteTakenBack: _taken_back,
        VoteClosed: _closed,
    },
)
