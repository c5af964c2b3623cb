"""The key of a tablet's store and the two slots it lies in: the owner's PIN, and two of three keyholders.

Slot A opens with the PIN and the keystore of this very tablet, and is destroyed at the tenth wrong try. Slot B is the
key in six halves for the keyholders and is never destroyed. Wrong tries are counted before each try in a file of their
own, written over at its place so that a full disk is no lock-out; once there is a wrong one they are counted in the
vault's file too, so that taking the first away gives no new tries. Holds no content.
Source: SECURITY A.5 and A.6, SETTLED decisions 37 and 38.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Protocol

import msgspec

from field_app.store.disk import drop_ballast, write_over, write_whole
from field_app.store.errors import (
    NotSaved,
    PinWait,
    PinWeak,
    PinWrong,
    SlotDestroyed,
    StoreMissing,
    StoreStands,
    not_saved,
)
from shared.ledger.crypto import (
    LEAST_EFFORT,
    Effort,
    SealBroken,
    derived,
    new_key,
    random_bytes,
    seal,
    sha256,
    stretched,
    unseal,
)
from shared.ledger.sealing import Wrap, halves_for, whole_from_halves

WAITS = (0, 0, 0, 0, 0, 30, 60, 5 * 60, 15 * 60, 60 * 60)
"""Seconds to wait before the try that follows n wrong ones. Source: SETTLED decision 38."""
TRIES = len(WAITS)
FREE_TRIES = WAITS.count(0)
MOST_PASSES = 24
SLOT_B = "slot_b"


class Keystore(Protocol):
    """What the tablet's hardware keeps: a key that never leaves it."""

    def secret(self) -> bytes:
        """32 bytes that only this tablet knows, the same at every call."""
        ...


class SlotA(msgspec.Struct, frozen=True):
    """The store key sealed under PIN and keystore; the effort of Argon2id stands beside it."""

    salt: bytes
    memory_kib: int
    passes: int
    lanes: int
    sealed: bytes


class Slots(msgspec.Struct, frozen=True):
    """The vault's file. No slot A: it was destroyed. No slot B: the tablet was never enrolled."""

    store: str
    a: SlotA | None
    b: tuple[Wrap, ...] = ()
    wrong: int = 0
    """Wrong tries, once more."""


class Tries(msgspec.Struct, frozen=True):
    """Wrong tries since the last right one, and when the last was made (seconds since 1970)."""

    wrong: int
    at: float


def pin_weakness(pin: str) -> str:
    """Why a PIN or passphrase is refused: "short", "simple", or "" when it will do.

    At least 8 digits; or 4 words; or 10 characters of two sorts. Digits all alike or counted up or down are simple.
    """
    if pin.isdigit():
        steps = {int(right) - int(left) for left, right in pairwise(pin)}
        if len(pin) < 8:
            return "short"
        return "simple" if len(steps) == 1 and steps <= {0, 1, -1} else ""
    words = [word for word in re.split(r"[\s\-]+", pin.strip()) if len(word) >= 3]
    if len(words) >= 4:
        return "simple" if len(set(words)) < 4 else ""
    sorts = sum(bool(re.search(sort, pin)) for sort in (r"\d", r"[^\W\d_]", r"[^\w\s]|_"))
    return "" if len(pin) >= 10 and sorts >= 2 and len(set(pin)) >= 5 else "short"


def calibrated(clock: Callable[[], float], goal_seconds: float = 0.5) -> Effort:
    """The effort that costs this tablet about `goal_seconds`, never less than the floor."""
    begun = clock()
    stretched(b"measured", bytes(16), LEAST_EFFORT)
    spent = max(clock() - begun, 0.001)
    passes = int(LEAST_EFFORT.passes * goal_seconds / spent)
    return LEAST_EFFORT._replace(passes=min(max(LEAST_EFFORT.passes, passes), MOST_PASSES))


def _opening_key(pin: str, keystore: Keystore, salt: bytes, effort: Effort) -> bytes:
    return derived(stretched(pin.encode(), salt, effort), keystore.secret(), b"qorgan/slot-a/1")


def _slot_a(key: bytes, pin: str, keystore: Keystore, store: str, effort: Effort) -> SlotA:
    salt = random_bytes(16)
    sealed = seal(_opening_key(pin, keystore, salt, effort), key, store.encode())
    return SlotA(salt, effort.memory_kib, effort.passes, effort.lanes, sealed)


