"""On what machine the tablet program runs, and whether this is a release build. Read from the environment alone."""

from __future__ import annotations

import os
from collections.abc import Mapping


def on_android(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether this is an Android device."""
    return "ANDROID_ARGUMENT" in environment


def is_release(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether doubles of device parts are refused."""
    return environment.get("QORGAN_RELEASE") == "1"
