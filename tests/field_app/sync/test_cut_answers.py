"""An answer that ends too early, at whatever byte: the tablet hears that the line broke, never something else."""

from __future__ import annotations

import gzip
import hashlib
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from field_app.sync import client
from shared.ledger.crypto import new_signing_key

FILE = b"sealed bytes " * 8
NAME = hashlib.sha256(FILE).hexdigest()
REPLY = b'{"a reply":"of many words"}\n' * 3


def _answer(status: str, body: bytes, **fields: object) -> bytes:
    head = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in fields.items())
    return f"HTTP/1.1 {status}\r\nServer: office\r\n{head}Connection: close\r\n\r\n".encode() + body


def _sized(status: str, body: bytes, **fields: object) -> bytes:
    return _answer(status, body, **fields, Content_Length=len(body))


def _chunked(body: bytes) -> bytes:
    pieces = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (body[:40], body[40:]))
    return _answer("200 OK", pieces + b"0\r\n\r\n", Transfer_Encoding="chunked")


CALLS: dict[str, tuple[Callable[[client.Office], object], bytes]] = {
    "exchange": (
        lambda office: client.exchange(office, b"a body\n", new_signing_key()),
        _sized("200 OK", gzip.compress(REPLY), Content_Type=client.SYNC_TYPE, Content_Encoding="gzip"),
    ),
    "exchange, not packed": (
        lambda office: client.exchange(office, b"a body\n", new_signing_key()),
        _sized("200 OK", REPLY, Content_Type=client.SYNC_TYPE),
    ),
    "exchange, in chunks": (
        lambda office: client.exchange(office, b"a body\n", new_signing_key()),
        _chunked(REPLY),
    ),
    "exchange, refused": (
        lambda office: client.exchange(office, b"a body\n", new_signing_key()),
        _sized("401 UNAUTHORIZED", b'{"code": "device_waiting", "message": "wait"}'),
    ),
    "enrol": (
        lambda office: client.enrol(office, "code", "a", "b", "label"),
        _sized("201 CREATED", b'{"device": "x"}', Content_Type="application/json"),
    ),
    "media_begin": (
        lambda office: client.media_begin(office, "t", NAME, len(FILE), FILE),
        _sized("201 CREATED", b"", Upload_Offset=len(FILE)),
    ),
    "media_piece": (
        lambda office: client.media_piece(office, "t", NAME, 0, FILE),
        _answer("204 NO CONTENT", b"", Upload_Offset=len(FILE)),
    ),
    "media_bytes": (lambda office: client.media_bytes(office, "t", NAME, len(FILE)), _sized("200 OK", FILE)),
    "pack_rest": (lambda office: b"".join(client.pack_rest(office, "t", NAME, 0, len(FILE))), _sized("200 OK", FILE)),
    "pack_rest, in chunks": (
        lambda office: b"".join(client.pack_rest(office, "t", NAME, 0, len(FILE))),
        _chunked(FILE),
    ),
}


@contextmanager
def _line(answer: bytes) -> Iterator[Callable[[int], client.Office]]:
    """An office that gives the first so many bytes of one answer and hangs up."""
    listener = socket.create_server(("127.0.0.1", 0))
    at = [0]

    def serve() -> None:
        while True:
            try:
                caller, _ = listener.accept()
            except OSError:
                return
            with caller:
                data = b""
                while b"\r\n\r\n" not in data:
                    data += caller.recv(65536)
                head, _, body = data.partition(b"\r\n\r\n")
                sizes = [
                    line.partition(b":")[2]
                    for line in head.lower().split(b"\r\n")
                    if line.startswith(b"content-length")
                ]
                while len(body) < int((sizes or [b"0"])[0]):
                    body += caller.recv(65536)
                caller.sendall(answer[: at[0]])

    def cut(number: int) -> client.Office:
        at[0] = number
        return client.Office(f"http://127.0.0.1:{listener.getsockname()[1]}")

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield cut
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)


def _heard(call: Callable[[client.Office], object], office: client.Office) -> object:
    try:
        return call(office)
    except client.Refused as refused:
        return refused.status, refused.code


@pytest.mark.parametrize("name", CALLS)
def test_an_answer_cut_at_any_byte_is_a_broken_line(name: str) -> None:
    call, answer = CALLS[name]
    with _line(answer) as cut:
        whole = _heard(call, cut(len(answer)))
        for at in range(len(answer)):
            try:
                heard = _heard(call, cut(at))
            except client.NoNetwork:
                continue
            assert heard == whole, f"cut at byte {at} of {len(answer)}"
