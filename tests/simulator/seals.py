"""Seals that were found good are not worked out again: the same key, bytes and signature give the same answer.

An office, three tablets and the checks at the end look at each frame. Only what was good is remembered, so that
whatever differs in one bit is worked out in full.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from shared.ledger import crypto

MOST = 20_000
_good: set[bytes] = set()


class _Key:
    """A public key that remembers what it found good."""

    def __init__(self, public: bytes) -> None:
        self._public = public
        self._key = Ed25519PublicKey.from_public_bytes(public)

    from_public_bytes = classmethod(lambda cls, public: cls(public))

    def verify(self, signature: bytes, message: bytes) -> None:
        """Raises InvalidSignature."""
        sizes = b"%d %d " % (len(self._public), len(signature))
        mark = hashlib.sha256(sizes + self._public + signature + message).digest()
        if mark in _good:
            return
        self._key.verify(signature, message)
        if len(_good) >= MOST:
            _good.clear()
        _good.add(mark)


@contextmanager
def remembered() -> Iterator[None]:
    """While this lasts, and from one time to the next, good seals are remembered."""
    with patch.object(crypto, "Ed25519PublicKey", _Key):
        yield
