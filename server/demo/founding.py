"""Step 1: a new office. Migrations, keys, people with their accounts, the register, checklists, law and calendar."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import msgspec

from server.accounts import actions as accounts
from server.app import open_office
from server.checklists.actions import import_checklist
from server.config import Config
from server.demo.cast import ADMIN, COMMISSIONER, COUNCIL, CUSTODIAN, EVERYBODY, SECRETARY, Player
from server.demo.stage import Stage, expect
from server.institutions.actions import import_register
from server.institutions.synthetic import write_register
from server.keys import make_keys, save_keys
from server.ledger import queries as ledger
from server.migrations import migrate
from server.office import Office
from server.refusals import Refused
from shared.ledger.crypto import box_address, new_box_key
from shared.values import PersonId

NAMES = {
    "kk": "Адам құқықтары жөніндегі уәкіл. Көрсетілім кеңсесі",
    "ru": "Уполномоченный по правам человека. Показательный офис",
    "en": "Commissioner for Human Rights. Office of the demonstration",
}
INSTITUTIONS = 3500


class Ids(msgspec.Struct):
    """Ids of the people, by login."""

    of: dict[str, PersonId]


def found(stage: Stage, config: Config, now: datetime) -> tuple[Office, Ids]:
    """The office of the demo, ready to serve. Its register is made up and marked so."""
    with stage.step("1.1", "Migrations, keys, the first two officers, three keyholders") as step:
        config.data.mkdir(parents=True, exist_ok=True)
        migrate(config.database)
        save_keys(make_keys(int(now.timestamp() * 1000)), config.keys, config.key_passphrase)
        office = open_office(config)
        ids = _people(stage, office, now)
        step.figure = f"{len(ids.of)} people, {len({role for each in EVERYBODY for role in each.roles})} roles"
    with stage.step("1.2", "Rules with their confidence, calendar, standards, regions, types") as step:
        with office.database.read() as session:
            law, register = ledger.the(session, "law"), ledger.the(session, "register")
            places = register.counts
        unconfirmed = sum(rule.confidence != "T" for rule in office.rules.on(office.calendar.day_of(now)).rules())
        total = len(list(office.rules.on(office.calendar.day_of(now)).rules()))
        step.figure = f"{total} rules ({unconfirmed} not confirmed), {places.get('standards', 0)} standards"
        expect("the law's packs are published", {"rules", "calendar"} <= set(law.packs))
    with stage.step("1.3", f"Register of {INSTITUTIONS:,} institutions from CSV (made up, marked so)") as step:
        path = stage.folder / "register.csv"
        write_register(path, INSTITUTIONS)
        with office.database.write() as session:
            count = import_register(session, office, ids.of["admin"], path.read_bytes(), now, synthetic=True)
        expect(f"the register is taken in: {count}", count == INSTITUTIONS)
        step.figure = f"{count:,} institutions, {path.stat().st_size // 1024} kB"
    with stage.step("1.4", "Checklists npm_visit and npm_interview from their workbooks") as step:
        step.figure = ", ".join(
            _checklist(office, ids.of["secretary"], name, now) for name in ("npm_visit", "npm_interview")
        )
    return office, ids


def _people(stage: Stage, office: Office, now: datetime) -> Ids:
    keys = {player.login: new_box_key() for player in (COMMISSIONER, COUNCIL[0], CUSTODIAN)}
    for login, secret in keys.items():
        # A keyholder keeps the secret half alone; the demo leaves it where a drill of recovery finds it.
        path = stage.folder / "keyholders" / f"{login}.key"
        path.parent.mkdir(exist_ok=True, mode=0o700)
        path.write_text(secret.hex(), encoding="ascii")
        path.chmod(0o600)
    holders = [
        (_new(player), box_address(keys[player.login]).hex()) for player in (COMMISSIONER, COUNCIL[0], CUSTODIAN)
    ]
    with office.database.write() as session:
        founded = accounts.found_office(session, office, NAMES, _new(ADMIN), _new(SECRETARY), holders, now)
    ids = {ADMIN.login: founded.admin, SECRETARY.login: founded.second}
    ids |= dict(zip((COMMISSIONER.login, COUNCIL[0].login, CUSTODIAN.login), founded.keyholders, strict=True))
    with office.database.write() as session:
        for player in EVERYBODY:
            if player.login in ids:
                continue
            ids[player.login] = accounts.add_person(session, office, founded.admin, _new(player), now)
            for role in player.roles:
                accounts.grant_role(
                    session, office, founded.admin, founded.second, ids[player.login], role,
                    office.calendar.day_of(now), now,
                )  # fmt: skip
    return Ids(ids)


def _new(player: Player) -> accounts.NewPerson:
    return accounts.NewPerson(player.name, player.roles, player.language, player.login, player.passphrase)


def _checklist(office: Office, author: PersonId, name: str, now: datetime) -> str:
    workbook = Path(__file__).parent.parent / "data" / "checklists" / f"{name}.xlsx"
    with office.database.write() as session:
        imported = import_checklist(session, office, author, workbook.read_bytes(), now)
    if isinstance(imported, Refused):
        expect(f"{name} is taken in: {imported.problems[:3]}", False)
    return f"{name} {imported.checklist.version}"
