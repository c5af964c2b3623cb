"""ONE table: kind of subject → the project functions of the capabilities.

Each takes the session, the folded state and the moment, and makes its rows anew; nothing else writes those rows. A
capability adds itself here by its import.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

from sqlmodel import Session

Projector = Callable[[Session, Any], None]

_WHERE: dict[str, tuple[str, ...]] = {
    "office": ("server.accounts.project:office",),
    "form": ("server.checklists.project:form",),
    "person": ("server.accounts.project:person", "server.quarantine.project:person"),
    "visit_request": ("server.visit_requests.project:visit_request",),
    "vote": ("server.visit_requests.project:vote",),
    "election": ("server.elections.project:election",),
    "visit": ("server.visits.project:visit",),
    "record": ("server.observations.project:record",),
    "interview": ("server.observations.project:interview",),
    "report": ("server.reports.project:report",),
}

_loaded: dict[str, tuple[Projector, ...]] = {}


def projectors(kind: str) -> tuple[Projector, ...]:
    """The project functions of a kind of subject, imported at first use."""
    if kind not in _loaded:
        found = []
        for place in _WHERE.get(kind, ()):
            module, name = place.split(":")
            found.append(getattr(import_module(module), name))
        _loaded[kind] = tuple(found)
    return _loaded[kind]
