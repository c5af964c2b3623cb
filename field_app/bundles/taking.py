"""Reading bundles: replies of the office to a bundle of this tablet, frames of the office, frames of a colleague.

Every part goes the way it would go over the network: replies into the store as replies, frames behind their chains.
A bundle that is wrong, old, doubled or foreign changes nothing and says what it is.
Source: SETTLED decisions 19, 22-24; PROTOCOL section on bundles.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import msgspec

from field_app.store import carried, carried_files
from field_app.store.errors import NotEnrolled
from field_app.store.incoming import apply_reply
from field_app.store.kept import KeptReceipt
from field_app.store.opened import Opened
from field_app.store.store import Store
from field_app.store.vouched import office_devices
from shared.errors import RuleBroken
from shared.ledger.bundle import SOURCE, Bundle, open_bundle
from shared.ledger.crypto import is_signed
from shared.ledger.frame import Frame, FrameUnreadable, read_frames
from shared.ledger.messages import MessageUnreadable, Reply, read_reply, receipt_message


@dataclass(frozen=True)
class Taken:
    """What a bundle brought. sender: office or colleague; name: of the colleague's tablet.

    fresh    operations new here; receipts: own or carried frames the office now vouches for; files: new ones
    refused  frames that were not taken: of unknown devices, not for this person, without their place
    """

    sender: Literal["office", "colleague"]
    name: str
    fresh: int
    receipts: int
    files: int
    refused: int


def take(store: Store, data: bytes, now: datetime) -> Taken:
    """Takes a bundle in. Raises RuleBroken(bundle_…), ReplyRefused (nothing was taken), NotSaved, NotEnrolled."""
    if not store.is_enrolled:
        raise NotEnrolled
    identity = store.identity
    bundle = open_bundle(data, identity.box_secret, bytes.fromhex(identity.review_key))
    if bundle.header.from_ == identity.device:
        raise RuleBroken("bundle_doubled", SOURCE)
    keys = carried.signing_keys(store).get(bundle.header.from_)
    if not keys:
        raise RuleBroken("bundle_sender", SOURCE)
    _check(bundle, keys)
    if bundle.header.from_ in store.reading(office_devices):
        return _of_office(store, bundle, now)
    return _of_colleague(store, bundle)


def _check(bundle: Bundle, keys: set[str]) -> None:
    for number, key in enumerate(sorted(keys), 1):
        try:
            bundle.check_sender(key)
            return
        except RuleBroken:
            if number == len(keys):
                raise


def _frames(bundle: Bundle) -> list[tuple[int, list[Frame]]]:
    found = []
    for each in bundle.of("frames"):
        if not each.data.endswith(b"\n"):
            raise RuleBroken("bundle_unreadable", SOURCE)
        try:
            found.append((each.head.position, read_frames(each.data[:-1].split(b"\n"))))
        except FrameUnreadable as error:
            raise RuleBroken("bundle_unreadable", SOURCE) from error
    return found


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""


def _receipts(store: Store, bundle: Bundle) -> list[KeptReceipt]:
    """Receipts that the office signed; others are passed over."""
    ours = store.reading(office_devices)
    keys = {key for device, found in carried.signing_keys(store).items() if device in ours for key in found}
    return [
        KeptReceipt(each.data, _decoded(each.head.signature))
        for each in bundle.of("receipt")
        if any(is_signed(bytes.fromhex(key), receipt_message(each.data), _decoded(each.head.signature)) for key in keys)
    ]


# ── of a colleague ──────────────────────────────────────────────────────────────────────────────────────────────────


def _of_colleague(store: Store, bundle: Bundle) -> Taken:
    frames = [frame for _, run in _frames(bundle) for frame in run]
    merged = carried.take_frames(store, frames)
    receipts = carried.take_receipts(store, _receipts(store, bundle))
    kept = carried_files.take_files(store, [(each.head.sha256, each.data) for each in bundle.of("file")])
    if not (merged.fresh or receipts or kept) and not merged.refused:
        raise RuleBroken("bundle_doubled", SOURCE)
    name = next((each.name for each in carried.colleagues(store) if each.device == bundle.header.from_), "")
    return Taken("colleague", name, merged.fresh, receipts, kept, merged.refused)


# ── of the office ───────────────────────────────────────────────────────────────────────────────────────────────────


def _of_office(store: Store, bundle: Bundle, now: datetime) -> Taken:
    replies = _replies(store, bundle)
    before = store.reading(_shape)
    state = _state_of(store, bundle, replies)
    refused = 0
    for reply in replies:
        if state == "due":
            apply_reply(store, _as_of_then(store, reply), now)
        else:
            refused += carried.take_frames(store, reply.frames, max(1, reply.receipt.position)).refused
    for position, frames in _frames(bundle):
        refused += carried.take_frames(store, frames, max(1, position)).refused
    said = [KeptReceipt(reply.receipt_bytes, reply.signature) for reply in replies if state == "old"]
    carried.take_receipts(store, [*said, *_receipts(store, bundle)])
    after = store.reading(_shape)
    if state != "due" and after == before:
        raise RuleBroken("bundle_old" if state == "old" else "bundle_doubled", SOURCE)
    return Taken("office", "", after[0] - before[0], after[1] - before[1], 0, refused)


def _as_of_then(store: Store, reply: Reply) -> Reply:
    """The reply without what was true only when it was written: by then others may have brought the office more.

    Digests and heads are compared over the network, where both sides speak of the same moment; only a tablet that lost
    a part of its own chains needs the heads at once, before it writes on.
    """
    device = store.identity.device

    def has_lost(opened: Opened) -> bool:
        chains = {subject: len(held.chains.get(device, ())) for subject, held in opened.book.subjects.items()}
        return any(head.seq > chains.get(head.subject, 0) for head in reply.page.have or ())

    have = reply.page.have if store.reading(has_lost) else None
    return msgspec.structs.replace(reply, page=msgspec.structs.replace(reply.page, digests=(), have=have))


def _shape(opened: Opened) -> tuple[int, int]:
    """(operations held of others, own frames received)."""
    mine = opened.identity.device
    others = sum(
        len(ids) for held in opened.book.subjects.values() for device, ids in held.chains.items() if device != mine
    )
    return others, sum(cut.is_received for cut in opened.cuts)


def _replies(store: Store, bundle: Bundle) -> list[Reply]:
    key = bytes.fromhex(store.identity.server_key)
    try:
        found = [read_reply(each.data, key) for each in bundle.of("reply")]
    except (MessageUnreadable, FrameUnreadable) as error:
        raise RuleBroken("bundle_unreadable", SOURCE) from error
    if any(reply.receipt.device != store.identity.device for reply in found):
        raise RuleBroken("bundle_not_for_us", SOURCE)
    return found


def _state_of(store: Store, bundle: Bundle, replies: list[Reply]) -> Literal["due", "known", "old"]:
    """Whether the replies are the next of the exchange, all taken in, or older than what this tablet has seen since.

    Only the next ones are followed. An old one would set the exchange back, and the office would take this tablet for a
    twin: of it only what stands by itself is taken, receipts and frames.
    """
    if not replies:
        return "known"
    current = store.reading(lambda opened: opened.nonce)
    given = [reply.page.next_nonce for reply in replies]
    if given[-1] == current and store.reading(_holds_all(replies)):
        return "known"
    if current in given or {each.head.answers for each in bundle.of("reply")} == {current}:
        return "due"
    return "old"


def _holds_all(replies: list[Reply]) -> Callable[[Opened], bool]:
    last = replies[-1].page

    def work(opened: Opened) -> bool:
        return bool(opened.meta.cursor in ("", last.cursor) and opened.meta.nonce == last.next_nonce)

    return work
