"""Requests and visits: file a request, declare a conflict, begin a visit at the gate, close it.

Source: domain sections 6.1-6.3, UX T2 and T3, SETTLED decisions 14, 16, 56.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from field_app.acts.subjects import clean, record_id, sister, visit_of
from field_app.store.store import Store
from shared.errors import RuleBroken
from shared.observations.record import RecordOpened
from shared.packs import Forms
from shared.values import InstitutionKey, PersonId, SubjectId, stamp
from shared.visit_requests import RequestFiled, RequestWithdrawn, Urgency, VisitKind
from shared.visits import ConflictDeclared, EntryRecorded, VisitClosed, VisitPlanned, VisitStarted, in_group


def file_request(
    store: Store, *, institution: str, reason: str, from_on: str, to_on: str, now: datetime,
    members: Sequence[str] = (), leader: str = "", visit_kind: VisitKind = "special", urgency: Urgency = "normal",
    draft: str = "",
) -> SubjectId:  # fmt: skip
    """Files a request for a visit; its subject. Dates yyyy-mm-dd; members and leader are person ids.

    draft   name of the draft that becomes this request
    """
    subject = store.new_subject(now)
    words: dict[str, Any] = {
        "institution": institution, "reason": clean(reason), "from_on": from_on, "to_on": to_on,
        "members": list(members), "leader": leader,
    }  # fmt: skip
    key, sealed = store.sealed(subject, RequestFiled.KIND, words, now, "visit_request")
    body = RequestFiled(visit_kind=visit_kind, urgency=urgency, key=key, sealed=sealed, leader=PersonId(leader))
    store.record(subject, body, now=now, drop=draft)
    return subject


def withdraw_request(store: Store, request: SubjectId, reason: str, now: datetime) -> Any:
    """The filer takes the request back."""
    return store.record(request, RequestWithdrawn(reason=clean(reason)), now=now)


def plan_on_the_spot(store: Store, *, institution: str, reason: str, now: datetime) -> SubjectId:
    """A member begins an unplanned visit; it is flagged as such. The visit's subject."""
    visit = store.new_subject(now)
    day = stamp(now)[:10]
    words = {"institution": institution, "reason": clean(reason), "from_on": day, "to_on": day}
    key, sealed = store.sealed(visit, VisitPlanned.KIND, words, now, "visit")
    store.record(visit, VisitPlanned(visit_kind="unplanned", key=key, sealed=sealed), now=now)
    return visit


def plan_of(store: Store, visit: SubjectId) -> dict[str, Any] | None:
    """The opened plan: institution, from_on, to_on, reason; None when this tablet has no key to it yet."""
    plan = visit_of(store, visit).plan
    return store.words(visit, plan) if plan else None


def declare_conflict(store: Store, visit: SubjectId, conflict: bool, now: datetime, what: str = "") -> Any:
    """Says whether something casts doubt on one's impartiality."""
    key, sealed = store.sealed(visit, ConflictDeclared.KIND, {"what": clean(what)}, now) if what.strip() else ("", "")
    return store.record(visit, ConflictDeclared(conflict=conflict, key=key, sealed=sealed), now=now)


def start(store: Store, visit: SubjectId, institution: str, now: datetime) -> SubjectId:
    """The group stands at the gate: the institution is named, the record opened; the record's subject.

    A colleague may have started it on another tablet: then only the record is opened if it is not there.
    """
    state = visit_of(store, visit)
    if not in_group(state, store.person):
        raise RuleBroken("not_in_group", "visit.group.former")
    if not state.institution:
        store.record(visit, VisitStarted(institution=InstitutionKey(institution), arrived_at=stamp(now)), now=now)
    return open_record(store, visit, now)


def open_record(store: Store, visit: SubjectId, now: datetime) -> SubjectId:
    """The record of the visit, opened with the newest published checklists when it is not yet."""
    record = record_id(store, visit)
    if record is not None:
        return record
    record = sister(visit, "record")
    store.record(record, RecordOpened(visit=visit, checklists=newest_checklists(store)), now=now)
    return record


def newest_checklists(store: Store) -> tuple[tuple[str, str, str], ...]:
    """[form_id, version, sha256] of the newest version of every published checklist."""
    found = []
    for subject in store.subjects("form"):
        forms = store.state(subject)
        if isinstance(forms, Forms):
            found += [
                (form_id, versions[-1].version, versions[-1].sha256) for form_id, versions in forms.versions.items()
            ]
    return tuple(sorted(found))


def record_entry(
    store: Store, visit: SubjectId, *, now: datetime, admitted_at: str = "", held_count: int = 0,
    delay_minutes: int = 0, official: str = "", reason: str = "",
) -> Any:  # fmt: skip
    """When the group was let in, how many people were held that day, who let it wait and why."""
    words = {name: clean(text) for name, text in (("official", official), ("reason", reason)) if text.strip()}
    key, sealed = store.sealed(visit, EntryRecorded.KIND, words, now) if words else ("", "")
    body = EntryRecorded(
        admitted_at=admitted_at or stamp(now),
        held_count=held_count,
        delay_minutes=delay_minutes,
        key=key,
        sealed=sealed,
    )
    return store.record(visit, body, now=now)


def close(store: Store, visit: SubjectId, now: datetime) -> Any:
    """The group has left: the keys of the photos' originals go from this tablet."""
    state = store.record(visit, VisitClosed(left_at=stamp(now)), now=now)
    store.forget_originals(visit)
    return state
