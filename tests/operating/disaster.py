"""A world whose office is backed up, lost and put back: by the product's own functions, on fresh databases."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, field, replace
from pathlib import Path

from sqlmodel import select

from server.app import keys_in_force
from server.backup.keys import keep_address
from server.backup.making import Made, make_backup
from server.backup.restoring import Restored, begin_epoch, restore
from server.ledger.queries import frame_of
from server.ledger.tables import FrameRow
from server.migrations import migrate
from server.office import Office
from shared.ledger.crypto import box_address, new_box_key
from shared.values import DeviceId
from tests.ground import Tablet, World
from tests.ground.world import _database

Operation = tuple[str, str, int, str]
"""Subject, device, seq, id."""


def silent(what: str, done: int, of: int) -> None:
    """Nobody watches."""


@dataclass
class Disasters:
    """What befalls the office of one world. Backups go to one folder, databases are numbered."""

    world: World
    secret: bytes = field(default_factory=new_box_key)
    made: list[Made] = field(default_factory=list)
    _count: int = 0

    def __post_init__(self) -> None:
        keep_address(self.world.office.config.keys, box_address(self.secret).hex())

    @property
    def target(self) -> Path:
        """The folder of backups."""
        return self.world.folder / "backups"

    def back_up(self) -> Made:
        """A backup, proven."""
        self.world.clock.pass_(seconds=1)
        made = make_backup(self.world.office, self.target, self.world.clock, silent)
        assert made.is_proven
        self.made.append(made)
        return made

    def restore(self, made: Made, url: str = "") -> Restored:
        """The database is gone; a new one, empty, takes the backup."""
        self._count += 1
        world = self.world
        world.office.database.engine.dispose()
        url = url or f"sqlite:///{world.folder / f'office-{self._count}.db'}"
        migrate(url)
        config = replace(world.office.config, database=url)
        keys = replace(world.office.keys, device=world._founded.office.keys.device)
        office = replace(world.office, config=config, database=_database(url, world._founded), keys=keys)
        done = restore(office, made.path, self.secret, made.path.parent / "media", world.now, silent)
        world.office = replace(office, keys=keys_in_force(office.database, keys))
        return done

    def put_back(self, copy: Path, *, is_said: bool) -> None:
        """Somebody puts an old copy of the file back, and says so by `begin-epoch` or says nothing."""
        self._count += 1
        world = self.world
        world.office.database.engine.dispose()
        config = replace(world.office.config, database=f"sqlite:///{copy}")
        database = _database(config.database, world._founded)
        keys = keys_in_force(database, world.office.keys)
        world.office = replace(world.office, config=config, database=database, keys=keys)
        if is_said:
            world.office = replace(world.office, keys=begin_epoch(world.office, world.now)[2])

    def copy(self) -> Path:
        """A copy of the database file, taken by other means than `backup`."""
        self._count += 1
        copy = self.world.folder / f"copy-{self._count}.db"
        source = sqlite3.connect(self.world.office.config.database.removeprefix("sqlite:///"))
        into = sqlite3.connect(copy)
        source.backup(into)
        source.close()
        into.close()
        return copy


def at_the_office(world: World) -> set[Operation]:
    """Every operation the office of a world holds in its ledger."""
    return on_the_office(world.office)


def on_the_office(office: Office) -> set[Operation]:
    """Every operation an office holds in its ledger."""
    found: set[Operation] = set()
    with office.database.read() as session:
        for row in session.exec(select(FrameRow)):
            ids = frame_of(row).ids()
            found |= {(row.subject, row.device, row.first + n, id_.hex()) for n, id_ in enumerate(ids)}
    return found


def on_the_tablet(tablet: Tablet) -> set[Operation]:
    """Every operation a tablet holds, its own and others'."""

    def work(opened: object) -> set[Operation]:
        return {
            (subject, device, seq, id_)
            for subject, held in opened.book.subjects.items()  # type: ignore[attr-defined]
            for device, ids in held.chains.items()
            for seq, id_ in enumerate(ids, 1)
        }

    return tablet.store.reading(work)


def device_of(tablet: Tablet) -> DeviceId:
    """The device a tablet writes under."""
    return DeviceId(tablet.store.identity.device)
