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


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def played(request, tmp_path_factory):
    """The story played once on each database; its folder and what it printed."""
    folder = tmp_path_factory.mktemp("story") / "demo"
    given = []
    if request.param == "postgresql":
        given = ["--database", request.getfixturevalue("postgres").new()]
    done = subprocess.run(
        [str(Path(sys.executable).with_name("qorgan")), "demo", "--folder", str(folder), *given],
        capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return folder, done.stdout


@pytest.mark.xdist_group("story")
class TestTheStory:
    """One test a promise; the story itself is played once."""

    def test_every_step_happens_and_says_its_figure(self, played):
        folder, _ = played
        steps = json.loads((folder / "summary.json").read_text(encoding="utf-8"))["steps"]
        assert tuple(step["step"] for step in steps) == STEPS
        assert all(step["figure"] for step in steps)

    def test_the_paper_holds_the_separate_opinion_in_both_languages(self, played):
        folder, _ = played
        for language, label in (("kk", "Ерекше пікір"), ("ru", "Особое мнение")):
            paper = folder / "papers" / f"report-{language}.pdf"
            text = subprocess.run(["pdftotext", str(paper), "-"], capture_output=True, text=True, check=True).stdout
            words = " ".join(text.split())
            assert OPINION in words
            assert label.casefold() in words.casefold()

    def test_every_picture_shows_something(self, played):
        folder, _ = played
        pictures = sorted((folder / "pictures").glob("*.png"))
        assert len(pictures) >= 14
        for path in pictures:
            with Image.open(path) as picture:
                colours = picture.convert("RGB").getcolors(maxcolors=1 << 24)
                assert colours is not None, path.name
                assert len(colours) > 20, path.name

    def test_it_says_how_to_go_on_and_who_may_sign_in(self, played):
        _, said = played
        for word in ("make serve", "make tablet", "commissioner", "council10", "dana"):
            assert word in said

    def test_no_tablet_keeps_words_of_the_visit_in_clear(self, played):
        folder, _ = played
        secrets = ("дежурный помощник", "не называть отряд", "Екінші қабатта жарық", "қолы жоқ")
        for path in (folder / "tablets").rglob("*"):
            if path.is_file() and path.suffix not in (".acts", ".jpg"):
                data = path.read_bytes()
                for secret in secrets:
                    assert secret.encode() not in data, f"{secret} in {path}"

    def test_the_office_keeps_no_word_of_interviews_in_clear(self, played):
        folder, _ = played
        for path in [*(folder / "office").rglob("*"), *(folder / "logs").rglob("office.log")]:
            if path.is_file():
                data = path.read_bytes()
                for secret in ("не называть отряд", "дежурный помощник", "Екінші қабатта жарық"):
                    assert secret.encode() not in data, f"{secret} in {path}"
