"""Two tablets and an office over real HTTP: everything arrives once, nothing is lost, no status flatters."""

from __future__ import annotations

import msgspec
import pytest

from field_app.acts import records, visits
from field_app.acts.subjects import record_id
from field_app.store.errors import ReplyRefused
from field_app.sync.status import rows
from shared.ledger.crypto import new_id
from shared.visits import GroupFormed, VisitPlanned
from tests.field_app.office_double import AT
from tests.field_app.tablets import NOW, PIN


@pytest.fixture
def group(office, make_store):
    """Two enrolled tablets of one group, with a planned visit the office made."""
    one, two = new_id(11), new_id(12)
    first, second = make_store("first", office, one), make_store("second", office, two)
    visit = new_id(20)
    office.write(visit, VisitPlanned(visit_kind="special", key="", sealed=""),
                 GroupFormed(members=(one, two), leader=one, least=2))  # fmt: skip
    return first, second, visit


def test_everything_arrives_once_and_the_count_falls_to_nothing(office, group, worker_of):
    first, second, visit = group
    office.vouch(first)
    office.vouch(second)
    assert worker_of(first).run_once().trouble == ""
    visits.start(first, visit, "KZ-1", NOW)
    record = record_id(first, visit)
    for number in range(30):
        records.answer(first, record, f"/mc/q{number}", number, NOW)
    records.answer(first, record, "/mc/words", "Төсек жетпейді", NOW)
    assert first.unsent() == 33
    done = worker_of(first).run_once()
    assert (done.trouble, first.unsent()) == ("", 0)
    assert {row.state for row in rows(first)} == {"received"}
    assert len(set(office.ids())) == len(office.ids())
    assert worker_of(second).run_once().trouble == ""
    assert len(second.state(record).answers.items) == 31
    assert second.meta.differs == ()


@pytest.mark.parametrize("fault", ["cut_request", "cut_reply", "half_reply", "error", "html", "forged"])
def test_a_fault_loses_and_doubles_nothing(office, group, worker_of, fault):
    first, _, visit = group
    worker_of(first).run_once()
    visits.start(first, visit, "KZ-1", NOW)
    record = record_id(first, visit)
    records.answer(first, record, "/mc/beds", 6, NOW)
    office.faults.append(fault)
    done = worker_of(first).run_once()
    assert done.trouble
    assert first.unsent() == 3
    assert not any(row.state == "received" for row in rows(first))
    for _ in range(3):
        done = worker_of(first).run_once()
    assert (done.trouble, first.unsent()) == ("", 0)
    assert len(set(office.ids())) == len(office.ids())


def test_a_frame_the_office_cannot_read_holds_no_other(office, group, worker_of):
    first, _, visit = group
    worker_of(first).run_once()
    visits.start(first, visit, "KZ-1", NOW)
    bad = visits.plan_on_the_spot(first, institution="KZ-9", reason="x", now=NOW)
    office.faults.append(f"unreadable:{bad}")
    worker_of(first).run_once()
    states = {row.subject: row.state for row in rows(first)}
    assert states[bad] == "failed"
    assert states[visit] == "received"


def test_two_answers_to_one_question_stay_two_and_a_choice_keeps_both(office, group, worker_of):
    first, second, visit = group
    office.vouch(first)
    office.vouch(second)
    for store in (first, second):
        worker_of(store).run_once()
        visits.start(store, visit, "KZ-1", NOW)
    record = record_id(first, visit)
    assert record == record_id(second, visit)
    records.answer(first, record, "/mc/beds", 6, NOW)
    records.answer(second, record, "/mc/beds", 9, NOW)
    for store in (first, second, first):
        assert worker_of(store).run_once().trouble == ""
    for store in (first, second):
        assert store.state(record).effective("/mc/beds").state == "differs"
        assert len(store.operations(record)) == 4
    chosen = first.state(record).answers.items["/mc/beds"].standing()[first.person].operation
    records.choose(first, record, "/mc/beds", chosen, NOW)
    for store in (first, second):
        worker_of(store).run_once()
        effective = store.state(record).effective("/mc/beds")
        assert (effective.state, effective.entry.value) == ("chosen", 6)
        assert len(store.state(record).answers.items["/mc/beds"].entries) == 2


