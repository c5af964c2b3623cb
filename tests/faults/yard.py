"""A process behind the shim that forks a child for every act, so that a crash costs milliseconds and not a start.

`Yard` is the test's end of it. The other end (`python -m tests.faults.yard`) imports everything once, founds an office
once, and then forks: the child opens what it needs, says `arm`, acts, and marks what was promised; it may be killed by
the shim at a call, or by the yard at a moment.
"""

from __future__ import annotations

import atexit
import ctypes
import gc
import json
import logging
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
NOTHING, KILL, TORN, FULL, FAIL_ONCE, FAIL_ON, FAIL_SYNC = range(7)
"""What the shim does at the n-th call; numbers as in shim.c."""


class ShimMissing(Exception):
    """The C compiler did not make the shim."""


@cache
def shim() -> Path:
    """The compiled shim of this run of the tests."""
    folder = Path(tempfile.mkdtemp(prefix="qorgan-shim-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    made = folder / "shim.so"
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        raise ShimMissing("no C compiler: sudo apt-get install gcc libc6-dev")
    command = [compiler, "-O1", "-shared", "-fPIC", "-o", str(made), str(HERE / "shim.c"), "-ldl", "-lpthread"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ShimMissing(done.stderr)
    return made


@dataclass(frozen=True)
class Ran:
    """How a child ended: done, killed, or broken (`error` is its traceback); `marks` are the promises it made."""

    ended: str
    marks: tuple[str, ...] = ()
    result: Any = None
    counted: int = 0
    failed: int = 0
    error: str = ""

    def well(self) -> Ran:
        """Itself, when nothing broke."""
        assert self.ended != "broken", self.error
        return self


class Yard:
    """One yard; `run` is one child."""

    def __init__(self) -> None:
        # a module translated at its first import would be a write that the next child does not make
        environment = os.environ | {"LD_PRELOAD": str(shim()), "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.yard"],
            cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def run(
        self, act: str, *, root: Path | None = None, log: Path | None = None, what: int = NOTHING, at: int = 0,
        room: int = 0, kill_at_mark: int = 0, kill_after: float = 0.0, **given: Any,
    ) -> Ran:  # fmt: skip
        """Runs an act ("module:function" below tests.faults) in a child.

        root          the folder whose calls are followed     log   where they are written
        what, at      what the shim does at the at-th call after `arm`; room: bytes left when the disk is full
        kill_at_mark  kill the child `kill_after` seconds after so many marks; 0: let it end
        """
        order = {
            "act": act, "root": str(root or ""), "log": str(log or ""), "arm": [what, at, room],
            "kill": [kill_at_mark, kill_after], "given": given,
        }  # fmt: skip
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(order, default=str) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, "the yard is gone"
        said = json.loads(line)
        return Ran(**{**said, "marks": tuple(said["marks"])})

    def close(self) -> None:
        """The yard ends."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()


@cache
def the_yard() -> Yard:
    """The yard of this process of the tests; ends with it."""
    yard = Yard()
    atexit.register(yard.close)
    return yard


# ── the other end ───────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass
class Stand:
    """What an act holds on to: when to begin counting, how to end the trouble, how to say what was promised."""

    arm: Callable[[], None]
    calm: Callable[[], None]
    mark: Callable[[Any], None]


def serve() -> None:
    """Takes orders from standard input until it ends."""
    from tests.faults import damage_acts, office_acts, tablet_acts, trouble_acts, two_acts  # noqa: F401  (loaded before the first fork)
    from tests.ground.founding import founded

    logging.disable(logging.CRITICAL)
    if name := os.environ.get("QORGAN_MUTANT"):  # a guard is taken away here too: tests.mutants
        from tests.mutants.promises import ALL

        broken = next(guard for guard in ALL if guard.name == name).apply()
        broken.__enter__()
    founded()
    tablet_acts._begun_once()
    gc.collect()
    gc.freeze()
    layer = ctypes.CDLL(None)
    layer.fault_arm.argtypes = [ctypes.c_int, ctypes.c_long, ctypes.c_longlong]
    layer.fault_count.restype = layer.fault_failed.restype = ctypes.c_long
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    for line in sys.stdin:
        answers.write(json.dumps(_one(layer, json.loads(line))) + "\n")
        answers.flush()


def _one(layer: Any, order: dict[str, Any]) -> dict[str, Any]:
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        _act(layer, order, writing)
    os.close(writing)
    lines, was_killed = _heard(reading, child, *order["kill"])
    os.close(reading)
    _, status = os.waitpid(child, 0)
    marks = [line[1:] for line in lines if line.startswith("!")]
    last = next((json.loads(line[1:]) for line in lines if line.startswith("=")), None)
    if last is not None and not was_killed:
        return {**last, "marks": marks}
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL:
        return {"ended": "killed", "marks": marks}
    return {"ended": "broken", "marks": marks, "error": f"ended with {status}"}


def _heard(reading: int, child: int, at_mark: int, after: float) -> tuple[list[str], bool]:
    """What the child said until it ended or was killed, `after` seconds behind its mark number `at_mark`."""
    text, killed = b"", False
    while piece := os.read(reading, 65536):
        text += piece
        if at_mark and not killed and text.count(b"\n!") + text.startswith(b"!") >= at_mark:
            end = time.monotonic() + after
            while (left := end - time.monotonic()) > 0 and select.select([reading], [], [], left)[0]:
                if not (piece := os.read(reading, 65536)):
                    break
                text += piece
            os.kill(child, signal.SIGKILL)
            killed = True
    return text.decode().split("\n")[:-1], killed


def _act(layer: Any, order: dict[str, Any], writing: int) -> None:
    """The child: acts, says how it went, and ends without any tidying up."""

    def mark(said: Any) -> None:
        text = json.dumps(said, sort_keys=True)
        layer.fault_mark(text.encode())
        os.write(writing, f"!{text}\n".encode())

    layer.prctl(1, signal.SIGKILL)
    layer.fault_begin(order["root"].encode(), order["log"].encode())
    what, at, room = order["arm"]
    ended: list[int] = []

    def calm() -> None:
        ended.extend((layer.fault_count(), layer.fault_failed()))
        layer.fault_arm(NOTHING, 0, 0)

    stand = Stand(lambda: layer.fault_arm(what, at, room), calm, mark)
    module, name = order["act"].split(":")
    try:
        result = getattr(import_module(f"tests.faults.{module}"), name)(stand, **order["given"])
        said = {"ended": "done", "result": result}
    except BaseException:
        said = {"ended": "broken", "error": traceback.format_exc()}
    counted, failed = ended[:2] or (layer.fault_count(), layer.fault_failed())
    said |= {"counted": counted, "failed": failed}
    data = f"={json.dumps(said, default=str)}\n".encode()
    while data:
        data = data[os.write(writing, data) :]
    os._exit(0)


if __name__ == "__main__":
    serve()
