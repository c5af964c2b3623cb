"""Seconds from process start to the lock's first frame, and from the right PIN to the exact last place. Goal G2.

Run: python -m benchmarks.first_frame [--runs 5]. Needs no display; makes its store in a folder of its own. The first
figure is the whole process: interpreter, imports, window, first frame drawn. Prints medians with the machine.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

PIN = "49027315"
FRAME_GOAL, PLACE_GOAL = 1.0, 0.5
TYPING_SECONDS = 1.5
"""Nobody types eight digits faster: meanwhile the window loads what comes behind the lock."""
CHILD = """
import sys, time
from datetime import UTC, datetime
from pathlib import Path
from field_app.app import Tablet
from field_app.window import Clock
tablet = Tablet(Path(sys.argv[1]), lambda: datetime.now(UTC))
begun = 0.0
def first(*_):
    print("frame", time.time(), flush=True)
    Clock.schedule_once(enter, float(sys.argv[3]))
def enter(_):
    global begun
    begun = time.perf_counter()
    tablet.unlock(sys.argv[2], lambda error: print("refused", error, flush=True))
    Clock.schedule_interval(look, 0)
def look(_):
    if tablet.screen is not None:
        print("place", time.perf_counter() - begun, flush=True)
        tablet.stop()
        return False
from kivy.core.window import Window
from kivy.graphics.opengl import glFinish
def flipped(*_):
    glFinish()
    Window.unbind(on_flip=flipped)
    first()
tablet.bind(on_start=lambda *_: Window.bind(on_flip=flipped))
tablet.run()
"""


def made(folder: Path) -> None:
    """A store of a tablet that an office confirmed, with the place left at T2."""
    import msgspec

    from field_app.device.keystore import keystore
    from field_app.store.kept import Place
    from field_app.store.store import Store
    from shared.ledger.crypto import new_id

    folder.mkdir(mode=0o700)
    store = Store.create(folder, PIN, keystore(folder / "keystore"), datetime.now(UTC))
    identity = msgspec.structs.replace(
        store.identity, device=new_id(1), person=new_id(2), server_url="http://127.0.0.1:9", server_key="0" * 64
    )
    store.enrol(identity)
    opened = store._o
    meta = msgspec.structs.replace(opened.meta, confirmed=True)
    opened.write(lambda writing: writing.put("meta", meta, 1))
    opened.meta = meta
    store.stay(Place("settings"))
    store.close()


def one_run(folder: Path) -> tuple[float, float]:
    """(start to first frame, PIN to place) in seconds."""
    environment = os.environ | {"SDL_VIDEODRIVER": "offscreen", "KIVY_HOME": str(folder.parent / "kivy")}
    environment |= {"KIVY_NO_ARGS": "1", "KIVY_NO_CONSOLELOG": "1"}
    begun = time.time()
    ran = subprocess.run(
        [sys.executable, "-c", CHILD, str(folder), PIN, str(TYPING_SECONDS)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    said = dict(line.split(" ", 1) for line in ran.stdout.splitlines() if line.split(" ")[0] in ("frame", "place"))
    return float(said["frame"]) - begun, float(said["place"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    runs = parser.parse_args().runs
    with tempfile.TemporaryDirectory() as home:
        folder = Path(home) / "tablet"
        made(folder)
        one_run(folder)  # the first run compiles and warms the disk
        found = [one_run(folder) for _ in range(runs)]
    frame, place = (statistics.median(each) for each in zip(*found, strict=True))
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, median of {runs}")
    print(f"process start to first frame: {frame:.2f} s (goal {FRAME_GOAL:.1f})")
    print(f"right PIN to the last place:  {place:.2f} s (goal {PLACE_GOAL:.1f})")


if __name__ == "__main__":
    main()
