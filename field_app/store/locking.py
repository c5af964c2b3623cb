"""Making, opening, locking and giving back a store: one process at a time has the folder, keys only between unlock
and lock. Source: SECURITY A.5, SETTLED decisions 37 and 38.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Self, TypeVar

import msgspec

from field_app.store.copy import Copy
from field_app.store.database import Database
from field_app.store.disk import FolderLock, keep_ballast, make_folders, need_room
from field_app.store.errors import Locked, NotSaved, StoreMissing, StoreStands
from field_app.store.kept import ALARM_LIMIT, Alarm, Identity, OwnIdentity
from field_app.store.mending import open_files
from field_app.store.opened import Opened
from field_app.store.vault import Keystore, Vault
from shared.ledger.crypto import (
    LEAST_EFFORT,
    Effort,
    new_box_key,
    new_id,
    new_signing_key,
    same,
)
from shared.values import stamp

Result = TypeVar("Result")


class Locking:
    """The part of a store that is made, opened, locked and given back; `Store` adds what lies in it."""

    def __init__(self, folder: Path, vault: Vault, lock: FolderLock, key: bytes, now: datetime | None = None) -> None:
        self.folder, self.vault = folder, vault
        self._owner = lock
        self._lock = threading.RLock()
        self._opened: Opened | None = None
        self._open(key, now)

    def _open(self, key: bytes, now: datetime | None = None) -> None:
        self._opened = open_files(self.folder, key, self.vault.store)
        if not self._opened.damage.is_none:
            _tell(self._opened, stamp(now) if now else "")
        self._opened.lay_ballast = lambda: keep_ballast(self.folder)
        self._opened.lay_ballast()

    @classmethod
    def create(cls, folder: Path, pin: str, keystore: Keystore, now: datetime, effort: Effort = LEAST_EFFORT) -> Self:
        """A new store with fresh device keys, unlocked. Raises PinWeak, StoreStands, StoreBusy, OSError."""
        make_folders(folder)
        lock = FolderLock(folder)
        try:
            if (folder / "store.db").exists() or (folder / "copy").exists():
                raise StoreStands(str(folder))
            store = new_id(milliseconds(now))
            key = Vault.make(folder, pin, keystore, store, effort)
            for name in ("media", "packs"):
                (folder / name).mkdir(exist_ok=True)
            _begin(folder, key, store)
            return cls(folder, Vault(folder, keystore), lock, key)
        except BaseException:
            lock.release()
            raise

    @classmethod
    def open(cls, folder: Path, pin: str, keystore: Keystore, now: datetime) -> Self:
        """The store of the folder, unlocked.

        Raises StoreMissing, StoreBusy, PinWrong, PinWait, SlotDestroyed, StoreDamaged.
        """
        if not (folder / "vault").exists():
            raise StoreMissing(str(folder))
        need_room(folder)
        lock = FolderLock(folder)
        try:
            vault = Vault(folder, keystore)
            return cls(folder, vault, lock, vault.open(pin, now), now)
        except BaseException:
            lock.release()
            raise

    @classmethod
    def recover(
        cls, folder: Path, one: tuple[int, bytes], other: tuple[int, bytes], pin: str, keystore: Keystore
    ) -> Self:
        """Opened by two keyholders, (number, X25519 secret) each, with a new PIN. Raises SealBroken, PinWeak."""
        need_room(folder)
        lock = FolderLock(folder)
        try:
            vault = Vault(folder, keystore)
            return cls(folder, vault, lock, vault.recover(one, other, pin))
        except BaseException:
            lock.release()
            raise

    def unlock(self, pin: str, now: datetime) -> None:
        """Takes the keys into memory again after `lock`. Raises PinWrong, PinWait, SlotDestroyed."""
        need_room(self.folder)
        key = self.vault.open(pin, now)
        with self._lock:
            if self._opened is None:
                self._open(key, now)

    def check_pin(self, pin: str, now: datetime) -> None:
        """The PIN once more, before a signature; counted as any try. Raises PinWrong, PinWait, SlotDestroyed."""
        key = self.vault.open(pin, now)
        if not same(key, self._o.key):
            raise Locked(str(self.folder))

    def lock(self) -> None:
        """Forgets every key and everything opened; the folder stays this process's."""
        with self._lock:
            if self._opened is not None:
                self._opened.close()
                self._opened = None

    def close(self) -> None:
        """Locks, and lets another process have the folder."""
        self.lock()
        self._owner.release()

    @property
    def is_locked(self) -> bool:
        """Whether the keys are out of memory."""
        return self._opened is None

    @property
    def _o(self) -> Opened:
        if self._opened is None:
            raise Locked(str(self.folder))
        return self._opened

    def reading(self, ask: Callable[[Opened], Result]) -> Result:
        """An answer from the opened store, under its lock. For `exchange` and `rows`; screens have the methods here."""
        with self._lock:
            return ask(self._o)


def milliseconds(now: datetime) -> int:
    """Milliseconds since 1970, for new ids."""
    return int(now.timestamp() * 1000)


def _tell(opened: Opened, at: str) -> None:
    """What a start found damaged stays among the alarms after the next one; where it cannot be kept it is said now."""
    damage = opened.damage
    lost = damage.lost_rows or damage.unplaced or damage.lost_files
    alarm = Alarm("store_lost" if lost else "store_mended", at=at)
    if opened.meta.alarms and opened.meta.alarms[-1].code == alarm.code:
        return
    opened.meta = msgspec.structs.replace(opened.meta, alarms=(*opened.meta.alarms, alarm)[-ALARM_LIMIT:])
    with contextlib.suppress(NotSaved):
        opened.write(lambda writing: writing.put("meta", opened.meta, 1))


def _begin(folder: Path, key: bytes, store: str) -> None:
    """The first record of a new store: the device's keys."""

    opened = Opened(folder, key, Database(folder / "store.db", key, store), Copy(folder / "copy", key, store))
    identity = Identity(sign_seed=new_signing_key(), box_secret=new_box_key())
    opened.write(lambda writing: writing.own(OwnIdentity(identity)))
    opened.close()
