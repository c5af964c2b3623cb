"""T2: the first tap of the day is *Continue*. Visits in three sections, own requests, what works without a network.

Draws `today_facts`; a row chosen on the left stands on the right. Source: UX T2.
"""

from __future__ import annotations

from collections.abc import Callable

from field_app.acts import visits
from field_app.screens import formats
from field_app.screens.places import find_place
from field_app.screens.screen import Screen, replace_place
from field_app.screens.today_cards import conflict_card, mandate_card, question_card, ready_card, request_card
from field_app.screens.today_facts import RequestFacts, TodayFacts, VisitFacts, today_facts
from field_app.screens.visit_facts import visit_facts
from field_app.widgets.button import Button
from field_app.widgets.frame import Frame, Page, Strip
from field_app.widgets.layout import Col, Gap, Row, Wrap
from field_app.widgets.list import Entry, EntryRow
from field_app.widgets.node import Node
from field_app.widgets.scroll import Scroll
from field_app.widgets.sheet import Sheet, dialog
from field_app.widgets.text import Text
from field_app.widgets.theme import look
from shared.values import SubjectId

_ICONS = {"now": "play", "planned": "calendar", "finished": "done"}
LIST_WIDTH = 360


class Today(Screen):
    """My visits."""

    def facts(self) -> TodayFacts:
        return today_facts(self.desk.store, self.at, self.desk.texts.language)

    # ── frame ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def build(self, facts: TodayFacts) -> Frame:
        t = self.desk.texts
        self.pane = Scroll(self._detail(facts))
        unplanned = Button(t("today.unplanned"), "place", act=self.begin_unplanned, short=t("today.unplanned_short"))
        request = Button(t("today.new_request"), "plus", act=self.new_request, short=t("today.new_request_short"))
        return self.desk.chrome(
            t("today.title"), self.pane, current="today", back=False, list_pane=self._list(facts),
            list_width=LIST_WIDTH, list_title=self._list_title(facts), list_opens=self.open_list,
            strip=Strip(unplanned, Gap(grow=1), request),
        )  # fmt: skip

    def _list_title(self, facts: TodayFacts) -> str:
        t = self.desk.texts
        return t("today.list_title", visits=len(facts.visits), requests=len(facts.requests))

    def _list(self, facts: TodayFacts) -> Node:
        t = self.desk.texts
        find = Button(t("today.find"), "search", "plain", self.find, text_align="left")
        parts: list[Node] = [Col(find, pad=(16, 16, 16, 0))]
        for section in ("now", "planned", "finished"):
            rows = [each for each in facts.visits if each.section == section]
            if rows:
                parts.append(self._heading(t(f"today.{section}", count=len(rows))))
                parts += [self._row(self._visit_entry(each, facts.chosen)) for each in rows]
        if facts.requests:
            parts.append(self._heading(t("today.requests", count=len(facts.requests))))
            parts += [self._row(self._request_entry(each, facts.chosen)) for each in facts.requests]
        return Scroll(Col(*parts))

    def _heading(self, words: str) -> Text:
        return Text(words, 14, "muted", bold=True, pad=(20, 16, 16, 6))

    def _row(self, entry: Entry) -> EntryRow:
        row = EntryRow(self.choose, tall=72)
        row.fill_with(entry, 0)
        return row

    def _visit_entry(self, visit: VisitFacts, chosen: str) -> Entry:
        t = self.desk.texts
        parts = (formats.days(visit.day, visit.until), t(f"requests.kind.{visit.kind}"))
        return Entry(
            visit.id, visit.place or t("today.place_unknown"), " · ".join(part for part in parts if part),
            icon=_ICONS[visit.section], current=visit.id == chosen,
        )  # fmt: skip

    def _request_entry(self, request: RequestFacts, chosen: str) -> Entry:
        t = self.desk.texts
        return Entry(
            request.id, request.place or t("today.place_unknown"), t(f"today.request_{request.state}"), icon="file",
            current=request.id == chosen,
        )  # fmt: skip

    # ── detail ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def _detail(self, facts: TodayFacts) -> Page:
        parts: list[Node] = [question_card(self, each) for each in facts.questions]
        visit = next((each for each in facts.visits if each.id == facts.chosen), None)
        request = next((each for each in facts.requests if each.id == facts.chosen), None)
        if visit is not None:
            parts += self._visit(visit)
        elif request is not None:
            parts.append(request_card(self, request))
        else:
            parts += self._nothing(facts)
        if request is None:
            parts.append(ready_card(self, facts.ready))
        return Page(*parts, gap=20)

    def _nothing(self, facts: TodayFacts) -> list[Node]:
        t = self.desk.texts
        empty = t("today.empty") if not facts.visits else t("today.choose")
        return [Text(t("today.none_title"), 24, bold=True), Text(empty, 18, "muted")]

    def _visit(self, visit: VisitFacts) -> list[Node]:
        t = self.desk.texts
        kind = t(f"requests.kind.{visit.kind}")
        line = " · ".join(part for part in (formats.days(visit.day, visit.until), kind) if part)
        title = Col(
            Text(visit.place or t("today.place_unknown"), 32, bold=True), Text(line, 18, "muted"),
            Text(t("today.group", names=", ".join(visit.group)), 18, "muted"),
            Text(visit.reason, 18) if visit.reason and visit.section == "planned" else None, gap=4,
        )  # fmt: skip
        parts: list[Node] = [title]
        if visit.next_step == "declare":
            parts.append(conflict_card(self, visit))
        else:
            parts.append(self._step(visit))
        if visit.mandate:
            parts.append(mandate_card(self, visit))
        return parts

    def _step(self, visit: VisitFacts) -> Node:
        t = self.desk.texts
        if not visit.next_step:
            why = "today.conflict_declared" if visit.conflict else f"today.waits_{visit.stage}"
            open_it = Button(t("today.open"), "right", "plain", lambda: self.desk.go("visit", subject=visit.id))
            return Col(Text(t(why), 18, "muted"), Row(open_it), gap=12)
        if visit.next_step != "continue":
            key = "today.to_start" if visit.next_step == "start" else "today.open_visit"
            return Row(self._large(t(key), "play", lambda: self.desk.go("visit", subject=visit.id)))
        home = Button(t("today.open_visit"), "list", act=lambda: self.desk.go("visit", subject=visit.id))
        return Wrap(self._large(t("today.continue"), "play", lambda: self.go_on(visit.id)), home, gap=16)

    def _large(self, word: str, icon: str, act: Callable[[], None]) -> Button:
        wide = None if look.large else 320
        return Button(word, icon, "primary", act, size=20, tall=80, fixed=wide)

    # ── acts ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def go_on(self, visit: str) -> None:
        """To the first question that is left, or to the visit when none is."""
        desk = self.desk
        facts = visit_facts(desk.store, SubjectId(visit), desk.texts.language, desk.now())
        theme, item, _ = facts.first_blank
        if item:
            desk.go("checklist", subject=visit, item=item, theme=theme)
        else:
            desk.go("visit", subject=visit)

    def choose(self, key: str) -> None:
        """Another row stands on the right."""
        self.desk.close_sheet()
        self.at = replace_place(self.at, subject=key, scroll=0)
        self.pane = None
        self.desk.rebuild()

    def open_list(self) -> None:
        """The list as a sheet where it has no room beside the detail."""
        t = self.desk.texts
        body = self._list(self.shown)
        self.desk.open_sheet(Sheet(t, t("today.title"), body, where="whole", scrolls=False))

    def find(self) -> None:
        """Looks a place up among all institutions."""
        t = self.desk.texts
        self.desk.open_sheet(find_place(self.desk, t("today.find"), self.show_place))

    def show_place(self, key: str) -> None:
        """What can be done with a place found: a request for it."""
        self.desk.go("request", institution=key)

    def new_request(self) -> None:
        """A request for a visit, to be filled in."""
        self.desk.go("request")

    def begin_unplanned(self) -> None:
        """Place, then basis; the visit is flagged for the office."""
        t = self.desk.texts
        self.desk.open_sheet(find_place(self.desk, t("today.unplanned_place"), self._ask_basis))

    def _ask_basis(self, key: str) -> None:
        t = self.desk.texts
        codes = ("complaint", "information", "follow_up", "other")
        rows = [
            Button(t(f"today.basis_{code}"), None, "plain", lambda code=code: self._begin(key, code), text_align="left")
            for code in codes
        ]
        words = Text(t("today.unplanned_flag"), 18, "muted")
        body = Col(words, *rows, gap=12, pad=(24, 0, 24, 24))
        self.desk.open_sheet(Sheet(t, t("today.unplanned_basis"), body))

    def _begin(self, key: str, code: str) -> None:
        desk = self.desk
        reason = desk.texts(f"today.basis_{code}")
        made = desk.saving(lambda: visits.plan_on_the_spot(desk.store, institution=key, reason=reason, now=desk.now()))
        if made is not None:
            desk.close_sheet()
            desk.go("visit", subject=made)

    def declare(self, visit: str, conflict: bool) -> None:
        """Says whether there is a conflict of interest; *yes* is asked once more, for it takes one off the visit."""
        desk, t = self.desk, self.desk.texts

        def save() -> None:
            subject = SubjectId(visit)
            desk.saving(lambda: visits.declare_conflict(desk.store, subject, conflict, desk.now()))
            self.refresh()

        if conflict:
            desk.open_sheet(
                dialog(t, t("today.conflict_sure"), t("today.conflict_sure_text"), yes=t("today.conflict_yes"),
                       act=save, danger=True)
            )  # fmt: skip
        else:
            save()

    def load_now(self) -> None:
        """Fetches what is missing, as soon as there is a network."""
        self.desk.send_now()
