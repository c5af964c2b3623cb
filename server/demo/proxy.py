"""A TCP proxy that fails as told: delay, a slow line, cuts at a byte, resets, silence, repeats, replies lost or late.

`make demo` and the tests put it between a tablet and the office. It knows just enough of HTTP/1.1 to tell where a
request ends. What happens to each connection is decided by a list of faults, taken in turn; with a seed a storm of them
comes out the same again. Loopback only. Never used by a running office.
"""

from __future__ import annotations

import random
import socket
import struct
import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal[
    "pass", "cut_request", "cut_reply", "reset", "half_open", "repeat", "lose_reply", "hold", "refuse", "deaf",
]  # fmt: skip
PIECE = 4096
PATIENCE_SECONDS = 20.0


@dataclass(frozen=True)
class Fault:
    """What happens to one connection.

    pass         nothing
    cut_request  the office gets `at` bytes of the request, then the line breaks
    cut_reply    the tablet gets `at` bytes of the reply, then the line breaks
    reset        like cut_reply, with a reset instead of an end
    half_open    the office answers, the tablet hears nothing and nobody hangs up for `seconds`
    repeat       the office gets the whole request twice; the tablet gets the second reply
    lose_reply   the office gets the request and answers; the tablet gets nothing
    hold         the request arrives after the next one did (or after `seconds`)
    refuse       nobody answers the call
    deaf         the call is taken, nothing is ever read of it and nothing said, until the tablet hangs up
    """

    kind: Kind = "pass"
    at: int = 0
    seconds: float = 3.0


@dataclass
class Line:
    """How the line is besides faults: `delay` seconds each way, at most `bits_per_second` (0: no limit)."""

    delay: float = 0.0
    bits_per_second: int = 0


@dataclass
class Seen:
    """What went through, for reports and assertions."""

    connections: int = 0
    bytes_up: int = 0
    bytes_down: int = 0
    faults: list[Kind] = field(default_factory=list)


def storm(seed: int, count: int, longest: int = 4000) -> list[Fault]:
    """`count` faults of every kind in an order and at bytes that follow from the seed."""
    luck = random.Random(seed)  # noqa: S311 - chance for a test, not for a secret
    kinds: tuple[Kind, ...] = (
        "cut_request",
        "cut_reply",
        "reset",
        "half_open",
        "repeat",
        "lose_reply",
        "hold",
        "refuse",
    )
    return [Fault(luck.choice(kinds), luck.randrange(1, longest), luck.uniform(0.1, 0.6)) for _ in range(count)]


