"""A real tablet: the product's store in a folder, the product's worker, a clock of its own and a line to the office."""

from __future__ import annotations

import contextlib
import sqlite3
from dataclasses import dataclass, field
from pathlib import Path

from field_app.acts.subjects import record_id, report_id
from field_app.store.store import Store
from field_app.sync.worker import Round, Worker
from shared.ledger.crypto import Effort
from shared.values import DeviceId, PersonId, SubjectId
from tests.ground.clock import Skewed
from tests.ground.line import Line

PIN = "49027315"
CHEAP = Effort(8, 1, 1)
"""Cost of the PIN where nothing is proven about it."""


class TabletKeystore:
    """32 bytes of this tablet's hardware that stay the same."""

    def __init__(self, key: bytes = b"k" * 32) -> None:
        self.key = key

    def secret(self) -> bytes:
        return self.key


@dataclass
class Tablet:
    """One tablet of a world; open unless it was killed or closed."""

    name: str
    folder: Path
    person: PersonId
    device: DeviceId
    line: Line
    clock: Skewed
    keystore: TabletKeystore = field(default_factory=TabletKeystore)
    _store: Store | None = None
    _worker: Worker | None = None

    @property
    def is_open(self) -> bool:
        """Whether the app runs."""
        return self._store is not None

    @property
    def store(self) -> Store:
        """The store, opened when it is not."""
        if self._store is None:
            self._store = Store.open(self.folder, PIN, self.keystore, self.clock())
        return self._store

    @property
    def worker(self) -> Worker:
        """The worker of the store now open."""
        if self._worker is None or self._worker._store is not self.store:
            true = self.clock.true
            self._worker = Worker(self.store, self.clock, lambda: 0.5, elapsed=lambda: true.now.timestamp())
        return self._worker

    def sync(self) -> Round:
        """One round; it never waits."""
        return self.worker.run_once()

    def abandon(self) -> None:
        """The process is gone: files stay as they are, nothing is written any more. The next use opens anew."""
        store, self._store, self._worker = self._store, None, None
        if store is None:
            return
        opened, store._opened = store._opened, None
        if opened is not None:
            with contextlib.suppress(sqlite3.Error):
                opened.database._connection.close()
            with contextlib.suppress(OSError):
                opened.copy.close()
        store._owner.release()

    def close(self) -> None:
        """The app is left in good order."""
        store, self._store, self._worker = self._store, None, None
        if store is not None:
            store.close()

    def reopen(self) -> Store:
        """Left and started again."""
        self.close()
        return self.store

    def record(self, visit: SubjectId) -> SubjectId:
        """The record of the visit; it must have been opened."""
        found = record_id(self.store, visit)
        assert found, f"{self.name} holds no record of {visit}"
        return found

    def report(self, visit: SubjectId) -> SubjectId:
        """The report of the visit; it may not have begun."""
        return report_id(self.store, visit)
