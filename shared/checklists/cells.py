"""Cells that remember what they read: the bookkeeping behind "only what depends on a changed answer".

A cell is (aspect, path). Inputs ("answer", and "rows" or "kept" as given) are never stored here, only read. Which cell
reads which is learnt while computing, so rows that come and go need no plan made ahead.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

Cell = tuple[str, str]
_MISSING = object()


class Circular(RuntimeError):
    """A cell needs itself. The importer refuses forms where this can happen."""


class Cells:
    """Computed cells, and for each the cells that read it."""

    def __init__(self, compute: Callable[[Cell], Any]) -> None:
        self._compute = compute
        self._values: dict[Cell, Any] = {}
        self._readers: dict[Cell, set[Cell]] = {}
        self._open: list[Cell] = []

    def read(self, cell: Cell) -> None:
        """Notes that the cell being computed now reads `cell`."""
        if self._open:
            self._readers.setdefault(cell, set()).add(self._open[-1])

    def get(self, cell: Cell) -> Any:
        """The value of a cell, computed now if it is not known. Raises Circular."""
        self.read(cell)
        value = self._values.get(cell, _MISSING)
        if value is not _MISSING:
            return value
        if cell in self._open:
            raise Circular(cell)
        self._open.append(cell)
        try:
            value = self._compute(cell)
        finally:
            self._open.pop()
        self._values[cell] = value
        return value

    def change(self, inputs: Iterable[Cell]) -> set[str]:
        """Forgets every cell that hangs on these inputs and computes again those that were known.

        returns   the paths whose cells are now different or gone
        """
        old: dict[Cell, Any] = {}
        waiting = list(inputs)
        seen: set[Cell] = set()
        while waiting:
            cell = waiting.pop()
            if cell in seen:
                continue
            seen.add(cell)
            if cell in self._values:
                old[cell] = self._values.pop(cell)
            waiting.extend(self._readers.pop(cell, ()))
        return {cell[1] for cell, before in old.items() if not _same(self.get(cell), before)}


def _same(left: Any, right: Any) -> bool:
    return type(left) is type(right) and (left == right or (left != left and right != right))
