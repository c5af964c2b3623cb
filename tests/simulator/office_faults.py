"""The office's process killed at a statement: what it had not committed is gone, and another one starts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import requests

from tests.ground import World
from tests.ground.statements import listeners


class OfficeKilled(BaseException):
    """The office's process is gone."""


@contextmanager
def killed_at(world: World, statement: int) -> Iterator[dict[str, int]]:
    """The office dies at its `statement`-th statement or commit; the tablet sees a broken connection.

    Gives {"met": how often it died, "seen": statements so far}. Afterwards the office has been started again.
    """
    seen = {"met": 0, "seen": 0}

    def count(said: str) -> None:
        if said.startswith("PRAGMA"):
            return
        seen["seen"] += 1
        if seen["seen"] == statement:
            seen["met"] += 1
            raise OfficeKilled

    listeners.append(count)
    real = world.application

    def application(environ: dict[str, Any], start: Any) -> Any:
        if seen["met"]:
            raise requests.ConnectionError("nobody there")
        try:
            return list(real(environ, start))
        except OfficeKilled:
            raise requests.ConnectionError("connection reset") from None

    for tablet in world.tablets.values():
        tablet.line.application = application
    try:
        yield seen
    finally:
        listeners.remove(count)
        for tablet in world.tablets.values():
            tablet.line.application = real
        world.restart_office()
