"""A folded state as plain data that can be compared: sets sorted, classes by name, the parent by its id."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import Any

import msgspec


def view(state: Any) -> Any:
    """The state as tuples and plain values."""
    if isinstance(state, msgspec.Struct):
        return (type(state).__name__, *((name, view(getattr(state, name))) for name in state.__struct_fields__))
    if is_dataclass(state) and not isinstance(state, type):
        return (
            type(state).__name__,
            *((each.name, view(getattr(state, each.name))) for each in fields(state) if each.name != "parent"),
        )
    if isinstance(state, dict):
        return tuple((view(key), view(value)) for key, value in state.items())
    if isinstance(state, set | frozenset):
        return tuple(sorted(map(view, state), key=repr))
    if isinstance(state, list | tuple):
        return tuple(map(view, state))
    return state
