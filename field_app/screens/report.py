"""T10: check, findings and texts, signatures, handing in; and the questions the office asks afterwards.

Four steps that can be taken in any order; gaps never block. Signing asks for the PIN and is possible only when this
tablet builds the very bytes that were frozen; else it names what it lacks. Dissent is as large as agreement.
Source: UX T10, SETTLED decisions 45-47, 58.
"""

from __future__ import annotations

from typing import Any

from field_app.acts import records, reports
from field_app.acts.subjects import report_id
from field_app.screens import formats
from field_app.screens.checklist_state import ground
from field_app.screens.report_check import check_page, findings_page
from field_app.screens.report_facts import ReportFacts, report_facts
from field_app.screens.report_sign import SignPages
from field_app.screens.screen import Screen, replace_place
from field_app.store.kept import Place
from field_app.widgets.button import Button
from field_app.widgets.frame import Frame, Page, Strip
from field_app.widgets.layout import Col, Gap, Grid
from field_app.widgets.node import Box, Node
from field_app.widgets.page_buttons import PageButtons
from field_app.widgets.pill import Pill
from field_app.widgets.scroll import Scroll
from field_app.widgets.text import Text
from field_app.widgets.textfield import TextField
from shared.reports import Report
from shared.values import OperationId, SubjectId

STEPS = ("check", "findings", "sign", "submit")


class ReportScreen(SignPages, Screen):
    """`at.subject` is the visit; `at.more["step"]` one of STEPS."""

    def facts(self) -> ReportFacts | None:
        desk = self.desk
        self.visit = SubjectId(self.at.subject)
        self.ground = ground(desk.store, self.visit, desk.texts.language)
        return report_facts(desk.store, self.visit, desk.texts.language, desk.now())

    @property
    def step(self) -> str:
        """The step shown."""
        step = self.at.more.get("step", "check")
        return step if step in STEPS else "check"

    # --- building --------------------------------------------------------------------------------------------
    def build(self, facts: ReportFacts | None) -> Frame:
        t = self.desk.texts
        self.fields: dict[str, TextField] = {}
        if facts is None:
            parts: list[Node] = [Text(t("report_screen.none"), 18, "muted")]
        else:
            pages = {"check": check_page, "findings": findings_page}
            own = {"sign": self.sign_page, "submit": self.submit_page}
            made = pages[self.step](self, facts) if self.step in pages else own[self.step](facts)
            parts = [self._steps(), *made]
        self.pane = Scroll(Page(*parts))
        return self.desk.chrome(self.ground.title, self.pane, sub=t("report_screen.title"), visit=self.visit,
                                strip=self._strip())  # fmt: skip

    def _steps(self) -> Node:
        t, cells = self.desk.texts, []
        for number, step in enumerate(STEPS, 1):
            here = step == self.step
            button = Button(
                t("report_screen.step", number=number, name=t(f"report_screen.step_{step}")),
                None,
                "soft_edge" if here else "quiet",
                lambda step=step: self._to(step),
                role="choice",
                bold=here,
                reserve=False,
                inset=8,
            )
            button.state = "current" if here else ""
            cells.append(button)
        return Grid(*cells, gap=8, cell=150)

    def _strip(self) -> Strip:
        t, at = self.desk.texts, STEPS.index(self.step)
        after = STEPS[at + 1] if at + 1 < len(STEPS) else None
        go = (
            Button(t(f"report_screen.step_{after}"), None, "primary", lambda: self._to(after), trail="right")
            if after
            else None
        )
        return Strip(Gap(grow=1), PageButtons(t, self.pane), Gap(grow=1), go)

    def _to(self, step: str | None) -> None:
        self.leave()
        self.at = replace_place(self.at, scroll=0, more=self.at.more | {"step": step or "check"})
        self.pane = None
        self.desk.rebuild()

    # --- texts of the report ---------------------------------------------------------------------------------
    def draft_name(self, part: str) -> str:
        """The name a text of the report is kept under while it is typed."""
        return f"{self.ground.record} text {part}"

    def text_field(self, part: str, text: str) -> TextField:
        """A field for one text of the report."""
        draft = self.desk.store.drafts().get(self.draft_name(part))
        field = TextField(
            self.desk.texts(f"documents.part.{part}"), draft.text if draft else text, lines=4, multiline=True,
            on_draft=lambda words, caret: self._typed(part, words, caret),
            on_leave=lambda words: self._keep(part, words), disabled_now=self.ground.read_only,
        )  # fmt: skip
        if draft:
            field.caret = min(draft.caret, len(draft.text))
        self.fields[part] = field
        return field

    def _typed(self, part: str, text: str, caret: int) -> None:
        self._last = part
        self.desk.draft(self.draft_name(part), text, caret)

    def _keep(self, part: str, text: str) -> None:
        desk, name = self.desk, self.draft_name(part)
        if name not in desk.store.drafts() or self.ground.record is None:
            return
        said = dict(self.shown.texts).get(part, "") if self.shown else ""
        record = self.ground.record
        if text.strip() == said.strip():
            desk.saving(lambda: desk.store.drop_draft(name))
            return
        language = desk.texts.language
        if (
            desk.saving(lambda: records.write_text(desk.store, record, part, text, desk.now(), language, name))
            is not None
        ):
            self.shown = self.facts()

    def leave(self) -> None:
        for part, field in self.fields.items():
            self._keep(part, field.text)

    def here(self) -> Place:
        place, last = super().here(), getattr(self, "_last", "")
        field = self.fields.get(last) if hasattr(self, "fields") else None
        more = {name: text for name, text in place.more.items() if name != "field"}
        if field is not None and field.editor is not None:
            return replace_place(place, caret=field.caret, more=more | {"field": last})
        return replace_place(place, more=more)

    def settle(self) -> None:
        super().settle()
        field = self.fields.get(self.at.more.get("field", ""))
        if field is not None and not field.disabled_now:
            field.caret = min(self.at.caret, len(field.text))
            self.desk.focus(field)


