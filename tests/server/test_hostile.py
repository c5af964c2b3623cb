"""A tablet whose keys are good and whose software is not: what it sends never breaks the office or decides for it."""

from __future__ import annotations

import threading
from dataclasses import replace

import msgspec
import pytest
from sqlmodel import Session, select

from server.accounts import actions as accounts
from server.accounts.tables import DeviceRow
from server.ledger import queries, receive
from server.ledger.actions import record as office_record
from server.ledger.packing import packed
from server.ledger.tables import ContactRow, FrameRow, HeldFrameRow, SubjectRow
from server.office import new_subject
from server.quarantine.decisions import is_carried
from shared.accounts import Role
from shared.ledger.crypto import box_address, new_box_key, new_signing_key, verifying_key
from shared.ledger.frame import Frame, cut, read_frames, without_prefix
from shared.ledger.merge import operations_of
from shared.ledger.messages import SIGNATURE_HEADER, ChainHead
from shared.ledger.operation import Body, chain, encode_line, genesis
from shared.observations.interview import InterviewOpened
from shared.observations.notebook import LooseNoteKept
from shared.observations.record import InterviewCounted, RecordOpened
from shared.quarantine import FrameTakenIn
from shared.registry import BODIES, state_of
from shared.values import DeviceId, PersonId, SubjectId, stamp
from shared.visit_requests import RequestFiled, RequestPutToVote
from shared.visits import EntryRecorded, GroupFormed, MandateIssued, OfficerAssigned, VisitPlanned, VisitStarted
from tests.server.conftest import Tablet, World, statuses
from tests.server.test_quarantine import twin_of
from tests.server.test_sync import answers, begun

QUARANTINED = [("quarantined", "no_access")]


@pytest.fixture
def tablet(world: World) -> Tablet:
    """A member's tablet."""
    return world.tablet(world.person(Role.NPM_MEMBER))


def test_a_filer_does_not_approve_the_own_request_before_filing_it(tablet: Tablet) -> None:
    """Folded in order the approval comes first, when nobody is the filer yet."""
    subject, vote = new_subject(tablet.world.now), new_subject(tablet.world.now)
    frame = tablet.write(
        subject,
        RequestPutToVote(vote=vote, closes_at="2026-03-05T10:00:00+05:00"),
        RequestFiled(visit_kind="special", urgency="normal", key="", sealed=""),
    )
    assert statuses(tablet.sync(frame)) == QUARANTINED
    with tablet.world.office.database.read() as session:
        assert queries.state(session, subject) is None


def test_a_request_is_put_to_nobody_before_it_is_filed(tablet: Tablet) -> None:
    """The fold says so too, whatever the door let through."""
    subject = new_subject(tablet.world.now)
    frame = tablet.write(
        subject,
        RequestPutToVote(vote=subject, closes_at="2026-03-05T10:00:00+05:00"),
        RequestFiled(visit_kind="special", urgency="normal", key="", sealed=""),
    )
    state = state_of("visit_request", subject, operations_of(frame, BODIES)[0])
    assert state.state == "filed"
    assert [each.kind for each in state.not_counted] == ["request_put_to_vote"]


ACTS: list[Body] = [
    GroupFormed(members=(PersonId("p"),), leader=PersonId("p"), least=1),
    OfficerAssigned(person=PersonId("p")),
    MandateIssued(number="1", names=(), valid_from="2026-03-05", valid_until="2026-03-06", code="x"),
]


@pytest.mark.parametrize("body", ACTS, ids=lambda body: body.KIND)
def test_a_member_does_not_decide_for_the_office_by_an_early_clock(pair, body: Body) -> None:
    """Clock 1 stands before the group in the one order, when its author was no member yet."""
    one, _, visit = pair
    assert statuses(one.sync(one.write(visit, body, clock=1))) == QUARANTINED


def test_a_visit_is_not_begun_with_a_group_of_ones_own(tablet: Tablet) -> None:
    visit = new_subject(tablet.world.now)
    frame = tablet.write(visit, GroupFormed(members=(tablet.person,), leader=tablet.person, least=1))
    assert statuses(tablet.sync(frame)) == QUARANTINED


def test_a_tablet_nobody_confirmed_is_not_heard_through_another(pair) -> None:
    """Its keys came with a code alone; the second officer has not looked."""
    one, other, visit = pair
    unseen = one.world.tablet(other.person, confirmed=False)
    record, _ = begun(one, visit)
    frame = unseen.write(record, *answers(1), clock=40)
    assert statuses(one.sync(frame)) == [("waiting", "gap")]
    one.world.confirm(unseen)
    assert statuses(unseen.sync(frame)) == [("accepted", "")]


