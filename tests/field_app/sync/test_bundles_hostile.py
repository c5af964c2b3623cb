"""Bundles of a colleague who lies: what only the office may say is never taken from a tablet, whoever sealed it."""

from __future__ import annotations

import base64

import pytest

from field_app.acts import records
from field_app.bundles import taking
from field_app.store import outgoing
from field_app.store.incoming import apply_reply
from field_app.store.keys import review_key
from field_app.store.vouched import office_devices
from server.bundles import actions as desk
from server.ledger.contacts import stop_reading
from server.ledger.exchange import exchange
from server.ledger.tables import ContactRow
from shared.accounts import ReviewKeyNamed, Role, RoleEnded, ServerNamed
from shared.errors import RuleBroken
from shared.ledger.branch import branch_bodies
from shared.ledger.bundle import Part, part, seal_bundle
from shared.ledger.crypto import box_address, new_box_key, new_signing_key, sign, verifying_key
from shared.ledger.frame import Frame, cut
from shared.ledger.messages import Hello, encode_request, read_reply, request_message
from shared.ledger.operation import Body, encode_line, genesis
from shared.observations.record import RecordOpened
from shared.values import DeviceId, PersonId, SubjectId, stamp
from shared.visits import OfficerAssigned
from tests.ground.tablet import Tablet
from tests.ground.world import World


@pytest.fixture
def world(tmp_path):
    with World.open(tmp_path) as opened:
        opened.set_out()
        yield opened


def said(tablet: Tablet, subject: SubjectId, *bodies: Body, clock: int = 900, author: str = "") -> Frame:
    """A frame that follows in the chain of this tablet, sealed as it should be, whatever it says."""
    identity = tablet.store.identity
    mine = [each for each in tablet.store.operations(subject) if each.device == identity.device]
    before = bytes.fromhex(mine[-1].id) if mine else genesis(identity.device, subject)
    lines = [
        encode_line(body, PersonId(author) or tablet.person, stamp(tablet.clock()), clock + number)
        for number, body in enumerate(bodies)
    ]
    return cut(identity.sign_seed, identity.device, subject, len(mine) + 1, before, lines)


def handed(liar: Tablet, to: Tablet, *frames: Frame) -> bytes:
    """A bundle of the liar for a colleague, made by hand."""
    mine, theirs = liar.store.identity, to.store.identity
    parts = [part("frames", b"".join(frame.encoded() for frame in frames))]
    return seal_bundle(
        parts, mine.device, mine.sign_seed, bytes.fromhex(mine.review_key), [box_address(theirs.box_secret)],
        stamp(liar.clock()),
    )  # fmt: skip


@pytest.mark.parametrize("where", ["office", "fresh", "record"])
def test_no_colleague_names_a_key_of_the_office(world: World, where: str) -> None:
    """Whoever could would sign receipts, and words would be sealed to a key of his own."""
    liar, victim = world.tablets["other"], world.tablets["leader"]
    subject = {
        "office": victim.store.subjects("office")[0],
        "fresh": victim.store.new_subject(victim.clock()),
        "record": victim.record(world.visit),
    }[where]
    before, address = review_key(victim.store._opened), box_address(new_box_key()).hex()
    named = ServerNamed(device=liar.device, key=verifying_key(new_signing_key()).hex())
    frame = said(liar, subject, named, ReviewKeyNamed(key=address), clock=1)
    taken = taking.take(victim.store, handed(liar, victim, frame), victim.clock())
    assert (taken.fresh, taken.refused) == (0, 1)
    assert liar.device not in victim.store.reading(office_devices)
    assert review_key(victim.store._opened) == before
    assert victim.record(world.visit)


def test_no_colleague_acts_for_the_office_or_in_another_name(world: World) -> None:
    liar, victim = world.tablets["other"], world.tablets["third"]
    assigned, record = OfficerAssigned(person=liar.person), victim.record(world.visit)
    note = RecordOpened(visit=world.visit, checklists=())
    for frame in (
        said(liar, world.visit, assigned),
        said(liar, world.visit, *branch_bodies(said(liar, world.visit, assigned))),
        said(liar, record, note, author=victim.person),
        said(liar, record, assigned),
    ):
        held = victim.store.operations(frame.header.subject)
        taken = taking.take(victim.store, handed(liar, victim, frame), victim.clock())
        assert (taken.fresh, taken.refused) == (0, 1)
        assert victim.store.operations(frame.header.subject) == held
    assert taking.take(victim.store, handed(liar, victim, said(liar, record, note)), victim.clock()).fresh == 1


