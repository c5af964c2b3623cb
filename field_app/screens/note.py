"""T5: the note sheet over any screen, and the list of notes with those still to be sorted.

Tap one opens the sheet with the caret at work, anything else keeps it; an empty note is dropped. A note on a visit goes
to its record, one in an interview to that interview when the person allowed notes, one without a visit to the member's
own notebook. Source: UX T5, SETTLED decisions 14, 29, 40.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kivy.clock import Clock

from field_app.acts import interviews, records
from field_app.acts.subjects import record_id
from field_app.screens import formats
from field_app.screens.checklist_state import ground, name_of, numbered, sitting
from field_app.screens.checklist_views import by_words
from field_app.screens.screen import Screen
from field_app.widgets.button import Button
from field_app.widgets.frame import Frame, Page, Strip
from field_app.widgets.layout import Col, Gap, Row, Wrap
from field_app.widgets.list import Entry
from field_app.widgets.node import Box, Node
from field_app.widgets.page_buttons import PageButtons
from field_app.widgets.picker import search_sheet
from field_app.widgets.scroll import Scroll
from field_app.widgets.sheet import Sheet
from field_app.widgets.text import Text
from field_app.widgets.textfield import TextField
from field_app.widgets.undo_strip import offer_undo
from shared.checklists.definition import Question
from shared.checklists.paths import place_of
from shared.checklists.progress import is_asked
from shared.observations.interview import Interview
from shared.observations.record import Record, Versioned
from shared.values import OperationId, SubjectId
from shared.visits import Visit

CHIPS = ("bed", "light", "food", "doctor", "threat", "cold")
"""Words that can be put into a note with one tap: `note.chip_<code>`."""


# ── the sheet ───────────────────────────────────────────────────────────────────────────────────────────────────────


def open_note(screen: Screen) -> None:
    """The note sheet over whatever is there; it belongs to the question last touched while that is in view."""
    current = getattr(screen, "current", None)
    NoteSheet(screen, current() if callable(current) else "").open()


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
        words = _what(self.screen, self.of)
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


def _what(screen: Screen, of: str) -> str:
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


# ── the list ────────────────────────────────────────────────────────────────────────────────────────────────────────


class Notes(Screen):
    """Notes of a visit, those to be sorted first; without a visit the member's own loose notes."""

    def facts(self) -> Any:
        store, t = self.desk.store, self.desk.texts
        visit = SubjectId(self.at.subject)
        if not visit:
            return ("loose", tuple(self._loose()))
        self.ground = ground(store, visit, t.language)
        record = self.ground.record
        state = store.state(record) if record else None
        if not isinstance(state, Record) or record is None:
            return ("record", ())
        seat = sitting(store, record, t.language, self.desk.now())
        found = []
        for id_, note in state.notes.items():
            if note.withdrawn:
                continue
            words = store.words(record, note.current.words) or {}
            of = note.current.of
            linked = ""
            if of.startswith("/") and seat.has(of):
                number = numbered(seat.at(of).form, t.language).get(place_of(of), "")
                linked = " ".join(part for part in (number, seat.at(of).label(of, t.language)) if part)
            elif of:
                linked = _what(self, of)
            found.append((id_, words.get("text", t("checklist_screen.closed_words")), linked, words.get("place", ""),
                          name_of(store, note.current.author), formats.moment(note.current.at), note.differs))  # fmt: skip
        found.sort(key=lambda each: bool(each[2]))
        return ("record", tuple(found))

    def _loose(self) -> list[tuple[Any, ...]]:
        store, found = self.desk.store, []
        for book in store.subjects("notebook"):
            for id_, words in store.state(book).notes.items():
                said = store.words(book, words) or {}
                found.append((id_, said.get("text", ""), "", "", "", "", False))
        return found

    def build(self, facts: Any) -> Frame:
        t = self.desk.texts
        kind, notes = facts
        loose = [each for each in notes if not each[2]]
        parts: list[Node] = []
        if not notes:
            parts += [Text(t("note.none"), 18, "muted"), Row(Button(t("note.write"), "note", "primary", self.desk.note))]
        if loose:
            parts.append(Text(t("note.to_sort", count=len(loose)) if kind == "record" else t("note.loose"), 20, bold=True))
        parts += [self._card(kind, each) for each in loose]
        if len(loose) < len(notes):
            parts.append(Text(t("note.sorted"), 20, bold=True, pad=(0, 12, 0, 0)))
        parts += [self._card(kind, each) for each in notes if each[2]]
        self.pane = Scroll(Page(*parts))
        title = self.ground.title if kind == "record" else t("note.loose")
        extra = {"visit": self.ground.visit} if kind == "record" else {}
        return self.desk.chrome(title, self.pane, sub=t("note.list"), strip=Strip(Gap(grow=1), PageButtons(t, self.pane)),
                                **extra)  # fmt: skip

    def _card(self, kind: str, note: tuple[Any, ...]) -> Node:
        t, (id_, text, linked, place, who, at, differs) = self.desk.texts, note
        meta = " · ".join(part for part in (who, at, place) if part)
        read_only = kind == "record" and self.ground.read_only
        buttons: list[Node] = []
        if not read_only:
            if kind == "record":
                buttons.append(Button(t("note.link"), "link", "plain", lambda: self._link(id_, text)))
            buttons.append(Button(t("note.change"), "note", "plain", lambda: self._change(kind, id_, text)))
            buttons.append(Button(t("note.remove"), "trash", "danger", lambda: self._remove(kind, id_)))
        if differs:
            buttons.append(Button(t("note.versions"), "differs", "warn", lambda: self._versions(id_)))
        return Col(
            Text(linked, 14, "primary", bold=True) if linked else None, Text(text, 18),
            Text(meta, 14, "muted") if meta else None, Wrap(*buttons, gap=12) if buttons else None,
            gap=8, pad=16, box=Box(fill="card", edge="hair"),
        )  # fmt: skip

    # --- acts ------------------------------------------------------------------------------------------------
    @property
    def _record(self) -> SubjectId:
        assert self.ground.record is not None
        return self.ground.record

    def _done(self, work: Callable[[], Any]) -> bool:
        done = self.desk.saving(work) is not None
        if done:
            self.desk.rebuild()
        return done

    def _link(self, id_: str, text: str) -> None:
        desk, t = self.desk, self.desk.texts
        seat = sitting(desk.store, self._record, t.language, desk.now())
        rows = questions_of(seat, t.language)

        def choose(of: str) -> None:
            self._done(lambda: records.change_note(desk.store, self._record, OperationId(id_), text, desk.now(), of,
                                                   t.language))  # fmt: skip

        def find(query: str) -> list[Entry]:
            return [Entry(row["key"], row["title"], sub=row["theme"], mark=row["number"])
                    for row in by_words(rows, query, "number", "title", "theme")]  # fmt: skip

        desk.open_sheet(search_sheet(t, t("note.link"), find, choose, row=96))

    def _change(self, kind: str, id_: str, text: str) -> None:
        sheet = NoteSheet(self)
        sheet.kept, sheet.kept_text = OperationId(id_), text
        sheet.closed = lambda: self.desk.rebuild()  # type: ignore[method-assign]
        sheet.name = f"{sheet.name} {id_}"
        draft = self.desk.store.drafts().get(sheet.name)
        sheet.open(draft.text if draft else text)

    def _remove(self, kind: str, id_: str) -> None:
        desk = self.desk
        if kind == "loose":
            self._done(lambda: records.withdraw_loose_note(desk.store, OperationId(id_), desk.now()))
            return
        if self._done(lambda: records.withdraw(desk.store, self._record, id_, "entered_by_mistake", desk.now())):
            self._offer_back(id_)

    def _offer_back(self, id_: str) -> None:
        desk, record = self.desk, self._record

        def back() -> None:
            desk.saving(lambda: records.restore(desk.store, record, id_, desk.now()))
            desk.rebuild()

        offer_undo(self.frame, desk.texts, desk.texts("note.removed"), back)

    def _versions(self, id_: str) -> None:
        desk, t = self.desk, self.desk.texts
        note: Versioned = desk.store.state(self._record).notes[id_]
        parts: list[Node] = []
        for head in note.heads:
            version = note.versions[head]
            words = desk.store.words(self._record, version.words) or {}
            text = words.get("text", "")
            parts.append(
                Col(Text(f"{name_of(desk.store, version.author)} · {formats.moment(version.at)}", 14, "muted"),
                    Text(text, 18),
                    Button(t("differences.choose"), "check", act=lambda text=text: self._keep_version(id_, text)),
                    gap=8, pad=16, box=Box(fill="card", edge="hair"))
            )  # fmt: skip
        desk.open_sheet(Sheet(t, t("note.versions"), Col(*parts, gap=12, pad=(24, 0, 24, 24))))

    def _keep_version(self, id_: str, text: str) -> None:
        desk = self.desk
        desk.close_sheet()
        self._done(lambda: records.change_note(desk.store, self._record, OperationId(id_), text, desk.now(), "",
                                               desk.texts.language))  # fmt: skip


def questions_of(seat: Any, language: str) -> list[dict[str, str]]:
    """Every question of a visit as rows to be searched: key (path), number, title, theme."""
    rows = []
    for evaluation in seat.evaluations:
        numbers = numbered(evaluation.form, language)
        for path in evaluation.all_paths(shown=True):
            item = evaluation.entry(path).item
            if isinstance(item, Question) and is_asked(item) and evaluation.is_shown(path):
                top = "/" + path.split("/")[1].split("[")[0]
                rows.append({"key": path, "number": numbers.get(place_of(path), ""),
                             "title": evaluation.label(path, language), "theme": evaluation.label(top, language)})  # fmt: skip
    return rows
