"""What T3 shows, read from the store as plain data: how far the visit is, themes with their counts, what else is there.

Counts come from `shared.checklists.progress` alone; nothing is a percentage, nothing is marked as finished by hand.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from field_app.acts.subjects import record_id, report_id
from field_app.acts.visits import plan_of
from field_app.register import name_of
from field_app.screens.checklist_state import bare, letter_of, numbered, sitting
from field_app.screens.today_facts import person_name
from shared.checklists.paths import place_of
from shared.observations.record import Record
from shared.reports import Report
from shared.values import SubjectId
from shared.visits import Visit, in_group

if TYPE_CHECKING:
    from field_app.store.store import Store


@dataclass(frozen=True)
class ThemeFacts:
    """One theme: `done` answered or reasoned, of `asked`; `next_blank` empty when nothing is left."""

    path: str
    letter: str
    title: str
    done: int
    asked: int
    next_blank: str

    @property
    def is_complete(self) -> bool:
        """Nothing blank is left."""
        return not self.next_blank and self.done >= self.asked


@dataclass(frozen=True)
class VisitHomeFacts:
    """Everything T3 shows. `first_blank` (theme path, item path, number): where *Continue* leads.

    undelivered  entries of this tablet to be handed over by hand: the visit is closed and the office out of reach
    """

    stage: str
    may_act: bool
    place: str
    institution: str
    group: tuple[str, ...]
    letter: str
    started_at: str
    closed_at: str
    mandate: str
    waits_for: str
    unplanned: bool
    has_record: bool
    damaged: bool
    themes: tuple[ThemeFacts, ...]
    answered: int
    non_answered: int
    left: int
    first_blank: tuple[str, str, str]
    findings: int
    urgent: int
    interviews: int
    photos: int
    notes: int
    differing: int
    report: str
    undelivered: int = 0


def visit_facts(store: Store, id_: SubjectId, language: str, now: datetime) -> VisitHomeFacts:
    """How the visit stands for the person of this tablet."""
    visit: Visit = store.state(id_)
    plan = plan_of(store, id_) or {}
    key = visit.institution or plan.get("institution", "")
    members = sorted(visit.members or (visit.planned_by,), key=lambda each: each != visit.leader)
    record = record_id(store, id_)
    state = store.state(record) if record else None
    report = store.state(report_id(store, id_))
    themes, counts, first, differing, damaged = _themes(store, record, state, language, now)
    return VisitHomeFacts(
        stage=visit.stage, may_act=in_group(visit, store.person),
        place=name_of(store, key, language) if key else "", institution=key,
        group=tuple(person_name(store, each) for each in members), letter=visit.letter_of(store.person),
        started_at=visit.started_at, closed_at=visit.closed_at, mandate=visit.mandate.number if visit.mandate else "",
        waits_for=_waits_for(visit), unplanned=visit.visit_kind == "unplanned", has_record=record is not None,
        damaged=damaged, themes=themes, answered=counts[0], non_answered=counts[1], left=counts[2], first_blank=first,
        differing=differing, report=report.stage if isinstance(report, Report) else "none",
        **_counts(store, id_, state),
    )  # fmt: skip


def _waits_for(visit: Visit) -> str:
    """Why a planned visit cannot begin yet: a stage, or empty when the door may open."""
    if visit.visit_kind == "unplanned" or visit.stage in ("mandate_issued", "started", "closed"):
        return ""
    return visit.stage


def _counts(store: Store, visit: SubjectId, state: Record | None) -> dict[str, int]:
    if not isinstance(state, Record):
        return {"findings": 0, "urgent": 0, "interviews": 0, "photos": 0, "notes": 0}
    findings = [each for each in state.findings.values() if not each.withdrawn]
    return {
        "findings": len(findings),
        "urgent": sum(bool(each.current.body and each.current.body.urgent) for each in findings),
        "interviews": len(state.interviews),
        "photos": sum(not each.withdrawn for each in state.photos.values()),
        "notes": sum(not each.withdrawn and not each.current.of for each in state.notes.values()),
    }


def _themes(
    store: Store, record: SubjectId | None, state: Record | None, language: str, now: datetime
) -> tuple[tuple[ThemeFacts, ...], tuple[int, int, int], tuple[str, str, str], int, bool]:
    if record is None or not isinstance(state, Record):
        return (), (0, 0, 0), ("", "", ""), 0, False
    seat = sitting(store, record, language, now)
    themes, counts, first = [], [0, 0, 0], ("", "", "")
    for evaluation, theme in seat.themes():
        label = evaluation.label(theme.path, language)
        done = theme.answered + theme.non_answered
        themes.append(ThemeFacts(theme.path, letter_of(label), bare(label), done, theme.asked, theme.next_blank))
        counts = [counts[0] + theme.answered, counts[1] + theme.non_answered, counts[2] + theme.left]
        if theme.next_blank and not first[1]:
            number = numbered(evaluation.form, language).get(place_of(theme.next_blank), "")
            first = (theme.path, theme.next_blank, number)
    damaged = bool(state.checklists) and not seat.evaluations
    return tuple(themes), (counts[0], counts[1], counts[2]), first, len(seat.differing()), damaged
