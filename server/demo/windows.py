"""Steps 4 and 5 at the tablets' windows: answers by touch, a killed tablet, the same question open again."""

from __future__ import annotations

from server.demo.answering import labels_of
from server.demo.cast import LEADER, MEMBER, PIN, Player
from server.demo.scene import Scene
from server.demo.stage import expect
from server.demo.tablets import Tablet, Window
from shared.texts import Texts, texts

DIFFERENT = "/acc/acc_mgmt_talk"
"""The question the two monitors answer differently."""
BY_TOUCH = {"/st/st_training": "partly", "/st/st_ident": "no", "/st/st_language": "yes"}
BY_KEY = "/st/st_text"
TYPED = "Түнде екі қабатқа бір ғана қызметкер қалады, ауысым журналында оның қолы жоқ"
"""Answers left to the window of the first tablet; the text is typed half before the kill."""


def _words(player: Player) -> Texts:
    return texts("kk" if player.language == "kk" else "ru")


def _opened(tablet: Tablet, size: str) -> Window:
    """The window unlocked by PIN; what it shows then is where the person was."""
    window = tablet.open_window(size)
    for digit in PIN:
        window.tap(digit)
    window.tap(_words(tablet.player)("unlock.enter"))
    return window


def answer_by_touch(scene: Scene) -> None:
    """Two windows in two processes, both without a network."""
    stage, first, second = scene.stage, scene.tablets["aigerim"], scene.tablets["pavel"]
    with stage.step("4.4", "Both windows: answers by touch, each on its own tablet") as step:
        said = _words(LEADER)
        window = first.open_window("1280x800")
        window.shot("tablet-t1-unlock")
        for digit in PIN:
            window.tap(digit)
        window.tap(said("unlock.enter"))
        window.tell(wait_for=said("today.open_visit"))
        window.shot("tablet-t2-today")
        window.tap(said("today.open_visit"))
        window.shot("tablet-t3-visit")
        window.tap("row:Л")
        for item, choice in BY_TOUCH.items():
            window.tell(tap=item, on=labels_of(scene.office, "npm_visit", item, LEADER.language)[choice])
        window.shot("tablet-t4-checklist")
        said = _words(MEMBER)
        other = _opened(second, "800x1280")
        other.tap(said("today.open_visit"))
        other.tap("row:А")
        other.tell(tap=DIFFERENT, on=labels_of(scene.office, "npm_visit", DIFFERENT, MEMBER.language)["no"])
        other.shot("tablet-t4-portrait")
        other.close()
        step.figure = f"{len(BY_TOUCH) + 1} answers by touch, 2 processes"


def kill_and_reopen(scene: Scene) -> None:
    """Step 5: SIGKILL in the middle of typing; the same question is open, not a letter is missing."""
    tablet = scene.tablets["aigerim"]
    with scene.stage.step("5", "SIGKILL in the middle of typing, then started again") as step:
        window = tablet.window
        if window is None:
            raise LookupError("the window is open since step 4")
        half = TYPED[: len(TYPED) // 2]
        window.tell(tap=BY_KEY, on=labels_of(scene.office, "npm_visit", BY_KEY, LEADER.language)[""])
        window.type(half)
        before = window.tell(state=True)
        window.kill()
        window = _opened(tablet, "1280x800")
        window.tell(wait_for=_words(LEADER)("widgets.note"))
        after = window.tell(state=True)
        place = ("screen", "subject", "item", "field")
        expect(
            f"the same question is open with the same text: {before} {after}",
            [before[name] for name in place] == [after[name] for name in place] and after["field"] == half,
        )
        window.type(TYPED[len(half) :])
        window.shot("tablet-after-kill")
        window.close()
        tablet.window = None
        kept = {each["item"]: each["said"] for each in tablet.show("answers")}
        expect("the whole text became an answer", kept[BY_KEY][0]["value"] == TYPED)
        for item, choice in BY_TOUCH.items():
            expect(f"{item} is kept", kept[item][0]["value"] == choice)
        step.figure = f"{len(half)} letters typed, {len(half)} found"


def show_difference(scene: Scene) -> None:
    """The difference as the second tablet's window shows it."""
    said = _words(MEMBER)
    window = _opened(scene.tablets["pavel"], "800x1280")
    window.tell(wait_for=said("widgets.note"))
    window.shot("tablet-difference")
    window.close()
    scene.tablets["pavel"].window = None
