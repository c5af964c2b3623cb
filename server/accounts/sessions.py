"""Signing in to the console: passphrases, sessions, hats. Nothing here is an operation.

A passphrase is kept as Argon2id, a session as SHA-256 of its cookie. Whether a name exists cannot be told from the
answer or its time. Source: SECURITY A.6 (password hash, passwords, web session, login limits), SETTLED 63, 64.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

from sqlalchemy import ColumnElement
from sqlmodel import Session, col, delete, func, or_, select

from server.accounts import queries
from server.accounts.tables import AttemptRow, CredentialRow, PersonRow, SessionRow
from server.db import Database
from server.office import Office
from shared.errors import RuleBroken
from shared.ledger.crypto import LEAST_EFFORT, Effort, random_bytes, same, sha256, stretched
from shared.values import PersonId

IDLE = timedelta(minutes=15)
WHOLE = timedelta(hours=8)
TOUCH = timedelta(seconds=30)
"""A session's last use is written at most this often."""
LEAST_LETTERS, MOST_LETTERS = 15, 128
PER_PAIR = ((timedelta(minutes=1), 5), (timedelta(hours=1), 10))
"""Failed tries of one account from one address: others who try from elsewhere never lock its owner out."""
PER_ADDRESS = ((timedelta(minutes=1), 30),)
PER_ACCOUNT = ((timedelta(hours=1), 50),)
"""Failed tries of one account from all addresses together; does not hold for an address it signed in from before."""
KNOWN_FOR = timedelta(days=90)
"""How long an address counts as known to an account. Source: SECURITY A.6 ("never a permanent lock by outsiders")."""
COMMON = Path(__file__).parent.parent / "data" / "common_passphrases.txt"


@dataclass(frozen=True)
class Signed:
    """A live session: SHA-256 of its cookie, who, which hat, language, theme, form token."""

    hash: str
    person: str
    hat: str
    language: str
    theme: str
    csrf: str


# ── passphrases ─────────────────────────────────────────────────────────────────────────────────────────────────────


@cache
def _common() -> frozenset[str]:
    lines = COMMON.read_text(encoding="utf-8").splitlines()
    return frozenset(_plain(line) for line in lines if line and not line.startswith("#"))


def _plain(passphrase: str) -> str:
    """Letters and digits in lower case: "Pass word-123…" and "password123…" are one guess."""
    return "".join(letter for letter in passphrase.casefold() if letter.isalnum())


def check_passphrase(passphrase: str, login: str = "") -> None:
    """Raises RuleBroken("passphrase_short" | "passphrase_common").

    Refused are fewer than 15 or more than 128 letters, what stands on the list or repeats it, a short piece over and
    over, a run of the keyboard or the alphabet, and the own login. No rule asks for digits or signs.
    """
    if not LEAST_LETTERS <= len(passphrase) <= MOST_LETTERS:
        raise RuleBroken("passphrase_short", "SECURITY A.6", least=LEAST_LETTERS, most=MOST_LETTERS)
    plain = _plain(passphrase)
    if len(set(plain)) < 5 or plain in _common() or _repeats(plain) or _is_login(plain, login):
        raise RuleBroken("passphrase_common", "SECURITY A.6")


def _is_login(plain: str, login: str) -> bool:
    """Whether little is left without the own login."""
    return bool(_plain(login)) and len(plain.replace(_plain(login), "")) < 8


