"""What goes wrong in a schedule. Each kind strikes at a random place; a strike counts only when it met something."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from field_app.store.errors import StoreError
from server.accounts import actions as accounts
from server.ledger import queries
from server.ledger.actions import record
from shared.accounts import EpochBegun, ServerNamed
from shared.ledger.crypto import new_id
from shared.values import DeviceId
from tests.ground import PIN, Tablet
from tests.ground.founding import copy_tree
from tests.simulator import invariants
from tests.simulator.disk import flip_byte, lose_cache, ruin_database
from tests.simulator.office_faults import killed_at

if TYPE_CHECKING:
    from tests.simulator.simulation import Simulation

YEARS = (1970, 1999, 2024, 2025, 2026, 2027, 2038, 2099)


def strike(simulation: Simulation) -> None:
    """One fault of a kind drawn by chance."""
    chance = simulation.chance
    name = chance.choices(list(FAULTS), [weight for weight, _ in FAULTS.values()])[0]
    tablet = chance.choice(simulation.tablets)
    simulation.say(f"fault {name} at {tablet.name}")
    if FAULTS[name][1](simulation, tablet):
        simulation.met[name] += 1


def _on_line(kind: str) -> Callable[[Simulation, Tablet], bool]:
    """The next one or two requests meet it, with something new to send."""

    def struck(simulation: Simulation, tablet: Tablet) -> bool:
        simulation.act(tablet)
        tablet.line.fail(kind, at=simulation.chance.random(), times=simulation.chance.choice([1, 1, 2]))  # type: ignore[arg-type]
        before = len(tablet.line.faults)
        simulation.sync(tablet)
        met = len(tablet.line.faults) < before or tablet.line.faults[0].times < 2 if tablet.line.faults else True
        tablet.line.faults.clear()
        return met

    return struck


def _late(simulation: Simulation, tablet: Tablet) -> bool:
    met = bool(tablet.line.late)
    tablet.line.deliver_late()
    return met


def _offline(simulation: Simulation, tablet: Tablet) -> bool:
    """No network for a while: the person works on and the tablet tries in vain."""
    tablet.line.online = False
    for _ in range(simulation.chance.randint(1, 4)):
        simulation.act(tablet)
    simulation.sync(tablet)
    tablet.line.online = True
    return True


def _client_kill(simulation: Simulation, tablet: Tablet) -> bool:
    """The app dies at a write point of whatever it does next, or between two acts."""
    _ = tablet.store
    simulation.disk.arm_kill(tablet.folder, simulation.chance.randint(1, 16))
    _act_or_sync(simulation, tablet)
    if simulation.disk.folder is not None:
        simulation.killed(tablet, "killed between acts")
    return True


def _act_or_sync(simulation: Simulation, tablet: Tablet) -> None:
    if simulation.chance.random() < 0.5:
        simulation.act(tablet)
    else:
        simulation.sync(tablet)


def _power(simulation: Simulation, tablet: Tablet) -> bool:
    """As a kill, and what the disk had not been told to keep is gone; sometimes the database with it."""
    _client_kill(simulation, tablet)
    tablet.abandon()
    lose_cache(simulation.disk, tablet.folder)
    if simulation.chance.random() < 0.5:
        ruin_database(tablet.folder)
        simulation.saves.drafts.pop(tablet.name, None)
        simulation.say(f"{tablet.name}: database ruined")
    _open_again(simulation, tablet)
    return True


def _flip(simulation: Simulation, tablet: Tablet) -> bool:
    """A byte of a file is another."""
    tablet.close() if simulation.chance.random() < 0.5 else tablet.abandon()
    names = [name for name in ("store.db", "store.db-wal", "copy") if (tablet.folder / name).exists()]
    name = simulation.chance.choice(names)
    flip_byte(tablet.folder / name, simulation.chance.random())
    simulation.say(f"{tablet.name}: a byte of {name}")
    if name != "copy":
        simulation.saves.drafts.pop(tablet.name, None)
    _open_again(simulation, tablet)
    return True


def _open_again(simulation: Simulation, tablet: Tablet) -> None:
    invariants.nothing_lost_here(simulation, tablet)
    simulation.saves.fresh(tablet)


def _full(simulation: Simulation, tablet: Tablet) -> bool:
    """No room on the tablet's disk for some writes."""
    _ = tablet.store
    simulation.disk.arm_full(tablet.folder, simulation.chance.randint(1, 8), simulation.chance.choice([1, 2, 500]))
    for _number in range(3):
        _act_or_sync(simulation, tablet)
    met = simulation.disk.met > 0
    simulation.disk.calm()
    return met


