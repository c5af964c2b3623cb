"""Keys the office vouched for, and whose seal a frame bears: nothing counts here before its seal was found good.

Only the office names keys, under a key of its own: what anybody else's frame says of them is passed over, or one tablet
could make the frames of another look forged. No disk, no network. Source: SETTLED decisions 11, 23; PROTOCOL P66, P68.
"""

from __future__ import annotations

from collections.abc import Iterable

from field_app.store.held import Held
from field_app.store.opened import Opened
from shared.accounts import DeviceEnrolled, Office, Person, ServerNamed
from shared.ledger.crypto import verifying_key
from shared.ledger.frame import Frame, is_sealed
from shared.ledger.merge import operations_of
from shared.permissions import OFFICE_ACTS, TABLET_OPENS
from shared.registry import BODIES, kind_of_subject, subject_kind_of
from shared.values import DeviceId


def known_keys(opened: Opened, frames: Iterable[Frame] = ()) -> dict[DeviceId, set[str]]:
    """Signing keys (hex) by device, as the subjects of office and persons held here name them; revoked ones too.

    frames  of a page: what the office sealed of them names keys as well, those of a device of its own that it begins
            to go by in this very page too, under a key of before (so an office comes back after a restore)
    """
    known: dict[DeviceId, set[str]] = {}
    offices = {opened.identity.server_device: {opened.identity.server_key}}
    for subject in opened.book.of_kind("office"):
        state = opened.book.state(subject)
        if isinstance(state, Office):
            for device, key in state.servers.items():
                offices.setdefault(device, set()).add(key)
    for subject in opened.book.of_kind("person"):
        state = opened.book.state(subject)
        if isinstance(state, Person):
            for tablet in state.devices.values():
                known.setdefault(tablet.id, set()).add(tablet.sign_key)
    _learn(known, offices, frames)
    known.setdefault(opened.identity.device, set()).add(verifying_key(opened.identity.sign_seed).hex())
    return known | offices


def _learn(known: dict[DeviceId, set[str]], offices: dict[DeviceId, set[str]], frames: Iterable[Frame]) -> None:
    """Adds the keys that frames of the office name, in whatever order they come."""
    naming = [(frame, bodies) for frame in frames if (bodies := _keys_in(frame))]
    believed = True
    while believed and naming:
        before, naming, believed = naming, [], False
        for frame, bodies in before:
            if not sealed_by(frame, offices.get(frame.header.device) or set().union(*offices.values())):
                naming.append((frame, bodies))
                continue
            believed = True
            for body in bodies:
                if isinstance(body, ServerNamed):
                    offices.setdefault(body.device, set()).add(body.key)
                else:
                    known.setdefault(body.device, set()).add(body.sign_key)


def office_keys(opened: Opened) -> set[str]:
    """Keys the office goes by. After a restore it names a new device under a key of before."""
    states = (opened.book.state(subject) for subject in opened.book.of_kind("office"))
    return {opened.identity.server_key, *(key for state in states for key in state.servers.values())}


def office_devices(opened: Opened) -> set[DeviceId]:
    """Every device the office has sealed under, as far as this tablet knows."""
    states = (opened.book.state(subject) for subject in opened.book.of_kind("office"))
    return {opened.identity.server_device, *(device for state in states for device in state.servers)}


def sealed_by(frame: Frame, keys: set[str]) -> bool:
    """Whether one of these keys sealed it."""
    return any(is_sealed(frame, bytes.fromhex(key)) for key in keys)


def is_the_offices(held: Held, frame: Frame) -> bool:
    """Whether only the office says such things: nobody is believed who cannot show its seal, whoever passed it on."""
    operations = operations_of(frame, BODIES)[0]
    kinds = {held.kind or kind_of_subject(operations), *(subject_kind_of(each.kind) for each in operations)}
    return not (kinds - {None}) <= TABLET_OPENS or any(each.kind in OFFICE_ACTS for each in operations)


def _keys_in(frame: Frame) -> list[DeviceEnrolled | ServerNamed]:
    bodies = (operation.body for operation in operations_of(frame, BODIES)[0])
    return [body for body in bodies if isinstance(body, DeviceEnrolled | ServerNamed)]
