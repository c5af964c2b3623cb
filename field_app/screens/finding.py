"""T7: findings. What we saw, what we were told and by whom, what we conclude; evidence, standard, severity, what to do.

A finding begins with its first word, choice or link and is said anew at every later one; texts are drafts while they
are typed. Two versions that nobody saw side by side stay both until a member chooses. UX T7, SETTLED 40, 57.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from field_app.acts import records
from field_app.screens.checklist_state import ground, sitting, standard_of, standards
from field_app.screens.finding_acts import CARD as _CARD
from field_app.screens.finding_acts import FIELDS, FindingActs
from field_app.screens.finding_hint import identifying
from field_app.screens.finding_links import link_of
from field_app.screens.screen import Screen, replace_place
from field_app.store.kept import Place
from field_app.widgets.button import Button
from field_app.widgets.frame import Frame, Page, Strip, two_panes
from field_app.widgets.icon import Icon
from field_app.widgets.keypad import shown_as
from field_app.widgets.layout import Col, Gap, Grid, Row, Wrap
from field_app.widgets.list import Entry, RowList
from field_app.widgets.node import Box, Node
from field_app.widgets.page_buttons import PageButtons
from field_app.widgets.pill import Pill
from field_app.widgets.scroll import Scroll
from field_app.widgets.text import Text
from field_app.widgets.textfield import TextField
from shared.observations.record import Record, Versioned
from shared.values import OperationId, SubjectId

SEVERITIES = ("low", "medium", "high", "critical")
TELLERS = ("detainee", "staff", "medic", "family", "other")
SIDE = 432
RANK = {severity: place for place, severity in enumerate(reversed(SEVERITIES))}


class Findings(Screen):
    """The findings of a visit, urgent ones first, then by severity; the number is that of their making."""

    def facts(self) -> Any:
        store, t = self.desk.store, self.desk.texts
        self.ground = ground(store, SubjectId(self.at.subject), t.language)
        state = store.state(self.ground.record) if self.ground.record else None
        if not isinstance(state, Record):
            return ()
        found = []
        for number, (id_, finding) in enumerate(state.findings.items(), 1):
            body = finding.current.body
            if finding.withdrawn or body is None:
                continue
            words = store.words(state.id, finding.current.words) or {}
            title = next((words[name] for name in FIELDS if words.get(name)), "")
            found.append((id_, number, title, body.severity, body.urgent, bool(body.evidence), finding.differs))
        return tuple(sorted(found, key=lambda each: (not each[4], RANK[each[3]], each[1])))

    def build(self, facts: Any) -> Frame:
        t = self.desk.texts
        new = Button(t("finding.new"), "plus", "primary", lambda: self.desk.go("finding", subject=self.at.subject))
        strip = Strip(Gap(grow=1), None if self.ground.read_only or self.ground.record is None else new)
        if facts:
            body: Node = RowList([self._entry(each) for each in facts], self._open, row=88, lines=3)
        else:
            body = Scroll(Page(Text(t("finding.none"), 18, "muted")))
        self.pane = body  # type: ignore[assignment]
        return self.desk.chrome(self.ground.title, body, sub=t("finding.list"), visit=self.ground.visit, strip=strip)

    def _entry(self, each: tuple[Any, ...]) -> Entry:
        id_, number, title, severity, urgent, ready, differs = each
        t = self.desk.texts
        state = "differs" if differs else "ready" if ready else "draft"
        sub = " · ".join(part for part in (t("finding.urgent") if urgent else "", t(f"finding.{severity}"),
                                           t(f"finding.{state}")) if part)  # fmt: skip
        title = title if len(title) <= 90 else title[:89].rstrip() + "…"
        return Entry(id_, title or t("finding.number", number=number), sub, icon="alert" if urgent else "flag",
                     icon_colour="bad" if urgent else "muted", mark=str(number))  # fmt: skip

    def _open(self, id_: str) -> None:
        self.desk.go("finding", subject=self.at.subject, finding=id_)


class FindingScreen(FindingActs, Screen):
    """One finding; `at.more`: finding (its operation, empty for a new one), evidence (a first link)."""

    def facts(self) -> Any:
        desk, t = self.desk, self.desk.texts
        self.ground = ground(desk.store, SubjectId(self.at.subject), t.language)
        self.id = self.at.more.get("finding", "")
        self.record = SubjectId(self.ground.record or "")
        self.sitting = sitting(desk.store, self.record, t.language, desk.now())
        known = self._known()
        if known is None or known.current.body is None:
            first = tuple(key for key in (self.at.more.get("evidence", ""),) if key)
            return {"severity": "medium", "urgent": False, "evidence": first, "standards": (), "differs": False}
        body, words = known.current.body, desk.store.words(self.record, known.current.words) or {}
        return {
            "severity": body.severity, "urgent": body.urgent, "evidence": body.evidence, "standards": body.standards,
            "differs": known.differs, "withdrawn": known.withdrawn,
        } | words  # fmt: skip

    def _known(self) -> Versioned | None:
        return self.sitting.record.findings.get(OperationId(self.id)) if self.id else None

    # --- building --------------------------------------------------------------------------------------------
    def build(self, facts: Any) -> Frame:
        self.fields: dict[str, TextField] = {}
        wide = two_panes(self.desk.width())
        self._hint_box = Col(box=Box(fill="ok_soft", radius=8), pad=16, gap=2)
        left: list[Node | None] = [self._head(facts)]
        left += [part for name in FIELDS for part in self._field(name, facts)]
        left.append(self._hint_box)
        right = [self._evidence(facts), self._standards(facts), self._severity(facts), self._recommendation(facts)]
        if self.id and not self.ground.read_only:
            right.append(Row(Button(self.desk.texts("finding.remove"), "trash", "danger", self._remove)))
        self.pane = Scroll(Page(*left, *([] if wide else right)))
        self._show_hint()
        side = {"side": Scroll(Col(*right, gap=12, pad=16)), "side_width": SIDE} if wide else {}
        return self.desk.chrome(
            self.ground.title, self.pane, sub=self._title(), visit=self.ground.visit, strip=self._strip(facts), **side
        )

    def _title(self) -> str:
        t, ids = self.desk.texts, list(self.sitting.record.findings)
        return t("finding.number", number=ids.index(OperationId(self.id)) + 1) if self.id in ids else t("finding.new")

    def _head(self, facts: Any) -> Node:
        t = self.desk.texts
        kind = ("differs", "differs", "warn") if facts["differs"] else (
            ("ready", "check", "ok") if facts["evidence"] else ("draft", "note", "outline"))  # fmt: skip
        parts: list[Node] = [Text(self._title(), 24, bold=True), Pill(t(f"finding.{kind[0]}"), kind[1], kind[2])]
        if facts["urgent"]:
            parts.append(Pill(t("finding.urgent"), "alert", "failed"))
        head = Wrap(*parts, gap=16)
        if not facts["differs"]:
            return head
        return Col(head, Button(t("finding.versions"), "differs", "warn", self._versions), gap=12)

    def _field(self, name: str, facts: Any) -> list[Node]:
        t, (icon, lines) = self.desk.texts, FIELDS[name]
        label = Row(Icon(icon, 24), Text(t(f"finding.{name}"), 18, bold=True),
                    Text(t(f"finding.{name}_help"), 14, "muted", grow=1), gap=12)  # fmt: skip
        parts: list[Node] = [Col(label, self._text(name, t(f"finding.{name}"), facts.get(name, ""), lines), gap=8)]
        if name == "told":
            parts.append(self._tellers(facts))
        return parts

    def _text(self, name: str, label: str, text: str, lines: int) -> TextField:
        draft = self.desk.store.drafts().get(self._draft(name))
        field = TextField(
            label,
            draft.text if draft else text,
            lines=lines,
            multiline=True,
            disabled_now=self.ground.read_only,
            on_draft=lambda words, caret: self._typed(name, words, caret),
            on_leave=lambda words: self._left(name, words),
        )
        if draft:
            field.caret = min(draft.caret, len(draft.text))
        self.fields[name] = field
        return field

    def _tellers(self, facts: Any) -> Node:
        t, said = self.desk.texts, facts.get("told_by", "")
        buttons = []
        for code in TELLERS:
            words = t(f"finding.told_{code}")
            buttons.append(self._choice(words, words == said, lambda words=words: self._say(
                told_by="" if words == said else words)))  # fmt: skip
        return Col(Text(t("finding.told_by"), 14, "muted"), Wrap(*buttons, gap=8), gap=6)

    def _choice(self, words: str, chosen: bool, act: Callable[[], object], kind: str = "selected") -> Button:
        button = Button(
            words,
            "check" if chosen else None,
            kind if chosen else "plain",
            act,
            role="choice",
            reserve=True,
            inset=8,
            icon_size=20,
            disabled_now=self.ground.read_only,
        )
        button.state = "selected" if chosen else ""
        return button

    def _evidence(self, facts: Any) -> Node:
        t = self.desk.texts
        rows: list[Node] = []
        for key in facts["evidence"]:
            link = link_of(self.sitting, key, t)
            kind = f"{link.kind} · {t('finding.gone')}" if link.gone else link.kind
            open_ = Button(link.title, link.icon, "quiet", lambda key=key: self._open_link(key), sub=kind,
                           text_align="left", size=16, inset=8, grow=1)  # fmt: skip
            cut = Button("", "cross", "bare", lambda key=key: self._unlink(key), fixed=64, inset=8,
                         name=f"{t('finding.unlink')}: {link.title}", disabled_now=self.ground.read_only)  # fmt: skip
            rows.append(Row(open_, cut, gap=8))
        head = Text(t("finding.evidence", count=len(facts["evidence"])), 18, bold=True)
        add = None if self.ground.read_only else Button(t("finding.link"), "plus", "plain", self._link)
        return Col(head, *rows, add, gap=8, pad=16, box=_CARD)

    def _standards(self, facts: Any) -> Node:
        t, rows = self.desk.texts, []
        for key in facts["standards"]:
            row = standard_of(self.desk.store, key) or {}
            head = " · ".join(part for part in (row.get("instrument", key), row.get("rule", "")) if part)
            cut = Button("", "cross", "bare", lambda key=key: self._drop_standard(key), fixed=64, inset=8,
                         name=f"{t('finding.unlink')}: {head}", disabled_now=self.ground.read_only)  # fmt: skip
            rows.append(
                Row(Col(Text(head, 16, bold=True), Text(row.get("title", ""), 14, "muted"), grow=1), cut, gap=8)
            )
        count = len(standards(self.desk.store))
        find: Node | None = Text(t("finding.no_standards"), 14, "muted")
        if count:
            find = Button(t("finding.find_standard", count=count), "search", "plain", self._find_standard)
        find = None if self.ground.read_only else find
        return Col(Text(t("finding.standard"), 18, bold=True), *rows, find, gap=8, pad=16, box=_CARD)

    def _severity(self, facts: Any) -> Node:
        t = self.desk.texts
        cells = []
        for code in SEVERITIES:
            button = self._choice(
                t(f"finding.{code}"), code == facts["severity"], lambda code=code: self._say(severity=code)
            )
            button._tall = 72
            cells.append(button)
        return Col(Text(t("finding.severity"), 18, bold=True), Grid(*cells, columns=2, gap=8, cell=150), gap=8, pad=16,
                   box=_CARD)  # fmt: skip

    def _recommendation(self, facts: Any) -> Node:
        t, said = self.desk.texts, facts.get("recommendation") or {}
        to = self._text("rec_addressee", t("finding.addressee"), said.get("addressee", ""), 1)
        what = self._text("rec_text", t("finding.rec_text"), said.get("text", ""), 3)
        due = Button(
            shown_as("date", said.get("due")) or t("finding.no_due"),
            "calendar",
            "plain",
            lambda: self._due(said.get("due")),
            name=t("finding.due"),
            disabled_now=self.ground.read_only,
        )
        return Col(
            Text(t("finding.recommendation"), 18, bold=True), Text(t("finding.rec_help"), 14, "muted"), what,
            Text(t("finding.addressee"), 14, "muted"), to, Text(t("finding.due"), 14, "muted"), due,
            gap=8, pad=16, box=_CARD,
        )  # fmt: skip

    def _strip(self, facts: Any) -> Strip:
        t = self.desk.texts
        if self.ground.read_only:
            return Strip(Gap(grow=1), PageButtons(t, self.pane))
        urgent = Button(
            t("finding.urgent_today"),
            "check" if facts["urgent"] else "alert",
            "warn" if facts["urgent"] else "plain",
            lambda: self._say(urgent=not facts["urgent"]),
            role="check",
            short=t("finding.urgent"),
        )
        urgent.state, urgent.help = "selected" if facts["urgent"] else "", t("finding.urgent_help")
        new = Button(
            t("finding.new"), None, "primary", lambda: self.desk.go("finding", subject=self.at.subject),
            short=t("finding.new_short"),
        )  # fmt: skip
        return Strip(urgent, Gap(grow=1), PageButtons(t, self.pane), new)

    # --- the hint --------------------------------------------------------------------------------------------
    def _show_hint(self) -> None:
        t = self.desk.texts
        words = identifying(field.text for field in self.fields.values())
        ink = "warn" if words else "ok"
        head, help_ = ("finding.somebody", t("finding.somebody_help", words=", ".join(words))) if words else (
            "finding.nobody_known", t("finding.nobody_help"))  # fmt: skip
        self._hint_box.restyle(Box(fill=f"{ink}_soft", radius=8))
        self._hint_box.refill(
            [
                Row(Icon("warning" if words else "shield", 24, ink), Text(t(head), 18, ink, bold=True, grow=1), gap=12),
                Text(help_, 14),
            ]
        )
        if self._hint_box.width > 1:
            self._hint_box.reflow()

    # --- writing ---------------------------------------------------------------------------------------------
    def _draft(self, name: str) -> str:
        return f"{self.record} finding {self.id or 'new'} {name}"

    def _typed(self, name: str, text: str, caret: int) -> None:
        self._last = name
        self.desk.draft(self._draft(name), text, caret)

    def _left(self, name: str, text: str) -> None:
        if self._draft(name) in self.desk.store.drafts():
            self._keep_words()
        self._show_hint()

    def _changed_words(self) -> dict[str, Any]:
        """What stands in the fields and is not in the finding yet."""
        facts = self.shown
        said = facts.get("recommendation") or {}
        rec = {"addressee": self.fields["rec_addressee"].text, "text": self.fields["rec_text"].text,
               "due": said.get("due", "")}  # fmt: skip
        changed: dict[str, Any] = {
            name: self.fields[name].text
            for name in FIELDS
            if self.fields[name].text.strip() != facts.get(name, "").strip()
        }
        if {key: text.strip() for key, text in rec.items() if text} != {k: v.strip() for k, v in said.items() if v}:
            changed["recommendation"] = rec
        return changed

    def _keep_words(self) -> None:
        changed = self._changed_words()
        if changed:
            self._write(changed)
        else:
            self._drop_drafts()

    def _drop_drafts(self) -> None:
        store = self.desk.store
        names = [self._draft(name) for name in self.fields if self._draft(name) in store.drafts()]
        if names:
            self.desk.saving(lambda: [store.drop_draft(name) for name in names])

    def _write(self, changes: dict[str, Any]) -> bool:
        """One operation with all changes; the finding begins with the first."""
        desk, facts, t = self.desk, self.shown, self.desk.texts
        changes = changes | {"language": t.language}
        if self.id:
            done = desk.saving(
                lambda: records.change_finding(desk.store, self.record, OperationId(self.id), now=desk.now(), **changes)
            )
        else:
            base = {"severity": facts["severity"], "evidence": facts["evidence"], "standards": facts["standards"]}
            done = desk.saving(lambda: records.finding(desk.store, self.record, now=desk.now(), **(base | changes)))
        if done is None:
            return False
        self._drop_drafts()
        if not self.id:
            self.id = str(done)
            more = {name: text for name, text in self.at.more.items() if name != "evidence"}
            self.at = replace_place(self.at, more=more | {"finding": self.id})
        self.shown = self.facts()
        self.frame.top_bar.name_place(self.ground.title, self._title())
        return True

    def _say(self, **changes: Any) -> None:
        """A choice or a link: at once, with the words typed so far."""
        if self._write(self._changed_words() | changes):
            self.desk.rebuild()

    def leave(self) -> None:
        if not self.ground.read_only and self.ground.record:
            self._keep_words()

    def here(self) -> Place:
        place = super().here()
        last = getattr(self, "_last", "")
        field = self.fields.get(last) if hasattr(self, "fields") else None
        if field is not None and field.editor is not None:
            return replace_place(place, caret=field.caret, more=place.more | {"field": last})
        return replace_place(place, more={name: text for name, text in place.more.items() if name != "field"})

    def settle(self) -> None:
        super().settle()
        field = self.fields.get(self.at.more.get("field", ""))
        if field is not None and not field.disabled_now:
            field.caret = min(self.at.caret, len(field.text))
            self.desk.focus(field)

    def current(self) -> str:
        """A note written here belongs to the finding."""
        return self.id
