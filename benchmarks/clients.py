"""Eight tablets that push at once, over kept connections and from one thread: so little work that the office has the
machine to itself. A request is bytes made beforehand; an answer is kept and read after the burst.
"""

from __future__ import annotations

import selectors
import socket
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

PATIENCE_SECONDS = 120
HEADERS_END = b"\r\n\r\n"


def posted(body: bytes, headers: dict[str, str]) -> bytes:
    """One HTTP/1.1 request to the sync address, as bytes on the wire."""
    lines = ["POST /api/sync HTTP/1.1", "Host: 127.0.0.1", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + HEADERS_END + body


@dataclass
class Burst:
    """What came of a burst: seconds in all, milliseconds of each exchange, bodies of the answers."""

    seconds: float
    waits: list[float]
    answers: list[bytes]

    @property
    def p99(self) -> float:
        """Milliseconds that 99 of 100 exchanges kept to."""
        return sorted(self.waits)[max(0, -(-len(self.waits) * 99 // 100) - 1)]


@dataclass
class _Line:
    """One kept connection with at most one request on its way."""

    socket: socket.socket
    unsent: memoryview = field(default_factory=lambda: memoryview(b""))
    came: bytearray = field(default_factory=bytearray)
    began: float = 0.0

    def begin(self, request: bytes) -> None:
        """Starts to send."""
        self.unsent, self.began = memoryview(request), time.perf_counter()
        self.came.clear()

    def answer(self) -> bytes | None:
        """The body once it is here whole. Raises RuntimeError for anything but 200."""
        head = self.came.find(HEADERS_END)
        if head < 0:
            return None
        fields = bytes(self.came[:head]).lower().split(b"\r\n")
        length = next(int(line.partition(b":")[2]) for line in fields if line.startswith(b"content-length:"))
        if len(self.came) < head + 4 + length:
            return None
        if fields[0].split(b" ")[1] != b"200":
            raise RuntimeError(bytes(self.came[:600]).decode(errors="replace"))
        return bytes(self.came[head + 4 : head + 4 + length])


def push_all(port: int, requests: Sequence[bytes], clients: int = 8) -> Burst:
    """Sends every request once, `clients` at a time, each over its own kept connection."""
    waiting, waits, answers = deque(requests), [], []
    with selectors.DefaultSelector() as selector:
        for _ in range(min(clients, len(requests))):
            line = _Line(socket.create_connection(("127.0.0.1", port), PATIENCE_SECONDS))
            line.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            line.socket.setblocking(False)
            selector.register(line.socket, selectors.EVENT_READ | selectors.EVENT_WRITE, line)
        began = time.perf_counter()
        for key in list(selector.get_map().values()):
            key.data.begin(waiting.popleft())
        while selector.get_map():
            ready = selector.select(PATIENCE_SECONDS)
            if not ready:
                raise TimeoutError("the office does not answer")
            for key, events in ready:
                answer = _step(selector, key.data, events)
                if answer is None:
                    continue
                waits.append((time.perf_counter() - key.data.began) * 1e3)
                answers.append(answer)
                if waiting:
                    key.data.begin(waiting.popleft())
                    selector.modify(key.data.socket, selectors.EVENT_READ | selectors.EVENT_WRITE, key.data)
                else:
                    selector.unregister(key.data.socket)
                    key.data.socket.close()
        return Burst(time.perf_counter() - began, waits, answers)


def _step(selector: selectors.BaseSelector, line: _Line, events: int) -> bytes | None:
    if events & selectors.EVENT_WRITE:
        line.unsent = line.unsent[line.socket.send(line.unsent) :]
        if not line.unsent:
            selector.modify(line.socket, selectors.EVENT_READ, line)
    if events & selectors.EVENT_READ:
        came = line.socket.recv(1 << 16)
        if not came:
            raise ConnectionError("the office closed the line")
        line.came += came
        return line.answer()
    return None
