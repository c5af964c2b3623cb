"""Bodies of every kind, made from their declared types, with names that often meet one another."""

from __future__ import annotations

import types
import typing
from datetime import date
from enum import Enum
from typing import Any, get_args, get_origin

import msgspec
from hypothesis import strategies as st

from shared.ledger.operation import Body, Operation
from shared.ledger.subject import Fold
from shared.registry import ANYWHERE
from tests.make import an_id, an_operation

PEOPLE = [an_id(n) for n in range(30, 34)]
DEVICES = [an_id(n) for n in range(40, 43)]
SUBJECTS = [an_id(n) for n in range(50, 53)]
OPERATIONS = [f"{n:064x}" for n in range(1, 9)]
STAMPS = [
    "2026-03-07T14:05:07+05:00",
    "2026-03-07T14:09:00+05:00",
    "2026-03-09T09:00:00+05:00",
    "1969-12-31T23:59:59-12:00",
]
WORDS = [
    "",
    "a",
    "2026-03-07",
    "2026-04-01",
    "council_member",
    "/mc/beds",
    "/mc/cell[a1b2c3d4]/beds",
    "1",
    "x" * 40,
    "қазақ",
]
HASHES = ["0" * 64, "ab" * 32]

_NAMED = {
    "PersonId": PEOPLE,
    "DeviceId": DEVICES,
    "SubjectId": SUBJECTS,
    "OperationId": OPERATIONS,
    "InstitutionKey": ["KZ-1", "KZ-2"],
}
_TEXT = st.sampled_from([*WORDS, *PEOPLE, *SUBJECTS, *OPERATIONS, *STAMPS, *HASHES]) | st.text(max_size=6)


def of_type(kind: Any) -> st.SearchStrategy[Any]:
    """Values a decoder accepts for a declared type."""
    origin, args = get_origin(kind), get_args(kind)
    if hasattr(kind, "__supertype__"):
        return st.sampled_from(_NAMED[kind.__name__]) | (
            _TEXT if kind.__supertype__ is str else of_type(kind.__supertype__)
        )
    if origin is typing.Annotated:
        return of_type(args[0])
    if origin is typing.Literal:
        return st.sampled_from(args)
    if origin in (typing.Union, types.UnionType):
        return st.one_of([of_type(arg) for arg in args])
    if origin is tuple:
        if len(args) == 2 and args[1] is Ellipsis:
            return st.lists(of_type(args[0]), max_size=4).map(tuple)
        return st.tuples(*[of_type(arg) for arg in args])
    if origin is list:
        return st.lists(of_type(args[0]), max_size=3)
    if origin is dict:
        return st.dictionaries(of_type(args[0]), of_type(args[1]), max_size=3)
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return of_struct(kind)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return st.sampled_from(kind)
    return {
        str: _TEXT,
        bool: st.booleans(),
        int: st.integers(-3, 9) | st.integers(-(2**53) + 1, 2**53 - 1),
        type(None): st.none(),
        date: st.sampled_from([date(2026, 3, 7), date(2026, 4, 1)]) | st.dates(),
    }[kind]


def of_struct(kind: type[msgspec.Struct]) -> st.SearchStrategy[Any]:
    """Structs of a class; fields with a default are sometimes left out."""
    hints = typing.get_type_hints(kind, include_extras=True)
    required, optional = {}, {}
    for field in msgspec.structs.fields(kind):
        (required if field.required else optional)[field.name] = of_type(hints[field.name])
    return st.fixed_dictionaries(required, optional=optional).map(lambda fields: kind(**fields))


def bodies_of(fold: Fold) -> st.SearchStrategy[Body]:
    """Bodies a subject of this kind may hold, and now and then one it may not."""
    kinds = [*fold.handlers, *ANYWHERE]
    return st.one_of([of_struct(kind) for kind in kinds])


@st.composite
def histories(draw: st.DrawFn, fold: Fold) -> list[Operation]:
    """Operations on one subject: any bodies, by a few people, from a few devices, in any clocks."""
    bodies = draw(st.lists(bodies_of(fold), max_size=12))
    # A first operation that opens the subject makes the rest meet something.
    opening = next(iter(fold.handlers))
    bodies = [draw(of_struct(opening)), *bodies] if draw(st.booleans()) else bodies
    return [
        an_operation(
            number,
            clock=draw(st.integers(1, 6)) if number > 1 else 1,
            device=draw(st.sampled_from(DEVICES)),
            seq=draw(st.integers(1, 9)),
            body=body,
            author=draw(st.sampled_from(PEOPLE)),
            at=draw(st.sampled_from(STAMPS)),
            subject=SUBJECTS[0],
        )
        for number, body in enumerate(bodies, 1)
    ]


__all__ = ["DEVICES", "OPERATIONS", "PEOPLE", "SUBJECTS", "bodies_of", "histories", "of_struct"]