@pytest.mark.parametrize("name", ["nonsense", "", "x" * 300, "everybody"])
def test_an_id_that_is_none_breaks_nothing(pair, name: str) -> None:
    one, _, visit = pair
    world = one.world
    subjects = [new_subject(world.now) for _ in range(5)]
    bodies: list[Body] = [
        RecordOpened(visit=SubjectId(name), checklists=()),
        InterviewOpened(visit=SubjectId(name), record=SubjectId("x"), number="A-01", checklist=("a", "1", "")),
        RequestFiled(visit_kind="special", urgency="normal", key="", sealed="", leader=PersonId(name)),
        VisitPlanned(visit_kind="unplanned", key="", sealed="", request=SubjectId(name)),
        InterviewOpened(visit=visit, record=SubjectId(name), number="A-01" * 200, checklist=("a", "1", "")),
    ]
    for subject, body in zip(subjects, bodies, strict=True):
        frame = one.write(subject, body)
        assert one.sync(frame).receipt.frames[0].status in ("accepted", "waiting", "quarantined"), body
    record, _ = begun(one, visit)
    frame = one.write(record, InterviewCounted(interview=SubjectId(name), number="A-01"))
    assert statuses(one.sync(frame)) == [("accepted", "")]


def test_numbers_beyond_a_column_break_nothing(pair) -> None:
    one, _, visit = pair
    frame = one.write(
        visit, VisitStarted(institution="x" * 300, arrived_at="soon"),
        EntryRecorded(admitted_at="later", held_count=10**14, delay_minutes=-(10**14)), clock=None,
    )  # fmt: skip
    assert statuses(one.sync(frame)) == [("accepted", "")]
    far = one.write(visit, EntryRecorded(admitted_at="x"))
    header = msgspec.structs.replace(far.header, first=2**40, prev="ab" * 32)
    answer = one.post(one.request(msgspec.structs.replace(far, header=header)))
    assert (answer.status_code, answer.json["code"]) == (422, "frame_unreadable")


def test_a_clock_that_says_nothing_breaks_nothing(pair) -> None:
    one, _, _ = pair
    plain = one.request()
    line, rest = plain.split(b"\n", 1)
    for now in ("\\u0001", "x" * 70000, "12"):
        changed = msgspec.json.decode(line) | {"now": "?"}
        raw = msgspec.json.encode(changed, order="sorted").replace(b'"?"', f'"{now}"'.encode())
        answer = one.post(raw + b"\n" + rest)
        assert answer.status_code in (200, 422), answer.get_data()


@pytest.mark.parametrize("seq", [10**20, -(10**20), -1])
def test_a_place_in_a_chain_that_is_none_breaks_nothing(pair, seq: int) -> None:
    one, _, visit = pair
    record, _ = begun(one, visit)
    line, rest = one.request().split(b"\n", 1)
    raw = msgspec.json.encode(msgspec.json.decode(line) | {"lacks": [[record, seq, ""]]}, order="sorted")
    answer = one.post(raw + b"\n" + rest)
    assert (answer.status_code, answer.json["code"]) == (422, "request_unreadable")


@pytest.mark.parametrize("is_decided", [False, True])
def test_a_second_history_that_waited_for_a_gap_is_one_when_the_gap_is_filled(pair, is_decided: bool) -> None:
    """A colleague carries what stands behind a gap; when the gap is filled another line stands there."""
    one, other, visit = pair
    record, _ = begun(one, visit)
    office, now = one.world.office, one.world.now
    first, twin = one.write(record, *answers(1, 10)), twin_of(one)
    false = twin.write(record, *answers(1, 12))
    if is_decided:  # and said before the frame is here, as after a restore
        said = FrameTakenIn(
            device=one.id, subject=record, first=false.header.first, count=1, head=false.ids()[-1].hex(), held="fork",
            reason="looked into it", second=other.person,
        )  # fmt: skip
        with office.database.write() as session:
            office_record(session, office, SubjectId(one.person), one.world.founded.admin, [said], now)
    assert statuses(other.sync(false)) == [("waiting", "gap")]
    true = one.write(record, *answers(1, 11))
    assert statuses(one.sync(first, true)) == [("accepted", "")] * 2
    with office.database.read() as session:
        held = [(row.status, row.reason) for row in session.exec(select(HeldFrameRow))]
        assert held == ([] if is_decided else [("quarantined", "fork")])
        assert is_carried(session, false) == is_decided
        assert session.get(ContactRow, one.id).frozen_why == ("" if is_decided else "fork")


