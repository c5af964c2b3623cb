"""Whatever ends the work on a tablet with something undelivered on it, the undelivered arrives in the end.

There is no logout and nothing to wipe: the ways out are lock, leaving, a kill, a lock destroyed by wrong PINs, a lost
database or copy, a second founding over the folder (refused), a role that ended, a new epoch of the office, months
without a network. A trial takes some of them in a row; a revoked tablet's work arrives kept aside.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from random import Random

import pytest
from sqlmodel import select

from field_app.store.errors import PinWrong, SlotDestroyed, StoreStands
from field_app.store.store import Store
from server.accounts import actions as accounts
from server.ledger import queries
from server.ledger.tables import HeldFrameRow
from shared.accounts import EpochBegun, Role
from shared.ledger.frame import read_frames
from shared.ledger.merge import operations_of
from shared.registry import BODIES
from tests.ground import PIN, Tablet
from tests.ground.tablet import CHEAP
from tests.network.group import Group, at_work
from tests.trials.trial import Ground, Trial

UNDELIVERED = 5
NEW_PIN = "83016254"


def run(seed: int, ground: Ground) -> None:
    """Raises AssertionError when one of the five does not arrive."""
    chance = Random(seed)
    with at_work(ground.folder, ("leader", "other")) as group:
        tablet = group.world.tablets["leader"]
        _record(group, tablet)
        for way in chance.sample(WAYS, chance.randint(1, 3)):
            way(group, tablet)
        revoked = chance.random() < 0.2
        if revoked:
            _revoked(group, tablet)
        _deliver(chance, group, tablet)
        kept_aside = _kept_aside(group)
        arrived = [*group.held().elements(), *kept_aside]
        assert sorted(arrived) == sorted(group.saved), f"saved {group.saved}, arrived {arrived}"
        assert bool(kept_aside) == revoked, kept_aside


def _record(group: Group, tablet: Tablet) -> None:
    tablet.line.online = False
    for _ in range(UNDELIVERED):
        group.answer(tablet)


def _deliver(chance: Random, group: Group, tablet: Tablet) -> None:
    """On the next start with a network."""
    tablet.line.heal()
    for _ in range(3):
        group.world.clock.pass_(seconds=40)
        tablet.sync()
        if chance.random() < 0.3:
            tablet.reopen()
    assert tablet.store.unsent() == 0 or tablet.store.meta.revoked


def _kept_aside(group: Group) -> list[int]:
    with group.world.office.database.read() as session:
        rows = session.exec(select(HeldFrameRow).where(HeldFrameRow.subject == group.record)).all()
        frames = [read_frames(queries.unpacked(row.data)[:-1].split(b"\n"))[0] for row in rows]
    return sorted(group.values([each for frame in frames for each in operations_of(frame, BODIES)[0]]).elements())


# ── ways out ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _locked(group: Group, tablet: Tablet) -> None:
    tablet.store.lock()
    assert tablet.sync().trouble in ("locked", "")
    tablet.store.unlock(PIN, tablet.clock())


def _left(group: Group, tablet: Tablet) -> None:
    tablet.reopen()


def _killed(group: Group, tablet: Tablet) -> None:
    tablet.abandon()


def _wrong_pins(group: Group, tablet: Tablet) -> None:
    """Ten wrong ones destroy the lock; two keyholders open the tablet and a new PIN is set."""
    tablet.close()
    for _ in range(10):
        group.world.clock.pass_(hours=2)
        with pytest.raises((PinWrong, SlotDestroyed)):
            Store.open(tablet.folder, "00000001", tablet.keystore, tablet.clock())
    with pytest.raises(SlotDestroyed):
        Store.open(tablet.folder, PIN, tablet.keystore, tablet.clock() + timedelta(days=1))
    one, other = sorted(group.world.keyholders.items())[:2]
    tablet._store = Store.recover(tablet.folder, one, other, PIN, tablet.keystore)


def _database_lost(group: Group, tablet: Tablet) -> None:
    tablet.close()
    for path in tablet.folder.glob("store.db*"):
        path.unlink()
    assert not tablet.store.damage.is_none


def _copy_lost(group: Group, tablet: Tablet) -> None:
    tablet.close()
    (tablet.folder / "copy").unlink()
    tablet.reopen()
    assert (tablet.folder / "copy").stat().st_size > 0


def _founded_again(group: Group, tablet: Tablet) -> None:
    """Somebody starts the app anew over the folder: what stands there is not touched."""
    tablet.close()
    with pytest.raises(StoreStands):
        Store.create(tablet.folder, NEW_PIN, tablet.keystore, tablet.clock(), CHEAP)


def _role_ended(group: Group, tablet: Tablet) -> None:
    world = group.world
    day = world.office.calendar.day_of(world.now - timedelta(days=1))
    with world.office.database.write() as session:
        accounts.end_role(
            session, world.office, world.people["admin"], world.people["secretary"], tablet.person,
            Role.NPM_MEMBER, day, "left", world.now,
        )  # fmt: skip


def _new_epoch(group: Group, tablet: Tablet) -> None:
    world = group.world
    with world.office.database.write() as session:
        counter = queries.counter_row(session)
        counter.epoch, position = counter.epoch + 1, counter.value
        epoch, subject = counter.epoch, queries.subjects(session, "office")[0]
    world.write(subject, "admin", EpochBegun(epoch=epoch, position=position))


def _months_pass(group: Group, tablet: Tablet) -> None:
    group.world.clock.pass_(days=200)


def _revoked(group: Group, tablet: Tablet) -> None:
    world = group.world
    with world.office.database.write() as session:
        accounts.revoke_device(session, world.office, world.people["admin"], tablet.device, "lost", world.now)


WAYS: tuple[Callable[[Group, Tablet], None], ...] = (
    _locked, _left, _killed, _wrong_pins, _database_lost, _copy_lost, _founded_again, _role_ended, _new_epoch,
    _months_pass,
)  # fmt: skip

TRIAL = Trial(
    "every_exit",
    traps=("B.26",),
    says="Whatever ends the work with five operations undelivered, the five arrive in the end.",
    per_commit=24,
    release=500,
    run=run,
)
