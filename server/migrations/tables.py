"""Imports every module that declares tables, so that the schema is whole wherever this is imported."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

SERVER = Path(__file__).parent.parent

_HERE = Path(__file__).parent
MODULES = tuple(
    sorted(f"server.{path.parent.name}.tables" for path in SERVER.glob("*/tables.py") if path.parent != _HERE)
)
"""Every capability's tables module."""

for _module in MODULES:
    import_module(_module)
