"""The office killed at every write point of a push, a projection, a rebuild, a migration, a backup; without power.

Whatever its signed answer called accepted is there, once; a repeated push changes nothing; what was being made anew
stands as before or as after. SQLite. Source: SECURITY B.4, B.17, B.18, B.27; R3, R4.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.sweep import Act, Sweep
from tests.faults.yard import the_yard

PUSH = Act("office_acts:push")
PROJECTION = Act("office_acts:project", "behind")
REBUILD = Act("office_acts:build_again")
MIGRATION = Act("office_acts:schema", "nothing")
BACKUP = Act("office_acts:back_up")


def office_sweep(ground: Path, holds: str = "holds") -> Sweep:
    return Sweep(the_yard(), ground, "office", f"office_acts:{holds}", ("leader",))


@pytest.mark.parametrize("act", [PUSH, PROJECTION, REBUILD], ids=["push", "projection", "rebuild"])
def test_killed_at_every_write_point_nothing_is_lost_or_doubled(ground, act):
    assert office_sweep(ground).killed_everywhere(act, step=2 if act is PROJECTION else 24, send_each=48) > 10


@pytest.mark.parametrize("act", [PUSH, REBUILD], ids=["push", "rebuild"])
def test_the_power_goes_behind_every_call(ground, act):
    assert office_sweep(ground).dark_everywhere(act, step=32) >= 5


def test_a_migration_killed_anywhere_goes_on(ground):
    assert office_sweep(ground, "migrates").killed_everywhere(MIGRATION, step=32) >= 20


def test_a_backup_killed_anywhere_leaves_no_name_and_the_next_goes_through(ground):
    assert office_sweep(ground, "backed_up").killed_everywhere(BACKUP, step=10) >= 5
