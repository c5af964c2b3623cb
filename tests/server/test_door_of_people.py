"""Who may begin what from a tablet, who may try to sign in how often, and two readers at once."""

from __future__ import annotations

import threading

import pytest
from sqlmodel import select

from server.accounts.sessions import sign_in
from server.ledger.opening import broken_read_log, open_words
from server.ledger.tables import ReadRow
from server.office import Reader, new_subject
from shared.accounts import Role
from shared.errors import RuleBroken
from shared.ledger.subject import Words
from shared.values import OperationId
from shared.visit_requests import RequestFiled
from shared.visits import VisitPlanned
from tests.server.conftest import LIGHT, PASSPHRASES, World, statuses


def a_request(person) -> RequestFiled:
    return RequestFiled(visit_kind="special", urgency="normal", leader=person, key="0" * 32, sealed="AAAA")


@pytest.mark.parametrize(
    ("role", "said"), [(Role.NPM_MEMBER, ("accepted", "")), (Role.EXPERT, ("quarantined", "no_access"))]
)
def test_only_members_file_requests_and_open_visits_from_a_tablet(world: World, role: Role, said) -> None:
    tablet = world.tablet(world.person(role))
    filed = tablet.write(new_subject(world.now), a_request(tablet.person))
    begun = tablet.write(new_subject(world.now), VisitPlanned(visit_kind="unplanned", key="0" * 32, sealed="AAAA"))
    assert statuses(tablet.sync(filed, begun)) == [said, said]


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a passphrase costs is not the matter here."""
    monkeypatch.setattr("server.accounts.sessions.LEAST_EFFORT", LIGHT)


def tried(world: World, address: str, passphrase: str = "wrong words all over") -> str:
    try:
        sign_in(world.office, "admin", passphrase, address, world.now)
    except RuleBroken as broken:
        return broken.code
    return "in"


def test_a_stranger_who_guesses_does_not_lock_the_owner_out(world: World) -> None:
    right = PASSPHRASES["admin"]
    assert tried(world, "192.0.2.1", right) == "in"
    codes = []
    for number in range(60):
        codes.append(tried(world, f"203.0.113.{number % 20}"))
        world.clock.pass_(seconds=20)
    assert codes.count("login_wrong") == 50
    assert codes[-1] == "login_wait"
    assert tried(world, "198.51.100.7", right) == "login_wait", "an address never seen waits"
    assert tried(world, "192.0.2.1", right) == "in"
    world.clock.pass_(minutes=61)
    assert tried(world, "198.51.100.7", right) == "in", "nobody is locked out for ever"


def test_one_address_guesses_ten_times_an_hour_even_where_it_is_known(world: World) -> None:
    right = PASSPHRASES["admin"]
    assert tried(world, "192.0.2.1", right) == "in"
    codes = []
    for _ in range(12):
        codes.append(tried(world, "192.0.2.1"))
        world.clock.pass_(seconds=30)
    assert codes == ["login_wrong"] * 10 + ["login_wait"] * 2


def test_two_readers_at_once_write_two_lines(world: World) -> None:
    member = world.person(Role.NPM_MEMBER)
    visit = world.visit(member)
    from server.ledger import queries

    secretary = Reader(world.founded.second, Role.COUNCIL_SECRETARY)
    words = Words(OperationId("0" * 64), "visit_planned", "0" * 32, "AAAA")
    wrong: list[BaseException] = []
    start = threading.Barrier(6)

    def read() -> None:
        start.wait()
        for _ in range(5):
            try:
                with world.office.database.write(beside_others=True) as session:
                    state = queries.state(session, visit)
                    open_words(session, world.office, secretary, "visit.plan_read", state, [words], "group_page",
                               world.now)  # fmt: skip
            except BaseException as error:
                wrong.append(error)

    threads = [threading.Thread(target=read) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    with world.office.database.read() as session:
        assert len(session.exec(select(ReadRow.number)).all()) == 30
        assert broken_read_log(session) is None
