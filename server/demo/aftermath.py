"""Step 8: is the ledger whole, what was measured, where things lie, how to go on."""

from __future__ import annotations

import time

from server.demo.cast import CANDIDATES, ELECTED, EVERYBODY, PIN
from server.demo.processes import command, run
from server.demo.scene import Scene
from server.demo.stage import Stage, expect


def look_back(scene: Scene) -> None:
    """Verifies the whole ledger with the office's own command."""
    with scene.stage.step("8.1", "qorgan verify: is the ledger whole?") as step:
        said = run([command("qorgan"), "verify"], scene.stage.logs / "verify.log", scene.environment)
        expect("verify said something", said.strip())
        step.figure = said.strip().splitlines()[-1][:44]


def say_how_to_go_on(stage: Stage, scene: Scene) -> None:
    """The summary a person reads at the end."""
    seconds = time.monotonic() - stage.began
    stage.write_summary({"request": scene.request, "visit": scene.visit})
    stage.say(f"\nEverything happened as it must, in {seconds:.0f} s.\n")
    stage.say(f"  papers      {stage.papers}")
    stage.say(f"  pictures    {stage.pictures}")
    stage.say(f"  figures     {stage.folder / 'summary.json'}")
    stage.say("\nHow to go on:")
    stage.say("  make serve     the office of this demo at a loopback address")
    stage.say(f"  make tablet    the window of Aigerim's tablet; its PIN is {PIN}")
    stage.say("\nDemo accounts (passphrase: qorgan demo LOGIN 2026):")
    for player in (*EVERYBODY, ELECTED):
        roles = ", ".join(role.value for role in player.roles) or "npm_member"
        stage.say(f"  {player.login:<14} {player.name:<22} {roles}")
    expect("the elected member was a candidate", ELECTED in CANDIDATES)
