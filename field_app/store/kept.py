"""What the rows of a store say once they are open: plain data, one class a kind of row."""

from __future__ import annotations

from typing import Literal

import msgspec

from shared.values import DeviceId, OperationId, PersonId, SubjectId


class Identity(msgspec.Struct, frozen=True):
    """Who this tablet is. Its keys are made at the start; the rest comes with enrolment.

    server_url  where the office answers; box_key etc. follow from the secrets. keyholders: number → X25519 key (hex)
    """

    sign_seed: bytes
    box_secret: bytes
    device: DeviceId = DeviceId("")
    person: PersonId = PersonId("")
    name: str = ""
    language: Literal["kk", "ru", "en"] = "ru"
    server_url: str = ""
    server_pin: str = ""
    server_device: DeviceId = DeviceId("")
    server_key: str = ""
    review_key: str = ""
    office_names: dict[str, str] = {}
    keyholders: dict[int, str] = {}


class OwnOperation(msgspec.Struct, frozen=True, array_like=True, tag="o"):
    """A line written here, with its subject and place in the chain."""

    subject: SubjectId
    seq: int
    line: bytes


class OwnFrame(msgspec.Struct, frozen=True, array_like=True, tag="s"):
    """A frame cut here: its header line, seal and all; its lines are the operations it covers."""

    header: bytes


class OwnIdentity(msgspec.Struct, frozen=True, array_like=True, tag="i"):
    """The identity; a later one replaces the earlier."""

    identity: Identity


class OwnNonce(msgspec.Struct, frozen=True, array_like=True, tag="n"):
    """The number to be shown at the next exchange; kept here too, or a rebuilt store would look like a twin."""

    nonce: str


OwnRecord = OwnOperation | OwnFrame | OwnIdentity | OwnNonce
FrameFate = Literal["cut", "accepted", "already", "waiting", "quarantined", "kept_aside"]


class FrameState(msgspec.Struct, frozen=True):
    """What became of a frame cut here. number: of the receipt; position: of the ledger behind it."""

    status: FrameFate
    reason: str = ""
    number: str = ""
    at: str = ""
    position: int = 0


class Pulled(msgspec.Struct, frozen=True, array_like=True):
    """A frame of another device as it came. bound: ledger position it lies at or below. is_checked: its seal was found
    to be that of a device the office vouched for; before, it is kept and does not count. is_aside: the office keeps it
    aside; it is kept and does not count here either."""

    bound: int
    frame: bytes
    is_checked: bool = False
    is_aside: bool = False


class KeptReceipt(msgspec.Struct, frozen=True, array_like=True):
    """A receipt as it was signed."""

    receipt: bytes
    signature: bytes


class SubjectKey(msgspec.Struct, frozen=True, array_like=True):
    """A key this tablet made for a subject."""

    subject: SubjectId
    level: str
    id: str
    key: bytes


class Draft(msgspec.Struct, frozen=True):
    """Text being typed: what stands there, the caret, and earlier texts to go back to, oldest first."""

    field: str
    text: str
    caret: int
    undo: tuple[str, ...] = ()


class Place(msgspec.Struct, frozen=True):
    """Where the person was. `scroll` in dp; `more` is the screen's own."""

    screen: str
    subject: str = ""
    item: str = ""
    caret: int = 0
    scroll: int = 0
    more: dict[str, str] = {}


ALARM_LIMIT = 50
"""So many are kept, the newest."""


class Alarm(msgspec.Struct, frozen=True):
    """Something a person must know: a code with its sentence `tablet.alarm.<code>`, the subject, when."""

    code: str
    subject: str = ""
    at: str = ""


class Meta(msgspec.Struct, frozen=True):
    """Where the exchange with the office stands.

    offers   numbers of pulled frames to be offered again after a restore of the office
    differs  subjects whose digest was not that of the office at the last quiet moment
    revoked  the office hands out nothing more; stopped says why: revoked, twin, fork, no_role
    behind   own chains this tablet lost a part of: subject → how many operations the office holds
    """

    cursor: str = ""
    epoch: int = 0
    position: int = 0
    ledger_head: str = ""
    nonce: str = ""
    durable: int = 0
    revoked: bool = False
    stopped: str = ""
    confirmed: bool = False
    exchanged_at: str = ""
    drift_seconds: int = 0
    offers: tuple[int, ...] = ()
    differs: tuple[str, ...] = ()
    behind: dict[str, int] = {}
    alarms: tuple[Alarm, ...] = ()


class MediaKept(msgspec.Struct, frozen=True):
    """A sealed file made here. operation: the one that names it. sent: bytes the office has.

    carried   it is a colleague's, brought by hand, and goes to the office from here too
    """

    sha256: str
    size: int
    role: str
    subject: SubjectId
    operation: OperationId = OperationId("")
    sent: int = 0
    received: bool = False
    failed: str = ""
    carried: bool = False


def packed(record: msgspec.Struct) -> bytes:
    """The body of a row."""
    return msgspec.msgpack.encode(record)


own_decoder = msgspec.msgpack.Decoder(OwnRecord)
