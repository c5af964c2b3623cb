"""One exchange with a tablet, from plain bytes to plain bytes: who speaks, what is taken in, what goes back.

Decides nothing of a frame (`receive` does) and nothing of rights (`page` reads the access rows). Source: SETTLED
decisions 18-25, 27; `shared.ledger.messages` spells both messages.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.exc import IntegrityError, OperationalError
from sqlmodel import Session

from server.accounts import queries as people
from server.accounts.tables import DeviceRow
from server.ledger import queries
from server.ledger.contacts import contact, give_token, stop_reading
from server.ledger.receive import receive
from server.office import Office
from shared.accounts import VISITING
from shared.accounts import Office as OfficeState
from shared.errors import RuleBroken
from shared.ledger.crypto import is_signed
from shared.ledger.frame import FrameUnreadable
from shared.ledger.merge import heads_digest
from shared.ledger.messages import (
    Hello,
    MessageUnreadable,
    PageHeader,
    Request,
    SubjectDigest,
    encode_reply,
    read_hello,
    read_request,
    request_message,
)  # fmt: skip
from shared.values import DeviceId, PersonId, SubjectId, is_id

NOTHING_PROVEN = 0
"""The ledger position that a proven backup covers: none is proven yet. Source: SETTLED decision 25."""
RATE = 60
"""Exchanges a minute and device."""
TRIES = 3


def exchange(office: Office, body: bytes, signature: str, now: datetime) -> bytes:
    """The plain reply to a plain request. What arrives is committed before anything leaves.

    Raises RuleBroken: device_unknown, device_waiting, signature_wrong, too_many; request_unreadable,
    version_unknown, frame_unreadable, frame_too_large.
    """
    hello = _hello(body)
    with office.database.read() as session:
        speaker(session, hello.device, body, signature)
    request = _request(body)
    cursor_of(hello.from_)
    taken = _taken_in(office, request, now)
    if not taken.token:
        page = PageHeader(hello.from_ or "0.0.0", NOTHING_PROVEN, False, taken.nonce, True, "")
        return encode_reply(taken.receipt, office.keys.sign_secret, page, ())
    with office.database.read() as session:
        page, frames = _page(session, request, taken)
    return encode_reply(taken.receipt, office.keys.sign_secret, page, frames)


@dataclass(frozen=True)
class Taken:
    """What one transaction took in: the receipt, the next nonce, whose tablet, and a token unless reading stopped."""

    receipt: bytes
    touched: frozenset[SubjectId]
    nonce: str
    person: PersonId
    token: str


def _taken_in(office: Office, request: Request, now: datetime) -> Taken:
    """Two tablets that begin one subject at the same moment collide; the second tries again and finds it begun."""
    for _ in range(TRIES - 1):
        try:
            return _one_transaction(office, request, now)
        except (IntegrityError, OperationalError):
            continue
    return _one_transaction(office, request, now)


def _one_transaction(office: Office, request: Request, now: datetime) -> Taken:
    hello = request.hello
    with office.database.write(beside_others=True) as session:
        device = session.get(DeviceRow, hello.device)
        if device is None:
            raise RuleBroken("device_unknown")
        row, nonce = contact(session, hello, queries.counter(session).epoch, now)
        if row.minute_count > RATE:
            raise RuleBroken("too_many", "SETTLED 27")
        received = receive(session, office, device, request, now)
        for forked in received.forked:
            stop_reading(session, forked, now)
        hats = people.roles_on(session, PersonId(device.person), office.calendar.day_of(now))
        reads = device.revoked_at is None and not row.frozen and any(hat in VISITING for hat in hats)
        token = give_token(session, hello.device, now) if reads else ""
        return Taken(received.receipt, received.touched, nonce, PersonId(device.person), token)


def _hello(body: bytes) -> Hello:
    try:
        return read_hello(body)
    except MessageUnreadable as error:
        raise RuleBroken("version_unknown" if error.reason == "version" else "request_unreadable") from error


def _request(body: bytes) -> Request:
    try:
        return read_request(body)
    except MessageUnreadable as error:
        raise RuleBroken("request_unreadable") from error
    except FrameUnreadable as error:
        codes = {"too_large": "frame_too_large", "version": "version_unknown"}
        raise RuleBroken(codes.get(error.reason, "frame_unreadable")) from error


def speaker(session: Session, id_: DeviceId, body: bytes, signature: str) -> DeviceRow:
    """The device that signed these bytes, known and confirmed; a revoked one still speaks."""
    device = session.get(DeviceRow, id_) if is_id(id_) else None
    if device is None:
        raise RuleBroken("device_unknown")
    try:
        given = base64.b64decode(signature, validate=True)
    except (binascii.Error, ValueError) as error:
        raise RuleBroken("signature_wrong") from error
    if not is_signed(bytes.fromhex(device.sign_key), request_message(body), given):
        raise RuleBroken("signature_wrong")
    if not device.confirmed_by and device.revoked_at is None:
        raise RuleBroken("device_waiting")
    return device


def _page(session: Session, request: Request, taken: Taken) -> tuple[PageHeader, tuple[bytes, ...]]:
    hello = request.hello
    counter = queries.counter(session)
    begun = epochs_begun(session, counter.epoch)
    epoch, after = cursor_of(hello.from_)
    if 0 < epoch < counter.epoch:
        lowest = min(position for number, position in begun.items() if number > epoch)
        after = min(after, (lowest, 0))
    found = queries.page(session, taken.person, hello.device, after)
    lacks = hello.lacks if isinstance(hello.lacks, tuple) else ()
    lost, more_lost = queries.lost_frames(session, taken.person, hello.device, lacks)
    heads = queries.chain_heads(session, hello.device)
    mine = heads_digest((head.subject, head.seq, head.id) for head in heads)
    digests: tuple[SubjectDigest, ...] = ()
    if not found.more:
        held = queries.readable_subjects(session, taken.person, {*taken.touched, *found.subjects})
        digests = tuple(SubjectDigest(subject, queries.subject_digest(session, subject)) for subject in held)
    header = PageHeader(
        cursor=f"{counter.epoch}.{found.cursor[0]}.{found.cursor[1]}", durable=NOTHING_PROVEN,
        more=found.more or more_lost, next_nonce=taken.nonce, revoked=False, token=taken.token,
        have=tuple(heads) if mine != hello.heads else None,
        digests=digests, restored=restored_above(session, hello, counter.epoch, begun),
    )  # fmt: skip
    return header, (*lost, *found.frames)


def cursor_of(text: str) -> tuple[int, tuple[int, int]]:
    """Epoch and (position, cursor) of "epoch.position.cursor"; (0, (0, 0)) for "". Raises RuleBroken."""
    if not text:
        return 0, (0, 0)
    parts = text.split(".")
    if len(parts) != 3 or not all(part.isascii() and part.isdigit() and len(part) <= 15 for part in parts):
        raise RuleBroken("request_unreadable")
    epoch, position, cursor = map(int, parts)
    return epoch, (position, cursor)


def epochs_begun(session: Session, epoch: int) -> dict[int, int]:
    """For every epoch from 2 on the position above which it began; 0 where the office subject does not say."""
    if epoch <= 1:
        return {}
    state: OfficeState = queries.the(session, "office")
    return {number: state.epochs.get(number, 0) for number in range(2, epoch + 1)}


def restored_above(session: Session, hello: Hello, epoch: int, begun: dict[int, int]) -> int | None:
    """The position above which the tablet offers everything again; None when the ledgers agree.

    They disagree when the tablet knows an older epoch, or a head this ledger never had at that position; where they
    parted is not known then, and everything is offered.
    """
    position, head = hello.known
    if 0 < hello.epoch < epoch:
        return min([position, *(at for number, at in begun.items() if number > hello.epoch)])
    if position > 0 and head and queries.head_at(session, position) != head:
        return 0
    return None
