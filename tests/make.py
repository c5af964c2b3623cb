"""Makers of honest things with sensible defaults: `a_device()`, `an_operation(clock=3)`, `a_chain(5)`."""

from __future__ import annotations

from dataclasses import dataclass, field

from shared.ledger.crypto import sha256, verifying_key
from shared.ledger.frame import Frame, cut
from shared.ledger.operation import Body, Operation, encode_line, genesis
from shared.observations.answers import AnswerRecorded
from shared.values import DeviceId, OperationId, PersonId, SubjectId

AT = "2026-03-07T14:05:07+05:00"


def an_id(number: int) -> str:
    """A UUIDv7 that is the same at every run."""
    digits = sha256(f"id {number}".encode()).hex()
    return f"0198c0de-{digits[:4]}-7{digits[4:7]}-8{digits[7:10]}-{digits[10:22]}"


SUBJECT = SubjectId(an_id(1))
PERSON = PersonId(an_id(2))


def an_operation(
    number: int = 1,
    *,
    clock: int = 1,
    device: str = an_id(3),
    seq: int = 1,
    body: Body | None = None,
    author: str = PERSON,
    at: str = AT,
    subject: str = SUBJECT,
) -> Operation:
    """An operation whose id is made from `number`."""
    body = body or AnswerRecorded(item="/mc/beds", value=number)
    return Operation(
        id=OperationId(f"{number:064x}"), subject=SubjectId(subject), device=DeviceId(device), seq=seq, clock=clock,
        author=PersonId(author), at=at, kind=body.KIND, body=body,
    )  # fmt: skip


def a_line(number: int = 1, clock: int = 1, author: str = PERSON) -> bytes:
    """A readable line: an answer with the value `number`."""
    return encode_line(AnswerRecorded(item="/mc/beds", value=number), PersonId(author), AT, clock)


@dataclass
class Device:
    """A device with a key, and its chain on each subject."""

    id: DeviceId
    secret: bytes
    chains: dict[SubjectId, list[bytes]] = field(default_factory=dict)

    @property
    def public(self) -> bytes:
        """The key others check its seals with."""
        return verifying_key(self.secret)

    def add(self, line: bytes, subject: SubjectId = SUBJECT) -> None:
        """One more line on the chain of a subject."""
        self.chains.setdefault(subject, []).append(line)

    def ids(self, subject: SubjectId = SUBJECT) -> list[bytes]:
        """The ids of the chain; the first is the genesis, so that `ids[seq]` is the id at seq."""
        ids = [genesis(self.id, subject)]
        for line in self.chains.get(subject, []):
            ids.append(sha256(ids[-1] + line))
        return ids

    def frame(self, first: int, last: int, subject: SubjectId = SUBJECT) -> Frame:
        """A sealed frame over the operations first … last."""
        lines = self.chains[subject][first - 1 : last]
        return cut(self.secret, self.id, subject, first, self.ids(subject)[first - 1], lines)


def a_device(number: int = 3) -> Device:
    """A device whose id and key are the same at every run."""
    return Device(DeviceId(an_id(number)), sha256(f"device {number}".encode()))


def a_chain(count: int, device: Device | None = None, subject: SubjectId = SUBJECT) -> Device:
    """A device with `count` answers on one subject."""
    device = device or a_device()
    for number in range(1, count + 1):
        device.add(a_line(number, clock=number), subject)
    return device
