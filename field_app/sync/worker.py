"""One loop on one thread: text first, then packs, then files; every round short, fresh and bounded.

Nothing is latched: whatever failed is tried again in the next round, and one bad item never holds the others. A locked
tablet exchanges no frames, but the pieces of its sealed files go on. The clock and chance are handed in.
Source: SETTLED decisions 18, 27, 61; SECURITY B.14, B.15, B.24.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from field_app.store import incoming, outgoing, wanted
from field_app.store.disk import room
from field_app.store.errors import Locked, NotSaved, ReplyRefused
from field_app.store.store import Store
from field_app.sync import client, schedule
from field_app.sync.files import FileSender, Queue
from field_app.sync.status import Progress
from shared.ledger.crypto import sha256
from shared.ledger.frame import Frame, FrameUnreadable
from shared.ledger.messages import MessageUnreadable, encode_request, read_reply
from shared.packs import Pack

log = logging.getLogger("qorgan.sync")

EXCHANGES_LIMIT = 200
"""Most exchanges of one round: a bound, not a goal."""
FORGOTTEN = frozenset({"device_unknown", "device_waiting"})
"""What an office says that was restored to a day before this tablet was enrolled."""


@dataclass
class Round:
    """What one round did. trouble: code of what stopped it, "" when all went through; more: the next goes at once."""

    exchanges: int = 0
    frames: int = 0
    packs: int = 0
    files: int = 0
    pieces: int = 0
    more: bool = False
    trouble: str = ""
    detail: str = ""

    @property
    def moved(self) -> bool:
        """Whether anything went through."""
        return bool(self.frames or self.packs or self.files or self.pieces)


class Worker:
    """Syncs one store. `run_once` for command line and tests; `start`, `wake`, `stop` for the window."""

    def __init__(
        self, store: Store, now: Callable[[], datetime], chance: Callable[[], float],
        changed: Callable[[], None] = lambda: None, elapsed: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        """changed   called from the worker's thread whenever rows or states may have changed
        elapsed   seconds that go by evenly, to tell how fast pieces go
        """
        self.progress = Progress()
        self._store, self._now, self._chance, self._changed = store, now, chance, changed
        self._queue: Queue | None = None
        self._files = FileSender(store, self.progress, changed, elapsed)
        self._busy = threading.Lock()
        self._wake = threading.Event()
        self._stopping = False
        self._thread: threading.Thread | None = None
        self._failures = 0
        self._looked_at = ""

    # ── the loop ────────────────────────────────────────────────────────────────────────────────────────────────────

    def start(self) -> None:
        """Begins the loop on a thread of its own."""
        self._thread = threading.Thread(target=self._loop, name="sync", daemon=True)
        self._thread.start()

    def wake(self) -> None:
        """Something is to be sent now: the wait ends."""
        self._wake.set()

    def stop(self, seconds: float = 5.0) -> None:
        """Ends the loop after the piece under way."""
        self._stopping = True
        self._wake.set()
        if self._thread is not None:
            self._thread.join(seconds)

    def pause(self, seconds: float) -> None:
        """Waits, unless something is to be sent sooner."""
        self._wake.wait(seconds)

    def _loop(self) -> None:
        while not self._stopping:
            self._wake.clear()
            try:
                done = self.run_once()
                self._failures = self._failures + 1 if done.trouble and not done.moved else 0
                if done.more and not done.trouble:
                    continue
            except Exception:
                log.exception("a round of sync failed")
                self._failures += 1
                self.progress.trouble = "own_fault"
            self._wake.wait(schedule.wait_after(self._failures, self._chance()))

    # ── one round ───────────────────────────────────────────────────────────────────────────────────────────────────

    def run_once(self) -> Round:
        """One round: everything that can go now goes. Never two at once: the second returns with trouble "busy"."""
        done = Round()
        if not self._busy.acquire(blocking=False):
            done.trouble = "busy"
            return done
        try:
            self.progress.is_running = True
            self._round(done)
        finally:
            self.progress.is_running, self.progress.sending, self.progress.files = False, frozenset(), {}
            self.progress.trouble = done.trouble
            self._busy.release()
            self._changed()
        return done

    def _round(self, done: Round) -> None:
        try:
            if self._store.is_locked:
                self._send_files(done)
                return
            if not self._store.is_enrolled:
                done.trouble = "not_enrolled"
                return
            identity = self._store.identity
            self._queue = self._queue or Queue(client.Office(identity.server_url, identity.server_pin))
            self._text(done)
            self._packs(done)
            self._send_files(done)
            self._fetch_files(done)
        except client.WrongKey as error:
            done.trouble, done.detail = "wrong_key", str(error)
        except client.NoNetwork as error:
            done.trouble, done.detail = "no_network", str(error)
        except client.PinMissing as error:
            done.trouble, done.detail = "pin_missing", str(error)
        except client.AddressRefused as error:
            done.trouble, done.detail = "address_refused", str(error)
        except client.Refused as error:
            done.trouble, done.detail = error.code, error.message
        except (MessageUnreadable, FrameUnreadable) as error:
            done.trouble, done.detail = "reply_unreadable", error.reason
        except ReplyRefused as error:
            done.trouble, done.detail = f"alarm_{error.reason}", error.subject
        except NotSaved as error:
            done.trouble = error.code
        except Locked:
            done.trouble = "locked"

    # ── text ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def _text(self, done: Round) -> None:
        outgoing.take_up_again(self._store, self._now())
        while done.exchanges < EXCHANGES_LIMIT and not self._stopping:
            frames = outgoing.to_send(self._store)
            lost = self._store.meta.behind
            more = self._exchange(frames, done)
            if self._store.meta.revoked:
                done.trouble = self._store.meta.stopped or "revoked"
                if self._has_fresh(frames):
                    continue
                return
            wrapped = self._store.wrap_missing(self._now())
            fetches = self._store.meta.behind not in ({}, lost)
            if not more and not wrapped and not fetches and not self._has_fresh(frames):
                return

    def _has_fresh(self, sent: Sequence[Frame]) -> bool:
        """Whether frames are due that were not part of the exchange just made."""
        before = {(frame.header.device, frame.header.subject, frame.header.first) for frame in sent}
        due = outgoing.to_send(self._store)
        return any((frame.header.device, frame.header.subject, frame.header.first) not in before for frame in due)

    def _exchange(self, frames: Sequence[Frame], done: Round) -> bool:
        """One exchange; halves it when the office cannot read it, so that one bad frame holds no other."""
        done.exchanges += 1
        self.progress.sending = frozenset((frame.header.subject, frame.header.first) for frame in frames)
        self._changed()
        identity = self._store.identity
        body = encode_request(outgoing.hello(self._store, list(frames), self._now()), frames)
        try:
            answer = client.exchange(self._office, body, identity.sign_seed)
        except client.Refused as refused:
            if refused.code in FORGOTTEN and outgoing.introduce(self._store):
                return True
            if refused.status not in (413, 422) or not frames:
                raise
            if len(frames) == 1:
                outgoing.set_aside(self._store, frames[0], refused.code, self._now())
                return True
            half = len(frames) // 2
            self._exchange(frames[:half], done)
            return self._exchange(frames[half:], done)
        reply = read_reply(answer, bytes.fromhex(identity.server_key))
        if frames and reply.receipt.request != sha256(b"".join(frame.encoded() for frame in frames)).hex():
            raise ReplyRefused("other_request")
        incoming.apply_reply(self._store, reply, self._now())
        if self._queue is not None:
            self._queue.token = reply.page.token
        done.frames += len(frames) + len(reply.frames)
        self.progress.sending = frozenset()
        self._changed()
        return reply.page.more

    @property
    def _office(self) -> client.Office:
        if self._queue is None:
            raise Locked
        return self._queue.office

    # ── packs ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def _packs(self, done: Round) -> None:
        for pack in sorted(wanted.packs_wanted(self._store), key=lambda pack: pack.size):
            self._load_pack(pack, done)

    def _load_pack(self, pack: Pack, done: Round) -> None:
        """Goes on where the last try ended; the file gets its name only when its hash is right."""
        have = wanted.pack_begun(self._store, pack)
        if have < pack.size:
            pieces = client.pack_rest(self._office, self._token, pack.sha256, have, pack.size)
            wanted.add_to_pack(self._store, pack, pieces)
        if not wanted.finish_pack(self._store, pack):
            raise client.NoNetwork("pack")
        done.packs += 1
        self._changed()

    @property
    def _token(self) -> str:
        return self._queue.token if self._queue else ""

    # ── files ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def _send_files(self, done: Round) -> None:
        if self._queue is not None and self._queue.token:
            pieces = self._files.send(self._queue, lambda: self._stopping or self._text_waits())
            done.pieces, done.files, done.more = pieces.pieces, done.files + pieces.files, pieces.more
            if pieces.trouble is not None:
                raise pieces.trouble

    def _text_waits(self) -> bool:
        return not self._store.is_locked and outgoing.has_uncut(self._store)

    def _fetch_files(self, done: Round) -> None:
        """Colleagues' thumbnails and derivatives, so that the group sees them offline; never when room is short."""
        self._looked_at = self._store.check_files(self._looked_at)
        if room(self._store.folder) == "text_only":
            return
        for name, size in wanted.files_wanted(self._store):
            if self._stopping or self._text_waits():
                return
            try:
                data = client.media_bytes(self._office, self._token, name, size)
            except client.Refused:
                continue  # not there yet, or not for this tablet
            self._store.keep_foreign(name, data)
            done.files += 1
            self._changed()
