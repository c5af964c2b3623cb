"""A visit's record as its checklists see it: whose answer drives the logic, which themes there are, what is differing.

Reads the store, keeps nothing of its own on a disk, draws nothing. The checklist screen, the note, finding and report
screens all look at a visit through this. Source: SETTLED decisions 43, 56 and 57; UX T3 and T4.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from field_app.acts import interviews
from field_app.acts.subjects import record_id, report_id
from field_app.register import register_of
from shared.accounts import Person
from shared.checklists.answers import Answer
from shared.checklists.definition import DamagedChecklist, Group, Question, Repeat, Words, decode
from shared.checklists.evaluate import Evaluation
from shared.checklists.form import Form
from shared.checklists.paths import place_of
from shared.checklists.progress import Theme, is_asked, theme_of, themes
from shared.institutions import Institution
from shared.observations.answers import Effective, Entry, effective, own_or_effective
from shared.observations.record import Record
from shared.packs import RegisterSubject
from shared.reports import Report
from shared.values import PersonId, SubjectId
from shared.visits import Visit

if TYPE_CHECKING:
    from field_app.store.store import Store

VISIT_TYPES = {"intermediate": "interim", "unplanned": "special"}
"""Kind of visit in law → its code in the checklist, where the two differ."""
NO_WORDS = Words()
ONLY_FOR: Mapping[str, frozenset[str]] = {
    "npm_psychiatric_social": frozenset(
        {"psych_hospital", "narcology", "tb_hospital", "social_care", "children_social", "temp_stay", "day_care"}
    )
}
"""A checklist that is added for these types of institution only; the others are for every visit."""


@lru_cache(maxsize=8)
def _form(path: Any, name: str) -> Form:
    return Form(decode(path.read_bytes(), name))


def form_of(store: Store, name: str) -> Form | None:
    """The checklist with this SHA-256 made ready, None when its pack is not here or damaged."""
    try:
        return _form(store.pack_path(name), name)
    except (FileNotFoundError, DamagedChecklist):
        return None


def _pack(store: Store, what: str) -> tuple[str, Any] | None:
    """(SHA-256, path) of a register pack that lies here."""
    for subject in store.subjects("register"):
        state = store.state(subject)
        pack = state.packs.get(what) if isinstance(state, RegisterSubject) else None
        if pack and store.pack_path(pack.sha256).exists():
            return pack.sha256, store.pack_path(pack.sha256)
    return None


def institution(store: Store, key: str) -> Institution | None:
    """The row of the register, None when the register is not here or has no such key."""
    return register_of(store).get(key) if key else None


@lru_cache(maxsize=4)
def _rows(name: str, path: Any, part: str) -> tuple[dict[str, str], ...]:
    return tuple(json.loads(path.read_bytes()).get(part, ()))


def standards(store: Store) -> tuple[dict[str, str], ...]:
    """The standards: key, instrument, rule, title, themes; empty while their pack is not here."""
    found = _pack(store, "standards")
    return _rows(*found, "standards") if found else ()


def standard_of(store: Store, key: str) -> dict[str, str] | None:
    """One standard by its key."""
    return next((row for row in standards(store) if row.get("key") == key), None)


def _checklist_type(store: Store, legal: str) -> str:
    found = _pack(store, "places")
    rows = _rows(*found, "types") if found else ()
    return next((row.get("checklist_type", legal) for row in rows if row.get("key") == legal), legal)


def name_of(store: Store, person: PersonId | str) -> str:
    """What people call a member; the first signs of the id where the tablet was not told."""
    if person == store.person and store.identity.name:
        return store.identity.name
    state = store.state(SubjectId(person))
    return state.name if isinstance(state, Person) and state.name else str(person)[:8]


@dataclass(frozen=True)
class Ground:
    """What all screens of a visit stand on."""

    visit: SubjectId
    record: SubjectId | None
    title: str
    is_leader: bool
    closed: bool
    read_only: bool


def leader_of(visit: Visit) -> PersonId:
    """The leader, or whoever opened an unplanned visit."""
    return visit.leader or visit.planned_by


def ground(store: Store, visit: SubjectId, language: str) -> Ground:
    """The ground of a visit. read_only: handed in, or signed here by a member who does not lead."""
    state = store.state(visit)
    if not isinstance(state, Visit):
        return Ground(visit, None, "", False, True, True)
    place = institution(store, state.institution or "")
    report = store.state(report_id(store, visit))
    is_leader = store.person == leader_of(state)
    signed = isinstance(report, Report) and report.current is not None and store.person in report.current.signatures
    handed_in = isinstance(report, Report) and report.submitted is not None
    title = place.name(language) if place else (state.institution or "")
    return Ground(
        visit, record_id(store, visit), title, is_leader, bool(state.closed_at), handed_in or (signed and not is_leader)
    )


def own_entry(record: Record, path: str, person: PersonId) -> Entry | None:
    """What this person says about an item now."""
    item = record.answers.items.get(path)
    return item.standing().get(person) if item else None


@dataclass
class Sitting:
    """One visit's checklists under one person's eyes. Made by `sitting`; `refresh` follows the store."""

    store: Store
    record: Record
    person: PersonId
    language: str
    evaluations: list[Evaluation]
    photos: dict[str, list[str]] = field(default_factory=dict)

    @property
    def leader(self) -> PersonId:
        """Whose choice stands over a member's."""
        return self.record.leader

    def at(self, path: str) -> Evaluation:
        """The evaluation whose form has this path. Raises KeyError."""
        place = place_of(path)
        for each in self.evaluations:
            if place in each.form.entries:
                return each
        raise KeyError(path)

    def has(self, path: str) -> bool:
        """Whether any form has this path."""
        return any(place_of(path) in each.form.entries for each in self.evaluations)

    def words(self, entry: Entry | None) -> Any:
        """The value of an entry, opened; None when it is blank, a non-answer, or closed to this tablet."""
        if entry is None:
            return None
        if entry.words:
            return (self.store.words(self.record.id, entry.words) or {}).get("value")
        return entry.value

    def own(self, path: str) -> Entry | None:
        """This person's entry."""
        return own_entry(self.record, path, self.person)

    def others(self, path: str) -> list[Entry]:
        """Other members' entries, in order."""
        item = self.record.answers.items.get(path)
        found = item.standing().items() if item else ()
        return sorted((each for who, each in found if who != self.person), key=lambda each: each.order)

    def effective(self, path: str) -> Effective:
        """What counts for an item."""
        return effective(self.record.answers.items.get(path), self.leader)

    def differs(self, path: str) -> bool:
        """Whether members say different things and nobody chose."""
        return self.effective(path).state == "differs"

    def themes(self) -> list[tuple[Evaluation, Theme]]:
        """Every theme that asks something now, in the order of the forms."""
        return [(each, theme) for each in self.evaluations for theme in themes(each)]

    def theme(self, path: str) -> Theme:
        """The counts of one theme or of one row of a repeat."""
        return theme_of(self.at(path), path)

    def differing(self) -> list[str]:
        """Paths of the items that differ, those of the forms shown here."""
        return [path for path in self.record.answers.differing(self.leader) if self.has(path)]

    def set(self, path: str) -> frozenset[str]:
        """Follows one item of the record after it changed. Returns the paths where something is different."""
        evaluation = self.at(path)
        entry = own_or_effective(self.record.answers.items.get(path), self.person, self.leader)
        value, reason = self._said(path, entry)
        return frozenset(evaluation.set(path, value, reason))

    def _said(self, path: str, entry: Entry | None) -> tuple[Answer | None, Any]:
        if path in self.photos and (entry is None or not entry.non_answer):
            return " ".join(self.photos[path]), None
        if entry is None:
            return None, None
        return self.words(entry), entry.non_answer


