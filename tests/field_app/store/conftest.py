"""Tablets and an office for these tests."""

from tests.field_app.tablets import make_store, office, worker_of

__all__ = ["make_store", "office", "worker_of"]
