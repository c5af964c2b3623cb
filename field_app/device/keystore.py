"""The device's own secret, which a PIN alone cannot replace: a PIN guessed on a copy of the store opens nothing.

On Android a key lies in the keystore and never leaves it; the secret is its MAC over a fixed word. On a desktop stands
a double in a file, named as such wherever the settings are shown and refused in release builds.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Protocol

from field_app.device.platform import is_release, on_android
from shared.ledger.crypto import random_bytes

ALIAS = "qorgan"
KEY_BYTES = 32
WORD = b"qorgan/keystore/1"


class DoubleRefused(RuntimeError):
    """A release build was asked to use the desktop double."""


class Keystore(Protocol):
    """`secret()`: 32 bytes that only this device can make, always the same ones until `destroy`."""

    name: str

    def secret(self) -> bytes: ...

    def destroy(self) -> None: ...


class DesktopDouble:
    """A key in a file (mode 600): for development, tests and drills. Not a protection."""

    name = "desktop-double"

    def __init__(self, path: Path) -> None:
        if is_release():
            raise DoubleRefused("a release build needs the device's key store")
        self._path = path

    def secret(self) -> bytes:
        return self._key()

    def destroy(self) -> None:
        """Makes every later secret another one."""
        self._path.unlink(missing_ok=True)

    def _key(self) -> bytes:
        try:
            return self._path.read_bytes()
        except FileNotFoundError:
            key = random_bytes(KEY_BYTES)
            handle = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "wb") as file:
                file.write(key)
                file.flush()
                os.fsync(file.fileno())
            return key


class AndroidKeystore:
    """An HMAC-SHA256 key in the Android keystore, in its own chip where there is one."""

    name = "android-keystore"

    def secret(self) -> bytes:
        from jnius import autoclass

        mac = autoclass("javax.crypto.Mac").getInstance("HmacSHA256")
        mac.init(self._key())
        return bytes(byte & 0xFF for byte in mac.doFinal(WORD))

    def destroy(self) -> None:
        self._store().deleteEntry(ALIAS)

    def _store(self):
        from jnius import autoclass

        store = autoclass("java.security.KeyStore").getInstance("AndroidKeyStore")
        store.load(None)
        return store

    def _key(self):
        store = self._store()
        return store.getKey(ALIAS, None) if store.containsAlias(ALIAS) else self._make(strong=True)

    def _make(self, strong: bool):
        from jnius import JavaException, autoclass

        purpose = autoclass("android.security.keystore.KeyProperties").PURPOSE_SIGN
        build = autoclass("android.security.keystore.KeyGenParameterSpec$Builder")(ALIAS, purpose)
        if strong:
            build.setIsStrongBoxBacked(True)
        maker = autoclass("javax.crypto.KeyGenerator").getInstance("HmacSHA256", "AndroidKeyStore")
        try:
            maker.init(build.build())
            return maker.generateKey()
        except JavaException:
            if not strong:
                raise
            return self._make(strong=False)


def keystore(path: Path) -> Keystore:
    """The key store of this machine; `path` is where the desktop double keeps its key. Raises DoubleRefused."""
    return AndroidKeystore() if on_android() else DesktopDouble(path)
