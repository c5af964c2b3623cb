"""The ledger with a visit of 350 operations: sealing, checking, folding, and bytes on the wire.

The visit is that of `benchmarks.payload`, said in the product's own operations, once with open words and once sealed.
Source: PERFORMANCE goals A2 and P9, SETTLED decisions 1 and 28.
"""

from __future__ import annotations

import gzip
from typing import Any

from benchmarks import limits, payload
from benchmarks.figures import Figure, median_ms
from shared.ledger.crypto import sha256, verifying_key
from shared.ledger.frame import Frame, cut, is_sealed, read_frames
from shared.ledger.merge import operations_of
from shared.ledger.operation import Body, encode_line, genesis
from shared.ledger.sealing import sealed_words
from shared.ledger.subject import folded
from shared.observations.answers import AnswerRecorded
from shared.observations.record import RECORD, FindingRecorded, NoteRecorded, PhotoTaken
from shared.registry import BODIES
from shared.values import DeviceId, PersonId, SubjectId

DEVICE = DeviceId("0198c0de-0001-7000-8000-000000000001")
SUBJECT = SubjectId("0198c0de-0002-7000-8000-000000000002")
PERSON = PersonId("0198c0de-0003-7000-8000-000000000003")
SECRET, WORDS_KEY = sha256(b"bench device"), sha256(b"bench words")
KEY_ID = "77fe" * 8


class _Open(Body, frozen=True):
    """The same words in the open, as the peers send them: for the byte count alone."""

    KIND = "note_recorded"
    of: str
    words: dict[str, str]


def _words(kind: str, sealed: bool, words: dict[str, Any]) -> dict[str, Any]:
    return {"key": KEY_ID, "sealed": sealed_words(WORDS_KEY, SUBJECT, kind, words)} if sealed else {"words": words}


def _answer(record: dict[str, Any], sealed: bool) -> Body:
    value = record["v"]
    item = f"/mc/{record['q'].replace('.', '/')}"
    if isinstance(value, float):
        value = str(value)
    if isinstance(value, str) and " " in value and sealed:
        return AnswerRecorded(item=item, **_words("answer_recorded", True, {"value": value}))
    return AnswerRecorded(item=item, value=value)


def bodies(number: int, sealed: bool) -> list[Body]:
    """The visit as operations: answers, notes, interviews, findings, photos."""
    visit = payload.visit(number)
    made: list[Body] = [_answer(record, sealed) for record in visit["answers"]]
    texts = [(record, {"text": record["text"]}) for record in visit["notes"] + visit["interviews"]]
    texts += [
        (record, {"saw": record["text"], "concluded": record["title"], "advice": record["advice"]})
        for record in visit["findings"]
    ]
    texts += [(record, {"caption": record["caption"]}) for record in visit["photos"]]
    for record, words in texts:
        said = _words("note_recorded", sealed, words)
        if not sealed:
            made.append(_Open(of=record["kind"], **said))
        elif record["kind"] == "finding":
            made.append(FindingRecorded(severity=record["severity"], standards=(), evidence=(), **said))
        elif record["kind"] == "photo":
            made.append(PhotoTaken(files=(), **said))
        else:
            made.append(NoteRecorded(of="", **said))
    return made


def lines(number: int, sealed: bool) -> list[bytes]:
    """The operation lines of the visit."""
    at = "2026-03-07T{:02d}:{:02d}:{:02d}+05:00"
    return [
        encode_line(body, PERSON, at.format(9 + clock // 60 % 12, clock % 60, clock * 7 % 60), clock)
        for clock, body in enumerate(bodies(number, sealed), 1)
    ]


def _frame(said: list[bytes]) -> Frame:
    return cut(SECRET, DEVICE, SUBJECT, 1, genesis(DEVICE, SUBJECT), said)


def figures() -> list[Figure]:
    """Times of the ledger's own work, and bytes."""
    said = lines(1, True)
    frame = _frame(said)
    wire = frame.encoded().removesuffix(b"\n").split(b"\n")
    public = verifying_key(SECRET)
    operations, unreadable = operations_of(frame, BODIES)
    assert not unreadable
    open_kb = sum(len(gzip.compress(_frame(lines(n, False)).encoded(), 6)) for n in range(8)) / 8e3
    sealed_kb = sum(len(gzip.compress(_frame(lines(n, True)).encoded(), 6)) for n in range(8)) / 8e3
    seal_ms = median_ms(lambda: _frame(said))
    return [
        Figure("seal a visit of 345 operations (A2)", seal_ms, "ms", must=5),
        Figure(
            "seal a visit, against chain and one signature",
            seal_ms / (limits.chain_ms() + limits.sign_ms()),
            "x",
            must=3,
        ),
        Figure("read and check its frame", median_ms(lambda: is_sealed(read_frames(wire)[0], public)), "ms"),
        Figure("read its operations", median_ms(lambda: operations_of(frame, BODIES)), "ms"),
        Figure("fold its record", median_ms(lambda: folded(RECORD, SUBJECT, operations)), "ms"),
        Figure("bytes of a visit, gzip, open words (P9)", open_kb, "kB", must=27, aim=18),
        Figure("bytes of a visit, gzip, sealed words", sealed_kb, "kB", must=40, aim=36),
    ]
