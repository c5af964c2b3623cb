"""People, sessions and tablets of the office: who gets in, with what, for how long, and who must confirm."""

from __future__ import annotations

import re
from datetime import date

import pytest
from sqlmodel import select

from server.accounts import actions, queries, sessions
from server.accounts.pages import _SEES_ALL
from server.accounts.tables import CredentialRow, SessionRow
from server.ledger import queries as ledger
from shared.accounts import Role, fingerprint
from shared.errors import RuleBroken
from shared.ledger.crypto import box_address, verifying_key
from shared.ledger.sealing import unwrapped
from shared.values import PersonId
from tests.server.conftest import LIGHT, PASSPHRASES, World

CSRF = re.compile(r'name="csrf" value="([^"]+)"')


def sign_in(client, login: str = "admin", passphrase: str | None = None, **form: str):
    return client.post(
        "/login", data={"username": login, "password": passphrase or PASSPHRASES[login], **form},
        base_url="https://127.0.0.1",
    )  # fmt: skip


def get(client, path: str):
    return client.get(path, base_url="https://127.0.0.1")


def post(client, path: str, **form: str):
    token = CSRF.search(get(client, "/me").text).group(1)
    return client.post(path, data={"csrf": token, **form}, base_url="https://127.0.0.1")


# ── passphrases ─────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("passphrase", "code"),
    [
        ("fourteen chars", "passphrase_short"), ("x" * 129, "passphrase_short"),
        ("Password Password", "passphrase_common"),
        ("пароль пароль пароль", "passphrase_common"), ("aaaaaaaaaaaaaaaa", "passphrase_common"),
        ("abc abc abc abc abc", "passphrase_common"), ("qwertyuiopasdfghjkl!!", "passphrase_common"),
        ("1 qwertyuiopasdfghjkl", "passphrase_common"), ("dana.saparova 2026", "passphrase_common"),
    ],
)  # fmt: skip
def test_passphrases_that_are_refused(passphrase: str, code: str) -> None:
    with pytest.raises(RuleBroken) as broken:
        sessions.check_passphrase(passphrase, "Dana.Saparova")
    assert broken.value.code == code


@pytest.mark.parametrize("passphrase", ["жеті көк тауық айға ұшты", "seven blue hens flew", "x" * 60 + "qwertyz" * 8])
def test_passphrases_that_are_taken(passphrase: str) -> None:
    sessions.check_passphrase(passphrase, "dana")


def test_a_weaker_hash_is_raised_at_sign_in(world: World) -> None:
    with world.office.database.write() as session:
        sessions.set_passphrase(session, world.founded.admin, "admin", PASSPHRASES["admin"], LIGHT)
    assert sign_in(world.client()).status_code == 303
    with world.office.database.read() as session:
        row = session.get(CredentialRow, world.founded.admin)
        assert (row.memory_kib, row.passes, row.lanes) == (64 * 1024, 3, 1)


# ── signing in ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_answer_does_not_say_whether_a_name_exists(world: World) -> None:
    client = world.client()
    wrong = sign_in(client, "admin", "not the right passphrase")
    unknown = sign_in(client, "nobody", "not the right passphrase")
    assert (wrong.status_code, unknown.status_code) == (401, 401)
    assert wrong.text.replace("admin", "X") == unknown.text.replace("nobody", "X")
    assert "Set-Cookie" not in wrong.headers


def test_five_tries_a_minute_and_ten_an_hour(world: World) -> None:
    client = world.client()
    assert [sign_in(client, "admin", "wrong wrong wrong").status_code for _ in range(5)] == [401] * 5
    blocked = sign_in(client)
    assert blocked.status_code == 429
    assert blocked.headers["Retry-After"]
    world.clock.pass_(minutes=1, seconds=1)
    assert [sign_in(client, "admin", "wrong wrong wrong").status_code for _ in range(6)] == [401] * 5 + [429]
    world.clock.pass_(minutes=2)
    assert sign_in(client).status_code == 429
    assert sign_in(client, "second").status_code == 303
    world.clock.pass_(hours=1)
    assert sign_in(client).status_code == 303


