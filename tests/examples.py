"""How many examples a property is tried with: as many as the test says, fewer or many more by QORGAN_EXAMPLES."""

from __future__ import annotations

import os

from hypothesis import settings

_FACTOR = {"quick": 0.1, "check": 1.0, "campaign": 50.0}


def examples(count: int) -> settings:
    """Settings for a property that deserves `count` examples in `make test`."""
    return settings(max_examples=max(1, int(count * _FACTOR[os.environ.get("QORGAN_EXAMPLES", "check")])))
