"""Founding the office, people and their roles, tablets and their enrolment.

Roles and devices need two people: the one who grants or enrols is never the one who confirms. Source: SECURITY D rule
1, SETTLED 14, 31, 37, 63.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlmodel import Session, col, delete

from server.accounts import queries
from server.accounts.sessions import set_passphrase
from server.accounts.tables import DeviceRow, EnrolmentRow, RoleProposalRow, SessionRow
from server.ledger import queries as ledger
from server.ledger.actions import found_ledger, record
from server.ledger.opening import wrapped_for_newcomers
from server.ledger.tables import CounterRow, DeviceTokenRow
from server.office import Office, new_subject
from server.packs import content
from server.packs.actions import publish_law, publish_register
from shared.accounts import (
    DeviceConfirmed,
    DeviceEnrolled,
    DeviceRevoked,
    KeyholderNamed,
    OfficeFounded,
    PersonAdded,
    ReviewKeyNamed,
    Role,
    RoleEnded,
    RoleGranted,
    ServerNamed,
)  # fmt: skip
from shared.errors import RuleBroken
from shared.ledger.crypto import random_letters, sha256
from shared.ledger.operation import Body
from shared.permissions import readers
from shared.values import DeviceId, PersonId, SubjectId, as_typed, is_hash, is_id

CODE_LETTERS = "ABCDEFGHJKMNPQRSTVWXYZ0123456789"
"""32 letters without I, L, O, U. Thirteen of them are 65 bits."""
CODE_LENGTH = 13
CODE_LIFE = timedelta(minutes=10)
ALIKE = str.maketrans({"O": "0", "I": "1", "L": "1", "U": "V"})


@dataclass(frozen=True)
class NewPerson:
    """Somebody to be added with a first sign-in; without login no sign-in is made."""

    name: str
    roles: tuple[Role, ...]
    language: str = "ru"
    login: str = ""
    passphrase: str = ""


@dataclass(frozen=True)
class Founded:
    """Ids of the first people."""

    admin: PersonId
    second: PersonId
    keyholders: tuple[PersonId, ...]


def found_office(
    session: Session, office: Office, names: Mapping[str, str], admin: NewPerson, second: NewPerson,
    keyholders: Sequence[tuple[NewPerson | PersonId, str]], now: datetime,
) -> Founded:  # fmt: skip
    """The office begins: its first two people, its keys and keyholders, the law and the register as they stand.

    names       of the office in kk, ru and en
    keyholders  three times (who, X25519 address as 64 hex); a NewPerson is added

    Raises RuleBroken("already_decided") when the office was founded before.
    """
    if ledger.subjects(session, "office"):
        raise RuleBroken("already_decided")
    if session.get(CounterRow, 1) is None:
        found_ledger(session)
    today = office.calendar.day_of(now)
    first, other = PersonId(new_subject(now)), PersonId(new_subject(now))
    _add(session, office, first, admin, first, now)
    _add(session, office, other, second, first, now)
    _grant_first(session, office, first, admin, first, other, today, now)
    _grant_first(session, office, other, second, other, first, today, now)
    holders = []
    for who, _ in keyholders:
        person = who if isinstance(who, str) else PersonId(new_subject(now))
        if not isinstance(who, str):
            _add(session, office, person, who, first, now)
            _grant_first(session, office, person, who, first, other, today, now)
        holders.append(person)
    bodies: list[Body] = [
        OfficeFounded(name_kk=names["kk"], name_ru=names["ru"], name_en=names["en"]),
        ServerNamed(device=office.keys.device, key=office.keys.sign_key),
        ReviewKeyNamed(key=office.keys.review_key),
        *(
            KeyholderNamed(number=number, person=person, key=key)
            for number, (person, (_, key)) in enumerate(zip(holders, keyholders, strict=True), 1)
        ),
    ]
    record(session, office, new_subject(now), first, bodies, now)
    publish_law(session, office, first, new_subject(now), now)
    register = new_subject(now)
    publish_register(session, office, first, "places", content.places(), content.regions_count(), now, subject=register)
    publish_register(session, office, first, "standards", content.standards(), content.standards_count(), now)
    return Founded(first, other, tuple(holders))


def _add(session: Session, office: Office, id_: PersonId, person: NewPerson, author: PersonId, now: datetime) -> None:
    body = PersonAdded(name=person.name, language=person.language)  # type: ignore[arg-type]
    record(session, office, SubjectId(id_), author, [body], now)
    if person.login:
        set_passphrase(session, id_, person.login, person.passphrase)


def _grant_first(
    session: Session, office: Office, id_: PersonId, person: NewPerson, author: PersonId, second: PersonId, today: date,
    now: datetime,
) -> None:  # fmt: skip
    bodies = [RoleGranted(role=role, since=today.isoformat(), second=second) for role in person.roles]
    record(session, office, SubjectId(id_), author, bodies, now)


def add_person(session: Session, office: Office, author: PersonId, person: NewPerson, now: datetime) -> PersonId:
    """A person of the office, without roles yet: these need a second officer (`grant_role`)."""
    id_ = PersonId(new_subject(now))
    _add(session, office, id_, person, author, now)
    return id_


def give_sign_in(session: Session, person: PersonId, login: str, passphrase: str) -> None:
    """A first login and passphrase for somebody known who has none.

    Raises RuleBroken("not_found"; "already_decided" when the person signs in already or the login is taken).
    """
    _person(session, person)
    if queries.login_of(session, person) or queries.person_of_login(session, login) is not None or not login.strip():
        raise RuleBroken("already_decided")
    set_passphrase(session, person, login, passphrase)


def grant_role(
    session: Session, office: Office, author: PersonId, second: PersonId, person: PersonId, role: Role, since: date,
    now: datetime, until: date | None = None, basis: str = "",
) -> None:  # fmt: skip
    """A role from a day on, with a second officer. Raises RuleBroken("same_person" | "second_officer_needed")."""
    _two(session, author, second)
    body = RoleGranted(
        role=role,
        since=since.isoformat(),
        until=until.isoformat() if until else "",
        second=second,
        basis=as_typed(basis),
    )
    record(session, office, _person(session, person), author, [body], now)


def end_role(
    session: Session, office: Office, author: PersonId, second: PersonId, person: PersonId, role: Role, on: date,
    reason: str, now: datetime,
) -> None:  # fmt: skip
    """The role ends on a day, which is its last. The last admin's role does not end. Sessions under it end."""
    _two(session, author, second)
    said = as_typed(reason)
    if not said:
        raise RuleBroken("no_reason")
    if role is Role.ADMIN and not _admins_without_end(session, person, on):
        raise RuleBroken("not_allowed")
    body = RoleEnded(role=role, on=on.isoformat(), reason=said, second=second)
    record(session, office, _person(session, person), author, [body], now)
    session.execute(delete(SessionRow).where(col(SessionRow.person) == person, col(SessionRow.hat) == role.value))


