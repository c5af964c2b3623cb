"""Sync when something is wrong: twins, restores, rubbish, many at once."""

from __future__ import annotations

import base64
import gzip
import threading

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from server.accounts import actions as accounts
from server.ledger import queries
from server.office import new_subject
from shared.accounts import EpochBegun, Role
from shared.ledger.messages import REQUEST_BYTES, SIGNATURE_HEADER, read_reply
from shared.visits import ConflictDeclared
from tests.server.conftest import Tablet, World, statuses
from tests.server.test_sync import answers, begun


def test_a_tablet_waits_for_the_second_officer(world: World) -> None:
    tablet = world.tablet(world.person(Role.NPM_MEMBER), confirmed=False)
    answer = tablet.post(tablet.request())
    assert (answer.status_code, answer.json["code"]) == (401, "device_waiting")
    world.confirm(tablet)
    assert tablet.sync().page.token


def test_an_unknown_device_and_a_wrong_signature_are_told_no(pair) -> None:
    one, _, _ = pair
    stranger = Tablet(one.world, one.person, id=new_subject(one.world.now))
    assert stranger.post(stranger.request()).json["code"] == "device_unknown"
    liar = Tablet(one.world, one.person, id=one.id)
    answer = liar.post(liar.request())
    assert (answer.status_code, answer.json["code"]) == (401, "signature_wrong")


def test_a_revoked_tablet_reads_nothing_and_what_it_sends_is_kept_aside(pair) -> None:
    one, _, visit = pair
    record, _ = begun(one, visit)
    world = one.world
    with world.office.database.write() as session:
        accounts.revoke_device(session, world.office, world.founded.admin, one.id, "lost", world.now)
    reply = one.sync(one.write(record, *answers(1, 5)))
    assert reply.page.revoked
    assert not reply.page.token
    assert not reply.frames
    assert statuses(reply) == [("quarantined", "revoked")]


def test_a_twin_is_found_by_its_nonce_and_both_branches_are_kept(pair) -> None:
    one, _, visit = pair
    record, _ = begun(one, visit)
    twin = Tablet(
        one.world, one.person, one.secret, one.box_secret, one.id, one.nonce, one.cursor, one.epoch, one.known
    )
    assert not one.sync().page.revoked
    assert not one.sync().page.revoked
    assert twin.sync().page.revoked, "an old nonce reads nothing"
    assert not one.sync().page.revoked, "it may have been late on its way"
    assert twin.sync().page.revoked
    assert one.sync().page.revoked, "the answer to the old nonce was heard: two tablets live"
    assert statuses(one.sync(one.write(record, *answers(1, 6)))) == [("accepted", "")]


def test_two_that_take_turns_are_found(pair) -> None:
    one, _, _ = pair
    one.sync()
    twin = Tablet(
        one.world, one.person, one.secret, one.box_secret, one.id, one.nonce, one.cursor, one.epoch, one.known
    )
    replies = [each.sync().page.revoked for _ in range(4) for each in (one, twin)]
    assert replies[-2:] == [True, True], replies


def test_a_request_that_comes_late_or_again_stops_nobody(pair) -> None:
    one, _, visit = pair
    record, _ = begun(one, visit)
    late = one.request(one.write(record, *answers(1, 5)))
    early = one.request()
    one.post(early)
    for _ in range(3):
        assert not one.sync().page.revoked
        assert one.post(early).status_code == 200
    answer = one.post(late)
    reply = read_reply(gzip.decompress(answer.get_data()), bytes.fromhex(one.world.office.keys.sign_key))
    assert reply.page.revoked, "whoever asks with an old nonce reads nothing"
    assert not reply.frames
    assert statuses(reply) == [("accepted", "")], "what it carries is taken in all the same"
    assert not one.sync().page.revoked


def test_a_lost_reply_makes_no_twin(pair) -> None:
    one, _, _ = pair
    one.sync()
    for _ in range(3):
        one.post(one.request())
    assert not one.sync().page.revoked
    assert not one.sync().page.revoked


def test_sixty_exchanges_a_minute(pair) -> None:
    one, _, _ = pair
    codes = [one.post(one.request()).status_code for _ in range(61)]
    assert codes == [200] * 60 + [429]
    one.world.clock.pass_(minutes=1)
    assert one.post(one.request()).status_code == 200


