"""T5: the note sheet over any screen.

Tap one opens the sheet with the caret at work, anything else keeps it; an empty note is dropped. A note on a visit goes
to its record, one in an interview to that interview when the person allowed notes, one without a visit to the member's
own notebook. Source: UX T5, SETTLED decisions 14, 29, 40.
"""

from __future__ import annotations

from typing import Any

from kivy.clock import Clock

from field_app.acts import interviews, records
from field_app.acts.subjects import record_id
from field_app.screens import formats
from field_app.screens.checklist_state import ground, numbered, sitting
from field_app.screens.screen import Screen
from field_app.widgets.button import Button
from field_app.widgets.layout import Col, Row, Wrap
from field_app.widgets.node import Node
from field_app.widgets.sheet import Sheet
from field_app.widgets.text import Text
from field_app.widgets.textfield import TextField
from shared.checklists.paths import place_of
from shared.observations.interview import Interview
from shared.observations.record import Record
from shared.values import OperationId, SubjectId
from shared.visits import Visit

CHIPS = ("bed", "light", "food", "doctor", "threat", "cold")
"""Words that can be put into a note with one tap: `note.chip_<code>`."""


# ── the sheet ───────────────────────────────────────────────────────────────────────────────────────────────────────


def open_note(screen: Screen) -> None:
    """The note sheet over whatever is there; it belongs to the question last touched while that is in view."""
    current = getattr(screen, "current", None)
    NoteSheet(screen, current() if callable(current) else "").open()


def take_up_note(screen: Screen) -> None:
    """After a start: a note that a kill left half written stands open again, with its caret."""
    sheet = NoteSheet(screen, "")
    if sheet.name in screen.desk.store.drafts():
        open_note(screen)


def note_on(screen: Screen, of: str) -> None:
    """The note sheet for one question, photo, row or finding."""
    NoteSheet(screen, of).open()


