"""The sealed part of a body, and the keys that open it.

Free words are sealed (class S2), codes are open (S1). Each device makes its own key for a subject at its first sealed
write and wraps it to those who may read; whoever holds a key may wrap it to a further reader. Folds and projections
work without opening anything. Source: SETTLED decisions 29-32.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from typing import Any, Literal

import msgspec

from shared.ledger.crypto import SealBroken, box, joined, new_box_key, new_key, random_bytes, seal, split, unbox, unseal
from shared.ledger.operation import UNDECODABLE, Body, canonical
from shared.ledger.packing import NotPacked, packed, unpacked

REVIEW = "review"
"""Name of the review key among those a key is wrapped to."""

PAD = 128
OPENED_LIMIT = 1024 * 1024
KeyClass = Literal["S2", "S3"]
__all__ = ["KeyMade", "KeyWrapped", "Wrap", "halves_for", "key_made", "new_box_key", "opened_words", "sealed_words",
           "unwrapped", "whole_from_halves", "wrap_for"]  # fmt: skip


class Wrap(msgspec.Struct, frozen=True, omit_defaults=True):
    """A key (or, with `pair`, half of one) boxed to one reader: a device id, "review", or a keyholder's number 1-3.

    pair    for halves: the number of the keyholder whose half completes this one
    """

    box: str
    to: str
    pair: int = 0


class KeyMade(Body, frozen=True):
    """A device made a key for this subject. `id` is 32 random hex digits."""

    KIND = "key_made"
    id: str
    level: KeyClass
    wraps: tuple[Wrap, ...]


class KeyWrapped(Body, frozen=True):
    """A holder of the key wrapped it to further readers."""

    KIND = "key_wrapped"
    id: str
    wraps: tuple[Wrap, ...]


def _purpose(subject: str, key_id: str) -> bytes:
    return f"qorgan/key/1\n{subject}\n{key_id}".encode()


def wrap_for(reader: str, address: bytes, key: bytes, subject: str, key_id: str, pair: int = 0) -> Wrap:
    """The key boxed to one reader's X25519 address, bound to subject and key id."""
    boxed = box(address, key, _purpose(subject, key_id))
    return Wrap(box=base64.b64encode(boxed).decode(), to=reader, pair=pair)


def key_made(subject: str, readers: Mapping[str, bytes], level: KeyClass = "S2") -> tuple[KeyMade, bytes]:
    """A fresh key for the subject and the operation body that wraps it to every reader (name → address)."""
    key, key_id = new_key(), random_bytes(16).hex()
    wraps = tuple(wrap_for(name, address, key, subject, key_id) for name, address in sorted(readers.items()))
    return KeyMade(id=key_id, level=level, wraps=wraps), key


def halves_for(keyholders: Mapping[int, bytes], key: bytes, subject: str, key_id: str) -> tuple[Wrap, ...]:
    """Six wraps: two halves for each of the keyholders 1, 2, 3 (number → address); any two rebuild the key."""
    of = split(key).of
    return tuple(
        wrap_for(str(one), keyholders[one], of[one - 1][other - 1], subject, key_id, pair=other)
        for one in (1, 2, 3)
        for other in (1, 2, 3)
        if one != other
    )


def unwrapped(wraps: Iterable[Wrap], reader: str, secret: bytes, subject: str, key_id: str) -> bytes | None:
    """The whole key for this reader, or None when it was not wrapped to it or the wrap is broken."""
    for wrap in wraps:
        if wrap.to == reader and not wrap.pair:
            try:
                return unbox(secret, base64.b64decode(wrap.box, validate=True), _purpose(subject, key_id))
            except (SealBroken, ValueError):
                continue
    return None


def whole_from_halves(
    wraps: Iterable[Wrap], one: tuple[int, bytes], other: tuple[int, bytes], subject: str, key_id: str
) -> bytes:
    """The key from the halves of two keyholders, each given as (number, secret). Raises SealBroken."""
    found = {(wrap.to, wrap.pair): wrap for wrap in wraps if wrap.pair}
    halves = []
    for (number, secret), (pair, _) in ((one, other), (other, one)):
        wrap = found.get((str(number), pair))
        if wrap is None:
            raise SealBroken
        try:
            halves.append(unbox(secret, base64.b64decode(wrap.box, validate=True), _purpose(subject, key_id)))
        except ValueError as error:
            raise SealBroken from error
    if len(halves[0]) != len(halves[1]):
        raise SealBroken
    return joined(*halves)


def sealed_words(key: bytes, subject: str, kind: str, words: Mapping[str, Any]) -> str:
    """The `sealed` field of a body: canonical JSON, packed, padded to 128 bytes, sealed, base64.

    Bound to subject and kind, so that it opens nowhere else. Source: SETTLED decision 30, PROTOCOL P29.
    """
    plain = packed(canonical(dict(words)))
    padded = plain + bytes(-len(plain) % PAD)
    return base64.b64encode(seal(key, padded, f"{subject}\n{kind}".encode())).decode()


def opened_words(key: bytes, subject: str, kind: str, sealed: str) -> dict[str, Any]:
    """The words behind a `sealed` field. Raises SealBroken, also for words that unpack beyond 1 MiB."""
    try:
        padded = unseal(key, base64.b64decode(sealed, validate=True), f"{subject}\n{kind}".encode())
        words = msgspec.json.decode(unpacked(padded, OPENED_LIMIT))
    except (*UNDECODABLE, ValueError, NotPacked) as error:
        raise SealBroken from error
    if not isinstance(words, dict):
        raise SealBroken
    return words