# ── after a restore ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_after_a_restore_tablets_offer_again_what_lies_above(pair) -> None:
    one, other, visit = pair
    begun(one, visit)
    other.sync_all()
    world = one.world
    with world.office.database.write() as session:
        from server.ledger.actions import record as act

        counter = queries.counter_row(session)
        restored = counter.value - 2
        counter.epoch = 2
        subject = queries.subjects(session, "office")[0]
        act(session, world.office, subject, world.founded.admin, [EpochBegun(epoch=2, position=restored)], world.now)
    reply = other.sync()
    assert reply.page.restored == min(restored, other.known[0])
    assert reply.page.cursor.startswith("2.")
    assert not reply.page.revoked
    assert other.sync().page.restored is None


def test_a_ledger_head_the_office_never_had_is_noticed(pair) -> None:
    one, _, _ = pair
    one.sync()
    one.known = (one.known[0], "ab" * 32)
    assert one.sync().page.restored == 0
    assert one.sync().page.restored is None


# ── any bytes ───────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_broken_bodies_are_named_and_change_nothing(pair) -> None:
    one, _, visit = pair
    begun(one, visit)
    plain = one.request()
    client = one.world.client()
    for data, headers, status in (
        (b"", {}, 422), (b"\x1f\x8bgarbage", {"Content-Encoding": "gzip"}, 422),
        (plain, {"Content-Encoding": "br"}, 422),
        (gzip.compress(plain)[:-9], {"Content-Encoding": "gzip"}, 422), (plain, {}, 401),
        (gzip.compress(bytes(REQUEST_BYTES + 1)), {"Content-Encoding": "gzip"}, 413),
        (bytes(REQUEST_BYTES + 1), {}, 413), (plain, {SIGNATURE_HEADER: "ä"}, 401),
        (gzip.compress(plain) + b"more", {"Content-Encoding": "gzip"}, 422),
    ):  # fmt: skip
        assert client.post("/api/sync", data=data, headers=headers).status_code == status, (data[:20], headers)


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(tail=st.binary(max_size=300), lines=st.lists(st.binary(max_size=60), max_size=4), cut_at=st.integers(0, 400))
def test_signed_rubbish_never_breaks_the_office(pair, tail: bytes, lines: list[bytes], cut_at: int) -> None:
    one, _, visit = pair
    one.world.clock.pass_(minutes=2)
    frame = one.write(visit, ConflictDeclared(conflict=False))
    one.chains.pop(visit)
    whole = one.request(frame)
    for body in (whole + tail, whole[:cut_at], one.request() + b"\n".join(lines) + b"\n", tail):
        signature = base64.b64encode(b"x" * 64).decode()
        assert one.world.client().post("/api/sync", data=body, headers={SIGNATURE_HEADER: signature}).status_code < 500
        assert one.post(body).status_code in (200, 401, 413, 422, 429)


def test_many_tablets_at_once_lose_nothing(world: World) -> None:
    people = [world.person(Role.NPM_MEMBER) for _ in range(4)]
    tablets = [world.tablet(person) for person in people]
    visit = world.visit(*people)
    record, _ = begun(tablets[0], visit)
    failures: list[BaseException] = []

    def work(tablet: Tablet) -> None:
        try:
            for number in range(6):
                frame = tablet.write(record, *answers(3, number * 3), clock=None)
                assert statuses(tablet.sync(frame)) == [("accepted", "")]
                tablet.sync_all()
        except BaseException as error:
            failures.append(error)

    for tablet in tablets:
        tablet.clock = 10
    threads = [threading.Thread(target=work, args=(tablet,)) for tablet in tablets]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures, failures
    for tablet in tablets:
        tablet.sync_all()
        held = {(frame.header.device, seq) for frame in tablet.seen if frame.header.subject == record
                for seq in range(frame.header.first, frame.last + 1)}  # fmt: skip
        expected = {(other.id, seq) for other in tablets if other is not tablet
                    for seq in range(1, len(other.chains[record]) + 1)}  # fmt: skip
        assert held == expected
