"""Makes the test vectors of the protocol, so that another implementation can check itself against this one.

Keys, nonces and times are fixed here and used nowhere else. What is random in real use (boxes, sealed words) stands
in vectors.json as made once and is only opened again. Run: python -m shared.ledger.vectors
"""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import msgspec

from shared.ledger.branch import branch_bodies
from shared.ledger.bundle import open_bundle, part, seal_bundle
from shared.ledger.crypto import SealBroken, box, box_address, sha256, sign, unbox, unseal, verifying_key
from shared.ledger.frame import Frame, cut
from shared.ledger.merge import digest, heads_digest
from shared.ledger.messages import (
    FrameReceipt,
    Hello,
    PageHeader,
    Receipt,
    encode_reply,
    encode_request,
    fates_message,
    next_ledger_head,
    receipt_message,
    receipt_number,
    request_message,
    sealed_fates,
)
from shared.ledger.operation import Body, canonical, chain, encode_line, genesis
from shared.ledger.packing import FREQUENT, IN_KZ_1048, IN_UTF_8, LETTERS
from shared.ledger.sealing import opened_words, sealed_words
from shared.values import DeviceId, PersonId, SubjectId

FILE = Path(__file__).with_name("vectors.json")

DEVICE = DeviceId("0198c0de-0001-7000-8000-000000000001")
SECOND_DEVICE = DeviceId("0198c0de-0004-7000-8000-000000000004")
SUBJECT = SubjectId("0198c0de-0002-7000-8000-000000000002")
PERSON = PersonId("0198c0de-0003-7000-8000-000000000003")
DEVICE_SECRET = sha256(b"qorgan vector device")
SERVER_SECRET = sha256(b"qorgan vector server")
READER_SECRET = sha256(b"qorgan vector reader")
WORDS_KEY = sha256(b"qorgan vector words")
AT = "2026-03-07T14:05:07+05:00"

CANONICAL: tuple[Any, ...] = (
    {"b": 1, "a": [True, False, "x"]},
    {"text": 'қорған "тор"\t\\ /\n'},
    [0, -1, 9007199254740991, -9007199254740991],
    {},
    "\u2028\u007f",
)
NOT_CANONICAL = (
    '{"b":1,"a":2}', '{"a":1,"a":2}', '{"a": 1}', '{"a":1.0}', '{"a":null}', '"\\u0430"', '"\\/"', '{"A":1}',
    "9007199254740992", "-0", '"a\\u0000"',
)  # fmt: skip


class _Answer(Body, frozen=True):
    """The body of the example lines."""

    KIND = "answer_recorded"
    item: str
    value: int | str


def _lines() -> list[bytes]:
    bodies = (
        _Answer(item="/mc/cell[a1b2c3d4]/cell_beds", value=6),
        _Answer(item="/mc/light", value="nk"),
        _Answer(item="/mc/note", value='Тор көзді терезе, "жабық"'),
    )
    return [encode_line(body, PERSON, AT, clock) for clock, body in enumerate(bodies, 61)]


def _frame_vector(frame: Frame) -> dict[str, Any]:
    return {"wire": frame.encoded().decode(), "last_id": frame.ids()[-1].hex(), "seal": frame.header.seal}


def computed() -> dict[str, Any]:
    """Every vector that follows from fixed input."""
    lines, start = _lines(), genesis(DEVICE, SUBJECT)
    ids = chain(start, lines)
    frames = (
        cut(DEVICE_SECRET, DEVICE, SUBJECT, 1, start, lines[:2]),
        cut(DEVICE_SECRET, DEVICE, SUBJECT, 3, ids[1], lines[2:]),
    )
    members = [(SECOND_DEVICE, 1, sha256(b"qorgan vector other chain").hex()), (DEVICE, len(ids), ids[-1].hex())]
    ends = [(SUBJECT, 3, ids[2].hex()), (DEVICE, 1, ids[0].hex())]
    hello = Hello(DEVICE, 1, "1.420.418", heads_digest([(SUBJECT, 3, ids[2].hex())]), (418, "9a" * 32), "Qm9", AT)
    request = encode_request(hello, frames)
    name = sha256(b"".join(frame.encoded() for frame in frames)).hex()
    head = next_ledger_head(next_ledger_head(bytes(32), ids[1]), ids[2])
    receipt = canonical(
        Receipt(
            device=DEVICE, epoch=1, ledger_head=head.hex(), lines=(), position=420, received_at=AT, request=name,
            tablet_now=AT,
            frames=(
                FrameReceipt(SUBJECT, 1, 2, ids[1].hex(), "accepted", ""),
                FrameReceipt(SUBJECT, 3, 1, ids[2].hex(), "accepted", ""),
            ),
        )
    )  # fmt: skip
    fates = (FrameReceipt(SUBJECT, 3, 1, ids[2].hex(), "accepted", "fork"),)
    page = PageHeader(cursor="1.421.421", durable=400, more=False, next_nonce="Zz0", revoked=False, token="t")  # noqa: S106
    return {
        "canonical": [{"value": value, "bytes": canonical(value).decode()} for value in CANONICAL],
        "not_canonical": list(NOT_CANONICAL),
        "keys": {
            "device": {"id": DEVICE, "secret": DEVICE_SECRET.hex(), "public": verifying_key(DEVICE_SECRET).hex()},
            "server": {"secret": SERVER_SECRET.hex(), "public": verifying_key(SERVER_SECRET).hex()},
            "reader": {"secret": READER_SECRET.hex(), "address": box_address(READER_SECRET).hex()},
            "words": WORDS_KEY.hex(),
        },
        "chain": {
            "subject": SUBJECT, "genesis": start.hex(),
            "operations": [
                {"line": line.decode(), "id": id_.hex()} for line, id_ in zip(lines, ids, strict=True)
            ],
        },
        "frames": [_frame_vector(frame) for frame in frames],
        "heads": {"ends": [list(end) for end in ends], "digest": heads_digest(ends)},
        "digest": {"members": [list(member) for member in members], "digest": digest(members)},
        "request": {
            "body": request.decode(), "name": name, "message": request_message(request).hex(),
            "signature": base64.b64encode(sign(DEVICE_SECRET, request_message(request))).decode(),
        },
        "receipt": {
            "line": receipt.decode(), "number": receipt_number(receipt),
            "signature": base64.b64encode(sign(SERVER_SECRET, receipt_message(receipt))).decode(),
        },
        "reply": encode_reply(receipt, SERVER_SECRET, page, [frames[1].encoded()]).decode(),
        "packing": {
            "frequent": FREQUENT, "frequent_sha256": {str(form): sha256(FREQUENT.encode(letters)).hex()
                                                      for form, letters in LETTERS.items()},
            "kz_1048": bytes(range(128, 256)).decode(LETTERS[IN_KZ_1048], "replace"),
        },
        "branch": [
            {"wire": frames[1].encoded().decode(), "body": canonical(body).decode()}
            for body in branch_bodies(frames[1])
        ],
        "fates": {
            "fates": [list(msgspec.to_builtins(fates[0]))], "message": fates_message(DEVICE, fates).hex(),
            "seal": sealed_fates(SERVER_SECRET, DEVICE, fates),
        },
        "ledger_head": {"before": bytes(32).hex(), "last_ids": [ids[1].hex(), ids[2].hex()], "after": head.hex()},
    }  # fmt: skip


