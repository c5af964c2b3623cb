"""Requests for a visit: filed by any NPM member, put to a vote, decided; silence never refuses.

Where the visit goes, when and why lies sealed; the fold sees kind, urgency, filer and the decision with its arithmetic.
Source: domain V-3 to V-5, SETTLED decisions 14, 15, 49, 52.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from shared.errors import RuleBroken
from shared.law.law import UsedRule
from shared.ledger.operation import Body, Operation
from shared.ledger.subject import Fold, Subject, Words
from shared.values import OperationId, PersonId, SubjectId
from shared.votes import Tally

VisitKind = Literal["periodic", "intermediate", "special", "unplanned"]
Urgency = Literal["urgent", "normal"]
Outcome = Literal["approved", "not_approved", "refused", "returned"]


class RequestFiled(Body, frozen=True):
    """A member asks for a visit.

    sealed words: institution (register key), reason, from_on, to_on (yyyy-mm-dd), members (person ids), leader
    filed_at_risk  life or health is at risk: the urgent clock runs
    """

    KIND = "request_filed"
    visit_kind: VisitKind
    urgency: Urgency
    key: str
    sealed: str
    leader: PersonId = PersonId("")


class RequestPutToVote(Body, frozen=True):
    """The secretary puts the request to the Council; `vote` is the subject that holds the ballot."""

    KIND = "request_put_to_vote"
    vote: SubjectId
    closes_at: str


class RequestDecided(Body, frozen=True):
    """The decision with its arithmetic and the rules it used; a refusal carries its reason.

    photos_allowed  members may take photos on this visit. Source: rule photo.member, SETTLED decision 49
    """

    KIND = "request_decided"
    outcome: Outcome
    vote: SubjectId
    counts: Tally
    rules: tuple[UsedRule, ...]
    reason: str = ""
    chair_decided: bool = False
    photos_allowed: bool = False


class DecisionWithdrawn(Body, frozen=True):
    """The decision is taken back within the time for it, before anything was sent out."""

    KIND = "decision_withdrawn"
    decision: OperationId
    reason: str


class RequestWithdrawn(Body, frozen=True):
    """The filer takes the request back."""

    KIND = "request_withdrawn"
    reason: str


class VisitOrdered(Body, frozen=True):
    """The approved request became this visit."""

    KIND = "visit_ordered"
    visit: SubjectId


State = Literal["filed", "voting", "approved", "not_approved", "refused", "returned", "withdrawn", "ordered"]


@dataclass(frozen=True)
class Decision:
    """A decision as it was taken."""

    operation: OperationId
    at: str
    by: PersonId
    body: RequestDecided


@dataclass
class VisitRequest(Subject):
    """State of a request."""

    state: State = "filed"
    filer: PersonId = PersonId("")
    filed_at: str = ""
    filed: OperationId = OperationId("")
    visit_kind: VisitKind = "special"
    urgency: Urgency = "normal"
    leader: PersonId = PersonId("")
    words: Words | None = None
    vote: SubjectId | None = None
    closes_at: str = ""
    decisions: list[Decision] = field(default_factory=list)
    visit: SubjectId | None = None
    history: list[tuple[str, str, PersonId]] = field(default_factory=list)

    @property
    def decision(self) -> Decision | None:
        """The decision that stands."""
        return self.decisions[-1] if self.decisions and self.state in _DECIDED else None


_DECIDED = {"approved", "not_approved", "refused", "returned", "ordered"}


def _note(state: VisitRequest, operation: Operation) -> None:
    state.history.append((operation.at, operation.kind, operation.author))


def _filed(state: VisitRequest, operation: Operation, body: RequestFiled) -> None:
    if state.filed:
        raise RuleBroken("already_decided", "SETTLED 14")
    state.filer, state.filed_at, state.filed = operation.author, operation.at, operation.id
    state.visit_kind, state.urgency, state.leader = body.visit_kind, body.urgency, body.leader
    state.words = Words(operation.id, operation.kind, body.key, body.sealed)
    _note(state, operation)


def _require_office(state: VisitRequest, person: PersonId) -> None:
    """The filer decides nothing about the own request, and nobody about one that is not filed, from whatever device.

    Source: SECURITY D, SETTLED decision 50.
    """
    if not state.filed or person == state.filer:
        raise RuleBroken("not_allowed", "SECURITY D")


def _put_to_vote(state: VisitRequest, operation: Operation, body: RequestPutToVote) -> None:
    _require_office(state, operation.author)
    if state.state != "filed":
        raise RuleBroken("already_decided", "visit.plan.approver")
    state.state, state.vote, state.closes_at = "voting", body.vote, body.closes_at
    _note(state, operation)


def _decided(state: VisitRequest, operation: Operation, body: RequestDecided) -> None:
    _require_office(state, operation.author)
    if state.state != "voting" or body.vote != state.vote:
        raise RuleBroken("already_decided", "visit.plan.approver")
    if body.outcome == "refused" and not body.reason.strip():
        raise RuleBroken("no_reason", "domain V-5")
    state.state = body.outcome
    state.decisions.append(Decision(operation.id, operation.at, operation.author, body))
    _note(state, operation)


def _decision_withdrawn(state: VisitRequest, operation: Operation, body: DecisionWithdrawn) -> None:
    _require_office(state, operation.author)
    if state.state not in _DECIDED or state.state == "ordered" or state.decisions[-1].operation != body.decision:
        raise RuleBroken("too_late_to_undo", "SETTLED 52")
    state.state, state.vote, state.closes_at = "filed", None, ""
    _note(state, operation)


def _withdrawn(state: VisitRequest, operation: Operation, body: RequestWithdrawn) -> None:
    if operation.author != state.filer or state.state in _DECIDED:
        raise RuleBroken("not_allowed", "domain V-3")
    state.state = "withdrawn"
    _note(state, operation)


def _ordered(state: VisitRequest, operation: Operation, body: VisitOrdered) -> None:
    _require_office(state, operation.author)
    if state.state != "approved":
        raise RuleBroken("already_decided", "visit.plan.approver")
    state.state, state.visit = "ordered", body.visit
    _note(state, operation)


VISIT_REQUEST = Fold(
    "visit_request",
    lambda subject, parent: VisitRequest(subject),
    {
        RequestFiled: _filed,
        RequestPutToVote: _put_to_vote,
        RequestDecided: _decided,
        DecisionWithdrawn: _decision_withdrawn,
        RequestWithdrawn: _withdrawn,
        VisitOrdered: _ordered,
    },
)
