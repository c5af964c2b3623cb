"""The mutants: each takes one guard away while it lasts. `GUARDS` lists them with what they break."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

from field_app.store import copy, drafts, fates, incoming, keys, mending, opened, outgoing, store
from field_app.store.errors import NotSaved
from field_app.store.kept import FrameState
from field_app.store.store import Store
from field_app.sync import worker
from server.accounts import project as accounts_project
from server.ledger import append, contacts, exchange, ordinary, ordinary_rows, queries, receive
from shared.ledger.door import Verdict
from shared.ledger.sealing import REVIEW
from shared.observations import answers

Mutation = Callable[[], AbstractContextManager[Any]]


@dataclass(frozen=True)
class Guard:
    """One mutant. tests: further pytest files that may catch it; trials: names of trials."""

    name: str
    breaks: str
    apply: Mutation
    tests: tuple[str, ...] = ()


def _both(*patches: AbstractContextManager[Any]) -> AbstractContextManager[Any]:
    stack = ExitStack()
    for each in patches:
        stack.enter_context(each)
    return stack


def _slow_way() -> AbstractContextManager[Any]:
    """The exchange in full decides, so that a guard there is the only one."""
    return patch.object(exchange, "_ordinary", lambda *given, **named: None)


def _wrapped(owner: Any, name: str, around: Callable[..., Any]) -> AbstractContextManager[Any]:
    real = getattr(owner, name)
    return patch.object(owner, name, lambda *given, **named: around(real, *given, **named))


# ── the office ──────────────────────────────────────────────────────────────────────────────────────────────────────


def _verdict(becomes: Callable[[Verdict], Verdict]) -> AbstractContextManager[Any]:
    return _both(_slow_way(), _wrapped(receive, "place", lambda real, *given: becomes(real(*given))))


def _page_without(drop: Callable[[Any], tuple[bytes, ...]]) -> AbstractContextManager[Any]:
    real = queries.page

    def page(*given: Any, **named: Any) -> Any:
        found = real(*given, **named)
        return queries.Page(drop(found), found.subjects, found.cursor, found.more)

    page.__defaults__ = real.__defaults__
    return patch.object(queries, "page", page)


@contextmanager
def _twin_unseen() -> Any:
    def follows(row: Any, hello: Any) -> bool:
        row.shown = hello.nonce
        return True

    with patch.object(contacts, "_follows", follows), patch.object(exchange, "stop_reading", lambda *given: None):
        yield


@contextmanager
def _late_is_a_twin() -> Any:
    def is_apart(real: Any, row: Any, hello: Any, ask: Any, now: Any) -> str:
        before = row.shown
        nonce: str = real(row, hello, ask, now)
        if row.shown == before != hello.nonce:
            contacts.freeze(row, "twin", now)
        return nonce

    with _wrapped(contacts, "note_contact", is_apart), _wrapped(ordinary, "note_contact", is_apart):
        yield


def _no_transaction() -> AbstractContextManager[Any]:
    from server.db import Database

    @contextmanager
    def push(self: Any, connection: Any) -> Any:
        with self._turn():
            yield

    return patch.object(Database, "push", push)


def _never_revoked() -> AbstractContextManager[Any]:
    def row(real: Any, *given: Any, **named: Any) -> Any:
        return real(*given, **(named | {"revoked_at": None}))

    return _wrapped(accounts_project, "DeviceRow", row)


def _everything_to_everybody() -> AbstractContextManager[Any]:
    real = queries.page

    def page(session: Any, person: Any, own: Any, after: Any, limit: int = 1_000_000) -> Any:
        found = real(session, person, own, after)
        rows = session.exec(queries.select(queries.FrameRow).where(queries.FrameRow.device != own)).all()
        return queries.Page(tuple(queries.unpacked(each.data) for each in rows), found.subjects, found.cursor, False)

    return patch.object(queries, "page", page)


def _forgets_aside(real: Any, session: Any, carrier: Any, item: Any, now: Any) -> None:
    if item.verdict.status != "quarantined":
        real(session, carrier, item, now)


def _granted_at_once(real: Any, session: Any, granted: Any, withdrawn: Any, number: int) -> None:
    real(session, granted, withdrawn, 1)


def _rows_without_frames(real: Any, self: Any, connection: Any, writing: Any) -> None:
    real(self, connection, writing._replace(frames=[]))


# ── the tablet ──────────────────────────────────────────────────────────────────────────────────────────────────────


def _append_without_fsync(self: Any, records: Any) -> None:
    data = b"".join(self._record(number, bodies) for number, bodies in copy._gathered(records))
    os.pwrite(self._descriptor, data, self.size)
    self.size += len(data)


def _meta_first(real: Any, store: Any, *given: Any) -> Any:
    meta = real(store, *given)
    store.write(lambda writing: writing.put("meta", meta, 1))
    return meta


def _sent_is_received(real: Any, store: Any, *given: Any) -> Any:
    frames = real(store, *given)

    def mark(held: Any) -> None:
        sent = {(frame.header.subject, frame.header.first) for frame in frames}
        for each in held.cuts:
            if (each.header.subject, each.header.first) in sent:
                each.state = FrameState("accepted")
        held.write(lambda writing: [writing.put("frame_state", each.state, each.number) for each in held.cuts])

    if frames:
        store.reading(mark)
    return frames


def _write_never_fails(real: Any, self: Any, work: Any) -> Any:
    try:
        return real(self, work)
    except NotSaved:

        class Nowhere:
            def __getattr__(self, name: str) -> Any:
                return lambda *given, **named: 1

        return work(Nowhere())


def _database_only(self: Any, record: Any) -> int:
    number: int = self.database.put("own", opened.packed(record))
    return number


def _not_persisted(real: Any, self: Any, table: str, record: Any, number: int | None = None) -> int:
    if table == "pulled":
        return self.database.next_number("pulled") + 1000
    kept: int = real(self, table, record, number)
    return kept


def _into_a_log(real: Any, self: Any, subject: Any, kind: str, words: Any, *rest: Any) -> Any:
    with (self.folder / "debug.log").open("a") as file:
        file.write(f"{kind} {dict(words)}\n")
    return real(self, subject, kind, words, *rest)


def _without_review(real: Any, *given: Any) -> Any:
    return {reader: address for reader, address in real(*given).items() if reader != REVIEW}


def _same_clock(real: Any, body: Any, author: Any, at: Any, clock: int) -> bytes:
    line: bytes = real(body, author, at, max(1, clock - clock % 4))
    return line


def _only_the_last(real: Any, held: Any, operation: Any, path: str, **said: Any) -> None:
    real(held, operation, path, **said)
    held.items[path].entries = held.items[path].entries[-1:]


def _of_the_database_only(database: Any, copy_: Any, damage: Any) -> dict[int, bytes]:
    return dict(database.rows("own"))


def _never_aside(real: Any, held: Any, reply: Any) -> Any:
    found = real(held, reply)
    if reply.page.restored is not None:
        found = {number: state for number, state in found.items() if state.status != "cut"}
    return found


def _files_are_sent(real: Any, self: Any, *given: Any, **named: Any) -> Any:
    for kept in self._store.files():
        if kept.operation and not kept.received:
            import msgspec

            self._store.change_file(msgspec.structs.replace(kept, received=True))
    return real(self, *given, **named)


@contextmanager
def _never_busy() -> Any:
    class Free:
        def acquire(self, blocking: bool = True) -> bool:
            return True

        def release(self) -> None:
            pass

    def made(real: Any, self: Any, *given: Any, **named: Any) -> None:
        real(self, *given, **named)
        self._busy = Free()

    with _wrapped(worker.Worker, "__init__", made):
        yield


def _cuts_behind_the_hole(copy_: Any, reading: Any, own: Any) -> None:
    if not reading.is_whole:
        copy_.take_off(reading.good_bytes)


def _drops(status: str) -> Callable[[Verdict], Verdict]:
    return lambda verdict: Verdict("already") if verdict.status == status else verdict


FOUND = ("tests/simulator/test_found.py", "tests/simulator/test_found_restores.py")
GUARDS: tuple[Guard, ...] = (
    Guard(
        "known_is_new",
        "what is held already is taken in once more",
        lambda: _verdict(lambda verdict: Verdict("accepted") if verdict.status == "already" else verdict),
    ),
    Guard(
        "fork_in_silence", "a second history is answered as known and dropped", lambda: _verdict(_drops("quarantined"))
    ),
    Guard(
        "gap_in_silence", "a frame beyond a gap is answered as known and dropped", lambda: _verdict(_drops("waiting"))
    ),
    Guard(
        "aside_is_gone",
        "what is kept aside is not kept",
        lambda: _both(_slow_way(), _wrapped(receive, "_hold", _forgets_aside)),
    ),
    Guard(
        "seal_unseen",
        "a seal is not checked at the door",
        lambda: _both(_slow_way(), patch.object(receive, "is_sealed", lambda *given: True)),
        ("tests/server/test_hostile.py", "tests/server/test_sync.py"),
    ),
    Guard(
        "receipt_without_frames",
        "the receipt is given and the frames are not written",
        lambda: _wrapped(ordinary_rows.OrdinaryRows, "write", _rows_without_frames),
    ),
    Guard("push_without_transaction", "an ordinary push is written statement by statement", _no_transaction, FOUND),
    Guard(
        "old_number_of_access",
        "a new reader is granted from the first position on",
        lambda: _both(_slow_way(), _wrapped(append, "_insert_access", _granted_at_once)),
    ),
    Guard(
        "page_lacks_its_end",
        "the cursor goes beyond what the page holds",
        lambda: _page_without(lambda page: page.frames[:-1] if len(page.frames) > 1 else page.frames),
    ),
    Guard(
        "page_lacks_its_begin",
        "a page of more than one frame leaves the first out",
        lambda: _page_without(lambda page: page.frames[1:] if len(page.frames) > 1 else page.frames),
    ),
    Guard("page_for_all", "a page does not ask who may read", _everything_to_everybody),
    Guard("revoked_reads", "a revocation never reaches the table of devices", _never_revoked),
    Guard("twin_unseen", "nonces and forks say nothing of a second tablet", _twin_unseen),
    Guard("late_is_a_twin", "an old nonce stops the reading at once", _late_is_a_twin),
    Guard(
        "epoch_ignored",
        "a ledger put back is not noticed",
        lambda: patch.object(exchange, "ledgers_parted", lambda *given: None),
    ),
    Guard(
        "copy_not_synced",
        "the copy is not waited for",
        lambda: patch.object(copy.Copy, "append", _append_without_fsync),
        FOUND,
    ),
    Guard(
        "copy_left_out",
        "own records go into the database alone",
        lambda: patch.object(opened.Writing, "own", _database_only),
    ),
    Guard(
        "copy_not_read",
        "a start does not look into the copy",
        lambda: patch.object(mending, "_own_of", _of_the_database_only),
    ),
    Guard(
        "hole_cuts_the_rest",
        "mending a hole cuts off what stands behind it",
        lambda: patch.object(mending, "_mend_copy", _cuts_behind_the_hole),
        FOUND,
    ),
    Guard(
        "cursor_before_page",
        "the cursor is on the disk before the page",
        lambda: _wrapped(incoming, "_meta_after", _meta_first),
    ),
    Guard(
        "page_in_memory", "frames of others are not written", lambda: _wrapped(opened.Writing, "put", _not_persisted)
    ),
    Guard(
        "sent_is_received",
        "a frame counts as received when it is sent",
        lambda: _wrapped(outgoing, "to_send", _sent_is_received),
    ),
    Guard(
        "not_saved_in_silence",
        "a save that failed is taken for one",
        lambda: _wrapped(opened.Opened, "write", _write_never_fails),
    ),
    Guard(
        "drafts_in_memory",
        "a text being typed is not written",
        lambda: patch.object(
            drafts, "put", lambda held, draft, place: held.drafts.__setitem__(draft.field, (1, draft))
        ),
    ),
    Guard("clock_reused", "operations do not raise the clock", lambda: _wrapped(store, "encode_line", _same_clock)),
    Guard(
        "last_write_wins",
        "a later answer takes the place of all others",
        lambda: _wrapped(answers, "_add", _only_the_last),
    ),
    Guard("words_in_a_log", "typed words stand in clear in a file", lambda: _wrapped(Store, "sealed", _into_a_log)),
    Guard(
        "review_key_left_out",
        "the office's review key gets no key",
        lambda: _wrapped(keys, "addresses", _without_review),
    ),
    Guard(
        "received_after_restore",
        "what an office lost is not due again",
        lambda: _both(_wrapped(fates, "fates", _never_aside), _wrapped(incoming, "fates_of", _never_aside)),
        FOUND,
    ),
    Guard(
        "files_after_restore",
        "files an office lost are not due again",
        lambda: patch.object(incoming, "_files_due_again", lambda held: []),
        FOUND,
    ),
    Guard(
        "files_believed_sent",
        "a file counts as received before it went",
        lambda: _wrapped(worker.Worker, "_round", _files_are_sent),
    ),
    Guard(
        "never_busy", "two rounds of one tablet run at once", _never_busy, ("tests/field_app/sync/test_one_round.py",)
    ),
)