class NoteSheet:
    """One note being written. `of`: what it belongs to while `linked` holds."""

    def __init__(self, screen: Screen, of: str = "") -> None:
        self.screen, self.desk, self.of, self.linked = screen, screen.desk, of, bool(of)
        self.target, self.subject = _target(screen)
        self.name = f"{self.subject or 'loose'} note"
        self.kept: OperationId | None = None
        self.kept_text = ""
        self._again = False

    # --- building --------------------------------------------------------------------------------------------
    def open(self, text: str | None = None) -> None:
        """Shows the sheet; `text` is what the disk did not take before."""
        t = self.desk.texts
        if self.target == "forbidden":
            body = Col(Text(t("note.no_record"), 18), pad=(24, 0, 24, 24))
            self.desk.open_sheet(Sheet(t, t("note.title"), body))
            return
        draft = self.desk.store.drafts().get(self.name)
        said = text if text is not None else draft.text if draft else ""
        self.field = TextField(
            t("note.text"), said, hint=t("note.hint"), lines=5, multiline=True, size=20,
            on_draft=lambda words, caret: self.desk.draft(self.name, words, caret), on_leave=self.keep,
        )  # fmt: skip
        if text is None and draft:
            self.field.caret = min(draft.caret, len(said))
        chips = self._chips() if self.target != "interview" else None
        body = Col(self.field, chips, self._tools(), gap=12, pad=(24, 8, 24, 24))
        foot = Row(Button(t("widgets.done"), "check", "primary", self.desk.close_sheet, grow=1), pad=(24, 8), tall=80)
        sheet = Sheet(t, t("note.title"), body, sub=self._where(), where="whole", foot=foot, on_closed=self.closed)
        self.desk.open_sheet(sheet)
        self.desk.focus(self.field)

    def _where(self) -> str:
        t, now = self.desk.texts, self.desk.now()
        place = ""
        if self.target == "record":
            place = ground(self.desk.store, SubjectId(self.screen.at.subject), t.language).title
        elif self.target == "interview":
            state = self.desk.store.state(SubjectId(self.subject))
            place = t("note.of_interview", number=state.number)
        return " · ".join(part for part in (formats.clock(now.isoformat()), place or t("note.loose")) if part)

    def _chips(self) -> Wrap:
        t = self.desk.texts
        return Wrap(
            *(Button(t(f"note.chip_{code}"), "plus", "quiet", lambda code=code: self.put(t(f"note.chip_{code}")),
                     repeats=True) for code in CHIPS),
            gap=8,
        )  # fmt: skip

    def _tools(self) -> Node | None:
        if self.target != "record" or not self.of:
            return None
        t = self.desk.texts
        words = what_of(self.screen, self.of)
        self._link = Button(words, "check", "soft_edge", self._toggle, role="check", text_align="left")
        self._link.state, self._link.help = "selected", t("note.link_help")
        return self._link

    def _toggle(self) -> None:
        self.linked = not self.linked
        self._link.show(kind="soft_edge" if self.linked else "plain", icon="check" if self.linked else "link",
                        state="selected" if self.linked else "")  # fmt: skip

    # --- writing ---------------------------------------------------------------------------------------------
    def put(self, words: str) -> None:
        """A preset word at the end, kept as a draft at once; the caret goes on."""
        text = self.field.text
        text = f"{text.rstrip()} {words}".strip() if text.strip() else words
        self.field.show_text(text)
        self.desk.draft(self.name, text, len(text))
        self.desk.focus(self.field)

    def keep(self, text: str) -> None:
        """The field is left: the note is kept, or a later text of it."""
        if text.strip() == self.kept_text.strip():
            return
        if not text.strip() and self.kept is None:
            self.desk.saving(lambda: self.desk.store.drop_draft(self.name))
            return
        made = self.desk.saving(lambda: self._write(text))
        self._again = made is None
        if made is None:
            return
        self.kept_text = text
        if self.kept is None and isinstance(made, str):
            self.kept = OperationId(made)

    def _write(self, text: str) -> Any:
        desk, now = self.desk, self.desk.now()
        language = desk.texts.language
        if self.target == "interview":
            interviews.note(desk.store, SubjectId(self.subject), text, now, language, self.name)
            return "interview"
        if self.target == "loose":
            if self.kept is not None:
                records.withdraw_loose_note(desk.store, self.kept, now)
            made = records.loose_note(desk.store, text, now, language)
            desk.store.drop_draft(self.name)
            self.kept = None
            return made
        record, of = SubjectId(self.subject), self.of if self.linked else ""
        if self.kept is None:
            return records.note(desk.store, record, text, now, of, language, self._place(), self.name)
        if not text.strip():
            return records.withdraw(desk.store, record, self.kept, "entered_by_mistake", now)
        return records.change_note(desk.store, record, self.kept, text, now, of, language, self.name)

    def _place(self) -> str:
        return str(getattr(self.screen, "_title", lambda: "")())

    def closed(self) -> None:
        """Whatever closed the sheet kept the note; what the disk did not take comes back with its text."""
        if self._again:
            text = self.field.text
            Clock.schedule_once(lambda _: self.open(text), 0)
            return
        took = getattr(self.screen, "took", None)
        if self.target == "record" and self.of and callable(took) and self.kept:
            took(self.of)


def _target(screen: Screen) -> tuple[str, str]:
    """(record, interview, loose or forbidden; its subject) of a note written over this screen."""
    store, subject = screen.desk.store, SubjectId(getattr(screen, "talk", "") or screen.at.subject)
    state = store.state(subject) if subject else None
    if isinstance(state, Interview):
        allowed = state.consent is not None and state.consent.note and state.consent.consent == "agrees"
        return ("interview" if allowed and not state.withdrawn_at else "forbidden"), subject
    if isinstance(state, Visit):
        record = record_id(store, subject)
        if record is not None and not ground(store, subject, screen.desk.texts.language).read_only:
            return "record", record
    return "loose", ""


def what_of(screen: Screen, of: str) -> str:
    """What a note belongs to, in words."""
    t, store = screen.desk.texts, screen.desk.store
    record = record_id(store, SubjectId(screen.at.subject))
    if of.startswith("/") and record is not None:
        seat = sitting(store, record, t.language, screen.desk.now())
        if seat.has(of):
            number = numbered(seat.at(of).form, t.language).get(place_of(of), "")
            return " ".join(part for part in (number, seat.at(of).label(of, t.language)) if part)
    state = store.state(record) if record else None
    if isinstance(state, Record) and of in state.photos:
        return t("photo.one")
    return t("finding.one") if isinstance(state, Record) and of in state.findings else of
