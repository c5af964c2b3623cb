"""One exchange with a tablet, from plain bytes to plain bytes: who speaks, what is taken in, what goes back.

Decides nothing of a frame (`receive` does) and nothing of rights (`page` reads the access rows). Source: SETTLED
decisions 18-25, 27; `shared.ledger.messages` spells both messages.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlmodel import Session

from server.accounts import queries as people
from server.accounts.tables import DeviceRow
from server.backup.queries import durable
from server.ledger import heads, queries
from server.ledger.contacts import contact, give_token, stop_reading
from server.ledger.ordinary import ordinary_exchange
from server.ledger.receive import receive, take_in
from server.ledger.senders import Senders
from server.office import Office
from server.quarantine.decisions import fates
from shared.accounts import VISITING
from shared.accounts import Office as OfficeState
from shared.errors import RuleBroken
from shared.ledger.crypto import is_signed
from shared.ledger.frame import FrameUnreadable
from shared.ledger.messages import (
    Hello,
    MessageUnreadable,
    PageHeader,
    Request,
    Stopped,
    SubjectDigest,
    encode_reply,
    read_hello,
    read_request,
    request_message,
    sealed_fates,
)  # fmt: skip
from shared.values import DeviceId, PersonId, SubjectId, is_id

DRAIN = timedelta(days=30)
"""How long a revoked tablet may deliver what it holds over the network. Source: SETTLED decision 24."""
RATE = 60
"""Exchanges a minute and device."""
TRIES = 3


def exchange(office: Office, body: bytes, signature: str, now: datetime, *, by_hand: bool = False) -> bytes:
    """The plain reply to a plain request. What arrives is committed before anything leaves.

    by_hand  the request came in a bundle at the office's own desk, where the 30 days of a revoked tablet do not count

    Raises RuleBroken: device_unknown, device_waiting, signature_wrong, too_many; request_unreadable,
    version_unknown, frame_unreadable, frame_too_large.
    """
    hello = _hello(body)
    quick = _ordinary(office, hello, body, signature, now)
    if quick is not None:
        return quick
    _check_speaker(office, hello.device, body, signature, now)
    request = _request(body)
    cursor_of(hello.from_)
    if not by_hand:
        _still_drains(office, hello.device, now)
    taken = _taken_in(office, request, now)
    if not taken.token:
        with office.database.read(behind=True) as session:
            page = PageHeader(
                hello.from_ or "0.0.0", durable(session), False, taken.nonce, True, "", stopped=taken.stopped,
                restored=ledgers_parted(session, hello),
            )  # fmt: skip
            page = _with_fates(session, office, hello, page)
        return encode_reply(taken.receipt, office.keys.sign_secret, page, ())
    with office.database.read(behind=True) as session:
        page, frames = _page(session, hello, taken)
        page = _with_fates(session, office, hello, page)
    return encode_reply(taken.receipt, office.keys.sign_secret, page, frames)


def _ordinary(office: Office, hello: Hello, body: bytes, signature: str, now: datetime) -> bytes | None:
    """The reply to a request that is in order in every respect; None leaves it to the exchange in full."""
    if isinstance(hello.asks, tuple):
        return None
    try:
        epoch, after = cursor_of(hello.from_)
    except RuleBroken:
        return None
    done = ordinary_exchange(office, hello, epoch, after, body, signature, RATE, now)
    if done is None:
        return None
    page, frames = done.page, ()
    if page is None:
        taken = Taken(done.receipt, done.touched, done.nonce, done.person, done.token, "")
        with office.database.read(behind=True) as session:
            page, frames = _page(session, hello, taken)
    return encode_reply(done.receipt, office.keys.sign_secret, page, frames)


@dataclass(frozen=True)
class Taken:
    """What one transaction took in: the receipt, the next nonce, whose tablet, and a token unless reading stopped."""

    receipt: bytes
    touched: frozenset[SubjectId]
    nonce: str
    person: PersonId
    token: str
    stopped: Stopped


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
        row, nonce = contact(session, hello, lambda known: forgot_nonce(session, hello, known), now)
        if row.minute_count > RATE:
            raise RuleBroken("too_many", "SETTLED 27")
        received = receive(session, office, hello.device, request, now)
        for forked in received.forked:
            stop_reading(session, forked, now)
        hats = people.roles_on(session, PersonId(device.person), office.calendar.day_of(now))
        stopped: Stopped = "" if any(hat in VISITING for hat in hats) else "no_role"
        if row.frozen or row.shown != hello.nonce:
            stopped = "fork" if row.frozen_why == "fork" else "twin"
        if device.revoked_at is not None:
            stopped = "revoked"
        token = "" if stopped else give_token(session, hello.device, now)
        return Taken(received.receipt, received.touched, nonce, PersonId(device.person), token, stopped)


def _still_drains(office: Office, id_: DeviceId, now: datetime) -> None:
    """A revoked tablet delivers into quarantine for 30 days; after that it comes to the office with a bundle.

    Raises RuleBroken("device_revoked").
    """
    with office.database.read(behind=True) as session:
        device = session.get(DeviceRow, id_)
        if device is not None and device.revoked_at is not None and now - device.revoked_at > DRAIN:
            raise RuleBroken("device_revoked", "SETTLED 24")


def _with_fates(session: Session, office: Office, hello: Hello, page: PageHeader) -> PageHeader:
    """The page with what became of the frames asked about; also for those who read nothing. Source: PROTOCOL P38."""
    asked = hello.asks if isinstance(hello.asks, tuple) else ()
    found = fates(session, hello.device, asked) if asked else ()
    seal = sealed_fates(office.keys.sign_secret, hello.device, found)
    return msgspec.structs.replace(page, fates=found, fates_seal=seal) if found else page


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
    if not _signed_by(device.sign_key, body, signature):
        raise RuleBroken("signature_wrong")
    if not device.confirmed_by and device.revoked_at is None:
        raise RuleBroken("device_waiting")
    return device


def _check_speaker(office: Office, device: DeviceId, body: bytes, signature: str, now: datetime) -> None:
    """Whoever signed these bytes may speak; one whose enrolment a restore forgot is taken back by what it carries.

    Raises RuleBroken as `speaker`.
    """
    try:
        with office.database.read(behind=True) as session:
            speaker(session, device, body, signature)
    except RuleBroken as refused:
        if refused.code not in ("device_unknown", "device_waiting") or not _introduced(
            office, device, body, signature, now
        ):
            raise
        with office.database.read(behind=True) as session:
            speaker(session, device, body, signature)


def _introduced(office: Office, device: DeviceId, body: bytes, signature: str, now: datetime) -> bool:
    """Takes in the frames that the office once sealed about this device, if the request carries them and the device
    they speak of signed it. Nobody else makes the office begin to write."""
    frames = _request(body).frames if is_id(device) else ()
    if not frames:
        return False
    with office.database.read(behind=True) as session:
        senders = Senders(session, frames)
        introducing, sender = senders.introducing(device), senders.introduced().get(device)
    if not introducing or sender is None or not _signed_by(sender.sign_key, body, signature):
        return False
    with office.database.write() as session:
        take_in(session, device, introducing, now)
    return True


def _signed_by(key: str, body: bytes, signature: str) -> bool:
    try:
        return is_signed(bytes.fromhex(key), request_message(body), base64.b64decode(signature, validate=True))
    except (binascii.Error, ValueError):
        return False


def _page(session: Session, hello: Hello, taken: Taken) -> tuple[PageHeader, tuple[bytes, ...]]:
    counter = queries.counter(session)
    epoch, after = cursor_of(hello.from_)
    parted = ledgers_parted(session, hello)
    if parted is not None or 0 < epoch < counter.epoch:
        after = (0, 0)  # it read by rights that went away with the other ledger, and nobody knows which those were
    found = queries.page(session, taken.person, hello.device, after)
    lacks = hello.lacks if isinstance(hello.lacks, tuple) else ()
    lost, more_lost = queries.lost_frames(session, taken.person, hello.device, lacks)
    is_apart = heads.digest_of(session, hello.device) != hello.heads
    digests: tuple[SubjectDigest, ...] = ()
    if not found.more:
        asked = {each for each in hello.differs if is_id(each)} if isinstance(hello.differs, tuple) else set()
        held = queries.readable_subjects(session, taken.person, {*taken.touched, *found.subjects, *asked})
        digests = tuple(SubjectDigest(subject, queries.subject_digest(session, subject)) for subject in held)
        digests += tuple(SubjectDigest(SubjectId(subject), "") for subject in sorted(asked.difference(held)))
    header = PageHeader(
        cursor=f"{counter.epoch}.{found.cursor[0]}.{found.cursor[1]}", durable=durable(session),
        more=found.more or more_lost, next_nonce=taken.nonce, revoked=False, token=taken.token,
        have=tuple(queries.chain_heads(session, hello.device)) if is_apart else None,
        digests=digests, restored=parted,
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


def forgot_nonce(session: Session, hello: Hello, known: int) -> bool:
    """Whether the office was put back since the tablet was given its nonce, so that it knows another one.

    known  epoch the tablet knew at its last contact: a request that knows less was late on its way. A tablet that
           lost its database (epoch 0) is believed once an epoch.
    """
    if hello.epoch == 0:
        return known < queries.counter(session).epoch > 1
    return hello.epoch >= known and ledgers_parted(session, hello) is not None


def ledgers_parted(session: Session, hello: Hello) -> int | None:
    """The position above which the tablet offers everything again; None when the ledgers agree.

    They disagree when the tablet knows an older epoch, or a position or head this ledger never had: then a copy was
    put back. Where they parted follows from the epochs, of which the lowest counts: what came back after one restore
    may be lost in the next. Without an epoch it is not known, and everything is offered. Source: SETTLED decision 23.
    """
    counter = queries.counter(session)
    position, head = hello.known
    if 0 < hello.epoch < counter.epoch:
        return min([position, *epochs_begun(session, counter.epoch).values()])
    if position > 0 and head and queries.head_at(session, position) != head:
        return 0
    return min(position, counter.value) if position > counter.value or hello.epoch > counter.epoch else None
