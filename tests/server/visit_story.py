"""A visit from the approved request to the submitted report: what tests of visits and reports stand on."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from flask.testing import FlaskClient

from server.accounts.sessions import open_session
from server.checklists.importer import Imported, import_workbook
from server.console.web import COOKIE
from server.institutions.actions import import_register
from server.institutions.synthetic import make_register, write_csv
from server.ledger import queries as ledger
from server.ledger.actions import record
from server.ledger.opening import Sealer
from server.office import Reader, new_subject
from server.packs.actions import publish_checklist
from server.reports import actions as reports
from server.visits import actions as visits
from shared.accounts import Role
from shared.ledger.sealing import opened_words
from shared.observations.answers import AnswerRecorded, NonAnswerRecorded
from shared.observations.record import (
    DraftWritten,
    FindingRecorded,
    InterviewCounted,
    MediaFile,
    PhotoTaken,
    RecordOpened,
    RowAdded,
)
from shared.packs import ChecklistPublished
from shared.report_document import document
from shared.reports import Report, ReportFrozen, ReportSigned, ReportSubmitted, packed
from shared.values import PersonId, SubjectId
from shared.visit_requests import RequestDecided, RequestFiled, RequestPutToVote
from shared.visits import EntryRecorded, Visit, VisitClosed, VisitStarted
from shared.votes import Tally
from tests.server.conftest import World

WORKBOOKS = Path("server/data/checklists")
REGISTER = make_register(200)
INSTITUTION = next(row["key"] for row in REGISTER if row["type"] == "colony")
TALLY = Tally(11, 1, 11, 8, 10, 6, 8, 1, 1, 0, 0)
DISSENT = "Не согласен с выводом о медицинской помощи. Записи в журнале сделаны одним почерком за один день."


@dataclass
class Story:
    """The people and subjects of one visit. `leader` Ким, `other` Ли, `third` Садыкова are its group."""

    world: World
    secretary: PersonId
    officer: PersonId
    second_officer: PersonId
    council: PersonId
    leader: PersonId
    other: PersonId
    third: PersonId
    visit: SubjectId = SubjectId("")
    record: SubjectId = SubjectId("")
    report: SubjectId = SubjectId("")
    findings: list[str] = field(default_factory=list)

    @property
    def group(self) -> tuple[PersonId, PersonId, PersonId]:
        """The members, the leader first."""
        return (self.leader, self.other, self.third)

    def write(self, subject: SubjectId, author: PersonId, *bodies: Any) -> Any:
        """Operations of somebody on a subject, in one frame."""
        with self.world.office.database.write() as session:
            return record(session, self.world.office, subject, author, list(bodies), self.world.now)

    def state(self, subject: SubjectId) -> Any:
        """What a subject is now."""
        with self.world.office.database.read() as session:
            return ledger.state(session, subject)

    def sealed(self, subject: SubjectId, author: PersonId, *plans: tuple[type, dict[str, Any], dict[str, Any]]) -> Any:
        """Bodies with sealed words: (class, words, open fields) each."""
        with self.world.office.database.write() as session:
            state = ledger.state(session, subject)
            sealer = Sealer(session, self.world.office, subject, state, self.group)
            bodies: list[Any] = [*sealer.bodies()]
            for kind, words, fields in plans:
                key, sealed = sealer.seal(kind.KIND, words)
                bodies.append(kind(key=key, sealed=sealed, **fields))
            return record(session, self.world.office, subject, author, bodies, self.world.now)

    def client(self, person: PersonId, hat: Role, language: str = "ru") -> FlaskClient:
        """A browser in which this person is signed in under this hat."""
        client = self.world.client()
        with self.world.office.database.write() as session:
            cookie = open_session(session, person, hat.value, self.world.now, language)
        client.set_cookie(COOKIE, cookie, secure=True)
        return client

    def request(self, photos: bool = True) -> Any:
        """A request the Council approved."""
        subject = new_subject(self.world.now)
        words = {
            "institution": INSTITUTION,
            "reason": "Сообщения о холоде в камерах",
            "from_on": "2026-03-05",
            "to_on": "2026-03-06",
            "members": list(self.group),
            "leader": self.leader,
        }
        self.sealed(
            subject,
            self.leader,
            (RequestFiled, words, {"visit_kind": "special", "urgency": "normal", "leader": self.leader}),
        )
        vote = new_subject(self.world.now)
        counts = TALLY
        self.write(subject, self.secretary, RequestPutToVote(vote=vote, closes_at="2026-03-03T18:00:00+05:00"))
        self.write(
            subject,
            self.secretary,
            RequestDecided(outcome="approved", vote=vote, counts=counts, rules=(), photos_allowed=photos),
        )
        return self.state(subject)

    def order(self) -> SubjectId:
        """The visit of an approved request."""
        request = self.request()
        with self.world.office.database.write() as session:
            reader = Reader(self.secretary, Role.COUNCIL_SECRETARY)
            self.visit = visits.order_visit(session, self.world.office, reader, request, self.world.now)
        return self.visit

    def form(self) -> None:
        """The group is formed."""
        with self.world.office.database.write() as session:
            visits.form_group(
                session, self.world.office, self.secretary, self.visit, self.group, self.leader, self.world.now
            )

    def clear(self) -> None:
        """Every member declares that there is no conflict."""
        for person in self.group:
            with self.world.office.database.write() as session:
                visits.declare_conflict(
                    session, self.world.office, person, ledger.state(session, self.visit), False, "", self.world.now
                )

    def mandate(self) -> Visit:
        """The mandate is issued and both officers are assigned."""
        with self.world.office.database.write() as session:
            state = visits.issue_mandate(
                session,
                self.world.office,
                self.secretary,
                self.visit,
                date(2026, 3, 5),
                date(2026, 3, 6),
                self.world.now,
            )
            for officer in (self.officer, self.second_officer):
                visits.assign_officer(session, self.world.office, self.secretary, self.visit, officer, self.world.now)
        return state

    def go(self) -> None:
        """Everything up to the gate."""
        self.order()
        self.form()
        self.clear()
        self.mandate()
        self.write(
            self.visit,
            self.leader,
            VisitStarted(institution=INSTITUTION, arrived_at="2026-03-05T10:00:00+05:00"),
            EntryRecorded(admitted_at="2026-03-05T10:25:00+05:00", held_count=412, delay_minutes=25),
        )

    def observe(self, severities: tuple[str, ...] = ("critical", "high", "low")) -> None:
        """The record: coded answers, a difference, non-answers, rows, words, a photo, findings, texts."""
        forms = self.state_of_forms()
        self.record = new_subject(self.world.now)
        pinned = tuple((pack.name, pack.version, pack.sha256) for pack in forms)
        self.write(self.record, self.leader, RecordOpened(visit=self.visit, checklists=pinned))
        self.write(
            self.record,
            self.leader,
            RowAdded(of="/mc/cell", row="a1b2c3d4"),
            AnswerRecorded(item="/mc/cell[a1b2c3d4]/cell_beds", value=6),
            AnswerRecorded(item="/mc/mc_bed", value="no"),
            NonAnswerRecorded(item="/he/he_files", code="not_seen"),
            NonAnswerRecorded(item="/he/he_doctors", code="refused", by="staff"),
            NonAnswerRecorded(item="/st/st_posts", code="not_asked"),
        )
        self.write(self.record, self.other, AnswerRecorded(item="/mc/cell[a1b2c3d4]/cell_beds", value=8))
        self.sealed(
            self.record,
            self.leader,
            (
                DraftWritten,
                {"text": "Группа осмотрела 6 камер и медицинскую часть.", "language": "ru"},
                {"part": "summary"},
            ),
            (
                PhotoTaken,
                {"caption": "камера 12", "language": "ru", "keys": {}},
                {"files": (MediaFile(role="derivative", sha256="ab" * 32, size=1000),), "of": ""},
            ),
        )
        photo = next(iter(self.state(self.record).photos))
        for number, severity in enumerate(severities, 1):
            words = {
                "saw": f"Камера {number}: 9 человек, 6 коек. На трёх койках нет матрасов.",
                "told": "«Так с января».",
                "told_by": "A-03",
                "concluded": f"Спальных мест меньше, чем людей, случай {number}.",
                "language": "ru",
                "recommendation": {
                    "addressee": "Начальник учреждения",
                    "text": f"Выдать матрасы, пункт {number}.",
                    "due": "2026-04-05",
                },
            }
            self.sealed(
                self.record,
                self.leader,
                (
                    FindingRecorded,
                    words,
                    {
                        "severity": severity,
                        "standards": ("OPCAT-4",),
                        "urgent": number == 2,
                        "evidence": ("/mc/cell[a1b2c3d4]/cell_beds", photo),
                    },
                ),
            )
        self.findings = list(self.state(self.record).findings)
        self.write(self.record, self.leader, InterviewCounted(interview=new_subject(self.world.now), number="A-01"))
        self.write(self.visit, self.leader, VisitClosed(left_at="2026-03-06T17:40:00+05:00"))

    def state_of_forms(self) -> list[Any]:
        """The checklist a visit pins."""
        with self.world.office.database.read() as session:
            return [ledger.the(session, "form").latest("npm_visit")]

    def freeze(self) -> None:
        """The leader freezes, all sign (Ли with a dissent), the leader hands in."""
        office = self.world.office
        with office.database.read() as session:
            state = ledger.state(session, self.record)
            operations = [*ledger.operations(session, self.visit), *ledger.operations(session, self.record)]
        from server.ledger.opening import review_keys

        keys = review_keys(office, state)
        made = document(
            self.visit,
            self.record,
            operations,
            lambda subject, words: opened_words(keys[words.key], subject, words.kind, words.sealed),
        )
        data, sha256 = packed(made)
        covers = tuple(tuple(each) for each in made["covers"])
        self.report = new_subject(self.world.now)
        self.write(
            self.report,
            self.leader,
            ReportFrozen(visit=self.visit, version=1, document=data, sha256=sha256, covers=covers),
        )  # type: ignore[arg-type]
        self.write(self.report, self.leader, ReportSigned(version=1, sha256=sha256, stand="agree"))
        self.write(
            self.report,
            self.other,
            ReportSigned(version=1, sha256=sha256, stand="dissent", text=DISSENT, language="ru"),
        )
        self.write(self.report, self.leader, ReportSubmitted(version=1, missing=((self.third, "болезнь"),)))

    def report_state(self) -> Report:
        """The report now."""
        state: Report = self.state(self.report)
        return state

    def accept(self, officer: PersonId, finding: str) -> Report:
        """One officer accepts a finding."""
        with self.world.office.database.write() as session:
            state = ledger.state(session, self.report)
            return reports.accept_finding(session, self.world.office, officer, state, finding, self.world.now)  # type: ignore[arg-type]


@cache
def imported(name: str) -> Imported:
    """A checklist of the product."""
    found = import_workbook((WORKBOOKS / f"{name}.xlsx").read_bytes())
    assert isinstance(found, Imported)
    return found


def a_story(world: World, folder: Path) -> Story:
    """People, a register of 200 institutions and the visit checklist; nothing has happened yet."""
    story = Story(
        world,
        world.person(Role.COUNCIL_SECRETARY, name="Секретарь С."),
        world.person(Role.CENTRE_OFFICER, name="Ахметова Г."),
        world.person(Role.CENTRE_OFFICER, name="Бекова Н."),
        world.person(Role.COUNCIL_MEMBER, name="Сапарова А."),
        world.person(Role.NPM_MEMBER, name="Ким П."),
        world.person(Role.NPM_MEMBER, name="Ли С."),
        world.person(Role.NPM_MEMBER, name="Садыкова Л."),
    )
    csv_file = folder / "register.csv"
    with csv_file.open("w", encoding="utf-8", newline="") as file:
        write_csv(REGISTER, file)
    form = imported("npm_visit")
    from shared.checklists.definition import encode

    with world.office.database.write() as session:
        import_register(session, world.office, world.founded.admin, csv_file.read_bytes(), world.now, synthetic=True)
        data, _ = encode(form.checklist)
        titles = {
            language: getattr(form.checklist.title, language) or form.checklist.title.ru
            for language in ("kk", "ru", "en")
        }
        if not ledger.subjects(session, "form"):
            from server.packs.actions import keep

            name = keep(session, "checklist", data)
            record(
                session,
                world.office,
                new_subject(world.now),
                world.founded.admin,
                [
                    ChecklistPublished(
                        form_id="npm_visit",
                        version=form.checklist.version,
                        sha256=name,
                        size=len(data),
                        title_kk=titles["kk"],
                        title_ru=titles["ru"],
                        title_en=titles["en"],
                    )
                ],
                world.now,
            )
        else:
            publish_checklist(
                session, world.office, world.founded.admin, "npm_visit", form.checklist.version, titles, data, world.now
            )
    return story


def codes(place: str) -> list[str]:
    """Places of the visit checklist that begin with this."""
    from shared.checklists.form import Form

    return [each for each in Form(imported("npm_visit").checklist).entries if each.startswith(place)]


__all__ = ["DISSENT", "INSTITUTION", "Story", "a_story", "codes"]
