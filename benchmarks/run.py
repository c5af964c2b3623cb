"""Runs every benchmark of this folder, prints a line a figure and writes docs/results.

A benchmark is a module here with `figures() -> list[Figure]`. Names on the command line choose some of them. Ends with
1 when a ratio or a number of bytes misses its floor; times never fail a run, they depend on the machine.
Run: python -m benchmarks.run [--list] [NAME …]
"""

from __future__ import annotations

import argparse
import importlib
import os
import pkgutil
import platform
import sqlite3
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import benchmarks
from benchmarks.figures import Figure

RESULTS = Path(__file__).parent.parent / "docs" / "results"
NOT_BENCHMARKS = {"run", "figures", "payload"}


def names() -> list[str]:
    """The benchmarks there are, the machine's limits first."""
    found = {module.name for module in pkgutil.iter_modules(benchmarks.__path__)} - NOT_BENCHMARKS
    return sorted(found, key=lambda name: (name != "limits", name))


def machine() -> str:
    """What the figures were taken on."""
    return (
        f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, "
        f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}"
    )


def _page(name: str, figures: list[Figure], now: datetime) -> str:
    rows = [
        f"| {one.name.strip()} | {one.value:.3g} {one.unit} | "
        + ("" if one.must is None else f"{'≤' if one.less else '≥'} {one.must:g} {one.unit}")
        + f" | {'' if one.must is None else 'short' if one.is_short else 'ok'} | {one.note} |"
        for one in figures
    ]
    head = [f"# {name}", "", f"{now:%d.%m.%Y %H:%M} UTC. {machine()}.", ""]
    return "\n".join([*head, "| figure | value | floor | | note |", "|---|---|---|---|---|", *rows, ""])


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs what was asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.run", description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="some of them; all without")
    parser.add_argument("--list", action="store_true", help="name them and stop")
    parser.add_argument("--no-write", action="store_true", help="print only")
    asked = parser.parse_args(arguments)
    if asked.list:
        print("\n".join(names()))
        return 0
    if unknown := set(asked.names) - set(names()):
        parser.error(f"no such benchmark: {', '.join(sorted(unknown))}")
    print(machine())
    failed = False
    for name in asked.names or names():
        figures = importlib.import_module(f"benchmarks.{name}").figures()
        for figure in figures:
            print(figure.line(), flush=True)
            failed = failed or (figure.is_short and figure.may_fail)
        if not asked.no_write:
            RESULTS.mkdir(parents=True, exist_ok=True)
            (RESULTS / f"{name}.md").write_text(_page(name, figures, datetime.now(UTC)), encoding="utf-8")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
