"""Key files for the three keyholders: the private half wrapped by a passphrase that is shown once and kept nowhere.

The office holds the public halves only. Source: SETTLED decisions 33, 37.
"""

from __future__ import annotations

from pathlib import Path

from server.keys import new_key_file, open_key_file

_ABOUT = b"qorgan/keyholder/1"


def new_keyholder(folder: Path, number: int) -> tuple[str, str]:
    """A fresh key in `keyholder-<number>.key`; its address (64 hex) and the passphrase that opens the file.

    Raises FileExistsError: a keyholder's key is never overwritten.
    """
    return new_key_file(folder / f"keyholder-{number}.key", _ABOUT)


def open_keyholder(path: Path, passphrase: str) -> bytes:
    """The private half behind a key file. Raises SealBroken for a wrong passphrase."""
    return open_key_file(path, passphrase, _ABOUT)
