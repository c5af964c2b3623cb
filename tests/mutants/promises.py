"""Mutants of what tablet and office promise each other: one frame a place, the same bytes again, a signed receipt, an
answer behind the commit, names on the disk, seals of others. `ALL` is these and `guards.GUARDS`.
"""

from __future__ import annotations

import re
from contextlib import AbstractContextManager, contextmanager
from itertools import count
from typing import Any
from unittest.mock import patch

import sqlalchemy

from field_app.store import incoming, outgoing
from server.backup import making
from server.db import Database
from server.media import store as media_store
from shared.ledger import messages
from shared.ledger.frame import Frame, cut
from tests.mutants.guards import GUARDS, Guard, _both, _wrapped


def _no_unique_key() -> AbstractContextManager[Any]:
    """The schema is made without it, by the migration and by whoever asks the tables."""
    real = sqlalchemy.UniqueConstraint

    def constraint(*columns: Any, **named: Any) -> Any:
        if named.get("name") == "one_frame_a_place":
            return sqlalchemy.CheckConstraint("cursor > 0", name="one_frame_a_place")
        return real(*columns, **named)

    return patch.object(sqlalchemy, "UniqueConstraint", constraint)


def _cut_anew(real: Any, opened: Any, waiting: Any) -> Any:
    """A frame that went before goes as another one: its last line says another moment."""
    sent = vars(_cut_anew).setdefault("sent", set())
    for frame in real(opened, waiting):
        header, place = frame.header, (frame.header.subject, frame.header.first, frame.header.prev)
        if header.device == opened.identity.device and place in sent:
            lines = (*frame.lines[:-1], re.sub(rb'"at":"\d{4}', b'"at":"2031', frame.lines[-1]))
            seed, before = opened.identity.sign_seed, bytes.fromhex(header.prev)
            frame = Frame(cut(seed, header.device, header.subject, header.first, before, lines).header, lines)
        sent.add(place)
        yield frame


def _unsigned_receipts() -> AbstractContextManager[Any]:
    return _both(
        patch.object(messages, "is_signed", lambda *given: True),
        patch.object(incoming, "is_signed", lambda *given: True),
    )


def _answered_first() -> AbstractContextManager[Any]:
    """The answer leaves before the commit: of one push in nine the process did not live to see it."""
    real, number = Database.push, count(1)

    @contextmanager
    def push(self: Database, connection: Any) -> Any:
        with real(self, connection):
            yield
            if next(number) % 9 == 0:
                connection.rollback()

    return patch.object(Database, "push", push)


def _no_folder_sync() -> AbstractContextManager[Any]:
    return _both(
        patch.object(media_store, "sync_folder", lambda path: None),
        patch.object(making, "sync_folder", lambda path: None),
    )


PROMISES: tuple[Guard, ...] = (
    Guard(
        "no_unique_key", "the table of frames takes two frames at one place", _no_unique_key,
        ("tests/server/test_one_place.py",),
    ),
    Guard(
        "retry_is_new", "a frame that is sent again is made anew", lambda: _wrapped(outgoing, "_one_by_one", _cut_anew),
    ),
    Guard(
        "unsigned_receipt", "a receipt counts whoever signed it", _unsigned_receipts,
        ("tests/shared/test_ledger_messages.py",),
    ),
    Guard("answer_before_commit", "the answer to a push leaves before its commit", _answered_first),
    Guard(
        "folder_not_synced", "names of photos and backups are not waited for", _no_folder_sync,
        ("tests/faults/test_office.py::"
         "test_a_photo_that_goes_whole_survives_a_kill_and_a_loss_of_power_between_bytes_sync_row_and_answer",),
    ),
    Guard(
        "pull_unsealed", "seals of others are not checked on the tablet",
        lambda: patch.object(incoming, "_is_sealed_well", lambda *given: True),
        ("tests/field_app/sync/test_exchange.py",),
    ),
)  # fmt: skip
ALL: tuple[Guard, ...] = (*GUARDS, *PROMISES)
