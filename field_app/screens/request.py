"""A request for a visit, filled in without a network: place, kind, urgency, days, reason, proposed group.

Everything chosen or typed is one draft, on the disk at every key; it becomes one operation when the person files it.
Source: UX T2, domain V-3.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from typing import Any

from field_app.acts import visits
from field_app.register import name_of
from field_app.screens import formats
from field_app.screens.places import find_place
from field_app.screens.screen import Screen
from field_app.screens.today_facts import person_name
from field_app.store.kept import Place
from field_app.widgets.button import Button
from field_app.widgets.frame import Frame, Page, Strip
from field_app.widgets.keypad import keypad_sheet
from field_app.widgets.layout import Col, Gap, Grid
from field_app.widgets.node import Node
from field_app.widgets.scroll import Scroll
from field_app.widgets.text import Text
from field_app.widgets.textfield import TextField
from shared.visit_requests import Urgency, VisitKind

DRAFT = "request"
KINDS: tuple[VisitKind, ...] = ("special", "intermediate", "periodic")
URGENCIES: tuple[Urgency, ...] = ("urgent", "normal")


@dataclass(frozen=True)
class RequestForm:
    """What is filled in so far; dates yyyy-mm-dd, members person ids. `urgency` empty: not said yet."""

    institution: str = ""
    visit_kind: VisitKind = "special"
    urgency: Urgency | str = ""
    from_on: str = ""
    to_on: str = ""
    reason: str = ""
    members: tuple[str, ...] = ()

    def missing(self) -> tuple[str, ...]:
        """What the office needs before it can decide, in the order of the page."""
        checks = (
            ("institution", self.institution), ("urgency", self.urgency), ("from_on", self.from_on),
            ("to_on", self.to_on), ("reason", self.reason.strip()),
        )  # fmt: skip
        lacking = [name for name, value in checks if not value]
        if self.from_on and self.to_on and self.to_on < self.from_on:
            lacking.append("order")
        return tuple(lacking)


def read_form(text: str) -> RequestForm:
    """The form in a draft; an empty one when the draft cannot be read."""
    try:
        said = json.loads(text)
        return RequestForm(**(said | {"members": tuple(said.get("members", ()))}))
    except (ValueError, TypeError, AttributeError):
        return RequestForm()


class Request(Screen):
    """The form; `at.more["institution"]` is a place chosen before."""

    form: RequestForm
    _field: TextField

    def facts(self) -> RequestForm:
        draft = self.desk.store.drafts().get(DRAFT)
        form = read_form(draft.text) if draft else RequestForm(members=(self.desk.store.person,))
        chosen = self.at.more.get("institution", "")
        if chosen and not draft:
            form = replace(form, institution=chosen)
        self.form = form
        return form

    def refresh(self) -> None:
        """Others' news change nothing here."""

    def here(self) -> Place:
        place = super().here()
        caret = self._field.caret if hasattr(self, "_field") else self.at.caret
        return Place(place.screen, place.subject, place.item, caret, place.scroll, place.more)

    # ── page ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def build(self, facts: RequestForm) -> Frame:
        t = self.desk.texts
        self._field = TextField(
            t("request.reason"), facts.reason, hint=t("request.reason_hint"), lines=4, multiline=True,
            on_draft=lambda text, caret: self._keep(replace(self.form, reason=text), caret),
        )  # fmt: skip
        self._field.caret = min(self.at.caret or len(facts.reason), len(facts.reason))
        page = Page(
            self._part("institution", self._place(facts)),
            self._part("kind", self._options("visit_kind", [(each, t(f"requests.kind.{each}")) for each in KINDS])),
            self._part(
                "urgency", self._options("urgency", [(each, t(f"request.urgency_{each}")) for each in URGENCIES])
            ),
            self._part("days", Grid(self._day("from_on"), self._day("to_on"), cell=160, gap=12)),
            self._part("reason", self._field),
            self._part("group", self._group(facts)),
            gap=20,
        )
        self.pane = Scroll(page)
        file = Button(t("request.file"), "check", "primary", self.file)
        clear = Button(t("request.clear"), "trash", "plain", self.clear, short=t("request.clear_short"))
        return self.desk.chrome(t("request.title"), self.pane, strip=Strip(clear, Gap(grow=1), file))

    def _part(self, name: str, body: Node) -> Col:
        return Col(Text(self.desk.texts(f"request.{name}"), 18, bold=True), body, gap=8)

    def _place(self, facts: RequestForm) -> Button:
        t = self.desk.texts
        name = name_of(self.desk.store, facts.institution, t.language) if facts.institution else t("today.find")
        return Button(name, "building" if facts.institution else "search", act=self.find, text_align="left")

    def _options(self, field: str, options: list[tuple[str, str]]) -> Grid:
        present = getattr(self.form, field)
        buttons = [
            Button(
                word, "check" if code == present else None, "selected" if code == present else "plain",
                lambda code=code: self._choose(field, code), reserve=True, tall=72, role="choice",
            )
            for code, word in options
        ]  # fmt: skip
        for button, (code, _) in zip(buttons, options, strict=True):
            button.state = "selected" if code == present else ""
        return Grid(*buttons, cell=150, gap=12)

    def _day(self, field: str) -> Button:
        t = self.desk.texts
        value = getattr(self.form, field)
        return Button(
            t(f"request.{field}"), "calendar", act=lambda: self._ask_day(field), sub=formats.day(value) or "–",
            tall=72, text_align="left", role="field",
        )  # fmt: skip

    def _group(self, facts: RequestForm) -> Node:
        store = self.desk.store
        known = sorted(store.subjects("person"), key=lambda each: (each != store.person, person_name(store, each)))
        buttons = []
        for person in known:
            chosen = person in facts.members
            button = Button(
                person_name(store, person), "check" if chosen else None, "selected" if chosen else "plain",
                lambda person=person: self._toggle(person), reserve=True, role="check",
            )  # fmt: skip
            button.state = "selected" if chosen else ""
            buttons.append(button)
        if not buttons:
            return Text(self.desk.texts("request.group_unknown"), 18, "muted")
        return Grid(*buttons, cell=180, columns=4, gap=12)

    # ── acts ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def _keep(self, form: RequestForm, caret: int) -> bool:
        if not self.desk.draft(DRAFT, json.dumps(asdict(form), ensure_ascii=False), caret):
            return False
        self.form = form
        return True

    def _change(self, **facts: Any) -> None:
        if self._keep(replace(self.form, **facts), self._field.caret):
            self.desk.rebuild()

    def _choose(self, field: str, code: str) -> None:
        self._change(**{field: code})

    def _toggle(self, person: str) -> None:
        members = self.form.members
        self._change(members=tuple(m for m in members if m != person) if person in members else (*members, person))

    def find(self) -> None:
        """The place, among all of the register."""
        self.desk.open_sheet(
            find_place(self.desk, self.desk.texts("request.institution"), lambda key: self._change(institution=key))
        )

    def _ask_day(self, field: str) -> None:
        t = self.desk.texts
        self.desk.open_sheet(
            keypad_sheet(
                t, t(f"request.{field}"), "date", getattr(self.form, field) or None, draft=lambda text: None,
                done=lambda value: self._change(**{field: value or ""}),
            )
        )  # fmt: skip

    def clear(self) -> None:
        """Begins anew: the draft goes."""
        store = self.desk.store
        self.desk.saving(lambda: store.drop_draft(DRAFT))
        self.at = Place("request")
        self.pane = None
        self.desk.rebuild()

    def file(self) -> None:
        """Files the request, or says what is missing."""
        desk, t, form = self.desk, self.desk.texts, self.form
        lacking = form.missing()
        if lacking:
            desk.tell(t("request.incomplete"), "\n".join(t(f"request.missing_{name}") for name in lacking))
            return
        made = desk.saving(
            lambda: visits.file_request(
                desk.store, institution=form.institution, reason=form.reason, from_on=form.from_on, to_on=form.to_on,
                now=desk.now(), members=form.members, leader=desk.store.person, visit_kind=form.visit_kind,
                urgency="urgent" if form.urgency == "urgent" else "normal", draft=DRAFT,
            )
        )  # fmt: skip
        if made is not None:
            desk.go("today", subject=made)