OPENED: dict[str, Any] = {
    "box": {"purpose": "qorgan/vector/1", "plain": "тек оқырман ашады"},
    "sealed_words": {
        "subject": SUBJECT, "kind": "note_recorded", "form": IN_KZ_1048,
        "words": {"language": "kk", "text": "Терезе жабық."},
    },
    "sealed_in_utf_8": {
        "subject": SUBJECT, "kind": "note_recorded", "form": IN_UTF_8,
        "words": {"language": "kk", "text": "Bölmede terezeler jabyq, jaryq joq."},
    },
    "bundle": {"from": DEVICE, "part": "request", "signature": "c2lnbmVk", "data": "a plain body\n"},
}  # fmt: skip
"""What the made-once vectors hold inside."""


def opened(made: dict[str, Any]) -> dict[str, Any]:
    """The made-once vectors, opened again. Raises SealBroken."""
    about = made["box"]
    plain = unbox(READER_SECRET, base64.b64decode(about["boxed"]), about["purpose"].encode())
    found: dict[str, Any] = {"box": {"purpose": about["purpose"], "plain": plain.decode()}}
    bundle = open_bundle(base64.b64decode(made["bundle"]["bundle"]), READER_SECRET, box_address(READER_SECRET))
    bundle.check_sender(verifying_key(DEVICE_SECRET).hex())
    (only,) = bundle.parts
    found["bundle"] = {
        "from": bundle.header.from_, "part": only.head.part, "signature": only.head.signature,
        "data": only.data.decode(),
    }  # fmt: skip
    for name in ("sealed_words", "sealed_in_utf_8"):
        words = made[name]
        about = f"{words['subject']}\n{words['kind']}".encode()
        inside = opened_words(WORDS_KEY, words["subject"], words["kind"], words["sealed"])
        form = unseal(WORDS_KEY, base64.b64decode(words["sealed"]), about)[0]
        found[name] = {"subject": words["subject"], "kind": words["kind"], "form": form, "words": inside}
    return found


def _made_once() -> dict[str, Any]:
    about = OPENED["box"]
    boxed = box(box_address(READER_SECRET), about["plain"].encode(), about["purpose"].encode())
    made: dict[str, Any] = {"box": about | {"boxed": base64.b64encode(boxed).decode()}}
    inside, office = OPENED["bundle"], box_address(READER_SECRET)
    parts = [part("request", inside["data"].encode(), signature=inside["signature"])]
    bundle = seal_bundle(parts, DEVICE, DEVICE_SECRET, office, [office], AT)
    made["bundle"] = inside | {"bundle": base64.b64encode(bundle).decode()}
    for name in ("sealed_words", "sealed_in_utf_8"):
        words = OPENED[name]
        made[name] = words | {"sealed": sealed_words(WORDS_KEY, words["subject"], words["kind"], words["words"])}
    return made


def _opens_alike(known: dict[str, Any]) -> bool:
    """Whether the vectors of the file are still those of this format; another shape is made anew."""
    try:
        return opened(known) == OPENED
    except (SealBroken, KeyError):
        return False


def write(file: Path = FILE) -> None:
    """Writes the file; what was made once stays as it is when it still opens to the same."""
    known = json.loads(file.read_text(encoding="utf-8")).get("opened") if file.exists() else None
    made = known if known and _opens_alike(known) else _made_once()
    text = json.dumps(computed() | {"opened": made}, ensure_ascii=False, indent=1, sort_keys=True)
    file.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    write()
