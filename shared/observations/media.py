"""How a photo's files are sealed: each under a key of its own, bound to what it is.

The key of derivative and thumbnail stands in the sealed words of the photo (S2); that of the original is sealed once
more under the subject's S3 key, so that whoever reads the words still does not see a face.
Source: SETTLED decisions 10, 59; SECURITY A.9.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from typing import Any

from shared.ledger.crypto import CHUNK_BYTES, SealBroken, seal, seal_chunks, unseal, unseal_chunks
from shared.observations.record import MediaRole


def _header(role: MediaRole) -> bytes:
    return b"qorgan/media/1\n" + role.encode()


def _chunks(data: bytes) -> Iterator[bytes]:
    for at in range(0, max(len(data), 1), CHUNK_BYTES):
        yield data[at : at + CHUNK_BYTES]


def sealed_file(key: bytes, role: MediaRole, data: bytes) -> bytes:
    """The bytes that are stored and sent; their SHA-256 is the file's address."""
    return b"".join(seal_chunks(key, _header(role), _chunks(data)))


def opened_file(key: bytes, role: MediaRole, sealed: bytes) -> bytes:
    """The plain bytes of a file. Raises SealBroken."""
    return unseal_chunks(key, _header(role), sealed)


def key_words(keys: dict[MediaRole, bytes], subject: str, original_key: tuple[str, bytes] | None) -> dict[str, Any]:
    """The part of a photo's words that holds the file keys.

    original_key  (id, key) of the S3 key of the subject that seals the key of the original

    returns  {"keys": {"derivative": base64, "thumbnail": base64}, "original": {"key": id, "sealed": base64}}
    """
    words: dict[str, Any] = {
        "keys": {role: base64.b64encode(key).decode() for role, key in keys.items() if role != "original"}
    }
    if original_key and "original" in keys:
        id_, outer = original_key
        sealed = seal(outer, keys["original"], f"{subject}\noriginal".encode())
        words["original"] = {"key": id_, "sealed": base64.b64encode(sealed).decode()}
    return words


def file_key(words: dict[str, Any], role: MediaRole, subject: str = "", outer: bytes = b"") -> bytes:
    """The key of a photo's file from its opened words; for the original with the S3 key. Raises SealBroken."""
    try:
        if role != "original":
            return base64.b64decode(words["keys"][role], validate=True)
        return unseal(outer, base64.b64decode(words["original"]["sealed"]), f"{subject}\noriginal".encode())
    except (KeyError, TypeError, ValueError, binascii.Error) as error:
        raise SealBroken from error
