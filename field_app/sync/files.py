"""Sealed files on their way to the office, piece by piece over one connection, so that no file ever holds another.

A file goes on at the byte where the office stands, whatever broke off before and on whichever side. Pieces go while the
tablet is locked too: they are ciphertext, and the pass is the one of the last exchange. Source: SETTLED decisions 27,
61; SECURITY B.14-B.16.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field

import msgspec

from field_app.store import wanted
from field_app.store.kept import MediaKept
from field_app.store.kept_files import is_whole
from field_app.store.store import Store
from field_app.sync import client, schedule
from field_app.sync.status import Progress

FALSE_STARTS = 5
"""So often pieces of one file may change on their way in one round."""


@dataclass
class Queue:
    """What a locked tablet may still do: pieces of sealed files, with the pass the office gave last."""

    office: client.Office
    token: str = ""
    files: list[MediaKept] = field(default_factory=list)


@dataclass
class Sent:
    """What went: whole files, pieces; more: something else had to go first; trouble: what ended it early."""

    files: int = 0
    pieces: int = 0
    more: bool = False
    trouble: client.NoNetwork | client.Refused | None = None


class FileSender:
    """Sends the files of one store; remembers how fast pieces go and which files break off."""

    def __init__(
        self, store: Store, progress: Progress, changed: Callable[[], None], elapsed: Callable[[], float]
    ) -> None:
        self._store, self._progress, self._changed, self._elapsed = store, progress, changed, elapsed
        self._piece = schedule.FIRST_PIECE
        self._broke_off: Counter[str] = Counter()
        self._tried: set[str] = set()

    def send(self, queue: Queue, gives_way: Callable[[], bool]) -> Sent:
        """Sends what can go; nothing of it is lost when it ends early.

        gives_way   whether to leave after the piece under way
        """
        sent = Sent()
        if not self._store.is_locked:
            queue.files = schedule.media_in_order(wanted.sendable_files(self._store), self._broke_off)
        until = self._elapsed() + schedule.FILES_SECONDS
        if queue.files:
            try:
                with client.kept_open(queue.office) as line:
                    self._send_each(queue, line, lambda: gives_way() or self._elapsed() > until, sent)
            except (client.NoNetwork, client.Refused) as error:
                sent.trouble = error
        return sent

    def _send_each(self, queue: Queue, line: client.Line, leaves: Callable[[], bool], sent: Sent) -> None:
        """File by file. One that breaks off lets the next go first and is tried once more; two in a row without a byte
        between them mean that the line is gone."""
        waiting, again, misses = deque(queue.files), set[str](), 0
        while waiting and not (leaves() or sent.more):
            kept, pieces = waiting.popleft(), sent.pieces
            try:
                self._send_file(queue, line, kept, leaves, sent)
                misses = 0
            except client.Faltered:
                self._note(msgspec.structs.replace(kept, failed="office_fault"))
            except client.NoNetwork:
                misses = 1 if sent.pieces > pieces else misses + 1
                self._broke_off[kept.sha256] += 1
                if misses > 1 or not waiting:
                    raise
                if kept.sha256 not in again:
                    again.add(kept.sha256)
                    waiting.insert(1, kept)
            except client.Refused as refused:
                if refused.status == 401:
                    raise
                self._note(msgspec.structs.replace(kept, failed=refused.code))
        sent.more = sent.more or bool(waiting)

    def _send_file(
        self, queue: Queue, line: client.Line, kept: MediaKept, leaves: Callable[[], bool], sent: Sent
    ) -> None:
        if not is_whole(self._store.folder / "media" / kept.sha256):
            raise client.Refused(460, "hash_wrong")
        offset = self._begin(queue, line, kept, sent)
        false_starts = 0
        with (self._store.folder / "media" / kept.sha256).open("rb") as file:
            while offset < kept.size:
                if leaves():
                    self._note(msgspec.structs.replace(kept, sent=offset))
                    sent.more = True
                    return
                file.seek(offset)
                reached = self._send_piece(queue, line, kept, file.read(self._piece), offset)
                false_starts += reached <= offset
                if false_starts > FALSE_STARTS:
                    raise client.Refused(460, "hash_wrong")
                sent.pieces += reached > offset
                offset = reached
                self._progress.files = {kept.sha256: offset}
                self._changed()
        self._progress.files = {}
        self._broke_off.pop(kept.sha256, None)
        self._note(msgspec.structs.replace(kept, sent=kept.size, received=True, failed=""))
        queue.files = [each for each in queue.files if each.sha256 != kept.sha256]
        sent.files += 1

    def _begin(self, queue: Queue, line: client.Line, kept: MediaKept, sent: Sent) -> int:
        """Where to go on. A file that was never tried and is one piece on this line goes whole with its announcement:
        one request instead of three."""
        is_fresh = kept.sha256 not in self._tried and not (kept.sent or kept.failed)
        self._tried.add(kept.sha256)
        if is_fresh and kept.size <= self._piece:
            data = (self._store.folder / "media" / kept.sha256).read_bytes()
            reached = self._timed(
                len(data), lambda: client.media_begin(line, queue.token, kept.sha256, kept.size, data)
            )
            if reached is not None:
                sent.pieces += reached > 0
                return reached
        offset = client.media_offset(line, queue.token, kept.sha256, kept.size)
        return client.media_begin(line, queue.token, kept.sha256, kept.size) if offset is None else offset

    def _send_piece(self, queue: Queue, line: client.Line, kept: MediaKept, piece: bytes, offset: int) -> int:
        """The offset behind the piece; after a refused one where the office stands."""
        reached = self._timed(len(piece), lambda: client.media_piece(line, queue.token, kept.sha256, offset, piece))
        return client.media_offset(line, queue.token, kept.sha256) or 0 if reached is None else reached

    def _timed(self, size: int, send: Callable[[], int]) -> int | None:
        """What sending so many bytes gave, None where the office stands elsewhere; the next piece is sized by it."""
        begun = self._elapsed()
        try:
            reached = send()
        except client.NoNetwork:
            self._piece = schedule.next_piece(self._piece, 0.0, False)
            raise
        except client.Refused as refused:
            if refused.status not in (409, 460):
                raise
            return None
        if size >= self._piece // 2:  # how long a few bytes took says nothing of the line
            self._piece = schedule.next_piece(self._piece, self._elapsed() - begun, True)
        return reached

    def _note(self, kept: MediaKept) -> None:
        """Keeps how far a file is; a locked store learns it at the next round after unlock, from the office."""
        if not self._store.is_locked:
            self._store.change_file(kept)
