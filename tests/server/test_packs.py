"""Packs: only for tablets, the bytes their name says, resumable; registers and checklists in force or refused whole."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest

from server.checklists.actions import import_checklist
from server.checklists.queries import latest
from server.institutions import queries as institutions
from server.institutions.actions import import_register
from server.institutions.synthetic import make_register, write_csv
from server.ledger import queries as ledger
from server.refusals import Refused
from shared.accounts import Role
from shared.institutions import decode_register
from shared.ledger.crypto import sha256
from shared.packs import packs_in
from tests.server.conftest import TOKEN_LIFE, World

WORKBOOKS = Path(__file__).parent.parent.parent / "server" / "data" / "checklists"


def register(count: int = 40) -> bytes:
    file = io.StringIO()
    write_csv(make_register(count), file)
    return file.getvalue().encode()


def load(world: World, token: str, name: str, **headers: str):
    return world.client().get(f"/api/packs/{name}", headers={"Authorization": f"Bearer {token}", **headers})


def test_a_tablet_loads_every_pack_its_subjects_name(world: World) -> None:
    with world.office.database.write() as session:
        import_register(session, world.office, world.founded.admin, register(), world.now, synthetic=True)
        import_checklist(
            session, world.office, world.founded.admin, (WORKBOOKS / "npm_interview.xlsx").read_bytes(), world.now
        )
    token = world.tablet(world.person(Role.NPM_MEMBER)).sync().page.token
    count = 0
    with world.office.database.read() as session:
        for kind in ("law", "form", "register"):
            for each in packs_in(ledger.the(session, kind)):
                answer = load(world, token, each.sha256)
                assert answer.status_code == 200
                assert sha256(answer.data).hex() == each.sha256
                assert len(answer.data) == each.size
                assert answer.headers["ETag"] == f'"{each.sha256}"'
                count += 1
    assert count == 6


def test_a_pack_goes_on_at_the_byte(world: World) -> None:
    token = world.tablet(world.person(Role.NPM_MEMBER)).sync().page.token
    with world.office.database.read() as session:
        name = ledger.the(session, "register").packs["standards"].sha256
    whole = load(world, token, name).data
    half = load(world, token, name, Range="bytes=1000-", **{"If-Range": f'"{name}"'})
    assert half.status_code == 206
    assert half.headers["Content-Range"] == f"bytes 1000-{len(whole) - 1}/{len(whole)}"
    assert half.data == whole[1000:]
    assert load(world, token, name, **{"If-None-Match": f'"{name}"'}).status_code == 304
    assert load(world, token, name, Range=f"bytes={len(whole)}-").status_code == 416


def test_packs_are_for_tablets_with_a_token_that_lives(world: World) -> None:
    tablet = world.tablet(world.person(Role.NPM_MEMBER))
    token = tablet.sync().page.token
    with world.office.database.read() as session:
        name = ledger.the(session, "law").packs["rules"].sha256
    assert world.client().get(f"/api/packs/{name}").status_code == 401
    assert load(world, "x" * 43, name).status_code == 401
    assert load(world, token, "0" * 64).status_code == 404
    assert load(world, token, "../../etc/passwd").status_code in (401, 404)
    world.clock.pass_(seconds=TOKEN_LIFE.total_seconds() + 1)
    assert load(world, token, name).status_code == 401


def test_a_register_is_taken_in_whole_and_the_earlier_names_stay_known(world: World) -> None:
    data = register()
    with world.office.database.write() as session:
        assert import_register(session, world.office, world.founded.admin, data, world.now, synthetic=True) == 40
    lines = data.decode().splitlines(keepends=True)
    gone = lines[1].split(",")[0]
    with world.office.database.write() as session:
        shorter = "".join([lines[0], *lines[2:]]).encode()
        assert import_register(session, world.office, world.founded.admin, shorter, world.now) == 39
    with world.office.database.read() as session:
        assert institutions.count(session) == 39
        assert institutions.names(session, [gone])[gone]
        state = ledger.the(session, "register")
        assert state.counts["institutions"] == 39
        assert not state.synthetic
        from server.packs.queries import pack

        rows = decode_register(pack(session, state.packs["institutions"].sha256), state.packs["institutions"].sha256)
        assert gone not in {row.key for row in rows}


def test_a_refused_register_changes_nothing(world: World) -> None:
    with world.office.database.write() as session:
        import_register(session, world.office, world.founded.admin, register(), world.now)
        before = ledger.counter(session).value
    with world.office.database.write() as session:
        broken = register(5).replace(b"KZ-", b"XX-", 1)
        assert isinstance(import_register(session, world.office, world.founded.admin, broken, world.now), Refused)
    with world.office.database.read() as session:
        assert ledger.counter(session).value == before
        assert institutions.count(session) == 40


def test_a_checklist_is_in_force_once_and_the_same_again_changes_nothing(world: World) -> None:
    data = (WORKBOOKS / "npm_interview.xlsx").read_bytes()
    for is_new in (True, False):
        with world.office.database.write() as session:
            assert import_checklist(session, world.office, world.founded.admin, data, world.now).is_new is is_new
    with world.office.database.read() as session:
        row = latest(session)["npm_interview"]
        assert row.number == 1
        assert row.title_kk


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_institutions_are_searched_over_the_api(world: World) -> None:
    with world.office.database.write() as session:
        import_register(session, world.office, world.founded.admin, register(300), world.now)
    client = world.signed_in(world.founded.admin, Role.ADMIN)
    base = {"base_url": "https://127.0.0.1"}
    found = client.get("/api/institutions?q=almaty&limit=5", **base)
    assert found.status_code == 200
    assert 0 < len(found.json) <= 5
    assert set(found.json[0]) >= {"key", "name_ru", "region_iso"}
    only = client.get("/api/institutions?region=KZ-75", **base).json
    assert {row["region_iso"] for row in only} == {"KZ-75"}
    key = found.json[0]["key"]
    assert client.get(f"/api/institutions/{key}", **base).json["key"] == key
    assert client.get("/api/institutions/nowhere", **base).json["code"] == "institution_unknown"
    for wrong in ("limit=0", "limit=99999999999999999999999", "limit=x", "nonsense=1", "q=" + "x" * 300):
        assert client.get(f"/api/institutions?{wrong}", **base).status_code == 422, wrong
    assert re.search("3.1", client.get("/api/openapi.json", **base).json["openapi"])
