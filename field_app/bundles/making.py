"""Writing bundles: for the office the very requests a network would carry, for a colleague what both may read.

Nothing is marked as sent: only a receipt says that somebody has it. Source: SETTLED decisions 18, 23; SECURITY B.26.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from datetime import datetime

from field_app.store import outgoing
from field_app.store.carried import Colleague, frames_for, receipts_for
from field_app.store.errors import NotEnrolled
from field_app.store.kept import MediaKept
from field_app.store.store import Store
from field_app.sync.schedule import media_in_order
from shared.errors import RuleBroken
from shared.ledger.bundle import BUNDLE_BYTES, Part, part, seal_bundle
from shared.ledger.crypto import sign
from shared.ledger.frame import FRAME_BYTES, Frame
from shared.ledger.messages import encode_request, request_message
from shared.values import stamp

FILES_BYTES = BUNDLE_BYTES - 64 * 1024 * 1024
"""Most bytes of sealed files in one bundle; text always has its room."""


def for_office(store: Store, now: datetime, with_files: bool = True) -> bytes:
    """Everything the office has not received, and the request for what it has for this tablet.

    Raises NotEnrolled, NotSaved.
    """
    if not store.is_enrolled:
        raise NotEnrolled
    identity = store.identity
    frames = outgoing.to_send(store, BUNDLE_BYTES // 8)
    parts: list[Part] = []
    for reached, run in _runs(frames):
        body = encode_request(outgoing.hello(store, frames[:reached], now), run)
        signature = base64.b64encode(sign(identity.sign_seed, request_message(body))).decode()
        parts.append(part("request", body, signature=signature))
    if with_files:
        parts += _files(store, media_in_order(store.files()))
    office = bytes.fromhex(identity.review_key)
    return seal_bundle(parts, identity.device, identity.sign_seed, office, [office], stamp(now))


def _runs(frames: list[Frame]) -> Iterator[tuple[int, list[Frame]]]:
    """Frames in runs that keep to the size of one request, each with how many went in all; one empty run for none."""
    run: list[Frame] = []
    size = 0
    for number, frame in enumerate(frames):
        if run and size + len(frame.encoded()) > FRAME_BYTES:
            yield number, run
            run, size = [], 0
        run.append(frame)
        size += len(frame.encoded())
    yield len(frames), run


def for_colleague(store: Store, to: Colleague, now: datetime, with_files: bool = True) -> bytes:
    """What both may read: frames as they were sealed, receipts of the office, files. Sealed words stay sealed.

    Raises NotEnrolled, NotSaved, RuleBroken("bundle_nothing").
    """
    if not store.is_enrolled:
        raise NotEnrolled
    identity = store.identity
    outgoing.cut_frames(store)
    frames = frames_for(store, to.person)
    if not frames:
        raise RuleBroken("bundle_nothing")
    parts = [part("frames", b"".join(frame.encoded() for frame in run)) for _, run in _runs(frames)]
    parts += [
        part("receipt", kept.receipt, signature=base64.b64encode(kept.signature).decode())
        for kept in receipts_for(store, to.person)
    ]
    if with_files:
        shared = {frame.header.subject for frame in frames}
        parts += _files(store, media_in_order(each for each in store.files() if each.subject in shared))
    office = bytes.fromhex(identity.review_key)
    return seal_bundle(
        parts, identity.device, identity.sign_seed, office, [bytes.fromhex(to.address)], stamp(now)
    )  # fmt: skip


def _files(store: Store, kept: list[MediaKept]) -> Iterator[Part]:
    size = 0
    for each in kept:
        data = store.file_bytes(each.sha256)
        size += len(data or b"")
        if data is None or size > FILES_BYTES:
            continue
        yield part("file", data, sha256=each.sha256)