def _admins_without_end(session: Session, person: PersonId, on: date) -> bool:
    """Whether the office has an admin on every day after `on`, when the person's term of that day ends with it."""
    day = on.isoformat()
    for row in sorted(queries.terms_of_role(session, Role.ADMIN), key=lambda row: row.since):
        since, until = row.since, row.until
        if row.person == person and since <= day and (not until or day <= until):
            continue
        if since > (date.fromisoformat(day) + timedelta(days=1)).isoformat():
            return False
        if not until:
            return True
        day = max(day, until)
    return False


def _two(session: Session, author: PersonId, second: PersonId) -> None:
    if author == second:
        raise RuleBroken("same_person", "SECURITY D, rule 1")
    if not second or not queries.name_of(session, second):
        raise RuleBroken("second_officer_needed", "SECURITY D, rule 1")


def _person(session: Session, person: PersonId) -> SubjectId:
    if not is_id(person) or not queries.name_of(session, person):
        raise RuleBroken("not_found")
    return SubjectId(person)


def propose_role(
    session: Session, author: PersonId, person: PersonId, role: str, since: str, until: str, basis: str, now: datetime,
    *, ends: bool = False,
) -> None:  # fmt: skip
    """The admin proposes that a role begins (or, with `ends`, ends on `since`). Raises RuleBroken("body_wrong")."""
    _person(session, person)
    try:
        Role(role)
        first = date.fromisoformat(since)
        if until and date.fromisoformat(until) < first:
            raise ValueError(until)
    except ValueError as error:
        raise RuleBroken("body_wrong") from error
    session.add(
        RoleProposalRow(
            person=person, role=role, since=since, until=until, basis=as_typed(basis)[:300], ends=ends,
            proposed_by=author, proposed_at=now,
        )
    )  # fmt: skip
    session.flush()


