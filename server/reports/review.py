"""How a finding stands in the review, and what was decided about it: read from the folded report. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal

from shared.reports import Report, findings_of, open_questions
from shared.values import OperationId

ReviewState = Literal["waiting", "answered", "half", "returned", "accepted"]
OPEN: tuple[ReviewState, ...] = ("waiting", "answered", "half")
"""States in which somebody of the office has to decide."""

SEVERITIES = ("low", "medium", "high", "critical")
HEADLINE = 120
_DECISIONS = {"question_asked", "question_answered", "finding_accepted", "finding_reopened"}


def state_of(report: Report, finding: OperationId) -> ReviewState:
    """Where the finding stands."""
    if finding in report.accepted_findings:
        return "accepted"
    if open_questions(report, finding):
        return "returned"
    if finding in report.half_accepted:
        return "half"
    return "answered" if any(each.finding == finding for each in report.questions.values()) else "waiting"


def severity_of(finding: Mapping[str, Any]) -> int:
    """1 (low) to 4 (critical); 1 for a word that is none of these."""
    word = finding.get("severity")
    return SEVERITIES.index(word) + 1 if word in SEVERITIES else 1


def place_of(report: Report, finding: OperationId) -> int:
    """The number of the finding in its report, from 1."""
    return list(findings_of(report)).index(finding) + 1


def headline_of(finding: Mapping[str, Any]) -> str:
    """The first sentence of what was concluded, else of what was seen or told, cut at a word."""
    text = next((str(finding[part]) for part in ("concluded", "saw", "told") if finding.get(part)), "")
    first = re.split(r"(?<=[.!?…])\s|\n", text.strip(), maxsplit=1)[0]
    first = "".join(sign for sign in first if sign.isprintable())
    if len(first) <= HEADLINE:
        return first
    return first[: HEADLINE - 1].rsplit(" ", 1)[0] + "…"


def decisions_about(report: Report, finding: OperationId) -> list[tuple[str, str, str]]:
    """(moment, kind, person) of everything said about the finding in the review, oldest first."""
    return [(at, kind, person) for at, kind, person, about in report.history if about == finding and kind in _DECISIONS]
