"""The one place where something that went wrong becomes a status and an answer: JSON under /api, a page elsewhere.

What nobody foresaw is logged under a number, and the person gets that number, never a traceback.
"""

from __future__ import annotations

import errno
import logging
import sys
from http import HTTPStatus

from flask import Flask, Response, jsonify, request
from marshmallow import ValidationError
from sqlalchemy.exc import DataError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolExhausted
from werkzeug.exceptions import HTTPException

from shared.errors import CODES, RuleBroken
from shared.ledger.operation import NotCanonical

log = logging.getLogger("qorgan")

_STATUS: dict[str, int] = {
    "not_found": 404, "institution_unknown": 404, "media_unknown": 404, "candidate_unknown": 404,
    "finding_unknown": 404, "question_unknown": 404, "report_missing": 404,
    "not_allowed": 403, "wrong_hat": 403, "not_entitled": 403, "recused": 403, "not_a_member": 403,
    "not_in_group": 403, "same_person": 403, "second_officer_needed": 403,
    "proposer_gone": 403,
    "login_wrong": 401, "session_over": 401, "signature_wrong": 401, "nonce_wrong": 401, "device_unknown": 401,
    "device_waiting": 401, "device_revoked": 401,
    "code_wrong": 422, "code_used": 410, "code_expired": 410, "login_wait": 429,
    "too_many": 429,
    "passphrase_short": 422, "passphrase_common": 422, "no_reason": 422, "no_members": 422, "member_twice": 422,
    "body_wrong": 422, "line_unreadable": 422, "frame_unreadable": 422, "request_unreadable": 422,
    "version_unknown": 422, "kind_wrong_subject": 422, "seal_broken": 422, "key_missing": 422,
    "bundle_unreadable": 422, "bundle_version": 422, "bundle_altered": 422, "bundle_cut": 422,
    "line_too_large": 413, "frame_too_large": 413, "request_too_large": 413, "media_too_large": 413,
    "bundle_too_large": 413,
    "hash_wrong": 460,
}  # fmt: skip
"""Codes that are no plain conflict with what stands (409)."""

_HTTP: dict[int, str] = {
    401: "session_over", 403: "not_allowed", 404: "not_found", 413: "request_too_large", 429: "too_many",
}  # fmt: skip


def status_of(code: str) -> int:
    """The status of a broken rule."""
    return _STATUS.get(code, 409)


def request_number() -> str:
    from server.watching.logs import request_number as number

    return number()


def away() -> tuple[type[Exception], ...]:
    """What says that the database does not answer just now: it is being restarted, another one takes over, its disk is
    full. The errors of a driver are among them when an engine has loaded it.
    """
    known: tuple[type[Exception], ...] = (OperationalError, InterfaceError, PoolExhausted)
    if (driver := sys.modules.get("sqlite3")) is not None:
        known += (driver.OperationalError,)
    if (driver := sys.modules.get("psycopg")) is not None:
        known += (driver.OperationalError, driver.InterfaceError)
    return known


def register_errors(app: Flask) -> None:
    """Handlers of the app; the last one takes everything."""
    app.register_error_handler(RuleBroken, rule_broken)
    app.register_error_handler(ValidationError, _body_wrong)
    app.register_error_handler(DataError, _body_wrong)
    app.register_error_handler(NotCanonical, _body_wrong)
    for each in away():
        app.register_error_handler(each, _database_away)
    app.register_error_handler(OSError, _disk_trouble)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(Exception, _unforeseen)


def rule_broken(error: RuleBroken) -> Response:
    """The sentence of the rule under its status; under /api the log says that somebody was refused, and for what."""
    number = request_number()
    if request.path.startswith("/api"):
        log.warning("refused %s: %s at %s %s", number, error.code, request.method, request.endpoint)
    return answer(error.code, status_of(error.code), dict(error.facts), error.source, number)


def answer(
    code: str, status: int, facts: dict[str, object] | None = None, source: str = "", number: str = ""
) -> Response:
    """One error as JSON {code, message, id} under /api, as a page elsewhere.

    number  names the line in the log; that of the request when there is none
    """
    from server.console.web import error_page, sentence

    number = number or request_number()
    message = sentence(f"error.{code}", facts or {})
    if request.path.startswith("/api"):
        reply = jsonify({"code": code, "message": message, "id": number})
        reply.status_code = status
    else:
        reply = error_page(status, code, message, source, number)
    if status == 429:
        reply.headers["Retry-After"] = "60"
    return reply


def _body_wrong(error: Exception) -> Response:
    return answer("body_wrong", 422)


def _database_away(error: Exception) -> Response:
    """Nothing was kept, and trying again is right: tablets and people are told so, nobody is told of a fault."""
    number = request_number()
    name = errno.errorcode.get(getattr(error, "errno", None) or 0, "") or type(error).__name__
    log.error("database away %s at %s %s: %s", number, request.method, request.endpoint, name)
    reply = answer("database_away", HTTPStatus.SERVICE_UNAVAILABLE, number=number)
    reply.headers["Retry-After"] = "10"
    return reply


_DISK = frozenset({errno.EIO, errno.ENOSPC, errno.EDQUOT, errno.EROFS})


def _disk_trouble(error: OSError) -> Response:
    """A disk that fails or is full is for whoever runs the office; the tablet keeps what it has and tries again."""
    return _database_away(error) if error.errno in _DISK else _unforeseen(error)


def _http(error: HTTPException) -> Response:
    if error.response is not None:
        return error.response  # type: ignore[return-value]
    status = error.code or 500
    if status >= 500:
        return _unforeseen(error)
    if status < 400:
        return error.get_response()  # type: ignore[return-value]
    code = _HTTP.get(status, "body_wrong" if status == 422 else "request_unreadable")
    reply = answer(code, status)
    for name, value in error.get_headers():
        if name.lower() in ("allow", "content-range", "accept-ranges", "retry-after"):
            reply.headers[name] = value
    return reply


_DAMAGED = frozenset({11, 26})
"""SQLite's words for a file whose pages are wrong: SQLITE_CORRUPT, SQLITE_NOTADB."""


def is_damage(error: Exception) -> bool:
    """Whether the database's own file is damaged."""
    return getattr(getattr(error, "orig", error), "sqlite_errorcode", 0) & 0xFF in _DAMAGED


def _unforeseen(error: Exception) -> Response:
    number = request_number()
    if is_damage(error):
        log.critical(
            "THE DATABASE IS DAMAGED (%s at %s %s): stop the office, run qorgan verify, restore the last backup",
            number, request.method, request.endpoint,
        )  # fmt: skip
        return _database_away(error)
    log.exception("error %s at %s %s", number, request.method, request.endpoint, exc_info=error)
    return answer("unforeseen", HTTPStatus.INTERNAL_SERVER_ERROR, {"number": number}, number=number)


KNOWN_CODES = CODES | {"unforeseen", "database_away"}
"""Every code a sentence `error.<code>` must exist for."""
