"""What the cards of a visit say beside the question: own answers and drafts, colleagues' answers, what hangs on it."""

from __future__ import annotations

from collections import Counter

from field_app.screens.checklist_state import Sitting, name_of
from field_app.screens.checklist_views import Said, as_text, non_answer_words, readable
from field_app.store.kept import Draft
from shared.checklists.paths import place_of
from shared.observations.answers import Entry
from shared.texts import Texts


def hanging(sitting: Sitting) -> dict[str, dict[str, int]]:
    """Path → how many notes, photos and findings belong to it."""
    record = sitting.record
    notes = Counter(note.current.of for note in record.notes.values() if not note.withdrawn and note.current.of)
    photos = Counter({of: len(ids) for of, ids in sitting.photos.items()})
    findings: Counter[str] = Counter()
    for finding in record.findings.values():
        body = finding.current.body
        if not finding.withdrawn and body is not None:
            findings.update(set(body.evidence))
    return {
        path: {"note": notes[path], "photo": photos[path], "finding": findings[path]}
        for path in {*notes, *photos, *findings}
    }


def entry_words(sitting: Sitting, path: str, entry: Entry, texts: Texts) -> str:
    """What an entry says, as a person reads it."""
    if entry.non_answer:
        return non_answer_words(entry.non_answer, texts)
    value = sitting.words(entry)
    if value is None:
        return texts("checklist_screen.closed_words")
    return readable(sitting.at(path), path, value, texts)


def colleague_words(sitting: Sitting, path: str, texts: Texts) -> str:
    """The chip in the head: what was chosen, else the first colleague's answer and how many more there are."""
    result = sitting.effective(path)
    if result.state == "chosen" and result.entry is not None:
        return texts("checklist_screen.chosen", value=_short(entry_words(sitting, path, result.entry, texts)))
    others = sitting.others(path)
    if not others:
        return ""
    name, value = name_of(sitting.store, others[0].author), _short(entry_words(sitting, path, others[0], texts))
    key = "checklist_screen.differs" if result.state == "differs" else "checklist_screen.colleague"
    if len(others) > 1:
        return texts(f"{key}_more", name=name, value=value, more=len(others) - 1)
    return texts(key, name=name, value=value)


def _short(words: str, most: int = 24) -> str:
    return words if len(words) <= most else words[: most - 1].rstrip() + "…"


def said_of(
    sitting: Sitting, path: str, texts: Texts, draft: Draft | None, unsaved: str | None, hangs: dict[str, int]
) -> Said:
    """Everything a card says about an item besides its question."""
    own = sitting.own(path)
    entry = sitting.at(path).form.entries.get(place_of(path))
    is_image = getattr(getattr(entry, "item", None), "type", "") == "image"
    value = " ".join(sitting.photos.get(path, ())) or None if is_image else sitting.words(own)
    typed = unsaved if unsaved is not None else draft.text if draft else None
    return Said(
        value=as_text(value), non_answer=(own.non_answer or "") if own else "",
        refused_by=own.refused_by if own else "", draft=typed, caret=draft.caret if draft else None,
        colleague=colleague_words(sitting, path, texts), counts=hangs,
    )  # fmt: skip