def test_a_large_pull_goes_on_page_by_page(office, group, worker_of):
    first, second, visit = group
    office.vouch(first)
    office.vouch(second)
    for store in (first, second):
        worker_of(store).run_once()
    visits.start(first, visit, "KZ-1", NOW)
    record = record_id(first, visit)
    for number in range(40):
        records.answer(first, record, f"/mc/q{number}", number, NOW)
        worker_of(first).run_once()
    office.page_bytes = 2000
    worker_of(second).run_once()
    assert len(second.state(record).answers.items) == 40


def test_a_restored_office_gets_everything_back_from_author_and_colleague(office, group, worker_of):
    first, second, visit = group
    for store in (first, second):
        worker_of(store).run_once()
    before = len(office.frames)
    visits.start(first, visit, "KZ-1", NOW)
    record = record_id(first, visit)
    records.answer(first, record, "/mc/beds", 6, NOW)
    worker_of(first).run_once()
    worker_of(second).run_once()
    held = sorted(office.ids())
    office.restore(before)
    worker_of(second).run_once()
    worker_of(second).run_once()
    assert sorted(office.ids()) == held, "the colleague's copy brings back what the office lost"
    worker_of(first).run_once()
    worker_of(first).run_once()
    assert sorted(office.ids()) == held
    assert first.unsent() == 0
    assert "office_restored" in {alarm.code for alarm in first.alarms()}


def test_a_revoked_tablet_keeps_everything_and_says_so(office, group, worker_of):
    first, _, visit = group
    worker_of(first).run_once()
    visits.start(first, visit, "KZ-1", NOW)
    office.tablets[first.identity.device].revoked = True
    assert worker_of(first).run_once().trouble == "revoked"
    assert first.unsent() == 2
    assert {row.reason for row in rows(first) if row.state == "office_decides"} == {"revoked"}


def test_an_unconfirmed_tablet_waits_and_loses_nothing(office, group, worker_of):
    first, _, _ = group
    office.tablets[first.identity.device].confirmed = False
    assert worker_of(first).run_once().trouble == "device_waiting"


def test_a_reply_that_would_empty_a_record_is_refused_whole(office, group, worker_of):
    first, _, visit = group
    worker_of(first).run_once()
    visits.start(first, visit, "KZ-1", NOW)
    record = record_id(first, visit)
    for number in range(5):
        records.answer(first, record, f"/mc/q{number}", number, NOW)
    meta = first.meta
    # It sorts before everything and is of another kind: the subject would become a visit, its answers nothing.
    office.write(record, VisitPlanned(visit_kind="special", key="", sealed=""), clock=1)
    assert worker_of(first).run_once().trouble == "alarm_emptied"
    assert len(first.state(record).answers.items) == 5
    assert (first.meta.cursor, first.unsent()) == (meta.cursor, 7)
    assert first.alarms()[-1].code == "emptied"


def test_a_forged_frame_of_a_colleague_is_not_taken(office, group, worker_of):
    first, second, visit = group
    for store in (first, second):
        worker_of(store).run_once()
    office.vouch(second)
    worker_of(first).run_once()
    visits.start(second, visit, "KZ-1", NOW)
    worker_of(second).run_once()
    honest = office.frames[-1]
    header = msgspec.structs.replace(honest.header, seal="A" * 86 + "==")
    office.frames[-1] = type(honest)(header, honest.lines)
    worker_of(first).run_once()
    assert "bad_seal" in {alarm.code for alarm in first.alarms()}
    assert honest.header.subject not in set(first.subjects("record"))


