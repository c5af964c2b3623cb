"""The tablet's store: the only door to what is on its disk. Screens, acts, worker and command line all come through it.

Nothing is *saved* before database and copy are both on the disk. Knows no window and no network; time is an argument
(`now`, aware). Every method may be called from any thread; one lock orders them. Files in the folder: vault, tries,
store.db, copy, media/, packs/, ballast, owner. Source: SETTLED decisions 3, 27, 35-42; SECURITY A.5, B.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from field_app.store import drafts, keys
from field_app.store.disk import Room, room, write_whole
from field_app.store.errors import BehindOffice, NotEnrolled, NotSaved, not_saved
from field_app.store.kept import Alarm, Draft, Identity, MediaKept, Meta, OwnIdentity, OwnOperation, Place, SubjectKey
from field_app.store.kept_files import check_files, files_named, forget_files, is_whole
from field_app.store.locking import Locking, milliseconds
from field_app.store.opened import Damage, Writing, operation_of
from shared.ledger.crypto import (
    box_address,
    new_id,
    sha256,
    verifying_key,
)
from shared.ledger.operation import Body, Operation, encode_line, genesis, next_id
from shared.ledger.sealing import KeyClass, KeyMade, KeyWrapped, sealed_words
from shared.ledger.subject import Words
from shared.values import OperationId, PersonId, SubjectId, stamp

Result = TypeVar("Result")


@dataclass(frozen=True)
class Saved:
    """What a save did: the subject's state after it, and the ids of the operations it made."""

    state: Any
    ids: tuple[OperationId, ...]


