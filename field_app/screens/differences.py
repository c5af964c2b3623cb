"""T9-light: questions the group answers differently, own and others' answers side by side, and what was chosen.

Nothing of a colleague's is changed; without a choice the report holds every version. Source: UX T9, SETTLED 43 and 44.
"""

from __future__ import annotations

from typing import Any

from field_app.screens.checklist_said import entry_words
from field_app.screens.checklist_sheets import comparison_sheet
from field_app.screens.checklist_state import ground, name_of, numbered, sitting
from field_app.screens.screen import Screen
from field_app.widgets.button import Button
from field_app.widgets.frame import Frame, Page, Strip
from field_app.widgets.icon import Icon
from field_app.widgets.layout import Col, Gap, Grid, Row, Wrap
from field_app.widgets.node import Box, Node
from field_app.widgets.page_buttons import PageButtons
from field_app.widgets.scroll import Scroll
from field_app.widgets.text import Text
from shared.checklists.paths import place_of
from shared.observations.record import Record
from shared.values import SubjectId


class Differences(Screen):
    """`at.subject` is the visit."""

    def facts(self) -> Any:
        desk = self.desk
        self.ground = ground(desk.store, SubjectId(self.at.subject), desk.texts.language)
        if self.ground.record is None:
            return ((), (), ())
        self.sitting = sitting(desk.store, self.ground.record, desk.texts.language, desk.now())
        differing = tuple(self._in_order(self.sitting.differing()))
        chosen = tuple(self._in_order(
            path for path in self.sitting.record.answers.items
            if self.sitting.has(path) and self.sitting.effective(path).state == "chosen"
        ))  # fmt: skip
        record: Record = self.sitting.record
        findings = tuple(id_ for id_, each in record.findings.items() if each.differs and not each.withdrawn)
        said = tuple((path, tuple(e.operation for e in self._said(path))) for path in (*differing, *chosen))
        self._lists = (differing, chosen, findings)
        return (*self._lists, said)

    def _in_order(self, paths: Any) -> list[str]:
        order = [place for each in self.sitting.evaluations for place in each.form.entries]
        return sorted(paths, key=lambda path: (order.index(place_of(path)), path))

    def _said(self, path: str) -> list[Any]:
        result = self.sitting.effective(path)
        said = ([result.entry] if result.entry else []) + list(result.others)
        me = self.desk.store.person
        return sorted(said, key=lambda entry: (entry.author != me, entry.order))

    def build(self, facts: Any) -> Frame:
        t = self.desk.texts
        differing, chosen, findings = facts[0], facts[1], facts[2]
        parts: list[Node] = []
        if not differing and not findings:
            parts.append(Text(t("differences.none"), 18, "muted"))
        parts += [self._row(path) for path in differing]
        if findings:
            parts.append(Text(t("differences.findings"), 20, bold=True, pad=(0, 12, 0, 0)))
            parts += [
                Button(t("finding.number", number=number), "differs", "quiet",
                       lambda id_=id_: self.desk.go("finding", subject=self.at.subject, finding=id_), trail="right",
                       text_align="left", tall=72)
                for number, id_ in enumerate(self.sitting.record.findings, 1) if id_ in findings
            ]  # fmt: skip
        if differing:
            parts.append(Text(t("differences.help"), 14, "muted"))
        if chosen:
            parts.append(Text(t("differences.chosen_list"), 20, bold=True, pad=(0, 12, 0, 0)))
            parts += [self._row(path) for path in chosen]
        self.pane = Scroll(Page(*parts))
        strip = Strip(Gap(grow=1), PageButtons(t, self.pane))
        return self.desk.chrome(self.ground.title, self.pane, sub=t("differences.title"), visit=self.ground.visit,
                                strip=strip)  # fmt: skip

    def _row(self, path: str) -> Node:
        t, evaluation = self.desk.texts, self.sitting.at(path)
        number = numbered(evaluation.form, t.language).get(place_of(path), "")
        head = Row(Text(number, 18, "muted", bold=True) if number else None,
                   Text(evaluation.label(path, t.language), 18, grow=1), gap=16)  # fmt: skip
        said = [self._answer(path, entry) for entry in self._said(path)]
        between: list[Node] = []
        for one in said:
            between += [one] if not between else [Icon("differs", 24, "warn"), one]
        return Col(
            head, Wrap(*between, gap=20),
            Grid(Button(t("differences.compare_short"), "swap", "plain", lambda: self._compare(path)),
                 Button(t("checklist_screen.go"), "right", "quiet",
                        lambda: self.desk.go("checklist", subject=self.at.subject, item=path)), gap=8, columns=4),
            gap=12, pad=16, box=Box(fill="card", edge="hair"),
        )  # fmt: skip

    def _answer(self, path: str, entry: Any) -> Node:
        t = self.desk.texts
        who = t("differences.me") if entry.author == self.desk.store.person else name_of(self.desk.store, entry.author)
        return Col(Text(who, 14, "muted"), Text(entry_words(self.sitting, path, entry, t), 18, bold=True), gap=2)

    def _compare(self, path: str) -> None:
        self.desk.open_sheet(
            comparison_sheet(self.desk, self.sitting, path, self.ground.read_only, lambda _: self.desk.rebuild())
        )