def asked(tablet: Tablet, hello: Hello, *frames: Frame) -> Part:
    """A request of the tablet as it stands in a bundle."""
    body = encode_request(hello, frames)
    signature = sign(tablet.store.identity.sign_seed, request_message(body))
    return part("request", body, signature=base64.b64encode(signature).decode())


def at_desk(tablet: Tablet, *parts: Part) -> bytes:
    """A bundle of the tablet for the office."""
    mine = tablet.store.identity
    office = bytes.fromhex(mine.review_key)
    return seal_bundle(parts, mine.device, mine.sign_seed, office, [office], stamp(tablet.clock()))


def hello_of(tablet: Tablet) -> Hello:
    return outgoing.hello(tablet.store, [], tablet.clock())


def test_a_request_of_another_tablet_in_a_bundle_is_not_answered(world: World) -> None:
    """The reply would be sealed to whoever made the bundle, and hold what the other may read."""
    liar, victim = world.tablets["other"], world.tablets["leader"]
    data = at_desk(liar, asked(liar, hello_of(liar)), asked(victim, hello_of(victim)))
    with pytest.raises(RuleBroken, match="bundle_altered"):
        desk.take(world.office, data, world.now)
    assert victim.sync().trouble == ""


def test_a_second_history_in_an_old_bundle_stops_reading_too(world: World) -> None:
    tablet = world.tablets["leader"]
    record, old = tablet.record(world.visit), hello_of(tablet)
    branch = said(tablet, record, RecordOpened(visit=world.visit, checklists=()))
    for number in range(3):
        records.answer(tablet.store, record, "/mc/q1", number, tablet.clock())
        assert tablet.sync().trouble == ""
    taken = desk.take(world.office, at_desk(tablet, asked(tablet, old, branch)), world.now)
    assert (taken.is_old, dict(taken.frames)) == (True, {"quarantined": 1})
    with world.office.database.read() as session:
        contact = session.get(ContactRow, tablet.device)
        assert (contact.frozen, contact.frozen_why) == (True, "fork")


@pytest.mark.parametrize("why", ["stopped", "no_role"])
def test_what_the_network_would_not_give_no_file_gives(world: World, why: str) -> None:
    tablet = world.tablets["leader"]
    assert desk.make(world.office, tablet.device, world.now)
    if why == "stopped":
        with world.office.database.write() as session:
            stop_reading(session, tablet.device, world.now)
    else:
        world.write(SubjectId(tablet.person), "admin", RoleEnded(role=Role.NPM_MEMBER, on="2026-01-05", reason="x"))
    with pytest.raises(RuleBroken, match="device_stopped"):
        desk.make(world.office, tablet.device, world.now)


@pytest.mark.parametrize("where", ["office", "record"])
def test_whoever_passes_a_reply_on_adds_nothing_in_the_offices_name(world: World, where: str) -> None:
    """The receipt is signed, the page is not: a frame of a device nobody knows is believed no word of the office."""
    tablet = world.tablets["leader"]
    subject = {"office": tablet.store.subjects("office")[0], "record": tablet.record(world.visit)}[where]
    before, stranger = review_key(tablet.store._opened), tablet.store.new_subject(tablet.clock())
    seed, address = new_signing_key(), box_address(new_box_key()).hex()
    bodies = ServerNamed(device=DeviceId(stranger), key=verifying_key(seed).hex()), ReviewKeyNamed(key=address)
    lines = [encode_line(body, tablet.person, stamp(tablet.clock()), 1 + at) for at, body in enumerate(bodies)]
    frame = cut(seed, DeviceId(stranger), subject, 1, genesis(stranger, subject), lines)
    body = encode_request(hello_of(tablet), [])
    signature = base64.b64encode(sign(tablet.store.identity.sign_seed, request_message(body))).decode()
    honest = exchange(world.office, body, signature, world.now)
    reply = read_reply(honest + frame.encoded(), bytes.fromhex(world.office.keys.sign_key))
    apply_reply(tablet.store, reply, tablet.clock())
    assert review_key(tablet.store._opened) == before
    assert stranger not in tablet.store.reading(office_devices)
    assert tablet.record(world.visit)
    assert [alarm.code for alarm in tablet.store.alarms()] == ["bad_seal"]
