"""Projecting behind accepting: nobody meets a subject whose tables are older than its frames, whatever happens."""

from __future__ import annotations

import base64
import multiprocessing
import os
import signal
import threading
import time

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from sqlmodel import func, select

from server.db import Database
from server.ledger import exchange as exchanging
from server.ledger.actions import record as act
from server.ledger.ordinary_rows import OrdinaryRows
from server.ledger.projecting import BehindTheLedger, Projector, project
from server.ledger.rebuild import projected_hash, rebuild
from server.ledger.tables import FrameRow, SubjectRow
from server.observations.tables import AnswerRow
from server.office import Office, new_subject
from shared.accounts import Role
from shared.ledger.crypto import sign
from shared.ledger.messages import request_message
from shared.observations.answers import AnswerRecorded
from shared.observations.record import RecordOpened
from shared.permissions import readers, writers
from shared.registry import state_of
from shared.values import SubjectId
from shared.visits import GroupFormed, Visit
from tests.server.conftest import Tablet, World, statuses

PATIENCE_SECONDS = 120
BEHIND = text("SELECT count(*) FROM subjects WHERE projected < accepted")


def answers(count: int, start: int = 0) -> list[AnswerRecorded]:
    return [AnswerRecorded(item=f"/mc/q{number}", value=number) for number in range(start, start + count)]


def pushed(tablet: Tablet, visit: str, count: int = 3) -> SubjectId:
    """A record of the visit, accepted and not projected: the tablet has spoken before, so the exchange is ordinary."""
    if not tablet.cursor:
        tablet.sync_all()
    record = new_subject(tablet.world.now)
    tablet.write(record, RecordOpened(visit=visit, checklists=()), *answers(count))
    assert statuses(tablet.sync(*tablet.frames[record])) == [("accepted", "")]
    return record


def behind(world: World) -> int:
    """Subjects that wait, as somebody sees who does not mind."""
    with world.office.database.read(behind=True) as session:
        return int(session.execute(BEHIND).scalar_one())


def answers_of(session, record: SubjectId) -> int:
    return session.exec(select(func.count()).select_from(AnswerRow).where(AnswerRow.record == record)).one()


def until(holds) -> None:
    """Waits for a condition."""
    end = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_pushed_record_waits_and_the_first_reader_finds_it_projected(pair) -> None:
    one, _, visit = pair
    record = pushed(one, visit)
    assert behind(one.world) == 1
    with one.world.office.database.read() as session:
        assert answers_of(session, record) == 3
        assert session.execute(BEHIND).scalar_one() == 0
    assert behind(one.world) == 0


def test_an_action_finds_it_projected_too(pair) -> None:
    one, _, visit = pair
    record = pushed(one, visit)
    with one.world.office.database.write() as session:
        assert answers_of(session, record) == 3


def test_an_action_that_fails_leaves_it_waiting_or_projected_never_half(pair) -> None:
    one, _, visit = pair
    record = pushed(one, visit)
    try:
        with one.world.office.database.write():
            raise ValueError("an action thought better of it")
    except ValueError:
        pass
    with one.world.office.database.read() as session:
        assert answers_of(session, record) == 3


def test_readers_among_eight_pushing_tablets_never_see_a_record_without_its_answers(world: World) -> None:
    tablets = [world.tablet(world.person(Role.NPM_MEMBER)) for _ in range(4)]
    visits = [world.visit(tablet.person) for tablet in tablets]
    failures: list[str] = []
    done = threading.Event()

    def push(tablet: Tablet, visit: SubjectId) -> None:
        try:
            for _ in range(8):
                pushed(tablet, visit)
        except Exception as error:
            failures.append(repr(error))

    def look() -> None:
        while not done.is_set():
            with world.office.database.read() as session:
                records = session.exec(select(SubjectRow.id).where(SubjectRow.kind == "record")).all()
                late = [record for record in records if answers_of(session, SubjectId(record)) != 3]
                failures.extend(late)

    threads = [threading.Thread(target=push, args=pair) for pair in zip(tablets, visits, strict=True)]
    reader = threading.Thread(target=look)
    for thread in (*threads, reader):
        thread.start()
    for thread in threads:
        thread.join()
    done.set()
    reader.join()
    assert failures == []
    with world.office.database.read() as session:
        assert session.execute(BEHIND).scalar_one() == 0


def test_two_projectors_at_once_project_everything_once_and_agree_with_a_rebuild(world: World) -> None:
    tablet = world.tablet(world.person(Role.NPM_MEMBER))
    visit = world.visit(tablet.person)
    records = [pushed(tablet, visit) for _ in range(12)]
    second = Office(world.office.config, Database(world.office.database.url), *_rest(world.office))
    projectors = [Projector(world.office.database), Projector(second.database)]
    for projector in projectors:
        projector.start()
    until(lambda: behind(world) == 0)
    for projector in projectors:
        projector.stop()
    second.database.engine.dispose()
    with world.office.database.read() as session:
        assert [answers_of(session, record) for record in records] == [3] * 12
        before = projected_hash(session)
    rebuild(world.office.database)
    with world.office.database.read() as session:
        assert projected_hash(session) == before


def _rest(office: Office):
    return office.keys, office.rules, office.calendar


def test_a_rebuild_leaves_nothing_behind(pair) -> None:
    one, _, visit = pair
    record = pushed(one, visit)
    rebuild(one.world.office.database)
    with one.world.office.database.read(behind=True) as session:
        assert session.execute(BEHIND).scalar_one() == 0
        assert answers_of(session, record) == 3


