"""Key files for the three keyholders: the private half wrapped by a passphrase that is shown once and kept nowhere.

The office holds the public halves only. Source: SETTLED decisions 33, 37.
"""

from __future__ import annotations

import os
from pathlib import Path

from shared.ledger.crypto import (
    LEAST_EFFORT,
    SealBroken,
    box_address,
    new_box_key,
    random_bytes,
    random_letters,
    seal,
    stretched,
    unseal,
)  # fmt: skip

_ABOUT = b"qorgan/keyholder/1"
_LETTERS = "ABCDEFGHJKMNPQRSTVWXYZ23456789"


def new_keyholder(folder: Path, number: int) -> tuple[str, str]:
    """A fresh key in `keyholder-<number>.key`; its address (64 hex) and the passphrase that opens the file.

    Raises FileExistsError: a keyholder's key is never overwritten.
    """
    secret, salt = new_box_key(), random_bytes(16)
    words = "-".join(random_letters(5, _LETTERS) for _ in range(5))
    wrapped = salt + seal(stretched(words.encode(), salt, LEAST_EFFORT), secret, _ABOUT)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle = os.open(folder / f"keyholder-{number}.key", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(wrapped)
        file.flush()
        os.fsync(file.fileno())
    return box_address(secret).hex(), words


def open_keyholder(path: Path, passphrase: str) -> bytes:
    """The private half behind a key file. Raises SealBroken for a wrong passphrase."""
    wrapped = path.read_bytes()
    plain = unseal(stretched(passphrase.encode(), wrapped[:16], LEAST_EFFORT), wrapped[16:], _ABOUT)
    if len(plain) != 32:
        raise SealBroken
    return plain