def _photos(record: Record) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for id_, photo in record.photos.items():
        if not photo.withdrawn and photo.of:
            found.setdefault(photo.of, []).append(id_)
    return found


def _rows_of(record: Record) -> dict[str, list[str]]:
    return {of: [row.id for row in rows if not row.withdrawn] for of, rows in record.rows.items()}


def _known(store: Store, visit: Visit) -> dict[str, str]:
    place = institution(store, visit.institution or "")
    facts = {
        "visit_type": VISIT_TYPES.get(visit.visit_kind, visit.visit_kind), "date": visit.started_at[:10],
        "institution": visit.institution or "", "visit_ref": visit.mandate.number if visit.mandate else "",
    }  # fmt: skip
    if place:
        facts |= {"region": place.region_iso, "inst_type": _checklist_type(store, place.type)}
    return {name: value for name, value in facts.items() if value}


def sitting(store: Store, record: SubjectId, language: str, now: datetime) -> Sitting:
    """The checklists of a record with everything answered so far. Raises KeyError when it is not held."""
    state = store.state(record)
    if not isinstance(state, Record):
        raise KeyError(record)
    visit = state.parent if isinstance(state.parent, Visit) else Visit(state.visit)
    facts, photos = _known(store, visit), _photos(state)
    made = Sitting(store, state, store.person, language, [], photos)
    place = institution(store, visit.institution or "")
    lists = {
        "institutions": [place.cells() | {"type": facts.get("inst_type", place.type)}] if place else [],
        "standards": standards(store),
    }
    for form_id, _, name in state.checklists:
        form = form_of(store, name) if form_id != interviews.FORM else None
        if form is None or not _applies(form_id, form, state, facts):
            continue
        known = form.known_values(facts)
        rows = {of: ids for of, ids in _rows_of(state).items() if place_of(of) in form.entries}
        answers, reasons = _answers(made, form)
        made.evaluations.append(
            Evaluation(
                form, answers, rows, known, lists, today=now.date(), now=now, non_answers=reasons, language=language
            )
        )
    made.evaluations.sort(key=lambda each: each.form.checklist.form_id in ONLY_FOR)
    return made


