"""Taking a tablet's bundle in and making one for it: the same messages as over the network, by hand.

A request goes through the very exchange; only the 30 days of a revoked tablet do not count at the office's desk, and
an old request is no twin: what it carries is taken in, nothing goes back. Source: SETTLED decisions 18-24; PROTOCOL
section on bundles.
"""

from __future__ import annotations

import base64
import binascii
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

import msgspec
from sqlmodel import Session, func, select

from server.accounts import queries as people
from server.accounts.tables import DeviceRow
from server.ledger import queries
from server.ledger.contacts import stop_reading
from server.ledger.exchange import exchange
from server.ledger.receive import receive
from server.ledger.tables import ContactRow, HeldFrameRow, ReceiptRow
from server.media import actions as media
from server.media import folder
from server.media.actions import PIECE_BYTES, Piece
from server.office import Office
from shared.accounts import VISITING
from shared.errors import RuleBroken
from shared.ledger.bundle import SOURCE, Part, open_bundle, part, seal_bundle
from shared.ledger.crypto import box_address, is_signed, sha256, sign
from shared.ledger.frame import FrameUnreadable
from shared.ledger.messages import (
    FrameReceipt,
    Hello,
    MessageUnreadable,
    PageHeader,
    Receipt,
    encode_reply,
    read_hello,
    read_reply,
    read_request,
    receipt_message,
    request_message,
)
from shared.ledger.operation import canonical
from shared.values import DeviceId, PersonId, stamp

PAGES_LIMIT = 64
"""Most further pages of one reply; a tablet that lacks more asks again."""


@dataclass
class TakenIn:
    """What a bundle brought. frames: how many by status; reply: the bundle for its tablet, b"" when nothing goes back.

    is_known  nothing in it was new: the ledger stands where it stood, and no file came
    is_old    the tablet has exchanged since it made this bundle
    """

    device: DeviceId
    frames: Counter[str] = field(default_factory=Counter)
    files: int = 0
    is_known: bool = False
    is_old: bool = False
    reply: bytes = b""


def take(office: Office, data: bytes, now: datetime) -> TakenIn:
    """Takes a bundle in, commits, and makes the reply. The same bundle again changes nothing.

    Raises RuleBroken: bundle_unreadable, bundle_version, bundle_foreign, bundle_not_for_us, bundle_cut, bundle_altered,
    bundle_sender, bundle_nothing (it holds no request), and what an exchange raises.
    """
    address = box_address(office.keys.review_secret)
    bundle = open_bundle(data, office.keys.review_secret, address)
    row = _sender(office, bundle.header.from_)
    bundle.check_sender(row.sign_key)
    requests = bundle.of("request")
    if not requests:
        raise RuleBroken("bundle_nothing", SOURCE)
    if any(_hello_of(each.data).device != bundle.header.from_ for each in requests):
        raise RuleBroken("bundle_altered", SOURCE)  # the reply would be sealed to another than who asked
    taken = TakenIn(bundle.header.from_, is_old=_is_old(office, requests[0], bundle.header.from_))
    before = _held(office)
    replies = [part_ for each in requests for part_ in _answered(office, each, taken, now)]
    taken.files = sum(_file_taken(office, row, each, now) for each in bundle.of("file"))
    taken.is_known = not taken.files and _held(office) == before
    if replies:
        replies += _further_pages(office, replies[-1], row, now)
        to = [bytes.fromhex(row.box_key)]
        taken.reply = seal_bundle(
            replies, office.keys.device, office.keys.sign_secret, address, to, stamp(now)
        )  # fmt: skip
    return taken


def _sender(office: Office, device: DeviceId) -> DeviceRow:
    with office.database.read() as session:
        row = session.get(DeviceRow, device)
        if row is None:
            raise RuleBroken("bundle_sender", SOURCE)
        session.expunge(row)
        return row


def _held(office: Office) -> tuple[int, int]:
    """(position of the ledger, frames kept aside or waiting)."""
    with office.database.read(behind=True) as session:
        kept = session.exec(select(func.count()).select_from(HeldFrameRow)).one()
        return queries.counter(session).value, kept


def _hello_of(body: bytes) -> Hello:
    try:
        return read_hello(body)
    except MessageUnreadable as error:
        raise RuleBroken("bundle_unreadable", SOURCE) from error


def _is_old(office: Office, request: Part, device: DeviceId) -> bool:
    """Whether the nonce it shows is one of earlier. Over the network that would be a twin; a file may lie for weeks."""
    hello = _hello_of(request.data)
    with office.database.read() as session:
        row = session.get(ContactRow, device)
        if row is None or row.shown in ("*", hello.nonce) or 0 < hello.epoch < queries.counter(session).epoch:
            return False
        return hello.nonce not in row.issued.split()


def _answered(office: Office, request: Part, taken: TakenIn, now: datetime) -> Iterator[Part]:
    """The reply to one request; none when the bundle is old, but its frames are taken in all the same."""
    if taken.is_old:
        _carried_in(office, request, taken, now)
        return
    reply = exchange(office, request.data, request.head.signature, now, by_hand=True)
    read = read_reply(reply, bytes.fromhex(office.keys.sign_key))
    taken.frames.update(each.status for each in read.receipt.frames)
    yield part("reply", reply, answers=_hello_of(request.data).nonce)


