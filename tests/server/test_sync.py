"""One exchange between tablet and office: what is taken in, what comes back, who is refused, and nothing lost."""

from __future__ import annotations

import gzip

from sqlmodel import select

from server.ledger import queries
from server.ledger.actions import record as act
from server.ledger.ordinary_rows import OrdinaryRows
from server.ledger.tables import ContactRow, FrameRow, HeldFrameRow
from server.office import new_subject
from server.quarantine.actions import decide
from shared.accounts import Role
from shared.ledger.frame import cut
from shared.ledger.merge import digest
from shared.ledger.messages import read_reply
from shared.ledger.operation import chain, genesis
from shared.observations.answers import AnswerRecorded
from shared.observations.record import RecordOpened
from shared.visits import GroupFormed
from tests.server.conftest import Tablet, World, statuses


def answers(count: int, start: int = 0) -> list[AnswerRecorded]:
    return [AnswerRecorded(item=f"/mc/q{number}", value=number) for number in range(start, start + count)]


def begun(tablet: Tablet, visit: str):
    """A record of the visit, begun and sent."""
    record = new_subject(tablet.world.now)
    tablet.write(record, RecordOpened(visit=visit, checklists=()), *answers(3))
    return record, tablet.sync(*tablet.frames[record])


def test_what_one_tablet_sends_the_other_gets_byte_for_byte(pair) -> None:
    one, other, visit = pair
    record, reply = begun(one, visit)
    assert statuses(reply) == [("accepted", "")]
    came = [frame for frame in other.sync_all() if frame.header.subject == record]
    assert [frame.encoded() for frame in came] == [frame.encoded() for frame in one.frames[record]]


def test_own_frames_do_not_come_back(pair) -> None:
    one, _, visit = pair
    begun(one, visit)
    assert all(frame.header.device != one.id for frame in one.sync_all())


def test_a_page_is_whole_frames_and_the_next_goes_on_behind_it(pair, monkeypatch) -> None:
    one, other, visit = pair
    record, _ = begun(one, visit)
    for number in range(5):
        one.sync(one.write(record, *answers(2, number * 10)))
    monkeypatch.setattr("server.ledger.queries.page.__defaults__", (700,))
    seen = other.sync_all()
    assert len({(frame.header.device, frame.header.subject, frame.header.first) for frame in seen}) == len(seen)
    assert sum(frame.header.count for frame in seen if frame.header.subject == record) == 14


def test_a_page_of_many_small_frames_ends_too_and_nothing_is_left_out(pair, monkeypatch) -> None:
    one, other, visit = pair
    record, _ = begun(one, visit)
    for number in range(5):
        one.sync(one.write(record, *answers(2, number * 10)))
    monkeypatch.setattr(queries, "MOST_FRAMES", 3)
    monkeypatch.setattr(queries, "READ_TOGETHER", 2)
    first = other.sync()
    assert (len(first.frames), first.page.more) == (3, True)
    seen = [*first.frames, *other.sync_all()]
    assert len({(frame.header.device, frame.header.subject, frame.header.first) for frame in seen}) == len(seen)
    assert sum(frame.header.count for frame in seen if frame.header.subject == record) == 14


def test_the_same_frames_bring_the_same_receipt_and_are_kept_once(pair) -> None:
    one, _, visit = pair
    record, first = begun(one, visit)
    one.world.clock.pass_(minutes=3)
    again = one.sync(*one.frames[record])
    assert again.receipt_bytes == first.receipt_bytes
    with one.world.office.database.read() as session:
        assert len(session.exec(select(FrameRow).where(FrameRow.subject == record)).all()) == 1


