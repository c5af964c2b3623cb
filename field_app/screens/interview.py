"""T6: the private interviews of a visit, and one interview: consent first, then the form; nothing has a name.

Everything said is sealed to its author. Words are drawn as dots until somebody asks; *no record* leaves coded answers
only; a consent taken back hides everything at once. Source: UX T6, SETTLED decisions 14, 17, 29, 34.
"""

from __future__ import annotations

from typing import Any

from kivy.clock import Clock

from field_app.acts import interviews
from field_app.screens import formats
from field_app.screens.checklist_asking import TYPED, Asking, Verbs
from field_app.screens.checklist_cards import Cards
from field_app.screens.checklist_sheets import choices_sheet, info_sheet
from field_app.screens.checklist_state import form_of, ground, questions
from field_app.screens.checklist_views import Said, readable, view_of
from field_app.screens.interview_consent import consent_card
from field_app.screens.note import note_on
from field_app.screens.screen import Screen
from field_app.widgets.button import Button
from field_app.widgets.frame import Frame, Page, Strip
from field_app.widgets.layout import Col, Gap
from field_app.widgets.list import Entry, RowList
from field_app.widgets.node import Box, Node
from field_app.widgets.page_buttons import PageButtons
from field_app.widgets.question_view import QuestionActions, QuestionView
from field_app.widgets.scroll import Scroll
from field_app.widgets.sheet import dialog
from field_app.widgets.text import Text
from shared.checklists.definition import Question
from shared.checklists.evaluate import Evaluation
from shared.checklists.paths import place_of
from shared.checklists.progress import themes
from shared.observations.interview import Interview
from shared.observations.record import Record
from shared.values import SubjectId

CONSENT, NOTES = "!consent", "!notes"
"""Cards that are no question of the form."""
SHOWN_SECONDS = 5
"""How long words stay readable after a tap. Source: UX section 2, screen privacy."""
WHO = ("/talk/who/age_band", "/talk/who/sex")


def evaluation_of(screen: Screen, talk: SubjectId) -> Evaluation | None:
    """The interview's form with what was said; None while its pack is not here."""
    store, t = screen.desk.store, screen.desk.texts
    state: Interview = store.state(talk)
    form = form_of(store, state.checklist[2])
    if form is None:
        return None
    answers, rows, _ = interviews.said(store, talk)
    said = {path: each["value"] for path, each in answers.items() if "value" in each}
    reasons = {path: each["non_answer"]["code"] for path, each in answers.items() if "non_answer" in each}
    consent = state.consent.consent if state.consent else ""
    known = form.known_values({"int_no": state.number, "visit_ref": state.number})  # both stand in the title
    known |= {"/intro/consent": "no" if consent == "declines" else "yes"} if consent else {}
    now = screen.desk.now()
    keep = {path for path in {*said, *reasons} if place_of(path) in form.entries}
    return Evaluation(
        form, {path: said[path] for path in said if path in keep}, rows, known, today=now.date(), now=now,
        non_answers={path: reasons[path] for path in reasons if path in keep}, language=t.language,
    )  # fmt: skip


def who(evaluation: Evaluation | None, texts: Any) -> str:
    """Bands of the person, never a name."""
    if evaluation is None:
        return texts("interview.no_name")
    bands = [
        readable(evaluation, path, evaluation.answer(path), texts) for path in WHO if path in evaluation.form.entries
    ]
    return " · ".join([*(band for band in bands if band), texts("interview.no_name")])


class Interviews(Screen):
    """The list: own ones open, those of others by number alone."""

    def facts(self) -> Any:
        store = self.desk.store
        self.ground = ground(store, SubjectId(self.at.subject), self.desk.texts.language)
        state = store.state(self.ground.record) if self.ground.record else None
        if not isinstance(state, Record):
            return ()
        found = []
        for talk, (number, author, at) in state.interviews.items():
            own = store.state(talk)
            consent = own.consent.consent if isinstance(own, Interview) and own.consent else ""
            withdrawn = isinstance(own, Interview) and bool(own.withdrawn_at)
            closed = isinstance(own, Interview) and bool(own.closed_at)
            found.append((talk, number, author, at, isinstance(own, Interview), consent, withdrawn, closed))
        return tuple(found)

    def build(self, facts: Any) -> Frame:
        t = self.desk.texts
        new = Button(t("interview.new"), "plus", "primary", self.begin)
        strip = Strip(Gap(grow=1), None if self.ground.read_only or self.ground.record is None else new)
        if not facts:
            body: Node = Scroll(Page(Text(t("interview.none"), 18, "muted")))
        else:
            body = RowList([self._entry(each) for each in facts], self._open, row=80)
        self.pane = body  # type: ignore[assignment]
        return self.desk.chrome(self.ground.title, body, sub=t("interview.list"), visit=self.ground.visit, strip=strip)

    def _entry(self, each: tuple[Any, ...]) -> Entry:
        talk, number, author, at, held, consent, withdrawn, closed = each
        t = self.desk.texts
        own = author == self.desk.store.person
        state = "withdrawn" if withdrawn else consent or "unasked"
        if not held or not own:
            return Entry(talk, number, t("interview.others"), icon="lock", trail=formats.clock(at))
        evaluation = evaluation_of(self, SubjectId(talk)) if not withdrawn else None
        sub = f"{who(evaluation, t)} · {t(f'interview.state_{state}')}"
        icon = "refused" if withdrawn or consent == "declines" else "done" if closed else "half" if consent else "blank"
        return Entry(talk, number, sub, icon=icon, trail=formats.clock(at))

    def _open(self, talk: str) -> None:
        state = self.desk.store.state(SubjectId(talk))
        if isinstance(state, Interview) and state.author == self.desk.store.person:
            self.desk.go("interview", subject=self.at.subject, talk=talk)
        else:
            self.desk.tell(self.desk.texts("interview.list"), self.desk.texts("interview.others_help"))

    def begin(self) -> None:
        """A new interview; consent is the first thing it shows."""
        desk, record = self.desk, self.ground.record
        if record is None:
            return
        talk = desk.saving(lambda: interviews.begin(desk.store, record, desk.now()))
        if isinstance(talk, str):
            desk.go("interview", subject=self.at.subject, talk=talk)


