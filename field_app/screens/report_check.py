"""The first two steps of a report: every gap as a door to its question, and findings with the texts around them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from field_app.screens.checklist_views import by_words
from field_app.screens.report_facts import Item, ReportFacts
from field_app.widgets.button import Button
from field_app.widgets.layout import Col, Grid
from field_app.widgets.list import Entry
from field_app.widgets.node import Node
from field_app.widgets.picker import search_sheet
from field_app.widgets.text import Text

if TYPE_CHECKING:
    from field_app.screens.report import ReportScreen

ICONS = {
    "left": "blank", "nk": "not_known", "not_seen": "not_seen", "not_asked": "not_asked", "refused_staff": "refused",
    "refused": "refused", "differs": "differs", "warned": "warning",
}  # fmt: skip


def check_page(screen: ReportScreen, facts: ReportFacts) -> list[Node]:
    """Gaps first, each a door; nothing of it hinders signing."""
    t = screen.desk.texts
    doors: list[Node] = [
        Button(
            t(f"report_screen.gap_{name}"),
            ICONS[name],
            "quiet",
            lambda name=name, items=items: _list(screen, name, items),
            sub=t(f"report_screen.gap_{name}_help"),
            badge=str(len(items)),
            trail="right",
            text_align="left",
            tall=80,
        )
        for name, items in facts.gaps
    ]
    if facts.consentless:
        doors.append(
            Button(t("report_screen.gap_consent"), "people", "quiet",
                   lambda: screen.desk.go("interviews", subject=screen.visit), sub=", ".join(facts.consentless),
                   badge=str(len(facts.consentless)), trail="right", text_align="left", tall=80)
        )  # fmt: skip
    drafts = [each for each in facts.findings if not each[4]]
    if drafts:
        doors.append(
            Button(t("report_screen.gap_evidence"), "flag", "quiet",
                   lambda: screen.desk.go("findings", subject=screen.visit), sub=t("report_screen.gap_evidence_help"),
                   badge=str(len(drafts)), trail="right", text_align="left", tall=80)
        )  # fmt: skip
    if not doors:
        return [Text(t("report_screen.no_gaps"), 18)]
    return [Text(t("report_screen.gaps_help"), 18, "muted"), Grid(*doors, columns=2, cell=340, gap=12)]


def _list(screen: ReportScreen, name: str, items: tuple[Item, ...]) -> None:
    t = screen.desk.texts
    rows = [{"key": each.path, "number": each.number, "title": each.title, "theme": each.theme} for each in items]

    def find(query: str) -> list[Entry]:
        return [Entry(row["key"], row["title"], row["theme"], mark=row["number"])
                for row in by_words(rows, query, "number", "title", "theme")]  # fmt: skip

    def choose(path: str) -> None:
        screen.desk.go("checklist", subject=screen.visit, item=path)

    screen.desk.open_sheet(search_sheet(t, t(f"report_screen.gap_{name}"), find, choose, row=96))


def findings_page(screen: ReportScreen, facts: ReportFacts) -> list[Node]:
    """The findings, then the texts of the report, seen by the group alone until the freeze."""
    t = screen.desk.texts
    parts: list[Node] = [Text(t("finding.list"), 20, bold=True)]
    for number, (id_, title, severity, urgent, ready) in enumerate(facts.findings, 1):
        words = [t("finding.urgent")] if urgent else []
        words += [t(f"finding.{severity}"), t("finding.ready" if ready else "finding.draft")]
        title = title if len(title) <= 140 else title[:139].rstrip() + "…"
        parts.append(
            Button(title or t("finding.number", number=number), "alert" if urgent else "flag", "quiet",
                   lambda id_=id_: screen.desk.go("finding", subject=screen.visit, finding=id_),
                   sub=" · ".join(words), trail="right", text_align="left", tall=72)
        )  # fmt: skip
    if not facts.findings:
        parts.append(Text(t("finding.none"), 18, "muted"))
    parts.append(Text(t("report_screen.texts"), 20, bold=True, pad=(0, 12, 0, 0)))
    parts.append(Text(t("report_screen.texts_help"), 14, "muted"))
    for part, text in facts.texts:
        label = Text(t(f"documents.part.{part}"), 18, bold=True)
        parts.append(Col(label, screen.text_field(part, text), gap=8))
    return parts
