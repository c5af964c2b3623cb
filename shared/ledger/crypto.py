"""The only file of the repository that imports a cryptography library, and the only source of randomness.

Nothing here knows what it protects. What is used exists in the Android recipe of the library (Ed25519, X25519,
HKDF-SHA256, ChaCha20-Poly1305, Argon2id). Source: SETTLED decisions 10, 30, 31, 33, 37, 38.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KEY_BYTES = 32
NONCE_BYTES = 12
TAG_BYTES = 16
CHUNK_BYTES = 64 * 1024


class SealBroken(Exception):
    """The bytes were not sealed by this key for this purpose, or were changed since."""


def sha256(data: bytes) -> bytes:
    """The 32 bytes of SHA-256."""
    return hashlib.sha256(data).digest()


def sha256_links(before: bytes, parts: Iterable[bytes]) -> list[bytes]:
    """For every part SHA-256(what came out for the part before it ‖ part); `before` stands before the first."""
    links = []
    for part in parts:
        before = hashlib.sha256(before + part).digest()
        links.append(before)
    return links


def random_bytes(count: int) -> bytes:
    """`count` unpredictable bytes."""
    return os.urandom(count)


def random_digits(count: int) -> str:
    """`count` unpredictable decimal digits."""
    return "".join(secrets.choice("0123456789") for _ in range(count))


def random_letters(count: int, alphabet: str) -> str:
    """`count` unpredictable letters of `alphabet`."""
    return "".join(secrets.choice(alphabet) for _ in range(count))


def same(left: bytes, right: bytes) -> bool:
    """Whether two secrets are equal, in a time that does not tell where they differ."""
    return secrets.compare_digest(left, right)


def new_id(now_ms: int) -> str:
    """A UUIDv7: 48 bits of milliseconds since 1970 and 74 random bits. `now_ms` may be wrong; ids still differ."""
    value = (now_ms & ((1 << 48) - 1)) << 80 | int.from_bytes(os.urandom(10), "big")
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    digits = f"{value:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


# ── signatures ──────────────────────────────────────────────────────────────────────────────────────────────────────


def new_signing_key() -> bytes:
    """The 32 secret bytes of a fresh Ed25519 key."""
    return os.urandom(KEY_BYTES)


def verifying_key(secret: bytes) -> bytes:
    """The 32 public bytes of a signing key."""
    return Ed25519PrivateKey.from_private_bytes(secret).public_key().public_bytes_raw()


def sign(secret: bytes, message: bytes) -> bytes:
    """The 64 bytes of the Ed25519 signature."""
    return Ed25519PrivateKey.from_private_bytes(secret).sign(message)


def is_signed(public: bytes, message: bytes, signature: bytes) -> bool:
    """Whether the signature is that of the key's owner over exactly these bytes; malformed keys answer no."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


# ── sealing with a shared key ───────────────────────────────────────────────────────────────────────────────────────


def new_key() -> bytes:
    """32 fresh secret bytes for `seal`."""
    return os.urandom(KEY_BYTES)


def seal(key: bytes, plain: bytes, about: bytes) -> bytes:
    """nonce ‖ ChaCha20-Poly1305(plain); `about` is bound to it but not inside. 28 bytes longer than `plain`."""
    nonce = os.urandom(NONCE_BYTES)
    return nonce + ChaCha20Poly1305(key).encrypt(nonce, plain, about)


def unseal(key: bytes, sealed: bytes, about: bytes) -> bytes:
    """The plain bytes. Raises SealBroken."""
    try:
        return ChaCha20Poly1305(key).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], about)
    except (InvalidTag, ValueError) as error:
        raise SealBroken from error


def derived(secret: bytes, salt: bytes, purpose: bytes) -> bytes:
    """32 bytes that follow from a secret for one purpose (HKDF-SHA256); they tell nothing of each other."""
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=salt, info=purpose).derive(secret)


# ── boxes for one reader ────────────────────────────────────────────────────────────────────────────────────────────


def new_box_key() -> bytes:
    """The 32 secret bytes of a fresh X25519 key."""
    return X25519PrivateKey.generate().private_bytes_raw()


def box_address(secret: bytes) -> bytes:
    """The 32 public bytes others box to."""
    return X25519PrivateKey.from_private_bytes(secret).public_key().public_bytes_raw()


def _box_key(shared: bytes, ephemeral: bytes, address: bytes, purpose: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=ephemeral + address, info=purpose).derive(shared)


def box(address: bytes, plain: bytes, purpose: bytes) -> bytes:
    """Bytes that only the owner of `address` opens; says nothing of who made them. 48 bytes longer than `plain`."""
    secret = X25519PrivateKey.generate()
    ephemeral = secret.public_key().public_bytes_raw()
    key = _box_key(secret.exchange(X25519PublicKey.from_public_bytes(address)), ephemeral, address, purpose)
    # The key serves once, so a fixed nonce is safe and saves its bytes.
    return ephemeral + ChaCha20Poly1305(key).encrypt(bytes(NONCE_BYTES), plain, None)


