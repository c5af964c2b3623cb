"""What people do on a tablet in a schedule, each an act of the product with words that were never typed before.

An act gives kind → words typed (to be found again), or None when there is nothing to do it with.
"""

from __future__ import annotations

import io
import random
from collections.abc import Callable
from functools import cache
from typing import Any

from PIL import Image

from field_app.acts import interviews, photos, records, reports, visits
from field_app.acts.subjects import record_id
from shared.observations.record import Record
from shared.values import SubjectId
from shared.visits import Visit, in_group
from tests.ground import PIN, Tablet
from tests.ground.founding import INSTITUTION
from tests.simulator.saves import Saves

Typed = dict[str, dict[str, Any]] | None
ITEMS = tuple(f"/mc/item_{number}" for number in range(10))


@cache
def jpegs() -> tuple[bytes, ...]:
    """A few small pictures."""
    found = []
    for number in range(4):
        file = io.BytesIO()
        Image.new("RGB", (48 + number * 8, 40), (40 * number, 90, 120)).save(file, "JPEG", quality=60)
        found.append(file.getvalue())
    return tuple(found)


class Hand:
    """The hand of the person with one tablet: draws acts with the schedule's chance."""

    def __init__(self, chance: random.Random, saves: Saves, visit: SubjectId) -> None:
        self.chance, self.saves, self.visit = chance, saves, visit

    def act(self, tablet: Tablet, name: str) -> Typed:
        """Does the act. Raises whatever the product raises."""
        return ACTS[name][1](self, tablet)

    def draw(self) -> str:
        """The name of the next act."""
        return self.chance.choices(list(ACTS), [weight for weight, _ in ACTS.values()])[0]

    def record(self, tablet: Tablet) -> tuple[SubjectId, Record] | None:
        """The record, opened when it is not and may be."""
        visit = tablet.store.state(self.visit)
        if not isinstance(visit, Visit) or not in_group(visit, tablet.person):
            return None
        if record_id(tablet.store, self.visit) is None:
            visits.start(tablet.store, self.visit, INSTITUTION, tablet.clock())
        record = tablet.record(self.visit)
        return record, tablet.store.state(record)

    def one(self, found: Any) -> Any:
        """One of these, None when there is none."""
        held = list(found)
        return self.chance.choice(held) if held else None


def _on_record(act: Callable[[Hand, Tablet, SubjectId, Record], Typed]) -> Callable[[Hand, Tablet], Typed]:
    def done(hand: Hand, tablet: Tablet) -> Typed:
        found = hand.record(tablet)
        return act(hand, tablet, *found) if found else None

    return done


def _tap(hand: Hand, tablet: Tablet, record: SubjectId, state: Record) -> Typed:
    value = hand.chance.choice([1, 2, 3, 7, True, False, ["a", "b"], ["c"]])
    records.answer(tablet.store, record, hand.chance.choice(ITEMS), value, tablet.clock())
    return {}


def _type(hand: Hand, tablet: Tablet, record: SubjectId, state: Record) -> Typed:
    words = {"value": hand.saves.word()}
    records.answer(tablet.store, record, hand.chance.choice(ITEMS), words["value"], tablet.clock())
    return {"answer_recorded": words}


def _draft_then_save(hand: Hand, tablet: Tablet, record: SubjectId, state: Record) -> Typed:
    item, text = hand.chance.choice(ITEMS), hand.saves.word()
    field = f"{record} {item}"
    for length in range(2, len(text), 3):
        tablet.store.draft(field, text[:length], length)
        hand.saves.drafts.setdefault(tablet.name, {})[field] = text[:length]
    if hand.chance.random() < 0.5:
        return {}
    records.answer(tablet.store, record, item, text, tablet.clock(), field)
    hand.saves.drafts[tablet.name].pop(field, None)
    return {"answer_recorded": {"value": text}}


def _clear(hand: Hand, tablet: Tablet, record: SubjectId, state: Record) -> Typed:
    item = hand.one(state.answers.items)
    return None if item is None else records.clear(tablet.store, record, item, tablet.clock()) and {}


def _non_answer(hand: Hand, tablet: Tablet, record: SubjectId, state: Record) -> Typed:
    words = {"reason": hand.saves.word()}
    records.non_answer(
        tablet.store, record, hand.chance.choice(ITEMS), "refused", tablet.clock(), "staff", words["reason"]
    )
    return {"non_answer_recorded": words}


def _row(hand: Hand, tablet: Tablet, record: SubjectId, state: Record) -> Typed:
    records.add_row(tablet.store, record, "/mc/cell", tablet.clock())
    return {}


def _note(hand: Hand, tablet: Tablet, record: SubjectId, state: Record) -> Typed:
    words = {"text": hand.saves.private_word()}
    records.note(tablet.store, record, words["text"], tablet.clock(), of=hand.chance.choice(ITEMS))
    return {"note_recorded": words}


