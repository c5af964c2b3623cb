"""What is done in an election: call, enter and check candidates, open and count rounds, break a tie, close, seat.

Electing somebody makes nobody a member: `seat_elected` does, with two officers and the protocol as its basis.
Called by pages and routes; each takes the session first and never commits. Source: domain section 4, SETTLED 51.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlmodel import Session

from server.accounts import actions as accounts
from server.accounts import queries as people
from server.elections import queries
from server.law.queries import office_law
from server.ledger.actions import lock_subject, record
from server.ledger.opening import Sealer
from server.office import Office, new_subject
from shared import eligibility
from shared.accounts import COUNCIL, PersonAdded, Role
from shared.candidacies import (
    BallotCast,
    CandidateEntered,
    CandidateWithdrew,
    Election,
    ElectionCalled,
    ElectionClosed,
    EligibilityChecked,
    RoundClosed,
    RoundOpened,
    TieDecided,
    VoterRecused,
    may_vote_in,
)
from shared.deadlines import due, end_of_day, term_of_office
from shared.elections import RULES_USED, RoundResult, break_tie
from shared.eligibility import BarAnswer
from shared.errors import RuleBroken
from shared.ledger.operation import Body
from shared.values import PersonId, SubjectId, as_typed, moment_of, stamp
from shared.votes import Choice

BACKGROUNDS = ("public_monitoring", "association", "lawyer", "social_worker", "doctor")
"""Who may be selected. Source: domain M-1a (Penal-Executive Code art. 41 and the four other laws)."""


def call_election(
    session: Session, office: Office, author: PersonId, seats: int, region: str, term_from: date, now: datetime
) -> SubjectId:
    """Calls an election; the call stays open and the term lasts as the rules of today say.

    seats   at least 1
    region  code of the register, empty = all

    Raises RuleBroken("body_wrong") for no seats.
    """
    if not 1 <= seats <= 200:
        raise RuleBroken("body_wrong", "selection.seats_per_region")
    today = office.calendar.day_of(now)
    law = office_law(session, office, today)
    call, term = law.amount("selection.call"), law.amount("member.term")
    office_term = term_of_office(term_from, term.value, term.unit)
    body = ElectionCalled(
        seats=seats, call_from=today.isoformat(),
        call_until=due(now, call.value, call.unit, office.calendar).on.isoformat(),
        term_from=term_from.isoformat(), term_until=office_term.ends_on.isoformat(),
        rules=tuple(law.used(("selection.call", "member.term", *RULES_USED))), region=region,
    )  # fmt: skip
    election = new_subject(now)
    record(session, office, election, author, [body], now)
    return election


@dataclass(frozen=True)
class Application:
    """What a candidate handed in. person: an id the office knows already, for somebody who stands again."""

    name: str
    background: str
    papers: Sequence[str] = ()
    remarks: str = ""
    person: PersonId = PersonId("")


def enter_candidate(
    session: Session, office: Office, author: PersonId, election: SubjectId, application: Application, now: datetime
) -> PersonId:
    """A candidate, while the call is open; the papers are sealed.

    Raises RuleBroken("call_closed") behind its last day, "body_wrong" without a name or a background of the law.
    """
    state = queries.election_state(session, election)
    name, remarks = as_typed(application.name), as_typed(application.remarks)
    papers = [paper for each in application.papers if (paper := as_typed(each))]
    if not name or application.background not in BACKGROUNDS:
        raise RuleBroken("body_wrong", "domain M-1a")
    if state.called and office.calendar.day_of(now).isoformat() > state.called.call_until:
        raise RuleBroken("call_closed", "selection.call")
    candidate = application.person or PersonId(new_subject(now))
    bodies: list[Body] = []
    key = sealed = ""
    if papers or remarks:
        sealer = Sealer(session, office, election, state, [])
        words = {"papers": papers, "remarks": remarks}
        key, sealed = sealer.seal(CandidateEntered.KIND, words)
        bodies += sealer.bodies()
    body = CandidateEntered(candidate, name, application.background, key, sealed)
    record(session, office, election, author, [*bodies, body], now)
    return candidate


def withdraw_candidate(
    session: Session, office: Office, author: PersonId, election: SubjectId, candidate: PersonId, now: datetime
) -> None:
    """The candidate no longer stands; possible until the first ballot opens."""
    if queries.election_state(session, election).rounds:
        raise RuleBroken("round_open", "domain M-1")
    record(session, office, election, author, [CandidateWithdrew(candidate)], now)


def check_candidate(
    session: Session, office: Office, author: PersonId, election: SubjectId, candidate: PersonId,
    answers: Mapping[str, BarAnswer], now: datetime,
) -> eligibility.Result:  # fmt: skip
    """Checks the ten bars under all six laws and keeps the result and its day.

    Which bar was met is not kept, nor the papers: of somebody barred only that. Source: domain section 4.1, note.
    """
    found = eligibility.check(answers)
    kept: dict[str, BarAnswer] = (
        {} if found.barred else {bar.key: answers.get(bar.key, "unknown") for bar in eligibility.BARS}
    )
    today = office.calendar.day_of(now).isoformat()
    body = EligibilityChecked(candidate=candidate, bars=kept, eligible=found.result == "eligible", on=today)
    record(session, office, election, author, [body], now)
    return found.result


# ── rounds ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def open_round(session: Session, office: Office, author: PersonId, election: SubjectId, now: datetime) -> Election:
    """The first ballot over everybody eligible, or the second one between the tied; open until the end of the day.

    Raises RuleBroken: call_open while candidates may still come, not_eligible when a bar is not checked or nobody may
    stand, no_members, round_open.
    """
    lock_subject(session, election, [])
    state = queries.election_state(session, election)
    today = office.calendar.day_of(now)
    law = office_law(session, office, today)
    step = queries.stage(state, today, law)
    if step == "call":
        raise RuleBroken("call_open", "selection.call")
    if step == "check":
        raise RuleBroken("not_eligible", "member.bar.conviction")
    if step not in ("round", "second_round"):
        raise RuleBroken("round_open", "SETTLED 51")
    able = [candidate.id for candidate in queries.standing(state) if candidate.eligible]
    candidates = tuple(able) if step == "round" else queries.tied(state)
    if not candidates:
        raise RuleBroken("not_eligible", "member.bar.conviction")
    members = people.persons_with(session, set(COUNCIL), today)
    chairs = people.persons_with(session, {Role.COMMISSIONER}, today)
    if not members:
        raise RuleBroken("no_members", "council.quorum")
    body = RoundOpened(
        round=len(state.rounds) + 1, candidates=candidates, seats=queries.open_seats(state), entitled=tuple(members),
        chair=chairs[0] if chairs else PersonId(""), closes_at=stamp(end_of_day(today, office.calendar)),
        rules=tuple(law.used(RULES_USED)),
    )  # fmt: skip
    fresh: Election = record(session, office, election, author, [body], now)
    return fresh


def cast_ballot(
    session: Session, office: Office, voter: PersonId, election: SubjectId, choices: Mapping[PersonId, Choice],
    now: datetime,
) -> None:  # fmt: skip
    """The voter's choice for each candidate; replaces an earlier ballot. Raises RuleBroken as the fold, and
    "round_closed" when the time is over."""
    state = _open(session, election, voter, now)
    round_ = may_vote_in(state, voter)
    body = BallotCast(
        round_.opened.round, tuple((each, choices[each]) for each in round_.opened.candidates if each in choices)
    )
    record(session, office, election, voter, [body], now)


def recuse_voter(session: Session, office: Office, voter: PersonId, election: SubjectId, now: datetime) -> None:
    """The voter is related to a candidate and takes no part in the round. Source: domain M-11."""
    round_ = may_vote_in(_open(session, election, voter, now), voter)
    record(session, office, election, voter, [VoterRecused(round_.opened.round)], now)


def _open(session: Session, election: SubjectId, voter: PersonId, now: datetime) -> Election:
    queries.election_state(session, election)
    lock_subject(session, election, [])
    state = queries.election_state(session, election)
    round_ = may_vote_in(state, voter)
    if now > moment_of(round_.opened.closes_at):
        raise RuleBroken("round_closed", "SETTLED 51", closes_at=round_.opened.closes_at)
    return state


def close_round(session: Session, office: Office, author: PersonId, election: SubjectId, now: datetime) -> RoundResult:
    """Counts the open round. Raises RuleBroken("vote_open") while ballots are missing and time is left."""
    lock_subject(session, election, [])
    state = queries.election_state(session, election)
    round_ = state.open_round
    if round_ is None:
        raise RuleBroken("round_closed", "SETTLED 51")
    if not queries.may_close(round_, now > moment_of(round_.opened.closes_at)):
        raise RuleBroken("vote_open", "council.majority", closes_at=round_.opened.closes_at)
    result = queries.result_of(state, round_, _law_of_round(session, office, round_.opened_at))
    body = RoundClosed(
        round=round_.opened.round,
        tallies=tuple((each.candidate, each.arithmetic.tally) for each in result.standings),
        elected=result.elected, tied=result.tied, rules=result.rules,
    )  # fmt: skip
    record(session, office, election, author, [body], now)
    return result


def _law_of_round(session: Session, office: Office, opened_at: str):  # type: ignore[no-untyped-def]
    return office_law(session, office, office.calendar.day_of(moment_of(opened_at)))


def decide_tie(
    session: Session, office: Office, chair: PersonId, election: SubjectId, chosen: Sequence[PersonId], minutes: str,
    now: datetime,
) -> None:  # fmt: skip
    """The chair fills the last seats among those tied a second time.

    Raises RuleBroken("not_allowed") for anybody but the chair of the round, "candidate_unknown" unless exactly the open
    seats are filled from the tied, "no_reason" without a word for the minutes.
    """
    lock_subject(session, election, [])
    state = queries.election_state(session, election)
    last = state.rounds[-1] if state.rounds else None
    if last is None or last.closed is None or chair != last.opened.chair:
        raise RuleBroken("not_allowed", "election.tie")
    said = as_typed(minutes)
    if not said:
        raise RuleBroken("no_reason", "election.tie")
    result = queries.result_of(state, last, _law_of_round(session, office, last.opened_at))
    everybody = break_tie(result, chosen)
    fresh = tuple(each for each in everybody if each not in result.elected)
    body = TieDecided(round=last.opened.round, elected=fresh, by="chair", minutes=said)
    record(session, office, election, chair, [body], now)


def close_election(session: Session, office: Office, author: PersonId, election: SubjectId, now: datetime) -> None:
    """Records the result. Raises RuleBroken("round_open") while a round or a tie is open."""
    lock_subject(session, election, [])
    state = queries.election_state(session, election)
    if not state.rounds or state.open_round or queries.tied(state):
        raise RuleBroken("round_open", "SETTLED 51")
    record(session, office, election, author, [ElectionClosed(elected=state.elected)], now)


def seat_elected(
    session: Session, office: Office, admin: PersonId, election: SubjectId, candidate: PersonId, language: str,
    now: datetime,
) -> None:  # fmt: skip
    """Begins to make somebody elected a member: a person, and the role for the term of the election as a proposal.

    The admin proposes, the protocol is the basis, a second officer confirms it on the page of people: only then the
    role holds. Raises RuleBroken("candidate_unknown") for somebody not elected, "already_decided" when the term is
    granted already. Source: SECURITY D, rule 1.
    """
    lock_subject(session, election, [])
    state = queries.election_state(session, election)
    if state.closed is None or candidate not in state.elected or state.called is None:
        raise RuleBroken("candidate_unknown", "domain section 4")
    if not people.name_of(session, candidate):
        name = state.candidates[candidate].name
        added = PersonAdded(name=name, language=language)  # type: ignore[arg-type]
        record(session, office, SubjectId(candidate), admin, [added], now)
    if is_seated(session, state, candidate):
        raise RuleBroken("already_decided", "domain section 4")
    accounts.propose_role(
        session, admin, candidate, Role.NPM_MEMBER.value, state.called.term_from, state.called.term_until,
        f"election {election}", now,
    )  # fmt: skip


def is_seated(session: Session, state: Election, candidate: PersonId) -> bool:
    """Whether the elected person holds the role on the first day of the term already."""
    if state.called is None:
        return False
    day = date.fromisoformat(state.called.term_from)
    return Role.NPM_MEMBER.value in people.roles_on(session, candidate, day)