def _repeats(plain: str) -> bool:
    """Whether it is one piece over and over, or a listed passphrase with at most three letters more."""
    if any(plain == (plain[:size] * len(plain))[: len(plain)] for size in range(1, len(plain) // 2 + 1)):
        return True
    return any(plain[:-cut] in _common() for cut in (1, 2, 3)) or any(plain[cut:] in _common() for cut in (1, 2, 3))


def set_passphrase(
    session: Session, person: PersonId, login: str, passphrase: str, effort: Effort = LEAST_EFFORT
) -> None:
    """Gives the person this login and passphrase, in place of earlier ones; open sessions of the person end."""
    check_passphrase(passphrase, login)
    salt = random_bytes(16)
    session.merge(
        CredentialRow(
            person=person, login=_login(login), salt=salt, hash=stretched(passphrase.encode(), salt, effort),
            memory_kib=effort.memory_kib, passes=effort.passes, lanes=effort.lanes,
        )
    )  # fmt: skip
    session.execute(delete(SessionRow).where(col(SessionRow.person) == person))


def _login(login: str) -> str:
    return login.strip().casefold()[:80]


# ── signing in ──────────────────────────────────────────────────────────────────────────────────────────────────────


def sign_in(office: Office, login: str, passphrase: str, address: str, now: datetime) -> tuple[PersonId, list[str]]:
    """The person behind login and passphrase, and the hats held today.

    Raises RuleBroken("login_wrong") for a wrong name, a wrong passphrase and a person without a role alike;
    "login_wait" when too many tries failed for this account or from this address, whether the name exists or not.
    """
    name = sha256(_login(login).encode()).hex()
    with office.database.write() as session:
        _forget_old_tries(session, now)
        _limit(session, name, address, now)
        attempt = AttemptRow(name_hash=name, address=address[:64], at=now, good=False)
        session.add(attempt)
        session.flush()
        number = attempt.id
        credential = session.exec(select(CredentialRow).where(CredentialRow.login == _login(login))).first()
        known = (credential.person, credential.salt, credential.hash, _effort(credential)) if credential else None
    person, salt, wanted, effort = known or ("", bytes(16), bytes(32), LEAST_EFFORT)
    given = stretched(passphrase[: 4 * MOST_LETTERS].encode(), salt, effort)
    if not same(given, wanted) or not person:
        raise RuleBroken("login_wrong")
    with office.database.write() as session:
        hats = queries.roles_on(session, PersonId(person), office.calendar.day_of(now))
        good = session.get(AttemptRow, number)
        if good is not None:
            good.good = True
        if effort != LEAST_EFFORT and effort < LEAST_EFFORT:
            set_passphrase(session, PersonId(person), login, passphrase)
    if not hats:
        raise RuleBroken("login_wrong")
    return PersonId(person), hats


def _effort(row: CredentialRow) -> Effort:
    return Effort(row.memory_kib, row.passes, row.lanes)


def _forget_old_tries(session: Session, now: datetime) -> None:
    old = or_(col(AttemptRow.good).is_(False), col(AttemptRow.at) < now - KNOWN_FOR)
    session.execute(delete(AttemptRow).where(col(AttemptRow.at) < now - timedelta(days=1), old))


def _limit(session: Session, name: str, address: str, now: datetime) -> None:
    by_name, by_address = col(AttemptRow.name_hash) == name, col(AttemptRow.address) == address[:64]
    wanted: list[tuple[tuple[ColumnElement[bool], ...], tuple[tuple[timedelta, int], ...]]] = [
        ((by_name, by_address), PER_PAIR), ((by_address,), PER_ADDRESS),
    ]  # fmt: skip
    if not _tries(session, by_name, by_address, col(AttemptRow.good).is_(True)):
        wanted.append(((by_name,), PER_ACCOUNT))
    for whose, limits in wanted:
        for span, most in limits:
            if _tries(session, *whose, col(AttemptRow.at) > now - span, col(AttemptRow.good).is_(False)) >= most:
                raise RuleBroken("login_wait", "SECURITY A.6", minutes=max(1, int(span.total_seconds()) // 60))


def _tries(session: Session, *which: ColumnElement[bool]) -> int:
    return int(session.exec(select(func.count()).select_from(AttemptRow).where(*which)).one())


# ── sessions ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _secret() -> str:
    return base64.urlsafe_b64encode(random_bytes(32)).decode().rstrip("=")


def _name(cookie: str) -> str:
    return sha256(cookie.encode()).hex()


def open_session(session: Session, person: PersonId, hat: str, now: datetime, language: str = "") -> str:
    """A new session under one hat; the cookie's value, 256 random bits, which is not kept."""
    cookie = _secret()
    row = session.get(PersonRow, person)
    session.add(
        SessionRow(
            hash=_name(cookie), person=person, hat=hat, language=language or (row.language if row else "ru"),
            csrf=_secret(), began_at=now, seen_at=now,
        )
    )  # fmt: skip
    session.execute(delete(SessionRow).where(col(SessionRow.began_at) < now - WHOLE))
    return cookie


def signed_in(database: Database, cookie: str, now: datetime) -> Signed | None:
    """The session behind a cookie; None when it is unknown, idle for 15 minutes or older than 8 hours."""
    if len(cookie) > 128:
        return None
    with database.read() as session:
        row = session.get(SessionRow, _name(cookie))
        if row is None or now - row.seen_at > IDLE or now - row.began_at > WHOLE:
            return None
        found = Signed(row.hash, row.person, row.hat, row.language, row.theme, row.csrf)
        stale = now - row.seen_at > TOUCH
    if stale:
        with database.write() as session:
            row = session.get(SessionRow, found.hash)
            if row is not None:
                row.seen_at = now
    return found


def switch_hat(session: Session, office: Office, signed: Signed, hat: str, now: datetime) -> str:
    """Ends the session and begins another under a hat the person holds today. Raises RuleBroken("wrong_hat")."""
    if hat not in queries.roles_on(session, PersonId(signed.person), office.calendar.day_of(now)):
        raise RuleBroken("wrong_hat")
    old = session.get(SessionRow, signed.hash)
    cookie = open_session(session, PersonId(signed.person), hat, now, signed.language)
    fresh = session.get(SessionRow, _name(cookie))
    if old is not None and fresh is not None:
        fresh.began_at, fresh.theme = old.began_at, old.theme
        session.delete(old)
    return cookie


def choose_looks(session: Session, signed: Signed, language: str | None, theme: str | None) -> None:
    """Language and theme of this session."""
    row = session.get(SessionRow, signed.hash)
    if row is not None:
        row.language, row.theme = language or row.language, theme or row.theme


def sign_out(session: Session, signed: Signed) -> None:
    """Ends the session."""
    session.execute(delete(SessionRow).where(col(SessionRow.hash) == signed.hash))
