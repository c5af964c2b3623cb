"""Who may read and do what: the access matrix, used to refuse on the server and to hide a button on both sides.

`readers` and `writers` say which persons' tablets hold and write a subject. `may` answers for one person under one hat
about one verb and one subject; what is not in the table is not allowed. Rights of two hats never add up inside one
session. Source: SECURITY D, SETTLED decisions 14, 16, 62.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from shared.accounts import Office, Person, Role
from shared.ballots import Vote
from shared.candidacies import Election
from shared.ledger.branch import BranchTakenIn
from shared.ledger.operation import Operation
from shared.ledger.subject import Subject
from shared.observations.interview import Interview
from shared.observations.notebook import Notebook
from shared.observations.record import Record
from shared.packs import Forms, LawSubject, RegisterSubject
from shared.reports import FindingAccepted, FindingReopened, QuestionAsked, Report, ReportAccepted
from shared.values import PersonId, is_id
from shared.visit_requests import DecisionWithdrawn, RequestDecided, RequestPutToVote, VisitOrdered, VisitRequest
from shared.visits import GroupFormed, MandateIssued, MandateWithdrawn, OfficerAssigned, Visit, VisitPlanned, in_group

EVERYBODY = "everybody"
"""Audience of what every enrolled tablet holds."""

Audience = str


def _group(visit: Subject | None) -> set[Audience]:
    if not isinstance(visit, Visit):
        return set()
    return set(visit.members) or ({visit.planned_by} if visit.visit_kind == "unplanned" else set())


def readers(state: Subject) -> frozenset[Audience]:
    """The persons whose tablets may hold the subject; EVERYBODY for what all hold. Column "read on tablets"."""
    match state:
        case Office() | LawSubject() | Forms() | RegisterSubject():
            return frozenset({EVERYBODY})
        case Person():
            return frozenset({state.id})
        case VisitRequest():
            return frozenset(person for person in (state.filer, state.leader) if is_id(person))
        case Visit():
            return frozenset(_group(state))
        case Record():
            return frozenset(_group(state.parent))
        case Interview():
            leader = {state.parent.leader} if isinstance(state.parent, Visit) else set()
            return frozenset((({state.author} | state.shared_with) & _group(state.parent)) | leader - {""})
        case Report():
            return frozenset(_group(state.parent))
        case Notebook():
            return frozenset({state.owner} - {""})
        case _:
            return frozenset()


def writers(state: Subject) -> frozenset[PersonId]:
    """The persons who may write the subject from a tablet, now or at any time before. Column "opened / written by"."""
    match state:
        case VisitRequest():
            return frozenset({state.filer} - {PersonId("")})
        case Visit():
            return frozenset(state.ever_members)
        case Record() | Report():
            return frozenset(state.parent.ever_members) if isinstance(state.parent, Visit) else frozenset()
        case Interview():
            leader = {state.parent.leader} if isinstance(state.parent, Visit) else set()
            return frozenset(({state.author} | leader) - {PersonId("")})
        case Notebook():
            return frozenset({state.owner} - {PersonId("")})
        case _:
            return frozenset()


TABLET_OPENS = frozenset({"visit_request", "visit", "record", "interview", "report", "notebook"})
"""Kinds of subject a visiting tablet may begin. A record, interview or report needs a visit its author is part of."""

OFFICE_ACTS = frozenset(
    body.KIND
    for body in (
        RequestPutToVote, RequestDecided, DecisionWithdrawn, VisitOrdered,
        GroupFormed, MandateIssued, MandateWithdrawn, OfficerAssigned,
        QuestionAsked, FindingAccepted, FindingReopened, ReportAccepted, BranchTakenIn,
    )
)  # fmt: skip
"""Kinds that only the office writes, in subjects that tablets write too. The fold alone could not tell: an early clock
puts an operation before those that say who its author is. Column "opened / written by"."""


def plans_for_the_office(operations: Iterable[Operation]) -> bool:
    """Whether a tablet begins a visit that only an approved request or the plan can begin. Source: SETTLED 14."""
    return any(isinstance(each.body, VisitPlanned) and each.body.visit_kind != "unplanned" for each in operations)


# ── the console ─────────────────────────────────────────────────────────────────────────────────────────────────────

Test = Callable[[PersonId, Any], bool]


def _always(person: PersonId, subject: Any) -> bool:
    return True


def _self(person: PersonId, subject: Any) -> bool:
    return isinstance(subject, Person) and str(subject.id) == person


def _filer(person: PersonId, subject: Any) -> bool:
    return isinstance(subject, VisitRequest) and person in (subject.filer, subject.leader)


def _put_to_council(person: PersonId, subject: Any) -> bool:
    return isinstance(subject, VisitRequest) and subject.state != "filed"


def _entitled(person: PersonId, subject: Any) -> bool:
    return isinstance(subject, Vote) and person in subject.entitled


def _in_round(person: PersonId, subject: Any) -> bool:
    round_ = subject.open_round if isinstance(subject, Election) else None
    return round_ is not None and person in round_.opened.entitled


def _own_candidacy(person: PersonId, subject: Any) -> bool:
    return isinstance(subject, Election) and person in subject.candidates


def _visit_of(subject: Any) -> Visit | None:
    if isinstance(subject, Visit):
        return subject
    parent = getattr(subject, "parent", None)
    return parent if isinstance(parent, Visit) else None


def _member(person: PersonId, subject: Any) -> bool:
    visit = _visit_of(subject)
    return visit is not None and in_group(visit, person)


def _leader(person: PersonId, subject: Any) -> bool:
    visit = _visit_of(subject)
    return visit is not None and person == visit.leader


def _assigned_started(person: PersonId, subject: Any) -> bool:
    visit = _visit_of(subject)
    return visit is not None and person in visit.officers and bool(visit.started_at)


def _assigned_or_no_visit(person: PersonId, subject: Any) -> bool:
    return _no_visit(person, subject) or _assigned_started(person, subject)


def _no_visit(person: PersonId, subject: Any) -> bool:
    return _visit_of(subject) is None


def _never(person: PersonId, subject: Any) -> bool:
    """The hat has a page and reads nothing but counts there."""
    return False


def _submitted(person: PersonId, subject: Any) -> bool:
    return isinstance(subject, Report) and subject.submitted is not None


def _assigned_submitted(person: PersonId, subject: Any) -> bool:
    return _submitted(person, subject) and _assigned_started(person, subject)


def _started(person: PersonId, subject: Any) -> bool:
    visit = _visit_of(subject)
    return visit is not None and bool(visit.started_at)


def _author(person: PersonId, subject: Any) -> bool:
    return isinstance(subject, Interview) and subject.author == person


_R = Role
MATRIX: Mapping[str, Mapping[Role, Test]] = {
    # register, law, checklists: S0
    "institution.read": dict.fromkeys(Role, _always),
    "institution.import": {_R.ADMIN: _always, _R.CENTRE_OFFICER: _always},
    "rule.read": dict.fromkeys(Role, _always),
    "rule.change": {_R.COUNCIL_SECRETARY: _always},
    "checklist.read": dict.fromkeys(Role, _always),
    "checklist.publish": {_R.COUNCIL_SECRETARY: _always, _R.ADMIN: _always},
    # people and devices
    "person.read": {
        _R.COUNCIL_SECRETARY: _always, _R.COMMISSIONER: _always, _R.COUNCIL_MEMBER: _always, _R.AUDITOR: _always,
        _R.ADMIN: _always, _R.NPM_MEMBER: _self, _R.EXPERT: _self, _R.CENTRE_OFFICER: _self, _R.REGIONAL_REP: _self,
        _R.FINANCE_OFFICER: _self, _R.STATE_BODY_CONTACT: _self, _R.KEYHOLDER: _self,
    },
    "person.add": {_R.ADMIN: _always},
    "role.grant": {_R.ADMIN: _always},
    "role.confirm": {_R.COMMISSIONER: _always, _R.COUNCIL_SECRETARY: _always},
    "device.enrol": {_R.ADMIN: _always},
    "device.confirm": {_R.COMMISSIONER: _always, _R.COUNCIL_SECRETARY: _always},
    "device.revoke": {_R.ADMIN: _always},
    # requests and votes: no office reading of plans (SETTLED 16)
    "request.read": {
        _R.COUNCIL_SECRETARY: _always, _R.COUNCIL_MEMBER: _put_to_council, _R.COMMISSIONER: _put_to_council,
        _R.NPM_MEMBER: _filer,
    },
    "request.file": {_R.NPM_MEMBER: _always},
    "request.put_to_vote": {_R.COUNCIL_SECRETARY: _always},
    "request.decide": {_R.COUNCIL_SECRETARY: _always},
    "request.undo": {_R.COUNCIL_SECRETARY: _always},
    "vote.read": {
        _R.COUNCIL_MEMBER: _always, _R.COMMISSIONER: _always, _R.COUNCIL_SECRETARY: _always, _R.AUDITOR: _always,
    },
    "vote.cast": {_R.COUNCIL_MEMBER: _entitled, _R.COMMISSIONER: _entitled},
    "vote.close": {_R.COUNCIL_SECRETARY: _always},
    # elections
    "election.read": {
        _R.COUNCIL_MEMBER: _always, _R.COMMISSIONER: _always, _R.COUNCIL_SECRETARY: _always, _R.AUDITOR: _always,
        _R.NPM_MEMBER: _own_candidacy,
    },
    "election.call": {_R.COUNCIL_SECRETARY: _always},
    "election.candidate": {_R.COUNCIL_SECRETARY: _always},
    "election.check": {_R.COUNCIL_SECRETARY: _always},
    "election.round": {_R.COUNCIL_SECRETARY: _always},
    "election.vote": {_R.COUNCIL_MEMBER: _in_round, _R.COMMISSIONER: _in_round},
    "election.tie": {_R.COMMISSIONER: _always},
    # visits
    "visit.read": {
        _R.NPM_MEMBER: _member, _R.EXPERT: _member, _R.COUNCIL_MEMBER: _always, _R.COMMISSIONER: _always,
        _R.COUNCIL_SECRETARY: _always, _R.CENTRE_OFFICER: _assigned_started, _R.AUDITOR: _started,
    },
    "visit.plan_read": {_R.NPM_MEMBER: _member, _R.COUNCIL_SECRETARY: _always},
    "visit.form_group": {_R.COUNCIL_SECRETARY: _always},
    "visit.declare_conflict": {_R.NPM_MEMBER: _member, _R.EXPERT: _member},
    "visit.issue_mandate": {_R.COUNCIL_SECRETARY: _always, _R.COMMISSIONER: _always},
    "visit.assign_officer": {_R.COUNCIL_SECRETARY: _always, _R.COMMISSIONER: _always},
    # what was observed
    "record.read": {_R.NPM_MEMBER: _member, _R.EXPERT: _member, _R.CENTRE_OFFICER: _assigned_started},
    "interview.read": {_R.CENTRE_OFFICER: _assigned_started, _R.NPM_MEMBER: _author},
    "photo.read": {_R.NPM_MEMBER: _member, _R.CENTRE_OFFICER: _assigned_started},
    # reports
    "report.read": {
        _R.NPM_MEMBER: _member, _R.EXPERT: _member, _R.CENTRE_OFFICER: _assigned_submitted,
        _R.COUNCIL_MEMBER: _submitted, _R.COMMISSIONER: _submitted, _R.COUNCIL_SECRETARY: _submitted,
        _R.AUDITOR: _submitted,
    },
    "report.sign": {_R.NPM_MEMBER: _member},
    "report.submit": {_R.NPM_MEMBER: _leader},
    "report.review": {_R.CENTRE_OFFICER: _assigned_submitted},
    "report.comment_answer": {_R.NPM_MEMBER: _member},
    # operating
    "audit.read": {_R.AUDITOR: _always},
    "backup.read": {_R.ADMIN: _always, _R.AUDITOR: _always},
    # kept aside: the officer of the visit decides with its leader, the commissioner where there is no visit
    "quarantine.read": {
        _R.CENTRE_OFFICER: _assigned_or_no_visit, _R.AUDITOR: _always, _R.NPM_MEMBER: _leader, _R.ADMIN: _always,
        _R.COMMISSIONER: _no_visit, _R.COUNCIL_MEMBER: _never, _R.COUNCIL_SECRETARY: _never,
    },
    "quarantine.decide": {_R.CENTRE_OFFICER: _assigned_or_no_visit},
    "quarantine.confirm": {_R.NPM_MEMBER: _leader, _R.COMMISSIONER: _no_visit},
    "device.restore": {_R.ADMIN: _always},
    "office.configure": {_R.ADMIN: _always},
}  # fmt: skip


def may(person: PersonId, hat: Role, verb: str, subject: Any = None) -> bool:
    """Whether the person under this hat may do the verb, about this folded subject when the cell asks for one.

    Raises KeyError for a verb that is not in the matrix: a route without a cell is a defect, not a refusal.
    """
    test = MATRIX[verb].get(hat)
    return test is not None and test(person, subject)
