"""Small limits, so that a few dozen operations already make several frames, requests and pages."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from field_app.store import outgoing
from server.ledger import queries


@contextmanager
def small_pages(chance: random.Random) -> Iterator[None]:
    """While this lasts a page holds a few frames at most, and a request too; in two of three schedules."""
    page = chance.choice([3_000, 12_000, queries.PAGE_BYTES])
    request = chance.choice([3_000, 12_000, outgoing.FRAME_BYTES])
    changed: list[tuple[Any, Any]] = []
    for function, value in ((queries.page, page), (queries.lost_frames, page), (outgoing.to_send, request)):
        changed.append((function, function.__defaults__))
        function.__defaults__ = (*(function.__defaults__ or ())[:-1], value)
    try:
        yield
    finally:
        for function, defaults in changed:
            function.__defaults__ = defaults
