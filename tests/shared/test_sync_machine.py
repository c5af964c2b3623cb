"""Three tablets and an office over a network that loses, repeats and reorders; after quiet all hold the same.

Everything is the shared code: frames, seals, door, messages, digests. Only the stores are plain dictionaries.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from shared.ledger.crypto import is_signed, sha256, sign, verifying_key
from shared.ledger.door import Held, clocks_hold, place
from shared.ledger.frame import Frame, FrameUnreadable, cut, is_sealed, pieces
from shared.ledger.merge import digest, heads_digest, in_order, merge, operations_of
from shared.ledger.messages import (
    FrameReceipt,
    Hello,
    MessageUnreadable,
    PageHeader,
    Receipt,
    Reply,
    encode_reply,
    encode_request,
    next_ledger_head,
    read_reply,
    read_request,
    request_message,
)
from shared.ledger.operation import Operation, canonical, encode_line, genesis, next_id
from shared.ledger.subject import folded
from shared.observations.answers import AnswerRecorded
from shared.observations.record import RECORD
from shared.registry import BODIES
from shared.values import DeviceId, OperationId, PersonId, SubjectId
from tests.examples import examples
from tests.make import AT, an_id

SUBJECTS = [SubjectId(an_id(n)) for n in (101, 102)]
SERVER_SECRET = sha256(b"server of the machine")
Known = dict[SubjectId, dict[OperationId, Operation]]


def _digests(known: Known) -> dict[SubjectId, str]:
    return {
        subject: digest((operation.device, operation.seq, operation.id) for operation in operations.values())
        for subject, operations in known.items()
        if operations
    }


class Office:
    """Accepts frames, gives each a position, hands out the others'."""

    def __init__(self, keys: dict[DeviceId, bytes]) -> None:
        self.keys = keys
        self.chains: dict[tuple[DeviceId, SubjectId], list[str]] = {}
        self.waiting: dict[tuple[DeviceId, SubjectId, int], Frame] = {}
        self.ledger: list[Frame] = []
        self.head = bytes(32)
        self.known: Known = {}
        self.receipts: dict[tuple[DeviceId, str], bytes] = {}
        self.quarantined: list[Frame] = []

    def exchange(self, body: bytes, signature: bytes) -> bytes:
        """The reply to one request. Raises what the readers raise."""
        request = read_request(body)
        device = request.hello.device
        assert is_signed(self.keys[device], request_message(body), signature)
        receipt = self.receipts.get((device, request.name))
        if receipt is None:
            # A later request may carry what an earlier one lacked; what waits is tried again after each frame.
            frames = tuple(self._take(frame) for frame in request.frames)
            receipt = canonical(
                Receipt(device, 1, frames, self.head.hex(), (), len(self.ledger), AT, request.name, request.hello.now)
            )
            if not any(frame.status == "waiting" for frame in frames):
                self.receipts[device, request.name] = receipt
        start = int(request.hello.from_ or 0)
        page = self.ledger[start : start + 3]
        cursor = start + len(page)
        header = PageHeader(
            cursor=str(cursor), durable=0, more=cursor < len(self.ledger), next_nonce="", revoked=False, token=""
        )
        return encode_reply(
            receipt, SERVER_SECRET, header, [frame.encoded() for frame in page if frame.header.device != device]
        )

    def _take(self, frame: Frame) -> FrameReceipt:
        header = frame.header
        key = (header.device, header.subject)
        status, reason = self._place(frame)
        while follower := self._follower(key):
            self._place(follower)
        return FrameReceipt(header.subject, header.first, header.count, frame.ids()[-1].hex(), status, reason)

    def _follower(self, key: tuple[DeviceId, SubjectId]) -> Frame | None:
        held = len(self.chains.get(key, []))
        for (*chain, first), frame in self.waiting.items():
            if tuple(chain) == key and first <= held + 1:
                return self.waiting.pop((key[0], key[1], first))
        return None

    def _place(self, frame: Frame) -> tuple[str, str]:
        header = frame.header
        key = (header.device, header.subject)
        chain = self.chains.setdefault(key, [])
        assert is_sealed(frame, self.keys[header.device])
        held = Held(len(chain), chain[-1] if chain else genesis(*key).hex())
        verdict = place(frame, held, set(chain))
        if verdict.status == "waiting":
            self.waiting[header.device, header.subject, header.first] = frame
        elif verdict.status == "quarantined":
            self.quarantined.append(frame)
        elif verdict.status == "accepted":
            self._append(frame, verdict.skip)
        return verdict.status, verdict.reason

    def _append(self, frame: Frame, skip: int) -> None:
        key = (frame.header.device, frame.header.subject)
        operations, unreadable = operations_of(frame, BODIES)
        assert not unreadable
        subject = self.known.setdefault(frame.header.subject, {})
        own = [operation.clock for operation in subject.values() if operation.device == frame.header.device]
        highest = max((operation.clock for operation in subject.values()), default=0)
        assert clocks_hold(operations[skip:], max(own, default=0), highest)
        self.chains[key] += [id_.hex() for id_ in frame.ids()[skip:]]
        self.known[frame.header.subject] = merge(subject, operations)
        self.ledger.append(frame)
        self.head = next_ledger_head(self.head, frame.ids()[-1])


