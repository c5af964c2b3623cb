"""Which files the office takes in, and taking them in piece by piece.

A file is welcome when an operation names its hash: accepted ones promise it through their projection, those kept aside
are looked through. Source: SETTLED decisions 59, 61.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, select

from server.ledger import queries as ledger
from server.ledger.tables import ChainRow, HeldFrameRow
from server.media import folder, queries
from server.media.project import MEDIA_BYTES
from server.media.store import store_of
from server.media.tables import AnnouncedRow, PromisedRow, UploadRow
from server.media.whole_rows import WholeRows
from server.office import Office
from shared.errors import RuleBroken
from shared.ledger.frame import read_frames
from shared.ledger.operation import LineUnreadable, decode_line
from shared.observations.record import MediaFile
from shared.registry import BODIES
from shared.values import DeviceId, PersonId, SubjectId, is_hash

PIECE_BYTES = 8 * 1024 * 1024
"""Most bytes of one piece: a photo goes whole where the line is good. Source: decision 0016."""
ASIDE = ("quarantined", "kept_aside")
"""Frames that nobody reads yet, or ever: what they name is evidence all the same."""


def announce(
    session: Session, office: Office, device: DeviceId, person: PersonId, sha256: str, size: int, now: datetime
) -> None:
    """A tablet is about to send this file. Announcing it twice is harmless, and nobody else's upload feels it.

    Raises RuleBroken: media_unknown (no operation the tablet may read names it), media_too_large, hash_wrong (another
    size than promised), DiskFull.
    """
    check_welcome(session, office, device, person, sha256, size)
    _note_begun(session, office, device, sha256, size, now)


def _note_begun(
    session: Session, office: Office, device: DeviceId, sha256: str, size: int, now: datetime
) -> None:  # fmt: skip
    """Until a file is whole nobody knows whose promise is true: of each tablet the size it announced last counts."""
    if session.get(UploadRow, sha256) is None:
        session.add(UploadRow(sha256=sha256, size=size, device=device, began_at=now))
    said = session.get(AnnouncedRow, (sha256, device))
    if said is None:
        session.add(AnnouncedRow(sha256=sha256, device=device, size=size))
    elif said.size != size:
        said.size = size
        folder.begin_anew(office.media, sha256, device, size)


def check_welcome(session: Session, office: Office, device: DeviceId, person: PersonId, sha256: str, size: int) -> None:
    """Whether this tablet may send this file now. Raises what `announce` raises."""
    if not is_hash(sha256):
        raise RuleBroken("media_unknown")
    if size > MEDIA_BYTES:
        raise RuleBroken("media_too_large", "SETTLED 61")
    row, promised = session.get(UploadRow, sha256), _promised_sizes(session, device, person, sha256)
    if not promised or size < 1:
        raise RuleBroken("media_unknown", "SETTLED 61")
    if size not in promised or (row is not None and row.done_at is not None and row.size != size):
        raise RuleBroken("hash_wrong")
    if session.get(AnnouncedRow, (sha256, device)) is None:
        folder.check_room(office.media, size)


def check_whole_welcome(office: Office, device: DeviceId, person: PersonId, sha256: str, size: int) -> None:
    """As `check_welcome`, for a file that comes whole: what is plain is asked of the driver. Raises the same."""
    if is_hash(sha256) and 0 < size <= PIECE_BYTES:
        rows = office.database.kept(WholeRows)
        with office.database.lent() as connection:
            is_plain = rows.is_plainly_welcome(connection, device, person, sha256, size)
        if is_plain:
            folder.check_room(office.media, size)
            return
    with office.database.read() as session:
        check_welcome(session, office, device, person, sha256, size)


def take_whole(office: Office, device: DeviceId, sha256: str, piece: Piece, begun: datetime, now: datetime) -> int:
    """A file that came whole with its announcement and is welcome: stored, then noted in one transaction.

    After a crash between the two the next announcement finds it. Raises what `take_piece` raises.
    """
    size = len(piece.data)
    reached = _stored(office, sha256, device, piece, size)
    rows = office.database.kept(WholeRows)
    with office.database.lent() as connection:
        with office.database.push(connection):
            rows.note_whole(connection, device, sha256, size, begun, now)
        others = rows.announced_by(connection, sha256)
    folder.forget(office.media, sha256, others)
    return reached


def _promised_sizes(session: Session, device: DeviceId, person: PersonId, sha256: str) -> set[int]:
    """Every size that operations name with this hash: one of them may be a lie, and must not keep the true file out."""
    sizes = set()
    for row in session.exec(select(PromisedRow).where(PromisedRow.sha256 == sha256)):
        # Who wrote in the subject delivers what was promised there, also when the group goes on without him.
        wrote = session.get(ChainRow, (device, row.subject))
        if wrote is not None or ledger.may_hold(session, person, SubjectId(row.subject)):
            sizes.add(row.size)
    held = session.exec(
        select(HeldFrameRow).where(HeldFrameRow.device == device, col(HeldFrameRow.status).in_(ASIDE))
    )  # fmt: skip
    for aside in held:
        for frame in read_frames(ledger.unpacked(aside.data)[:-1].split(b"\n")):
            sizes |= _named_in(frame.lines, sha256)
    return sizes


def _named_in(lines: Iterable[bytes], sha256: str) -> set[int]:
    wanted, sizes = sha256.encode(), set()
    for line in lines:
        if wanted not in line:
            continue
        try:
            _, body = decode_line(line, BODIES)
        except LineUnreadable:
            continue
        for file in getattr(body, "files", ()):
            if isinstance(file, MediaFile) and file.sha256 == sha256:
                sizes.add(file.size)
    return sizes


@dataclass(frozen=True)
class Piece:
    """Bytes as they came. size: how many the request said; fewer came when its line broke.

    algorithm, digest  the sum promised for the whole piece (hex); "" when none was
    """

    at: int
    data: bytes
    size: int
    algorithm: str = ""
    digest: str = ""

    @property
    def is_cut(self) -> bool:
        """Whether the line broke before all of it was here."""
        return len(self.data) < self.size


def take_piece(office: Office, device: DeviceId, person: PersonId, sha256: str, piece: Piece, now: datetime) -> int:
    """Adds a piece to an announced file and gives the new offset. What came of a cut piece is kept.

    Raises RuleBroken("media_unknown" | "media_too_large" | "hash_wrong"), WrongOffset, SumWrong, DiskFull.
    """
    with office.database.read() as session:
        upload = queries.upload(session, device, person, sha256)
    if upload is None:
        raise RuleBroken("media_unknown")
    size = upload.size
    if max(piece.size, len(piece.data)) > PIECE_BYTES or piece.at + max(piece.size, len(piece.data)) > size:
        raise RuleBroken("media_too_large", "SETTLED 61")
    reached = _stored(office, sha256, device, piece, size)
    if reached == size:
        _note_done(office, sha256, device, size, now)
    return reached


def _stored(office: Office, sha256: str, device: DeviceId, piece: Piece, size: int) -> int:
    try:
        if len(piece.data) == size and not piece.is_cut:
            return _stored_whole(office, sha256, device, piece)
        owed = None
        if piece.digest and piece.is_cut:
            owed = folder.Owed(piece.at, piece.at + piece.size, piece.algorithm, piece.digest)
        elif piece.digest and hashlib.new(piece.algorithm, piece.data).hexdigest() != piece.digest:
            raise folder.SumWrong(queries.arrived(office, device, sha256))
        return folder.append(office.media, store_of(office), sha256, device, piece.at, piece.data, size, owed)
    except folder.HashWrong as error:
        raise RuleBroken("hash_wrong") from error


def _stored_whole(office: Office, sha256: str, device: DeviceId, piece: Piece) -> int:
    """The sums are made while the disk takes the bytes, and held to before these get their name."""
    with ThreadPoolExecutor(1, "sums") as beside:
        sums = beside.submit(_sums, piece)

        def known() -> str:
            found = sums.result()
            if piece.digest and found[piece.algorithm] != piece.digest:
                raise folder.SumWrong(0)
            return found["sha256"]

        store = store_of(office)
        return folder.append(office.media, store, sha256, device, piece.at, piece.data, len(piece.data), known=known)


def _sums(piece: Piece) -> dict[str, str]:
    """The sums of a whole file, each made once: its hash, and the one promised for it."""
    promised = (piece.algorithm,) if piece.digest else ()
    return {name: hashlib.new(name, piece.data).hexdigest() for name in {*promised, "sha256"}}


def arrived(
    office: Office, device: DeviceId, person: PersonId, sha256: str, now: datetime
) -> tuple[int, int] | None:  # fmt: skip
    """(bytes held, bytes in all) of a file on its way from this tablet, or whole; None when it is not there for it.

    One whose last byte came before a crash is made whole, or begun again, first.
    """
    with office.database.read() as session:
        upload = queries.upload(session, device, person, sha256)
    if upload is None:
        return None
    if upload.is_whole:
        folder.forget(office.media, sha256, (device,))  # a crash may have come before
        return upload.size, upload.size
    reached = queries.arrived(office, device, sha256)
    if reached < upload.size and store_of(office).size(sha256) is None:
        return reached, upload.size
    try:
        whole = folder.append(office.media, store_of(office), sha256, device, reached, b"", upload.size)
    except (folder.HashWrong, folder.SumWrong, folder.WrongOffset):
        return queries.arrived(office, device, sha256), upload.size
    _note_done(office, sha256, device, whole, now)
    return whole, whole


def _note_done(office: Office, sha256: str, device: DeviceId, size: int, now: datetime) -> None:
    """The whole file is in the store and its hash was right. What others sent of it is of no use any more."""
    with office.database.write(beside_others=True) as session:
        done = session.get(UploadRow, sha256)
        if done is not None and done.done_at is None:
            done.size, done.device, done.done_at = size, device, now
        said = session.exec(select(AnnouncedRow.device).where(AnnouncedRow.sha256 == sha256))
        others = [DeviceId(each) for each in said]
    folder.forget(office.media, sha256, others)


def give_up(session: Session, office: Office, device: DeviceId, sha256: str) -> None:
    """Ends an upload of this tablet that is not whole and that no operation names (any more).

    Everything an operation names is evidence, whoever asks and however little has come: a tablet that gives up is no
    reason to lose what arrived. Raises RuleBroken("not_allowed" | "media_unknown").
    """
    row = session.get(UploadRow, sha256) if is_hash(sha256) else None
    if row is None:
        raise RuleBroken("media_unknown")
    said = session.get(AnnouncedRow, (sha256, device))
    named = session.exec(select(PromisedRow.sha256).where(PromisedRow.sha256 == sha256)).first()
    if named or row.done_at or said is None or _named_by_held(session, sha256):
        raise RuleBroken("not_allowed", "SETTLED 61")
    session.delete(said)
    folder.forget(office.media, sha256, (device,))
    session.flush()
    if session.exec(select(AnnouncedRow.device).where(AnnouncedRow.sha256 == sha256)).first() is None:
        session.delete(row)
        store_of(office).remove(sha256)


def _named_by_held(session: Session, sha256: str) -> bool:
    rows = session.exec(select(HeldFrameRow.data))
    return any(sha256.encode() in ledger.unpacked(data) for data in rows)
