"""The window in a process of its own, led by lines: from an empty folder to a request half typed, killed on the way."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

import pytest

from field_app.device.keystore import keystore
from field_app.store.store import Store
from shared.ledger.crypto import new_id
from tests.field_app.office_double import OfficeDouble
from tests.field_app.screens.hall import NOW
from tests.field_app.tablets import PIN


class Led:
    """A window that obeys; `say` sends a command and returns its answer."""

    def __init__(self, home) -> None:
        environment = os.environ | {"SDL_VIDEODRIVER": "offscreen", "KIVY_LOG_MODE": "PYTHON"}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "field_app.driven", "--home", str(home), "--size", "1280x800"], env=environment,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        )  # fmt: skip

    def say(self, **command):
        self.process.stdin.write(json.dumps(command) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        assert answer["ok"], (command, answer)
        return answer

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(10)

    def quit(self) -> None:
        self.say(quit=True)
        self.process.wait(20)

    def enter(self, pin: str, word: str) -> None:
        self.say(type=pin)
        self.say(tap=word)


@pytest.fixture
def led():
    started: list[Led] = []

    def start(home):
        started.append(Led(home))
        return started[-1]

    yield start
    for each in started:
        if each.process.poll() is None:
            each.kill()


def test_from_an_empty_folder_over_kills_to_a_request_that_lost_no_letter(led, tmp_path):
    office = OfficeDouble()
    home = tmp_path / "tablet"
    person = new_id(1000)
    window = led(home)
    window.say(tap="ENG")
    window.say(tap="field:Address")
    window.say(type=office.url)
    window.say(tap="field:One-time code")
    window.say(type=office.code_for(person))
    window.say(tap="Next")
    window.enter(PIN, "Next")
    window.enter(PIN, "Next")
    window.say(wait_for="Check now", seconds=20)
    window.kill()  # between the code and the second officer

    window = led(home)
    window.enter(PIN, "Unlock")
    window.say(wait_for="My visits", seconds=30)
    window.say(tap="Request a visit")
    window.say(tap="Yes, urgent")
    window.say(tap="field:Reason")
    window.say(type="Three complaints in a month")
    window.kill()  # right behind the answer

    window = led(home)
    window.enter(PIN, "Unlock")
    window.say(wait_for="Request for a visit", seconds=30)
    found = window.say(tree=True)["tree"]
    assert any(each["name"] == "Yes, urgent" and each["state"] == "selected" for each in found)
    window.quit()
    store = Store.open(home, PIN, keystore(home / "keystore"), NOW)
    draft = store.drafts()["request"]
    store.close()
    office.close()
    assert json.loads(draft.text)["reason"] == "Three complaints in a month"