def _applies(form_id: str, form: Form, record: Record, facts: Mapping[str, str]) -> bool:
    wanted = ONLY_FOR.get(form_id)
    if wanted is None or facts.get("inst_type") in wanted:
        return True
    return any(place_of(path) in form.entries for path in record.answers.items)


def _answers(made: Sitting, form: Form) -> tuple[dict[str, Answer], dict[str, Any]]:
    answers: dict[str, Answer] = {}
    reasons: dict[str, Any] = {}
    for path in {*made.record.answers.items, *made.photos}:
        entry = form.entries.get(place_of(path))
        if entry is None or not isinstance(entry.item, Question):
            continue
        said = own_or_effective(made.record.answers.items.get(path), made.person, made.leader)
        value, reason = made._said(path, said)
        if value is not None:
            answers[path] = value
        elif reason:
            reasons[path] = reason
    return answers, reasons


def numbered(form: Form, language: str) -> dict[str, str]:
    """The number of every question a person is asked, by place: letter of its theme and place in it, "К.4"."""
    return _numbered(form, language)


@lru_cache(maxsize=16)
def _numbered(form: Form, language: str) -> dict[str, str]:
    found: dict[str, str] = {}
    counts: dict[str, int] = {}
    letters = {f"/{item.name}": letter_of(_label(item, language)) for item in form.checklist.items}
    for place, entry in form.entries.items():
        if isinstance(entry.item, Question) and is_asked(entry.item):
            top = "/" + place.split("/")[1]
            counts[top] = counts.get(top, 0) + 1
            letter = letters.get(top, "")
            found[place] = f"{letter}.{counts[top]}" if letter else str(counts[top])
    return found


def _label(item: Any, language: str) -> str:
    return getattr(item.label, language) or item.label.ru or item.label.kk or item.label.en or item.name


def letter_of(label: str) -> str:
    """The letter a theme's title begins with: "К. Медицинская помощь" → "К"; empty when there is none."""
    head, dot, _ = label.partition(". ")
    return head if dot and len(head) <= 2 else ""


def bare(label: str) -> str:
    """The title of a theme without its letter."""
    return label.partition(". ")[2] if letter_of(label) else label


def questions(evaluation: Evaluation, above: str) -> Iterator[str]:
    """Paths of everything a theme shows, in order: a group's own path before its questions, a repeat for its rows.

    Parts that are asked on other screens and calculations without a label are left out.
    """
    item = evaluation.entry(above).item if above else None
    if isinstance(item, Repeat) and not above.endswith("]"):
        yield above
        return
    for each in item.items if isinstance(item, Group | Repeat) else evaluation.form.checklist.items:
        path = f"{above}/{each.name}"
        if each.elsewhere in ("finding", "report") or not evaluation.is_shown(path):
            continue
        if isinstance(each, Question):
            if each.type != "calculate" or each.label != NO_WORDS:
                yield path
        elif above and isinstance(each, Repeat):
            yield path
        elif above:
            if each.label != NO_WORDS:
                yield path
            yield from questions(evaluation, path)
