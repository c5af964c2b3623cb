"""The vectors of the protocol are what the code makes, and the specification names each group of them."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import msgspec
import pytest

from shared.ledger import vectors
from shared.ledger.branch import BranchTakenIn, branches
from shared.ledger.crypto import is_signed
from shared.ledger.frame import is_sealed, read_frames
from shared.ledger.messages import read_reply, read_request, receipt_message
from shared.ledger.operation import decode_line, is_canonical
from shared.registry import BODIES
from tests.make import an_operation

STORED = json.loads(vectors.FILE.read_text(encoding="utf-8"))
SERVER, DEVICE = (bytes.fromhex(STORED["keys"][name]["public"]) for name in ("server", "device"))


def test_the_code_makes_the_stored_vectors() -> None:
    assert {name: value for name, value in STORED.items() if name != "opened"} == json.loads(
        json.dumps(vectors.computed())
    )


def test_what_was_made_once_still_opens() -> None:
    assert vectors.opened(STORED["opened"]) == vectors.OPENED


def test_every_vector_holds_when_read() -> None:
    request, reply = read_request(STORED["request"]["body"].encode()), read_reply(STORED["reply"].encode(), SERVER)
    assert request.name == STORED["request"]["name"] == reply.receipt.request
    assert all(is_sealed(frame, DEVICE) for frame in request.frames)
    signature = base64.b64decode(STORED["request"]["signature"])
    assert is_signed(DEVICE, bytes.fromhex(STORED["request"]["message"]), signature)
    assert is_signed(
        SERVER, receipt_message(STORED["receipt"]["line"].encode()), base64.b64decode(STORED["receipt"]["signature"])
    )
    for frame in STORED["frames"]:
        assert read_frames(frame["wire"].encode()[:-1].split(b"\n"))[0].ids()[-1].hex() == frame["last_id"]
    for operation in STORED["chain"]["operations"]:
        decode_line(operation["line"].encode(), BODIES)
        assert is_canonical(operation["line"].encode())


@pytest.mark.parametrize("text", STORED["not_canonical"])
def test_what_is_not_canonical_is_found(text: str) -> None:
    assert not is_canonical(text.encode())


def test_writing_the_vectors_again_changes_nothing(tmp_path: Path) -> None:
    before = vectors.FILE.read_bytes()
    copy = tmp_path / "vectors.json"
    copy.write_bytes(before)
    vectors.write(copy)
    assert copy.read_bytes() == before


def test_a_branch_and_a_fate_hold_when_read() -> None:
    for each in STORED["branch"]:
        body = msgspec.json.decode(each["body"].encode(), type=BranchTakenIn)
        (frame,) = branches([an_operation(body=body, subject=STORED["chain"]["subject"])])
        assert frame.encoded().decode() == each["wire"]
        assert is_sealed(frame, DEVICE)
    said = STORED["fates"]
    assert is_signed(SERVER, bytes.fromhex(said["message"]), base64.b64decode(said["seal"]))
