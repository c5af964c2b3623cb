"""The simulator sees: three guards are taken away, a schedule notices each. All of them: `python -m tests.mutants`."""

import pytest

from tests.mutants.__main__ import caught
from tests.mutants.promises import ALL


@pytest.mark.parametrize("name", ["fork_in_silence", "last_write_wins", "words_in_a_log"])
def test_a_broken_guard_is_noticed(name):
    (guard,) = [each for each in ALL if each.name == name]
    assert caught(guard, 4).startswith("seed "), f"{name} is broken and no schedule noticed"


def test_there_are_thirty_guards_each_with_a_name_of_its_own():
    assert len({guard.name for guard in ALL}) == len(ALL) >= 30
