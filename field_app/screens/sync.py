"""T11: how everything stands with the office, each line true by a signed receipt; failures in words with a next step.

Draws `sync_facts`. "Received" never appears without a receipt. Source: UX T11, P5.
"""

from __future__ import annotations

from field_app.screens import formats
from field_app.screens.bundle import read_sheet, save_sheet
from field_app.screens.screen import Screen
from field_app.screens.sync_facts import SyncFacts, SyncRow, sync_facts
from field_app.store.kept import Alarm
from field_app.widgets.button import Button
from field_app.widgets.frame import Frame, Page, Strip
from field_app.widgets.icon import Icon
from field_app.widgets.layout import Col, Gap, Row, Rule, Wrap
from field_app.widgets.node import Box, Node
from field_app.widgets.pill import Pill
from field_app.widgets.scroll import Scroll
from field_app.widgets.text import Text
from field_app.widgets.theme import look

PILLS = {
    "on_tablet": ("tablet", "grey"), "waiting": ("clock", "outline"), "sending": ("cloud_up", "info"),
    "received": ("done", "plain_ok"), "needs_decision": ("differs", "warn"), "failed": ("alert", "failed"),
    "office_decides": ("flag", "warn"), "kept_aside": ("inbox", "grey"),
}  # fmt: skip
ICONS = {
    "answers": "list", "notes": "note", "photos": "picture", "findings": "flag", "interviews": "people",
    "visit": "building", "request": "file", "report": "sign", "differences": "differs", "entries": "inbox",
}  # fmt: skip

NO_FAULT = frozenset({"no_network", "busy", "locked"})
"""Nothing is wrong: said without colour."""
ALARMING = frozenset({
    "bad_seal", "fork", "office_lost", "ledger_cut", "emptied", "signature", "wrong_device", "other_request",
    "store_lost", "file_damaged", "twin", "revoked",
})  # fmt: skip
"""Somebody has to look into it; the other alarms only tell what happened."""


