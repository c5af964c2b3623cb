"""A reply is read as it came, unpacked within a limit, and refused when it is cut, broken or too large."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from field_app.sync import client
from shared.ledger.crypto import sha256

SEED = sha256(b"a tablet")
WORDS = b"a page of frames " * 1000


@contextmanager
def answering(body: bytes, announced: int | None = None, encoding: str = "gzip") -> Iterator[client.Office]:
    """An office that gives every exchange these bytes; `announced` says another length than is sent."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.send_header("Content-Type", client.SYNC_TYPE)
            if encoding:
                self.send_header("Content-Encoding", encoding)
            self.send_header("Content-Length", str(len(body) if announced is None else announced))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            """Says nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield client.Office(f"http://127.0.0.1:{server.server_port}")
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize(("body", "encoding"), [(gzip.compress(WORDS, mtime=0), "gzip"), (WORDS, "")])
def test_a_reply_is_unpacked_once(body: bytes, encoding: str) -> None:
    with answering(body, encoding=encoding) as office:
        assert client.exchange(office, b"{}\n", SEED) == WORDS


@pytest.mark.parametrize(
    ("body", "announced"),
    [
        (gzip.compress(bytes(client.REPLY_BYTES + 1), mtime=0), None),
        (bytes(client.REPLY_BYTES + 1), None),
        (gzip.compress(WORDS, mtime=0)[:-9], None),
        (gzip.compress(WORDS, mtime=0)[:20] + b"x" * 40, None),
        (gzip.compress(WORDS, mtime=0)[:30], len(gzip.compress(WORDS, mtime=0))),
    ],
    ids=["unpacks beyond the limit", "too large", "cut", "broken", "shorter than announced"],
)
def test_a_reply_that_is_not_whole_or_too_large_changes_nothing(body: bytes, announced: int | None) -> None:
    with answering(body, announced) as office, pytest.raises(client.NoNetwork):
        client.exchange(office, b"{}\n", SEED)
