"""A running office on loopback with a Council, a register and requests at every stage, for tests with a browser."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from werkzeug.serving import make_server

from server.accounts.actions import NewPerson, found_office
from server.accounts.sessions import set_passphrase
from server.app import create_app
from server.elections import actions as elections
from server.elections import queries
from server.institutions.actions import put_in_force
from server.migrations import migrate
from shared.accounts import Role
from shared.eligibility import BARS
from shared.institutions import Institution
from shared.values import SubjectId
from tests.server.conftest import LIGHT, PASSPHRASES, Clock, World, an_office, found
from tests.server.council import Council, a_council
from tests.server.visit_story import Story, a_story

PLACES = (
    ("ik-25", "ИК-25, Карагандинская область", "№ 25 түзеу мекемесі, Қарағанды облысы", "Colony 25, Karaganda region"),
    ("sizo-1", "СИЗО-1, город Астана", "№ 1 тергеу изоляторы, Астана қаласы", "Remand prison 1, Astana"),
    ("psy", "Психиатрическая больница с интенсивным наблюдением, Алматинская область",
     "Қарқынды бақыланатын психиатриялық аурухана, Алматы облысы", "Psychiatric hospital with intensive observation"),
    ("ivs", "ИВС города Экибастуз, Павлодарская область",
     "Екібастұз қаласының уақытша ұстау изоляторы, Павлодар облысы", "Police cells, Ekibastuz"),
    ("css-2", "Центр оказания специальных социальных услуг № 2, Костанайская область",
     "№ 2 арнаулы әлеуметтік қызметтер көрсету орталығы, Қостанай облысы", "Centre of special social services 2"),
    ("dom", "Дом ребёнка, Туркестанская область", "Балалар үйі, Түркістан облысы", "Infants' home, Turkistan region"),
)  # fmt: skip
REASONS = (
    "Сообщение о жестоком обращении из двух независимых источников",
    "Отказ в медицинской помощи",
    "Физическое стеснение без записи в журнале",
    "Проверка 4 рекомендаций посещения 11.2025",
    "Признаки преследования опрошенных",
    "Проверка 6 рекомендаций посещения 08.2025",
)
MARKS = ("ffff -a   r", "ff         ", "fff        ", "     f     ", "  r        ", "           ")
LOGIN, PASSPHRASE = "saparova", "seven mountains over a lake"


@dataclass
class Running:
    """The office behind an address, and what was seeded: requests in the order of PLACES, ballots beside them; an
    election whose call is open, one with an open ballot, one with a tie."""

    address: str
    council: Council
    requests: list[SubjectId]
    ballots: list[SubjectId]
    election: SubjectId
    open: SubjectId
    tied: SubjectId


def a_world(folder: Path) -> World:
    """A founded office in a folder, with a register."""
    url = f"sqlite:///{folder / 'office.db'}"
    migrate(url)
    office, clock = an_office(url, folder), Clock()
    with office.database.write() as session:
        founded = found_office(
            session, office, {"kk": "Кеңсе", "ru": "Аппарат", "en": "Office"},
            NewPerson("Админ А.", (Role.ADMIN,), "ru", "admin", PASSPHRASES["admin"]),
            NewPerson("Касымов Б.", (Role.COUNCIL_SECRETARY, Role.COMMISSIONER), "kk", "second", PASSPHRASES["second"]),
            [], clock.now,
        )  # fmt: skip
        rows = [
            Institution(key=key, name_ru=ru, name_kk=kk, name_en=en, type="prison", region_iso="KZ-35")
            for key, ru, kk, en in PLACES
        ]
        put_in_force(session, office, founded.admin, rows, clock.now, synthetic=True)
    return World(office, clock, founded, create_app(clock=clock, office=office))


def requests_at_every_stage(council: Council) -> tuple[list[SubjectId], list[SubjectId]]:
    """Six requests on the vote, the first urgent and the next two special; one waits for the secretary."""
    requests, ballots = [], []
    for number, (place, *_) in enumerate(PLACES):
        kind = "special" if number < 3 else "intermediate"
        request = council.request(place, "urgent" if number == 0 else "normal", kind, REASONS[number])
        requests.append(request)
        ballots.append(council.put(request))
        council.votes(ballots[-1], MARKS[number])
        council.world.clock.pass_(minutes=7)
    council.request("ivs", reason="Проверка условий после жалобы")
    return requests, ballots


CANDIDATES = (
    ("Нургалиева А.", "doctor"), ("Ержанов К.", "lawyer"), ("Тен В.", "social_worker"), ("Мусина Р.", "association"),
    ("Балабанов И.", "lawyer"), ("Садыкова Л.", "public_monitoring"),
)  # fmt: skip
BALLOTS = ("ffffff", "fffffa", "ffffff", "ffffaf", "fff-fa", "ffffaf", "fff-fa", "ffaaaf", "ff-afa", "fff-af", "ffffff")


def an_election(council: Council, stage: str) -> SubjectId:
    """An election: call (the call is open), open (the first ballot is), tied (counted, two are tied)."""
    world, office = council.world, council.world.office
    began = world.clock.now
    if stage != "call":
        world.clock.now = began - timedelta(days=22)
    with office.database.write() as session:
        made = elections.call_election(session, office, council.secretary, 4, "KZ-35", date(2026, 5, 1), world.now)
        for name, background in CANDIDATES:
            application = elections.Application(name, background, ("Заявление", "Документ об образовании"))
            one = elections.enter_candidate(session, office, council.secretary, made, application, world.now)
            answers = {bar.key: "clear" for bar in BARS}
            elections.check_candidate(session, office, council.secretary, made, one, answers, world.now)
    world.clock.now = began
    if stage != "call":
        with office.database.write() as session:
            elections.open_round(session, office, council.secretary, made, world.now)
    if stage == "tied":
        with office.database.write() as session:
            candidates = queries.election_state(session, made).open_round.opened.candidates
            for voter, line in zip(council.everybody, BALLOTS, strict=True):
                marks = {"f": "for", "a": "against", "-": "abstain"}
                choices = {each: marks[mark] for each, mark in zip(candidates, line, strict=True)}
                elections.cast_ballot(session, office, voter, made, choices, world.now)
            elections.close_round(session, office, council.secretary, made, world.now)
    return made


@contextmanager
def running(folder: Path) -> Iterator[Running]:
    """The office served on loopback until the block ends."""
    world = a_world(folder)
    council = a_council(world)
    with world.office.database.write() as session:
        set_passphrase(session, council.members[0], LOGIN, PASSPHRASE, LIGHT)
    requests, ballots = requests_at_every_stage(council)
    world.clock.pass_(hours=1)
    called, opened, tied = (an_election(council, stage) for stage in ("call", "open", "tied"))
    with served(world) as address:
        yield Running(address, council, requests, ballots, called, opened, tied)


@contextmanager
def served(world: World) -> Iterator[str]:
    """The office behind an address on loopback until the block ends."""
    server = make_server("127.0.0.1", 0, world.app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        server.shutdown()
        thread.join(5)
        world.office.database.engine.dispose()


@dataclass
class Reviewing:
    """An office behind an address: a visit whose report is under review, and one with a mandate that has not begun."""

    address: str
    story: Story
    planned: SubjectId


@contextmanager
def reviewing(folder: Path) -> Iterator[Reviewing]:
    """The office served on loopback until the block ends."""
    url = f"sqlite:///{folder / 'office.db'}"
    migrate(url)
    office, clock = an_office(url, folder), Clock()
    world = World(office, clock, found(office, clock), create_app(clock=clock, office=office))
    story = a_story(world, folder)
    story.order()
    story.form()
    story.clear()
    story.mandate()
    planned = story.visit
    story.go()
    story.observe()
    story.freeze()
    world.tablet(story.leader, confirmed=False)
    with served(world) as address:
        yield Reviewing(address, story, planned)


__all__ = ["LOGIN", "PASSPHRASE", "Reviewing", "Running", "reviewing", "running"]
