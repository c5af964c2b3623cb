"""Two real processes want one store, open it, write and sync over HTTP in turns nobody ordered; one may be killed."""

from __future__ import annotations

from tests.faults.yard import the_yard
from tests.trials.trial import Ground, Trial


def run(seed: int, ground: Ground) -> None:
    """Raises AssertionError when both had the store, a page was skipped, or a saved answer is missing or twice."""
    yard, place = the_yard(), ground.folder / "world"
    yard.run("tablet_acts:begun", folder=place, tablets=("leader", "other")).well()
    ran = yard.run("two_acts:two_processes", folder=place, seed=seed)
    assert ran.ended == "done", ran.error
    assert ran.result["saved"] > 0


TRIAL = Trial(
    "two_processes",
    traps=("B.24",),
    says="Of two processes on one store one has it at a time: no page is skipped, nothing saved is lost or doubled.",
    per_commit=3,
    release=500,
    run=run,
)