def test_no_tablet_says_for_another_which_key_is_its_own(office, group, worker_of, make_store):
    first, second, visit = group
    third = make_store("third", office, new_id(13))
    for store in (first, second, third):
        worker_of(store).run_once()
    from shared.accounts import DeviceConfirmed, DeviceEnrolled, PersonAdded

    tablet = office.tablets[second.identity.device]
    keys = {"device": tablet.device, "box_key": tablet.box_key, "label": "t"}
    office.write(second.person, PersonAdded(name="Dana"), DeviceEnrolled(sign_key=tablet.sign_key, **keys),
                 DeviceConfirmed(device=tablet.device))  # fmt: skip
    worker_of(first).run_once()
    lie = third.new_subject(NOW)
    third.record(lie, DeviceEnrolled(sign_key="5" * 64, **keys), now=NOW)
    worker_of(third).run_once()
    visits.start(second, visit, "KZ-1", NOW)
    worker_of(second).run_once()
    assert worker_of(first).run_once().trouble == ""
    assert {alarm.subject for alarm in first.alarms() if alarm.code == "bad_seal"} <= {lie}
    assert record_id(second, visit) in first.subjects("record")


def test_what_a_tablet_wrote_counts_when_the_office_vouched_for_its_key(office, group, worker_of):
    """A page brings frames of a device nobody named: kept, over a restart too, and checked when the key comes."""
    first, second, visit = group
    worker_of(first).run_once()
    worker_of(second).run_once()
    visits.start(second, visit, "KZ-1", NOW)
    record = record_id(second, visit)
    records.answer(second, record, "/mc/beds", 6, NOW)
    worker_of(second).run_once()
    (place,) = [at for at, frame in enumerate(office.frames) if frame.header.subject == record]
    forged = office.frames[place]
    office.frames[place] = type(forged)(msgspec.structs.replace(forged.header, seal="A" * 86 + "=="), forged.lines)
    for _ in range(2):
        assert worker_of(first).run_once().trouble == ""
        assert {each.device for each in first.operations(visit)} == {office.device}
        assert first.subjects("record") == []
        first.lock()
        first.unlock(PIN, NOW)
    assert first.reading(lambda opened: [each.is_checked for each in opened.loose]) == [False, False]
    office.vouch(second)
    assert worker_of(first).run_once().trouble == ""
    assert second.identity.device in {each.device for each in first.operations(visit)}
    assert record not in first.subjects("record")
    assert [alarm.subject for alarm in first.alarms() if alarm.code == "bad_seal"] == [record]
    first.lock()
    first.unlock(PIN, NOW)
    assert second.identity.device in {each.device for each in first.operations(visit)}
    assert first.reading(lambda opened: opened.loose) == []


def test_words_reach_the_colleague_whose_tablet_became_known_later(office, group, worker_of):
    first, second, visit = group
    office.vouch(first)
    for store in (first, second):
        worker_of(store).run_once()
        visits.start(store, visit, "KZ-1", NOW)
    record = record_id(first, visit)
    note = records.note(first, record, "Терезе сынған", NOW)
    worker_of(first).run_once()
    worker_of(second).run_once()
    assert second.words(record, second.state(record).notes[note].current.words) is None
    office.vouch(second)
    worker_of(first).run_once()
    worker_of(second).run_once()
    opened = second.words(record, second.state(record).notes[note].current.words)
    assert opened["text"] == "Терезе сынған"


def test_a_receipt_for_another_tablet_is_refused(office, group, worker_of):
    first, second, _ = group
    from field_app.store.incoming import apply_reply
    from shared.ledger.crypto import verifying_key
    from shared.ledger.messages import PageHeader, encode_reply, read_reply

    worker_of(first).run_once()
    from shared.ledger.messages import Receipt
    from shared.ledger.operation import canonical

    receipt = canonical(Receipt(device=second.identity.device, epoch=1, frames=(), ledger_head="", lines=(), position=0,
                                received_at=AT, request="", tablet_now=AT))  # fmt: skip
    page = PageHeader(cursor="1.0.0", durable=0, more=False, next_nonce="x", revoked=False, token="")
    reply = read_reply(encode_reply(receipt, office.seed, page, ()), verifying_key(office.seed))
    with pytest.raises(ReplyRefused):
        apply_reply(first, reply, NOW)
    assert first.alarms()[-1].code == "wrong_device"
