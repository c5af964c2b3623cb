"""What a finding can rest on: answered questions, notes, photos, interviews by their number; and how each is called."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from field_app.screens.checklist_said import entry_words
from field_app.screens.checklist_state import Sitting, numbered
from field_app.screens.checklist_views import by_words
from field_app.screens.screen import Desk
from field_app.widgets.list import Entry
from field_app.widgets.picker import search_sheet
from field_app.widgets.sheet import Sheet
from shared.checklists.paths import place_of
from shared.texts import Texts
from shared.values import OperationId, SubjectId

if TYPE_CHECKING:
    from field_app.store.store import Store


@dataclass(frozen=True)
class Link:
    """One piece of evidence: its key as the ledger names it, its title, its kind, whether it was taken away since."""

    key: str
    title: str
    kind: str
    icon: str
    gone: bool = False


def link_of(sitting: Sitting, key: str, t: Texts) -> Link:
    """A piece of evidence by its key; one that is no longer there stays with the word that says so."""
    record, store = sitting.record, sitting.store
    if key.startswith("/"):
        return _question(sitting, key, t)
    note = record.notes.get(OperationId(key))
    if note is not None:
        text = (store.words(record.id, note.current.words) or {}).get("text", "")
        return Link(
            key, text[:80] or t("checklist_screen.closed_words"), t("finding.note"), "note", bool(note.withdrawn)
        )
    photo = record.photos.get(OperationId(key))
    if photo is not None:
        caption = (store.words(record.id, photo.words) or {}).get("caption", "")
        return Link(key, caption or t("photo.no_caption"), t("photo.one"), "picture", bool(photo.withdrawn))
    talk = record.interviews.get(SubjectId(key))
    if talk is not None:
        return Link(key, talk[0], t("finding.interview"), "people", _withdrawn(store, key))
    return Link(key, key[:12], t("finding.gone"), "link", True)


def _withdrawn(store: Store, talk: str) -> bool:
    return bool(getattr(store.state(SubjectId(talk)), "withdrawn_at", ""))


def _question(sitting: Sitting, path: str, t: Texts) -> Link:
    if not sitting.has(path):
        return Link(path, path, t("finding.answer"), "answer", True)
    evaluation = sitting.at(path)
    number = numbered(evaluation.form, t.language).get(place_of(path), "")
    result = sitting.effective(path)
    entry = result.entry or (result.others[0] if result.others else None)
    value = entry_words(sitting, path, entry, t) if entry else ""
    title = " ".join(part for part in (number, evaluation.label(path, t.language)) if part)
    return Link(path, f"{title} · {value}" if value else title, t("finding.answer"), "answer")


def every(sitting: Sitting, t: Texts) -> list[Link]:
    """Everything that can be linked: answered questions in form order, notes, photos, interviews not taken back."""
    record = sitting.record
    paths = [path for evaluation in sitting.evaluations for path in evaluation.all_paths(shown=True)
             if sitting.effective(path).state != "blank"]  # fmt: skip
    keys = [*paths, *record.notes, *record.photos, *record.interviews]
    return [link for link in (link_of(sitting, key, t) for key in keys) if not link.gone]


def link_sheet(desk: Desk, sitting: Sitting, chosen: tuple[str, ...], choose: Callable[[str], object]) -> Sheet:
    """Finds evidence by any word of it; one tap links it."""
    t = desk.texts
    links = {link.key: link for link in every(sitting, t) if link.key not in chosen}
    rows = [{"key": link.key, "title": link.title, "kind": link.kind} for link in links.values()]

    def find(query: str) -> list[Entry]:
        return [Entry(row["key"], row["title"], row["kind"], links[row["key"]].icon)
                for row in by_words(rows, query, "title", "kind")]  # fmt: skip

    return search_sheet(t, t("finding.link"), find, choose, row=96)
