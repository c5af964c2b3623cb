"""T4: one theme of the checklist, its cards, the jump list, previous and next; a row of a repeat is shown the same way.

What is said goes through `acts.records`; what follows from it comes from the evaluation of the pinned form. Read-only
once the report is handed in. Source: UX T4, SETTLED decisions 40-44, 57, 58.
"""

from __future__ import annotations

from typing import Any, get_args

from field_app.acts import records
from field_app.screens import checklist_sheets as sheets
from field_app.screens.checklist_asking import Asking, Verbs
from field_app.screens.checklist_cards import Cards
from field_app.screens.checklist_list import Only, ThemeList, differing_in, letter_of, title_of
from field_app.screens.checklist_said import hanging, said_of
from field_app.screens.checklist_state import ground, questions, sitting
from field_app.screens.checklist_undo import undo_last
from field_app.screens.checklist_views import row_title, view_of
from field_app.screens.note import note_on
from field_app.screens.photo import photo_on
from field_app.widgets.button import Button
from field_app.widgets.frame import Frame, Strip
from field_app.widgets.layout import Gap
from field_app.widgets.page_buttons import PageButtons
from field_app.widgets.question_view import QuestionActions, QuestionView
from field_app.widgets.sheet import Sheet
from field_app.widgets.text import Text
from shared.checklists.evaluate import Evaluation
from shared.checklists.paths import parent_of, row_of, without_row
from shared.checklists.progress import asked_paths, theme_of
from shared.errors import RuleBroken
from shared.values import SubjectId


