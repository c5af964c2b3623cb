"""T3: a visit as a task list. Before the door only *Start*; while it runs every theme in one tap; closed: the report.

Draws `visit_facts`; finished rows are plain, unfinished ones stand out; counts, never a percentage. Source: UX T3.
"""

from __future__ import annotations

from dataclasses import replace

from field_app.acts import visits
from field_app.screens import formats
from field_app.screens.bundle import save_sheet
from field_app.screens.places import find_place
from field_app.screens.screen import Screen
from field_app.screens.theme_list import ThemeList
from field_app.screens.visit_facts import VisitHomeFacts, visit_facts
from field_app.widgets.button import Button
from field_app.widgets.frame import Frame, Page, Strip, two_panes
from field_app.widgets.layout import Col, Gap, Row, Wrap
from field_app.widgets.node import Box, Node
from field_app.widgets.page_buttons import PageButtons
from field_app.widgets.scroll import Scroll
from field_app.widgets.sheet import dialog
from field_app.widgets.text import Text
from field_app.widgets.theme import look
from shared.values import SubjectId

SIDE = 312


class VisitHome(Screen):
    """The home of one visit; `at.subject` is the visit."""

    @property
    def visit(self) -> SubjectId:
        """The visit shown."""
        return SubjectId(self.at.subject)

    def facts(self) -> VisitHomeFacts:
        found = visit_facts(self.desk.store, self.visit, self.desk.texts.language, self.desk.now())
        if found.closed_at and self.desk.progress().trouble:
            return replace(found, undelivered=self.desk.store.unsent())
        return found

    def build(self, facts: VisitHomeFacts) -> Frame:
        t = self.desk.texts
        title = facts.place.split(",")[0] or t("today.place_unknown")
        self.pane = Scroll(self._page(facts))
        wide = self._is_wide()
        parts = {"side": self._side(facts), "side_width": SIDE} if wide else {}
        return self.desk.chrome(
            title, self.pane, sub=self._sub(facts), current="visit", visit=self.visit,
            strip=self._strip(facts, wide), **parts,
        )  # fmt: skip

    def _is_wide(self) -> bool:
        return two_panes(self.desk.width())

    def _sub(self, facts: VisitHomeFacts) -> str:
        return ", ".join(facts.group)

    # ── page ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def _page(self, facts: VisitHomeFacts) -> Page:
        parts: list[Node | None] = []
        if not facts.started_at:
            parts += self._before(facts)
        else:
            parts += self._running(facts)
            if not self._is_wide():
                parts += [Gap(8), *self._doors(facts)]
                if look.large and facts.first_blank[1] and not facts.closed_at:
                    parts.append(self._last(facts))  # beside *Continue* it has no room in the strip
        return Page(*parts, gap=16)

    def _before(self, facts: VisitHomeFacts) -> list[Node | None]:
        t = self.desk.texts
        lines: list[Node | None] = [
            Text(t("visit_home.before"), 24, bold=True),
            Text(t("visit_home.before_text"), 18, "muted"),
            Text(t("today.mandate", number=facts.mandate), 18) if facts.mandate else None,
            Text(t("visit_home.unplanned"), 18, "warn", bold=True) if facts.unplanned else None,
        ]
        if facts.waits_for:
            lines.append(Text(t(f"today.waits_{facts.waits_for}"), 18))
        elif facts.may_act:
            start = Button(t("visit_home.start"), "play", "primary", self.start, size=20, tall=80)
            lines.append(Row(start))
        return lines

    def _running(self, facts: VisitHomeFacts) -> list[Node | None]:
        t = self.desk.texts
        numbers = Wrap(
            *(self._number(count, t.plural(f"visit_home.{name}", count))
              for name, count in (("answered", facts.answered), ("non_answered", facts.non_answered),
                                  ("left", facts.left))),
            gap=24,
        )  # fmt: skip
        numbers.grow = 1
        going_on = None
        if facts.first_blank[1] and not facts.closed_at and self._is_wide():
            going_on = self._continue(facts)
        head: Node = Row(numbers, going_on, gap=16) if going_on else numbers
        state = None
        if facts.closed_at:
            state = Text(t("visit_home.closed_at", time=formats.moment(facts.closed_at)), 18, "muted")
        if facts.damaged:
            state = Text(t("visit_home.damaged"), 18, "bad", bold=True)
        themes = ThemeList(t, facts.themes, facts.first_blank[0], self.open_theme)
        return [head, state, self._hand_over(facts) if facts.undelivered else None, themes]

    def _hand_over(self, facts: VisitHomeFacts) -> Node:
        """The visit is over and no network is there: a copy by hand before the gate."""
        t = self.desk.texts
        save = Button(t("bundle.save"), "file", "primary", lambda: save_sheet(self))
        return Col(
            Text(t.plural("visit_home.undelivered", facts.undelivered), 18), Text(t("bundle.advice"), 18, bold=True),
            Row(save), gap=12, pad=16, box=Box(fill="card", edge="hair"),
        )  # fmt: skip

    def _number(self, count: int, words: str) -> Row:
        return Row(Text(str(count), 32, bold=True), Text(words, 18, "muted"), gap=10)

    def _continue(self, facts: VisitHomeFacts) -> Button:
        t = self.desk.texts
        number = facts.first_blank[2]
        word = t("visit_home.continue", number=number) if number else t("today.continue")
        return Button(word, "play", "primary", self.go_on, short=t("today.continue"))

    # ── side and strip ──────────────────────────────────────────────────────────────────────────────────────────────

    def _side(self, facts: VisitHomeFacts) -> Node:
        if not facts.started_at:
            return Col(pad=20)
        doors = Col(*self._doors(facts), gap=12, pad=(20, 24, 20, 12))
        last = self._last(facts)
        foot = Col(last, pad=(20, 12, 20, 16)) if last is not None else None
        return Col(Scroll(doors, fill=1), foot, box=Box(fill="page", radius=0, sides="l"))

    def _last(self, facts: VisitHomeFacts) -> Button | None:
        """What ends this part of the work: closing, then the report."""
        t = self.desk.texts
        if not facts.may_act:
            return None
        if facts.closed_at:
            return Button(t("visit_home.to_report"), "sign", "primary", lambda: self._go("report"))
        return Button(t("visit_home.close"), "lock", "plain", self.close, short=t("visit_home.close_short"))

    def _doors(self, facts: VisitHomeFacts) -> list[Node]:
        t = self.desk.texts
        doors: list[Node] = [
            self._door("findings", "flag", t("visit_home.findings_count", count=facts.findings, urgent=facts.urgent)),
            self._door("interviews", "people", t.plural("visit_home.interviews_count", facts.interviews)),
            self._door("photos", "picture", t.plural("visit_home.photos_count", facts.photos)),
            self._door("notes", "inbox", t.plural("visit_home.notes_count", facts.notes)),
        ]
        if facts.differing:
            doors.append(
                self._door("differences", "differs", t.plural("visit_home.differences_count", facts.differing), "warn")
            )
        if facts.closed_at or facts.report != "none":
            doors.append(self._door("report", "sign", t(f"visit_home.report_{facts.report}")))
        return doors

    def _door(self, name: str, icon: str, count: str, kind: str = "quiet") -> Button:
        t = self.desk.texts
        return Button(
            t(f"visit_home.{name}"), icon, kind, lambda: self.desk.go(name, subject=self.visit), sub=count,
            trail="right", text_align="left", bold=False, tall=72,
        )  # fmt: skip

    def _strip(self, facts: VisitHomeFacts, wide: bool) -> Strip | None:
        if not facts.started_at or wide:
            return None
        pages = PageButtons(self.desk.texts, self.pane) if self.pane is not None else None
        going_on = self._continue(facts) if facts.first_blank[1] and not facts.closed_at else None
        last = None if going_on is not None and look.large else self._last(facts)
        return Strip(last, Gap(grow=1), pages, going_on)

    def _go(self, name: str) -> None:
        self.desk.go(name, subject=self.visit)

    # ── acts ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def start(self) -> None:
        """The group stands at the gate: the time is stamped and the institution named."""
        key = self.shown.institution
        if key:
            self._start(key)
        else:
            self.desk.open_sheet(find_place(self.desk, self.desk.texts("visit_home.which_place"), self._start))

    def _start(self, key: str) -> None:
        desk = self.desk
        if desk.saving(lambda: visits.start(desk.store, self.visit, key, desk.now())) is not None:
            desk.rebuild()

    def close(self) -> None:
        """Asks once, then the visit is closed: the keys of the photos' originals go from this tablet."""
        desk, t = self.desk, self.desk.texts

        def save() -> None:
            if desk.saving(lambda: visits.close(desk.store, self.visit, desk.now())) is not None:
                desk.rebuild()

        desk.open_sheet(
            dialog(t, t("visit_home.close_sure"), t("visit_home.close_text", left=self.shown.left),
                   yes=t("visit_home.close"), act=save)
        )  # fmt: skip

    def open_theme(self, path: str) -> None:
        """A theme at its first blank."""
        theme = next(each for each in self.shown.themes if each.path == path)
        self.desk.go("checklist", subject=self.visit, item=theme.next_blank, theme=path)

    def go_on(self) -> None:
        """The first question nobody answered."""
        theme, item, _ = self.shown.first_blank
        self.desk.go("checklist", subject=self.visit, item=item, theme=theme)
