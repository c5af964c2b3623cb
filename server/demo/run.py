"""`qorgan demo`: plays the main job from an empty folder to a reviewed visit and says what was seen."""

from __future__ import annotations

import argparse
import shutil
import socket
from datetime import UTC, datetime, timedelta

from playwright.sync_api import Error as BrowserError

from server.config import Config
from server.demo import aftermath, council, founding, report, visit, windows
from server.demo.console import Console
from server.demo.earlier import office_ago
from server.demo.processes import Process, command, free_port, wait_until_answers
from server.demo.proxy import Proxy
from server.demo.scene import Scene
from server.demo.stage import DemoFailed, Stage, stop
from shared.ledger.crypto import random_letters

SERVED = 8350
"""Port of `make serve`."""
OPENS_KEYS = "passphrase"
LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
CALL_AGO = timedelta(days=25)
"""How long ago the office of the story was founded and the election called; the call stays open 20 days by the rule."""
ACTS = (
    council.elect, council.request_and_decide, visit.prepare, visit.record,
    windows.answer_by_touch, windows.kill_and_reopen, visit.meet_again, report.sign_and_review,
    aftermath.look_back,
)  # fmt: skip


def play(given: argparse.Namespace) -> int:
    """Plays the story in `given.folder`; 0 when everything happened as it must."""
    folder = given.folder.absolute()
    if folder.exists():
        if not (folder / "office").exists() and any(folder.iterdir()):
            return stop(f"{folder} holds something else; choose another --folder")
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    stage = Stage(folder)
    stage.say(f"Qorgan plays its main job in {folder}\n")
    try:
        _play(stage, given.port or free_port(), given.database)
    except (DemoFailed, BrowserError) as error:
        return stop(f"{error}\nThe logs are in {stage.logs}")
    return 0


def _config(stage: Stage, port: int, database: str) -> Config:
    passphrase = random_letters(32, LETTERS)
    file = stage.folder / OPENS_KEYS
    file.touch(mode=0o600)
    file.write_text(passphrase, encoding="ascii")
    data = stage.folder / "office"
    return Config(data, database or f"sqlite:///{data / 'office.db'}", passphrase, f"http://127.0.0.1:{port}")


def _line_port(office: int) -> int:
    """The port the tablets call: the one `make serve` answers at afterwards, or any when that is taken."""
    try:
        socket.create_server(("127.0.0.1", SERVED)).close()
    except OSError:
        return 0
    return SERVED if office != SERVED else 0


def _environment(stage: Stage, config: Config) -> dict[str, str]:
    return {
        "QORGAN_DATA": str(config.data), "QORGAN_DATABASE": config.database, "QORGAN_ADDRESS": config.address,
        "QORGAN_KEY_PASSPHRASE_FILE": str(stage.folder / OPENS_KEYS),
    }  # fmt: skip


def _play(stage: Stage, port: int, database: str) -> None:
    config = _config(stage, port, database)
    began = datetime.now(UTC) - CALL_AGO
    office, ids = founding.found(stage, config, began)
    environment = _environment(stage, config)
    proxy = Proxy(("127.0.0.1", port), _line_port(port))
    scene = Scene(stage, office, ids, Console(config.address, stage.pictures), proxy, environment)
    try:
        with scene.console:
            with office_ago(office, port, CALL_AGO):
                scene.clock = lambda: datetime.now(UTC) - CALL_AGO
                council.call(scene)
            scene.clock = lambda: datetime.now(UTC)
            scene.console.leave()
            server = Process([command("qorgan"), "serve", "--port", str(port)], stage.logs / "office.log", environment)
            try:
                wait_until_answers(config.address, server)
                for act in ACTS:
                    act(scene)
            finally:
                scene.close_tablets()
                server.end()
    finally:
        proxy.close()
    aftermath.say_how_to_go_on(stage, scene)