class Vault:
    """The two slots of one store, in the files `vault` and `tries` of its folder."""

    def __init__(self, folder: Path, keystore: Keystore) -> None:
        """Raises StoreMissing."""
        self.folder, self._keystore = folder, keystore
        try:
            self._slots = msgspec.msgpack.decode((folder / "vault").read_bytes(), type=Slots)
        except FileNotFoundError:
            raise StoreMissing(str(folder)) from None

    @property
    def store(self) -> str:
        """The id of the store this vault opens."""
        return self._slots.store

    @property
    def is_destroyed(self) -> bool:
        """Whether no PIN opens it any more."""
        return self._slots.a is None

    @property
    def is_recoverable(self) -> bool:
        """Whether two keyholders can open it."""
        return bool(self._slots.b)

    @classmethod
    def make(cls, folder: Path, pin: str, keystore: Keystore, store: str, effort: Effort = LEAST_EFFORT) -> bytes:
        """A new vault; the store key it holds. Raises PinWeak, StoreStands."""
        _require_strong(pin)
        if (folder / "vault").exists():
            raise StoreStands(str(folder))
        key = new_key()
        _write_tries(folder, keystore, Tries(0, 0.0))
        _write_slots(folder, Slots(store, _slot_a(key, pin, keystore, store, effort)))
        return key

    def open(self, pin: str, now: datetime) -> bytes:
        """The store key. The try is counted on the disk before it is made.

        Raises PinWrong, PinWait (nothing was tried), SlotDestroyed; NotSaved, StorageFull (it could not be counted and
        was not made).
        """
        slot = self._slots.a
        if slot is None:
            raise SlotDestroyed(str(self.folder))
        tries = self._tries(now)
        if tries.wrong >= TRIES:
            self._wrong(tries.wrong)
        wait = _wait_left(tries, now)
        if wait:
            if now.timestamp() < tries.at:  # the clock went back: the wait begins again, it never lasts for years
                self._count(tries.wrong, now)
            raise PinWait(TRIES - tries.wrong, wait)
        self._count(tries.wrong + 1, now)
        effort = Effort(slot.memory_kib, slot.passes, slot.lanes)
        try:
            key = unseal(_opening_key(pin, self._keystore, slot.salt, effort), slot.sealed, self.store.encode())
        except SealBroken:
            self._keep_wrong(tries.wrong + 1)
            self._wrong(tries.wrong + 1)
        self._count(0, now)
        return key

    def _count(self, wrong: int, now: datetime) -> None:
        """Keeps the number of wrong tries before a try: beside the vault always, in it unless it is the first one."""
        try:
            if self._slots.wrong != wrong and (wrong != 1 or self._slots.wrong > 1):
                self._keep_wrong(wrong)
            _write_tries(self.folder, self._keystore, Tries(wrong, now.timestamp()))
        except OSError as error:
            raise not_saved(error) from error

    def _keep_wrong(self, wrong: int) -> None:
        if self._slots.wrong != wrong:
            try:
                self._replace(msgspec.structs.replace(self._slots, wrong=wrong))
            except OSError as error:
                raise not_saved(error) from error

    def _wrong(self, wrong: int) -> None:
        if wrong >= TRIES:
            with contextlib.suppress(OSError):  # a disk that does not take it now takes it at the next try
                self.destroy()
            raise SlotDestroyed(str(self.folder)) from None
        raise PinWrong(TRIES - wrong, WAITS[wrong]) from None

    def destroy(self) -> None:
        """Slot A is no more: the evidence stays sealed until two keyholders open it."""
        self._replace(msgspec.structs.replace(self._slots, a=None))

    def change_pin(self, key: bytes, pin: str, effort: Effort = LEAST_EFFORT) -> None:
        """A new PIN for the store key given. Raises PinWeak."""
        _require_strong(pin)
        slot = _slot_a(key, pin, self._keystore, self.store, effort)
        self._replace(msgspec.structs.replace(self._slots, a=slot, wrong=0))
        _write_tries(self.folder, self._keystore, Tries(0, 0.0))

    def entrust(self, key: bytes, keyholders: Mapping[int, bytes]) -> None:
        """Slot B: the store key in six halves for keyholders 1, 2, 3 (number → X25519 address)."""
        self._replace(msgspec.structs.replace(self._slots, b=halves_for(keyholders, key, self.store, SLOT_B)))

    def recover(
        self, one: tuple[int, bytes], other: tuple[int, bytes], pin: str, effort: Effort = LEAST_EFFORT
    ) -> bytes:
        """The key from two keyholders, (number, X25519 secret) each; sets a new PIN. Raises SealBroken, PinWeak."""
        _require_strong(pin)
        key = whole_from_halves(self._slots.b, one, other, self.store, SLOT_B)
        self.change_pin(key, pin, effort)
        return key

    def wait_left(self, now: datetime) -> int:
        """Seconds before the next try may be made."""
        return 0 if self.is_destroyed else _wait_left(self._tries(now), now)

    def _tries(self, now: datetime) -> Tries:
        try:
            sealed = (self.folder / "tries").read_bytes()
            tries = msgspec.msgpack.decode(unseal(_tries_key(self._keystore), sealed, b"tries"), type=Tries)
        except (FileNotFoundError, SealBroken, msgspec.DecodeError):
            # Somebody took the counter away: the free tries are gone with it, the waits go on from the vault's count.
            wrong = max(FREE_TRIES, self._slots.wrong)
            with contextlib.suppress(NotSaved):
                self._count(wrong, now)
            return Tries(wrong, now.timestamp())
        return msgspec.structs.replace(tries, wrong=max(tries.wrong, self._slots.wrong))

    def _replace(self, slots: Slots) -> None:
        """The vault's file anew; on a full disk the ballast is given up for it. Raises OSError."""
        try:
            _write_slots(self.folder, slots)
        except OSError:
            if not drop_ballast(self.folder):
                raise
            _write_slots(self.folder, slots)
        self._slots = slots


def _require_strong(pin: str) -> None:
    weakness = pin_weakness(pin)
    if weakness:
        raise PinWeak(weakness)


def _wait_left(tries: Tries, now: datetime) -> int:
    wait = WAITS[min(tries.wrong, TRIES - 1)]
    passed = now.timestamp() - tries.at
    return max(0, round(wait - passed)) if passed >= 0 else wait


def _tries_key(keystore: Keystore) -> bytes:
    return sha256(b"qorgan/tries/1\n" + keystore.secret())


def _write_tries(folder: Path, keystore: Keystore, tries: Tries) -> None:
    write_over(folder / "tries", seal(_tries_key(keystore), msgspec.msgpack.encode(tries), b"tries"))


def _write_slots(folder: Path, slots: Slots) -> None:
    write_whole(folder / "vault", msgspec.msgpack.encode(slots))
