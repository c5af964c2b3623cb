"""Runs every benchmark of this folder, prints a line a figure and writes docs/results.

A benchmark is a module here with `figures() -> list[Figure]`. Names on the command line choose some of them. On the
standard output stands one line a row: name, figure, must, aim, ok or short, with tabs between; the machine and how
long each took go to the error output. Ends with 1 when a ratio, bytes or memory misses its must; times never fail a
run, they depend on the machine. Run: python -m benchmarks.run [--list] [--no-write] [NAME …]
"""

from __future__ import annotations

import argparse
import importlib
import os
import pkgutil
import platform
import sqlite3
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import benchmarks
from benchmarks.figures import Figure

RESULTS = Path(__file__).parent.parent / "docs" / "results"


def names() -> list[str]:
    """The benchmarks there are, the machine's limits first: modules of this folder that say `def figures(`."""
    files = (Path(__file__).parent / f"{module.name}.py" for module in pkgutil.iter_modules(benchmarks.__path__))
    found = {file.stem for file in files if "\ndef figures(" in file.read_text(encoding="utf-8")}
    return sorted(found, key=lambda name: (name != "limits", name))


def machine() -> str:
    """What the figures were taken on."""
    return (
        f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, "
        f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}"
    )


def _page(name: str, what: str, figures: list[Figure], now: datetime) -> str:
    rows = [
        f"| {one.name.strip()} | {one.value:.3g} {one.unit} | {one.bound(one.must)} | {one.bound(one.aim)} | "
        f"{'' if one.must is None else 'short' if one.is_short else 'ok'} | {one.note} |"
        for one in figures
    ]
    head = [f"# {name}", "", what, "", f"{now:%d.%m.%Y %H:%M} UTC. {machine()}.", ""]
    return "\n".join([*head, "| figure | value | must | aim | | note |", "|---|---|---|---|---|---|", *rows, ""])


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
    print(machine(), file=sys.stderr)
    failed = [figure for name in asked.names or names() for figure in _ran(name, write=not asked.no_write)]
    return int(bool(failed))


def _ran(name: str, *, write: bool) -> list[Figure]:
    """Runs one benchmark, prints and keeps its rows; those that fail the run."""
    begun = time.monotonic()
    module = importlib.import_module(f"benchmarks.{name}")
    figures: list[Figure] = module.figures()
    for figure in figures:
        print(figure.line(), flush=True)
    print(f"{name}: {time.monotonic() - begun:.0f} s", file=sys.stderr, flush=True)
    if write:
        RESULTS.mkdir(parents=True, exist_ok=True)
        what = (module.__doc__ or "").split("\n\n")[0].replace("\n", " ")
        (RESULTS / f"{name}.md").write_text(_page(name, what, figures, datetime.now(UTC)), encoding="utf-8")
    return [figure for figure in figures if figure.is_short and figure.may_fail]


if __name__ == "__main__":
    sys.exit(main())
