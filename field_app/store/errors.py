"""What can go wrong on the tablet's own disk and at its lock, each told apart because a person does something else."""

from __future__ import annotations

import errno
import sqlite3


class StoreError(Exception):
    """Something of the store failed; `code` names the sentence `tablet.<code>`."""

    code = "store_failed"


class NotSaved(StoreError):
    """The disk did not take it: what was typed is not on the disk and has to stay on the screen."""

    code = "not_saved"


class StorageFull(NotSaved):
    """There is no room left, also after the ballast was given up."""

    code = "storage_full"


class StoreBusy(StoreError):
    """Another process has this store open; `owner` is its process id, 0 when it cannot be told."""

    code = "store_busy"

    def __init__(self, owner: int) -> None:
        super().__init__(f"open in process {owner}")
        self.owner = owner


class StoreMissing(StoreError):
    """There is no store in this folder."""

    code = "store_missing"


class StoreStands(StoreError):
    """A store stands in this folder already; a second one never takes its place."""

    code = "store_stands"


class StoreDamaged(StoreError):
    """The database cannot be read; it is rebuilt from the copy, never begun afresh."""

    code = "store_damaged"


class Locked(StoreError):
    """The keys are not in memory."""

    code = "locked"


class PinWrong(StoreError):
    """Not the PIN. `left` tries before the lock is destroyed, `wait` seconds before the next one."""

    code = "pin_wrong"

    def __init__(self, left: int, wait: int) -> None:
        super().__init__(f"{left} left, wait {wait} s")
        self.left, self.wait = left, wait


class PinWait(PinWrong):
    """Nothing was tried: the wait after earlier wrong ones is not over."""

    code = "pin_wait"


class SlotDestroyed(StoreError):
    """No PIN opens the store any more; two keyholders do."""

    code = "slot_destroyed"


class PinWeak(StoreError):
    """The PIN or passphrase is too easy: `reason` is short or simple."""

    code = "pin_weak"

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class BehindOffice(StoreError):
    """The office holds operations of this tablet that it lost itself; they are fetched before it writes on."""

    code = "behind_office"


class NotEnrolled(StoreError):
    """The tablet speaks for nobody yet."""

    code = "not_enrolled"


class ReplyRefused(StoreError):
    """A reply was not taken in, nothing of it: `reason` says why."""

    code = "reply_refused"

    def __init__(self, reason: str, subject: str = "") -> None:
        super().__init__(reason)
        self.reason, self.subject = reason, subject


FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def not_saved(error: OSError | sqlite3.Error) -> NotSaved:
    """The typed error behind a failed write."""
    if isinstance(error, OSError):
        return StorageFull(error.strerror) if error.errno in FULL else NotSaved(str(error.strerror))
    return StorageFull(str(error)) if "full" in str(error) else NotSaved(str(error))
