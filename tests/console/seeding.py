"""A running office on loopback with a Council, a register and requests at every stage, for tests with a browser."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from werkzeug.serving import make_server

from server.accounts.actions import NewPerson, found_office
from server.app import create_app
from server.institutions.actions import put_in_force
from server.migrations import migrate
from shared.accounts import Role
from shared.institutions import Institution
from shared.values import SubjectId
from tests.server.conftest import PASSPHRASES, Clock, World, an_office
from tests.server.council import Council, a_council

PLACES = (
    ("ik-25", "ИК-25, Карагандинская область", "№ 25 түзеу мекемесі, Қарағанды облысы", "Colony 25, Karaganda region"),
    ("sizo-1", "СИЗО-1, город Астана", "№ 1 тергеу изоляторы, Астана қаласы", "Remand prison 1, Astana"),
    ("psy", "Психиатрическая больница с интенсивным наблюдением, Алматинская область",
     "Қарқынды бақыланатын психиатриялық аурухана, Алматы облысы", "Psychiatric hospital with intensive observation"),
    ("ivs", "ИВС города Экибастуз, Павлодарская область", "Екібастұз қаласының уақытша ұстау изоляторы, Павлодар облысы",
     "Police cells, Ekibastuz"),
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
    """The office behind an address, and what was seeded: requests in the order of PLACES, ballots beside them."""

    address: str
    council: Council
    requests: list[SubjectId]
    ballots: list[SubjectId]


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


@contextmanager
def running(folder: Path) -> Iterator[Running]:
    """The office served on loopback until the block ends."""
    world = a_world(folder)
    council = a_council(world)
    from server.accounts.sessions import set_passphrase
    from tests.server.conftest import LIGHT

    with world.office.database.write() as session:
        set_passphrase(session, council.members[0], LOGIN, PASSPHRASE, LIGHT)
    requests, ballots = requests_at_every_stage(council)
    world.clock.pass_(hours=1)
    server = make_server("127.0.0.1", 0, world.app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield Running(f"http://127.0.0.1:{server.port}", council, requests, ballots)
    finally:
        server.shutdown()
        thread.join(5)
        world.office.database.engine.dispose()


__all__ = ["LOGIN", "PASSPHRASE", "Running", "running"]
