"""Opening the two files of a store, each mended from the other, and telling damage from a disk that does not answer.

Damage is mended and counted; a full disk or one that fails is said and nothing is moved: a start that cannot write is
no reason to put a good database aside. Never begins afresh. Source: SETTLED decisions 35, 36; SECURITY B.19, B.20.
"""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

import msgspec

from field_app.store.copy import Copy, Reading
from field_app.store.database import TABLES, Database
from field_app.store.disk import sync_folder
from field_app.store.errors import not_saved
from field_app.store.kept import Meta, packed
from field_app.store.kept_files import settle_files
from field_app.store.opened import Damage, Opened, load

_DAMAGED = frozenset({
    sqlite3.SQLITE_ERROR, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_FORMAT,
    sqlite3.SQLITE_IOERR_READ, sqlite3.SQLITE_IOERR_SHORT_READ, sqlite3.SQLITE_IOERR_CORRUPTFS,
})  # fmt: skip
"""What SQLite says of a file whose bytes are wrong or cannot be read back, also of tables that are no longer what the
statements ask for; everything else is the disk's trouble."""

_FRESH = "store.db.new"


def is_damage(error: sqlite3.Error) -> bool:
    """Whether the bytes of the file are wrong, and not the disk full or failing for now."""
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT)
    return code in _DAMAGED or code & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def open_files(folder: Path, key: bytes, store: str) -> Opened:
    """Database and copy, each mended from the other, and everything in them in memory.

    Raises NotSaved, StorageFull (the disk does not take what a start writes; nothing was changed), StoreDamaged.
    """
    was_left_in_order = not (folder / "store.db-wal").exists()
    try:
        if (folder / _FRESH).exists() and not (folder / "store.db").exists():
            _exchange_databases(folder)
        copy = Copy(folder / "copy", key, store)
    except OSError as error:
        raise not_saved(error) from error
    damage = Damage()
    try:
        opened = _opened(folder, key, store, copy, damage)
    except sqlite3.Error as error:
        if not is_damage(error):
            copy.close()
            raise not_saved(error) from error
        opened = _opened_anew(folder, key, store, copy, damage)
    except BaseException:
        copy.close()
        raise
    damage.lost_rows += len([1 for table, _ in opened.database.damaged if table != "own"])
    if damage.is_copy_torn and (damage.rebuilt or opened.database.damaged):
        damage.lost_rows += 1  # neither file can say what the other's hole held
    if not was_left_in_order:
        _settle(opened)
    settle_files(opened)
    return opened


def _opened(folder: Path, key: bytes, store: str, copy: Copy, damage: Damage) -> Opened:
    damage.rebuilt |= copy.size > 0 and not (folder / "store.db").exists()
    database = Database(folder / "store.db", key, store)
    try:
        own = _own_of(database, copy, damage)
        opened = Opened(folder, key, database, copy, damage=damage)
        load(opened, own)
    except BaseException:
        database.close()
        raise
    return opened


def _opened_anew(folder: Path, key: bytes, store: str, copy: Copy, damage: Damage) -> Opened:
    try:
        _rebuild(folder, key, store, damage)
        return _opened(folder, key, store, copy, damage)
    except (sqlite3.Error, OSError) as error:
        copy.close()
        raise not_saved(error) from error
    except BaseException:
        copy.close()
        raise


def _settle(opened: Opened) -> None:
    """The last process died: what can be read of its log and of the end of the copy is written once more.

    After a failed fsync bytes may be readable and yet not on the disk; whatever is written behind them would be lost
    with them. Where the disk refuses, the next save says so itself.
    """
    with contextlib.suppress(OSError, sqlite3.Error):
        opened.copy.settle()
        opened.database.fold_log_in()


def _rebuild(folder: Path, key: bytes, store: str, damage: Damage) -> None:
    """A new database from the rows of the old one that still open; the old file stays beside it.

    The new one is made whole under another name first: a start that is interrupted here begins with the old one again.
    """
    rows: list[tuple[str, int, bytes]] = []
    with contextlib.suppress(sqlite3.Error):
        broken = Database(folder / "store.db", key, store)
        for table in TABLES:
            with contextlib.suppress(sqlite3.Error):
                rows += [(table, row, _from_the_start(table, plain)) for row, plain in broken.salvaged(table)]
        broken.let_go()
    fresh = folder / _FRESH
    for suffix in ("", "-wal", "-shm"):
        fresh.with_name(fresh.name + suffix).unlink(missing_ok=True)
    database = Database(fresh, key, store)
    try:
        database.begin()
        for table, row, plain in rows:
            database.put(table, plain, row)
        database.commit()
        database.fold_log_in()
    finally:
        database.let_go()
    _exchange_databases(folder)
    damage.rebuilt = True


def _from_the_start(table: str, plain: bytes) -> bytes:
    """Of a row that is carried over: nobody can tell which frames of others are missing, so all are asked for again."""
    if table != "meta":
        return plain
    return packed(msgspec.structs.replace(msgspec.msgpack.decode(plain, type=Meta), cursor=""))


def _exchange_databases(folder: Path) -> None:
    """The new database takes the place of the old one, which stays beside it; goes on where it was interrupted.

    The old file goes first: as long as it is missing and the new one is there, the new one is whole. Its log goes
    before the new one comes: SQLite would write an old log into a new file.
    """
    number = 1
    while (folder / f"store.db.damaged-{number}").exists() and (folder / "store.db").exists():
        number += 1
    for suffix in ("", "-wal", "-shm"):
        with contextlib.suppress(FileNotFoundError):
            (folder / f"store.db{suffix}").rename(folder / f"store.db.damaged-{number}{suffix}")
    (folder / _FRESH).rename(folder / "store.db")
    sync_folder(folder)


def _own_of(database: Database, copy: Copy, damage: Damage) -> dict[int, bytes]:
    """Own records by number, after each side took from the other what it lacks.

    Where the disk does not take the mending, both stay as they are and it is tried again at the next start.
    """
    own = dict(database.rows("own"))
    lost = {number for table, number in database.damaged if table == "own"}
    reading = copy.read()
    if reading.is_whole and not lost and set(reading.bodies) == set(own):
        return own
    missing = {number: plain for number, plain in reading.bodies.items() if number not in own}
    if missing:
        _put_back(database, missing)
    own = dict(sorted((own | missing).items()))
    database.skip_to("own", max(own, default=0) + 1)
    with contextlib.suppress(OSError):
        _mend_copy(copy, reading, own)
    damage.is_copy_torn |= not reading.is_whole
    damage.lost_rows += len(lost - own.keys())
    tail_only = not lost and not damage.rebuilt and reading.is_whole and all(n >= max(own) for n in missing)
    damage.mended += 0 if tail_only else len(missing) + len(set(own) - set(reading.bodies))
    return own


def _put_back(database: Database, missing: dict[int, bytes]) -> None:
    try:
        database.begin()
        for number, plain in sorted(missing.items()):
            database.put("own", plain, number)
        database.commit()
    except sqlite3.Error as error:
        database.roll_back()
        if is_damage(error):
            raise


def _mend_copy(copy: Copy, reading: Reading, own: dict[int, bytes]) -> None:
    """What is torn at its end is cut off; for a hole in its midst the copy is written anew."""
    lacking = [(number, plain) for number, plain in own.items() if number not in reading.bodies]
    has_torn_end_only = reading.is_whole or reading.lost == [(reading.good_bytes, copy.size)]
    if not has_torn_end_only:
        copy.write_anew(list(own.items()))
        return
    if not reading.is_whole:
        copy.take_off(reading.good_bytes)
    for number, plain in lacking:
        copy.append([(number, plain)])