def test_frames_said_again_under_the_same_nonce_change_nothing(pair) -> None:
    """No answer came: the same nonce is given again; another one shown is an exchange like any other."""
    one, _, visit = pair
    record, _ = begun(one, visit)
    one.write(record, *answers(3, 1))
    body = one.request(*one.frames[record][-1:])
    key = bytes.fromhex(one.world.office.keys.sign_key)
    replies = [read_reply(gzip.decompress(one.post(body).get_data()), key) for _ in range(3)]
    assert len({(reply.receipt_bytes, reply.page.next_nonce) for reply in replies}) == 1
    with one.world.office.database.read() as session:
        kept = session.get(ContactRow, one.id)
        assert (kept.issued.split().count(replies[0].page.next_nonce), kept.minute_count) == (1, 2)
    one.nonce = replies[0].page.next_nonce
    reply = one.sync(*one.frames[record][-1:])
    assert reply.receipt_bytes == replies[0].receipt_bytes
    assert reply.page.next_nonce != replies[0].page.next_nonce
    assert not one.sync().page.revoked


def test_a_known_prefix_is_dropped_and_the_rest_taken(pair) -> None:
    one, other, visit = pair
    record, _ = begun(one, visit)
    one.write(record, *answers(2, 10))
    lines = one.chains[record]
    whole = cut(one.secret, one.id, record, 1, genesis(one.id, record), lines)
    assert statuses(one.sync(whole)) == [("accepted", "")]
    seen = [frame for frame in other.sync_all() if frame.header.subject == record]
    assert [line for frame in seen for line in frame.lines] == lines
    assert statuses(one.sync(*one.frames[record])) == [("already", ""), ("already", "")]


def test_a_gap_waits_and_is_taken_in_behind_what_it_waited_for(pair) -> None:
    one, other, visit = pair
    record, _ = begun(one, visit)
    middle, last = one.write(record, *answers(1, 10)), one.write(record, *answers(1, 11))
    assert statuses(one.sync(last)) == [("waiting", "gap")]
    assert statuses(one.sync(middle)) == [("accepted", "")]
    assert sum(frame.header.count for frame in other.sync_all() if frame.header.subject == record) == 6
    assert statuses(one.sync(last)) in ([("already", "")], [("waiting", "gap")])  # the stored receipt may answer
    with one.world.office.database.read() as session:
        assert session.exec(select(HeldFrameRow)).all() == []


def test_a_record_that_comes_before_its_visit_waits_for_it(world: World) -> None:
    member = world.person(Role.NPM_MEMBER)
    tablet = world.tablet(member)
    visit, record = new_subject(world.now), new_subject(world.now)
    from shared.visits import VisitPlanned

    opened = tablet.write(visit, VisitPlanned(visit_kind="unplanned", key="", sealed=""))
    first = tablet.write(record, RecordOpened(visit=visit, checklists=()), *answers(2))
    assert statuses(tablet.sync(first)) == [("waiting", "gap")]
    assert statuses(tablet.sync(opened)) == [("accepted", "")]
    with world.office.database.read() as session:
        assert (
            len(queries.state(session, record).items if hasattr(queries.state(session, record), "items") else [1]) >= 1
        )
        assert session.exec(select(HeldFrameRow)).all() == []


def test_visit_and_record_in_one_request_whatever_their_order(world: World) -> None:
    from shared.visits import VisitPlanned

    tablet = world.tablet(world.person(Role.NPM_MEMBER))
    visit, record = new_subject(world.now), new_subject(world.now)
    opened = tablet.write(visit, VisitPlanned(visit_kind="unplanned", key="", sealed=""))
    first = tablet.write(record, RecordOpened(visit=visit, checklists=()), *answers(2))
    assert statuses(tablet.sync(first, opened)) == [("accepted", ""), ("accepted", "")]


def test_a_fork_is_kept_aside_and_stops_reading(pair) -> None:
    one, _, visit = pair
    record, _ = begun(one, visit)
    one.sync(one.write(record, *answers(1, 10)))
    lines = one.chains[record][:4]
    other_line = Tablet(one.world, one.person, id=one.id, clock=90)
    fork = cut(one.secret, one.id, record, 5, chain(genesis(one.id, record), lines)[-1],
               [other_line.write(record, *answers(1, 77)).lines[0]])  # fmt: skip
    reply = one.sync(fork)
    assert statuses(reply) == [("quarantined", "fork")]
    assert reply.page.revoked
    with one.world.office.database.read() as session:
        assert session.get(ContactRow, one.id).frozen
        assert [row.reason for row in session.exec(select(HeldFrameRow))] == ["fork"]


