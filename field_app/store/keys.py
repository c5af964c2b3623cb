"""Sealing and opening the free words of a subject: this tablet's own keys, and those wrapped to it.

At its first sealed write of a subject a tablet makes a key and wraps it to everybody who may read the subject: the
tablets it knows of, and the office's review key. A tablet that becomes known later gets the key by `key_wrapped`.
Source: SETTLED decisions 29-34.
"""

from __future__ import annotations

import base64
from typing import Any

from field_app.store.kept import SubjectKey
from field_app.store.opened import Opened
from shared.accounts import Device, Office, Person
from shared.ledger.crypto import SealBroken, box_address
from shared.ledger.sealing import (
    REVIEW,
    KeyClass,
    KeyMade,
    KeyWrapped,
    halves_for,
    key_made,
    opened_words,
    unwrapped,
    wrap_for,
)
from shared.ledger.subject import Subject, Words
from shared.permissions import readers, writers
from shared.values import SubjectId

REVIEWED = frozenset({"", "visit_request", "visit", "record", "interview", "report"})
"""Kinds of subject the office reads; a subject just begun (no kind yet) is one of these unless it is a notebook."""

WRAPPED = "wrapped"
"""Level of a key in memory that somebody else made."""


def devices_of(opened: Opened, person: str) -> list[Device]:
    """The live tablets of a person, as far as this tablet knows them."""
    state = opened.book.state(SubjectId(person))
    return [device for device in state.devices.values() if device.is_live] if isinstance(state, Person) else []


def review_key(opened: Opened) -> str:
    """The office's review key (hex) as its subject says last, else as enrolment said."""
    for subject in opened.book.of_kind("office"):
        state = opened.book.state(subject)
        if isinstance(state, Office) and state.review_key:
            return state.review_key
    return opened.identity.review_key


def addresses(opened: Opened, subject: SubjectId, kind: str, level: KeyClass) -> dict[str, bytes]:
    """Everybody a key of this subject is to be wrapped to: device id or "review" → X25519 address."""
    identity = opened.identity
    found = {str(identity.device): box_address(identity.box_secret)}
    state = opened.book.state(subject)
    persons = readers(state) if isinstance(state, Subject) else frozenset[str]()
    for person in {*persons, identity.person}:
        for device in devices_of(opened, person):
            found[device.id] = bytes.fromhex(device.box_key)
    review = review_key(opened)
    if level == "S2" and kind in REVIEWED and review:
        found[REVIEW] = bytes.fromhex(review)
    return found


def own_key(opened: Opened, subject: SubjectId, level: KeyClass) -> SubjectKey | None:
    """The key this tablet made for the subject."""
    return next((key for key in opened.keys.values() if key.subject == subject and key.level == level), None)


def made(opened: Opened, subject: SubjectId, kind: str, level: KeyClass) -> tuple[KeyMade, SubjectKey]:
    """A fresh key and the body that announces it; an S3 key goes to the keyholders in halves as well."""
    body, key = key_made(subject, addresses(opened, subject, kind, level), level)
    holders = {number: bytes.fromhex(address) for number, address in opened.identity.keyholders.items()}
    if level == "S3" and len(holders) == 3:
        body = KeyMade(id=body.id, level=level, wraps=body.wraps + halves_for(holders, key, subject, body.id))
    return body, SubjectKey(subject, level, body.id, key)


def missing_wraps(opened: Opened) -> dict[SubjectId, list[KeyWrapped]]:
    """Bodies that hand this tablet's keys to readers that became known since, by subject."""
    found: dict[SubjectId, list[KeyWrapped]] = {}
    for key in opened.keys.values():
        state = opened.book.state(key.subject)
        if key.level == WRAPPED or not isinstance(state, Subject) or key.id not in state.keys:
            continue
        if opened.identity.person not in writers(state):
            continue
        held = {wrap.to for wrap in state.keys[key.id]}
        kind = opened.book.subjects[key.subject].kind
        level: KeyClass = "S3" if key.level == "S3" else "S2"
        wanted = addresses(opened, key.subject, kind, level)
        wraps = tuple(
            wrap_for(reader, address, key.key, key.subject, key.id)
            for reader, address in sorted(wanted.items())
            if reader not in held
        )
        if wraps:
            found.setdefault(key.subject, []).append(KeyWrapped(id=key.id, wraps=wraps))
    return found


def key_of(opened: Opened, subject: SubjectId, key_id: str) -> bytes | None:
    """A key of the subject, made here or wrapped to this tablet; None when it cannot be opened here (yet)."""
    if key_id in opened.keys:
        return opened.keys[key_id].key
    state = opened.book.state(subject)
    if not isinstance(state, Subject):
        return None
    identity = opened.identity
    key = unwrapped(state.keys.get(key_id, ()), identity.device, identity.box_secret, subject, key_id)
    if key is not None:
        opened.keys[key_id] = SubjectKey(subject, WRAPPED, key_id, key)
    return key


def words(opened: Opened, subject: SubjectId, sealed: Words) -> dict[str, Any] | None:
    """The words behind a sealed part; None when this tablet has no key to them or they are broken."""
    key = key_of(opened, subject, sealed.key)
    if key is None:
        return None
    try:
        return opened_words(key, subject, sealed.kind, sealed.sealed)
    except SealBroken:
        return None


def boxed(key: bytes) -> str:
    """A key as it stands in sealed words."""
    return base64.b64encode(key).decode()