def test_what_cannot_fit_yet_is_not_read_again_by_those_who_push(pair, monkeypatch: pytest.MonkeyPatch) -> None:
    """One tablet leaves many frames behind a gap; whoever else writes in the record must not pay for each of them."""
    one, other, visit = pair
    record, _ = begun(one, visit)
    line = encode_line(answers(1)[0], other.person, stamp(other.world.now), 50)
    beyond = [cut(other.secret, other.id, record, 9 + k, bytes([k]) * 32, [line]) for k in range(20)]
    elsewhere = [
        other.write(new_subject(other.world.now), RecordOpened(visit=visit, checklists=()), *answers(2))
        for _ in range(9)
    ]
    tails = [without_prefix(frame, 1) for frame in elsewhere]
    unnamed = replace(other, id=DeviceId(new_subject(other.world.now)), chains={}).write(record, *answers(1))
    unseen = other.world.tablet(other.person, confirmed=False).write(record, *answers(1), clock=40)
    assert set(statuses(other.sync(*beyond, *tails, unnamed, unseen))) == {("waiting", "gap")}
    read: list[Frame] = []
    monkeypatch.setattr(receive, "read_frames", lambda lines: read.extend(found := read_frames(lines)) or found)
    assert statuses(one.sync(one.write(record, *answers(1, 7)))) == [("accepted", "")]
    assert statuses(one.sync(one.write(visit, EntryRecorded(admitted_at="x")))) == [("accepted", "")]
    assert read == []
    gap = other.write(record, *answers(8))
    assert statuses(other.sync(gap)) == [("accepted", "")]
    assert read == [beyond[0]], "what stands behind the gap is looked at when the gap is filled"
    assert statuses(other.sync(*elsewhere))[0] == ("accepted", "")


def test_a_frame_that_waited_for_its_device_is_taken_in_under_the_lock_of_its_subject(pair, monkeypatch) -> None:
    """Whoever brings an enrolment back may have nothing to do with the record its device wrote in; others have."""
    one, other, visit = pair
    world = one.world
    if world.office.database.is_sqlite:
        return  # one writer at a time
    record, _ = begun(one, visit)
    unseen = world.tablet(other.person, confirmed=False)
    assert statuses(other.sync(unseen.write(record, *answers(1), clock=40))) == [("waiting", "gap")]
    world.confirm(unseen)
    locked: list[bool] = []

    def append(session: Session, *given: object) -> object:
        with world.office.database.engine.connect() as beside:
            asked = select(SubjectRow.id).where(SubjectRow.id == record).with_for_update(skip_locked=True)
            locked.append(beside.execute(asked).first() is None)
        return real(session, *given)

    real = receive.append
    monkeypatch.setattr(receive, "append", append)
    monkeypatch.setattr(receive, "enrolled_by", lambda frames: frozenset({unseen.id}))
    note = one.write(new_subject(world.now), LooseNoteKept(key="", sealed=""))
    assert statuses(one.sync(note)) == [("accepted", "")]
    assert locked == [True]
    with world.office.database.read() as session:
        assert queries.chain(session, unseen.id, record).seq == 1


@pytest.mark.parametrize("why", ["twin", "fork"])
def test_a_tablet_that_was_stopped_loads_nothing_with_an_earlier_token(pair, why: str) -> None:
    one, _, visit = pair
    record, _ = begun(one, visit)
    token, client = one.sync().page.token, one.world.client()

    def asked() -> int:
        return client.get(f"/api/media/{'ab' * 32}", headers={"Authorization": f"Bearer {token}"}).status_code

    assert asked() == 404
    twin = twin_of(one)
    if why == "fork":
        one.sync(one.write(record, *answers(1, 10)))
        assert statuses(twin.sync(twin.write(record, *answers(1, 11)))) == [("quarantined", "fork")]
    for tablet in (one, one, twin, twin) if why == "twin" else ():
        tablet.sync()
    with one.world.office.database.read() as session:
        assert session.get(ContactRow, one.id).frozen_why == why
    assert asked() == 401


def test_a_label_of_control_signs_is_refused_and_the_code_stays_good(world: World) -> None:
    person = world.person(Role.NPM_MEMBER)
    with world.office.database.write() as session:
        code = accounts.make_code(session, world.office, world.founded.admin, person, world.now)
    keys = {"sign_key": verifying_key(new_signing_key()).hex(), "box_key": box_address(new_box_key()).hex()}
    answer = world.client().post("/api/devices/enrol", json={"code": code, "label": "a\u0001b", **keys})
    assert answer.status_code in (201, 422), answer.json
    if answer.status_code == 422:
        assert world.client().post("/api/devices/enrol", json={"code": code, "label": "ab", **keys}).status_code == 201


def test_a_frame_that_waited_is_told_taken_in_when_it_is_sent_again(pair) -> None:
    """The tablet sends the very same frames again; an answer that was true then must not be given for ever."""
    one, other, visit = pair
    record, _ = begun(one, visit)
    middle, last = one.write(record, *answers(1, 10)), one.write(record, *answers(1, 11))
    assert statuses(one.sync(last)) == [("waiting", "gap")]
    assert statuses(other.sync(middle)) == [("accepted", "")]
    assert statuses(one.sync(last)) == [("already", "")]