def _change_note(hand: Hand, tablet: Tablet, record: SubjectId, state: Record) -> Typed:
    note = hand.one(state.notes)
    if note is None:
        return None
    words = {"text": hand.saves.private_word()}
    records.change_note(tablet.store, record, note, words["text"], tablet.clock())
    return {"note_changed": words}


def _loose(hand: Hand, tablet: Tablet) -> Typed:
    words = {"text": hand.saves.private_word()}
    records.loose_note(tablet.store, words["text"], tablet.clock())
    return {"loose_note_kept": words}


def _photo(hand: Hand, tablet: Tablet, record: SubjectId, state: Record) -> Typed:
    words = {"caption": hand.saves.private_word()}
    original = hand.chance.choice(jpegs()) + hand.chance.randbytes(16)
    photos.take(tablet.store, record, original, tablet.clock(), caption=words["caption"])
    return {"photo_taken": words}


def _clear_photo(hand: Hand, tablet: Tablet, record: SubjectId, state: Record) -> Typed:
    photo = hand.one(state.photos)
    return None if photo is None else records.clear_photo(tablet.store, record, photo, True, tablet.clock()) and {}


def _finding(hand: Hand, tablet: Tablet, record: SubjectId, state: Record) -> Typed:
    words = {"saw": hand.saves.word()}
    records.finding(
        tablet.store, record, severity=hand.chance.choice(["low", "high", "critical"]), now=tablet.clock(),
        saw=words["saw"], urgent=hand.chance.random() < 0.2, evidence=[hand.chance.choice(ITEMS)],
    )  # fmt: skip
    return {"finding_recorded": words}


def _change_finding(hand: Hand, tablet: Tablet, record: SubjectId, state: Record) -> Typed:
    finding = hand.one(state.findings)
    if finding is None:
        return None
    words = {"concluded": hand.saves.word()}
    records.change_finding(tablet.store, record, finding, now=tablet.clock(), concluded=words["concluded"])
    return {"finding_changed": words}


def _withdraw(hand: Hand, tablet: Tablet, record: SubjectId, state: Record) -> Typed:
    of = hand.one([*state.notes, *state.findings, *state.photos])
    if of is None:
        return None
    records.withdraw(tablet.store, record, of, "entered_by_mistake", tablet.clock())
    return {}


def _restore(hand: Hand, tablet: Tablet, record: SubjectId, state: Record) -> Typed:
    of = hand.one(each.id for each in [*state.notes.values(), *state.findings.values()] if each.withdrawn)
    return None if of is None else records.restore(tablet.store, record, of, tablet.clock()) and {}


def _choose(hand: Hand, tablet: Tablet, record: SubjectId, state: Record) -> Typed:
    item = hand.one(state.answers.differing(state.leader))
    if item is None:
        return None
    entry = hand.one(state.answers.items[item].standing().values())
    records.choose(tablet.store, record, item, entry.operation, tablet.clock())
    return {}


def _reverse(hand: Hand, tablet: Tablet, record: SubjectId, state: Record) -> Typed:
    choice = hand.one(choice for item in state.answers.items.values() for choice in item.choices)
    if choice is None:
        return None
    records.reverse_choice(tablet.store, record, choice.operation, tablet.clock())
    return {}


def _text(hand: Hand, tablet: Tablet, record: SubjectId, state: Record) -> Typed:
    words = {"text": hand.saves.word()}
    records.write_text(tablet.store, record, "summary", words["text"], tablet.clock())
    return {"draft_written": words}


def _interview(hand: Hand, tablet: Tablet, record: SubjectId, state: Record) -> Typed:
    interview = interviews.begin(tablet.store, record, tablet.clock())
    if hand.chance.random() < 0.8:
        interviews.consent(tablet.store, interview, "agrees", tablet.clock(), note=True)
    return {}


def _own_interview(hand: Hand, tablet: Tablet, state: Record) -> SubjectId | None:
    own = [
        interview for interview, (_, author, _) in state.interviews.items()
        if author == tablet.person and getattr(tablet.store.state(interview), "consent", None)
    ]  # fmt: skip
    found: SubjectId | None = hand.one(own)
    return found


def _interview_answer(hand: Hand, tablet: Tablet, record: SubjectId, state: Record) -> Typed:
    interview = _own_interview(hand, tablet, state)
    if interview is None:
        return None
    words = {"value": hand.saves.private_word()}
    interviews.answer(tablet.store, interview, "/iv/food", words["value"], tablet.clock())
    return {"interview_answered": words}


def _interview_note(hand: Hand, tablet: Tablet, record: SubjectId, state: Record) -> Typed:
    interview = _own_interview(hand, tablet, state)
    if interview is None:
        return None
    words = {"text": hand.saves.private_word()}
    interviews.note(tablet.store, interview, words["text"], tablet.clock())
    return {"interview_noted": words}


def _share(hand: Hand, tablet: Tablet, record: SubjectId, state: Record) -> Typed:
    interview = _own_interview(hand, tablet, state)
    if interview is None or not isinstance(state.parent, Visit):
        return None
    interviews.share(tablet.store, interview, [hand.chance.choice(state.parent.members)], tablet.clock())
    return {}