class SyncCentre(Screen):
    """Exchange with the office."""

    def facts(self) -> SyncFacts:
        return sync_facts(self.desk.store, self.desk.progress(), self.desk.texts.language)

    def build(self, facts: SyncFacts) -> Frame:
        t = self.desk.texts
        lines: list[Node] = []
        for row in facts.rows:
            lines += [self._line(row), Rule()]
        table = Col(*lines[:-1], box=Box(fill="card", edge="hair")) if lines else Text(t("sync.empty"), 18, "muted")
        self.pane = Scroll(Page(self._counts(facts), *self._news(facts), self._by_hand(facts), table, gap=16))
        safe = Text(t("sync.safe"), 14, "muted")
        send = Button(t("sync.send_now"), "cloud_up", "primary", self.desk.send_now)
        return self.desk.chrome(
            t("sync.title"), self.pane, current="sync", strip=Strip(Gap(grow=1), safe, send, spare=(safe,))
        )

    def _by_hand(self, facts: SyncFacts) -> Node:
        """Exchange through a file, with the reason to use it when a visit ends with something not yet received."""
        t = self.desk.texts
        advice = Text(t("bundle.advice"), 18, bold=True) if facts.leaves_gate else None
        stays = self._stays(facts)
        carried = Text(t("bundle.carried", count=facts.carried), 16, "muted") if facts.carried else None
        buttons = Wrap(
            Button(t("bundle.save"), "file", "plain", lambda: save_sheet(self)),
            Button(t("bundle.read"), "inbox", "plain", lambda: read_sheet(self)), gap=12,
        )  # fmt: skip
        return Col(Text(t("bundle.title"), 20, bold=True), advice, stays, carried, buttons, gap=12, pad=16,
                   box=Box(fill="card", edge="hair"))  # fmt: skip

    def _stays(self, facts: SyncFacts) -> Text | None:
        """Interviews that a colleague's copy does not hold: nobody shall believe them handed over."""
        t = self.desk.texts
        nobody, somebody = facts.staying
        if nobody:
            return Text(t.plural("bundle.stay_all", nobody), 18, "warn", bold=True)
        return Text(t.plural("bundle.stay_leader", somebody), 18) if somebody else None

    def _counts(self, facts: SyncFacts) -> Wrap:
        t = self.desk.texts
        parts = [Row(Text(str(facts.unsent), 32, bold=True), Text(t("sync.unsent"), 18, "muted"), gap=10)]
        if facts.decide:
            parts.append(Row(Text(str(facts.decide), 32, bold=True), Text(t("sync.decide_count"), 18, "muted"), gap=10))
        if facts.failed:
            parts.append(
                Row(Text(str(facts.failed), 32, "bad", bold=True), Text(t("sync.failed_count"), 18, "muted"), gap=10)
            )
        return Wrap(*parts, gap=28)

    def _news(self, facts: SyncFacts) -> list[Node]:
        t = self.desk.texts
        words: list[Node] = []
        if facts.receipt[0]:
            receipt = t("sync.receipt", number=facts.receipt[0], time=formats.moment(facts.receipt[1]))
            words.append(Text(receipt, 18))
        else:
            words.append(Text(t("sync.no_receipt"), 18, "muted"))
        if facts.oldest:
            words.append(Text(t("sync.oldest", time=formats.moment(facts.oldest)), 18))
        if facts.is_running:
            words.append(Text(t("sync.running"), 18, "info"))
        elif facts.trouble:
            no_fault = facts.trouble in NO_FAULT
            words.append(Text(self._trouble(facts.trouble), 18, "text" if no_fault else "bad", bold=not no_fault))
        return [*words, *(self._alarm(each) for each in facts.alarms)]

    def _trouble(self, code: str) -> str:
        t = self.desk.texts
        for key in (f"sync.trouble_{code}", f"tablet.sync.{code}", f"error.{code}"):
            if t.has(key):
                return t(key, detail="") if key.startswith("tablet") else t(key)
        return t("sync.trouble_other", code=code)

    def _alarm(self, alarm: Alarm) -> Node:
        t = self.desk.texts
        key = f"tablet.alarm.{alarm.code}"
        words = t(key) if t.has(key) else t("sync.trouble_other", code=alarm.code)
        when = Text(formats.moment(alarm.at), 14, "muted") if alarm.at else None
        return Col(Text(words, 18, "warn" if alarm.code in ALARMING else "text", bold=alarm.code in ALARMING), when)

    # ── lines ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def _line(self, row: SyncRow) -> Node:
        t = self.desk.texts
        needs_person = row.state in ("failed", "needs_decision")
        title = t.plural(f"sync.kind_{row.family}", row.count)
        if row.urgent:
            title = t("sync.urgent", what=title)
        words = Col(
            Text(title, 18, bold=needs_person), Text(row.place, 14, "muted") if row.place else None,
            Text(self._reason(row), 14, "bad" if row.state == "failed" else "text") if row.reason else None, grow=1,
        )  # fmt: skip
        icon, kind = PILLS[row.state]
        pill = Pill(self._state(row), icon, kind)
        act = self._action(row)
        if look.large:
            return Col(Row(Icon(ICONS[row.family], 24, "muted"), words, gap=12), pill, act, gap=8, pad=(20, 12))
        return Row(Icon(ICONS[row.family], 24, "muted"), words, pill, act, gap=12, tall=80, pad=(20, 8))

    def _state(self, row: SyncRow) -> str:
        t = self.desk.texts
        if row.state == "sending" and row.percent:
            return t("sync.state_sending_percent", percent=row.percent)
        if row.state == "received" and row.at:
            return t("sync.state_received_at", time=formats.clock(row.at))
        return t(f"sync.state_{row.state}")

    def _reason(self, row: SyncRow) -> str:
        t = self.desk.texts
        key = f"tablet.reason.{row.reason}"
        return t(key) if t.has(key) else t("tablet.reason.other", code=row.reason)

    def _action(self, row: SyncRow) -> Button | None:
        t = self.desk.texts
        if row.family == "differences":
            return Button(t("sync.decide"), None, act=lambda: self.desk.go("differences", subject=row.visit))
        if row.state == "failed":
            return Button(t("sync.again"), None, act=self.desk.send_now)
        return None