def confirm_role(session: Session, office: Office, number: int, second: PersonId, now: datetime) -> None:
    """The second officer stands behind it: the role holds. Raises RuleBroken("same_person" | "not_found")."""
    row = _proposal(session, number)
    author, person, role = PersonId(row.proposed_by), PersonId(row.person), Role(row.role)
    first = date.fromisoformat(row.since)
    if row.ends:
        end_role(session, office, author, second, person, role, first, row.basis, now)
    else:
        until = date.fromisoformat(row.until) if row.until else None
        grant_role(session, office, author, second, person, role, first, now, until, row.basis)
    session.delete(row)


def decline_role(session: Session, number: int) -> None:
    """The proposal ends without effect."""
    session.delete(_proposal(session, number))


def _proposal(session: Session, number: int) -> RoleProposalRow:
    row = session.get(RoleProposalRow, number) if number < 2**31 else None
    if row is None:
        raise RuleBroken("not_found")
    return row


# ── tablets ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def make_code(session: Session, office: Office, author: PersonId, person: PersonId, now: datetime) -> str:
    """A one-time code for a tablet of this person, 10 minutes; earlier unused codes for the person end."""
    _person(session, person)
    code = random_letters(CODE_LENGTH, CODE_LETTERS)
    session.execute(delete(EnrolmentRow).where(col(EnrolmentRow.person) == person, col(EnrolmentRow.used_at).is_(None)))
    session.add(EnrolmentRow(hash=_code_name(code), person=person, made_by=author, until=now + CODE_LIFE))
    session.flush()
    return code


def _code_name(code: str) -> str:
    plain = "".join(letter for letter in code.upper() if letter.isalnum()).translate(ALIKE)
    return sha256(plain.encode()).hex()


def enrol(
    session: Session, office: Office, code: str, device: DeviceId | None, sign_key: str, box_key: str, label: str,
    now: datetime,
) -> tuple[DeviceId, PersonId]:  # fmt: skip
    """A tablet shows its code and keys (64 hex each); it waits for the second officer then.

    Raises RuleBroken("code_wrong" | "code_used" | "code_expired" | "body_wrong").
    """
    row = session.get(EnrolmentRow, _code_name(code), with_for_update=True)
    if row is None:
        raise RuleBroken("code_wrong")
    if row.used_at is not None:
        raise RuleBroken("code_used")
    if now > row.until:
        raise RuleBroken("code_expired", "SETTLED 63")
    device = device or DeviceId(new_subject(now))
    if not (is_id(device) and is_hash(sign_key) and is_hash(box_key)) or session.get(DeviceRow, device) is not None:
        raise RuleBroken("body_wrong")
    row.used_at = now
    person, author = PersonId(row.person), PersonId(row.made_by)
    body = DeviceEnrolled(device=device, sign_key=sign_key, box_key=box_key, label=label[:80])
    record(session, office, SubjectId(person), author, [body], now)
    return device, person


def confirm_device(session: Session, office: Office, author: PersonId, device: DeviceId, now: datetime) -> None:
    """A second officer compared the digits: the tablet may sync, and keys of what it reads are wrapped to it.

    Raises RuleBroken("same_person") for the one who made the code.
    """
    row = _device(session, device)
    person = PersonId(row.person)
    record(session, office, SubjectId(person), author, [DeviceConfirmed(device=device)], now)
    hand_keys_to(session, office, author, person, now)


def hand_keys_to(session: Session, office: Office, author: PersonId, person: PersonId, now: datetime) -> None:
    """Wraps the keys of every subject the person's tablets may hold to those tablets that lack them."""
    for subject in ledger.subjects_for(session, person):
        state = ledger.state(session, subject)
        if state is None or not state.keys:
            continue
        bodies = wrapped_for_newcomers(session, office, state, _persons(readers(state)))
        record(session, office, subject, author, bodies, now)


def _persons(audiences: frozenset[str]) -> list[PersonId]:
    return [PersonId(audience) for audience in sorted(audiences) if is_id(audience)]


def revoke_device(
    session: Session, office: Office, author: PersonId, device: DeviceId, reason: str, now: datetime
) -> None:
    """The tablet reads nothing more from its next contact on; what it still sends goes to quarantine."""
    said = as_typed(reason)
    if not said:
        raise RuleBroken("no_reason")
    row = _device(session, device)
    record(session, office, SubjectId(row.person), author, [DeviceRevoked(device=device, reason=said)], now)
    session.execute(delete(DeviceTokenRow).where(col(DeviceTokenRow.device) == device))


def _device(session: Session, device: DeviceId) -> DeviceRow:
    row = session.get(DeviceRow, device) if is_id(device) else None
    if row is None:
        raise RuleBroken("not_found")
    return row
