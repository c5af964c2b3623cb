"""Tablets and an office to test them against. Time stands still unless a test moves it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from field_app.enrolment import enrol
from field_app.store.store import Store
from field_app.sync.worker import Worker
from shared.ledger.crypto import new_id
from tests.field_app.office_double import OfficeDouble
from tests.ground.tablet import CHEAP

NOW = datetime(2026, 3, 7, 9, 0, tzinfo=UTC)
PIN = "49027315"


class KeystoreDouble:
    """32 bytes that stay the same."""

    def __init__(self, key: bytes = b"k" * 32) -> None:
        self.key = key

    def secret(self) -> bytes:
        return self.key


@pytest.fixture
def office():
    double = OfficeDouble()
    yield double
    double.close()


@pytest.fixture
def make_store(tmp_path):
    """Makes stores, each in a folder of its own, and closes them."""
    made: list[Store] = []

    def make(name: str = "tablet", office: OfficeDouble | None = None, person: str = "") -> Store:
        folder = tmp_path / name
        if (folder / "vault").exists():
            store = Store.open(folder, PIN, KeystoreDouble(), NOW)
        else:
            store = Store.create(folder, PIN, KeystoreDouble(), NOW, CHEAP)
        made.append(store)
        if office is not None and not store.is_enrolled:
            enrol(store, office.url, office.code_for(person or new_id(len(made))), name)
        return store

    yield make
    for store in made:
        store.close()


@pytest.fixture
def worker_of():
    """A worker that does not wait."""
    return lambda store: Worker(store, lambda: NOW, lambda: 0.5)
