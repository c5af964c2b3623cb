"""Ids, keys and nonces that follow from a seed, so that a schedule played again makes the very same bytes."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from types import SimpleNamespace
from unittest.mock import patch

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from shared.ledger import crypto


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """While this lasts the product's only source of randomness is a generator begun with `seed`."""
    chance = random.Random(f"bytes {seed}")

    class Boxes:
        """Makes box keys from the generator."""

        from_private_bytes = staticmethod(X25519PrivateKey.from_private_bytes)

        @staticmethod
        def generate() -> X25519PrivateKey:
            return X25519PrivateKey.from_private_bytes(chance.randbytes(32))

    with ExitStack() as stack:
        stack.enter_context(patch.object(crypto, "os", SimpleNamespace(urandom=chance.randbytes)))
        stack.enter_context(patch.object(crypto, "X25519PrivateKey", Boxes))
        yield
