"""Where the demo plays and what it says: its folder, its clock of steps, its figures."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Step:
    """One thing that happened: its number in the story, what a person would say, the figure, seconds it took."""

    number: str
    title: str
    figure: str = ""
    seconds: float = 0.0


@dataclass
class Stage:
    """The folder of one run and the steps so far."""

    folder: Path
    steps: list[Step] = field(default_factory=list)
    began: float = field(default_factory=time.monotonic)

    @property
    def pictures(self) -> Path:
        """Where screenshots go."""
        return self._made("pictures")

    @property
    def papers(self) -> Path:
        """Where PDFs go."""
        return self._made("papers")

    @property
    def logs(self) -> Path:
        """Where processes write what they say."""
        return self._made("logs")

    def _made(self, name: str) -> Path:
        path = self.folder / name
        path.mkdir(parents=True, exist_ok=True)
        return path

    @contextmanager
    def step(self, number: str, title: str) -> Iterator[Step]:
        """Times one step and prints it with its figure when it is done."""
        step = Step(number, title)
        start = time.monotonic()
        yield step
        step.seconds = time.monotonic() - start
        self.steps.append(step)
        print(f"  {number:<4} {title:<62} {step.figure:<44} {step.seconds:6.1f} s", flush=True)

    def say(self, text: str) -> None:
        """A line between steps."""
        print(text, flush=True)

    def write_summary(self, extra: dict[str, str]) -> Path:
        """Keeps the figures as JSON beside the pictures; returns the file."""
        path = self.folder / "summary.json"
        figures = [
            {"step": step.number, "title": step.title, "figure": step.figure, "seconds": round(step.seconds, 2)}
            for step in self.steps
        ]
        whole = {"seconds": round(time.monotonic() - self.began, 1), "steps": figures, **extra}
        path.write_text(json.dumps(whole, ensure_ascii=False, indent=1), encoding="utf-8")
        return path


class DemoFailed(Exception):
    """The story did not go as it must; the message names the step and what was seen."""


def expect(what: str, truth: object) -> None:
    """Raises DemoFailed unless it holds: the demo shows nothing that did not happen."""
    if not truth:
        raise DemoFailed(what)


def stop(message: str) -> int:
    """Says on standard error why the demo ended; the exit code."""
    print(f"\nqorgan demo: {message}", file=sys.stderr, flush=True)
    return 1