def test_what_a_revoked_tablet_had_delivered_stays_delivered(pair) -> None:
    one, _, visit = pair
    world = one.world
    record, _ = begun(one, visit)
    old = one.frames[record][0]
    with world.office.database.write() as session:
        accounts.revoke_device(session, world.office, world.founded.admin, one.id, "lost", world.now)
    fresh = one.write(record, *answers(1, 60))
    assert statuses(one.sync(old, fresh)) == [("already", ""), ("quarantined", "revoked")]


def test_who_holds_no_visiting_role_reads_nothing_and_still_delivers(pair) -> None:
    one, _, visit = pair
    world = one.world
    record, _ = begun(one, visit)
    with world.office.database.write() as session:
        day = world.office.calendar.day_of(world.now)
        accounts.end_role(
            session, world.office, world.founded.admin, world.founded.second, one.person, Role.NPM_MEMBER, day,
            "left", world.now,
        )  # fmt: skip
    assert not one.sync().page.revoked
    world.clock.pass_(days=1)
    reply = one.sync(one.write(record, *answers(1, 60)))
    assert reply.page.revoked
    assert not reply.page.token
    assert statuses(reply) == [("accepted", "")]


def test_own_frames_a_restored_tablet_lost_come_back(pair) -> None:
    one, _, visit = pair
    record, _ = begun(one, visit)
    more = one.write(record, *answers(2, 20))
    one.sync(more)
    restored = Tablet(
        one.world, one.person, one.secret, one.box_secret, one.id, one.nonce, one.cursor, one.epoch, one.known
    )
    restored.chains = {record: one.chains[record][:4]}
    assert [(head.subject, head.seq) for head in restored.sync().page.have] == [(record, 6)]
    lacks = ChainHead(record, 4, chain(genesis(one.id, record), one.chains[record][:4])[-1].hex())
    own = [frame for frame in restored.sync(lacks=(lacks,)).frames if frame.header.device == one.id]
    assert [frame.encoded() for frame in own] == [more.encoded()]


def test_lost_frames_of_a_visit_one_left_do_not_come_back(pair) -> None:
    one, other, visit = pair
    world = one.world
    record, _ = begun(one, visit)
    with world.office.database.write() as session:
        group = GroupFormed(members=(other.person,), leader=other.person, least=1)
        office_record(session, world.office, visit, world.founded.second, [group], world.now)
    lacks = ChainHead(record, 0, genesis(one.id, record).hex())
    assert all(frame.header.subject != record for frame in one.sync(lacks=(lacks,)).frames)


def test_threads_that_pack_at_once_do_not_mix_their_bytes(pair) -> None:
    """What is packed wrong is lost for good: the receipt was given."""
    one, _, _ = pair
    record = new_subject(one.world.now)
    frames = [one.write(record, *answers(200 + number)) for number in range(4)]
    wrong: list[object] = []

    def work(number: int) -> None:
        for _ in range(150):
            try:
                if queries.unpacked(packed(frames[number])) != frames[number].encoded():
                    wrong.append(number)
            except Exception as error:
                wrong.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


@pytest.mark.parametrize("headers", [{"Sec-Fetch-Site": "same-site"}, {"Origin": "http://127.0.0.1:9999"}])
def test_a_neighbouring_site_does_not_use_the_session_for_the_api(world: World, headers: dict[str, str]) -> None:
    client = world.signed_in(world.founded.second, Role.COUNCIL_SECRETARY)
    for path in ("/api/visits/x", "/api/devices/enrol"):
        answer = client.post(path, json={}, headers=headers)
        assert (answer.status_code, answer.json["code"]) == (403, "not_allowed"), path


def test_who_cannot_sign_makes_the_office_begin_no_writing(tablet: Tablet, monkeypatch: pytest.MonkeyPatch) -> None:
    """The frames that introduce a device are no secret: its colleagues hold them, and who finds a copy has them too."""
    world = tablet.world
    with world.office.database.write() as session:
        rows = session.exec(select(FrameRow).where(FrameRow.subject == tablet.person).order_by(FrameRow.cursor))
        introducing = [queries.frame_of(row) for row in rows]
        session.delete(session.get(DeviceRow, tablet.id))
    begun_writing: list[bool] = []
    write = world.office.database.write
    monkeypatch.setattr(world.office.database, "write", lambda **more: begun_writing.append(True) or write(**more))
    request = tablet.request(*introducing)
    for signature in ("A" * 86 + "==", "not base64", ""):
        answer = tablet.post(request, **{SIGNATURE_HEADER: signature})
        assert (answer.status_code, begun_writing) == (401, [])
    tablet.post(request)
    assert begun_writing, "its own signature is what counts"
