"""Rows of records and interviews, made anew from the folded subject, and the media their operations promise."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete, insert
from sqlmodel import Session, SQLModel

from server.media.project import promise
from server.observations.tables import AnswerRow, FindingRow, InterviewRow, ThemeCountRow
from shared.checklists.paths import is_path, place_of
from shared.ledger.operation import canonical
from shared.observations.answers import Effective
from shared.observations.interview import Interview
from shared.observations.record import Record, Versioned
from shared.values import moment_of

ITEM_LENGTH = 400
_TABLES = {row: SQLModel.metadata.tables[str(row.__tablename__)] for row in (FindingRow, AnswerRow, ThemeCountRow)}
_CLEAR = [delete(table).where(table.c.record == bindparam("of")) for table in _TABLES.values()]
_INSERT = {row: insert(table) for row, table in _TABLES.items()}
_interviews: Any = InterviewRow.__table__  # type: ignore[attr-defined]
_CLEAR_INTERVIEW = delete(_interviews).where(_interviews.c.id == bindparam("of"))
_INSERT_INTERVIEW = insert(_interviews)
"""Made once, and run without rows becoming objects: nobody holds objects of what only projections write."""
_STANDARD = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)


def record(session: Session, state: Record) -> None:
    """Replaces findings, answers and counts of the record. Rows go in as plain lists: a visit has hundreds."""
    connection = session.connection()
    for clear in _CLEAR:
        connection.execute(clear, {"of": state.id})
    if state.parent is None or not state.visit:
        return
    visit = _visit(state)
    answers = [
        _answer(state, visit, path, found)
        for path in state.answers.items
        if (found := state.effective(path)).state != "blank" and len(path) <= ITEM_LENGTH and is_path(path)
    ]
    for table, rows in (
        (FindingRow, [_finding(state, visit, each) for each in state.findings.values()]),
        (AnswerRow, answers),
        (ThemeCountRow, _counts(state, visit, answers)),
    ):
        if rows:
            connection.execute(_INSERT[table], rows)
    promise(session, state.id, (file for photo in state.photos.values() for file in photo.files.values()))


def _finding(state: Record, visit: str, finding: Versioned) -> dict[str, Any]:
    current = finding.current
    body = current.body
    return {
        "id": finding.id, "record": state.id, "visit": visit, "severity": body.severity if body else "low",
        "urgent": bool(body and body.urgent),
        "standards": " ".join(filter(_STANDARD.fullmatch, body.standards)) if body else "",
        "evidence_count": len(body.evidence) if body else 0, "author": current.author,
        "recorded_at": _moment(current.at), "differs": finding.differs, "withdrawn": finding.withdrawn,
    }  # fmt: skip


def _answer(state: Record, visit: str, path: str, found: Effective) -> dict[str, Any]:
    entry = found.entry
    return {
        "record": state.id, "item": path, "visit": visit, "state": found.state,
        "value": "" if entry is None or entry.value is None else canonical(entry.value).decode(),
        "is_words": bool(entry and entry.words), "non_answer": (entry.non_answer or "") if entry else "",
        "refused_by": entry.refused_by if entry else "", "author": entry.author if entry else None,
        "voices": len(state.answers.items[path].standing()),
    }  # fmt: skip


_NONE_YET = dict.fromkeys(("answered", "differing", "not_seen", "not_asked", "refused", "not_applicable"), 0)


def _counts(state: Record, visit: str, answers: list[dict[str, Any]]) -> list[dict[str, Any]]:
    themes: dict[str, dict[str, Any]] = {}
    for row in answers:
        theme = place_of(row["item"]).strip("/").split("/")[0][:80]
        if theme not in themes:
            themes[theme] = {"record": state.id, "theme": theme, "visit": visit, **_NONE_YET}
        themes[theme]["differing" if row["state"] == "differs" else row["non_answer"] or "answered"] += 1
    return list(themes.values())


def interview(session: Session, state: Interview) -> None:
    """Replaces the row of the interview."""
    connection = session.connection()
    connection.execute(_CLEAR_INTERVIEW, {"of": state.id})
    if not state.author or state.parent is None:
        return
    row = {
        "id": state.id, "visit": _visit(state), "number": printable(state.number)[:16], "author": state.author,
        "opened_at": _moment(state.opened_at), "withdrawn": bool(state.withdrawn_at),
    }  # fmt: skip
    connection.execute(_INSERT_INTERVIEW, row)
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
