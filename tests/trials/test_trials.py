"""Every trial at the size of a commit, cut into slices that the processes of a run share."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.trials.trial import Trial, every_trial, play

ROOT = Path(__file__).parents[2]

SLICES = 8
"""Most slices of one trial."""


def _slices() -> list[tuple[Trial, range]]:
    found = []
    for trial in every_trial():
        count = min(SLICES, trial.per_commit)
        found += [(trial, range(1 + part, trial.per_commit + 1, count)) for part in range(count)]
    return found


@pytest.mark.parametrize("trial, seeds", [pytest.param(*each, id=f"{each[0].name}-{each[1][0]}") for each in _slices()])
def test_the_trial_holds_for_its_first_seeds(trial: Trial, seeds: range, request: pytest.FixtureRequest) -> None:
    for seed in seeds:
        play(trial, seed, lambda: request.getfixturevalue("postgres"))


def test_a_trial_that_breaks_says_its_seed_and_how_to_play_it_again() -> None:
    def breaks(seed: int, ground: object) -> None:
        raise AssertionError("a save is missing")

    broken = Trial("broken", ("B.1",), "never", 1, 1, breaks)
    with pytest.raises(AssertionError, match=r"broken, seed 7: .*a save is missing[^$]*--seed 7"):
        play(broken, 7, lambda: pytest.fail("no database was asked for"))


def test_the_table_of_traps_names_every_trial_with_its_sizes_and_only_tests_that_are_there() -> None:
    table = (ROOT / "docs/traps.md").read_text(encoding="utf-8")
    trials = {trial.name: trial for trial in every_trial()}
    seen = set()
    for number, proofs, sizes in re.findall(r"^\| (\d+) \| .* \| (`[^|]+) \| ([^|]+) \|$", table, re.M):
        for proof, size in zip(re.findall(r"`([^`]+)`", proofs), sizes.split(", "), strict=True):
            path, _, test = proof.partition("::")
            if test:
                assert f"def {test}(" in (ROOT / path).read_text(encoding="utf-8"), proof
                continue
            trial = trials[proof]
            assert size == f"{trial.per_commit} / {trial.release}", proof
            seen.add((f"B.{number}", proof))
    assert seen == {(trap, trial.name) for trial in trials.values() for trap in trial.traps if trap.startswith("B.")}


def test_a_trial_is_named_like_its_file_and_grows_for_a_release() -> None:
    for trial in every_trial():
        assert trial.run.__module__ == f"tests.trials.{trial.name}"
        assert 0 <= trial.per_commit <= trial.release, trial.name
        assert trial.traps, trial.name
        assert trial.says, trial.name
