"""Schedules of acts and faults on three or four real tablets and the real office, held to the invariants I1 to I10.

One seed is one schedule: 60 to 200 acts of people on tablets and in the console, at least 8 faults that met something,
then everything is well again and at most five rounds of sync follow. `python -m tests.simulator --seed 7` plays one
step by step. The per-commit size keeps to the time of `make test`; a campaign runs the size of a release.
"""

from __future__ import annotations

import logging

from tests.simulator.simulation import LEAST_FAULTS, play
from tests.trials.trial import Ground, Trial


def run(seed: int, ground: Ground) -> None:
    """Raises Violation with the schedule."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)  # the office logs each refusal: here they are part of the schedule
    try:
        done = play(seed, ground.folder)
    finally:
        logging.disable(before)
    met = sum(done.met.values())
    assert met >= LEAST_FAULTS, f"only {met} faults met something: {done.met}"


TRIAL = Trial(
    "schedules",
    traps=("R1", "B.3", "B.4", "B.8", "B.9", "B.10", "B.11", "B.13", "B.14", "B.15", "B.17", "B.22", "B.24", "B.27"),
    says="Whatever goes wrong, in any order, nothing saved is missing, nothing is there twice, and all become alike.",
    per_commit=300,
    release=10_000,
    run=run,
)
