"""The office itself and the people in it: names, roles, terms, devices. A person's subject has the person's id.

Decides who holds which role on a day and which device speaks for whom. Never holds passphrases or sessions: those are
no operations. Called by the door, by permissions and by the people page.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Literal

from shared.errors import RuleBroken
from shared.ledger.crypto import sha256
from shared.ledger.operation import Body, Operation
from shared.ledger.subject import Fold, Subject
from shared.quarantine import (
    FrameDecision,
    FrameKeptAside,
    FrameTakenIn,
    ReadingRestored,
    Restored,
    frame_decided,
    reading_restored,
)
from shared.values import DeviceId, PersonId


class Role(StrEnum):
    """Roles of DESIGN section 6; a session wears one of them as its hat."""

    COMMISSIONER = "commissioner"
    COUNCIL_MEMBER = "council_member"
    COUNCIL_SECRETARY = "council_secretary"
    NPM_MEMBER = "npm_member"
    EXPERT = "expert"
    CENTRE_OFFICER = "centre_officer"
    REGIONAL_REP = "regional_rep"
    FINANCE_OFFICER = "finance_officer"
    STATE_BODY_CONTACT = "state_body_contact"
    KEYHOLDER = "keyholder"
    AUDITOR = "auditor"
    ADMIN = "admin"


VISITING = frozenset({Role.NPM_MEMBER, Role.EXPERT})
"""Hats a tablet may wear. Source: SETTLED decision 16."""

COUNCIL = frozenset({Role.COMMISSIONER, Role.COUNCIL_MEMBER})
"""Roles that vote; the Commissioner chairs."""


class OfficeFounded(Body, frozen=True):
    """The office exists; its name in the three languages."""

    KIND = "office_founded"
    name_kk: str
    name_ru: str
    name_en: str


class ServerNamed(Body, frozen=True):
    """A device that seals for the office: id and Ed25519 key (64 hex). A restored server names a new one."""

    KIND = "server_named"
    device: DeviceId
    key: str


class ReviewKeyNamed(Body, frozen=True):
    """The X25519 key (64 hex) to which every S2 key is wrapped for review."""

    KIND = "review_key_named"
    key: str


class KeyholderNamed(Body, frozen=True):
    """Keyholder 1, 2 or 3 with an X25519 key (64 hex)."""

    KIND = "keyholder_named"
    number: int
    person: PersonId
    key: str


class EpochBegun(Body, frozen=True):
    """A new epoch of the server begins above this ledger position (after a restore)."""

    KIND = "epoch_begun"
    epoch: int
    position: int


class PersonAdded(Body, frozen=True):
    """A person known to the office."""

    KIND = "person_added"
    name: str
    language: Literal["kk", "ru", "en"] = "ru"


class RoleGranted(Body, frozen=True):
    """A role from a day to a day (dates as yyyy-mm-dd; no end: until ended). `second` confirmed it."""

    KIND = "role_granted"
    role: Role
    since: str
    until: str = ""
    second: PersonId = PersonId("")
    basis: str = ""


class RoleEnded(Body, frozen=True):
    """The role ends on a day, for a reason of the law or of the office."""

    KIND = "role_ended"
    role: Role
    on: str
    reason: str
    second: PersonId = PersonId("")


class DeviceEnrolled(Body, frozen=True):
    """A tablet showed the one-time code: its keys as 64 hex each, and what people call it."""

    KIND = "device_enrolled"
    device: DeviceId
    sign_key: str
    box_key: str
    label: str


class DeviceConfirmed(Body, frozen=True):
    """A second officer compared the six groups of digits with the tablet."""

    KIND = "device_confirmed"
    device: DeviceId


class DeviceRevoked(Body, frozen=True):
    """The device may no longer read; what it holds unsent goes to quarantine."""

    KIND = "device_revoked"
    device: DeviceId
    reason: str


@dataclass
class Office(Subject):
    """State of the one office subject."""

    names: dict[str, str] = field(default_factory=dict)
    servers: dict[DeviceId, str] = field(default_factory=dict)
    review_key: str = ""
    keyholders: dict[int, KeyholderNamed] = field(default_factory=dict)
    epoch: int = 1
    epochs: dict[int, int] = field(default_factory=dict)


@dataclass
class Term:
    """A role held from `since` to `until`, both inclusive (yyyy-mm-dd); empty `until` is open."""

    role: Role
    since: str
    until: str
    basis: str

    def holds_on(self, day: str) -> bool:
        """Whether the term covers the day."""
        return self.since <= day and (not self.until or day <= self.until)


@dataclass
class Device:
    """A tablet of a person."""

    id: DeviceId
    sign_key: str
    box_key: str
    label: str
    enrolled_by: PersonId
    confirmed_by: PersonId = PersonId("")
    revoked: str = ""
    revoked_at: str = ""

    @property
    def is_live(self) -> bool:
        """Whether it may speak and read."""
        return bool(self.confirmed_by) and not self.revoked_at


@dataclass
class Person(Subject):
    """State of a person. frame_decisions: id of a frame's last operation → what was decided of it."""

    name: str = ""
    language: str = "ru"
    terms: list[Term] = field(default_factory=list)
    devices: dict[DeviceId, Device] = field(default_factory=dict)
    frame_decisions: dict[str, FrameDecision] = field(default_factory=dict)
    restored: list[Restored] = field(default_factory=list)

    def roles_on(self, day: date) -> frozenset[Role]:
        """Roles held on the day."""
        return frozenset(term.role for term in self.terms if term.holds_on(day.isoformat()))


