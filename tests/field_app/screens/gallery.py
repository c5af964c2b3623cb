"""Draws the screens as PNG. Run: python -m tests.field_app.screens.gallery FOLDER [screen …]"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import tests.field_app.conftest  # noqa: F401 - sets the environment before Kivy comes

SHOTS = (
    ("ru", (1280, 800), "light", 100), ("kk", (800, 1280), "light", 100), ("kk", (1280, 800), "dark", 100),
    ("en", (1024, 600), "contrast", 100), ("ru", (1280, 800), "light", 200), ("kk", (800, 1280), "night", 200),
)  # fmt: skip


def main(folder: Path, names: list[str], shots=SHOTS) -> None:
    from field_app.widgets.theme import Choice
    from tests.field_app.office_double import OfficeDouble
    from tests.field_app.screens.hall import furnished
    from tests.field_app.screens.panes import Panes
    from tests.field_app.screens.scenes import SCENES
    from tests.field_app.widgets.bench import Bench

    office, bench = OfficeDouble(), Bench()
    with tempfile.TemporaryDirectory() as home:
        hall = furnished(Path(home) / "t", office)
        for name in names or list(SCENES):
            for language, size, theme, scale in shots:
                panes = Panes(bench, Path(home) / "t", size, language, Choice(theme, scale))
                SCENES[name](panes, hall)
                print(bench.picture(folder / f"{name}-{language}-{size[0]}-{theme}-{scale}.png"))
        hall.store.close()
    office.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
