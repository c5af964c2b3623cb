"""A tablet killed at every write point, without power behind every call, on a full and on a failing disk.

Acknowledged is what the store returned from. Nothing acknowledged is ever missing, a save is there whole or not at all,
the chain has no hole, and all of it reaches the office once. Source: SECURITY B.17-B.19, R4, R12.
"""

from __future__ import annotations

import pytest

from tests.faults.sweep import Act, Sweep
from tests.faults.yard import FAIL_ON, FAIL_ONCE, FAIL_SYNC, FULL

ACTS = ("answers", "interview", "page", "receipt", "opening")


def act_of(sweep: Sweep, name: str) -> Act:
    base = sweep.ground / "base"
    if name in ("page", "receipt"):
        world = "busy" if name == "page" else "still"
        return Act("tablet_acts:apply", world, {"reply": base / f"{name}.reply"})
    return Act(f"tablet_acts:{name}")


@pytest.mark.parametrize("name", ACTS)
def test_killed_at_every_write_point_nothing_acknowledged_is_missing_and_all_is_delivered(sweep, name):
    assert sweep.killed_everywhere(act_of(sweep, name), send_each=30 if name == "interview" else 10) >= 20


@pytest.mark.parametrize("name", ["answers", "receipt"])
def test_killed_in_the_midst_of_every_write(sweep, name):
    sweep.killed_everywhere(act_of(sweep, name), torn=True, send_each=10)


@pytest.mark.parametrize("name", ACTS)
def test_the_power_goes_behind_every_call_and_what_was_not_waited_for_is_gone(sweep, name):
    assert sweep.dark_everywhere(act_of(sweep, name)) >= 20


def test_on_a_full_disk_text_is_saved_with_the_ballast_and_the_ballast_is_laid_again(sweep):
    words = sweep.troubled_everywhere(Act("tablet_acts:troubled"), FULL, step=2)
    assert set(words) <= {"", "media_no_room"}, words


def test_on_a_full_disk_without_ballast_every_refusal_is_a_word_and_nothing_acknowledged_is_lost(sweep):
    words = sweep.troubled_everywhere(Act("tablet_acts:troubled", given={"ballast": False}), FULL, step=2)
    assert words["storage_full"] > 0, words
    assert "not_saved" not in words, "a full disk is called full"


@pytest.mark.parametrize("what", [FAIL_ONCE, FAIL_ON, FAIL_SYNC], ids=["once", "for-good", "every-fsync"])
def test_an_input_output_error_at_every_write_point_is_a_word_and_nothing_acknowledged_is_lost(sweep, what):
    words = sweep.troubled_everywhere(Act("tablet_acts:troubled"), what, step=2 if what == FAIL_ONCE else 6)
    assert set(words) <= {"", "not_saved", "not_allowed"}, words
    assert what == FAIL_ONCE or words["not_saved"] > 0, words


def test_after_a_failed_fsync_nothing_is_taken_for_written_that_is_not(sweep):
    """The pages of a failed fsync can be read and are not on the disk; the power goes afterwards."""
    act = Act("tablet_acts:troubled", given={"ballast": False})
    for at in range(1, sweep.points(act) + 1, 6):
        assert sweep.dark_at_the_end(act, what=FAIL_SYNC if at == 1 else FAIL_ONCE, at=at) > 0


@pytest.mark.parametrize("ballast", [True, False])
def test_a_wholly_full_disk_is_no_lock_out(sweep, ballast):
    """With or without ballast the PIN opens the store, and what is there can be read; saving says what is wrong."""
    act = Act("tablet_acts:opened_full", given={"ballast": ballast})
    ran = sweep.run(act, what=FULL, at=1).well()
    assert ran.result == {"opened": True, "saved": "" if ballast else "storage_full"}
    assert not sweep.look(sweep.ground / "run", ran.marks)
