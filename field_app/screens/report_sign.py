"""The last two steps of a report: freezing and signing, each member alone; then handing in by the leader."""

from __future__ import annotations

from typing import Any

from field_app.acts import reports
from field_app.screens import formats
from field_app.screens.checklist_state import Ground
from field_app.screens.report_facts import Member, ReportFacts, check_code
from field_app.screens.report_pin import PinSheet
from field_app.screens.screen import Desk
from field_app.store.errors import PinWait, PinWrong, SlotDestroyed
from field_app.widgets.button import Button
from field_app.widgets.icon import Icon
from field_app.widgets.layout import Col, Gap, Grid, Row, Rule, Wrap
from field_app.widgets.node import Box, Node
from field_app.widgets.pill import Pill
from field_app.widgets.sheet import Sheet, dialog
from field_app.widgets.text import Text
from field_app.widgets.textfield import TextField
from shared.report_document import Lacking
from shared.values import SubjectId

STANDS = {"agree": "check", "reservation": "bubble", "dissent": "dissent"}
PILLS = {"agree": ("check", "plain_ok"), "reservation": ("bubble", "info"), "dissent": ("dissent", "info")}
_CARD = Box(fill="card", edge="hair")


class SignPages:
    """Mixin of the report screen."""

    desk: Desk
    ground: Ground
    visit: SubjectId
    fields: dict[str, TextField]
    shown: Any

    # --- sign ------------------------------------------------------------------------------------------------
    def sign_page(self, facts: ReportFacts) -> list[Node]:
        """How the version stands, the members, and one's own signature."""
        parts: list[Node] = [self._version(facts)]
        if facts.version:
            parts.append(self._members(facts))
            parts.append(self._own(facts))
        return parts

    def _version(self, facts: ReportFacts) -> Node:
        t = self.desk.texts
        leader = self.ground.is_leader
        if not facts.version:
            words: list[Node] = [Text(t("report_screen.not_frozen"), 20, bold=True)]
            key = "report_screen.freeze_help" if leader else "report_screen.waits_for_leader"
            words.append(Text(t(key), 18, "muted"))
            if leader:
                words.append(Row(Button(t("report_screen.freeze"), "lock", "primary", self._freeze)))
            return Col(*words, gap=12, pad=16, box=_CARD)
        head = t("report_screen.version", number=facts.version, time=formats.moment(facts.frozen_at),
                 code=check_code(facts.sha256))  # fmt: skip
        lines: list[Node] = [Text(head, 18, bold=True)]
        if facts.late and facts.stage not in ("submitted", "accepted"):
            lines.append(Text(t.plural("report_screen.late", facts.late), 18, "warn"))
            if leader:
                lines.append(Row(Button(t("report_screen.freeze_again"), "lock", "plain", self._ask_again)))
        if not facts.same:
            lines.append(self._lacking(facts))
        return Col(*lines, gap=12, pad=16, box=_CARD)

    def _lacking(self, facts: ReportFacts) -> Node:
        t, (chains, words) = self.desk.texts, facts.lacking
        sentences = []
        if chains:
            sentences.append(t.plural("report_screen.lacks_chains", chains))
        if words:
            sentences.append(t.plural("report_screen.lacks_words", words))
        text = " ".join(sentences) or t("report_screen.other_bytes")
        return Row(
            Icon("warning", 24, "warn"),
            Col(Text(text, 18, "warn", bold=True), Text(t("report_screen.lacks_help"), 14), grow=1, gap=2),
            gap=12,
            pad=12,
            box=Box(fill="warn_soft", radius=8),
        )

    def _members(self, facts: ReportFacts) -> Node:
        rows: list[Node] = []
        for member in facts.members:
            rows += [Rule(), self._member(member)] if rows else [self._member(member)]
        return Col(*rows, pad=(16, 4), box=_CARD)

    def _member(self, member: Member) -> Node:
        t = self.desk.texts
        key = f"report_screen.stand_{member.stand}" if member.stand else (
            "report_screen.not_you" if member.is_me else "report_screen.not_yet")  # fmt: skip
        second = t("report_screen.quoted", text=member.text) if member.text else (
            t("report_screen.signed_at", time=formats.moment(member.at)) if member.at else "")  # fmt: skip
        icon, kind = PILLS.get(member.stand, ("clock", "outline"))
        pill = Pill(t(f"report_screen.pill_{member.stand or 'waiting'}"), icon, kind)
        name = f"{member.name} · {t('report_screen.leader')}" if member.is_leader else member.name
        said = Col(Text(t(key), 18), Text(second, 14, "muted") if second else None, grow=1, gap=2)
        return Row(Col(Text(name, 18, bold=True), said, gap=2, grow=1), pill, gap=16, pad=(0, 10), tall=76)

    def _own(self, facts: ReportFacts) -> Node:
        t = self.desk.texts
        me = next((member for member in facts.members if member.is_me), None)
        if me is None or facts.stage in ("submitted", "accepted"):
            return Gap(1)
        if me.stand:
            return Text(t("report_screen.you_signed"), 18, "muted")
        off = not facts.same
        buttons = [
            Button(
                t(f"report_screen.{stand}"),
                icon,
                "outline",
                lambda stand=stand: self._sign(stand),
                size=20,
                tall=80,
                disabled_now=off,
            )
            for stand, icon in STANDS.items()
        ]
        return Col(
            Text(t("report_screen.your_signature", name=me.name), 20, bold=True),
            Text(t("report_screen.sign_help", code=check_code(facts.sha256)), 14, "muted"),
            Grid(*buttons, gap=12, cell=200), gap=12, pad=16, box=_CARD,
        )  # fmt: skip

    # --- freezing --------------------------------------------------------------------------------------------
    def _ask_again(self) -> None:
        t = self.desk.texts
        self.desk.open_sheet(dialog(t, t("report_screen.freeze_again"), t("report_screen.freeze_again_sure"),
                                    yes=t("report_screen.freeze"), act=self._freeze))  # fmt: skip

    def _freeze(self) -> None:
        desk, t = self.desk, self.desk.texts
        self.leave()  # type: ignore[attr-defined]

        def work() -> Any:
            try:
                return reports.freeze(desk.store, self.visit, desk.now())
            except Lacking as lacking:
                return lacking

        done = desk.saving(work)
        if isinstance(done, Lacking):
            desk.tell(t("report_screen.freeze"), t.plural("report_screen.lacks_words", max(1, len(done.words))))
        elif done is not None:
            desk.rebuild()

    # --- signing ---------------------------------------------------------------------------------------------
    def _sign(self, stand: str) -> None:
        if stand == "agree":
            self._ask_pin(stand, "", "")
            return
        desk, t = self.desk, self.desk.texts
        name = f"{self.visit} stand {stand}"
        draft = desk.store.drafts().get(name)
        field = TextField(t(f"report_screen.{stand}"), draft.text if draft else "", lines=6, multiline=True,
                          hint=t("report_screen.own_words"),
                          on_draft=lambda text, caret: desk.draft(name, text, caret))  # fmt: skip

        def go_on() -> None:
            if field.text.strip():
                text = field.text
                desk.close_sheet()
                self._ask_pin(stand, text, name)
            else:
                desk.focus(field)

        foot = Row(
            Button(t("report_screen.to_pin"), None, "primary", go_on, trail="right", grow=1), pad=(24, 8), tall=80
        )
        body = Col(Text(t(f"report_screen.{stand}_help"), 18), field, gap=12, pad=(24, 8, 24, 24))
        desk.open_sheet(Sheet(t, t(f"report_screen.{stand}"), body, where="whole", foot=foot))
        desk.focus(field)

    def _ask_pin(self, stand: str, text: str, draft: str) -> None:
        desk, t = self.desk, self.desk.texts
        sentence = t("report_screen.pin_help", stand=t(f"report_screen.{stand}"), code=check_code(self.shown.sha256))

        def done(pin: str) -> None:
            asked.wait(t("report_screen.signing"))
            now = desk.now()
            desk.apart(
                lambda: reports.sign(desk.store, self.visit, pin, stand, now, text, t.language),
                signed,  # type: ignore[arg-type]
            )

        def signed(result: Any) -> None:
            if isinstance(result, PinWait | PinWrong):
                asked.say(t(f"tablet.{result.code}", left=result.left, wait=result.wait))
            elif isinstance(result, SlotDestroyed):
                asked.say(t("tablet.slot_destroyed"))
            elif isinstance(result, Exception):
                desk.close_sheet()
                desk.saving(lambda: _raise(result))
                desk.rebuild()
            else:
                desk.close_sheet()
                desk.saving(lambda: desk.store.drop_draft(draft) if draft else None)
                desk.rebuild()

        asked = PinSheet(t, t(f"report_screen.{stand}"), sentence, t("report_screen.sign"), done)
        desk.open_sheet(asked.sheet)
        desk.focus(asked.field)

    # --- handing in ------------------------------------------------------------------------------------------
    def submit_page(self, facts: ReportFacts) -> list[Node]:
        """What is handed in, by whom; a reason for every missing signature; afterwards where it stands."""
        t = self.desk.texts
        if facts.stage in ("submitted", "accepted"):
            return self._handed_in(facts)
        if not facts.version:
            return [
                Text(t("report_screen.not_frozen"), 20, bold=True),
                Text(t("report_screen.freeze_first"), 18, "muted"),
            ]
        missing = [member for member in facts.members if not member.stand]
        parts: list[Node] = [Text(t.plural("report_screen.signed_count", len(facts.members) - len(missing),
                                           all=len(facts.members)), 20, bold=True)]  # fmt: skip
        if not self.ground.is_leader:
            return [*parts, Text(t("report_screen.leader_submits"), 18, "muted")]
        for member in missing:
            parts.append(Col(Text(t("report_screen.why_missing", name=member.name), 18, bold=True),
                             self._reason_field(member), gap=8))  # fmt: skip
        parts.append(Text(t("report_screen.submit_help"), 18, "muted"))
        parts.append(Row(Button(t("report_screen.submit"), "check", "primary", lambda: self._submit(missing), tall=80)))
        return parts

    def _reason_field(self, member: Member) -> TextField:
        desk, name = self.desk, f"{self.visit} missing {member.person}"
        draft = desk.store.drafts().get(name)
        field = TextField(
            desk.texts("report_screen.why_missing", name=member.name),
            draft.text if draft else "",
            lines=2,
            multiline=True,
            hint=desk.texts("report_screen.why_hint"),
            on_draft=lambda text, caret: desk.draft(name, text, caret),
        )
        self._reasons = getattr(self, "_reasons", {}) | {member.person: field}
        return field

    def _submit(self, missing: list[Member]) -> None:
        desk, t = self.desk, self.desk.texts
        reasons = {member.person: self._reasons[member.person].text for member in missing}
        blank = next((person for person, text in reasons.items() if not text.strip()), None)
        if blank is not None:
            desk.focus(self._reasons[blank])
            return

        def act() -> None:
            if desk.saving(lambda: reports.submit(desk.store, self.visit, desk.now(), reasons)) is None:
                return
            for person in reasons:
                desk.saving(lambda person=person: desk.store.drop_draft(f"{self.visit} missing {person}"))
            desk.send_now()
            desk.rebuild()

        desk.open_sheet(
            dialog(t, t("report_screen.submit"), t("report_screen.submit_sure"), yes=t("report_screen.submit"), act=act)
        )

    def _handed_in(self, facts: ReportFacts) -> list[Node]:
        t = self.desk.texts
        key = "report_screen.accepted" if facts.stage == "accepted" else "report_screen.submitted"
        parts: list[Node] = [
            Wrap(Pill(t(f"report_screen.stage_{facts.stage}"), "check", "ok")),
            Text(t(key, time=formats.moment(facts.submitted_at)), 18),
            self._members(facts),
        ]
        open_ = sum(not answer for _, _, answer, _ in facts.questions)
        if facts.questions:
            parts.append(
                Button(t("report_screen.questions"), "bubble", "primary" if open_ else "quiet",
                       lambda: self.desk.go("question", subject=self.visit),
                       sub=t("report_screen.questions_open", count=open_), trail="right", text_align="left", tall=80)
            )  # fmt: skip
        return parts


def _raise(error: Exception) -> None:
    raise error
