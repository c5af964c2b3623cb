"""The secret keys of the office: files wrapped by a passphrase, read once at start, never in database or backup.

Holds the signing key of the server's device and the private half of the review key; and writes key files for others
(keyholders, backups), under words the office does not keep. Source: SETTLED decisions 10, 11, 33, 37.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from shared.ledger.crypto import (
    LEAST_EFFORT,
    SealBroken,
    box_address,
    new_box_key,
    new_id,
    new_signing_key,
    random_bytes,
    random_letters,
    seal,
    stretched,
    unseal,
    verifying_key,
)  # fmt: skip
from shared.values import DeviceId

_ABOUT = b"qorgan/office-keys/1"
_LETTERS = "ABCDEFGHJKMNPQRSTVWXYZ23456789"


class KeysLocked(Exception):
    """The passphrase does not open the key file."""


@dataclass(frozen=True)
class Keys:
    """What the office signs and opens with."""

    device: DeviceId
    sign_secret: bytes
    review_secret: bytes

    @property
    def sign_key(self) -> str:
        """Public half of the signing key, 64 hex."""
        return verifying_key(self.sign_secret).hex()

    @property
    def review_key(self) -> str:
        """Public half of the review key, 64 hex."""
        return box_address(self.review_secret).hex()

    def __repr__(self) -> str:
        return f"Keys(device={self.device})"


def make_keys(now_ms: int) -> Keys:
    """Fresh keys for a fresh office."""
    return Keys(DeviceId(new_id(now_ms)), new_signing_key(), new_box_key())


def save_keys(keys: Keys, folder: Path, passphrase: str) -> None:
    """Writes the wrapped keys, readable by the owner alone. Raises FileExistsError: keys are never overwritten."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    salt = random_bytes(16)
    plain = keys.device.encode() + keys.sign_secret + keys.review_secret
    wrapped = salt + seal(stretched(passphrase.encode(), salt, LEAST_EFFORT), plain, _ABOUT)
    handle = os.open(folder / "office.keys", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(wrapped)
        file.flush()
        os.fsync(file.fileno())


def load_keys(folder: Path, passphrase: str) -> Keys:
    """The keys of this office. Raises FileNotFoundError, KeysLocked."""
    wrapped = (folder / "office.keys").read_bytes()
    try:
        plain = unseal(stretched(passphrase.encode(), wrapped[:16], LEAST_EFFORT), wrapped[16:], _ABOUT)
    except SealBroken as error:
        raise KeysLocked(str(folder)) from error
    return Keys(DeviceId(plain[:36].decode()), plain[36:68], plain[68:100])


def new_key_file(path: Path, about: bytes) -> tuple[str, str]:
    """A fresh private half in the file; its address (64 hex) and the words that open the file, kept nowhere.

    about  what the key is for: it opens as nothing else

    Raises FileExistsError: a key is never overwritten.
    """
    secret, salt = new_box_key(), random_bytes(16)
    words = "-".join(random_letters(5, _LETTERS) for _ in range(5))
    wrapped = salt + seal(stretched(words.encode(), salt, LEAST_EFFORT), secret, about)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(wrapped)
        file.flush()
        os.fsync(file.fileno())
    return box_address(secret).hex(), words


def open_key_file(path: Path, words: str, about: bytes) -> bytes:
    """The private half behind a key file. Raises FileNotFoundError; SealBroken for wrong words or no key file."""
    wrapped = path.read_bytes()
    try:
        plain = unseal(stretched(words.encode(), wrapped[:16], LEAST_EFFORT), wrapped[16:], about)
    except ValueError as error:
        raise SealBroken from error
    if len(plain) != 32:
        raise SealBroken
    return plain
