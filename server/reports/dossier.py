"""All of a visit on one page: the frozen document where the reader may see the report, the record as it stands where
the reader may see the record. Words are opened in `server/ledger/opening.py` alone and kept nowhere.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, select

from server.accounts import queries as people
from server.accounts.tables import DeviceRow
from server.ledger import opening
from server.ledger import queries as ledger
from server.ledger.tables import ChainRow, HeldFrameRow
from server.media.queries import whole
from server.office import Office, Reader
from server.reports.custody import Custody, custody
from server.reports.document import Document, document_of
from server.reports.forms import forms_of, outside_lists
from server.reports.reading import ThemeRead, gaps, themes_of
from shared.ledger.crypto import SealBroken
from shared.ledger.subject import Words
from shared.observations.media import file_key, opened_file
from shared.observations.record import Photo, Record
from shared.permissions import may
from shared.report_document import document as built
from shared.reports import Report
from shared.texts import Language, texts
from shared.values import OperationId, PersonId
from shared.visits import Visit


@dataclass(frozen=True)
class StillOut:
    """Operations a signed document covers that have not come in from one tablet."""

    count: int
    name: str
    label: str


@dataclass
class Dossier:
    """What a reader sees of a visit. `document` is None where neither report nor record may be read yet."""

    visit: Visit
    names: dict[PersonId, str]
    report: Report | None = None
    record: Record | None = None
    document: Document | None = None
    is_frozen: bool = False
    themes: list[ThemeRead] = field(default_factory=list)
    still_out: list[StillOut] = field(default_factory=list)
    held_frames: int = 0
    late: int = 0
    photos: list[Photo] = field(default_factory=list)
    custody: dict[OperationId, Custody] = field(default_factory=dict)

    @property
    def gaps(self) -> Counter[str]:
        """Counts of blanks, differences and non-answers over all themes."""
        return gaps(self.themes)


def dossier(
    session: Session, office: Office, reader: Reader, visit: Visit, language: Language, now: datetime, as_now: bool
) -> Dossier:
    """The dossier as this reader may see it.

    as_now  the record as it stands instead of the frozen document, where the reader may read it
    """
    found = Dossier(visit, people.names(session))
    report, record = _child(session, visit, "report"), _child(session, visit, "record")
    may_report = report is not None and may(reader.person, reader.hat, "report.read", report)
    may_record = record is not None and may(reader.person, reader.hat, "record.read", record)
    found.report = report if may_report else None
    found.record = record if may_record else None
    if may_report and report is not None and report.current and not (as_now and may_record):
        raw: dict[str, Any] | None = report.current.document
        found.is_frozen = True
    else:
        raw = _live(session, office, reader, visit, record, language, now) if may_record and record else None
    if raw is not None:
        found.document = document_of(raw, found.names)
        found.themes = themes_of(
            found.document, forms_of(session, raw), language, texts(language), outside_lists(session),
            office.calendar.day_of(now),
        )  # fmt: skip
    if found.is_frozen and found.document:
        found.still_out = _still_out(session, found.document, found.names)
        found.late = _late(session, found.document) if may_record else 0
    found.held_frames = _held(session, visit) if may_record else 0
    if record is not None and may(reader.person, reader.hat, "photo.read", record):
        found.photos = [photo for photo in record.photos.values() if not photo.withdrawn]
        found.custody = custody(session, record, found.photos)
    return found


def _child(session: Session, visit: Visit, kind: str) -> Any:
    """The subject of this kind that belongs to the visit; of several the first, which the group writes to."""
    found = ledger.children(session, visit.id, kind)
    return ledger.state(session, found[0]) if found else None


def _live(
    session: Session, office: Office, reader: Reader, visit: Visit, record: Record, language: Language, now: datetime
) -> dict[str, Any]:
    """The record in the shape of a document; words whose key the office lacks say so."""
    wanted = _words_of(record)
    opened = opening.open_words(session, office, reader, "record.read", record, wanted, "dossier", now)
    by_operation = {(each.operation, each.sealed): words for each, words in zip(wanted, opened, strict=True)}
    closed = texts(language)("dossier.closed_words")
    instead = {"value": closed, "reason": closed, "text": closed, "concluded": closed, "language": ""}
    operations = [*ledger.operations(session, visit.id), *ledger.operations(session, record.id)]
    return built(visit.id, record.id, operations, lambda _, words: by_operation.get(_key(words)) or instead)


def _key(words: Words) -> tuple[OperationId, str]:
    return words.operation, words.sealed


def _words_of(record: Record) -> list[Words]:
    found: list[Words] = []
    for item in record.answers.items.values():
        for entry in item.standing().values():
            found += [words for words in (entry.words, entry.reason) if words]
        chosen = {choice.chosen for choice in item.choices}
        found += [entry.words for entry in item.entries if entry.operation in chosen and entry.words]
    found += [finding.current.words for finding in record.findings.values() if not finding.withdrawn]
    found += [words for by_author in record.drafts.values() for words in by_author.values()]
    return list({_key(words): words for words in found}.values())


def _still_out(session: Session, document: Document, names: dict[PersonId, str]) -> list[StillOut]:
    """What the document covers against what the office holds: the difference lies on somebody's tablet."""
    missing: Counter[str] = Counter()
    for subject, device, seq, _ in document.covers:
        try:
            held = session.get(ChainRow, (device, subject))
        except ValueError:
            continue
        missing[device] += max(0, seq - (held.seq if held else 0))
    found = []
    for device, count in missing.items():
        row = session.get(DeviceRow, device) if count else None
        if count:
            name = names.get(PersonId(row.person), "") if row else ""
            found.append(StillOut(count, name, row.label if row else ""))
    return found


def _late(session: Session, document: Document) -> int:
    """Operations on the covered chains, or on new chains of the same subjects, behind what the document covers."""
    limits = {(subject, device): seq for subject, device, seq, _ in document.covers}
    subjects = {subject for subject, _ in limits}
    late = 0
    for subject in subjects:
        for row in _chains(session, subject):
            late += max(0, row.seq - limits.get((subject, row.device), 0)) if (subject, row.device) in limits else 0
    return late


def _chains(session: Session, subject: str) -> list[ChainRow]:
    try:
        return list(session.exec(select(ChainRow).where(ChainRow.subject == subject)))
    except ValueError:
        return []


def _held(session: Session, visit: Visit) -> int:
    """Frames for this visit and what belongs to it that wait for others or are set aside."""
    subjects = [visit.id, *ledger.children(session, visit.id)]
    rows = session.exec(
        select(HeldFrameRow.id).where(col(HeldFrameRow.subject).in_(subjects), HeldFrameRow.status != "kept_aside")
    )
    return len(rows.all())


def photo_picture(
    session: Session, office: Office, reader: Reader, record: Record, photo: OperationId, now: datetime
) -> bytes | None:
    """The derivative of a cleared photo as JPEG bytes; None when it is not cleared, not here, or cannot be opened.

    The server opens the seal and never decodes the picture. Raises RuleBroken("not_found") without the right.
    """
    found = record.photos.get(photo)
    file = found.files.get("derivative") if found else None
    if found is None or file is None or not found.cleared or found.withdrawn:
        return None
    words = opening.open_words(session, office, reader, "photo.read", record, [found.words], "photo", now)[0]
    sealed = whole(office, file.sha256) if words is not None else None
    if words is None or sealed is None:
        return None
    try:
        return opened_file(file_key(words, "derivative"), "derivative", sealed)
    except (SealBroken, KeyError, ValueError):
        return None
