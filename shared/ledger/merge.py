"""Merge, order and fold: what makes two copies of a subject the same.

Merge is the union of sets by id: commutative, associative, idempotent. Order is total. Folding applies the
operations one by one to a start state. Source: ARCHITECTURE-STYLE 1.5, SETTLED decisions 7, 27.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from operator import attrgetter
from typing import TypeVar

from shared.ledger.crypto import sha256
from shared.ledger.frame import Frame
from shared.ledger.opened import opened
from shared.ledger.operation import Body, Operation
from shared.values import OperationId

State = TypeVar("State")


def merge(known: dict[OperationId, Operation], incoming: Iterable[Operation]) -> dict[OperationId, Operation]:
    """The union of both, by id; neither argument is changed."""
    return known | {operation.id: operation for operation in incoming}


by_order = attrgetter("clock", "device", "seq", "id")
"""`Operation.order` as a key to sort by."""


def in_order(operations: Iterable[Operation]) -> list[Operation]:
    """The operations in the one order that every copy agrees on: clock, device, seq, id."""
    return sorted(operations, key=by_order)


def fold(operations: Iterable[Operation], start: State, apply: Callable[[State, Operation], None]) -> State:
    """`start` after every operation was applied to it in order. `start` is used up: hand in a fresh one."""
    for operation in in_order(operations):
        apply(start, operation)
    return start


def operations_of(frame: Frame, bodies: dict[str, type[Body]]) -> tuple[list[Operation], list[tuple[str, str]]]:
    """The readable operations of a frame, and (id, reason) of each line that cannot be read.

    An unreadable line keeps its place in the chain, so those behind it stand.
    """
    found = opened(frame, bodies)
    return found.operations(), found.unreadable


def digest(members: Iterable[tuple[str, int, str]]) -> str:
    """SHA-256 (hex) of a subject's sorted "device seq id" lines, one a chain: that of its last operation.

    Equal when two copies hold the same operations, because each id takes in all before it.
    """
    return sha256("".join([f"{device} {seq} {id_}\n" for device, seq, id_ in sorted(members)]).encode()).hex()


HEADS = 1 << 256


def heads_digest(heads: Iterable[tuple[str, int, str]]) -> str:
    """The sum (64 hex, modulo 2²⁵⁶) of SHA-256 of "subject seq id" of all chains of one device: shows a missing chain.

    A sum, so that it moves with one chain whatever the others are. Against loss, not against a liar: whoever holds the
    device's key says of its chains what he likes. Source: PROTOCOL P23, decision 0019.
    """
    return f"{sum(_weight(*head) for head in heads) % HEADS:064x}"


def heads_moved(digest: str, subject: str, before: tuple[int, str] | None, after: tuple[int, str]) -> str:
    """`heads_digest` once a chain ends at `after` (seq, id) that ended at `before`, or did not stand."""
    gone = _weight(subject, *before) if before else 0
    return f"{(int(digest, 16) - gone + _weight(subject, *after)) % HEADS:064x}"


def _weight(subject: str, seq: int, id_: str) -> int:
    return int.from_bytes(sha256(f"{subject} {seq} {id_}\n".encode()))
