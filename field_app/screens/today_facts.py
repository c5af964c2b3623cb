"""What T2 shows, read from the store as plain data: visits in three sections, own requests, what works offline.

Decides what stands in which section and what is the one next step; draws nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from field_app.acts.checklists import load
from field_app.acts.subjects import record_id, report_id, words_or_empty
from field_app.acts.visits import newest_checklists, plan_of
from field_app.register import name_of, register_pack
from field_app.store.kept import Place
from shared.accounts import Person
from shared.observations.record import Record
from shared.packs import Forms, Pack
from shared.reports import Report
from shared.values import PersonId, SubjectId
from shared.visit_requests import VisitRequest
from shared.visits import Visit, in_group

if TYPE_CHECKING:
    from field_app.store.store import Store

Section = Literal["now", "planned", "finished"]
NextStep = Literal["", "continue", "start", "declare", "open"]


@dataclass(frozen=True)
class VisitFacts:
    """One visit. `day` and `until` yyyy-mm-dd, empty when the plan cannot be opened yet; `group`: leader first."""

    id: str
    section: Section
    kind: str
    stage: str
    place: str
    day: str
    until: str
    reason: str
    group: tuple[str, ...]
    mandate: str
    mandate_days: tuple[str, str]
    conflict: bool | None
    next_step: NextStep
    unplanned: bool
    report: str


@dataclass(frozen=True)
class RequestFacts:
    """One request of one's own, with the decision as it came."""

    id: str
    place: str
    reason: str
    from_on: str
    to_on: str
    kind: str
    urgency: str
    state: str
    filed_at: str
    decision: tuple[tuple[str, int], ...]
    decided_reason: str


@dataclass(frozen=True)
class OpenQuestion:
    """A question of the office that nobody answered yet. `number` is that of the finding in the report, from 1."""

    report: str
    visit: str
    id: str
    number: int
    place: str


@dataclass(frozen=True)
class ReadyItem:
    """Something an offline visit needs: `what` names the sentence `today.ready_<what>`; `size` in bytes."""

    what: Literal["checklist", "register", "plan", "keys"]
    is_here: bool
    size: int = 0
    title: str = ""
    version: str = ""


@dataclass(frozen=True)
class TodayFacts:
    """Everything T2 shows."""

    visits: tuple[VisitFacts, ...]
    requests: tuple[RequestFacts, ...]
    questions: tuple[OpenQuestion, ...]
    chosen: str
    ready: tuple[ReadyItem, ...]
    files: bool


def today_facts(store: Store, at: Place, language: str) -> TodayFacts:
    """What stands on T2 for the person of this tablet; `at.subject` is the row chosen."""
    visits = sorted(
        (_visit(store, id_, language) for id_ in store.subjects("visit") if _is_visit(store, id_)),
        key=lambda each: (("now", "planned", "finished").index(each.section), each.day or "9999", each.id),
    )
    requests = tuple(_request(store, id_, language) for id_ in reversed(store.subjects("visit_request")))
    known = {each.id for each in visits} | {each.id for each in requests}
    first = visits[0].id if visits and visits[0].section != "finished" else ""
    chosen = at.subject if at.subject in known else first
    return TodayFacts(
        tuple(visits), requests, tuple(_questions(store, language)), chosen, tuple(_ready(store, chosen, language)),
        bool(store.files()),
    )  # fmt: skip


def _is_visit(store: Store, id_: SubjectId) -> bool:
    state = store.state(id_)
    return isinstance(state, Visit) and in_group(state, store.person)


def person_name(store: Store, person: str) -> str:
    """The name of a person known on this tablet, else the first eight signs of the id."""
    state = store.state(SubjectId(person))
    return state.name if isinstance(state, Person) and state.name else person[:8]


def place_of(store: Store, id_: SubjectId, language: str) -> str:
    """The name of the institution: named since the start, or in the plan of one's own group; else empty."""
    state: Visit = store.state(id_)
    key = state.institution or (plan_of(store, id_) or {}).get("institution", "")
    return name_of(store, key, language) if key else ""