def test_a_seal_of_another_key_is_kept_aside(pair) -> None:
    one, other, visit = pair
    record, _ = begun(one, visit)
    frame = one.write(record, *answers(1, 9))
    forged = cut(other.secret, one.id, record, frame.header.first, bytes.fromhex(frame.header.prev), frame.lines)
    assert statuses(one.sync(forged)) == [("quarantined", "bad_seal")]
    assert statuses(one.sync(frame)) == [("accepted", "")]


def test_a_stranger_to_the_visit_writes_into_quarantine_only(pair) -> None:
    one, _, visit = pair
    record, _ = begun(one, visit)
    stranger = one.world.tablet(one.world.person(Role.NPM_MEMBER))
    assert statuses(stranger.sync(stranger.write(record, *answers(1)))) == [("quarantined", "no_access")]
    assert all(frame.header.subject not in (record, visit) for frame in stranger.sync_all())


def test_nobody_writes_in_the_name_of_another(pair) -> None:
    one, other, visit = pair
    record, _ = begun(one, visit)
    frame = one.write(record, *answers(1), author=other.person)
    assert statuses(one.sync(frame)) == [("quarantined", "no_access")]


def test_a_leap_of_the_clock_is_kept_aside(pair) -> None:
    one, _, visit = pair
    record, _ = begun(one, visit)
    assert statuses(one.sync(one.write(record, *answers(1), clock=2_000_000))) == [("quarantined", "clock_leap")]


def test_a_line_that_cannot_be_read_keeps_its_place(pair) -> None:
    one, other, visit = pair
    record, _ = begun(one, visit)
    lines = [b'{"at":"x"}', one.write(record, *answers(1, 20)).lines[0]]
    prev = chain(genesis(one.id, record), one.chains[record][:4])[-1]
    one.chains[record] = one.chains[record][:4] + lines
    frame = cut(one.secret, one.id, record, 5, prev, lines)
    reply = one.sync(frame)
    assert statuses(reply) == [("accepted", "")]
    assert [line.id for line in reply.receipt.lines] == [chain(prev, lines)[0].hex()]
    assert [seen.lines for seen in other.sync_all() if seen.header.first == 5] == [tuple(lines)]


def test_anothers_frames_are_taken_from_whoever_carries_them(pair) -> None:
    one, other, visit = pair
    record = new_subject(one.world.now)
    frame = one.write(record, RecordOpened(visit=visit, checklists=()), *answers(2))
    assert statuses(other.sync(frame)) == [("accepted", "")]
    assert statuses(one.sync(frame)) == [("already", "")]


def test_a_member_who_joins_late_gets_everything_from_the_beginning(pair) -> None:
    one, _, visit = pair
    record, _ = begun(one, visit)
    world = one.world
    late = world.person(Role.NPM_MEMBER)
    tablet = world.tablet(late)
    tablet.sync_all()
    with world.office.database.write() as session:
        members = (one.person, late)
        formed = GroupFormed(members=members, leader=one.person, least=1)
        act(session, world.office, visit, world.founded.second, [formed], world.now)
    came = {frame.header.subject for frame in tablet.sync_all()}
    assert {visit, record, one.person} <= came


def test_who_leaves_the_group_gets_nothing_more(pair) -> None:
    one, other, visit = pair
    record, _ = begun(one, visit)
    other.sync_all()
    world = one.world
    with world.office.database.write() as session:
        act(session, world.office, visit, world.founded.second,
            [GroupFormed(members=(one.person,), leader=one.person, least=1)], world.now)  # fmt: skip
    one.sync(one.write(record, *answers(2, 30)))
    assert all(frame.header.subject != record for frame in other.sync_all())
    late = other.write(record, *answers(1, 40))
    assert statuses(other.sync(late)) == [("accepted", "")]


