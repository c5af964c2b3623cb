"""Draws every scene as PNG. Run: python -m tests.field_app.widgets.gallery FOLDER [scene …]"""

from __future__ import annotations

import sys
from pathlib import Path

import tests.field_app.conftest  # noqa: F401 - sets the environment before Kivy comes
from field_app.widgets.theme import Choice
from tests.field_app.widgets.bench import Bench
from tests.field_app.widgets.scenes import SCENES

SHOTS = (
    ("ru", (1280, 800), Choice()),
    ("kk", (800, 1280), Choice()),
    ("kk", (1280, 800), Choice("dark")),
    ("en", (1024, 600), Choice("contrast")),
    ("ru", (1280, 800), Choice("light", 200)),
    ("kk", (800, 1280), Choice("night", 200, "left")),
)


def main(folder: Path, names: list[str]) -> None:
    bench = Bench()
    for name in names or list(SCENES):
        for language, size, choice in SHOTS:
            bench.show(lambda name=name, language=language: SCENES[name](language), size, choice)
            file = f"{name}-{language}-{size[0]}-{choice.theme}-{choice.scale}.png"
            print(bench.picture(folder / file))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
