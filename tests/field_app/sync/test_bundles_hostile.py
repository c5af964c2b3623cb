"""Bundles of a colleague who lies: what only the office may say is never taken from a tablet, whoever sealed it."""

from __future__ import annotations

import pytest

from field_app.acts import visits
from field_app.bundles import taking
from field_app.store.keys import review_key
from shared.accounts import ReviewKeyNamed, ServerNamed
from shared.ledger.branch import branch_bodies
from shared.ledger.bundle import part, seal_bundle
from shared.ledger.crypto import box_address, new_box_key, new_signing_key, verifying_key
from shared.ledger.frame import Frame, cut
from shared.ledger.operation import Body, encode_line, genesis
from shared.observations.record import RecordOpened
from shared.values import PersonId, SubjectId, stamp
from shared.visits import OfficerAssigned
from tests.ground.founding import INSTITUTION
from tests.ground.tablet import Tablet
from tests.ground.world import World


@pytest.fixture
def world(tmp_path):
    with World.open(tmp_path) as opened:
        for tablet in opened.tablets.values():
            visits.start(tablet.store, opened.visit, INSTITUTION, tablet.clock())
            assert tablet.sync().trouble == ""
        for tablet in opened.tablets.values():
            assert tablet.sync().trouble == ""
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
    assert liar.device not in taking._servers(victim.store)
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