def test_thirty_tries_a_minute_from_one_address(world: World, monkeypatch) -> None:
    monkeypatch.setattr(sessions, "stretched", lambda *_: bytes(31) + b"x")
    codes = [sign_in(world.client(), f"name{number}", "wrong wrong wrong").status_code for number in range(31)]
    assert codes == [401] * 30 + [429]


def test_the_cookie_is_bound_to_this_host_and_kept_as_its_hash(world: World) -> None:
    client = world.client()
    answer = sign_in(client)
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("__Host-qorgan=")
    for part in ("Secure", "HttpOnly", "SameSite=Strict", "Path=/"):
        assert part in cookie
    assert "Domain" not in cookie
    value = cookie.split("=", 1)[1].split(";")[0]
    assert len(value) >= 43
    with world.office.database.read() as session:
        assert value not in str([row.model_dump() for row in session.exec(select(SessionRow))])


def test_a_session_ends_after_15_idle_minutes_and_after_8_hours(world: World) -> None:
    client = world.client()
    sign_in(client)
    for _ in range(4):
        world.clock.pass_(minutes=14)
        assert get(client, "/me").status_code == 200
    world.clock.pass_(minutes=15, seconds=1)
    assert get(client, "/me").status_code == 303
    sign_in(client)
    for _ in range(8 * 60 // 14):
        world.clock.pass_(minutes=14)
        assert get(client, "/me").status_code == 200
    world.clock.pass_(minutes=14)
    assert get(client, "/me").status_code == 303


def test_signing_out_ends_the_session_everywhere(world: World) -> None:
    client = world.client()
    sign_in(client)
    other = world.client()
    other.set_cookie("__Host-qorgan", client.get_cookie("__Host-qorgan", "127.0.0.1").value, domain="127.0.0.1")
    assert get(other, "/me").status_code == 200
    answer = post(client, "/logout")
    assert '"cookies"' in answer.headers["Clear-Site-Data"]
    assert get(other, "/me").status_code == 303


def test_a_form_without_its_token_or_from_elsewhere_does_nothing(world: World) -> None:
    client = world.client()
    sign_in(client)
    base = {"base_url": "https://127.0.0.1"}
    assert client.post("/me", data={"theme": "dark"}, **base).status_code == 403
    assert client.post("/me", data={"theme": "dark", "csrf": "x" * 43}, **base).status_code == 403
    token = CSRF.search(get(client, "/me").text).group(1)
    for headers in ({"Origin": "https://elsewhere.example"}, {"Sec-Fetch-Site": "cross-site"}):
        assert client.post("/me", data={"theme": "dark", "csrf": token}, headers=headers, **base).status_code == 403
    assert client.post("/me", data={"theme": "dark", "csrf": token}, **base).status_code == 303
    assert 'data-theme="dark"' in get(client, "/me").text


def test_the_way_on_after_signing_in_stays_here(world: World) -> None:
    for target in ("//elsewhere.example/x", "https://elsewhere.example", "/\\elsewhere.example", "javascript:1", ""):
        assert sign_in(world.client(), "admin", next=target).headers["Location"] == "/"
    assert sign_in(world.client(), "admin", next="/me?x=1").headers["Location"] == "/me?x=1"


def test_another_hat_is_another_session_and_rights_do_not_add_up(world: World) -> None:
    client = world.client()
    assert sign_in(client, "second").headers["Location"].startswith("/hat")
    before = client.get_cookie("__Host-qorgan", "127.0.0.1").value
    assert post(client, "/hat", hat="council_secretary").status_code == 303
    after = client.get_cookie("__Host-qorgan", "127.0.0.1").value
    assert before != after
    assert post(client, "/hat", hat="admin").status_code == 403
    assert client.post("/people", data={"csrf": CSRF.search(get(client, "/me").text).group(1)},
                       base_url="https://127.0.0.1").status_code == 403  # fmt: skip


def test_a_role_that_is_over_is_no_way_in(world: World) -> None:
    person = world.person(Role.AUDITOR, login="auditor", passphrase="seven blue hens flew")
    client = world.client()
    assert sign_in(client, "auditor", "seven blue hens flew").status_code == 303
    with world.office.database.write() as session:
        actions.end_role(session, world.office, world.founded.admin, world.founded.second, person, Role.AUDITOR,
                         date(2026, 3, 2), "left", world.now)  # fmt: skip
    assert get(client, "/me").status_code == 303
    world.clock.pass_(days=1)
    assert sign_in(client, "auditor", "seven blue hens flew").status_code == 401


# ── two people ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_role_needs_a_second_officer(world: World) -> None:
    person = world.person()
    with world.office.database.write() as session:
        actions.propose_role(session, world.founded.admin, person, "auditor", "2026-03-02", "", "order 5", world.now)
    with world.office.database.read() as session:
        number = queries.proposals(session)[0].id
        assert queries.roles_on(session, person, date(2026, 3, 2)) == []
    with pytest.raises(RuleBroken, match="same_person"), world.office.database.write() as session:
        actions.confirm_role(session, world.office, number, world.founded.admin, world.now)
    with world.office.database.write() as session:
        actions.confirm_role(session, world.office, number, world.founded.second, world.now)
    with world.office.database.read() as session:
        assert queries.roles_on(session, person, date(2026, 3, 2)) == ["auditor"]
        assert queries.proposals(session) == []


def test_the_last_admin_stays(world: World) -> None:
    with pytest.raises(RuleBroken, match="not_allowed"), world.office.database.write() as session:
        actions.end_role(session, world.office, world.founded.admin, world.founded.second, world.founded.admin,
                         Role.ADMIN, date(2026, 3, 2), "tired", world.now)  # fmt: skip


@pytest.mark.parametrize(
    ("since", "until", "is_left"),
    [
        ("2026-03-01", "", True),
        ("2026-03-03", "", True),
        ("2026-03-01", "2026-03-20", False),  # an admin tomorrow, none from the 21st on
        ("2026-03-04", "", False),  # none on the 3rd
    ],
)
def test_the_last_admin_stays_unless_every_day_after_has_one(
    world: World, since: str, until: str, is_left: bool
) -> None:
    founded, other = world.founded, world.person()
    with world.office.database.write() as session:
        actions.grant_role(
            session, world.office, founded.admin, founded.second, other, Role.ADMIN, date.fromisoformat(since),
            world.now, date.fromisoformat(until) if until else None,
        )  # fmt: skip
    try:
        with world.office.database.write() as session:
            actions.end_role(session, world.office, founded.admin, founded.second, founded.admin, Role.ADMIN,
                             date(2026, 3, 2), "tired", world.now)  # fmt: skip
        ended = True
    except RuleBroken as broken:
        assert broken.code == "not_allowed"
        ended = False
    assert ended is is_left


# ── tablets ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _enrol(world: World, code: str, **more: str):
    keys = {"sign_key": "ab" * 32, "box_key": "cd" * 32, "label": "Tablet 1"}
    return world.client().post("/api/devices/enrol", json={"code": code, **keys, **more})


def _code(world: World, person: PersonId) -> str:
    with world.office.database.write() as session:
        return actions.make_code(session, world.office, world.founded.admin, person, world.now)


def test_a_code_is_good_once_and_for_ten_minutes(world: World) -> None:
    person = world.person(Role.NPM_MEMBER)
    code = _code(world, person)
    assert len(code) == 13
    assert _enrol(world, "0000000000000").json["code"] == "code_wrong"
    answer = _enrol(world, f"{code[:5].lower()}-{code[5:9]}-{code[9:]}")
    assert answer.status_code == 201
    assert _enrol(world, code).json["code"] == "code_used"
    late = _code(world, person)
    world.clock.pass_(minutes=10, seconds=1)
    assert _enrol(world, late).json["code"] == "code_expired"
    first, second = _code(world, person), _code(world, person)
    assert _enrol(world, first).json["code"] == "code_wrong"
    assert _enrol(world, second).status_code == 201


def test_the_answer_carries_the_keys_of_the_office(world: World) -> None:
    person = world.person(Role.NPM_MEMBER, name="Dana")
    answer = _enrol(world, _code(world, person)).json
    assert answer["person"] == person
    assert answer["name"] == "Dana"
    assert answer["server_key"] == world.office.keys.sign_key
    assert answer["review_key"] == world.office.keys.review_key
    assert answer["office"] == {"kk": "Кеңсе", "ru": "Аппарат", "en": "Office"}
    assert answer["fingerprint"] == fingerprint("ab" * 32, "cd" * 32)


@pytest.mark.parametrize("wrong", [{"sign_key": "zz" * 32}, {"box_key": "AB" * 32}, {"label": ""}, {"extra": "x"},
                                   {"device": "not-an-id"}])  # fmt: skip
def test_a_body_that_is_wrong_uses_no_code(world: World, wrong: dict[str, str]) -> None:
    code = _code(world, world.person(Role.NPM_MEMBER))
    assert _enrol(world, code, **wrong).status_code == 422
    assert _enrol(world, code).status_code == 201


def test_whoever_made_the_code_does_not_confirm(world: World) -> None:
    tablet = world.tablet(world.person(Role.NPM_MEMBER), confirmed=False)
    with pytest.raises(RuleBroken, match="same_person"), world.office.database.write() as session:
        actions.confirm_device(session, world.office, world.founded.admin, tablet.id, world.now)


def test_a_tablet_confirmed_later_gets_the_keys_of_what_its_person_reads(world: World) -> None:
    person, other = world.person(Role.NPM_MEMBER), world.person(Role.NPM_MEMBER)
    visit = world.visit(other, person)
    tablet = world.tablet(person)
    with world.office.database.read() as session:
        state = ledger.state(session, visit)
    ((key_id, wraps),) = state.keys.items()
    assert unwrapped(wraps, tablet.id, tablet.box_secret, visit, key_id)
    assert verifying_key(tablet.secret) != box_address(tablet.box_secret)


def test_people_see_all_or_themselves(world: World) -> None:
    world.person(Role.NPM_MEMBER, name="Aliya", login="aliya", passphrase="seven blue hens flew")
    client = world.client()
    sign_in(client, "aliya", "seven blue hens flew")
    text = get(client, "/people").text
    assert "Aliya" in text
    assert "Second" not in text
    admin = world.client()
    sign_in(admin)
    assert all(name in get(admin, "/people").text for name in ("Aliya", "Second", "Admin"))
    assert Role.ADMIN in _SEES_ALL
    assert Role.NPM_MEMBER not in _SEES_ALL


def test_the_story_of_a_tablet_in_the_pages(world: World) -> None:
    person = world.person(Role.NPM_MEMBER, name="Aliya")
    admin, second = world.client(), world.client()
    sign_in(admin)
    shown = post(admin, f"/people/{person}/code").text
    code = re.search(r'<b class="num" translate="no">([0-9A-Z-]+)</b>', shown).group(1)
    assert "<svg" in shown
    device = _enrol(world, code).json["device"]
    digits = fingerprint("ab" * 32, "cd" * 32)
    assert digits in get(admin, "/people").text
    assert f"/people/devices/{device}/confirm" not in get(admin, "/people").text
    sign_in(second, "second")
    assert digits in get(second, "/people").text
    assert post(second, f"/people/devices/{device}/confirm").status_code == 303
    with world.office.database.read() as session:
        assert queries.device(session, device).confirmed_by == world.founded.second
    assert get(admin, f"/people/devices/{device}/revoke").status_code == 200
    assert post(admin, f"/people/devices/{device}/revoke", reason="").status_code == 422
    assert post(admin, f"/people/devices/{device}/revoke", reason="lost").status_code == 303
    with world.office.database.read() as session:
        assert queries.device(session, device).revoked_at == world.now


def test_the_story_of_a_role_in_the_pages(world: World) -> None:
    person = world.person(name="Aliya")
    admin, second = world.client(), world.client()
    sign_in(admin)
    sign_in(second, "second")
    form = {"role": "npm_member", "since": "2026-03-02", "until": "2028-03-01", "basis": "Order 5"}
    assert post(admin, f"/people/{person}/roles", **form).status_code == 303
    assert post(admin, f"/people/{person}/roles", **form | {"since": "yesterday"}).status_code == 422
    shown = get(second, "/people/roles").text
    assert all(words in shown for words in ("Aliya", "Order 5", "02.03.2026", "01.03.2028"))
    number = re.search(r"/people/roles/(\d+)", shown).group(1)
    assert post(second, f"/people/roles/{number}", answer="confirm").status_code == 303
    with world.office.database.read() as session:
        assert queries.roles_on(session, person, date(2026, 3, 2)) == ["npm_member"]
    assert post(second, f"/people/roles/{number}", answer="confirm").status_code == 404
