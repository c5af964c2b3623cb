"""The virtual line between one tablet and the office: requests go straight into the WSGI application, with faults.

Replaces the transport of `field_app.sync.client` and nothing else: sessions, headers, time-outs and errors are those of
the real library. A fault is used by the next request it fits. Nothing here waits.
"""

from __future__ import annotations

import io
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import unquote, urlsplit

import requests
from requests.adapters import BaseAdapter, HTTPAdapter
from urllib3 import HTTPResponse

from field_app.sync import client

Kind = Literal[
    "drop_request", "drop_response", "duplicate", "delay", "cut_request", "cut_response", "clip_response", "error",
    "gate", "reset",
]  # fmt: skip
Answer = tuple[int, list[tuple[str, str]], bytes]
Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


@dataclass(frozen=True)
class Fault:
    """What goes wrong with one request.

    drop_request   the office never sees it            drop_response  it sees it, the answer is lost
    duplicate      it comes twice, both answered       delay          lost for the tablet, arrives at a later call
    cut_request    `at` bytes of the body arrive       cut_response   `at` bytes of the answer arrive, then the end
    clip_response  the same, and nothing says so       error          a 502 of something in between
    gate           a login page of the network, 200    reset          the connection ends before anything was sent

    at      share of the body from 0 to 1
    times   how many requests it meets
    """

    kind: Kind
    at: float = 0.5
    times: int = 1


@dataclass
class Line:
    """What lies between a tablet and the office."""

    application: Application
    online: bool = True
    faults: deque[Fault] = field(default_factory=deque)
    late: list[dict[str, Any]] = field(default_factory=list)
    calls: list[tuple[str, str]] = field(default_factory=list)
    sent: int = 0
    """Bytes of bodies that left the tablet."""
    came: int = 0
    """Bytes of bodies that reached it."""
    on_call: Callable[[str, str], None] = lambda method, path: None
    """Called before each request reaches the office; a test may act in between, or raise."""

    def fail(self, kind: Kind, at: float = 0.5, times: int = 1) -> None:
        """The next requests meet this fault."""
        self.faults.append(Fault(kind, at, times))

    def heal(self) -> None:
        """Nothing goes wrong any more; what was held back arrives now."""
        self.online = True
        self.faults.clear()
        self.deliver_late()

    def deliver_late(self) -> None:
        """Requests held back reach the office; nobody hears its answers."""
        waiting, self.late = self.late, []
        for request in waiting:
            self._ask(request)

    def send(self, request: requests.PreparedRequest) -> Answer:
        """One request through the line. Raises what the real transport would."""
        method, path = str(request.method), urlsplit(str(request.url)).path
        body = request.body if isinstance(request.body, bytes) else (request.body or "").encode()
        self.calls.append((method, path))
        asked = {"request": request, "body": body, "length": len(body)}
        fault = self._next_fault()
        if not self.online or fault == "reset":
            raise requests.ConnectionError("offline")
        self.sent += len(body)
        if fault == "drop_request":
            raise requests.ConnectTimeout("lost on the way")
        if fault == "error":
            return 502, [("Content-Type", "text/html")], b"<html>bad gateway</html>"
        if fault == "gate":
            return 200, [("Content-Type", "text/html; charset=utf-8")], b"<html>please log in</html>"
        if fault == "delay":
            self.late.append(asked)
            raise requests.ReadTimeout("held back")
        if fault == "cut_request":
            self._ask(asked | {"body": body[: int(len(body) * self._share)]})
            raise requests.ConnectionError("cut while sending")
        self.on_call(method, path)
        answer = self._ask(asked)
        if fault == "duplicate":
            answer = self._ask(asked)
        if fault == "drop_response":
            raise requests.ReadTimeout("the answer was lost")
        return self._back(answer, fault)

    def _next_fault(self) -> str:
        if not self.faults or not self.online:
            return ""
        fault = self.faults.popleft()
        self._share = fault.at
        if fault.times > 1:
            self.faults.appendleft(Fault(fault.kind, fault.at, fault.times - 1))
        return fault.kind

    def _back(self, answer: Answer, fault: str) -> Answer:
        status, headers, body = answer
        if fault in ("cut_response", "clip_response") and body:
            body = body[: int(len(body) * self._share)]
        if fault == "clip_response":
            headers = [(name, value) for name, value in headers if name.lower() != "content-length"]
        self.came += len(body)
        return status, headers, body

    def _ask(self, asked: dict[str, Any]) -> Answer:
        """The office's answer; a body cut short ends before its announced length, as on a broken connection."""
        request: requests.PreparedRequest = asked["request"]
        parts = urlsplit(str(request.url))
        environ: dict[str, Any] = {
            "REQUEST_METHOD": request.method, "SCRIPT_NAME": "", "PATH_INFO": unquote(parts.path),
            "QUERY_STRING": parts.query, "SERVER_NAME": "127.0.0.1", "SERVER_PORT": str(parts.port or 80),
            "SERVER_PROTOCOL": "HTTP/1.1", "REMOTE_ADDR": "127.0.0.1", "HTTP_HOST": parts.netloc,
            "wsgi.version": (1, 0), "wsgi.url_scheme": "http", "wsgi.errors": io.StringIO(),
            "wsgi.input": io.BytesIO(asked["body"]), "wsgi.multithread": True, "wsgi.multiprocess": False,
            "wsgi.run_once": False,
        }  # fmt: skip
        if asked["length"]:
            environ["CONTENT_LENGTH"] = str(asked["length"])
        for name, value in request.headers.items():
            key = name.upper().replace("-", "_")
            environ[key if key == "CONTENT_TYPE" else f"HTTP_{key}"] = (
                value if isinstance(value, str) else value.decode()
            )
        environ.pop("HTTP_CONTENT_LENGTH", None)
        said: list[Any] = []

        def start(status: str, headers: list[tuple[str, str]], error: object = None) -> None:
            said[:] = [int(status.split(" ", 1)[0]), headers]

        parts_of = self.application(environ, start)
        try:
            body = b"".join(parts_of)
        finally:
            close = getattr(parts_of, "close", None)
            if close:
                close()
        return said[0], said[1], b"" if request.method == "HEAD" else body


class _Adapter(HTTPAdapter):
    """The real adapter with another wire behind it."""

    def __init__(self, line: Line) -> None:
        self._line = line
        BaseAdapter.__init__(self)
        self.config: dict[str, Any] = {}

    def send(self, request: requests.PreparedRequest, *args: Any, **rest: Any) -> requests.Response:
        status, headers, body = self._line.send(request)
        raw = HTTPResponse(
            io.BytesIO(body), headers=headers, status=status, preload_content=False, decode_content=False,
            enforce_content_length=True, request_method=request.method,
        )  # fmt: skip
        return self.build_response(request, raw)

    def close(self) -> None:
        """There is no pool."""


_real_session = client.Office.session
_lines: dict[int, Line] = {}


def _session(office: client.Office) -> requests.Session:
    line = _lines.get(urlsplit(office.url).port or 0)
    if line is None:
        return _real_session(office)
    client.checked_address(office.url)
    session = requests.Session()
    session.trust_env = False
    session.adapters.clear()
    session.mount("http://", _Adapter(line))
    return session


@contextmanager
def laid(lines: dict[int, Line]) -> Iterator[None]:
    """While this lasts the client's calls to these ports of the loopback go through the lines."""
    before = dict(_lines)
    _lines.update(lines)
    client.Office.session = _session  # type: ignore[method-assign]
    try:
        yield
    finally:
        _lines.clear()
        _lines.update(before)
        if not _lines:
            client.Office.session = _real_session  # type: ignore[method-assign]
