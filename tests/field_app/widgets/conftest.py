"""One window for all widget tests of a process."""

from __future__ import annotations

from collections.abc import Iterator

import pytest


@pytest.fixture(scope="session")
def window() -> object:
    from tests.field_app.widgets.bench import Bench

    return Bench()


@pytest.fixture
def bench(window: object) -> Iterator[object]:
    yield window
    from field_app.widgets.theme import Choice, look

    window.clear()
    look.change(Choice())