def _visit(store: Store, id_: SubjectId, language: str) -> VisitFacts:
    state: Visit = store.state(id_)
    plan = plan_of(store, id_) or {}
    stage = state.stage
    section: Section = "finished" if stage == "closed" else "now" if stage == "started" else "planned"
    members = sorted(state.members or (state.planned_by,), key=lambda each: each != state.leader)
    own = state.conflicts.get(store.person)
    report = store.state(report_id(store, id_))
    return VisitFacts(
        id=id_, section=section, kind=state.visit_kind, stage=stage, place=place_of(store, id_, language),
        day=plan.get("from_on", "") or state.started_at[:10], until=plan.get("to_on", ""),
        reason=plan.get("reason", ""), group=tuple(person_name(store, each) for each in members),
        mandate=state.mandate.number if state.mandate else "",
        mandate_days=(state.mandate.valid_from, state.mandate.valid_until) if state.mandate else ("", ""),
        conflict=own, next_step=_next_step(state, store.person, stage), unplanned=state.visit_kind == "unplanned",
        report=report.stage if isinstance(report, Report) else "none",
    )  # fmt: skip


def _next_step(state: Visit, person: PersonId, stage: str) -> NextStep:
    if stage == "started":
        return "continue"
    if stage == "closed":
        return "open"
    if person in state.members and state.conflicts.get(person) is None:
        return "declare"
    if stage == "mandate_issued" or state.visit_kind == "unplanned":
        return "start"
    return ""


def _request(store: Store, id_: SubjectId, language: str) -> RequestFacts:
    state: VisitRequest = store.state(id_)
    words = words_or_empty(store, id_, state.words)
    decision = state.decision.body if state.decision else None
    counts = decision.counts if decision else None
    numbers = tuple(
        (name, int(getattr(counts, name)))
        for name in ("votes_for", "against", "abstained", "recused")
        if counts is not None
    )
    key = words.get("institution", "")
    return RequestFacts(
        id_, name_of(store, key, language) if key else "", words.get("reason", ""), words.get("from_on", ""),
        words.get("to_on", ""), state.visit_kind, state.urgency, state.state, state.filed_at, numbers,
        decision.reason if decision else "",
    )  # fmt: skip


def _questions(store: Store, language: str) -> list[OpenQuestion]:
    found = []
    for id_ in store.subjects("report"):
        state = store.state(id_)
        if not isinstance(state, Report) or state.current is None:
            continue
        order = list(state.current.findings)
        for question in state.questions.values():
            if question.is_open:
                number = order.index(question.finding) + 1 if question.finding in order else 0
                place = place_of(store, state.visit, language)
                found.append(OpenQuestion(id_, state.visit, question.id, number, place))
    return found


def _ready(store: Store, chosen: str, language: str) -> list[ReadyItem]:
    items = [
        ReadyItem("checklist", load(store, pack.sha256) is not None, pack.size, _title(pack, language), pack.version)
        for pack in _checklists(store, chosen)
    ] or [ReadyItem("checklist", False)]
    pack = register_pack(store)
    items.append(
        ReadyItem("register", pack is not None and store.pack_path(pack.sha256).exists(), pack.size if pack else 0)
    )
    state = store.state(SubjectId(chosen)) if chosen else None
    if isinstance(state, Visit):
        plan = plan_of(store, SubjectId(chosen))
        items.append(ReadyItem("plan", plan is not None or state.institution is not None))
        items.append(ReadyItem("keys", plan is not None))
    return items


def _checklists(store: Store, chosen: str) -> list[Pack]:
    """The versions this visit pinned, or those a new one would pin."""
    record = record_id(store, SubjectId(chosen)) if chosen else None
    state = store.state(record) if record else None
    pinned = state.checklists if isinstance(state, Record) else newest_checklists(store)
    named = {
        pack.sha256: pack
        for subject in store.subjects("form")
        if isinstance(forms := store.state(subject), Forms)
        for versions in forms.versions.values()
        for pack in versions
    }
    return [named[sha256] for _, _, sha256 in pinned if sha256 in named]


def _title(pack: Pack, language: str) -> str:
    titles = dict(pack.titles)
    return titles.get(language) or titles.get("ru") or pack.name
