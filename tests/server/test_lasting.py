"""The last answers that were seen lasting: what is told among processes, and what is not believed."""

from __future__ import annotations

import multiprocessing
from datetime import UTC, datetime, timedelta

from server.ledger.lasting import LastingAnswers
from shared.values import DeviceId

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
UNTIL = NOW + timedelta(minutes=15)
ONE, OTHER = DeviceId("019ca78d-9600-75b4-9c22-c8875bb56c48"), DeviceId("019ca78d-9600-7b78-b35c-c8875bb56c48")
TOKEN = "t" * 43


def test_an_answer_is_given_again_for_the_same_frames_and_the_same_nonce_alone() -> None:
    answers = LastingAnswers()
    answers.note(ONE, "frames", "nonce", TOKEN, UNTIL)
    assert answers.again(ONE, "frames", "nonce", 60, NOW) == TOKEN
    assert answers.again(ONE, "others", "nonce", 60, NOW) == ""
    assert answers.again(ONE, "frames", "older", 60, NOW) == ""
    assert answers.again(OTHER, "frames", "nonce", 60, NOW) == "", "a tablet in the same slot got another's token"


def test_an_answer_is_given_again_so_often_in_a_minute_and_while_its_token_is_fresh() -> None:
    answers = LastingAnswers()
    answers.note(ONE, "frames", "nonce", TOKEN, UNTIL)
    assert [answers.again(ONE, "frames", "nonce", 2, NOW) for _ in range(3)] == [TOKEN, TOKEN, ""]
    assert answers.again(ONE, "frames", "nonce", 2, NOW + timedelta(minutes=1)) == TOKEN
    assert answers.again(ONE, "frames", "nonce", 2, UNTIL - timedelta(minutes=4)) == ""


def test_what_one_process_saw_lasting_another_may_say_again_and_half_an_entry_is_nothing() -> None:
    answers = LastingAnswers()
    child = multiprocessing.get_context("fork").Process(
        target=answers.note, args=(ONE, "frames", "nonce", TOKEN, UNTIL)
    )
    child.start()
    child.join()
    assert answers.again(ONE, "frames", "nonce", 60, NOW) == TOKEN
    for at in range(len(answers._slots)):
        if answers._slots[at] == ord("t"):
            answers._slots[at] = ord("x")
            break
    assert answers.again(ONE, "frames", "nonce", 60, NOW) == ""