def _carried_in(office: Office, request: Part, taken: TakenIn, now: datetime) -> None:
    """Any validly sealed frame is taken whoever carries it, however late. Source: SETTLED decision 23."""
    try:
        read = read_request(request.data)
    except (MessageUnreadable, FrameUnreadable) as error:
        raise RuleBroken("bundle_unreadable", SOURCE) from error
    _check_signature(office, read.hello.device, request)
    with office.database.write() as session:
        received = receive(session, office, read.hello.device, read, now)
        for forked in received.forked:
            stop_reading(session, forked, now)
    taken.frames.update(each.status for each in _frames_said(received.receipt))


def _check_signature(office: Office, device: DeviceId, request: Part) -> None:
    try:
        signature = base64.b64decode(request.head.signature, validate=True)
    except (binascii.Error, ValueError):
        signature = b""
    if not is_signed(bytes.fromhex(_sender(office, device).sign_key), request_message(request.data), signature):
        raise RuleBroken("bundle_altered", SOURCE)


def _frames_said(receipt: bytes) -> tuple[FrameReceipt, ...]:
    return msgspec.json.decode(receipt, type=Receipt).frames


def _file_taken(office: Office, row: DeviceRow, each: Part, now: datetime) -> bool:
    """A sealed file, announced and taken like one that came in pieces; one that nothing names is passed over."""
    name, device, person = each.head.sha256, DeviceId(row.id), PersonId(row.person)
    if sha256(each.data).hex() != name:
        return False
    try:
        with office.database.write() as session:
            media.announce(session, office, device, person, name, len(each.data), now)
        begun, _ = media.arrived(office, device, person, name, now) or (0, 0)
        at = begun
        while at < len(each.data):
            piece = each.data[at : at + PIECE_BYTES]
            at = media.take_piece(office, device, person, name, Piece(at, piece, len(piece)), now)
    except (RuleBroken, folder.WrongOffset):
        return False
    return begun < len(each.data)


def _further_pages(office: Office, last: Part, row: DeviceRow, now: datetime) -> Iterator[Part]:
    """What of the page did not go into the reply, as replies to nothing that show the same nonce."""
    read = read_reply(last.data, bytes.fromhex(office.keys.sign_key))
    page = read.page
    for _ in range(PAGES_LIMIT):
        if not page.more:
            return
        _, position, cursor = page.cursor.split(".")
        with office.database.read() as session:
            found = queries.page(
                session, PersonId(row.person), DeviceId(row.id), (int(position), int(cursor))
            )  # fmt: skip
            counter = queries.counter(session)
            receipt = Receipt(
                device=DeviceId(row.id), epoch=counter.epoch, frames=(), ledger_head=counter.head, lines=(),
                position=counter.value, received_at=stamp(now), request=sha256(b"").hex(), tablet_now=stamp(now),
            )  # fmt: skip
        before = page.cursor
        page = PageHeader(
            cursor=f"{counter.epoch}.{found.cursor[0]}.{found.cursor[1]}", durable=page.durable, more=found.more,
            next_nonce=page.next_nonce, revoked=False, token="",
        )  # fmt: skip
        if page.cursor == before:
            return
        reply = encode_reply(canonical(receipt), office.keys.sign_secret, page, found.frames)
        yield part("reply", reply, answers=last.head.answers)


def make(office: Office, device: DeviceId, now: datetime) -> bytes:
    """A bundle for a tablet that did not ask: all it may hold, and the receipts it was given. Its exchange stays as is.

    Raises RuleBroken("device_unknown" | "device_waiting" | "device_revoked" | "device_stopped").
    """
    row = _sender_known(office, device)
    _check_reads(office, row, now)
    with office.database.read() as session:
        frames = list(_everything(session, row))
        receipts = list(session.exec(select(ReceiptRow).where(ReceiptRow.device == device)))
        position = queries.counter(session).value
        bodies = [each.body for each in receipts]
    parts = [part("frames", b"".join(run), position=max(1, position)) for run in frames]
    for body in bodies:
        signature = base64.b64encode(sign(office.keys.sign_secret, receipt_message(body))).decode()
        parts.append(part("receipt", body, signature=signature))
    address, to = box_address(office.keys.review_secret), [bytes.fromhex(row.box_key)]
    return seal_bundle(parts, office.keys.device, office.keys.sign_secret, address, to, stamp(now))


def _sender_known(office: Office, device: DeviceId) -> DeviceRow:
    try:
        row = _sender(office, device)
    except RuleBroken as error:
        raise RuleBroken("device_unknown") from error
    if row.revoked_at is not None:
        raise RuleBroken("device_revoked", "SETTLED 24")
    if not row.confirmed_by:
        raise RuleBroken("device_waiting")
    return row


def _check_reads(office: Office, row: DeviceRow, now: datetime) -> None:
    """What would stop the tablet over the network stops it here. Source: SETTLED decisions 19, 20, 24."""
    with office.database.read() as session:
        contact = session.get(ContactRow, row.id)
        is_frozen = contact is not None and contact.frozen
        roles = people.roles_on(session, PersonId(row.person), office.calendar.day_of(now))
    if is_frozen or not any(role in VISITING for role in roles):
        raise RuleBroken("device_stopped")


def _everything(session: Session, row: DeviceRow) -> Iterator[tuple[bytes, ...]]:
    after = (0, 0)
    while True:
        page = queries.page(session, PersonId(row.person), DeviceId(row.id), after)
        if page.frames:
            yield page.frames
        if not page.more:
            return
        after = page.cursor
