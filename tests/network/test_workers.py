"""Workers of one office: one that dies is replaced, and none outlives the process that started them."""

from __future__ import annotations

import os
import signal
import socket
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from server.keys import make_keys
from server.migrations import migrate
from tests.network.serving import Serving

PATIENCE_SECONDS = 120.0


def _workers(serving: Serving) -> set[int]:
    pid = serving.process.pid
    return {int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()}


def _ended(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def _until(serving: Serving, is_so: Callable[[], bool]) -> None:
    ends = time.monotonic() + PATIENCE_SECONDS
    while not is_so():
        assert time.monotonic() < ends, serving.tail()
        time.sleep(0.02)


def _answers(serving: Serving) -> bool:
    with urllib.request.urlopen(f"{serving.address}/login", timeout=60) as reply:
        return bool(reply.status == 200)


@pytest.fixture
def serving(tmp_path: Path) -> Iterator[Serving]:
    """An office of two workers that answer."""
    database = f"sqlite:///{tmp_path / 'office.db'}"
    migrate(database)
    started = Serving(tmp_path, database, make_keys(1), workers=2).ready()
    try:
        _until(started, lambda: len(_workers(started)) == 2)
        yield started
    finally:
        started.end()


def test_a_worker_that_dies_is_replaced_and_none_outlives_its_parent(serving: Serving) -> None:
    first = _workers(serving)
    victim = min(first)
    os.kill(victim, signal.SIGKILL)
    _until(serving, lambda: len(_workers(serving) - {victim}) == 2 and _ended(victim))
    assert all(_answers(serving) for _ in range(20)), "the place of the dead one is taken"
    last = _workers(serving)
    os.kill(min(last), signal.SIGSTOP)  # one that would not listen if it were asked to end
    serving.process.kill()
    _until(serving, lambda: all(_ended(pid) for pid in last))


def test_an_office_that_is_asked_to_end_does_so_though_a_worker_hangs(serving: Serving) -> None:
    last = _workers(serving)
    os.kill(min(last), signal.SIGSTOP)
    serving.process.terminate()
    serving.process.wait(PATIENCE_SECONDS)
    _until(serving, lambda: all(_ended(pid) for pid in last))


def test_lines_that_stand_still_in_the_midst_of_a_body_hold_up_nobody(serving: Serving) -> None:
    """Forty photos on a line that broke without a word: four threads of a worker were all it had."""
    head = b"POST /api/sync HTTP/1.1\r\nHost: office\r\nContent-Length: 100000\r\n\r\nthe first bytes"
    with ExitStack() as lines:
        for _ in range(40):
            line = lines.enter_context(socket.create_connection(("127.0.0.1", serving.port), PATIENCE_SECONDS))
            line.sendall(head)
            assert _answers(serving)
        assert all(_answers(serving) for _ in range(20))
