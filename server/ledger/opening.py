"""Opening sealed words at reading: the only place of the office that does.

Order, in one transaction: permission, read-log line, then the words. If the line cannot be written, nothing is opened.
Also here: sealing words the office itself writes. Source: SECURITY A.10, SETTLED decisions 31-33, 65.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import insert, text
from sqlmodel import Session, col, select

from server.accounts.tables import DeviceRow
from server.ledger.tables import ReadRow
from server.office import Office, Reader
from shared.errors import RuleBroken
from shared.ledger.crypto import SealBroken, sha256
from shared.ledger.operation import canonical
from shared.ledger.sealing import REVIEW, KeyMade, KeyWrapped, key_made, opened_words, sealed_words, unwrapped, wrap_for
from shared.ledger.subject import Subject, Words
from shared.permissions import may
from shared.values import PersonId, SubjectId, stamp


def open_words(
    session: Session, office: Office, reader: Reader, verb: str, state: Subject, words: Iterable[Words], purpose: str,
    now: datetime,
) -> list[dict[str, Any] | None]:  # fmt: skip
    """The words in the order asked; None for one whose key was not wrapped to the review key or whose seal is broken.

    verb     the cell of the access matrix that allows it, e.g. "record.read"
    purpose  shown in the log: a key of a text, never free content

    Raises RuleBroken("not_found") when the matrix does not allow it: foreign ids answer as if they were not there.
    """
    return open_many(session, office, reader, verb, [(state, list(words))], purpose, now)[0]


def open_many(
    session: Session, office: Office, reader: Reader, verb: str, wanted: Sequence[tuple[Subject, Sequence[Words]]],
    purpose: str, now: datetime,
) -> list[list[dict[str, Any] | None]]:  # fmt: skip
    """The words of many subjects, each list as `open_words` answers it: a line of the read log for every subject whose
    words are asked, all written before the first is opened.

    Raises RuleBroken("not_found") when the matrix does not allow one of them: then nothing is written or opened.
    """
    if not all(may(reader.person, reader.hat, verb, state) for state, _ in wanted):
        raise RuleBroken("not_found")
    asked = [(state.id, f"{len(words)}:{words[0].operation[:16]}") for state, words in wanted if words]
    log_reads(session, reader, verb, asked, purpose, now)
    return [_opened_words(office, state, words) for state, words in wanted]


def _opened_words(office: Office, state: Subject, words: Sequence[Words]) -> list[dict[str, Any] | None]:
    keys = review_keys(office, state, {item.key for item in words})
    return [_opened(keys, state.id, item) for item in words]


def review_keys(office: Office, state: Subject, only: Collection[str] | None = None) -> dict[str, bytes]:
    """Every key of the subject that the review key opens; with `only` the ones of these ids."""
    found = {}
    for key_id, wraps in state.keys.items():
        if only is not None and key_id not in only:
            continue
        key = unwrapped(wraps, REVIEW, office.keys.review_secret, state.id, key_id)
        if key is not None:
            found[key_id] = key
    return found


def _opened(keys: Mapping[str, bytes], subject: SubjectId, words: Words) -> dict[str, Any] | None:
    key = keys.get(words.key)
    if key is None:
        return None
    try:
        return opened_words(key, subject, words.kind, words.sealed)
    except SealBroken:
        return None


READ_LOG = 0x52454144
"""Name of the lock under which the next lines of the read log are numbered on PostgreSQL: whoever waited for a locked
last line would see that line, not the one written meanwhile. SQLite has one writer at a time."""
_NEXT_LINE = text("SELECT pg_advisory_xact_lock(:name)")


def log_reads(
    session: Session, reader: Reader, verb: str, asked: Sequence[tuple[SubjectId, str]], purpose: str, now: datetime
) -> None:
    """Appends a line for every (subject, object) to the read log, each chained to the one before."""
    if not asked:
        return
    if session.get_bind().dialect.name != "sqlite":
        session.execute(_NEXT_LINE, {"name": READ_LOG})
    last = session.exec(select(ReadRow).order_by(col(ReadRow.number).desc()).limit(1)).first()
    written, before = (last.number, last.hash) if last else (0, bytes(32).hex())
    rows = []
    for number, (subject, object_) in enumerate(asked, written + 1):
        line = read_line(number, now, reader.person, reader.hat, verb, subject, object_, purpose)
        before = sha256(bytes.fromhex(before) + line).hex()
        rows.append(
            {
                "number": number, "at": now, "person": reader.person, "hat": reader.hat, "verb": verb,
                "subject": subject, "object": object_, "purpose": purpose, "hash": before,
            }
        )  # fmt: skip
    session.execute(insert(ReadRow), rows)


def read_line(
    number: int, at: datetime, person: str, hat: str, verb: str, subject: str, object_: str, purpose: str
) -> bytes:
    """The bytes of a line that its hash takes in."""
    return canonical(
        {"number": number, "at": stamp(at), "person": person, "hat": hat, "verb": verb, "subject": subject,
         "object": object_, "purpose": purpose}
    )  # fmt: skip


def broken_read_log(session: Session) -> int | None:
    """Number of the first line of the read log that is changed or missing; None when it is whole."""
    before = bytes(32).hex()
    expected = 1
    for row in session.exec(select(ReadRow).order_by(col(ReadRow.number)).execution_options(yield_per=500)):
        line = read_line(row.number, row.at, row.person, row.hat, row.verb, row.subject, row.object, row.purpose)
        if row.number != expected or sha256(bytes.fromhex(before) + line).hex() != row.hash:
            return expected
        before, expected = row.hash, expected + 1
    return None


# ── words the office writes ─────────────────────────────────────────────────────────────────────────────────────────


def addresses(session: Session, persons: Iterable[PersonId]) -> dict[str, bytes]:
    """X25519 addresses of the live tablets of these persons, by device id."""
    rows = session.exec(
        select(DeviceRow).where(
            col(DeviceRow.person).in_(list(persons)), col(DeviceRow.confirmed_by) != "",
            col(DeviceRow.revoked_at).is_(None),
        )
    )  # fmt: skip
    return {row.id: bytes.fromhex(row.box_key) for row in rows}


class Sealer:
    """Seals words for one subject under one key of the office; `bodies()` are the operations that must go first."""

    def __init__(
        self, session: Session, office: Office, subject: SubjectId, state: Subject | None, readers: Iterable[PersonId]
    ) -> None:
        self._subject = subject
        known = review_keys(office, state) if state else {}
        self._made: KeyMade | None = None
        if known:
            self.key_id, self._key = next(iter(known.items()))
        else:
            to = addresses(session, readers) | {REVIEW: bytes.fromhex(office.keys.review_key)}
            self._made, self._key = key_made(subject, to)
            self.key_id = self._made.id

    def bodies(self) -> list[KeyMade]:
        """The operation that names a fresh key; nothing when the subject has one already."""
        return [self._made] if self._made else []

    def seal(self, kind: str, words: Mapping[str, Any]) -> tuple[str, str]:
        """(key id, sealed) for the fields of a body of this kind."""
        return self.key_id, sealed_words(self._key, self._subject, kind, words)


def wrapped_for_newcomers(
    session: Session, office: Office, state: Subject, readers: Iterable[PersonId]
) -> list[KeyWrapped]:
    """The operations that wrap every S2 key of the subject to tablets of its readers that lack it."""
    to = addresses(session, readers)
    bodies = []
    for key_id, key in review_keys(office, state).items():
        have = {wrap.to for wrap in state.keys[key_id]}
        missing = tuple(
            wrap_for(device, address, key, state.id, key_id)
            for device, address in sorted(to.items())
            if device not in have
        )
        if missing:
            bodies.append(KeyWrapped(id=key_id, wraps=missing))
    return bodies
