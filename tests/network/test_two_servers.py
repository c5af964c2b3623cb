"""Two server processes on one PostgreSQL: tablets go from one to the other and notice nothing."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from field_app.sync import client
from server.ledger.verify import verify
from server.office import new_subject
from shared.accounts import Role
from shared.ledger.frame import Frame
from shared.ledger.messages import Reply
from tests.network.offices import answers, record_of
from tests.network.serving import Serving
from tests.server.conftest import Tablet, World, world

__all__ = ["world"]
pytestmark = pytest.mark.parametrize("engine", ["postgresql"], indirect=True)


@pytest.fixture
def servers(world: World, tmp_path: Path) -> Iterator[list[Serving]]:
    world.clock.now = datetime.now(UTC)
    both = [Serving(tmp_path, world.office.database.url, world.office.keys) for _ in range(2)]
    try:
        yield [each.ready() for each in both]
    finally:
        for each in both:
            each.end()


def _sent(server: Serving, tablet: Tablet, *frames: Frame) -> Reply:
    return tablet.take(client.exchange(client.Office(server.address), tablet.request(*frames), tablet.secret))


def test_tablets_alternate_between_two_servers(world: World, servers: list[Serving]) -> None:
    people = [world.person(Role.NPM_MEMBER) for _ in range(4)]
    tablets = [world.tablet(person) for person in people]
    visit, record = world.visit(*people), new_subject(world.now)
    first = record_of(tablets[0], visit, record)
    receipt = _sent(servers[0], tablets[0], first).receipt_bytes
    assert _sent(servers[1], tablets[0], first).receipt_bytes == receipt, "the other server gives the same receipt"
    wrong: list[BaseException] = []

    def work(number: int) -> None:
        try:
            for turn in range(5):
                frame = tablets[number].write(record, *answers(3, 100 * number + 10 * turn))
                reply = _sent(servers[(number + turn) % 2], tablets[number], frame)
                assert [each.status for each in reply.receipt.frames] == ["accepted"]
                assert not reply.page.revoked, "going to the other server was taken for a twin"
        except BaseException as error:
            wrong.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong, (wrong, servers[0].tail())
    everything = {(tablet.id, frame.header.first) for tablet in tablets for frame in tablet.frames[record]}
    for number, tablet in enumerate(tablets):
        while _sent(servers[number % 2], tablet).page.more:
            pass
        seen = {(frame.header.device, frame.header.first) for frame in tablet.seen if frame.header.subject == record}
        assert seen == {place for place in everything if place[0] != tablet.id}
    with world.office.database.read() as session:
        found = verify(session)
        assert found.is_whole, found.wrong