def _end_interview(hand: Hand, tablet: Tablet, record: SubjectId, state: Record) -> Typed:
    interview = _own_interview(hand, tablet, state)
    if interview is None:
        return None
    if hand.chance.random() < 0.3:
        interviews.withdraw_consent(tablet.store, interview, tablet.clock())
    else:
        interviews.close(tablet.store, interview, tablet.clock())
    return {}


def _entry(hand: Hand, tablet: Tablet, record: SubjectId, state: Record) -> Typed:
    visits.record_entry(tablet.store, state.visit, now=tablet.clock(), held_count=hand.chance.randint(10, 900))
    return {}


def _close_visit(hand: Hand, tablet: Tablet, record: SubjectId, state: Record) -> Typed:
    visits.close(tablet.store, state.visit, tablet.clock())
    return {}


def _freeze(hand: Hand, tablet: Tablet, record: SubjectId, state: Record) -> Typed:
    reports.freeze(tablet.store, state.visit, tablet.clock())
    return {}


def _sign(hand: Hand, tablet: Tablet, record: SubjectId, state: Record) -> Typed:
    stand, text = hand.chance.choice([("agree", ""), ("dissent", hand.saves.word())])
    reports.sign(tablet.store, state.visit, PIN, stand, tablet.clock(), text)
    return {}


def _submit(hand: Hand, tablet: Tablet, record: SubjectId, state: Record) -> Typed:
    report = tablet.store.state(tablet.report(state.visit))
    missing = dict.fromkeys(report.unsigned(), "ill") if report is not None else {}
    reports.submit(tablet.store, state.visit, tablet.clock(), missing)
    return {}


def _answer_question(hand: Hand, tablet: Tablet, record: SubjectId, state: Record) -> Typed:
    report = tablet.report(state.visit)
    held = tablet.store.state(report)
    question = hand.one(each.id for each in held.questions.values() if each.is_open) if held else None
    if question is None:
        return None
    reports.answer_question(tablet.store, report, question, hand.saves.word(), tablet.clock())
    return {}


def _request(hand: Hand, tablet: Tablet) -> Typed:
    words = {"reason": hand.saves.private_word()}
    visits.file_request(
        tablet.store, institution=INSTITUTION, reason=words["reason"], from_on="2026-04-01", to_on="2026-04-02",
        now=tablet.clock(),
    )  # fmt: skip
    return {"request_filed": words}


def _withdraw_request(hand: Hand, tablet: Tablet) -> Typed:
    request = hand.one(tablet.store.subjects("visit_request"))
    if request is None or tablet.store.state(request).filer != tablet.person:
        return None
    visits.withdraw_request(tablet.store, request, "no longer needed", tablet.clock())
    return {}


def _unplanned(hand: Hand, tablet: Tablet) -> Typed:
    words = {"reason": hand.saves.private_word()}
    visit = visits.plan_on_the_spot(
        tablet.store, institution=INSTITUTION, reason=words["reason"], now=tablet.clock()
    )  # fmt: skip
    record = visits.start(tablet.store, visit, INSTITUTION, tablet.clock())
    records.answer(tablet.store, record, ITEMS[0], 3, tablet.clock())
    return {"visit_planned": words}


ACTS: dict[str, tuple[float, Callable[[Hand, Tablet], Typed]]] = {
    "tap": (20, _on_record(_tap)),
    "type": (8, _on_record(_type)),
    "draft": (4, _on_record(_draft_then_save)),
    "clear": (3, _on_record(_clear)),
    "non_answer": (3, _on_record(_non_answer)),
    "row": (2, _on_record(_row)),
    "note": (6, _on_record(_note)),
    "change_note": (3, _on_record(_change_note)),
    "loose_note": (2, _loose),
    "photo": (1.5, _on_record(_photo)),
    "clear_photo": (1, _on_record(_clear_photo)),
    "finding": (4, _on_record(_finding)),
    "change_finding": (3, _on_record(_change_finding)),
    "withdraw": (3, _on_record(_withdraw)),
    "restore": (2, _on_record(_restore)),
    "choose": (4, _on_record(_choose)),
    "reverse": (1, _on_record(_reverse)),
    "text": (2, _on_record(_text)),
    "interview": (3, _on_record(_interview)),
    "interview_answer": (5, _on_record(_interview_answer)),
    "interview_note": (3, _on_record(_interview_note)),
    "share": (1, _on_record(_share)),
    "end_interview": (1, _on_record(_end_interview)),
    "entry": (0.5, _on_record(_entry)),
    "close_visit": (0.5, _on_record(_close_visit)),
    "freeze": (1.5, _on_record(_freeze)),
    "sign": (2, _on_record(_sign)),
    "submit": (0.5, _on_record(_submit)),
    "answer_question": (1, _on_record(_answer_question)),
    "request": (1, _request),
    "withdraw_request": (0.5, _withdraw_request),
    "unplanned": (0.5, _unplanned),
}
