"""Text being typed, kept key by key, and the place where the person was. Never sent anywhere.

Undo goes back word by word, at most 50 words, and survives a restart. Source: UX P1 and section 2, SETTLED decisions
40 and 41.
"""

from __future__ import annotations

from field_app.store.kept import Draft, Place
from field_app.store.opened import Opened, Writing

UNDO_STEPS = 50
_PLACE_ROW = 1


def with_text(old: Draft | None, field: str, text: str, caret: int) -> Draft:
    """The draft after a key; where a word ended, or more than a letter changed, the earlier text joins the undo."""
    if old is None:
        return Draft(field, text, caret)
    before = old.text
    one_letter = abs(len(text) - len(before)) <= 1
    word_ended = len(text) > len(before) and text[caret - 1 : caret].isspace() and not before[-1:].isspace()
    begins_deleting = len(text) < len(before) and (not old.undo or len(old.undo[-1]) < len(before))
    keep = before != text and (not one_letter or word_ended or begins_deleting)
    undo = (*old.undo, before)[-UNDO_STEPS:] if keep and (not old.undo or old.undo[-1] != before) else old.undo
    return Draft(field, text, caret, undo)


def put(opened: Opened, draft: Draft, place: Place | None) -> None:
    """The draft (and the place with it) is on the disk when this returns. Raises NotSaved."""
    row = opened.drafts.get(draft.field)

    def work(writing: Writing) -> int:
        if place is not None:
            writing.put("place", place, _PLACE_ROW)
        return writing.put("draft", draft, row[0] if row else None)

    number = opened.write(work)
    opened.drafts[draft.field] = (number, draft)
    opened.place = place or opened.place


def put_place(opened: Opened, place: Place) -> None:
    """The place is on the disk when this returns. Raises NotSaved."""
    if place != opened.place:
        opened.write(lambda writing: writing.put("place", place, _PLACE_ROW))
        opened.place = place


def undone(draft: Draft) -> Draft | None:
    """The draft one word earlier, None at its beginning."""
    if not draft.undo:
        return None
    text = draft.undo[-1]
    return Draft(draft.field, text, len(text), draft.undo[:-1])
