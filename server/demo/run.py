"""`qorgan demo`: plays the main job from an empty folder to a reviewed visit and says what was seen."""

from __future__ import annotations

import argparse
import shutil
import sys
from datetime import UTC, datetime
from pathlib import Path

from playwright.sync_api import Error as BrowserError

from server.config import Config
from server.demo import aftermath, council, founding, report, visit
from server.demo.console import Console
from server.demo.processes import Process, command, free_port, wait_until_answers
from server.demo.proxy import Proxy
from server.demo.scene import Scene
from server.demo.stage import DemoFailed, Stage, stop
from shared.ledger.crypto import random_letters

PASSPHRASE_FILE = "passphrase"
LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
GO_ON = """
How to go on:
  make serve     keeps this office running at a loopback address; sign in with the accounts below
  make tablet    opens the window of a tablet (PIN {pin} on the demo's tablets)
"""


def parser() -> argparse.ArgumentParser:
    """The options of the command."""
    made = argparse.ArgumentParser(prog="qorgan demo", description=__doc__)
    made.add_argument("--folder", type=Path, default=Path("var/demo"), help="where it plays (default: %(default)s)")
    made.add_argument(
        "--port", type=int, default=0, help="port of the office while the story plays (default: any free)"
    )
    return made


def main(arguments: list[str] | None = None) -> int:
    """Plays the story; 0 when everything happened as it must."""
    given = parser().parse_args(arguments)
    folder = given.folder.absolute()
    if folder.exists():
        if not (folder / "office").exists() and any(folder.iterdir()):
            return stop(f"{folder} holds something else; choose another --folder")
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    stage = Stage(folder)
    stage.say(f"Qorgan plays its main job in {folder}\n")
    try:
        _play(stage, given.port or free_port())
    except (DemoFailed, BrowserError) as error:
        return stop(f"{error}\nThe logs are in {stage.logs}")
    return 0


def _config(stage: Stage, port: int) -> Config:
    passphrase = random_letters(32, LETTERS)
    file = stage.folder / PASSPHRASE_FILE
    file.touch(mode=0o600)
    file.write_text(passphrase, encoding="ascii")
    data = stage.folder / "office"
    return Config(data, f"sqlite:///{data / 'office.db'}", passphrase, f"http://127.0.0.1:{port}")


def _environment(stage: Stage, config: Config) -> dict[str, str]:
    return {
        "QORGAN_DATA": str(config.data), "QORGAN_DATABASE": config.database, "QORGAN_ADDRESS": config.address,
        "QORGAN_KEY_PASSPHRASE_FILE": str(stage.folder / PASSPHRASE_FILE),
    }  # fmt: skip


def _play(stage: Stage, port: int) -> None:
    config = _config(stage, port)
    office, ids = founding.found(stage, config, datetime.now(UTC))
    environment = _environment(stage, config)
    server = Process([command("qorgan"), "serve", "--port", str(port)], stage.logs / "office.log", environment)
    proxy = Proxy(("127.0.0.1", port))
    try:
        wait_until_answers(config.address, server)
        with Console(config.address, stage.pictures) as console:
            scene = Scene(stage, office, ids, console, proxy, environment)
            try:
                council.elect(scene)
                council.request_and_decide(scene)
                visit.prepare(scene)
                visit.record(scene)
                visit.meet_again(scene)
                report.sign_and_review(scene)
                aftermath.look_back(scene)
            finally:
                scene.close_tablets()
    finally:
        proxy.close()
        server.end()
    aftermath.say_how_to_go_on(stage, scene)


if __name__ == "__main__":
    sys.exit(main())
