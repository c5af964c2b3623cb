"""A tablet that is enrolled with an office of the tests and holds what a member's tablet holds: register, checklist,
colleagues, a visit before the door, one that runs, one that is over, an own request. Everything comes by real sync."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from field_app.acts import records, visits
from field_app.acts.subjects import record_id
from field_app.enrolment import enrol
from field_app.store.store import Store
from field_app.sync.worker import Worker
from server.checklists.importer import import_workbook
from server.institutions.synthetic import make_register
from shared.accounts import DeviceConfirmed, DeviceEnrolled, OfficeFounded, PersonAdded
from shared.checklists.definition import encode
from shared.institutions import Institution, encode_register
from shared.ledger.crypto import new_id
from shared.ledger.sealing import key_made, sealed_words
from shared.packs import ChecklistPublished, RegisterPublished
from shared.visits import ConflictDeclared, GroupFormed, MandateIssued, VisitPlanned
from tests.field_app.office_double import OfficeDouble
from tests.field_app.tablets import PIN, KeystoreDouble
from tests.ground.tablet import CHEAP

NOW = datetime(2026, 3, 7, 9, 5, 7, tzinfo=UTC)
CHECKLIST = Path(__file__).parents[3] / "server" / "data" / "checklists" / "npm_visit.xlsx"
NAMES = ("Айгерим Сапарова", "Павел Ли", "Дана Ержанова", "Ерлан Қасымұлы")


@cache
def checklist() -> Any:
    found = import_workbook(CHECKLIST.read_bytes())
    return found.checklist


@cache
def register() -> tuple[Institution, ...]:
    rows = []
    for row in make_register():
        capacity = int(row["capacity"]) if row.get("capacity") else None
        known = {name: row[name] for name in Institution.__struct_fields__ if name in row and name != "capacity"}
        rows.append(Institution(capacity=capacity, **known))
    return tuple(rows)


@dataclass
class Hall:
    """One office, one store."""

    office: OfficeDouble
    store: Store
    people: list[str]
    keys: dict[str, Any] = field(default_factory=dict)

    @property
    def me(self) -> str:
        return self.people[0]

    def sync(self) -> None:
        worker = Worker(self.store, lambda: NOW, lambda: 0.5)
        for _ in range(4):
            done = worker.run_once()
            assert not done.trouble, (done.trouble, done.detail)
            if not done.moved:
                break

    def plan(self, institution: str, day: str, kind: str = "periodic") -> str:
        """The office plans a visit for the whole group; its plan is sealed to this tablet."""
        visit = new_id(int(NOW.timestamp() * 1000) + len(self.keys))
        device = self.store.identity.device
        made, key = key_made(visit, {device: bytes.fromhex(self.store.public_keys()[1])})
        words = {"institution": institution, "from_on": day, "to_on": day, "reason": "План на 2026 год"}
        sealed = sealed_words(key, visit, VisitPlanned.KIND, words)
        planned = VisitPlanned(visit_kind=kind, key=made.id, sealed=sealed, photos_allowed=True)
        group = GroupFormed(members=tuple(self.people), leader=self.me, least=3)
        self.office.write(visit, made, planned, group)
        self.keys[visit] = key
        return visit

    def clear(self, visit: str) -> None:
        """Everybody but this person has declared."""
        for person in self.people[1:]:
            self.office.write(visit, ConflictDeclared(conflict=False), author=person)

    def mandate(self, visit: str, number: str = "12-7K") -> None:
        names = tuple(zip(self.people, NAMES, strict=False))
        self.office.write(visit, MandateIssued(number=number, names=names, valid_from="2026-03-07",
                                               valid_until="2026-03-08", code="QORGAN1.x"))  # fmt: skip


def furnished(folder: Path, office: OfficeDouble) -> Hall:
    """The hall with three visits and a request."""
    store = Store.create(folder, PIN, KeystoreDouble(), NOW, CHEAP)
    people = [new_id(1000 + number) for number in range(len(NAMES))]
    enrol(store, office.url, office.code_for(people[0]), "7C2")
    hall = Hall(office, store, people)
    _found(hall)
    keys = [each.key for each in register()]
    days = ("2026-03-12", "2026-03-07", "2026-02-21")
    ready, running, over = (hall.plan(key, day) for key, day in zip(keys[5:8], days, strict=True))
    hall.sync()
    for visit in (running, over):
        visits.declare_conflict(store, visit, False, NOW)
    hall.sync()
    for visit in (running, over):
        hall.clear(visit)
        hall.mandate(visit)
    hall.sync()
    for visit, key in ((running, keys[6]), (over, keys[7])):
        record = visits.start(store, visit, key, NOW)
        _answer(store, record)
    visits.close(store, over, NOW)
    visits.file_request(
        store, institution=keys[9], reason="Три жалобы за месяц.", from_on="2026-03-20", to_on="2026-03-21", now=NOW,
        members=people[:3], leader=people[0], urgency="urgent",
    )  # fmt: skip
    hall.keys |= {"ready": ready, "running": running, "over": over}
    hall.sync()
    answers_more(store, running)
    return hall


def _found(hall: Hall) -> None:
    office, store = hall.office, hall.store
    office.write(new_id(500), OfficeFounded(name_kk="Кеңсе", name_ru="Офис", name_en="Office"))
    sign_key, box_key = store.public_keys()
    for person, name in zip(hall.people, NAMES, strict=True):
        device = store.identity.device if person == hall.me else new_id(7)
        office.write(person, PersonAdded(name=name), DeviceEnrolled(device=device, sign_key=sign_key, box_key=box_key,
                     label="7C2"), DeviceConfirmed(device=device))  # fmt: skip
    data, name = encode(checklist())
    office.packs[name] = data
    titles = checklist().title
    office.write(new_id(501), ChecklistPublished(form_id=checklist().form_id, version=checklist().version, sha256=name,
                 size=len(data), title_kk=titles.kk, title_ru=titles.ru, title_en=titles.en))  # fmt: skip
    data, name = encode_register(register())
    office.packs[name] = data
    office.write(new_id(502), RegisterPublished(what="institutions", sha256=name, size=len(data),
                                                count=len(register()), synthetic=True))  # fmt: skip


def _answer(store: Store, record: str) -> None:
    """Some answers of the first themes."""
    from field_app.screens.checklist_state import sitting

    seat = sitting(store, record, "ru", NOW)
    for _, theme in seat.themes()[:4]:
        evaluation = seat.at(theme.path)
        from shared.checklists.progress import asked_paths

        for path in list(asked_paths(evaluation, theme.path))[:7]:
            if evaluation.entry(path).item.type == "select_one" and evaluation.choices(path):
                records.answer(store, record, path, evaluation.choices(path)[0].name, NOW)


def answers_more(store: Store, visit: str) -> None:
    """What the office has not received yet."""
    records.note(store, record_id(store, visit), "Нет света после 22:00.", NOW)
