"""What the report on paper says, taken from the frozen document and the stands of its signers alone. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from server.documents.paper import check_code, shown_date
from server.institutions.places import region_name, type_name
from server.reports.document import Document, Finding, document_of
from server.reports.forms import standard_words
from server.reports.reading import NON_ANSWERS, ThemeRead, find_line, gaps, themes_of
from server.reports.review import SEVERITIES
from shared.checklists.evaluate import Lists
from shared.checklists.form import Form
from shared.errors import RuleBroken
from shared.institutions import Institution
from shared.reports import Report, Version
from shared.texts import Texts
from shared.values import PersonId

SEPARATE = ("dissent", "reservation")
"""Stands whose words are printed in full, dissents first."""


def report_values(
    report: Report, names: Mapping[PersonId, str], texts: Texts, forms: Iterable[Form], lists: Lists,
    institution: Institution | None, today: date,
) -> dict[str, Any]:  # fmt: skip
    """The values of the report's template. Raises RuleBroken: report_missing, report_changed."""
    current = report.current
    if current is None:
        raise RuleBroken("report_missing", "report.per_visit")
    document = document_of(current.document, names)
    themes = themes_of(document, forms, texts.language, texts, lists, today)
    return {
        "document": document, "visit": document.visit, "version": current.body.version, "frozen_at": current.at,
        "sha256": current.body.sha256, "code": check_code(current.body.sha256),
        "institution": institution.name(texts.language) if institution else document.visit.institution,
        "place": _place(institution, texts), "kind": kind_words(document.visit.kind, texts),
        "standing": standing(report, texts), "gaps": gap_words(gaps(themes), texts),
        "opinions": opinions(current, document), "signatures": signatures(report, document, texts),
        "findings": [finding_values(each, document, themes, texts) for each in document.findings],
        "recommendations": recommendations(document), "questions": questions(report, names, texts), "themes": themes,
        "part_name": lambda part: part_name(part, texts),
    }  # fmt: skip


def _place(institution: Institution | None, texts: Texts) -> str:
    if institution is None:
        return ""
    language = texts.language
    return f"{region_name(institution.region_iso, language)}; {type_name(institution.type, language)}"


def kind_words(kind: str, texts: Texts) -> str:
    """The kind of a visit in words."""
    return texts(f"visits.kind.{kind}") if texts.has(f"visits.kind.{kind}") else kind


def part_name(part: str, texts: Texts) -> str:
    """The heading of a part of the report."""
    key = f"documents.part.{part}"
    return texts(key) if texts.has(key) else texts("documents.part.other")


def standing(report: Report, texts: Texts) -> str:
    """One sentence: how many of the group signed."""
    current = report.current
    signed = len(current.signatures) if current else 0
    return texts("documents.standing", signed=signed, members=signed + len(report.unsigned()))


def gap_words(counts: Counter[str], texts: Texts) -> str:
    """The counts of blanks, differences and non-answers, as one line of sentences."""
    words = [texts.plural(f"dossier.gap.{name}", counts[name]) for name in NON_ANSWERS]
    words.append(texts.plural("dossier.gap.differs", counts["differs"]))
    words.append(texts.plural("dossier.gap.blank", counts["blank"]) if counts["blank"] else texts("dossier.gap.none"))
    return " ".join(words)


def opinions(version: Version, document: Document) -> list[dict[str, str]]:
    """Dissents and reservations in full, dissents first."""
    found = [each for each in version.signatures.values() if each.stand in SEPARATE]
    found.sort(key=lambda each: (SEPARATE.index(each.stand), each.at, each.person))
    return [
        {
            "stand": each.stand, "name": document.name_of(each.person), "text": each.text, "language": each.language,
            "at": each.at,
        }
        for each in found
    ]  # fmt: skip


def signatures(report: Report, document: Document, texts: Texts) -> list[dict[str, Any]]:
    """A line for each member: signed and how, or why not."""
    given = report.current.signatures if report.current else {}
    reasons = dict(report.submitted.missing) if report.submitted else {}
    lines = []
    for member in document.group:
        person = PersonId(member.person)
        signature = given.get(person)
        reason = reasons.get(person, "")
        stand = signature.stand if signature else "absent" if reason else "waiting"
        lines.append(
            {
                "name": member.name, "leads": member.leader, "stand": stand, "words": texts(f"documents.stand.{stand}"),
                "reason": reason, "language": "", "at": signature.at if signature else "",
            }
        )  # fmt: skip
    return lines


def finding_values(finding: Finding, document: Document, themes: Iterable[ThemeRead], texts: Texts) -> dict[str, Any]:
    """A finding for paper or page: labelled words as written, standards, what it rests on."""
    parts = (("seen", finding.saw), ("told", finding.told), ("concluded", finding.concluded))
    said = [(texts(f"review.{name}"), words) for name, words in parts if words]
    return {
        "id": finding.id, "severity": finding.severity if finding.severity in SEVERITIES else "low",
        "urgent": finding.urgent, "author": document.name_of(finding.author), "language": finding.language,
        "said": said, "told_by": finding.told_by, "standards": [standard_words(key) for key in finding.standards],
        "evidence": ", ".join(evidence(finding, document, themes, texts)) or texts("documents.evidence.none"),
    }  # fmt: skip


def evidence(finding: Finding, document: Document, themes: Iterable[ThemeRead], texts: Texts) -> list[str]:
    """What a finding rests on, each as a few words: a question, a photo by its number, or something else recorded."""
    photos = {photo.id: number for number, photo in enumerate(document.photos, 1)}
    themes = list(themes)
    found = []
    others = 0
    for each in finding.evidence:
        line = find_line(themes, each)
        if line is not None:
            found.append(texts("documents.evidence.answer", code=line.code))
        elif each in photos:
            found.append(texts("documents.evidence.photo", number=photos[each]))
        else:
            others += 1
    if others:
        found.append(texts.plural("documents.evidence.others", others))
    return found


def recommendations(document: Document) -> list[dict[str, Any]]:
    """What is recommended, with the number of the finding it follows from."""
    return [
        {
            "number": number, "addressee": each.recommendation.addressee, "text": each.recommendation.text,
            "due": due_words(each.recommendation.due), "language": each.language,
        }
        for number, each in enumerate(document.findings, 1)
        if each.recommendation.text
    ]  # fmt: skip


def due_words(due: str) -> str:
    """The day by which something is asked for, as people write it; as written where it is no day."""
    return shown_date(due) or due


def questions(report: Report, names: Mapping[PersonId, str], texts: Texts) -> list[dict[str, Any]]:
    """The questions of the office with their answers, in the order asked."""
    order = {id_: number for number, id_ in enumerate(report.current.findings if report.current else {}, 1)}
    found = []
    for each in report.questions.values():
        title = (
            texts("documents.finding", number=order[each.finding])
            if each.finding in order
            else texts("documents.report.whole")
        )
        found.append(
            {
                "title": title, "text": each.text, "language": each.language, "asked_by": names.get(each.by, ""),
                "answer": each.answer, "answer_language": each.answer_language,
                "answered_by": names.get(each.answered_by, ""),
            }
        )  # fmt: skip
    return found
