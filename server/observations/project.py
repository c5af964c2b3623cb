"""Rows of records and interviews, made anew from the folded subject, and the media their operations promise."""

from __future__ import annotations

import re
from datetime import datetime

from sqlmodel import Session, col, delete

from server.media.project import promise
from server.observations.tables import AnswerRow, FindingRow, InterviewRow, ThemeCountRow
from shared.checklists.paths import is_path, place_of
from shared.ledger.operation import canonical
from shared.observations.answers import Effective
from shared.observations.interview import Interview
from shared.observations.record import Record, Versioned
from shared.values import moment_of

ITEM_LENGTH = 400
_STANDARD = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)


def record(session: Session, state: Record) -> None:
    """Replaces findings, answers and counts of the record."""
    for table in (FindingRow, AnswerRow, ThemeCountRow):
        session.execute(delete(table).where(col(table.record) == state.id))
    if state.parent is None or not state.visit:
        return
    session.add_all(_finding(state, each) for each in state.findings.values())
    rows = [
        _answer(state, path, found)
        for path in state.answers.items
        if (found := state.effective(path)).state != "blank" and len(path) <= ITEM_LENGTH and is_path(path)
    ]
    session.add_all(rows)
    session.add_all(_counts(state, rows))
    session.flush()
    promise(session, state.id, (file for photo in state.photos.values() for file in photo.files.values()))


def _finding(state: Record, finding: Versioned) -> FindingRow:
    current = finding.current
    body = current.body
    standards = " ".join(filter(_STANDARD.fullmatch, body.standards)) if body else ""
    return FindingRow(
        id=finding.id, record=state.id, visit=_visit(state), severity=body.severity if body else "low",
        urgent=bool(body and body.urgent), standards=standards,
        evidence_count=len(body.evidence) if body else 0, author=current.author, recorded_at=_moment(current.at),
        differs=finding.differs, withdrawn=finding.withdrawn,
    )  # fmt: skip


def _answer(state: Record, path: str, found: Effective) -> AnswerRow:
    entry = found.entry
    value = "" if entry is None or entry.value is None else canonical(entry.value).decode()
    return AnswerRow(
        record=state.id, item=path, visit=_visit(state), state=found.state, value=value,
        is_words=bool(entry and entry.words), non_answer=(entry.non_answer or "") if entry else "",
        refused_by=entry.refused_by if entry else "", author=entry.author if entry else None,
        voices=len(state.answers.items[path].standing()),
    )  # fmt: skip


def _counts(state: Record, rows: list[AnswerRow]) -> list[ThemeCountRow]:
    themes: dict[str, ThemeCountRow] = {}
    for row in rows:
        theme = place_of(row.item).strip("/").split("/")[0][:80]
        count = themes.setdefault(
            theme,
            ThemeCountRow(
                record=state.id, theme=theme, visit=_visit(state), answered=0, differing=0, not_seen=0, not_asked=0,
                refused=0, not_applicable=0,
            ),
        )  # fmt: skip
        name = "differing" if row.state == "differs" else row.non_answer or "answered"
        setattr(count, name, getattr(count, name) + 1)
    return list(themes.values())


def interview(session: Session, state: Interview) -> None:
    """Replaces the row of the interview."""
    session.execute(delete(InterviewRow).where(col(InterviewRow.id) == state.id))
    if not state.author or state.parent is None:
        return
    session.add(
        InterviewRow(
            id=state.id, visit=_visit(state), number=printable(state.number)[:16], author=state.author,
            opened_at=_moment(state.opened_at), withdrawn=bool(state.withdrawn_at),
        )
    )  # fmt: skip
    session.flush()
    promise(session, state.id, (file for files in state.files.values() for file in files))


def _visit(state: Record | Interview) -> str:
    """The visit the subject belongs to by its place in the ledger; what a body claims later moves nothing."""
    return state.parent.id if state.parent else state.visit


def printable(text: str) -> str:
    """The text without signs that no column takes."""
    return "".join(sign for sign in text if sign.isprintable())


def _moment(text: str) -> datetime | None:
    try:
        return moment_of(text) if text else None
    except ValueError:
        return None
