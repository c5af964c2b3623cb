"""The log of the office: one line a request and one an incident, as JSON or as text, on standard error.

A line says which view, how long, how many bytes, and short names of device, person and subjects that only this office's
key can make. It never holds content: no body, no address line, no token, no name, no message of an exception (which
may quote what somebody typed), nothing another library wanted to say but that it spoke. Source: SECURITY A.8, ASVS 16.
"""

from __future__ import annotations

import json
import logging
import sys
import time
import traceback
from datetime import UTC, datetime
from functools import lru_cache
from types import TracebackType
from typing import Any, TextIO

from flask import Flask, Response, g, request

from server.console.web import office, signed
from shared.ledger.crypto import derived, random_bytes, sha256

log = logging.getLogger("qorgan.request")
FORMS = ("text", "json")
OWN = ("qorgan",)
QUIET = frozenset({"static", "watching.health", "watching.metrics"})
"""Views whose good answers leave no line: they come every few seconds and say nothing."""
NUMBER_HEADER = "Qorgan-Request"


_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


class Lines(logging.Formatter):
    """Writes records as lines. form: "json" or "text"."""

    def __init__(self, form: str) -> None:
        super().__init__()
        self._form = form

    def format(self, record: logging.LogRecord) -> str:
        """One line for one record."""
        facts = self._facts(record)
        if self._form == "json":
            return _json(facts)
        return " ".join(f"{name}={value}" if name not in ("at", "level", "said") else str(value)
                        for name, value in facts.items())  # fmt: skip

    def _facts(self, record: logging.LogRecord) -> dict[str, Any]:
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        facts: dict[str, Any] = {"at": at, "level": record.levelname.lower()}
        if record.name.split(".")[0] in OWN:
            facts["said"] = record.getMessage()
            facts.update(getattr(record, "facts", {}))
        else:
            # What others say may quote what somebody typed: only that they spoke, and where, is kept.
            facts["said"] = f"{record.name} spoke"
            facts["where"] = f"{record.module}:{record.lineno}"
        if record.exc_info and record.exc_info[1] is not None:
            facts["error"] = raised(record.exc_info[1])
        return facts


def raised(error: BaseException) -> list[str]:
    """Kinds of an exception and its causes with the places they came from; their messages are left out."""
    lines: list[str] = []
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        lines.append(type(current).__name__)
        lines += _places(current.__traceback__)
        current = current.__cause__ or current.__context__
    return lines


def _places(trace: TracebackType | None) -> list[str]:
    frames = traceback.extract_tb(trace)[-12:]
    return [f"{frame.filename.rsplit('/', 2)[-2:]}".strip("[]").replace("', '", "/").strip("'") +
            f":{frame.lineno} {frame.name}" for frame in frames]  # fmt: skip


def begin(form: str, stream: TextIO | None = None) -> logging.Handler:
    """The one handler of this process, made at the first call; later calls change its form."""
    root = logging.getLogger()
    handler = next((each for each in root.handlers if isinstance(each.formatter, Lines)), None)
    if handler is None:
        handler = logging.StreamHandler(stream or sys.stderr)
        root.addHandler(handler)
    handler.setFormatter(Lines(form))
    logging.getLogger("qorgan").setLevel(logging.INFO)
    return handler


def short_name(id_: str) -> str:
    """A short name for an id that only who holds the office's key can make again; "" for no id."""
    if not id_:
        return ""
    return sha256(_key(office().keys.sign_secret) + id_.encode()).hex()[:10]


@lru_cache(maxsize=4)
def _key(secret: bytes) -> bytes:
    return derived(secret, b"", b"qorgan/log/1")


def request_number() -> str:
    """The number of this request: in its line of the log, on an error page and in the answer's header."""
    if "request_number" not in g:
        g.request_number = random_bytes(4).hex().upper()
    return str(g.request_number)


def register_log(app: Flask) -> None:
    """A number and a line for every request."""
    app.before_request(_begin)
    app.after_request(_end)


def _begin() -> None:
    g.began = time.perf_counter()


def _end(reply: Response) -> Response:
    reply.headers[NUMBER_HEADER] = request_number()
    if request.endpoint in QUIET and reply.status_code < 400:
        return reply
    facts: dict[str, Any] = {
        "request": request_number(), "view": request.endpoint or "", "method": _method(), "status": reply.status_code,
        "ms": round(seconds() * 1000, 1), "in": request.content_length or 0,
        "out": reply.calculate_content_length() or 0,
    }  # fmt: skip
    facts |= {name: value for name, value in (("device", _device()), ("person", _person())) if value}
    if request.view_args:
        facts["about"] = {
            name: short_name(str(value)) for name, value in request.view_args.items() if name != "filename"
        }
    log.info("request", extra={"facts": facts})
    return reply


def seconds() -> float:
    """How long this request has taken so far."""
    return time.perf_counter() - float(g.get("began", time.perf_counter()))


_METHODS = frozenset({"GET", "HEAD", "POST", "PATCH", "PUT", "DELETE", "OPTIONS"})


def _method() -> str:
    return request.method if request.method in _METHODS else "other"


def _device() -> str:
    return short_name(str(g.get("device") or (g.tablet[0] if "tablet" in g else "")))


def _person() -> str:
    session = signed() if "signed" in g else None
    return short_name(session.person) if session else ""
