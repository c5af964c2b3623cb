"""A photo from its bytes to its operation: hashed first, reduced, sealed file by file, on the disk, then named.

The original stays as it was taken; derivative and thumbnail carry no metadata. Source: SETTLED decisions 59-61,
SECURITY A.9 and B.17.
"""

from __future__ import annotations

import io
from datetime import datetime
from functools import cache
from typing import Any

from PIL import Image, ImageOps

from field_app.acts.subjects import clean, record_of
from field_app.store.disk import MEDIA_STOP_BYTES, free_bytes
from field_app.store.errors import StoreError
from field_app.store.kept import MediaKept
from field_app.store.store import Store
from shared.errors import RuleBroken
from shared.law.law import LawBook, Rule, read_rules
from shared.law.reading import changed_by
from shared.ledger.crypto import SealBroken, new_key, sha256
from shared.observations.media import file_key, key_words, opened_file, sealed_file
from shared.observations.record import MediaFile, MediaRole, PhotoTaken
from shared.values import ALMATY, OperationId, SubjectId, stamp

DERIVATIVE_SIDE = 1600
THUMBNAIL_SIDE = 320
THUMBNAIL_BYTES = 40_000
MOST_BYTES = 50 * 1000 * 1000
MOST_PIXELS = 50_000_000
MEGABYTE = 1000 * 1000


def reduced(original: bytes) -> tuple[bytes, bytes, int, int]:
    """(derivative, thumbnail, width, height): JPEG without metadata, turned upright.

    Raises RuleBroken("media_too_large" | "media_unknown").
    """
    if len(original) > MOST_BYTES:
        raise RuleBroken("media_too_large", "SETTLED 60")
    try:
        with Image.open(io.BytesIO(original), formats=("JPEG", "PNG")) as opened:
            if opened.width * opened.height > MOST_PIXELS:
                raise RuleBroken("media_too_large", "SETTLED 60")
            width, height = opened.size
            opened.draft("RGB", (DERIVATIVE_SIDE * 2, DERIVATIVE_SIDE * 2))
            picture = ImageOps.exif_transpose(opened).convert("RGB")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise RuleBroken("media_unknown", "SETTLED 60") from error
    picture.thumbnail((DERIVATIVE_SIDE, DERIVATIVE_SIDE))
    derivative = _jpeg(picture, 82)
    picture.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE))
    for quality in (75, 60, 45, 30, 15):
        thumbnail = _jpeg(picture, quality)
        if len(thumbnail) <= THUMBNAIL_BYTES - 1024:
            break
    return derivative, thumbnail, width, height


def _jpeg(picture: Image.Image, quality: int) -> bytes:
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=quality, optimize=True)
    return file.getvalue()


def take(
    store: Store, record: SubjectId, original: bytes, now: datetime, of: str = "", caption: str = "", language: str = ""
) -> OperationId:
    """Keeps a photo; the id of its operation. Raises RuleBroken(media_too_large, media_unknown, not_allowed), NotSaved.

    of   what it belongs to: an item path, an operation, or ""
    """
    original_hash = sha256(original).hex()
    check_room(store, record, len(original), now)
    state = record_of(store, record)
    if not getattr(state.parent, "photos_allowed", False) and getattr(state.parent, "visit_kind", "") != "unplanned":
        raise RuleBroken("not_allowed", "photo.member")
    derivative, thumbnail, width, height = reduced(original)
    plain: dict[MediaRole, bytes] = {"thumbnail": thumbnail, "derivative": derivative, "original": original}
    keys: dict[MediaRole, bytes] = {role: new_key() for role in plain}
    outer = store.sealing_key(record, now, level="S3")
    words: dict[str, Any] = {
        "caption": clean(caption), "language": language, "original_sha256": original_hash, "width": width,
        "height": height, "taken_at": stamp(now),
    } | key_words(keys, record, (outer.id, outer.key))  # fmt: skip
    key, sealed = store.sealed(record, PhotoTaken.KIND, words, now)
    kept: list[MediaKept] = []
    try:
        for role, data in plain.items():
            kept.append(store.keep_file(sealed_file(keys[role], role, data), role, record))
        files = tuple(
            MediaFile(role=role, sha256=file.sha256, size=file.size) for role, file in zip(plain, kept, strict=True)
        )
        return store.save(record, PhotoTaken(files=files, key=key, sealed=sealed, of=of), now=now).ids[0]
    except StoreError:
        store.forget_files(kept)
        raise


def check_room(store: Store, record: SubjectId, size: int, now: datetime) -> None:
    """Whether another `size` bytes may be taken in this visit: told at the shot, never when it is to be sent.

    Raises RuleBroken("media_no_room"; free) when text would soon lack room, RuleBroken("media_over_quota"; used, quota,
    confidence) when the visit's share of this tablet is used up. Source: SETTLED 39, rule photo.visit_quota.
    """
    free = free_bytes(store.folder)
    if free - size < MEDIA_STOP_BYTES:
        raise RuleBroken("media_no_room", "SETTLED 39", free=free // MEGABYTE)
    rule = visit_quota(store, now)
    subjects = _of_visit(store, record)
    used = sum(kept.size for kept in store.files() if kept.subject in subjects and not kept.carried)
    if rule.value and used + size > int(rule.value) * MEGABYTE:
        raise RuleBroken(
            "media_over_quota", rule.key, used=used // MEGABYTE, quota=int(rule.value), confidence=rule.confidence
        )


def visit_quota(store: Store, now: datetime) -> Rule:
    """Megabytes a visit may take here, with how sure that number is, as the office has it in force."""
    book = _rules()
    for subject in store.subjects("law"):
        book = changed_by(book, store.state(subject).changes)
    return book.on(now.astimezone(ALMATY).date()).rule("photo.visit_quota")


@cache
def _rules() -> LawBook:
    return read_rules()


def _of_visit(store: Store, record: SubjectId) -> set[SubjectId]:
    """Record, interviews and report of the visit a subject belongs to."""
    visit = getattr(store.state(record), "visit", "") or record
    kinds = ("record", "interview", "report")
    return {record, *(child for kind in kinds for child in store.children(SubjectId(visit), kind))}


def picture(store: Store, record: SubjectId, photo: OperationId, role: MediaRole = "thumbnail") -> bytes | None:
    """The plain JPEG of thumbnail or derivative; None when it is not here or cannot be opened."""
    known = record_of(store, record).photos.get(photo)
    file = known.files.get(role) if known else None
    words = store.words(record, known.words) if known else None
    sealed = store.file_bytes(file.sha256) if file else None
    if words is None or sealed is None:
        return None
    try:
        return opened_file(file_key(words, role), role, sealed)
    except SealBroken:
        return None
