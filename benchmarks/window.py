"""What a finger waits for on the tablet: a letter in the search, a theme, a tap, a jump, Cover, the first frame.

The real window without a display, in a process of its own, on a real store with the visit form and a register of
realistic size. Each time goes from the touch to the end of drawing the next frame. Reported without a floor:
milliseconds depend on the machine. Source: UX section 1, SETTLED decision 71.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Any

from benchmarks.figures import Figure

ROUNDS = 5
TIMEOUT = 300
SETTINGS = {
    "SDL_VIDEODRIVER": "offscreen", "SDL_AUDIODRIVER": "dummy", "KIVY_NO_ARGS": "1", "KIVY_NO_FILELOG": "1",
    "KIVY_NO_CONSOLELOG": "1", "KIVY_LOG_MODE": "PYTHON",
}  # fmt: skip
SPELLINGS = ("к", "ка", "караг", "караганды", "qaraghandy", "Қарағанды")
THEMES = ("/he", "/sg", "/mc", "/acc", "/sg")
RIGHTS = "/sg/sg_rights"
JUMPS = ("/sg/sg_text", RIGHTS, "/sg/sg_cctv")
WORDS = {
    "search": "search of the register, a letter to the next frame",
    "theme": "a theme of the checklist opens",
    "tap": "a tap on an answer, saved, to the next frame",
    "jump": "a jump to a question of the theme",
    "cover": "Cover to a frame that is public",
}


def figures() -> list[Figure]:
    """Medians in milliseconds."""
    from benchmarks import first_frame

    with tempfile.TemporaryDirectory(prefix="qorgan-window-") as home:
        ran = subprocess.run(
            [sys.executable, "-m", "benchmarks.window", home],
            env=os.environ | SETTINGS | {"KIVY_HOME": str(Path(home) / "kivy")},
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
        )
        if ran.returncode:
            raise RuntimeError(ran.stderr[-2000:])
        measured: dict[str, list[float]] = json.loads(ran.stdout.splitlines()[-1])
        folder = Path(home) / "first"
        first_frame.made(folder)
        first_frame.one_run(folder)  # the first run compiles and warms the disk
        starts = [first_frame.one_run(folder) for _ in range(3)]
    shown, placed = (statistics.median(each) for each in zip(*starts, strict=True))
    found = [
        Figure(words, statistics.median(measured[name]), "ms", note=f"most {max(measured[name]):.0f}")
        for name, words in WORDS.items()
    ]
    return [*found, Figure("process start to first frame", shown, "s", aim=first_frame.FRAME_GOAL),
            Figure("right PIN to the last place", placed, "s", aim=first_frame.PLACE_GOAL)]  # fmt: skip


# ── in the process of the window ────────────────────────────────────────────────────────────────────────────────────


def _ms(act: Callable[[], object], draw: Callable[[], object]) -> float:
    begun = perf_counter()
    act()
    draw()
    return (perf_counter() - begun) * 1000


def _measured(home: Path) -> dict[str, list[float]]:
    from tests.field_app.widgets.bench import Bench

    bench = Bench()
    return _checklist(bench, home) | _office(bench, home)


def _checklist(bench: Any, home: Path) -> dict[str, list[float]]:
    """Themes, answers and jumps of T4 in a visit under way."""
    from tests.field_app.screens.ground import Room, a_store, a_visit

    store, now = a_store(home / "checklist")
    room = Room(bench, store, now)
    room.visit, room.record = a_visit(store, now)
    opened, tapped, jumped = [], [], []
    for theme in THEMES:
        opened.append(_ms(lambda theme=theme: room.go("checklist", subject=room.visit, theme=theme), bench.frame))
        bench.frame(20)
    for word in ("Да", "Нет", "Частично") * ROUNDS:
        button = room.within(room.card(RIGHTS), word)
        tapped.append(_ms(lambda button=button: bench.tap(button), bench.frame))
    cards: Any = room.screen
    for path in JUMPS * ROUNDS:
        jumped.append(_ms(lambda path=path: cards.cards.jump(path), bench.frame))
    room.stage.set_focus(None)
    store.close()
    return {"theme": opened, "tap": tapped, "jump": jumped}


def _office(bench: Any, home: Path) -> dict[str, list[float]]:
    """The search of a place, and Cover from a visit's home."""
    from tests.field_app.office_double import OfficeDouble
    from tests.field_app.screens.hall import furnished
    from tests.field_app.screens.panes import Panes

    office = OfficeDouble()
    hall = furnished(home / "hall", office)
    panes = Panes(bench, home / "hall")
    panes.open(hall.store, "today")
    panes.tap("Найти место")
    screen: Any = panes.tablet.screen
    results = screen.frame.sheet.body
    searched = [
        _ms(lambda query=query: results.search(query), bench.frame) for _ in range(ROUNDS) for query in SPELLINGS
    ]
    if not results.list.entries:
        raise RuntimeError("nothing was found")
    panes.open(hall.store, "visit", subject=hall.keys["running"])
    bench.frame(5)
    cover = panes.named("Скрыть")
    covered = [_ms(lambda: bench.tap(cover), bench.frame)]
    hall.store.close()
    office.close()
    return {"search": searched, "cover": covered}


if __name__ == "__main__":
    print(json.dumps(_measured(Path(sys.argv[1]))))
