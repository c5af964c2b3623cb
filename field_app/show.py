"""What a store holds, as plain values for a terminal or another program. Reads, never writes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from field_app.acts import interviews, reports
from field_app.acts.subjects import record_id, record_of, report_id, visit_of, words_or_empty
from field_app.acts.visits import plan_of
from field_app.enrolment import own_fingerprint
from field_app.store.store import Store
from field_app.sync.status import rows
from shared.errors import RuleBroken
from shared.observations.answers import effective
from shared.reports import Report
from shared.values import SubjectId


def summary(store: Store, _: str) -> dict[str, Any]:
    """Who this tablet is and how it stands with the office."""
    identity, meta = store.identity, store.meta
    return {
        "person": identity.person, "name": identity.name, "device": identity.device,
        "office": identity.server_url, "fingerprint": own_fingerprint(store), "confirmed": meta.confirmed,
        "unsent": store.unsent(), "exchanged_at": meta.exchanged_at, "revoked": meta.revoked, "epoch": meta.epoch,
        "position": meta.position, "ledger_head": meta.ledger_head,
        "room": store.room(), "damage": asdict(store.damage),
        "alarms": [{"code": each.code, "subject": each.subject, "at": each.at} for each in store.alarms()],
        "drafts": len(store.drafts()), "visits": len(store.subjects("visit")),
    }  # fmt: skip


def visits(store: Store, _: str) -> list[dict[str, Any]]:
    """Every visit with its stage, group, record and report."""
    found = []
    for id_ in store.subjects("visit"):
        visit = visit_of(store, id_)
        report = store.state(report_id(store, id_))
        found.append({
            "id": id_, "kind": visit.visit_kind, "stage": visit.stage, "institution": visit.institution or "",
            "plan": plan_of(store, id_) or {}, "members": list(visit.members), "leader": visit.leader,
            "conflicts": dict(visit.conflicts), "mandate": visit.mandate.number if visit.mandate else "",
            "record": record_id(store, id_) or "", "report": report.stage if isinstance(report, Report) else "none",
        })  # fmt: skip
    return found


def requests(store: Store, _: str) -> list[dict[str, Any]]:
    """Every request with its state and opened words."""
    found = []
    for id_ in store.subjects("visit_request"):
        state = store.state(id_)
        found.append({"id": id_, "state": state.state, "kind": state.visit_kind, "urgency": state.urgency}
                     | words_or_empty(store, id_, state.words))  # fmt: skip
    return found


def _record(store: Store, given: str) -> SubjectId:
    """The record of the visit or record named, or the only one held."""
    if given:
        return record_id(store, SubjectId(given)) or SubjectId(given)
    held = store.subjects("record")
    if len(held) != 1:
        raise RuleBroken("not_found")
    return held[0]


def answers(store: Store, given: str) -> list[dict[str, Any]]:
    """Every item of a record: how it stands and who said what."""
    record = _record(store, given)
    state = record_of(store, record)
    found = []
    for path, item in sorted(state.answers.items.items()):
        result = effective(item, state.leader)
        said = [
            {
                "operation": entry.operation, "author": entry.author,
                "value": words_or_empty(store, record, entry.words).get("value") if entry.words else entry.value,
                "non_answer": entry.non_answer or "",
            }
            for entry in ([result.entry] if result.entry else []) + list(result.others)
        ]  # fmt: skip
        found.append({"item": path, "state": result.state, "said": said})
    return found


def findings(store: Store, given: str) -> list[dict[str, Any]]:
    """Every finding of a record, opened."""
    record = _record(store, given)
    return [
        {"id": id_, "author": finding.current.author, "severity": finding.current.body.severity,
         "urgent": finding.current.body.urgent, "withdrawn": finding.withdrawn, "differs": finding.differs}
        | words_or_empty(store, record, finding.current.words)
        for id_, finding in record_of(store, record).findings.items()
        if finding.current.body
    ]  # fmt: skip


def notes(store: Store, given: str) -> list[dict[str, Any]]:
    """Every note of a record, opened."""
    record = _record(store, given)
    return [
        {"id": id_, "author": note.current.author, "of": note.current.of, "withdrawn": note.withdrawn}
        | words_or_empty(store, record, note.current.words)
        for id_, note in record_of(store, record).notes.items()
    ]


def photos(store: Store, given: str) -> list[dict[str, Any]]:
    """Every photo of a record."""
    record = _record(store, given)
    return [
        {"id": id_, "author": photo.author, "of": photo.of, "cleared": photo.cleared,
         "caption": words_or_empty(store, record, photo.words).get("caption", ""),
         "files": {role: file.sha256 for role, file in photo.files.items()}}
        for id_, photo in record_of(store, record).photos.items()
    ]  # fmt: skip


def interviews_view(store: Store, _: str) -> list[dict[str, Any]]:
    """Every interview held here; what was said only where it can be opened."""
    found = []
    for id_ in store.subjects("interview"):
        state = store.state(id_)
        said, _rows, notes_ = interviews.said(store, id_)
        found.append({"id": id_, "number": state.number, "author": state.author, "answers": len(said),
                      "notes": len(notes_), "closed": bool(state.closed_at)})  # fmt: skip
    return found


def report(store: Store, given: str) -> dict[str, Any]:
    """The report of a visit: version, hash, stands, questions of the office."""
    visits_held = store.subjects("visit")
    visit = SubjectId(given) if given else visits_held[-1] if visits_held else SubjectId("")
    state = store.state(report_id(store, visit)) if visit else None
    if not isinstance(state, Report) or state.current is None:
        return {"stage": "none"}
    compared = reports.compare(store, visit)
    return {
        "id": state.id, "stage": state.stage, "version": state.current.body.version,
        "sha256": state.current.body.sha256, "same_here": compared.is_same, "late": compared.late,
        "lacking": str(compared.lacking or ""),
        "signatures": [
            {"person": each.person, "stand": each.stand, "text": each.text}
            for each in state.current.signatures.values()
        ],
        "questions": [
            {"id": each.id, "finding": each.finding, "text": each.text, "answer": each.answer}
            for each in state.questions.values()
        ],
    }  # fmt: skip


def sync_rows(store: Store, _: str) -> list[dict[str, Any]]:
    """The rows of the sync centre."""
    return [asdict(row) for row in rows(store)]


def media(store: Store, _: str) -> list[dict[str, Any]]:
    """Files made here and how far each is sent."""
    return [
        {"sha256": file.sha256, "role": file.role, "size": file.size, "sent": file.sent, "received": file.received,
         "failed": file.failed}
        for file in store.files()
    ]  # fmt: skip


def not_counted(store: Store, _: str) -> list[dict[str, Any]]:
    """Operations that stand in the ledger and have no effect, with the rule."""
    return [
        {"subject": subject, "operation": each.operation, "kind": each.kind, "code": each.code, "source": each.source}
        for kind in ("visit_request", "visit", "record", "interview", "report", "notebook")
        for subject in store.subjects(kind)
        for each in store.state(subject).not_counted
    ]


VIEWS: dict[str, Callable[[Store, str], Any]] = {
    "summary": summary,
    "visits": visits,
    "requests": requests,
    "answers": answers,
    "findings": findings,
    "notes": notes,
    "photos": photos,
    "interviews": interviews_view,
    "report": report,
    "rows": sync_rows,
    "media": media,
    "not_counted": not_counted,
}


def as_text(found: Any) -> str:
    """The values as lines a person can read."""
    if isinstance(found, list):
        return "\n".join(as_text(each) for each in found) if found else "–"
    if isinstance(found, dict):
        return "\n".join(f"{name}: {_short(value)}" for name, value in found.items()) + "\n"
    return str(found)


def _short(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {_short(each)}" for name, each in value.items()) or "–"
    if isinstance(value, list):
        return "; ".join(_short(each) for each in value) or "–"
    return str(value) if value not in ("", None) else "–"


__all__ = ["VIEWS", "as_text"]
