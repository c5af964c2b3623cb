"""The key that backups are sealed to: its private half in a file under a passphrase, kept away from every server.

The office holds the address alone (`backup.address` in the folder of keys): it can make backups and cannot open one.
Source: SETTLED decisions 10, 33; decision 0014.
"""

from __future__ import annotations

import os
from pathlib import Path

from server.keys import new_key_file, open_key_file
from shared.ledger.crypto import SealBroken
from shared.values import is_hash

_ABOUT = b"qorgan/backup-key/1"
_NAME = "backup.address"


class NoBackupKey(Exception):
    """The office was given no address to seal backups to."""


class BackupKeyLocked(Exception):
    """The passphrase does not open the key file, or it is none. The message is its path."""


def new_backup_key(path: Path) -> tuple[str, str]:
    """A fresh private half in the file; its address (64 hex) and the passphrase that opens the file, kept nowhere.

    Raises FileExistsError: a key is never overwritten.
    """
    return new_key_file(path, _ABOUT)


def open_backup_key(path: Path, passphrase: str) -> bytes:
    """The private half behind a key file. Raises FileNotFoundError, BackupKeyLocked."""
    try:
        return open_key_file(path, passphrase, _ABOUT)
    except SealBroken as error:
        raise BackupKeyLocked(str(path)) from error


def keep_address(folder: Path, address: str) -> None:
    """From now on backups are sealed to this address (64 hex). Older ones still need the key they were made for.

    Raises ValueError when it is no address.
    """
    if not is_hash(address):
        raise ValueError(address)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    part = folder / f"{_NAME}.part"
    with part.open("w", encoding="ascii") as file:
        file.write(address + "\n")
        file.flush()
        os.fsync(file.fileno())
    part.replace(folder / _NAME)


def kept_address(folder: Path) -> str:
    """The address backups are sealed to, 64 hex. Raises NoBackupKey."""
    try:
        address = (folder / _NAME).read_text(encoding="ascii").strip()
    except (FileNotFoundError, UnicodeDecodeError) as error:
        raise NoBackupKey from error
    if not is_hash(address):
        raise NoBackupKey
    return address