def test_whoever_may_read_it_gets_the_keys_of_all_who_ever_wrote_it(pair) -> None:
    """One left before the next joined, and a stranger's words were taken in: no frame is left without its key."""
    one, other, visit = pair
    world = one.world
    record = new_subject(world.now)
    one.sync(one.write(record, RecordOpened(visit=visit, checklists=())))
    assert statuses(other.sync(other.write(record, AnswerRecorded(item="/mc/q", value=1)))) == [("accepted", "")]
    stranger = world.tablet(world.person(Role.NPM_MEMBER))
    strange = stranger.write(record, AnswerRecorded(item="/mc/q", value=2), clock=9)
    stranger.sync(strange)
    head = strange.ids()[-1].hex()
    with world.office.database.write() as session:
        decide(session, world.office, head, "taken_in", world.founded.admin, world.founded.second, "seen", world.now)
    late = world.tablet(world.person(Role.NPM_MEMBER))
    formed = GroupFormed(members=(one.person, late.person), leader=one.person, least=1)
    with world.office.database.write() as session:
        act(session, world.office, visit, world.founded.second, [formed], world.now)
    came = late.sync_all()
    assert {frame.header.device for frame in came if frame.header.subject == record} == {one.id, other.id, stranger.id}
    assert {one.person, other.person, stranger.person} <= {frame.header.subject for frame in came}
    assert stranger.person in {frame.header.subject for frame in one.sync_all()}
    assert late.person not in {frame.header.subject for frame in (*other.sync_all(), *stranger.sync_all())}


def test_both_sides_hold_the_same(pair) -> None:
    one, other, visit = pair
    record, reply = begun(one, visit)
    ids = chain(genesis(one.id, record), one.chains[record])
    mine = digest([(one.id, len(ids), ids[-1].hex())])
    found = {each.subject: each.digest for each in reply.page.digests}
    assert found[record] == mine
    while True:
        theirs = other.sync()
        if not theirs.page.more:
            break
    assert {each.subject: each.digest for each in theirs.page.digests}[record] == mine


def test_the_office_says_what_it_has_when_the_heads_differ(pair) -> None:
    one, _, visit = pair
    record, reply = begun(one, visit)
    assert reply.page.have is None
    one.write(record, *answers(1, 50))
    behind = one.sync()
    assert [(head.subject, head.seq) for head in behind.page.have] == [(record, 4)]


def test_frames_said_again_write_nothing_only_where_a_process_of_the_office_saw_them_lasting(pair, monkeypatch) -> None:
    """A process killed before its fsync, or a database that came back, leaves what is seen and may still be lost."""
    one, _, visit = pair
    record, _ = begun(one, visit)
    one.sync()
    frame = one.write(record, *answers(2, 30))
    body, database = one.request(frame), one.world.office.database
    pushed: list[object] = []
    push = database.push
    monkeypatch.setattr(database, "push", lambda connection: pushed.append(connection) or push(connection))
    said: list[tuple[bytes, str, str]] = []
    for forgets in (False, False, True, False):
        if forgets:
            database.kept(OrdinaryRows).lasting.forget()
        reply = read_reply(gzip.decompress(one.post(body).get_data()), bytes.fromhex(one.world.office.keys.sign_key))
        said.append((reply.receipt_bytes, reply.page.next_nonce, reply.page.token))
    assert len(pushed) == 2, "the first, and the one whose answer nobody remembers"
    assert len({receipt for receipt, _, _ in said}) == 1
    assert said[0] == said[1] != said[2] == said[3]


def test_frames_said_again_too_often_are_counted_and_refused(pair) -> None:
    one, _, visit = pair
    record, _ = begun(one, visit)
    one.sync()
    body = one.request(one.write(record, *answers(2, 5)))
    answered = [one.post(body).status_code for _ in range(130)]
    assert answered[0] == 200
    assert answered[-1] == 429