def signed(tablet: Tablet, body: bytes) -> tuple[bytes, str]:
    return body, base64.b64encode(sign(tablet.secret, request_message(body))).decode()


def _push_and_die(url: str, bodies: list[tuple[bytes, str]], office: Office, now) -> None:
    fresh = Office(office.config, Database(url), *_rest(office))
    for body, signature in bodies:
        exchanging.exchange(fresh, body, signature, now)
    os.kill(os.getpid(), signal.SIGKILL)


def test_killed_between_accepting_and_projecting_the_next_start_projects(world: World) -> None:
    tablet = world.tablet(world.person(Role.NPM_MEMBER))
    visit = world.visit(tablet.person)
    pushed(tablet, visit)
    record = new_subject(world.now)
    frame = tablet.write(record, RecordOpened(visit=visit, checklists=()), *answers(5))
    process = multiprocessing.get_context("fork").Process(
        target=_push_and_die,
        args=(world.office.database.url, [signed(tablet, tablet.request(frame))], world.office, world.now),
    )
    process.start()
    process.join(PATIENCE_SECONDS)
    assert process.exitcode == -signal.SIGKILL
    assert behind(world) == 2
    projector = Projector(world.office.database)
    projector.start()
    until(lambda: behind(world) == 0)
    projector.stop()
    with world.office.database.read(behind=True) as session:
        assert answers_of(session, record) == 5


def test_who_left_the_group_between_accepting_and_projecting_reads_no_more(pair) -> None:
    one, other, visit = pair
    record = pushed(one, visit)
    world = one.world
    with world.office.database.write() as session:
        group = GroupFormed(members=(one.person,), leader=one.person, least=1)
        act(session, world.office, SubjectId(visit), world.founded.second, [group], world.now)
    seen = other.sync_all()
    assert not [frame for frame in seen if frame.header.subject == record]


def test_who_may_read_a_new_record_follows_in_the_same_transaction(pair) -> None:
    one, other, visit = pair
    record = pushed(one, visit)
    assert behind(one.world) == 1  # its answers wait, its readers do not
    assert [frame for frame in other.sync_all() if frame.header.subject == record]
    assert behind(one.world) == 1


def test_a_record_has_the_readers_and_writers_of_its_visit_whatever_it_says() -> None:
    visit = Visit(SubjectId("0198c0de-0002-7000-8000-000000000002"), members=("a", "b"), ever_members={"a", "b", "c"})
    record = state_of("record", SubjectId("0198c0de-0003-7000-8000-000000000003"), (), visit)
    assert readers(record) == readers(visit)
    assert readers(visit) <= writers(record)


def test_one_subject_that_cannot_be_projected_shuts_nobody_out(pair, monkeypatch, caplog) -> None:
    one, _, visit = pair
    bad, good = pushed(one, visit), pushed(one, visit)

    def failing(session, subject):
        if subject == bad:
            raise ValueError("no table takes this")
        return project(session, subject)

    monkeypatch.setattr("server.ledger.projecting.project", failing)
    with one.world.office.database.read() as session:
        assert answers_of(session, good) == 3
    assert bad in caplog.text
    monkeypatch.undo()
    one.world.office.database.projecting = BehindTheLedger()  # as after a start
    with one.world.office.database.read() as session:
        assert answers_of(session, bad) == 3


@pytest.mark.parametrize(
    "sign", [{"sqlite_errorcode": 13}, {"sqlite_errorcode": 778}, {"sqlstate": "53100"}, {"sqlstate": None}]
)
def test_a_disk_or_a_connection_in_trouble_is_no_fault_of_a_subject(pair, monkeypatch, sign) -> None:
    """Full, an error of the disk, full on PostgreSQL, the connection gone: the same process projects it afterwards."""
    one, _, visit = pair
    subject, database = pushed(one, visit), one.world.office.database

    def failing(session, subject):
        trouble = Exception("the machine cannot just now")
        vars(trouble).update(sign)
        raise OperationalError("INSERT", {}, trouble)

    monkeypatch.setattr("server.ledger.projecting.project", failing)
    with pytest.raises(OperationalError), database.read():
        pass
    monkeypatch.undo()
    with database.read() as session:
        assert answers_of(session, subject) == 3


def test_both_ways_of_an_exchange_write_the_same(pair, monkeypatch) -> None:
    one, _, visit = pair
    short = pushed(one, visit)
    assert behind(one.world) == 1
    monkeypatch.setattr(exchanging, "ordinary_exchange", lambda *args: None)
    full = pushed(one, visit)
    monkeypatch.undo()
    assert behind(one.world) == 1
    with one.world.office.database.read() as session:
        rows = [session.get(SubjectRow, subject) for subject in (short, full)]
        told = [(row.kind, row.parent, row.accepted - row.projected) for row in rows if row]
        assert told == [("record", visit, 0)] * 2
        found = [session.exec(select(FrameRow).where(FrameRow.subject == subject)).one() for subject in (short, full)]
        assert found[0].cursor < found[1].cursor
        assert found[0].received_at == found[1].received_at
    again = one.sync(*one.frames[short])
    assert statuses(again) == [("accepted", "")]  # the receipt that stands
    assert one.world.office.database.kept(OrdinaryRows) is one.world.office.database.kept(OrdinaryRows)
