"""Apps and offices of other versions, made of this one: kinds it does not know yet, fields it does not know yet.

Versions are numbers; each kind or field has the one it came with. `running(n)` makes the program be version n while it
lasts; what is called inside with another number is that one. Source: SETTLED decision 71.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

import msgspec

from server.ledger import routes
from shared import registry
from shared.ledger.crypto import sign
from shared.ledger.messages import receipt_message
from shared.ledger.operation import Body, canonical
from shared.observations.answers import AnswerRecorded
from shared.observations.record import RECORD

OLDEST, NEWEST = 1, 5
SINCE = {"finding_changed": 2, "note_changed": 3, "value_chosen": 3, "draft_written": 4}
"""Kinds of the record that pretend to have come with a version; all others were there from the first."""
FIELD_SINCE = 3
"""From this version on an answer says how certain it is."""
KIND_SINCE = 4
"""From this version on there is a kind of operation that this program does not know."""
REPLY_SINCE = 5
"""From this version on replies carry fields that this program does not know."""


class SureAnswer(AnswerRecorded, frozen=True):
    """An answer with a field of a later version."""

    KIND = AnswerRecorded.KIND
    certainty: str = ""


class WeatherNoted(Body, frozen=True):
    """A kind of a later version."""

    KIND = "weather_noted"
    sky: str
    degrees: int = 0


def _weather(state: Any, operation: Any, body: WeatherNoted) -> None:
    """It changes nothing that is compared."""


@contextmanager
def running(version: int) -> Iterator[None]:
    """The program is this version while the block lasts."""
    handlers = dict(RECORD.handlers)
    handlers[SureAnswer] = handlers[AnswerRecorded]
    handlers[WeatherNoted] = _weather
    known = {kind: body for kind, body in _ALL.items() if SINCE.get(kind, OLDEST) <= version}
    if version >= FIELD_SINCE:
        known[AnswerRecorded.KIND] = SureAnswer
    if version >= KIND_SINCE:
        known[WeatherNoted.KIND] = WeatherNoted
    kinds = {kind: _KINDS.get(kind, "record") for kind in known if kind in _KINDS or kind == WeatherNoted.KIND}
    with ExitStack() as stack:
        stack.enter_context(patch.dict(RECORD.handlers, handlers, clear=True))  # type: ignore[arg-type]
        stack.enter_context(patch.dict(registry.BODIES, known, clear=True))
        stack.enter_context(patch.dict(registry._SUBJECT_KIND, kinds, clear=True))
        yield


_ALL = dict(registry.BODIES)
_KINDS = dict(registry._SUBJECT_KIND)
Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def office_of(version: Callable[[], int], application: Application, speaks: Callable[[], int]) -> Application:
    """The office as a program of another version.

    version  what it is at this moment
    speaks   the newest `v` of a request it reads: a newer one it refuses whole
    """

    def answer(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        if environ["PATH_INFO"] == "/api/sync" and speaks() > version():
            said = msgspec.json.encode({"code": "version_unknown", "message": "", "id": "1"})
            start("422 UNPROCESSABLE", [("Content-Type", "application/json"), ("Content-Length", str(len(said)))])
            return [said]
        with running(version()), ExitStack() as stack:
            if version() >= REPLY_SINCE:
                stack.enter_context(patch.object(routes, "exchange", _with_more(routes.exchange)))
            return list(application(environ, start))

    return answer


def _with_more(exchange: Callable[..., bytes]) -> Callable[..., bytes]:
    """Replies with a field more in the receipt and one in the page header."""

    def said(office: Any, *rest: Any) -> bytes:
        receipt, _, page, frames = exchange(office, *rest).split(b"\n", 3)
        more = canonical(msgspec.json.decode(receipt) | {"advice": "rest", "z_list": [1, {"a": "b"}]})
        header = canonical(msgspec.json.decode(page) | {"advice": {"kind": "later"}})
        signature = base64.b64encode(sign(office.keys.sign_secret, receipt_message(more)))
        return b"\n".join((more, signature, header, frames))

    return said