def _clock(simulation: Simulation, tablet: Tablet) -> bool:
    """The tablet's clock leaps to another year, or some hours back."""
    if simulation.chance.random() < 0.5:
        year = simulation.chance.choice(YEARS)
        tablet.clock.set_to(datetime(year, simulation.chance.randint(1, 12), 15, 12, tzinfo=UTC))
    else:
        tablet.clock.error -= timedelta(hours=simulation.chance.randint(1, 400))
    simulation.say(f"{tablet.name}: its clock says {tablet.clock():%Y-%m-%d %H:%M}")
    simulation.act(tablet)
    return True


def _restart(simulation: Simulation, tablet: Tablet) -> bool:
    tablet.reopen()
    simulation.saves.fresh(tablet)
    invariants.drafts_kept(simulation, tablet)
    return True


def _locked(simulation: Simulation, tablet: Tablet) -> bool:
    """Locked while it syncs, unlocked by the PIN afterwards."""
    worker = tablet.worker
    tablet.store.lock()
    worker.run_once()
    tablet.store.unlock(PIN, tablet.clock())
    return True


def _two_syncs(simulation: Simulation, tablet: Tablet) -> bool:
    """Button and timer: a second round is asked for while the first waits for its answer."""
    simulation.act(tablet)
    worker = tablet.worker
    at = simulation.chance.randint(1, 2)
    calls = 0

    def between(method: str, path: str) -> None:
        nonlocal calls
        if path == "/api/sync":
            calls += 1
            if calls == at:
                worker.run_once()

    tablet.line.on_call = between
    try:
        simulation.sync(tablet)
    finally:
        tablet.line.on_call = lambda method, path: None
    return calls >= at


def _mid_sync(simulation: Simulation, tablet: Tablet) -> bool:
    """The office acts, or a colleague's tablet pushes, between two requests of one round."""
    acts = 0

    def between(method: str, path: str) -> None:
        nonlocal acts
        if path == "/api/sync" and acts < 2:
            acts += 1
            tablet.line.on_call = lambda method, path: None
            if simulation.chance.random() < 0.5:
                simulation.office_acts()
            else:
                others = [each for each in simulation.tablets if each.line is not tablet.line]
                simulation.sync(simulation.chance.choice(others))
            tablet.line.on_call = between

    simulation.act(tablet)
    tablet.line.on_call = between
    try:
        simulation.sync(tablet)
    finally:
        tablet.line.on_call = lambda method, path: None
    return acts > 0


def _office_kill(simulation: Simulation, tablet: Tablet) -> bool:
    """The office dies while it takes something in."""
    simulation.act(tablet)
    with killed_at(simulation.world, simulation.chance.randint(1, 90)) as seen:
        simulation.sync(tablet)
    return seen["met"] > 0


def _office_restart(simulation: Simulation, tablet: Tablet) -> bool:
    simulation.world.restart_office()
    return True


def take_backup(simulation: Simulation) -> None:
    """A backup of the office as it is now."""
    target = simulation.world.folder / f"backup-{len(simulation.backups)}"
    simulation.backups.append(simulation.world.kept_copy(target))


def _backup_or_restore(simulation: Simulation, tablet: Tablet) -> bool:
    """The office is set back to an earlier copy of its data and begins a new epoch."""
    if simulation.restores or simulation.chance.random() < 0.5:
        take_backup(simulation)
        return False
    restore(simulation, simulation.chance.randrange(len(simulation.backups)))
    return True


