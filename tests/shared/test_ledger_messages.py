"""Requests, replies and receipts: they read back the same, and cut or changed ones are named, never a crash."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.ledger.crypto import is_signed, sha256, sign, verifying_key
from shared.ledger.frame import FrameUnreadable
from shared.ledger.messages import (
    ChainHead,
    FrameReceipt,
    Hello,
    LineReceipt,
    MessageUnreadable,
    PageHeader,
    Receipt,
    SubjectDigest,
    encode_reply,
    encode_request,
    next_ledger_head,
    read_hello,
    read_reply,
    read_request,
    receipt_message,
    receipt_number,
    request_message,
)
from shared.ledger.operation import canonical
from tests.examples import examples
from tests.make import AT, SUBJECT, a_chain

TABLET = a_chain(6)
FRAMES = (TABLET.frame(1, 2), TABLET.frame(3, 6))
HELLO = Hello(
    device=TABLET.id, epoch=1, from_="1.420.418", heads="5f" * 32, known=(418, "9a" * 32), nonce="Qm9", now=AT
)
REQUEST = encode_request(HELLO, FRAMES)

SECRET = sha256(b"server")
SERVER = verifying_key(SECRET)
RECEIPT = Receipt(
    device=TABLET.id,
    epoch=1,
    frames=(
        FrameReceipt(SUBJECT, 1, 2, TABLET.ids()[2].hex(), "accepted", ""),
        FrameReceipt(SUBJECT, 3, 4, TABLET.ids()[6].hex(), "waiting", "gap"),
    ),
    ledger_head="11" * 32,
    lines=(LineReceipt("22" * 32, "not_json"),),
    position=420,
    received_at=AT,
    request="33" * 32,
    tablet_now=AT,
)
PAGE = PageHeader(
    cursor="1.421.421",
    durable=400,
    more=False,
    next_nonce="Zz0",
    revoked=False,
    token="t",
    have=(ChainHead(SUBJECT, 2, TABLET.ids()[2].hex()),),
    digests=(SubjectDigest(SUBJECT, "44" * 32),),
    restored=7,
)
REPLY = encode_reply(canonical(RECEIPT), SECRET, PAGE, [frame.encoded() for frame in FRAMES])


def test_a_request_reads_back_the_same() -> None:
    request = read_request(REQUEST)
    assert (request.hello, request.frames) == (HELLO, FRAMES)
    assert request.name == sha256(b"".join(frame.encoded() for frame in FRAMES)).hex()
    assert read_hello(REQUEST) == HELLO


def test_the_name_of_a_request_is_that_of_its_frames_whatever_its_first_line_says() -> None:
    later = Hello(TABLET.id, 1, "1.999.999", HELLO.heads, (500, "00" * 32), "other", AT)
    assert read_request(encode_request(later, FRAMES)).name == read_request(REQUEST).name
    assert read_request(encode_request(HELLO, FRAMES[:1])).name != read_request(REQUEST).name


def test_a_reply_reads_back_the_same() -> None:
    reply = read_reply(REPLY, SERVER)
    assert (reply.receipt, reply.page, reply.frames) == (RECEIPT, PAGE, FRAMES)
    assert is_signed(SERVER, receipt_message(reply.receipt_bytes), reply.signature)
    assert receipt_number(reply.receipt_bytes) == sha256(reply.receipt_bytes).hex()[:8].upper()


def test_a_request_is_vouched_for_whole() -> None:
    signature = sign(TABLET.secret, request_message(REQUEST))
    assert is_signed(TABLET.public, request_message(REQUEST), signature)
    assert not is_signed(TABLET.public, request_message(REQUEST + b"\n"), signature)


def test_a_receipt_signed_by_another_key_is_refused() -> None:
    with pytest.raises(MessageUnreadable) as caught:
        read_reply(REPLY, verifying_key(sha256(b"another server")))
    assert caught.value.reason == "signature"


def test_a_receipt_is_not_signed_as_anything_else() -> None:
    """A signature over a seal or a request never passes for one over a receipt."""
    for message in (canonical(RECEIPT), request_message(canonical(RECEIPT))):
        signature = base64.b64encode(sign(SECRET, message))
        body = b"\n".join((canonical(RECEIPT), signature, canonical(PAGE))) + b"\n"
        with pytest.raises(MessageUnreadable):
            read_reply(body, SERVER)


def test_another_version_is_named() -> None:
    with pytest.raises(MessageUnreadable) as caught:
        read_request(REQUEST.replace(b'"v":1}', b'"v":2}', 1))
    assert caught.value.reason == "version"


def test_a_request_cut_anywhere_is_unreadable_or_ends_at_a_frame() -> None:
    ends = {len(encode_request(HELLO, FRAMES[:count])) for count in range(len(FRAMES))}
    read = {}
    for size in range(len(REQUEST)):
        try:
            read[size] = read_request(REQUEST[:size])
        except (MessageUnreadable, FrameUnreadable):
            continue
    assert set(read) == ends
    assert all(request.frames == FRAMES[: len(request.frames)] for request in read.values())


def test_a_reply_cut_anywhere_is_unreadable_or_ends_at_a_frame() -> None:
    read = {}
    for size in range(len(REPLY)):
        try:
            read[size] = read_reply(REPLY[:size], SERVER)
        except (MessageUnreadable, FrameUnreadable):
            continue
    assert set(read) == {
        len(encode_reply(canonical(RECEIPT), SECRET, PAGE, [f.encoded() for f in FRAMES[:n]])) for n in (0, 1)
    }
    assert all(reply.receipt == RECEIPT for reply in read.values())


@examples(800)
@given(st.integers(0, max(len(REQUEST), len(REPLY)) - 1), st.binary(min_size=1, max_size=4))
def test_a_changed_message_is_read_or_unreadable_and_nothing_else(at: int, change: bytes) -> None:
    for body, read in ((REQUEST, read_request), (REPLY, lambda data: read_reply(data, SERVER))):
        try:
            read(body[: at % len(body)] + change + body[at % len(body) + len(change) :])
        except (MessageUnreadable, FrameUnreadable):
            continue


@examples(800)
@given(st.binary(max_size=300))
def test_arbitrary_bytes_are_no_message(data: bytes) -> None:
    for read in (read_hello, read_request, lambda body: read_reply(body, SERVER)):
        with pytest.raises((MessageUnreadable, FrameUnreadable)):
            read(data)


@pytest.mark.parametrize(
    "line",
    [
        b"[" * 9000 + b"]" * 9000,
        b'{"device":"\\ud800"}',
        canonical(HELLO).replace(b'"epoch":1', b'"epoch":' + b"9" * 500),
        canonical(HELLO).replace(b'"nonce"', b'"x":' + b"[" * 9000 + b"]" * 9000 + b',"nonce"'),
    ],
)
def test_a_hostile_first_line_is_unreadable(line: bytes) -> None:
    with pytest.raises(MessageUnreadable):
        read_request(line + b"\n")


def test_the_ledger_head_takes_in_every_frame_in_order() -> None:
    one, two = sha256(b"1"), sha256(b"2")
    assert next_ledger_head(next_ledger_head(bytes(32), one), two) != next_ledger_head(
        next_ledger_head(bytes(32), two), one
    )
