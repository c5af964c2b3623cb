"""The office as processes that answer: how many, what they share, what becomes of one that dies.

The parent makes the application, lets go of its database and forks: the workers share its memory until they write to
it. Connections, threads and files of their own they open after that. One that dies is replaced by another of the same
make. Nothing here answers a request. Source: PERFORMANCE section 6, SETTLED decision 28, `docs/scale.md`.
"""

from __future__ import annotations

import ctypes
import gc
import mmap
import os
import signal
import struct

from flask import Flask
from granian.constants import Interfaces
from granian.server import Server

from server.app import create_app
from server.ledger.ordinary_rows import OrdinaryRows
from server.ledger.projecting import Behind, Projector
from server.watching.logs import begin as begin_log

MOST_WORKERS = 2
"""So many as long as nobody says otherwise: more of them wait for one another at the one writer of the ledger."""
THREADS = 64
"""Of one worker at most, made as they are needed: the requests it has in hand at a time. A line that is slow, or stands
still in the midst of a body, holds one of them; a photo may take minutes, and nobody else is to wait for it."""
ARENAS = 2
"""Heaps that the threads of a process share; by itself the C library gives each thread one, and none shrinks."""
ENDING_SECONDS = 5
"""Given to the requests of a worker that is asked to end; then it is killed. What was acknowledged lasts either way.
One that is asked while a request just ends may wait for itself for ever."""
KEPT_BYTES = 8 * 1024 * 1024
"""Free memory a worker keeps after projecting, for the next requests."""
_M_ARENA_MAX, _PR_SET_PDEATHSIG = -8, 1
_LIBC = ctypes.CDLL(None)

_made: Flask | None = None
"""What the parent made before it forked. A worker that was started otherwise makes its own."""


def workers_here() -> int:
    """How many processes pay off on this machine."""
    return max(1, min(MOST_WORKERS, len(os.sched_getaffinity(0))))


def serve(host: str, port: int, workers: int) -> None:
    """Answers until a signal ends it, and its workers with it. `prepare` goes before."""
    Server(
        __name__, address=host, port=port, interface=Interfaces.WSGI, workers=workers, blocking_threads=THREADS,
        log_access=False, respawn_failed_workers=True, workers_kill_timeout=ENDING_SECONDS,
    ).serve(target_loader=application, wrap_loader=False)  # fmt: skip


def application() -> Flask:
    """The application of a worker: beside answering it projects what was accepted.

    It dies with its parent, at once: asked to end, it may never do so, and nobody is left who would insist.
    """
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    app = _made or create_app()
    begin_log(app.extensions["qorgan"].config.log)  # the server has set up logging for itself meanwhile
    SharedProjector(app.extensions["qorgan"].database).start()
    return app


def prepare() -> None:
    """Makes what workers share. No connection of the parent outlives this: SQLite forbids that one crosses a fork.

    Raises what `create_app` raises.
    """
    global _made
    _LIBC.mallopt(_M_ARENA_MAX, ARENAS)
    _made = create_app()
    database = _made.extensions["qorgan"].database
    database.engine.dispose()
    database.kept(OrdinaryRows)  # what lasts is told among the workers
    gc.collect()
    gc.freeze()  # else the first collection of a worker would write to every page, and so make it its own


class _LastPush:
    """When a push came last (seconds of the machine's monotonic clock), told among the forked processes."""

    def __init__(self) -> None:
        self._shared = mmap.mmap(-1, 8)

    def note(self, moment: float) -> None:
        self._shared[:] = struct.pack("<d", moment)

    def moment(self) -> float:
        return float(struct.unpack("<d", self._shared[:])[0])


_last_push = _LastPush()


class SharedProjector(Projector):
    """A projector that waits for a quiet moment of all workers, not of its own alone."""

    @property
    def _pushed_at(self) -> float:
        return _last_push.moment()

    @_pushed_at.setter
    def _pushed_at(self, moment: float) -> None:
        _last_push.note(moment)

    def _project(self, waiting: list[Behind]) -> None:
        """Projects, and gives back the memory that folding took: by itself the C library keeps it."""
        super()._project(waiting)
        _LIBC.malloc_trim(KEPT_BYTES)
