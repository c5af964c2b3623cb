"""Paths of items: where a question stands in the form, and in which rows.

A *place* is the path in the form, "/mc/cell/cell_beds"; a *path* names the rows too, "/mc/cell[a1b2c3d4]/cell_beds".
The path of a repeat itself, "/mc/cell", stands for all its rows; with a row, "/mc/cell[a1b2c3d4]", for that row.
Source: SETTLED decisions 2 and 6.
"""

from __future__ import annotations

import re

_ROW = re.compile(r"\[([0-9a-z-]{1,64})\]")
_PATH = re.compile(r"(/[A-Za-z_][A-Za-z0-9_.-]*(\[[0-9a-z-]{1,64}\])?)+")


def is_path(text: str) -> bool:
    """Whether the text has the shape of a path."""
    return _PATH.fullmatch(text) is not None


def place_of(path: str) -> str:
    """The path without its rows."""
    return _ROW.sub("", path) if "[" in path else path


def parent_of(path: str) -> str:
    """The path one step up, rows kept; of a top item the empty path, which is the form itself."""
    return path[: path.rfind("/")] if "/" in path else ""


def row_of(path: str) -> str:
    """The row id a path ends with, or empty."""
    return path[path.rfind("[") + 1 : -1] if path.endswith("]") else ""


def without_row(path: str) -> str:
    """The path of the repeat itself when the path names one of its rows."""
    return path[: path.rfind("[")] if path.endswith("]") else path


def rows_in(path: str) -> list[tuple[str, str]]:
    """Each repeat a path goes through, outermost first: (path of the repeat with the rows above it, row id)."""
    return [(path[: found.start()], found[1]) for found in _ROW.finditer(path)]


def steps_of(path: str) -> list[str]:
    """The steps of a path, rows attached: ["mc", "cell[a1b2c3d4]", "cell_beds"]."""
    return path[1:].split("/") if path else []
