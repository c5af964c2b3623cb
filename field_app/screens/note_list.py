"""The notes of a visit, those to be sorted first; without a visit the member's own loose notes. Source: UX T5."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from field_app.acts import records
from field_app.screens import formats
from field_app.screens.checklist_state import ground, name_of, numbered, sitting
from field_app.screens.checklist_views import by_words
from field_app.screens.note import NoteSheet, what_of
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
from field_app.widgets.undo_strip import offer_undo
from shared.checklists.definition import Question
from shared.checklists.paths import place_of
from shared.checklists.progress import is_asked
from shared.observations.record import Record, Versioned
from shared.values import OperationId, SubjectId


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
                linked = what_of(self, of)
            found.append(
                (
                    id_,
                    words.get("text", t("checklist_screen.closed_words")),
                    linked,
                    words.get("place", ""),
                    name_of(store, note.current.author),
                    formats.moment(note.current.at),
                    note.differs,
                )
            )
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
            parts += [
                Text(t("note.none"), 18, "muted"),
                Row(Button(t("note.write"), "note", "primary", self.desk.note)),
            ]
        if loose:
            parts.append(
                Text(t("note.to_sort", count=len(loose)) if kind == "record" else t("note.loose"), 20, bold=True)
            )
        parts += [self._card(kind, each) for each in loose]
        if len(loose) < len(notes):
            parts.append(Text(t("note.sorted"), 20, bold=True, pad=(0, 12, 0, 0)))
        parts += [self._card(kind, each) for each in notes if each[2]]
        self.pane = Scroll(Page(*parts))
        title = self.ground.title if kind == "record" else t("note.loose")
        extra = {"visit": self.ground.visit} if kind == "record" else {}
        return self.desk.chrome(
            title, self.pane, sub=t("note.list"), strip=Strip(Gap(grow=1), PageButtons(t, self.pane)), **extra
        )

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
                rows.append(
                    {
                        "key": path,
                        "number": numbers.get(place_of(path), ""),
                        "title": evaluation.label(path, language),
                        "theme": evaluation.label(top, language),
                    }
                )
    return rows
