"""The main job from end to end, as `make demo` plays it: real office, windows and browser, a line that breaks."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

STEPS = tuple(
    "1.1 1.2 1.3 1.4 2.1 2.2 2.3 2.4 2.5 3.1 3.2 3.3 3.4 3.5 3.6 4.1 4.2 4.3 4.4 5 6.1 6.2 6.3 6.4 "
    "7.1 7.2 7.3 7.4 7.5 7.6 8.1".split()
)
OPINION = "это бесчеловечные условия, а не недостаток мебели"
PATIENCE_SECONDS = 600


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_the_whole_story_happens_and_leaves_what_it_promises(database, tmp_path, request):
    folder = tmp_path / "demo"
    given = ["--database", request.getfixturevalue("postgres").new()] if database == "postgresql" else []
    done = subprocess.run(
        [str(Path(sys.executable).with_name("qorgan")), "demo", "--folder", str(folder), *given],
        capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    every_step_has_its_figure(folder)
    the_paper_holds_the_separate_opinion(folder)
    every_picture_shows_something(folder)
    no_word_of_the_visit_lies_in_clear(folder)
    for word in ("make serve", "make tablet", "commissioner", "council10", "dana"):
        assert word in done.stdout


def every_step_has_its_figure(folder: Path) -> None:
    steps = json.loads((folder / "summary.json").read_text(encoding="utf-8"))["steps"]
    assert tuple(step["step"] for step in steps) == STEPS
    assert all(step["figure"] for step in steps)


def the_paper_holds_the_separate_opinion(folder: Path) -> None:
    for language, label in (("kk", "Ерекше пікір"), ("ru", "Особое мнение")):
        paper = folder / "papers" / f"report-{language}.pdf"
        text = subprocess.run(["pdftotext", str(paper), "-"], capture_output=True, text=True, check=True).stdout
        words = " ".join(text.split())
        assert OPINION in words
        assert label.casefold() in words.casefold()


def every_picture_shows_something(folder: Path) -> None:
    pictures = sorted((folder / "pictures").glob("*.png"))
    assert len(pictures) >= 14
    for path in pictures:
        with Image.open(path) as picture:
            colours = picture.convert("RGB").getcolors(maxcolors=1 << 24)
            assert colours is not None
            assert len(colours) > 20, path.name


def no_word_of_the_visit_lies_in_clear(folder: Path) -> None:
    """Neither on a tablet, nor in the office's database, files and log (the acts and drawn photos are the story's)."""
    places = [*(folder / "tablets").rglob("*"), *(folder / "office").rglob("*"), folder / "logs" / "office.log"]
    for path in places:
        if path.is_file() and path.suffix not in (".acts", ".jpg"):
            data = path.read_bytes()
            for secret in ("дежурный помощник", "не называть отряд", "Екінші қабатта жарық"):
                assert secret.encode() not in data, f"{secret} in {path}"