@dataclass
class Tablet:
    """Records, cuts frames before an exchange, keeps them until they are receipted."""

    id: DeviceId
    secret: bytes
    person: PersonId
    keys: dict[DeviceId, bytes]
    known: Known = field(default_factory=dict)
    lines: dict[SubjectId, list[bytes]] = field(default_factory=dict)
    heads: dict[SubjectId, bytes] = field(default_factory=dict)
    cut_to: dict[SubjectId, int] = field(default_factory=dict)
    queue: list[Frame] = field(default_factory=list)
    cursor: str = ""

    def record(self, subject: SubjectId, value: int) -> None:
        """One more answer on the own chain."""
        known = self.known.setdefault(subject, {})
        clock = 1 + max((operation.clock for operation in known.values()), default=0)
        body = AnswerRecorded(item=f"/mc/beds[{value % 3}]", value=value)
        line = encode_line(body, self.person, AT, clock)
        lines = self.lines.setdefault(subject, [])
        before = self.heads.get(subject, genesis(self.id, subject))
        lines.append(line)
        self.heads[subject] = next_id(before, line)
        id_ = OperationId(self.heads[subject].hex())
        operation = Operation(id_, subject, self.id, len(lines), clock, self.person, AT, body.KIND, body)
        self.known[subject] = merge(known, [operation])

    def request(self) -> tuple[bytes, bytes]:
        """The bytes of an exchange and their signature. What was recorded since is cut now and never cut again."""
        for subject, lines in self.lines.items():
            at = self.cut_to.get(subject, 0)
            for run in pieces(lines[at:]):
                first = at + 1
                self.queue.append(cut(self.secret, self.id, subject, first, self._id(subject, at), run))
                at += len(run)
            self.cut_to[subject] = at
        heads = heads_digest((s, len(self.lines[s]), head.hex()) for s, head in self.heads.items())
        hello = Hello(self.id, 1, self.cursor, heads, (0, ""), "", AT)
        body = encode_request(hello, self.queue[:2])
        return body, sign(self.secret, request_message(body))

    def _id(self, subject: SubjectId, seq: int) -> bytes:
        id_ = genesis(self.id, subject)
        for line in self.lines[subject][:seq]:
            id_ = next_id(id_, line)
        return id_

    def take(self, body: bytes) -> Reply:
        """Keeps a reply: receipted frames leave the queue, others' operations come in."""
        reply = read_reply(body, verifying_key(SERVER_SECRET))
        settled = {frame.head for frame in reply.receipt.frames if frame.status in ("accepted", "already")}
        self.queue = [frame for frame in self.queue if frame.ids()[-1].hex() not in settled]
        for frame in reply.frames:
            assert is_sealed(frame, self.keys[frame.header.device])
            operations, _ = operations_of(frame, BODIES)
            subject = frame.header.subject
            self.known[subject] = merge(self.known.setdefault(subject, {}), operations)
        if int(reply.page.cursor) > int(self.cursor or 0):
            self.cursor = reply.page.cursor
        return reply