def unbox(secret: bytes, boxed: bytes, purpose: bytes) -> bytes:
    """The plain bytes. Raises SealBroken."""
    ephemeral = boxed[:KEY_BYTES]
    try:
        shared = X25519PrivateKey.from_private_bytes(secret).exchange(X25519PublicKey.from_public_bytes(ephemeral))
        key = _box_key(shared, ephemeral, box_address(secret), purpose)
        return ChaCha20Poly1305(key).decrypt(bytes(NONCE_BYTES), boxed[KEY_BYTES:], None)
    except (InvalidTag, ValueError) as error:
        raise SealBroken from error


class Halves(NamedTuple):
    """A secret split so that any two of three holders rebuild it and one learns nothing.

    For each holder the two halves it keeps, by the number of the other holder: `of[0][1]` is what holder 0 joins
    with `of[1][0]` of holder 1.
    """

    of: tuple[dict[int, bytes], dict[int, bytes], dict[int, bytes]]


def split(secret: bytes) -> Halves:
    """Six halves, two for each of three holders. Source: SECURITY A.5."""
    parts: tuple[dict[int, bytes], dict[int, bytes], dict[int, bytes]] = ({}, {}, {})
    for one, other in ((0, 1), (0, 2), (1, 2)):
        mask = os.urandom(len(secret))
        parts[one][other] = mask
        parts[other][one] = bytes(a ^ b for a, b in zip(secret, mask, strict=True))
    return Halves(parts)


def joined(half: bytes, other: bytes) -> bytes:
    """The secret behind the two halves that belong to one pair of holders."""
    return bytes(a ^ b for a, b in zip(half, other, strict=True))


# ── secrets people remember ─────────────────────────────────────────────────────────────────────────────────────────


class Effort(NamedTuple):
    """Cost of Argon2id: memory in KiB, passes, lanes."""

    memory_kib: int
    passes: int
    lanes: int


LEAST_EFFORT = Effort(64 * 1024, 3, 1)
"""Floor for tablets and passphrases. Source: SECURITY A.6, RFC 9106 second choice."""


def stretched(secret: bytes, salt: bytes, effort: Effort = LEAST_EFFORT) -> bytes:
    """32 bytes of Argon2id; `salt` has 16 bytes."""
    return Argon2id(
        salt=salt, length=KEY_BYTES, iterations=effort.passes, lanes=effort.lanes, memory_cost=effort.memory_kib
    ).derive(secret)


# ── files in pieces ─────────────────────────────────────────────────────────────────────────────────────────────────


def _chunk_nonce(prefix: bytes, number: int, last: bool) -> bytes:
    return prefix + number.to_bytes(4, "big") + (b"\x01" if last else b"\x00")


def seal_chunks(key: bytes, header: bytes, chunks: Iterable[bytes]) -> Iterator[bytes]:
    """A file sealed piece by piece: first 7 random bytes, then each piece of at most 64 KiB with its 16-byte tag.

    header  what the file is, bound to every piece by its digest but not inside
    chunks  every piece but the last has exactly CHUNK_BYTES
    """
    prefix = os.urandom(7)
    about = sha256(header)
    cipher = ChaCha20Poly1305(key)
    yield prefix
    waiting: bytes | None = None
    number = 0
    for chunk in chunks:
        if waiting is not None:
            yield cipher.encrypt(_chunk_nonce(prefix, number, False), waiting, about)
            number += 1
        waiting = chunk
    yield cipher.encrypt(_chunk_nonce(prefix, number, True), waiting or b"", about)


def unseal_chunks(key: bytes, header: bytes, sealed: bytes) -> bytes:
    """The whole plain file. Raises SealBroken when a piece is changed, missing, moved or the end is cut."""
    size = CHUNK_BYTES + TAG_BYTES
    return b"".join(
        unseal_pieces(key, header, sealed[:7], (sealed[at : at + size] for at in range(7, len(sealed), size)))
    )


def unseal_pieces(key: bytes, header: bytes, prefix: bytes, sealed: Iterable[bytes]) -> Iterator[bytes]:
    """The plain pieces of a file too large to hold, one after another.

    prefix  its first 7 bytes
    sealed  what follows, in pieces of CHUNK_BYTES + TAG_BYTES, the last one maybe shorter

    Raises SealBroken, when the end is cut only behind the last piece that is whole: what came before is genuine.
    """
    about, cipher, waiting, number = sha256(header), ChaCha20Poly1305(key), None, 0
    try:
        for piece in sealed:
            if waiting is not None:
                yield cipher.decrypt(_chunk_nonce(prefix, number, False), waiting, about)
                number += 1
            waiting = piece
        if waiting is None:
            raise SealBroken
        yield cipher.decrypt(_chunk_nonce(prefix, number, True), waiting, about)
    except (InvalidTag, ValueError) as error:
        raise SealBroken from error


# ── TLS ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def key_fingerprint(certificate: bytes) -> str:
    """SHA-256 (hex) of the public key in a certificate (DER), as it stands there: a renewed certificate may keep it.

    Raises ValueError for what is no certificate.
    """
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
    from cryptography.x509 import load_der_x509_certificate

    key = load_der_x509_certificate(certificate).public_key()
    return sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hex()
