"""The ordinary exchange, made quick: a known tablet continues or begins records of its visits, and nothing is odd.

Every question of the door is asked here too; whatever is not plainly in order (another kind of subject, a gap, a fork,
a prefix held already, a twin, a restore, a frame that waits, a tablet that may not read) is left to
`server.ledger.exchange`, which decides in full. So this file accepts or steps aside, it never refuses. The records it
accepts are projected behind. Source: SETTLED decisions 7, 8, 13, 18-22, decision 0009.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from server.ledger.arrival import KIND, Arrival, Extraordinary
from server.ledger.contacts import new_token, note_contact, standing_nonce
from server.ledger.kinds import know_kind
from server.ledger.ordinary_rows import OrdinaryRows, Speaker, Writing
from server.ledger.packing import packed
from server.ledger.queries import Counter
from server.office import Office
from shared.accounts import VISITING
from shared.ledger.crypto import is_signed
from shared.ledger.frame import FrameUnreadable, is_sealed
from shared.ledger.merge import digest, heads_digest
from shared.ledger.messages import (
    FrameReceipt,
    Hello,
    LineReceipt,
    MessageUnreadable,
    PageHeader,
    Receipt,
    SubjectDigest,
    next_ledger_head,
    request_frames,
    request_message,
    request_name,
    subjects_answered,
)  # fmt: skip
from shared.ledger.opened import Opened, opened
from shared.ledger.operation import canonical
from shared.registry import BODIES
from shared.values import PersonId, SubjectId, is_id, stamp

_WANTS = frozenset(Hello.__struct_fields__) - set(
    "device epoch from_ heads known nonce now v undelivered".split()
)  # fmt: skip
"""Fields of a first line that ask for more than the next page: whatever a later version adds is among them."""


@dataclass(frozen=True)
class Ordinary:
    """What an ordinary exchange did. `page` is None when frames of others wait and the page is read in full."""

    receipt: bytes
    touched: frozenset[SubjectId]
    nonce: str
    person: PersonId
    token: str
    page: PageHeader | None


def ordinary_exchange(
    office: Office, hello: Hello, epoch: int, after: tuple[int, int], body: bytes, signature: str, most: int,
    now: datetime,
) -> Ordinary | None:  # fmt: skip
    """Takes in an ordinary request, committed; None when it is not one.

    Frames that were answered before are not read again: their receipt stands under their name. Where the answer was
    seen lasting it is given once more, and nothing is written.

    epoch, after  the epoch and the (position, cursor) up to which the tablet has read; (0, (0, 0)) at first
    most          exchanges of one device in a minute
    """
    rows = office.database.kept(OrdinaryRows)
    one = _Exchange(office, rows, hello, now)
    try:
        one.check_words()
        with office.database.lent() as connection:
            one.check_speaker(connection, body, signature)
            if not one.is_said_again(connection, epoch, most):
                with office.database.push(connection):
                    one.take_in(connection, epoch, most)
                one.note_lasting()
                office.database.pushed()
            return one.done(connection, after)
    except (Extraordinary, MessageUnreadable, FrameUnreadable):
        return None
    except rows.engine_errors:  # two tablets began one subject at the same moment, or waited too long for a lock
        return None


class _Exchange:
    """One request on its way through."""

    def __init__(self, office: Office, rows: OrdinaryRows, hello: Hello, now: datetime) -> None:
        self._office = office
        self._rows = rows
        self._hello = hello
        self._now = now
        self._name = ""
        self._is_known = False
        self._opened: list[Opened] = []
        self._touched: list[SubjectId] = []
        self._speaker = Speaker(PersonId(""), "")
        self._nonce = ""
        self._token = ""
        self._until = now
        self._receipt = b""
        self._counter = Counter(0, 0, "")
        self._heads = ""

    def check_words(self) -> None:
        """A tablet that asks for a page and no more, at a time when what it brings may wait."""
        hello = self._hello
        wants = any(getattr(hello, name) for name in _WANTS if getattr(hello, name) is not msgspec.UNSET)
        if wants or not is_id(hello.device):
            raise Extraordinary
        if self._office.database.is_overloaded():
            raise Extraordinary

    def check_speaker(self, connection: Any, body: bytes, signature: str) -> None:
        """The device signed the request and sealed every frame; these are opened unless they were before."""
        rows, device = self._rows, self._hello.device
        speaker = rows.device(connection, device)
        if speaker is None:
            raise Extraordinary
        self._speaker = speaker
        public = bytes.fromhex(speaker.sign_key)
        if not is_signed(public, request_message(body), _decoded(signature)):
            raise Extraordinary
        self._name = request_name(body)
        known = rows.receipt(connection, device, self._name)
        if known is not None:
            self._is_known, self._receipt, self._touched = True, known, subjects_answered(known)
            return
        for frame in request_frames(body):
            if frame.header.device != device:
                raise Extraordinary
            found = opened(frame, BODIES)
            if not is_sealed(frame, public, found.ids[-1]):
                raise Extraordinary
            self._opened.append(found)

    def is_said_again(self, connection: Any, epoch: int, most: int) -> bool:
        """Whether the last answer to this tablet is the answer, and lasts: the same nonce and the same token again."""
        rows, hello = self._rows, self._hello
        contact = rows.contact(connection, hello.device, lock=False) if self._is_known else None
        standing = "" if contact is None or contact.frozen else standing_nonce(contact, hello)
        token = standing and rows.lasting.again(hello.device, self._name, standing, most, self._now)
        if not token:
            return False
        self._check_reads(connection, epoch)
        self._nonce, self._token = standing, token
        return True

    def take_in(self, connection: Any, epoch: int, most: int) -> None:
        """Everything of the one transaction."""
        rows, hello, now = self._rows, self._hello, self._now
        if rows.device(connection, hello.device) != self._speaker:
            raise Extraordinary
        contact = rows.contact(connection, hello.device)
        if contact is None or contact.frozen:
            raise Extraordinary
        self._nonce = note_contact(contact, hello, _is_apart, now)
        if contact.frozen or contact.shown != hello.nonce or contact.minute_count > most:
            raise Extraordinary
        self._check_reads(connection, epoch)
        rows.forget_tokens(connection, now)
        self._token, token = new_token(hello.device, now)
        self._until = token["until"]
        known = rows.receipt(connection, hello.device, self._name)
        if known is not None:
            self._receipt, self._touched = known, subjects_answered(known)
            rows.write(connection, Writing([], [], [], None, [], [], None, contact, token))
        elif self._is_known:
            raise Extraordinary  # its receipt went away meanwhile
        else:
            rows.write(connection, self._accepted(connection)._replace(contact=contact, token=token))

    def note_lasting(self) -> None:
        """The disk has it, and the replica where there is one."""
        self._rows.lasting.note(self._hello.device, self._name, self._nonce, self._token, self._until)

    def _check_reads(self, connection: Any, epoch: int) -> None:
        """A tablet of somebody who visits today, and who read this very ledger."""
        roles = self._rows.roles(connection, self._speaker.person, self._office.calendar.day_of(self._now))
        if not any(role in VISITING for role in roles):
            raise Extraordinary
        self._same_ledger(connection, epoch)

    def _same_ledger(self, connection: Any, epoch: int) -> None:
        hello, counter = self._hello, self._rows.counter(connection)
        position, head = hello.known
        if {hello.epoch, epoch} - {0, counter.epoch} or position > counter.value:
            raise Extraordinary
        if position > 0 and head and self._rows.head_at(connection, position) != head:
            raise Extraordinary
        self._counter = counter

    # ── the door ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _accepted(self, connection: Any) -> Writing:
        """What the frames write, their receipt included. Takes the counter, the last lock."""
        arrival = Arrival(self._rows, connection, self._hello, self._speaker.person)
        arrival.judge(self._opened)
        self._heads = arrival.heads() if self._opened else ""
        numbers = len(self._opened) + bool(arrival.begun)
        counter = self._rows.locked_counter(connection)
        cursor, head = counter.value + 1 + bool(arrival.begun), bytes.fromhex(counter.head)
        access = [
            {"audience": audience, "subject": subject, "granted": counter.value + 1}
            for subject, audiences in arrival.begun.items() for audience in sorted(audiences)
        ]  # fmt: skip
        frames = []
        last: dict[SubjectId, int] = {}
        for each in self._opened:
            header, last_id = each.frame.header, each.ids[-1]
            head = next_ledger_head(head, last_id)
            frames.append({
                "cursor": cursor, "subject": header.subject, "device": header.device, "first": header.first,
                "count": header.count, "last_id": last_id.hex(), "data": packed(each.frame),
                "ledger_head": head.hex(), "received_at": self._now,
            })  # fmt: skip
            last[header.subject] = cursor
            cursor += 1
        self._touched = list(last)
        self._counter = Counter(counter.value + numbers, counter.epoch, head.hex())
        if frames:
            self._rows.set_counter(connection, self._counter.value, self._counter.head)
        self._receipt = self._receipt_now()
        receipt = {"device": self._hello.device, "request": self._name, "body": self._receipt}
        return Writing(
            [
                {"id": subject, "kind": KIND, "parent": arrival.parents[subject], "clock": arrival.clocks[subject],
                 "accepted": last[subject], "projected": 0}
                for subject in arrival.begun
            ],
            [(subject, arrival.clocks[subject], last[subject]) for subject in last if subject not in arrival.begun],
            [
                {"device": self._hello.device, "subject": subject, **chain._asdict()}
                for subject, chain in arrival.chains.items()
            ],
            (self._hello.device, self._heads) if frames else None, access, frames,
            receipt if frames else None, None, {},
        )  # fmt: skip

    def _receipt_now(self) -> bytes:
        return canonical(
            Receipt(
                device=self._hello.device, epoch=self._counter.epoch, ledger_head=self._counter.head,
                position=self._counter.value,
                frames=tuple(
                    FrameReceipt(
                        each.frame.header.subject, each.frame.header.first, each.frame.header.count,
                        each.ids[-1].hex(), "accepted", "",
                    )
                    for each in self._opened
                ),
                lines=tuple(LineReceipt(*line) for each in self._opened for line in each.unreadable),
                received_at=stamp(self._now), request=self._name, tablet_now=self._hello.now,
            )
        )  # fmt: skip

    # ── the page ────────────────────────────────────────────────────────────────────────────────────────────────────

    def done(self, connection: Any, after: tuple[int, int]) -> Ordinary:
        """What came of it, with the page where nothing of others waits."""
        person, page = self._speaker.person, None
        if not self._is_known:
            for subject in self._touched:
                know_kind(subject, KIND)
        if not self._rows.waits_for(connection, person, self._hello.device, after, self._counter.value):
            page = self._page(connection, after)
        return Ordinary(self._receipt, frozenset(self._touched), self._nonce, person, self._token, page)

    def _page(self, connection: Any, after: tuple[int, int]) -> PageHeader:
        hello, rows, have = self._hello, self._rows, None
        if (self._heads or rows.heads_digest(connection, hello.device) or heads_digest(())) != hello.heads:
            have = tuple(rows.heads(connection, hello.device))
        ends = rows.chain_ends(connection, self._speaker.person, self._touched)
        return PageHeader(
            cursor=f"{self._counter.epoch}.{after[0]}.{after[1]}", durable=rows.durable(connection), more=False,
            next_nonce=self._nonce, revoked=False, token=self._token, have=have,
            digests=tuple(SubjectDigest(subject, digest(members)) for subject, members in ends.items()),
        )  # fmt: skip


def _is_apart(known: int) -> bool:
    """A nonce that was not given: a twin, or a copy put back. Both are looked into in full."""
    raise Extraordinary


def _decoded(signature: str) -> bytes:
    try:
        return base64.b64decode(signature, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Extraordinary from error
