"""The office and four tablets that the smallest cases of what schedules found begin with."""

from __future__ import annotations

import pytest

from tests.ground import World


@pytest.fixture
def world(tmp_path):
    with World.open(tmp_path / "world", ("leader", "other", "third", "outsider")) as world:
        yield world