def _office_founded(state: Office, operation: Operation, body: OfficeFounded) -> None:
    state.names = {"kk": body.name_kk, "ru": body.name_ru, "en": body.name_en}


def _server_named(state: Office, operation: Operation, body: ServerNamed) -> None:
    state.servers[body.device] = body.key


def _review_key_named(state: Office, operation: Operation, body: ReviewKeyNamed) -> None:
    state.review_key = body.key


def _keyholder_named(state: Office, operation: Operation, body: KeyholderNamed) -> None:
    if body.number not in (1, 2, 3):
        raise RuleBroken("body_wrong", "SETTLED 37")
    state.keyholders[body.number] = body


def _epoch_begun(state: Office, operation: Operation, body: EpochBegun) -> None:
    state.epoch = max(state.epoch, body.epoch)
    state.epochs[body.epoch] = body.position


def _person_added(state: Person, operation: Operation, body: PersonAdded) -> None:
    state.name, state.language = body.name, body.language


def _role_granted(state: Person, operation: Operation, body: RoleGranted) -> None:
    if body.second and body.second == operation.author:
        raise RuleBroken("same_person", "SECURITY D, rule 1")
    state.terms.append(Term(body.role, body.since, body.until, body.basis))


def _role_ended(state: Person, operation: Operation, body: RoleEnded) -> None:
    for term in state.terms:
        if term.role == body.role and term.holds_on(body.on):
            term.until = body.on


def _device_enrolled(state: Person, operation: Operation, body: DeviceEnrolled) -> None:
    state.devices.setdefault(
        body.device, Device(body.device, body.sign_key, body.box_key, body.label, operation.author)
    )


def _device(state: Person, device: DeviceId) -> Device:
    if device not in state.devices:
        raise RuleBroken("device_unknown")
    return state.devices[device]


def _device_confirmed(state: Person, operation: Operation, body: DeviceConfirmed) -> None:
    device = _device(state, body.device)
    if operation.author == device.enrolled_by:
        raise RuleBroken("same_person", "SECURITY D, rule 1")
    device.confirmed_by = operation.author


def _device_revoked(state: Person, operation: Operation, body: DeviceRevoked) -> None:
    device = _device(state, body.device)
    device.revoked, device.revoked_at = body.reason, operation.at


OFFICE = Fold(
    "office",
    lambda subject, parent: Office(subject),
    {
        OfficeFounded: _office_founded,
        ServerNamed: _server_named,
        ReviewKeyNamed: _review_key_named,
        KeyholderNamed: _keyholder_named,
        EpochBegun: _epoch_begun,
    },
)
PERSON = Fold(
    "person",
    lambda subject, parent: Person(subject),
    {
        PersonAdded: _person_added,
        RoleGranted: _role_granted,
        RoleEnded: _role_ended,
        DeviceEnrolled: _device_enrolled,
        DeviceConfirmed: _device_confirmed,
        DeviceRevoked: _device_revoked,
        FrameTakenIn: frame_decided,
        FrameKeptAside: frame_decided,
        ReadingRestored: reading_restored,
    },
)


def fingerprint(sign_key: str, box_key: str) -> str:
    """Six groups of four digits over both keys of a tablet, to be compared by two people.

    Source: SETTLED decision 63. Both keys as 64 hex.
    """
    number = int.from_bytes(sha256(bytes.fromhex(sign_key) + bytes.fromhex(box_key)), "big") % 10**24
    digits = f"{number:024d}"
    return " ".join(digits[at : at + 4] for at in range(0, 24, 4))


def chair_of(people: dict[PersonId, Person], day: date) -> PersonId | None:
    """The Commissioner in office on the day, who chairs the Council."""
    return next((id_ for id_, person in people.items() if Role.COMMISSIONER in person.roles_on(day)), None)


def council_on(people: dict[PersonId, Person], day: date) -> tuple[PersonId, ...]:
    """Members of the Council in office on the day, the Commissioner among them, by id."""
    return tuple(sorted(id_ for id_, person in people.items() if person.roles_on(day) & COUNCIL))
