"""The failing line does what it is told, so that a test that passes over it means something."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import requests

from server.demo.proxy import Fault, Line, Proxy, between, storm

BODY = b"x" * 20_000


class Office(ThreadingHTTPServer):
    """Answers every POST with what it got and remembers it."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.got: list[bytes] = []


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Office

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.got.append(body)
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def office() -> Iterator[Office]:
    server = Office()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def proxy(office: Office) -> Iterator[Proxy]:
    with between(("127.0.0.1", office.server_address[1])) as one:
        yield one


def _post(proxy: Proxy, body: bytes = BODY, timeout: float = 5) -> bytes:
    return requests.post(proxy.address + "/api/sync", data=body, timeout=timeout).content


def test_what_passes_passes_whole(proxy: Proxy, office: Office) -> None:
    assert _post(proxy) == BODY
    assert office.got == [BODY]
    assert proxy.seen.faults == ["pass"]
    assert proxy.seen.bytes_up > len(BODY)


@pytest.mark.parametrize("kind", ["cut_reply", "reset", "lose_reply"])
def test_the_office_got_it_and_the_tablet_does_not_know(proxy: Proxy, office: Office, kind: str) -> None:
    proxy.plan([Fault(kind, at=300)])
    with pytest.raises(requests.RequestException):
        _post(proxy)
    assert office.got == [BODY]
    assert _post(proxy) == BODY


def test_a_cut_request_never_arrives_whole(proxy: Proxy, office: Office) -> None:
    proxy.plan([Fault("cut_request", at=5000)])
    with pytest.raises(requests.RequestException):
        _post(proxy)
    assert all(len(body) < len(BODY) for body in office.got)


def test_a_repeated_request_arrives_twice(proxy: Proxy, office: Office) -> None:
    proxy.plan([Fault("repeat")])
    assert _post(proxy) == BODY
    assert office.got == [BODY, BODY]


def test_a_held_request_arrives_after_the_next(proxy: Proxy, office: Office) -> None:
    proxy.plan([Fault("hold", seconds=5)])
    first = threading.Thread(target=_post, args=(proxy, b"first", 10))
    first.start()
    while proxy.planned:
        time.sleep(0.01)
    _post(proxy, b"second")
    first.join(10)
    assert office.got == [b"second", b"first"]


def test_a_line_that_is_only_half_open_says_nothing(proxy: Proxy, office: Office) -> None:
    proxy.plan([Fault("half_open", seconds=2)])
    with pytest.raises(requests.RequestException):
        _post(proxy, timeout=0.5)
    assert office.got == [BODY]


def test_a_deaf_line_takes_the_call_and_nothing_else(proxy: Proxy, office: Office) -> None:
    proxy.plan([Fault("deaf")])
    with pytest.raises(requests.RequestException):
        _post(proxy, timeout=0.5)
    assert office.got == []
    assert _post(proxy) == BODY
    assert office.got == [BODY]


def test_nobody_answers_when_it_is_offline(proxy: Proxy, office: Office) -> None:
    proxy.online = False
    with pytest.raises(requests.ConnectionError):
        _post(proxy)
    proxy.online = True
    assert _post(proxy) == BODY


def test_a_slow_line_is_slow(office: Office) -> None:
    with between(("127.0.0.1", office.server_address[1]), Line(bits_per_second=20_000)) as slow:
        began = time.monotonic()
        assert _post(slow, b"x" * 1000, timeout=20) == b"x" * 1000
    assert time.monotonic() - began > 0.8


def test_a_storm_is_the_same_for_a_seed() -> None:
    assert storm(7, 50) == storm(7, 50) != storm(8, 50)
