"""Tablets of the demo: the same product in processes of their own, with a window or by command line."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from server.demo.cast import PIN, Player
from server.demo.processes import command, run
from server.demo.stage import DemoFailed, Stage

PATIENCE_SECONDS = 60.0


class Tablet:
    """One tablet: its folder, its person, and the ways to use it."""

    def __init__(self, stage: Stage, name: str, player: Player) -> None:
        self.name = name
        self.player = player
        self.folder = stage.folder / "tablets" / name
        self._log = stage.logs / f"{name}.log"
        self._acts = stage.folder / "tablets" / f"{name}.acts"
        self._pictures = stage.pictures
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        self.window: Window | None = None

    def line(self, *arguments: str, codes: tuple[int, ...] = (0,)) -> str:
        """The command line of this tablet; what it printed."""
        return run(
            [command("qorgan-tablet"), "--home", str(self.folder), "--language", "en", *arguments],
            self._log, {"QORGAN_PIN": PIN}, codes,
        )  # fmt: skip

    def enrol(self, address: str, code: str) -> None:
        """Shows the one-time code to the office."""
        self.line("enrol", address, code, "--label", self.name, "--pin-env", "QORGAN_PIN")

    def sync(self, codes: tuple[int, ...] = (0,), rounds: int = 20) -> str:
        """Exchanges until nothing is left."""
        return self.line("sync", "--until-empty", "--rounds", str(rounds), "--pin-env", "QORGAN_PIN", codes=codes)

    def act(self, *lines: dict[str, Any]) -> list[str]:
        """Carries acts out; what the command printed, line by line."""
        self._acts.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), encoding="utf-8")
        return self.line("record", str(self._acts), "--pin-env", "QORGAN_PIN").splitlines()

    def show(self, what: str, id_: str = "") -> Any:
        """What the tablet holds, as data."""
        given = [what, *([id_] if id_ else []), "--json", "--pin-env", "QORGAN_PIN"]
        return json.loads(self.line("show", *given))

    def open_window(self, size: str = "1280x800", theme: str = "") -> Window:
        """Starts the window, off-screen where there is no display, and unlocks it."""
        self.window = Window(self.folder, self._log, self._pictures, size)
        return self.window


class Window:
    """The real window, driven by lines of JSON: taps, keys and pictures."""

    def __init__(self, folder: Path, log: Path, pictures: Path, size: str) -> None:
        environment = {**os.environ, "KIVY_NO_ARGS": "1"}
        if not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
            environment["SDL_VIDEODRIVER"] = "offscreen"
        self._pictures = pictures
        self._log = log.open("ab")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "field_app.driven", "--home", str(folder), "--size", size],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._log, text=True, env=environment,
        )  # fmt: skip

    def tell(self, **line: Any) -> dict[str, Any]:
        """One line to the window, one line back. Raises DemoFailed when it answers with an error or not at all."""
        if self.process.stdin is None or self.process.stdout is None:
            raise DemoFailed("the window has no line")
        try:
            self.process.stdin.write(json.dumps(line, ensure_ascii=False) + "\n")
            self.process.stdin.flush()
        except BrokenPipeError as error:
            raise DemoFailed(f"the window closed before {line}") from error
        answer = self.process.stdout.readline()
        if not answer:
            raise DemoFailed(f"the window closed at {line}")
        reply: dict[str, Any] = json.loads(answer)
        if reply.get("error"):
            raise DemoFailed(f"the window at {line}: {reply}")
        return reply

    def tap(self, name: str) -> dict[str, Any]:
        """A finger on the control with this name."""
        return self.tell(tap=name)

    def taps(self, *names: str) -> None:
        """Several taps, one after another."""
        for name in names:
            self.tap(name)

    def type(self, text: str) -> dict[str, Any]:
        """Keys to the field that has the focus."""
        return self.tell(type=text)

    def shot(self, name: str) -> Path:
        """A picture of the window; its file."""
        path = self._pictures / f"{name}.png"
        self.tell(shot=str(path))
        return path

    def kill(self) -> None:
        """Ends it as a dead battery would: SIGKILL."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self._log.close()

    def close(self) -> None:
        """Closes the window as a person would."""
        if self.process.poll() is None:
            try:
                self.tell(quit=True)
                self.process.wait(20)
            except (DemoFailed, subprocess.TimeoutExpired):
                self.process.kill()
                self.process.wait()
        self._log.close()
