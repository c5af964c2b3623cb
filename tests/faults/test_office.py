"""The office killed at every write point of a push, a projection, a rebuild, a migration, a backup; without power; on a
full and on a failing disk.

Whatever its signed answer called accepted is there, once; a repeated push changes nothing; what was being made anew
stands as before or as after. SQLite. Source: SECURITY B.4, B.17, B.18, B.19, B.27; R3, R4, R12.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.sweep import IN_CAMPAIGN, Act, Sweep
from tests.faults.yard import FAIL_ON, FAIL_ONCE, FAIL_SYNC, FULL, the_yard

PUSH = Act("office_acts:push")
PROJECTION = Act("office_acts:project", "behind")
REBUILD = Act("office_acts:build_again")
MIGRATION = Act("office_acts:schema", "nothing")
BACKUP = Act("office_acts:back_up")


def office_sweep(ground: Path, holds: str = "holds") -> Sweep:
    return Sweep(the_yard(), ground, "office", f"office_acts:{holds}", ("leader",))


@pytest.mark.parametrize("act", [PUSH, PROJECTION, REBUILD], ids=["push", "projection", "rebuild"])
def test_killed_at_every_write_point_nothing_is_lost_or_doubled(ground, act):
    assert office_sweep(ground).killed_everywhere(act, step=8 if act is PROJECTION else 72, send_each=48) > 15


@pytest.mark.parametrize("act", [PUSH, REBUILD], ids=["push", "rebuild"])
def test_the_power_goes_behind_every_call(ground, act):
    assert office_sweep(ground).dark_everywhere(act, step=128) >= 5


def test_a_migration_killed_anywhere_goes_on(ground):
    assert office_sweep(ground, "migrates").killed_everywhere(MIGRATION, step=48) >= 20


def test_a_backup_killed_anywhere_leaves_no_name_and_the_next_goes_through(ground):
    assert office_sweep(ground, "backed_up").killed_everywhere(BACKUP, step=20) >= 5


TROUBLES = (FULL, FAIL_ONCE, FAIL_ON, FAIL_SYNC)
IN_TROUBLE = {
    "push": ("still", "holds", 40), "project": ("behind", "holds", 7), "build_again": ("still", "holds", 80),
    "schema": ("nothing", "migrates", 60), "back_up": ("still", "backed_up", 17),
}  # fmt: skip
"""What is done → on which world, what looks afterwards, each how many points per commit."""


@pytest.mark.parametrize("name", IN_TROUBLE)
def test_on_a_full_or_failing_disk_the_office_refuses_loses_nothing_and_works_on(ground, name):
    """No room, one error, errors for good, no fsync: from every write point on, or at it; then the disk is well."""
    world, holds, step = IN_TROUBLE[name]
    words = office_sweep(ground, holds).each_trouble(Act(f"trouble_acts:{name}", world), TROUBLES, step)
    assert sum(words.values()) >= 3, words
    assert set(words) <= ({"503", "507", "404", "409"} if name == "push" else {"OSError", "OperationalError"}), words


def test_after_a_failed_fsync_nothing_of_a_push_counts_as_written_that_is_not(ground):
    """The bytes of a failed fsync can be read and are not on the disk; the tablet tries again; then the power goes."""
    sweep, act = office_sweep(ground), Act("trouble_acts:push")
    points = sweep.points(act)
    for at in range(1, points + 1) if IN_CAMPAIGN else (points * 3 // 4,):
        for what in (FAIL_SYNC, FAIL_ONCE) if IN_CAMPAIGN else (FAIL_SYNC,):
            assert sweep.dark_at_the_end(act, what=what, at=at) > 0


def test_a_photo_that_goes_whole_survives_a_kill_and_a_loss_of_power_between_bytes_sync_row_and_answer(ground):
    """Killed before every write point; the next process finds what lies there and says so; then the power goes."""
    sweep, act = office_sweep(ground), Act("trouble_acts:photo_whole")
    points = sweep.points(act)
    for at in range(1, points + 1, 1 if IN_CAMPAIGN else 38):
        fault = sweep.killed_then_dark(act, "trouble_acts:photo_again", at)
        assert not fault, f"killed before point {at} of {points}: {fault}"