class ChecklistScreen(Asking):
    """`at.subject` is the visit; `at.more`: theme (path of a theme or of a row), only (all, left, differs)."""

    def facts(self) -> Any:
        desk = self.desk
        self.ground = ground(desk.store, SubjectId(self.at.subject), desk.texts.language)
        if self.ground.record is None:
            raise RuleBroken("not_found")
        self.record = self.ground.record
        self.sitting = sitting(desk.store, self.record, desk.texts.language, desk.now())
        return None

    # --- building --------------------------------------------------------------------------------------------
    def build(self, facts: Any) -> Frame:
        desk, t = self.desk, self.desk.texts
        self.subject = self.record
        self.start_asking()
        self._read_store()
        self.verbs = Verbs(
            lambda path, value, draft: records.answer(desk.store, self.record, path, value, desk.now(), draft),
            lambda path, draft: records.clear(desk.store, self.record, path, desk.now(), draft),
            lambda path, code, by: records.non_answer(desk.store, self.record, path, code, desk.now(), by),
            lambda path: records.add_row(desk.store, self.record, path, desk.now()),
        )
        self.theme = self._theme_wanted()
        only = self.at.more.get("only", "all")
        self.only: Only = only if only in get_args(Only) else "all"  # type: ignore[assignment]
        self._actions = self._made_actions()
        self.cards = Cards(self.make_card, self.card_words)
        self._kept = self._wanted_now()
        self.cards.show_paths(self.visible())
        self.pane = self.cards
        self.list = ThemeList(t, self._go_theme, self._filter)
        self.list.show(self.sitting, self._top(), self.only)
        frame = desk.chrome(
            self.ground.title, self.cards, sub=self._title(), current="checklist", undo=self._undo,
            visit=self.ground.visit, list_pane=self.list, list_title=self._title(), list_opens=self._open_list,
            strip=self._strip(),
        )  # fmt: skip
        return frame

    def settle(self) -> None:
        super().settle()
        if self.list.width > 1:
            self.list.bring(self._top())

    def _read_store(self) -> None:
        self._drafts = self.desk.store.drafts()
        self._hangs = hanging(self.sitting)

    def _theme_wanted(self) -> str:
        wanted, item = self.at.more.get("theme", ""), self.at.item
        if item and self.sitting.has(item):
            return self._holder(item)
        if wanted and self.sitting.has(wanted):
            return wanted
        listed = self.sitting.themes()
        open_ = next((theme.path for _, theme in listed if theme.left), None)
        return open_ if open_ is not None else listed[0][1].path if listed else ""

    def _holder(self, item: str) -> str:
        """The page an item stands on: the innermost row around it, else its theme."""
        path = parent_of(item)
        while path and not row_of(path) and path.count("/") > 1:
            path = parent_of(path)
        return path

    def _evaluation_here(self) -> Evaluation:
        if self.theme:
            return self.sitting.at(self.theme)
        return next(each for each, theme in self.sitting.themes() if not theme.path)

    def _top(self) -> str:
        return "/" + without_row(self.theme.split("/")[1]) if self.theme else ""

    def _title(self) -> str:
        evaluation = self._evaluation_here()
        if row_of(self.theme):
            rows = evaluation.shown_rows(without_row(self.theme))
            number = rows.index(row_of(self.theme)) + 1 if row_of(self.theme) in rows else 0
            return row_title(evaluation, self.theme, self.desk.texts, number)
        return title_of(evaluation, self.theme, self.desk.texts.language)

    # --- strip -----------------------------------------------------------------------------------------------
    def _neighbours(self) -> tuple[str | None, str | None]:
        if row_of(self.theme):
            repeat = without_row(self.theme)
            paths = [f"{repeat}[{row}]" for row in self._evaluation_here().shown_rows(repeat)]
        else:
            paths = [theme.path for _, theme in self.sitting.themes()]
        at = paths.index(self.theme) if self.theme in paths else -1
        before = paths[at - 1] if at > 0 else None
        return before, paths[at + 1] if 0 <= at < len(paths) - 1 else None

    def _way(self, path: str, forward: bool) -> Button:
        evaluation, t = self.sitting.at(path) if path else self._evaluation_here(), self.desk.texts
        if row_of(path):
            rows = evaluation.shown_rows(without_row(path))
            title, short = row_title(evaluation, path, t, rows.index(row_of(path)) + 1).split(" · ")[0], ""
        else:
            title = title_of(evaluation, path, t.language)
            short = letter_of(title)
        short = short or t("checklist_screen.next" if forward else "checklist_screen.previous")
        kind, icon, trail = ("primary", None, "right") if forward else ("plain", "left", None)
        return Button(title, icon, kind, lambda: self._go_theme(path), trail=trail, short=short)

    def _strip(self) -> Strip:
        before, after = self._neighbours()
        self._count = Text(self._count_words(), 18, "muted")
        up = None
        if row_of(self.theme):
            repeat = without_row(self.theme)
            up = Button(self.sitting.at(repeat).label(repeat, self.desk.texts.language), "up", "plain",
                        lambda: self._go_item(repeat), short=self.desk.texts("checklist_screen.all_rows"))  # fmt: skip
        return Strip(
            self._way(before, False) if before is not None else None,
            up,
            Gap(grow=1),
            self._count,
            PageButtons(self.desk.texts, self.cards),
            Gap(grow=1),
            self._way(after, True) if after is not None else None,
            spare=(self._count,),
        )

    def _count_words(self) -> str:
        counts = theme_of(self._evaluation_here(), self.theme)
        return self.desk.texts("widgets.of", done=counts.asked - counts.left, all=counts.asked).replace(" ", "\u00a0")

    # --- what is shown ---------------------------------------------------------------------------------------
    def _wanted_now(self) -> set[str] | None:
        """With a filter: the paths it keeps, chosen once, so that an answer makes no card go."""
        if self.only == "all":
            return None
        evaluation, asked = self._evaluation_here(), set()
        for path in questions(evaluation, self.theme):
            inside = list(asked_paths(evaluation, path))
            if self.only == "left" and any(not evaluation.is_answered(each) for each in inside):
                asked.add(path)
            if self.only == "differs" and any(self.sitting.differs(each) for each in inside):
                asked.add(path)
        return asked

    def visible(self) -> list[str]:
        paths = questions(self._evaluation_here(), self.theme)
        return [path for path in paths if self._kept is None or path in self._kept]

    def evaluation(self, path: str) -> Evaluation:
        return self.sitting.at(path)

    def own(self, path: str) -> Any:
        return self.sitting.words(self.sitting.own(path))

    def view(self, path: str) -> QuestionView:
        said = said_of(
            self.sitting, path, self.desk.texts, self.draft_of(path, self._drafts), self.unsaved.get(path),
            self._hangs.get(path, {}),
        )  # fmt: skip
        return view_of(self.evaluation(path), path, said, self.desk.texts, read_only=self.ground.read_only)

    def actions(self) -> QuestionActions:
        return self._actions

    def _made_actions(self) -> QuestionActions:
        return QuestionActions(
            answer=self.answer, non_answer=self.non_answer, refused_by=self._refused_by, draft=self.type_words,
            leave=self.leave_words, note=lambda item: note_on(self, item), photo=lambda item: photo_on(self, item),
            finding=self._finding, info=self._info, colleague=self._compare, search=self._search,
            add_row=self.add_row, copy_row=self.copy_row, open_row=self._open_row, open_sheet=self.open_keypad,
            today=lambda: f"{self.desk.now():%Y-%m-%d}", now=lambda: f"{self.desk.now():%H:%M}",
        )  # fmt: skip

    # --- after something was written --------------------------------------------------------------------------
    def took(self, path: str) -> None:
        self.sitting.record = self.desk.store.state(self.record)
        if type(self.evaluation(path).entry(path).item).__name__ == "Question":
            self.sitting.set(path)
        self._read_store()
        self._show_counts()
        self.show_again(path)

    def _show_counts(self) -> None:
        self.list.show(self.sitting, self._top(), self.only)
        self._count.say(self._count_words())

    def refresh(self) -> None:
        """Others' news: the evaluation anew, the cards in place."""
        title = self.ground
        self.facts()
        if self.ground != title or (self.theme and not self.sitting.has(self.theme)):
            self.desk.rebuild()
            return
        self._read_store()
        self._show_counts()
        self.show_again()

    # --- ways ------------------------------------------------------------------------------------------------
    def _go_theme(self, path: str) -> None:
        self.desk.go("checklist", subject=self.at.subject, theme="" if path.startswith("?") else path, only=self.only)

    def _go_item(self, path: str) -> None:
        self.desk.go("checklist", subject=self.at.subject, item=path, only=self.only)

    def _filter(self, only: Only) -> None:
        theme = self.theme
        if only != "all":
            fits = [
                each
                for evaluation, each in self.sitting.themes()
                if (each.left if only == "left" else differing_in(self.sitting, each.path, evaluation))
            ]
            if fits and all(each.path != theme for each in fits):
                theme = fits[0].path
        self.desk.go("checklist", subject=self.at.subject, theme=theme, only=only)

    def _open_row(self, path: str, row: str) -> None:
        self.desk.go("checklist", subject=self.at.subject, theme=f"{path}[{row}]", only="all")

    def _finding(self, path: str) -> None:
        self.desk.go("finding", subject=self.at.subject, evidence=path)

    def _open_list(self) -> None:
        pane = ThemeList(self.desk.texts, self._from_sheet(self._go_theme), self._from_sheet(self._filter))
        pane.show(self.sitting, self._top(), self.only)
        self.desk.open_sheet(Sheet(self.desk.texts, self.desk.texts("checklist_screen.themes"), pane, where="whole",
                                   scrolls=False))  # fmt: skip

    def _from_sheet(self, act: Any) -> Any:
        def chosen(key: Any) -> None:
            self.desk.close_sheet()
            act(key)

        return chosen

    # --- sheets ----------------------------------------------------------------------------------------------
    def _info(self, path: str) -> None:
        self.desk.open_sheet(sheets.info_sheet(self.desk, self.evaluation(path), path))

    def _compare(self, path: str) -> None:
        self.desk.open_sheet(sheets.comparison_sheet(self.desk, self.sitting, path, self.ground.read_only, self.took))

    def _search(self, path: str) -> None:
        self.desk.open_sheet(
            sheets.choices_sheet(self.desk, self.evaluation(path), path, self.own(path), self.answer)
        )  # fmt: skip

    def _refused_by(self, path: str, who: str) -> None:
        self.refused_by(path, who)
        if not self.ground.read_only:
            sheets.offer_reason(self, path, who)

    def keep_reason(self, path: str, who: str, reason: str) -> bool:
        """The reason of a refusal, sealed; whether it is on the disk."""
        desk = self.desk
        done = desk.saving(
            lambda: records.non_answer(desk.store, self.record, path, "refused", desk.now(), who, reason)  # type: ignore[arg-type]
        )
        if done is not None:
            self.took(path)
        return done is not None

    def _undo(self) -> None:
        """The last own act on this record is taken back by a new operation."""
        if self.ground.read_only:
            return
        path = self.desk.saving(lambda: undo_last(self.desk.store, self.record, self.desk.now()))
        if isinstance(path, str) and path and self.sitting.has(path):
            self.took(path)
            if path in self.cards.paths and not self.cards.in_view(path):
                self.cards.jump(path)
        elif path:
            self.refresh()
