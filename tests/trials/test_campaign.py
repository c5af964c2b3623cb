"""A campaign can be stopped at any moment: it goes on where it was, and what broke is run again first."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

import pytest

from tests.trials import campaign
from tests.trials.campaign import Reached
from tests.trials.trial import Trial

QUIET = Trial("quiet", ("B.1",), "Nothing breaks.", 1, 10, lambda seed, ground: None)


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(campaign, "KEPT", tmp_path / "kept")
    monkeypatch.setattr(campaign, "RESULTS", tmp_path / "results")
    return tmp_path


def test_a_stopped_campaign_goes_on_with_the_seeds_that_did_not_run(kept: Path) -> None:
    reached = Reached(commits=["abc"])
    for seed in (1, 2, 4, 7):
        reached.ran(seed, 0.5, "")
    campaign.save(QUIET, reached)
    again = campaign.load(QUIET)
    assert (again.next, again.ahead, again.count, again.spent) == (3, {4, 7}, 4, 2.0)
    assert list(campaign._due(again, 10)) == [3, 5, 6, 8, 9, 10]


def test_a_seed_that_broke_is_run_first_and_stays_said_when_it_holds(kept: Path) -> None:
    reached = Reached()
    reached.ran(1, 1, "")
    reached.ran(2, 1, "a save is missing")
    assert list(islice(campaign._due(reached, 9), 2)) == [2, 3]
    assert "seed 2 breaks: a save is missing" in campaign.page(QUIET, reached, datetime(2026, 3, 1, tzinfo=UTC))
    reached.ran(2, 1, "")
    campaign.save(QUIET, reached)
    again = campaign.load(QUIET)
    assert (again.broke, again.count) == ({}, 2)
    text = campaign.page(QUIET, again, datetime(2026, 3, 1, tzinfo=UTC))
    assert "seed 2 broke under an earlier commit and holds: a save is missing" in text


def test_the_result_says_how_many_ran_and_what_that_bounds(kept: Path) -> None:
    reached = Reached(next=301, commits=["abc", "def"])
    text = campaign.page(QUIET, reached, datetime(2026, 3, 1, 12, tzinfo=UTC))
    assert "| 300 | 10 | 0 | under 1.00%" in text
    assert "abc, def" in text


def test_an_empty_campaign_bounds_nothing(kept: Path) -> None:
    assert "| 0 | 10 | 0 | – | – |" in campaign.page(QUIET, Reached(), datetime(2026, 3, 1, tzinfo=UTC))
    assert campaign.load(QUIET) == Reached()