class Question(Screen):
    """The questions of the office about a report handed in. `at.subject`: the report or its visit; `at.item`: one."""

    def facts(self) -> Any:
        store, subject = self.desk.store, SubjectId(self.at.subject)
        state = store.state(subject)
        self.report = subject if isinstance(state, Report) else report_id(store, subject)
        report = store.state(self.report)
        if not isinstance(report, Report):
            self.visit = subject
            return ()
        self.visit = report.visit or subject
        asked = [each for each in report.questions.values() if not self.at.item or each.id == self.at.item]
        return tuple((q.id, q.finding, q.text, q.at, q.answer, q.answered_at, q.is_open) for q in asked)

    def build(self, facts: Any) -> Frame:
        t = self.desk.texts
        self.fields: dict[str, TextField] = {}
        place = ground(self.desk.store, self.visit, t.language)
        parts = [self._card(each) for each in facts] or [Text(t("report_screen.no_questions"), 18, "muted")]
        self.pane = Scroll(Page(*parts))
        return self.desk.chrome(place.title, self.pane, sub=t("report_screen.questions"), visit=self.visit,
                                strip=Strip(Gap(grow=1), PageButtons(t, self.pane)))  # fmt: skip

    def _card(self, each: tuple[Any, ...]) -> Node:
        t = self.desk.texts
        id_, finding, text, at, answer, answered_at, is_open = each
        parts: list[Node] = [Text(formats.moment(at), 14, "muted"), Text(text, 20, bold=True)]
        if finding:
            parts.append(
                Button(
                    self._finding_words(finding),
                    "flag",
                    "quiet",
                    lambda: self._open(finding),
                    trail="right",
                    text_align="left",
                )
            )
        if is_open:
            parts += [self._field(id_), Button(t("report_screen.send_answer"), "check", "primary",
                                               lambda: self._answer(id_))]  # fmt: skip
        else:
            parts += [
                Text(answer, 18),
                Pill(t("report_screen.answered", time=formats.moment(answered_at)), "check", "ok"),
            ]
        return Col(*parts, gap=12, pad=16, box=Box(fill="card", edge="hair"))

    def _finding_words(self, finding: str) -> str:
        report = self.desk.store.state(self.report)
        found = report.current.findings.get(OperationId(finding), {}) if report.current else {}
        words = next((found[name] for name in ("saw", "told", "concluded") if found.get(name)), "")
        return words if len(words) <= 90 else words[:89].rstrip() + "…" or self.desk.texts("finding.one")

    def _open(self, finding: str) -> None:
        self.desk.go("finding", subject=self.visit, finding=finding)

    def _name(self, id_: str) -> str:
        return f"{self.report} answer {id_}"

    def _field(self, id_: str) -> TextField:
        draft = self.desk.store.drafts().get(self._name(id_))
        field = TextField(self.desk.texts("report_screen.answer"), draft.text if draft else "", lines=4, multiline=True,
                          hint=self.desk.texts("report_screen.answer_hint"),
                          on_draft=lambda text, caret: self.desk.draft(self._name(id_), text, caret))  # fmt: skip
        if draft:
            field.caret = min(draft.caret, len(draft.text))
        self.fields[id_] = field
        return field

    def _answer(self, id_: str) -> None:
        """Sends the answer; what is only typed stays a draft until then: the office reads it at once."""
        desk, text = self.desk, self.fields[id_].text
        if not text.strip():
            desk.focus(self.fields[id_])
            return
        done = desk.saving(
            lambda: reports.answer_question(desk.store, self.report, OperationId(id_), text, desk.now(),
                                            desk.texts.language, self._name(id_))
        )  # fmt: skip
        if done is not None:
            desk.rebuild()