class Store(Locking):
    """One tablet's store. Made by `Store.create` or `Store.open`; unlocked until `lock`."""

    # ── who this tablet is ──────────────────────────────────────────────────────────────────────────────────────────

    @property
    def identity(self) -> Identity:
        """The tablet's keys, person and office."""
        return self._o.identity

    @property
    def person(self) -> PersonId:
        """Whose tablet this is; empty before enrolment."""
        return self._o.identity.person

    @property
    def is_enrolled(self) -> bool:
        """Whether an office knows this tablet (a second officer may still have to confirm it)."""
        return bool(self._o.identity.device)

    def public_keys(self) -> tuple[str, str]:
        """(signing key, box key) as 64 hex each, for enrolment and its fingerprint."""
        identity = self._o.identity
        return verifying_key(identity.sign_seed).hex(), box_address(identity.box_secret).hex()

    def enrol(self, identity: Identity) -> None:
        """Keeps what enrolment brought and puts the store key into slot B for the keyholders."""
        with self._lock:
            opened = self._o
            opened.write(lambda writing: writing.own(OwnIdentity(identity)))
            opened.identity = identity
            holders = {number: bytes.fromhex(key) for number, key in identity.keyholders.items()}
            if len(holders) == 3:
                self.vault.entrust(opened.key, holders)

    # ── subjects ────────────────────────────────────────────────────────────────────────────────────────────────────

    def new_subject(self, now: datetime) -> SubjectId:
        """An id for a subject about to begin."""
        return SubjectId(new_id(milliseconds(now)))

    def state(self, subject: SubjectId) -> Any:
        """The folded state (a `shared.ledger.subject.Subject`), None when the subject is not held here.

        Do not change it. It is the live object: a later save of this subject shows in it.
        """
        with self._lock:
            return self._o.book.state(subject)

    def subjects(self, kind: str) -> list[SubjectId]:
        """Subjects of a kind (registry.FOLDS) held here, oldest first."""
        with self._lock:
            return self._o.book.of_kind(kind)

    def children(self, subject: SubjectId, kind: str) -> list[SubjectId]:
        """Subjects of a kind that belong to this one: the record, interviews and report of a visit."""
        with self._lock:
            return self._o.book.children(subject, kind)

    def operations(self, subject: SubjectId) -> list[Operation]:
        """Everything known of a subject, in the one order."""
        with self._lock:
            held = self._o.book.subjects.get(subject)
            return held.operations[:] if held else []

    def record(self, subject: SubjectId, *bodies: Body, now: datetime, drop: str = "") -> Any:
        """Saves what the person did, and returns the folded state. See `save`."""
        return self.save(subject, *bodies, now=now, drop=drop).state

    def save(self, subject: SubjectId, *bodies: Body, now: datetime, drop: str = "") -> Saved:
        """Writes one operation a body, all or none, and waits for the disk: database and copy.

        drop   name of the draft that becomes this operation; it goes in the same transaction

        Raises NotSaved, StorageFull (nothing was written, the text stays with the caller), NotEnrolled, BehindOffice.
        """
        with self._lock:
            return self._save(subject, bodies, now, drop)

    def _save(
        self, subject: SubjectId, bodies: Iterable[Body], now: datetime, drop: str = "", key: SubjectKey | None = None
    ) -> Saved:
        opened = self._o
        device, author = opened.identity.device, opened.identity.person
        if not device:
            raise NotEnrolled
        if subject in opened.meta.behind:
            raise BehindOffice(subject)
        held = opened.book.at(subject)
        chain = opened.book.at(subject).chains.get(device, [])
        before = bytes.fromhex(chain[-1]) if chain else genesis(device, subject)
        records, operations, clock = [], [], held.clock
        for seq, body in enumerate(bodies, len(chain) + 1):
            clock += 1
            line = encode_line(body, author, stamp(now), clock)
            before = next_id(before, line)
            record = OwnOperation(subject, seq, line)
            operation = operation_of(record, device, before.hex())
            if operation is None:
                raise ValueError(f"a line that does not read back: {body.KIND}")
            records.append(record)
            operations.append(operation)
        draft = opened.drafts.get(drop) if drop else None
        files = files_named(opened, operations)

        def work(writing: Writing) -> tuple[list[int], int]:
            numbers = [writing.own(record) for record in records]
            if draft:
                writing.delete("draft", draft[0])
            for row, kept in files:
                writing.put("media", kept, row)
            return numbers, writing.put("subject_key", key) if key else 0

        numbers, key_row = opened.write(work)
        if key:
            opened.keys[key.id], opened.key_rows[key.id] = key, key_row
        if draft:
            opened.drafts.pop(drop, None)
        opened.media |= {kept.sha256: (row, kept) for row, kept in files}
        opened.numbers.setdefault(subject, []).extend(numbers)
        for operation in operations:
            held.append(operation)
        opened.book.changed(held)
        return Saved(opened.book.state(subject), tuple(operation.id for operation in operations))

    # ── sealed words ────────────────────────────────────────────────────────────────────────────────────────────────

    def sealing_key(self, subject: SubjectId, now: datetime, kind: str = "", level: KeyClass = "S2") -> SubjectKey:
        """This tablet's key for the subject; the first time it is made and announced by `key_made`.

        kind   kind of subject when it is about to begin ("notebook" keeps the office out)
        """
        with self._lock:
            opened = self._o
            key = keys.own_key(opened, subject, level)
            if key is None:
                held = opened.book.subjects.get(subject)
                body, key = keys.made(opened, subject, held.kind if held and held.kind else kind, level)
                self._save(subject, [body], now, key=key)
            return key

    def sealed(
        self, subject: SubjectId, kind: str, words: Mapping[str, Any], now: datetime, subject_kind: str = ""
    ) -> tuple[str, str]:
        """(key, sealed) for a body of this operation kind: its free words, sealed to everybody who may read them."""
        key = self.sealing_key(subject, now, subject_kind)
        return key.id, sealed_words(key.key, subject, kind, words)

    def words(self, subject: SubjectId, sealed: Words) -> dict[str, Any] | None:
        """The words behind a sealed part; None when this tablet holds no key to them."""
        with self._lock:
            return keys.words(self._o, subject, sealed)

    def wrap_missing(self, now: datetime) -> int:
        """Hands this tablet's keys to readers that became known since; how many bodies that took."""
        with self._lock:
            found = keys.missing_wraps(self._o)
            for subject, bodies in found.items():
                self._save(subject, bodies, now)
            return sum(map(len, found.values()))

    def forget_originals(self, visit: SubjectId) -> None:
        """The S3 keys of a closed visit go: from now on two keyholders open its originals. Source: SETTLED 34."""
        with self._lock:
            opened = self._o
            subjects = {visit, *(id_ for id_, held in opened.book.subjects.items() if held.parent == visit)}
            gone = [id_ for id_, key in opened.keys.items() if key.level == "S3" and key.subject in subjects]
            rows = [opened.key_rows[id_] for id_ in gone]
            if rows:
                opened.write(lambda writing: writing.delete_all("subject_key", rows))
            for id_ in gone:
                del opened.keys[id_], opened.key_rows[id_]

    # ── drafts and place ────────────────────────────────────────────────────────────────────────────────────────────

    def draft(self, field: str, text: str, caret: int, place: Place | None = None) -> Draft:
        """Keeps a text being typed, after every key; the place goes with it. Raises NotSaved, StorageFull.

        field   "<subject> <item path>" or any name the screen uses again after a restart
        """
        with self._lock:
            row = self._o.drafts.get(field)
            draft = drafts.with_text(row[1] if row else None, field, text, caret)
            drafts.put(self._o, draft, place)
            return draft

    def drafts(self) -> dict[str, Draft]:
        """Every text that has not become an operation."""
        with self._lock:
            return {field: draft for field, (_, draft) in self._o.drafts.items()}

    def undo_draft(self, field: str) -> Draft | None:
        """Goes one word back; None at the beginning."""
        with self._lock:
            row = self._o.drafts.get(field)
            earlier = drafts.undone(row[1]) if row else None
            if earlier is not None:
                drafts.put(self._o, earlier, None)
            return earlier

    def drop_draft(self, field: str) -> None:
        """The text was unchanged or empty: it becomes nothing."""
        with self._lock:
            row = self._o.drafts.get(field)
            if row:
                self._o.write(lambda writing: writing.delete("draft", row[0]))
                del self._o.drafts[field]

    @property
    def place(self) -> Place | None:
        """Where the person was; a start restores it."""
        return self._o.place

    def stay(self, place: Place) -> None:
        """Keeps where the person is."""
        with self._lock:
            drafts.put_place(self._o, place)

    # ── files ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def keep_file(self, data: bytes, role: str, subject: SubjectId) -> MediaKept:
        """Lays a sealed file down, named by its hash, on the disk before any operation names it.

        Its row comes first, so that a start knows what was under way. Raises NotSaved: nothing is left.
        """
        name = sha256(data).hex()
        kept = MediaKept(name, len(data), role, subject)
        with self._lock:
            row = self._o.media.get(name)
            number = self._o.write(lambda writing: writing.put("media", kept, row[0] if row else None))
            self._o.media[name] = (number, kept)
        path = self.folder / "media" / name
        try:
            try:
                write_whole(path, data)
            except OSError:
                if not self._o.gave_room():
                    raise
                write_whole(path, data)
        except OSError as error:
            self.forget_files([kept])
            raise not_saved(error) from error
        return kept

    def forget_files(self, kept: Iterable[MediaKept]) -> None:
        """Takes files back that no operation came to name; what the disk does not take now, the next start does."""
        with self._lock, contextlib.suppress(NotSaved):
            unnamed = [each.sha256 for each in kept if not self._o.media[each.sha256][1].operation]
            forget_files(self._o, unnamed)

    def keep_foreign(self, sha256_hex: str, data: bytes) -> None:
        """Lays down a sealed file of a colleague, loaded from the office. Raises NotSaved."""
        try:
            write_whole(self.folder / "media" / sha256_hex, data)
        except OSError as error:
            raise not_saved(error) from error

    def change_file(self, kept: MediaKept) -> None:
        """Keeps how far a file was sent. Raises NotSaved."""
        with self._lock:
            row = self._o.media[kept.sha256][0]
            self._o.write(lambda writing: writing.put("media", kept, row))
            self._o.media[kept.sha256] = (row, kept)

    def files(self) -> list[MediaKept]:
        """Every sealed file made here."""
        with self._lock:
            return [kept for _, kept in self._o.media.values()]

    def file_bytes(self, sha256_hex: str) -> bytes | None:
        """The sealed bytes of a file that lies here whole."""
        path = self.folder / "media" / sha256_hex
        return path.read_bytes() if is_whole(path) else None

    def check_files(self, after: str, most: int = 8_000_000) -> str:
        """Looks through some of the files for damage; goes on behind the name it gave last, "" from the beginning."""
        with self._lock:
            return check_files(self._o, after, most)

    def pack_path(self, sha256_hex: str) -> Path:
        """Where a pack lies or will lie; it is there only when it is whole."""
        return self.folder / "packs" / sha256_hex

    # ── how it stands ───────────────────────────────────────────────────────────────────────────────────────────────

    def unsent(self) -> int:
        """What the office has not received: operations (keys not counted) and the files they name. The one place of
        counting."""
        with self._lock:
            opened = self._o
            received: dict[SubjectId, set[int]] = {}
            for cut in opened.cuts:
                if cut.is_received:
                    received.setdefault(cut.header.subject, set()).update(range(cut.header.first, cut.last + 1))
            device = opened.identity.device
            waiting = sum(
                operation.seq not in received.get(subject, ())
                for subject in opened.numbers
                for operation in opened.book.subjects[subject].operations
                if operation.device == device and not isinstance(operation.body, KeyMade | KeyWrapped)
            )
            named = [kept for _, kept in opened.media.values() if kept.operation]
            return waiting + sum(not (kept.received or kept.carried) for kept in named)

    @property
    def meta(self) -> Meta:
        """Where the exchange with the office stands."""
        return self._o.meta

    @property
    def damage(self) -> Damage:
        """What the last start found wrong and mended."""
        return self._o.damage

    def alarms(self) -> tuple[Alarm, ...]:
        """What a person must know."""
        return self._o.meta.alarms

    def room(self) -> Room:
        """enough; low (warn); text_only: camera and recorder stop, text never does."""
        return room(self.folder)
