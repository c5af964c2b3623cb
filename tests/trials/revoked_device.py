"""A tablet is revoked at a random moment: all it had saved reaches the office and is flagged, nothing more reaches it,
and when two people take it in, it stands in the ledger for everybody."""

from __future__ import annotations

from random import Random

from server.accounts.actions import revoke_device
from tests.ground import Tablet, World
from tests.network.quarantined import at_office, begin, check_ledger, own_ids, take_all_in, write
from tests.trials.trial import Ground, Trial


def run(seed: int, ground: Ground) -> None:
    """Raises AssertionError when something is lost, pulled after the revocation, or shown as received too early."""
    chance = Random(seed)
    with World.open(ground.folder / "world", tablets=("leader", "other")) as world:
        leader, other = world.tablets["leader"], world.tablets["other"]
        record = begin(world, "leader", "other")
        moment = chance.randrange(8)
        held = -1
        for step in range(9):
            if step == moment:
                _revoke(world, other)
                held = _foreign(other)
            _act(chance, world, leader, other, record)
        other.sync()
        _check_before(world, other, held)
        take_all_in(chance, world)
        done = other.sync()
        assert done.trouble == "revoked", done
        leader.sync()
        ledger, kept = at_office(world)
        saved = own_ids(other)
        assert saved <= ledger, f"{len(saved - ledger)} operations are not in the ledger"
        assert not kept
        assert other.store.unsent() == 0, "the tablet did not learn that everything was taken in"
        assert _foreign(other) == held, "a revoked tablet was given frames"
        assert saved <= _all_ids(leader), "the group did not get what was taken in"
        check_ledger(world)


def _act(chance: Random, world: World, leader: Tablet, other: Tablet, record: str) -> None:
    for tablet in (leader, other):
        if chance.random() < 0.8:
            write(chance, tablet, record, chance.randint(1, 4))  # type: ignore[arg-type]
        if chance.random() < 0.5:
            tablet.sync()
    world.clock.pass_(minutes=chance.randint(1, 90))


def _revoke(world: World, tablet: Tablet) -> None:
    with world.office.database.write() as session:
        revoke_device(session, world.office, world.people["admin"], tablet.device, "lost", world.now)


def _foreign(tablet: Tablet) -> int:
    return len(_all_ids(tablet) - own_ids(tablet))


def _all_ids(tablet: Tablet) -> set[str]:
    return {id_ for held in tablet.store._o.book.subjects.values() for ids in held.chains.values() for id_ in ids}


def _check_before(world: World, other: Tablet, held: int) -> None:
    """Before anybody decided: everything is at the office; what came too late is kept aside and so shown."""
    ledger, kept = at_office(world)
    saved = own_ids(other)
    assert saved <= ledger | kept, f"{len(saved - ledger - kept)} operations did not reach the office"
    late = [cut for cut in other.store._o.cuts if not cut.is_received]
    assert {cut.state.status for cut in late} <= {"quarantined"}, late
    assert {cut.head for cut in late} == {cut.head for cut in other.store._o.cuts if cut.head not in ledger}
    assert bool(other.store.unsent()) >= bool(late and any(cut.header.count for cut in late)) or not late
    assert _foreign(other) == held, "a revoked tablet was given frames"


TRIAL = Trial(
    "revoked_device",
    traps=("B.8",),
    says="Revoked at a random moment a tablet loses nothing and gets nothing; two people take in what it still held.",
    per_commit=20,
    release=500,
    run=run,
)