class InterviewScreen(Asking):
    """One interview; `at.more["talk"]` is its subject, `at.subject` the visit."""

    def facts(self) -> Any:
        desk = self.desk
        self.talk = self.subject = SubjectId(self.at.more.get("talk", ""))
        self.ground = ground(desk.store, SubjectId(self.at.subject), desk.texts.language)
        self.state: Interview = desk.store.state(self.talk)
        self._evaluation = evaluation_of(self, self.talk)
        return (self.state.consent, self.state.withdrawn_at, self.state.closed_at, len(self.state.said))

    # --- building --------------------------------------------------------------------------------------------
    def build(self, facts: Any) -> Frame:
        desk, _t = self.desk, self.desk.texts
        self.start_asking()
        self.revealed: set[str] = set()
        self.verbs = Verbs(
            lambda path, value, draft: interviews.answer(desk.store, self.talk, path, value, desk.now(), draft),
            lambda path, draft: interviews.clear(desk.store, self.talk, path, desk.now(), draft),
            lambda path, code, by: interviews.non_answer(desk.store, self.talk, path, code, desk.now(), by),
            lambda path: interviews.add_row(desk.store, self.talk, path, desk.now()),
        )
        self._actions = QuestionActions(
            answer=self.answer, non_answer=self.non_answer, refused_by=self.refused_by, draft=self.type_words,
            leave=self.leave_words, note=lambda item: note_on(self, ""), info=self._info, search=self._search,
            add_row=self.add_row, copy_row=self.copy_row, open_row=self._open_row, open_sheet=self.open_keypad,
            today=lambda: f"{desk.now():%Y-%m-%d}", now=lambda: f"{desk.now():%H:%M}",
        )  # fmt: skip
        self._drafts = desk.store.drafts()
        self.cards = Cards(self.make_card, self.card_words)
        self.cards.show_paths(self.visible())
        self.pane = self.cards
        return desk.chrome(self.ground.title, self.cards, sub=self._title(), visit=self.ground.visit,
                           strip=self._strip())  # fmt: skip

    def _title(self) -> str:
        return f"{self.state.number} · {who(self._evaluation, self.desk.texts)}"

    @property
    def read_only(self) -> bool:
        """Closed, taken back, or handed in."""
        return bool(self.state.withdrawn_at or self.state.closed_at) or self.ground.read_only

    def _strip(self) -> Strip:
        t, state = self.desk.texts, self.state
        withdraw = close = None
        if state.consent and not state.withdrawn_at and not self.ground.read_only:
            withdraw = Button(t("interview.withdraw"), "refused", "danger", self._ask_withdraw,
                              short=t("interview.withdraw_short"))  # fmt: skip
        row = self.at.more.get("row", "")
        if row:
            close = Button(t("interview.back_to_talk"), "left", "primary", self.desk.back)
        elif state.consent and not self.read_only:
            close = Button(t("interview.close"), None, "primary", self._close, short=t("widgets.done"))
        return Strip(withdraw, Gap(grow=1), PageButtons(t, self.cards), close)

    # --- cards -----------------------------------------------------------------------------------------------
    def make_card(self, path: str) -> Node:
        if path == CONSENT:
            return consent_card(self.desk.texts, self.state, self.read_only, self._consent)
        if path == NOTES:
            return self._notes()
        return super().make_card(path)

    def card_words(self, path: str) -> tuple[str, bool]:
        return ("", False) if path.startswith("!") else super().card_words(path)

    def _notes(self) -> Node:
        t = self.desk.texts
        _, _, notes = interviews.said(self.desk.store, self.talk)
        shown = NOTES in self.revealed
        parts: list[Node] = [Text(t("interview.notes"), 20, bold=True)]
        parts += [Text(note if shown else "• • • • • • • •", 18, "text" if shown else "muted") for note in notes]
        if notes:
            parts.append(Button(t("widgets.show"), "eye", act=lambda: self._reveal(NOTES)))
        if not self.read_only:
            parts.append(Button(t("widgets.note"), "note", act=self.desk.note))
        return Col(*parts, gap=12, pad=16, box=Box(fill="card", edge="hair"))

    def evaluation(self, path: str) -> Evaluation:
        if self._evaluation is None or path.startswith("!") or place_of(path) not in self._evaluation.form.entries:
            raise KeyError(path)
        return self._evaluation

    def visible(self) -> list[str]:
        row, state = self.at.more.get("row", ""), self.state
        if state.withdrawn_at:
            return [CONSENT]
        evaluation = self._evaluation
        if row and evaluation is not None:
            return [path for path in questions(evaluation, row) if self._allowed(path)]
        found = [CONSENT]
        if state.consent is None or evaluation is None:
            return found
        for theme in themes(evaluation):
            if theme.path:
                found.append(theme.path)
                found += [path for path in questions(evaluation, theme.path) if self._allowed(path)]
        if state.consent.note and state.consent.consent == "agrees":
            found.append(NOTES)
        return found

    def _allowed(self, path: str) -> bool:
        """Without a record only coded answers; photos of a person are not taken here; what is known stands above."""
        item = self.evaluation(path).entry(path).item
        if path in self.evaluation(path).known:
            return False
        if not isinstance(item, Question):
            return True
        if item.type in ("image", "audio") and item.elsewhere != "notice":
            return False
        coded_only = self.state.consent is None or self.state.consent.consent != "agrees"
        return not (coded_only and item.type in TYPED)

    def own(self, path: str) -> Any:
        return self.evaluation(path).answer(path)

    def view(self, path: str) -> QuestionView:
        evaluation, draft = self.evaluation(path), self.draft_of(path, self._drafts)
        typed = self.unsaved.get(path, draft.text if draft else None)
        said = Said(value=evaluation.answer(path), non_answer=evaluation.non_answer(path) or "", draft=typed,
                    caret=draft.caret if draft else None)  # fmt: skip
        masked = path not in self.revealed and typed is None
        return view_of(evaluation, path, said, self.desk.texts, read_only=self.read_only, masked=masked)

    def actions(self) -> QuestionActions:
        return self._actions

    # --- after something was written --------------------------------------------------------------------------
    def took(self, path: str) -> None:
        rows = self.state.said
        self.facts()
        self._drafts = self.desk.store.drafts()
        self.revealed.add(path)
        self._hide_later(path)
        self.frame.top_bar.name_place(self.ground.title, self._title())
        self.show_again(path if rows else "")

    def refresh(self) -> None:
        before = self.shown
        if self.facts() != before:
            self.desk.rebuild()

    # --- consent ---------------------------------------------------------------------------------------------
    def _consent(self, said: Any, note: bool) -> None:
        desk = self.desk
        if desk.saving(lambda: interviews.consent(desk.store, self.talk, said, desk.now(), note=note)) is not None:
            desk.rebuild()

    def _ask_withdraw(self) -> None:
        desk, t = self.desk, self.desk.texts

        def act() -> None:
            if desk.saving(lambda: interviews.withdraw_consent(desk.store, self.talk, desk.now())) is not None:
                desk.rebuild()

        desk.open_sheet(dialog(t, t("interview.withdraw"), t("interview.withdraw_sure"),
                               yes=t("interview.withdraw_short"), act=act, danger=True))  # fmt: skip

    def _close(self) -> None:
        desk = self.desk
        self.leave()
        if desk.saving(lambda: interviews.close(desk.store, self.talk, desk.now())) is not None:
            desk.back()

    # --- words -----------------------------------------------------------------------------------------------
    def _search(self, path: str) -> None:
        view = self.view(path)
        if view.kind == "masked":
            self._reveal(path)
            return
        self.desk.open_sheet(choices_sheet(self.desk, self.evaluation(path), path, self.own(path), self.answer))

    def _reveal(self, path: str) -> None:
        """Words are readable for a few seconds, longer while they are edited."""
        self.revealed.add(path)
        self.cards.remake(path)
        self._hide_later(path)

    def _hide_later(self, path: str) -> None:
        def hide(_: float) -> None:
            if self.frame.get_root_window() is None:
                return
            if self.edited()[0] == path:
                self._hide_later(path)
            elif path in self.revealed:
                self.revealed.discard(path)
                if self.cards.card(path) is not None and (path == NOTES or self.view(path).kind == "masked"):
                    self.cards.remake(path)

        Clock.schedule_once(hide, SHOWN_SECONDS)

    # --- ways ------------------------------------------------------------------------------------------------
    def _info(self, path: str) -> None:
        self.desk.open_sheet(info_sheet(self.desk, self.evaluation(path), path))

    def _open_row(self, path: str, row: str) -> None:
        self.desk.go("interview", subject=self.at.subject, talk=self.talk, row=f"{path}[{row}]")
