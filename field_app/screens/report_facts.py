"""What stands between a visit and its report: gaps, differences, warnings, findings, texts, signatures. Plain data.

Nothing here blocks; everything is listed once, with the place to go to. Source: UX P3 and T10, SETTLED 45-47, 58.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from field_app.acts import reports
from field_app.acts.subjects import report_id
from field_app.screens.checklist_state import Sitting, ground, name_of, numbered, sitting
from shared.checklists.paths import place_of
from shared.checklists.progress import asked_paths, warned_paths
from shared.errors import RuleBroken
from shared.observations.interview import Interview
from shared.observations.record import Record
from shared.reports import Report
from shared.values import SubjectId
from shared.visits import Visit

if TYPE_CHECKING:
    from field_app.store.store import Store

PARTS = ("summary", "access", "allegations", "earlier", "good_practice")
"""Texts of the report, in their order."""
GAPS = ("left", "nk", "not_seen", "not_asked", "refused_staff", "refused", "differs", "warned")


@dataclass(frozen=True)
class Item:
    """A question in a list: its path, number, text and theme."""

    path: str
    number: str
    title: str
    theme: str


@dataclass(frozen=True)
class Member:
    """One member's line: stand is "" while nothing is signed."""

    person: str
    name: str
    stand: str
    text: str
    at: str
    is_me: bool
    is_leader: bool


@dataclass(frozen=True)
class ReportFacts:
    """Everything T10 shows. same: whether this tablet builds the frozen bytes; lacking: (chains, words) it misses."""

    gaps: tuple[tuple[str, tuple[Item, ...]], ...]
    findings: tuple[tuple[str, str, str, bool, bool], ...]
    consentless: tuple[str, ...]
    texts: tuple[tuple[str, str], ...]
    stage: str
    version: int
    sha256: str
    frozen_at: str
    members: tuple[Member, ...]
    same: bool
    lacking: tuple[int, int]
    late: int
    submitted_at: str
    questions: tuple[tuple[str, str, str, str], ...]


def _gaps(seat: Sitting, language: str) -> tuple[tuple[str, tuple[Item, ...]], ...]:
    found: dict[str, list[Item]] = {name: [] for name in GAPS}
    for evaluation in seat.evaluations:
        numbers = numbered(evaluation.form, language)
        tops = [f"/{item.name}" for item in evaluation.form.checklist.items]
        warned = {path for path in warned_paths(evaluation) if evaluation.warnings(path) != ("required",)}
        for path in (path for top in tops for path in asked_paths(evaluation, top)):
            kinds = _kinds(seat, evaluation, path, warned)
            if kinds:
                theme = evaluation.label("/" + path.split("/")[1].split("[")[0], language)
                item = Item(path, numbers.get(place_of(path), ""), evaluation.label(path, language), theme)
                for kind in kinds:
                    found[kind].append(item)
    return tuple((name, tuple(items)) for name, items in found.items() if items)


def _kinds(seat: Sitting, evaluation: Any, path: str, warned: set[str]) -> list[str]:
    result, kinds = seat.effective(path), []
    if result.state == "differs":
        kinds.append("differs")
    if path in warned:
        kinds.append("warned")
    if not evaluation.is_answered(path):
        return [*kinds, "left"]
    entry = seat.own(path) or result.entry or (result.others[0] if result.others else None)
    if entry is not None and entry.non_answer in ("not_seen", "not_asked"):
        kinds.append(str(entry.non_answer))
    elif entry is not None and entry.non_answer == "refused":
        kinds.append("refused_staff" if entry.refused_by == "staff" else "refused")
    elif entry is not None and entry.value == "nk":
        kinds.append("nk")
    return kinds


def _findings(store: Store, record: Record) -> tuple[tuple[str, str, str, bool, bool], ...]:
    found = []
    for id_, finding in record.findings.items():
        body = finding.current.body
        if finding.withdrawn or body is None:
            continue
        words = store.words(record.id, finding.current.words) or {}
        title = next((words[name] for name in ("saw", "told", "concluded") if words.get(name)), "")
        found.append((id_, title, body.severity, body.urgent, bool(body.evidence)))
    return tuple(found)


def _members(store: Store, visit: Visit, report: Report | None) -> tuple[Member, ...]:
    signatures = report.current.signatures if report and report.current else {}
    found = []
    for person in visit.members or (visit.planned_by,):
        sign = signatures.get(person)
        found.append(
            Member(person, name_of(store, person), sign.stand if sign else "", sign.text if sign else "",
                   sign.at if sign else "", person == store.person, person == (visit.leader or visit.planned_by))
        )  # fmt: skip
    return tuple(found)


def _texts(store: Store, record: Record) -> tuple[tuple[str, str], ...]:
    found = []
    for part in PARTS:
        by_author = record.drafts.get(part, {})
        words = by_author.get(store.person) or by_author.get(record.leader) or next(iter(by_author.values()), None)
        found.append((part, (store.words(record.id, words) or {}).get("text", "") if words else ""))
    return tuple(found)


def _consentless(store: Store, record: Record) -> tuple[str, ...]:
    own = [
        (number, store.state(talk)) for talk, (number, author, _) in record.interviews.items() if author == store.person
    ]
    return tuple(number for number, state in own if isinstance(state, Interview) and state.consent is None)


def report_facts(store: Store, visit_id: SubjectId, language: str, now: datetime) -> ReportFacts | None:
    """How the report stands; None before a record was opened."""
    stand = ground(store, visit_id, language)
    visit = store.state(visit_id)
    if stand.record is None or not isinstance(visit, Visit):
        return None
    seat = sitting(store, stand.record, language, now)
    state = store.state(report_id(store, visit_id))
    report = state if isinstance(state, Report) and state.current else None
    same, lacking, late = _compared(store, visit_id) if report else (True, (0, 0), 0)
    body = report.current.body if report and report.current else None
    questions = tuple(
        (each.id, each.text, each.answer, each.finding) for each in report.questions.values()
    ) if report else ()  # fmt: skip
    return ReportFacts(
        _gaps(seat, language), _findings(store, seat.record), _consentless(store, seat.record),
        _texts(store, seat.record), report.stage if report else "none", body.version if body else 0,
        body.sha256 if body else "", report.current.at if report and report.current else "",
        _members(store, visit, report), same, lacking, late, report.submitted_at if report else "", questions,
    )  # fmt: skip


def _compared(store: Store, visit: SubjectId) -> tuple[bool, tuple[int, int], int]:
    try:
        compared = reports.compare(store, visit)
    except RuleBroken:
        return False, (0, 0), 0
    missing = compared.lacking
    return compared.is_same, (len(missing.chains), len(missing.words)) if missing else (0, 0), compared.late


def check_code(sha256: str) -> str:
    """The short code people compare by voice: "5B1C 90E4"."""
    return f"{sha256[:4]} {sha256[4:8]}".upper()
