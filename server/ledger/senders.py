"""Whose seal a frame may bear: a tablet of a person, or a device of the office itself, also one of an earlier epoch.

After a restore tablets bring back what the office had sealed with devices it no longer uses, and speak from devices
whose enrolment it forgot. Both are proved by frames that only the office could seal; nothing here takes a word on
trust. Source: SETTLED decisions 11, 23.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from server.accounts.tables import DeviceRow
from server.ledger import queries
from shared.accounts import DeviceEnrolled, Person, ServerNamed
from shared.accounts import Office as OfficeState
from shared.ledger.frame import Frame, is_sealed
from shared.ledger.merge import operations_of
from shared.ledger.operation import Operation
from shared.registry import BODIES, state_of, subject_kind_of
from shared.values import DeviceId, PersonId, SubjectId, moment_of


@dataclass(frozen=True)
class Sender:
    """A device that seals: its key (64 hex) and whose it is; `person` is empty for a device of the office."""

    id: DeviceId
    sign_key: str
    person: PersonId
    confirmed_by: str = ""
    revoked_at: datetime | None = None

    @property
    def is_office(self) -> bool:
        """Whether it seals for the office: what it says is the office's own word."""
        return not self.person

    @property
    def is_live(self) -> bool:
        """Whether a second officer confirmed it and nobody revoked it since."""
        return bool(self.confirmed_by) and self.revoked_at is None


class Senders:
    """Looks devices up: in the table, among the devices of the office, in what these frames themselves prove."""

    def __init__(self, session: Session, frames: Sequence[Frame] = ()) -> None:
        self._session = session
        self._frames = frames
        self._servers: dict[DeviceId, str] | None = None
        self._introduced: dict[DeviceId, Sender] | None = None

    def also(self, frame: Frame) -> frozenset[DeviceId]:
        """Takes one more frame for what it proves; the devices it enrols or names."""
        fresh = enrolled_by((frame,))
        self._frames = (*self._frames, frame)
        if fresh:
            self._servers = self._introduced = None
        return fresh

    def of(self, device: DeviceId) -> Sender | None:
        """The device with this id; None for one that nobody vouches for."""
        row = self._session.get(DeviceRow, device)
        if row is not None:
            return Sender(
                DeviceId(row.id), row.sign_key, PersonId(row.person), row.confirmed_by, row.revoked_at
            )  # fmt: skip
        if device in self.servers():
            return Sender(device, self.servers()[device], PersonId(""), "office")
        return self.introduced().get(device)

    def servers(self) -> dict[DeviceId, str]:
        """Signing keys of the office's devices, of all epochs. One that is not named yet may name itself in these
        frames, if its key is one the office already goes by."""
        if self._servers is None:
            try:
                state: OfficeState = queries.the(self._session, "office")
            except LookupError:
                return {}
            self._servers = dict(state.servers)
            known = set(state.servers.values())
            for frame in self._frames:
                for operation in _operations(frame):
                    body = operation.body
                    if not isinstance(body, ServerNamed) or body.device != frame.header.device:
                        continue
                    if body.key in known and is_sealed(frame, bytes.fromhex(body.key)):
                        self._servers.setdefault(body.device, body.key)
        return self._servers

    def introduced(self) -> dict[DeviceId, Sender]:
        """Tablets that these frames enrol: the office sealed it, and the table does not know it yet."""
        if self._introduced is None:
            self._introduced = {}
            for subject, operations in self._sealed_by_office("person").items():
                held = queries.operations(self._session, subject)
                state: Person = state_of("person", subject, [*held, *operations])
                for each in state.devices.values():
                    revoked = moment_of(each.revoked_at) if each.revoked_at else None
                    self._introduced[each.id] = Sender(
                        each.id, each.sign_key, PersonId(subject), each.confirmed_by, revoked
                    )  # fmt: skip
        return self._introduced

    def introducing(self, device: DeviceId) -> list[Frame]:
        """Of these frames the ones that say who the device is: the office's own of its person and of the office."""
        sender = self.introduced().get(device)
        if sender is None:
            return []
        subjects = {SubjectId(sender.person), *self._sealed_by_office("office")}
        return [
            frame for frame in self._frames
            if frame.header.subject in subjects and frame.header.device in self.servers()
        ]  # fmt: skip

    def _sealed_by_office(self, kind: str) -> dict[SubjectId, list[Operation]]:
        """Operations of these frames on subjects of a kind, if a device of the office sealed them."""
        found: dict[SubjectId, list[Operation]] = {}
        for frame in self._frames:
            key = self.servers().get(frame.header.device)
            operations = _operations(frame)
            if key is None or not any(subject_kind_of(each.kind) == kind for each in operations):
                continue
            if is_sealed(frame, bytes.fromhex(key)):
                found.setdefault(frame.header.subject, []).extend(operations)
        return found


def _operations(frame: Frame) -> list[Operation]:
    return operations_of(frame, BODIES)[0]


def enrolled_by(frames: Sequence[Frame]) -> frozenset[DeviceId]:
    """Devices that these frames enrol or name: frames of theirs that wait may fit now."""
    bodies = [operation.body for frame in frames for operation in _operations(frame)]
    return frozenset(body.device for body in bodies if isinstance(body, DeviceEnrolled | ServerNamed))
