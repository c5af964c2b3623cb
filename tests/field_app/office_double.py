"""A small honest office for the tablet's tests: real HTTP, real signatures, the real door; no database, no rights.

Every tablet reads everything but its own frames. Faults are asked for by name, so that a test says what goes wrong.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from field_app.store.store import Store
from shared.accounts import DeviceConfirmed, DeviceEnrolled, PersonAdded, fingerprint
from shared.ledger.crypto import (
    box_address,
    is_signed,
    new_box_key,
    new_id,
    new_signing_key,
    verifying_key,
)
from shared.ledger.door import Held, place
from shared.ledger.frame import Frame, cut, is_sealed
from shared.ledger.merge import digest, heads_digest
from shared.ledger.messages import (
    ChainHead,
    FrameReceipt,
    PageHeader,
    Receipt,
    SubjectDigest,
    encode_reply,
    next_ledger_head,
    read_request,
    request_message,
)
from shared.ledger.operation import canonical, encode_line, genesis

AT = "2026-03-07T14:00:00+05:00"


@dataclass
class Tablet:
    """An enrolled tablet."""

    device: str
    person: str
    sign_key: str
    box_key: str
    confirmed: bool = True
    revoked: bool = False


@dataclass
class OfficeDouble:
    """What the office holds. `faults`: names of what goes wrong at the next requests, each used once."""

    seed: bytes = field(default_factory=new_signing_key)
    device: str = field(default_factory=lambda: new_id(1))
    review_secret: bytes = field(default_factory=new_box_key)
    holders: dict[int, bytes] = field(default_factory=lambda: {number: new_box_key() for number in (1, 2, 3)})
    tablets: dict[str, Tablet] = field(default_factory=dict)
    codes: dict[str, str] = field(default_factory=dict)
    frames: list[Frame] = field(default_factory=list)
    ledger_heads: list[bytes] = field(default_factory=lambda: [bytes(32)])
    receipts: dict[tuple[str, str], bytes] = field(default_factory=dict)
    media: dict[str, bytearray] = field(default_factory=dict)
    lengths: dict[str, int] = field(default_factory=dict)
    packs: dict[str, bytes] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    page_bytes: int = 1024 * 1024
    epoch: int = 1
    restored_at: int | None = None

    # ── what a test does with it ────────────────────────────────────────────────────────────────────────────────────

    def __post_init__(self) -> None:
        office = self

        class Handler(_Handler):
            double = office

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    def code_for(self, person: str) -> str:
        code = f"CODE-{len(self.codes)}-{person[-4:]}"
        self.codes[code] = person
        return code

    def ids(self) -> list[str]:
        """Ids of every operation held, as often as it is held."""
        return [id_.hex() for frame in self.frames for id_ in frame.ids()]

    def write(self, subject: str, *bodies, author: str = "", clock: int = 0) -> Frame:
        """An own operation of the office."""
        held = self.held(self.device, subject)
        author = author or self.device
        lines = [encode_line(body, author, AT, (clock or self.clock(subject) + 1) + n) for n, body in enumerate(bodies)]
        frame = cut(self.seed, self.device, subject, held.seq + 1, bytes.fromhex(held.id), lines)
        self.append(frame)
        return frame

    def vouch(self, store: Store) -> None:
        """Says whose tablet it is: enrolled by one officer, confirmed by another."""
        tablet = self.tablets[store.identity.device]
        enrolled = DeviceEnrolled(device=tablet.device, sign_key=tablet.sign_key, box_key=tablet.box_key, label="t")
        self.write(store.person, PersonAdded(name="Dana"), enrolled)
        self.write(store.person, DeviceConfirmed(device=tablet.device), author=new_id(99))

    def clock(self, subject: str) -> int:
        return max((json.loads(line)["clock"] for frame in self.frames if frame.header.subject == subject
                    for line in frame.lines), default=0)  # fmt: skip

    def restore(self, position: int) -> None:
        """Everything above the position is lost; a new epoch begins."""
        self.frames, self.ledger_heads = self.frames[:position], self.ledger_heads[: position + 1]
        self.receipts, self.epoch, self.restored_at = {}, self.epoch + 1, position

    # ── the ledger ──────────────────────────────────────────────────────────────────────────────────────────────────

    def held(self, device: str, subject: str) -> Held:
        chain = [frame for frame in self.frames if (frame.header.device, frame.header.subject) == (device, subject)]
        if not chain:
            return Held(0, genesis(device, subject).hex())
        return Held(chain[-1].last, chain[-1].ids()[-1].hex())

    def append(self, frame: Frame) -> None:
        self.frames.append(frame)
        self.ledger_heads.append(next_ledger_head(self.ledger_heads[-1], frame.ids()[-1]))

    def take(self, frame: Frame) -> FrameReceipt:
        header = frame.header
        head = frame.ids()[-1].hex()

        def said(status, reason=""):
            return FrameReceipt(header.subject, header.first, header.count, head, status, reason)

        tablet = self.tablets.get(header.device)
        key = tablet.sign_key if tablet else verifying_key(self.seed).hex() if header.device == self.device else ""
        if not key or not is_sealed(frame, bytes.fromhex(key)):
            return said("quarantined", "bad_seal")
        if tablet and tablet.revoked:
            return said("quarantined", "revoked")
        known = {id_.hex() for each in self.frames if each.header.device == header.device
                 and each.header.subject == header.subject for id_ in each.ids()}  # fmt: skip
        verdict = place(frame, self.held(header.device, header.subject), known)
        if verdict.status == "accepted":
            self.append(frame)
        return said(verdict.status, verdict.reason)

    def exchange(self, tablet: Tablet, body: bytes) -> bytes:
        request = read_request(body)
        hello = request.hello
        stored = self.receipts.get((tablet.device, request.name)) if request.frames else None
        if stored is None:
            taken = tuple(self.take(frame) for frame in request.frames)
            stored = canonical(Receipt(
                device=tablet.device, epoch=self.epoch, frames=taken, ledger_head=self.ledger_heads[-1].hex(), lines=(),
                position=len(self.frames), received_at=AT, request=request.name, tablet_now=hello.now,
            ))  # fmt: skip
            if request.frames:
                self.receipts[(tablet.device, request.name)] = stored
        restored = self.restored_at if 0 < hello.epoch < self.epoch else None
        start = int(hello.from_.split(".")[1]) if hello.from_ else 0
        start = min(start, restored) if restored is not None else start
        page, at, size, more = [], start, 0, False
        for number, frame in enumerate(self.frames[start:], start + 1):
            if frame.header.device != tablet.device:
                data = frame.encoded()
                if page and size + len(data) > self.page_bytes:
                    more = True
                    break
                page.append(data)
                size += len(data)
            at = number
        if tablet.revoked:
            page, more = [], False
        heads = self.chain_heads(tablet.device)
        mine = heads_digest((head.subject, head.seq, head.id) for head in heads)
        subjects = sorted({frame.header.subject for frame in self.frames})
        header = PageHeader(
            cursor=f"{self.epoch}.{at}.{at}", durable=0, more=more, next_nonce=f"n{len(self.requests)}",
            revoked=tablet.revoked, token="token", have=None if mine == hello.heads else tuple(heads),
            digests=() if more else tuple(SubjectDigest(each, self.digest(each)) for each in subjects),
            restored=restored,
        )  # fmt: skip
        return encode_reply(stored, self.seed, header, page)

    def chain_heads(self, device: str) -> list[ChainHead]:
        last = {frame.header.subject: frame for frame in self.frames if frame.header.device == device}
        return [ChainHead(subject, frame.last, frame.ids()[-1].hex()) for subject, frame in sorted(last.items())]

    def digest(self, subject: str) -> str:
        mine = [frame for frame in self.frames if frame.header.subject == subject]
        last = {frame.header.device: (frame.last, frame.ids()[-1].hex()) for frame in mine}
        return digest((device, seq, id_) for device, (seq, id_) in last.items())

    def enrol(self, asked: dict) -> dict | None:
        person = self.codes.pop(asked["code"], None)
        if person is None:
            return None
        tablet = Tablet(new_id(len(self.tablets) + 2), person, asked["sign_key"], asked["box_key"])
        self.tablets[tablet.device] = tablet
        return {
            "device": tablet.device, "person": person, "name": "Aigerim", "language": "kk",
            "server_device": self.device, "server_key": verifying_key(self.seed).hex(),
            "review_key": box_address(self.review_secret).hex(), "office_names": {"en": "Office"},
            "keyholders": [{"number": n, "key": box_address(secret).hex()} for n, secret in self.holders.items()],
            "fingerprint": fingerprint(asked["sign_key"], asked["box_key"]),
        }  # fmt: skip


class _Handler(BaseHTTPRequestHandler):
    double: OfficeDouble
    protocol_version = "HTTP/1.1"

    def log_message(self, *args) -> None:
        pass

    def answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def refuse(self, status: int, code: str) -> None:
        self.answer(status, json.dumps({"code": code, "message": code}).encode(), Content_Type="application/json")

    def body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length", "0")))

    def fault(self, *names: str) -> str:
        if self.double.faults and self.double.faults[0] in names:
            return self.double.faults.pop(0)
        return ""

    def cut(self) -> None:
        self.close_connection = True
        self.connection.close()

    def do_POST(self) -> None:
        double = self.double
        double.requests.append(f"POST {self.path}")
        body = self.body()
        if self.path == "/api/devices/enrol":
            answer = double.enrol(json.loads(body))
            if answer is None:
                return self.refuse(422, "code_wrong")
            return self.answer(201, json.dumps(answer).encode(), Content_Type="application/json")
        if self.path == "/api/media":
            pairs = dict(pair.split(" ") for pair in self.headers["Upload-Metadata"].split(","))
            name = base64.b64decode(pairs["sha256"]).decode()
            double.lengths[name] = int(self.headers["Upload-Length"])
            double.media.setdefault(name, bytearray())
            return self.answer(201, Location=f"/api/media/{name}", Tus_Resumable="1.0.0")
        if self.fault("cut_request"):
            return self.cut()
        if self.fault("error"):
            return self.answer(500)
        if self.fault("html"):
            return self.answer(200, b"<html>log in</html>", Content_Type="text/html")
        return self.sync(gzip.decompress(body))

    def sync(self, plain: bytes) -> None:
        double = self.double
        tablet = double.tablets.get(json.loads(plain.split(b"\n", 1)[0])["device"])
        signature = base64.b64decode(self.headers["Qorgan-Signature"])
        if tablet is None or not is_signed(bytes.fromhex(tablet.sign_key), request_message(plain), signature):
            return self.refuse(401, "signature_wrong")
        if not tablet.confirmed:
            return self.refuse(401, "device_waiting")
        poison = next((fault for fault in double.faults if fault.startswith("unreadable:")), "")
        if poison and poison.split(":", 1)[1].encode() in plain:
            return self.refuse(422, "frame_unreadable")
        reply = double.exchange(tablet, plain)
        if self.fault("cut_reply"):
            return self.cut()
        if self.fault("forged"):
            lines = reply.split(b"\n")
            lines[0] = lines[0].replace(b'"accepted"', b'"already"').replace(b'"v":1', b'"v": 1')
            reply = b"\n".join(lines)
        packed = gzip.compress(reply)
        if self.fault("half_reply"):
            packed = packed[: len(packed) // 2]
        self.answer(200, packed, Content_Type="application/x-qorgan-sync", Content_Encoding="gzip")

    def do_HEAD(self) -> None:
        name = self.path.rsplit("/", 1)[1]
        self.double.requests.append("HEAD media")
        if name not in self.double.media:
            return self.answer(404)
        self.answer(200, Upload_Offset=str(len(self.double.media[name])), Tus_Resumable="1.0.0")

    def do_PATCH(self) -> None:
        double, name = self.double, self.path.rsplit("/", 1)[1]
        double.requests.append("PATCH media")
        piece = self.body()
        held = double.media[name]
        if self.fault("cut_piece"):
            return self.cut()
        if int(self.headers["Upload-Offset"]) != len(held):
            return self.refuse(409, "offset")
        wanted = self.headers["Upload-Checksum"].split(" ")[1]
        if base64.b64encode(hashlib.sha256(piece).digest()).decode() != wanted:
            return self.refuse(460, "hash_wrong")
        held.extend(piece)
        if self.fault("cut_after_piece"):
            return self.cut()
        self.answer(204, Upload_Offset=str(len(held)), Tus_Resumable="1.0.0")

    def do_GET(self) -> None:
        kind, name = self.path.rsplit("/", 2)[1:]
        self.double.requests.append(f"GET {kind}")
        data = self.double.packs.get(name) if kind == "packs" else bytes(self.double.media.get(name, b"")) or None
        if data is None:
            return self.refuse(404, "media_unknown")
        begin = self.headers.get("Range", "")
        at = int(begin.removeprefix("bytes=").rstrip("-")) if begin else 0
        if self.fault("cut_pack"):
            self.send_response(200)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data[: len(data) // 2])
            self.wfile.flush()
            return self.cut()
        self.answer(206 if at else 200, data[at:], Content_Type="application/octet-stream")