class Network(RuleBasedStateMachine):
    """What may happen between three tablets and the office."""

    requests = Bundle("requests")

    def __init__(self) -> None:
        super().__init__()
        secrets = {DeviceId(an_id(110 + n)): sha256(f"tablet {n}".encode()) for n in range(3)}
        keys = {device: verifying_key(secret) for device, secret in secrets.items()}
        self.office = Office(keys)
        people = [PersonId(an_id(120 + n)) for n in range(3)]
        self.tablets = [
            Tablet(device, secret, person, keys)
            for (device, secret), person in zip(secrets.items(), people, strict=True)
        ]
        self.recorded = 0

    @rule(tablet=st.integers(0, 2), subject=st.sampled_from(SUBJECTS), count=st.integers(1, 4))
    def record(self, tablet: int, subject: SubjectId, count: int) -> None:
        """Somebody works, with or without a network."""
        for _ in range(count):
            self.recorded += 1
            self.tablets[tablet].record(subject, self.recorded)

    @rule(target=requests, tablet=st.integers(0, 2))
    def send_into_the_dark(self, tablet: int) -> tuple[int, bytes, bytes]:
        """A request leaves; nothing is heard of it yet."""
        return tablet, *self.tablets[tablet].request()

    @rule(sent=requests)
    def an_old_request_arrives_and_its_reply_is_lost(self, sent: tuple[int, bytes, bytes]) -> None:
        """Late, repeated, in any order."""
        self.office.exchange(*sent[1:])

    @rule(sent=requests)
    def an_old_request_arrives_and_its_reply_too(self, sent: tuple[int, bytes, bytes]) -> None:
        """A reply to a request of long ago."""
        self.tablets[sent[0]].take(self.office.exchange(*sent[1:]))

    @rule(tablet=st.integers(0, 2))
    def exchange(self, tablet: int) -> None:
        """All goes well."""
        self.tablets[tablet].take(self.office.exchange(*self.tablets[tablet].request()))

    @rule(tablet=st.integers(0, 2), part=st.floats(0, 1, exclude_max=True))
    def a_reply_is_cut(self, tablet: int, part: float) -> None:
        """The connection breaks while the reply comes in: nothing of it counts unless it ends at a frame."""
        one = self.tablets[tablet]
        reply = self.office.exchange(*one.request())
        before = (one.cursor, dict(one.known), list(one.queue))
        try:
            read_reply(reply[: int(len(reply) * part)], verifying_key(SERVER_SECRET))
        except (MessageUnreadable, FrameUnreadable):
            assert before == (one.cursor, one.known, one.queue)

    @rule(sent=requests)
    def the_same_request_brings_the_same_receipt(self, sent: tuple[int, bytes, bytes]) -> None:
        """Once everything of a request was settled, its receipt never changes."""
        first, second = (self.office.exchange(*sent[1:]).split(b"\n")[0] for _ in range(2))
        if b'"waiting"' not in first:
            assert first == second

    @invariant()
    def nothing_honest_is_quarantined(self) -> None:
        """No fork is ever seen where there is none."""
        assert not self.office.quarantined

    @invariant()
    def every_chain_of_the_office_is_a_beginning_of_the_tablets(self) -> None:
        """No gap, no stranger."""
        for tablet in self.tablets:
            for subject, lines in tablet.lines.items():
                held = self.office.chains.get((tablet.id, subject), [])
                assert len(held) <= len(lines)
                assert not held or held[-1] == tablet._id(subject, len(held)).hex()

    def teardown(self) -> None:
        """Quiet: each tablet talks to the office until nothing is left to say. Then all hold the same."""
        for _ in range(200):
            idle, before = True, len(self.office.ledger)
            for tablet in self.tablets:
                reply = tablet.take(self.office.exchange(*tablet.request()))
                idle = idle and not tablet.queue and not reply.page.more and not reply.frames
            if idle and len(self.office.ledger) == before:
                break
        everything = _digests(self.office.known)
        assert sum(map(len, self.office.known.values())) == self.recorded
        for tablet in self.tablets:
            assert _digests(tablet.known) == everything
            assert not tablet.queue
            for subject, operations in tablet.known.items():
                theirs = self.office.known.get(subject, {})
                assert in_order(operations.values()) == in_order(theirs.values())
                assert folded(RECORD, subject, operations.values()) == folded(RECORD, subject, theirs.values())


def test_after_quiet_all_hold_the_same_and_nothing_was_lost() -> None:
    run_state_machine_as_test(Network, settings=examples(300))