def restore(simulation: Simulation, number: int) -> None:
    """Puts a backup in the place of the data: a new device of the same office, the next epoch."""
    world = simulation.world
    simulation.scope.look(world)
    world.office.database.engine.dispose()
    for name in ("office.db", "office.db-wal", "office.db-shm"):
        (world.office.config.data / name).unlink(missing_ok=True)
    shutil.rmtree(world.office.media, ignore_errors=True)
    shutil.copyfile(simulation.backups[number] / "office.db", world.office.config.data / "office.db")
    if (simulation.backups[number] / "media").exists():
        shutil.copytree(simulation.backups[number] / "media", world.office.media)
    device = DeviceId(new_id(int(world.now.timestamp() * 1000)))
    world.office = replace(world.office, keys=replace(world.office.keys, device=device))
    world.restart_office()
    with world.office.database.write() as session:
        counter = queries.counter_row(session)
        position, counter.epoch = counter.value, counter.epoch + 1
        bodies = [
            ServerNamed(device=device, key=world.office.keys.sign_key),
            EpochBegun(epoch=counter.epoch, position=position),
        ]
        office = queries.subjects(session, "office")[0]
        record(session, world.office, office, world.people["admin"], bodies, world.now)
    simulation.restores += 1
    simulation.scope.forget_withdrawals()
    simulation.scope.look(world)
    simulation.say(f"office restored from backup {number}, epoch {simulation.restores + 1}")


def _clone(simulation: Simulation, tablet: Tablet) -> bool:
    """The tablet's folder is copied to a second one, and both go on."""
    if simulation.twins or tablet.name in simulation.revoked:
        return False
    tablet.close()
    twin = Tablet(
        f"{tablet.name}-twin", simulation.world.folder / f"{tablet.name}-twin", tablet.person, tablet.device,
        tablet.line, replace(tablet.clock), tablet.keystore,
    )  # fmt: skip
    copy_tree(tablet.folder, twin.folder)
    saves = simulation.saves
    for (name, subject), length in list(saves.lengths.items()):
        if name == tablet.name:
            saves.lengths[twin.name, subject] = length
    saves.drafts[twin.name] = dict(saves.drafts.get(tablet.name, {}))
    simulation.twins.append(twin)
    simulation.cloned |= {tablet.name, twin.name}
    for each in (tablet, twin):
        for _number in range(simulation.chance.randint(1, 3)):
            simulation.act(each)
    return True


def _revoke(simulation: Simulation, tablet: Tablet) -> bool:
    """The office takes a tablet's rights back, whatever it has not sent yet."""
    if simulation.revoked or simulation.chance.random() < 0.5:
        return False
    simulation.act(tablet)
    world = simulation.world
    with world.office.database.write() as session, contextlib.suppress(StoreError):
        accounts.revoke_device(session, world.office, world.people["admin"], tablet.device, "lost", world.now)
    simulation.revoked |= {each.name for each in simulation.tablets if each.device == tablet.device}
    for each in simulation.tablets:
        if each.device == tablet.device:
            invariants.note_revoked(simulation, each)
    return True


FAULTS: dict[str, tuple[float, Callable[[Simulation, Tablet], bool]]] = {
    "drop_request": (2, _on_line("drop_request")),
    "drop_response": (4, _on_line("drop_response")),
    "duplicate": (3, _on_line("duplicate")),
    "delay": (3, _on_line("delay")),
    "cut_request": (3, _on_line("cut_request")),
    "cut_response": (3, _on_line("cut_response")),
    "clip_response": (3, _on_line("clip_response")),
    "error": (1, _on_line("error")),
    "gate": (1, _on_line("gate")),
    "reset": (1, _on_line("reset")),
    "late": (3, _late),
    "offline": (2, _offline),
    "client_kill": (6, _client_kill),
    "power": (3, _power),
    "flip": (2, _flip),
    "disk_full": (4, _full),
    "clock": (4, _clock),
    "app_restart": (2, _restart),
    "locked": (1, _locked),
    "two_syncs": (3, _two_syncs),
    "mid_sync": (3, _mid_sync),
    "office_kill": (5, _office_kill),
    "office_restart": (1, _office_restart),
    "restore": (2, _backup_or_restore),
    "clone": (1.2, _clone),
    "revoke": (1.2, _revoke),
}
