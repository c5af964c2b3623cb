"""How many examples a property is tried with: as many as the test says, fewer or many more by QORGAN_EXAMPLES."""

from __future__ import annotations

import itertools
import os
from collections.abc import Sequence
from typing import Any

from hypothesis import settings

_FACTOR = {"quick": 0.1, "check": 1.0, "campaign": 200.0}


def examples(count: int) -> settings:
    """Settings for a property that deserves `count` examples in `make test`."""
    return settings(max_examples=many(count))


def many(count: int) -> int:
    """So many rounds of a loop that deserves `count` in `make test`."""
    return max(1, int(count * _FACTOR[os.environ.get("QORGAN_EXAMPLES", "check")]))


def corners(first: Sequence[Any], second: Sequence[Any], third: Sequence[Any]) -> list[tuple[Any, Any, Any]]:
    """Combinations of three axes of the same length in which every two values meet; all of them in a campaign."""
    if os.environ.get("QORGAN_EXAMPLES") == "campaign":
        return list(itertools.product(first, second, third))
    assert len(first) == len(second) == len(third)
    places = range(len(first))
    return [(first[i], second[j], third[(i + j) % len(third)]) for i in places for j in places]