class Proxy:
    """Listens on `port` of the loopback address and calls `target` (host, port) for each connection.

    `faults` are used up one by one; when none is left, connections pass. `online = False` refuses every call.
    """

    def __init__(self, target: tuple[str, int], port: int = 0, line: Line | None = None) -> None:
        self.target = target
        self.line = line or Line()
        self.online = True
        self.seen = Seen()
        self._faults: deque[Fault] = deque()
        self._lock = threading.Lock()
        self._arrived = threading.Condition()
        self._requests = 0
        self._listener = socket.create_server(("127.0.0.1", port))
        self._closing = False
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        """The port to call instead of the office's."""
        return int(self._listener.getsockname()[1])

    @property
    def address(self) -> str:
        """The http address to call instead of the office's."""
        return f"http://127.0.0.1:{self.port}"

    def plan(self, faults: Iterable[Fault]) -> None:
        """What happens to the next connections, in this order."""
        with self._lock:
            self._faults.extend(faults)

    @property
    def planned(self) -> int:
        """How many faults are still to come."""
        return len(self._faults)

    def close(self) -> None:
        """Stops listening; connections under way end by themselves."""
        self._closing = True
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(2)

    def _listen(self) -> None:
        while not self._closing:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _next(self) -> Fault:
        with self._lock:
            fault = Fault("refuse") if not self.online else (self._faults.popleft() if self._faults else Fault())
            self.seen.connections += 1
            self.seen.faults.append(fault.kind)
            return fault

    def _serve(self, client: socket.socket) -> None:
        fault = self._next()
        client.settimeout(PATIENCE_SECONDS)
        with client, suppress(OSError):
            if fault.kind == "refuse":
                _reset(client)
                return
            if fault.kind == "deaf":
                self._hear_nothing(client)
                return
            self._carry(client, fault)

    def _hear_nothing(self, client: socket.socket) -> None:
        """Looks whether the caller is still there without taking a byte of what he says."""
        client.settimeout(0.05)
        while not self._closing:
            with suppress(TimeoutError):
                if client.recv(1, socket.MSG_PEEK) == b"" or _has_hung_up(client):
                    return

    def _carry(self, client: socket.socket, fault: Fault) -> None:
        """One request and its reply. The connection is not kept for another request, so each fault meets one."""
        request = _closing(_read_request(client))
        if not request:
            return
        if fault.kind == "hold":
            self._wait_for_another(fault.seconds)
        reply = b""
        for _ in range(2 if fault.kind == "repeat" else 1):
            cut_at = fault.at if fault.kind == "cut_request" else len(request)
            reply = self._ask(request[:cut_at], whole=cut_at >= len(request))
        with self._arrived:
            self._requests += 1
            self._arrived.notify_all()
        match fault.kind:
            case "cut_request" | "reset":
                self._send(client, reply[: fault.at] if fault.kind == "reset" else b"")
                _reset(client)
            case "lose_reply":
                return
            case "half_open":
                time.sleep(fault.seconds)
            case "cut_reply":
                self._send(client, reply[: fault.at])
            case _:
                self._send(client, reply)

    def _wait_for_another(self, seconds: float) -> None:
        with self._arrived:
            before = self._requests
            self._arrived.wait_for(lambda: self._requests > before, timeout=seconds)

    def _ask(self, request: bytes, whole: bool) -> bytes:
        """The whole reply of the office, or what came before it hung up."""
        with socket.create_connection(self.target, timeout=PATIENCE_SECONDS) as office:
            for piece in self._paced(request):
                office.sendall(piece)
                self.seen.bytes_up += len(piece)
            if not whole:
                office.shutdown(socket.SHUT_WR)
            parts = []
            with suppress(OSError):
                while part := office.recv(65536):
                    parts.append(part)
        return b"".join(parts)

    def _send(self, client: socket.socket, data: bytes) -> None:
        for piece in self._paced(data):
            client.sendall(piece)
            self.seen.bytes_down += len(piece)

    def _paced(self, data: bytes) -> Iterator[bytes]:
        if self.line.delay:
            time.sleep(self.line.delay)
        size = PIECE if not self.line.bits_per_second else max(64, self.line.bits_per_second // 80)
        for at in range(0, len(data), size):
            piece = data[at : at + size]
            yield piece
            if self.line.bits_per_second:
                time.sleep(len(piece) * 8 / self.line.bits_per_second)


@contextmanager
def between(target: tuple[str, int], line: Line | None = None) -> Iterator[Proxy]:
    """A proxy for the time of a block."""
    proxy = Proxy(target, line=line)
    try:
        yield proxy
    finally:
        proxy.close()


def _has_hung_up(client: socket.socket) -> bool:
    """Whether the other end is closed, though bytes of it still wait to be read."""
    time.sleep(0.02)
    state = client.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0]
    return state != 1  # not ESTABLISHED any more


def _reset(client: socket.socket) -> None:
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def _read_request(client: socket.socket) -> bytes:
    """One HTTP request with its body, as it came; shorter when the caller hung up."""
    data = b""
    while b"\r\n\r\n" not in data:
        part = client.recv(65536)
        if not part:
            return data
        data += part
    head, _, body = data.partition(b"\r\n\r\n")
    fields = _fields(head)
    if b"100-continue" in fields.get(b"expect", b"").lower():
        client.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
    if b"chunked" in fields.get(b"transfer-encoding", b"").lower():
        while not body.endswith(b"0\r\n\r\n") and (part := client.recv(65536)):
            body += part
    else:
        length = int(fields.get(b"content-length", b"0"))
        while len(body) < length and (part := client.recv(65536)):
            body += part
    return head + b"\r\n\r\n" + body


def _fields(head: bytes) -> dict[bytes, bytes]:
    pairs = (line.partition(b":") for line in head.split(b"\r\n")[1:])
    return {name.strip().lower(): value.strip() for name, _, value in pairs}


def _closing(request: bytes) -> bytes:
    """The request with a word that the connection ends after the reply: its end is then the end of the stream."""
    head, mark, body = request.partition(b"\r\n\r\n")
    lines = [line for line in head.split(b"\r\n") if not line.lower().startswith((b"connection:", b"expect:"))]
    return b"\r\n".join([*lines, b"Connection: close"]) + mark + body if mark else request
