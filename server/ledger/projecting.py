"""Projecting behind accepting: what was accepted and is not in the projected tables yet, and who brings it there.

Only records wait, because nothing of a record says who may read or write it: their rights follow from the visit and
are written when they are accepted. Everything else is projected by the transaction that accepts it. A record waits for
the `Projector` of a serving process, or for the first reader (`server.db.Database.read`), whichever comes first; a
crash between loses nothing, for `projected < accepted` stays true. Source: SETTLED decision 13, decision 0009.
"""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, select, text, update
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlmodel import Session

from server.ledger import queries
from server.ledger.projectors import projectors
from server.ledger.tables import SubjectRow
from shared.registry import state_of
from shared.values import SubjectId

if TYPE_CHECKING:
    from server.db import Database

QUIET_SECONDS = 0.05
"""So long no push came: the machine has time to project."""
PATIENCE_SECONDS = 30.0
"""Longest that a projector lets a subject wait for a quiet moment."""
LOOK_SECONDS = 5.0
"""How often a process looks for what another one, or a crash, left behind."""
MOST_WAITING = 1_000
"""When more subjects wait, pushes project what they bring: those who accept then wait for those who project."""
BATCH = 4
"""Subjects of one transaction: pushes wait no longer than these take."""

log = logging.getLogger("qorgan")

_ANY_BEHIND = text("SELECT 1 FROM subjects WHERE projected < accepted LIMIT 1")
_subjects: Any = SubjectRow.__table__  # type: ignore[attr-defined]
_BEHIND = (
    select(_subjects.c.id, _subjects.c.parent, _subjects.c.accepted)
    .where(text("projected < accepted"))
    .order_by(_subjects.c.accepted)
    .limit(bindparam("most"))
)
_LOCK = select(_subjects.c.id).where(_subjects.c.id == bindparam("subject")).with_for_update()
_TAKE = (
    select(_subjects.c.kind, _subjects.c.parent, _subjects.c.accepted)
    .where(_subjects.c.id == bindparam("subject"), text("projected < accepted"))
    .with_for_update()
)
_DONE = update(_subjects).where(_subjects.c.id == bindparam("subject")).values(projected=bindparam("position"))


@dataclass(frozen=True)
class Behind:
    """A subject whose tables are older than its frames."""

    subject: SubjectId
    parent: SubjectId | None
    accepted: int


def behind(session: Session, most: int) -> list[Behind]:
    """Up to `most` subjects that wait to be projected, the longest waiting first."""
    return [Behind(*row) for row in session.execute(_BEHIND, {"most": most})]


def project(session: Session, subject: SubjectId) -> bool:
    """Makes the rows of one subject anew from its frames, if it is behind; the caller holds its parent's lock."""
    taken = session.execute(_TAKE, {"subject": subject}).one_or_none()
    if taken is None:
        return False
    kind, parent, accepted = taken
    above = queries.state(session, SubjectId(parent)) if parent else None
    state = state_of(kind, subject, queries.operations(session, subject), above)
    for each in projectors(kind):
        each(session, state)
    session.execute(_DONE, {"subject": subject, "position": accepted})
    return True


_MACHINE = frozenset({5, 6, 7, 8, 9, 10, 13, 14, 15})
"""SQLite's words for a database that cannot just now: BUSY, LOCKED, NOMEM, READONLY, INTERRUPT, IOERR, FULL, CANTOPEN,
PROTOCOL."""
_MACHINE_STATES = ("08", "40", "53", "55", "57", "58")
"""Classes of PostgreSQL's states: connection, deadlock, resources, object in use, somebody's order, system."""


def is_of_the_machine(error: Exception) -> bool:
    """Whether the database could not just now: its disk, its memory, its connection. Nothing is wrong with the rows."""
    if not isinstance(error, OperationalError | InterfaceError):
        return False
    code = getattr(error.orig, "sqlite_errorcode", None)
    if code is not None:
        return code & 0xFF in _MACHINE
    state = getattr(error.orig, "sqlstate", None)
    return state is None or state[:2] in _MACHINE_STATES


class BehindTheLedger:
    """What a `Database` asks before somebody reads; remembers subjects that cannot be projected, so that one whose
    rows no table takes shuts nobody out from the rest."""

    def __init__(self) -> None:
        self.projector: Projector | None = None
        self._stuck: dict[SubjectId, int] = {}

    def pushed(self) -> None:
        """Something was accepted just now: the projector of this process, if there is one, will hear of it."""
        if self.projector is not None:
            self.projector.accepted()

    def is_overloaded(self) -> bool:
        """Whether so much waits that a push had better project what it brings."""
        return self.projector is not None and self.projector.is_overloaded

    def is_behind(self, session: Session) -> bool:
        """Whether anything accepted waits, as this session sees it."""
        if session.execute(_ANY_BEHIND).first() is None:
            return False
        return not self._stuck or bool(self._waiting(session, 1))

    def drain(self, database: Database) -> None:
        """Projects what waits now, a few subjects a transaction."""
        with Session(database.engine) as session:
            waiting = self._waiting(session, 100_000)
        for at in range(0, len(waiting), BATCH):
            self.project_batch(database, waiting[at : at + BATCH])

    def finish(self, session: Session) -> None:
        """Projects whatever waits, in a transaction that runs alone."""
        for each in self._waiting(session, 100_000):
            self._project(session, each)

    def project_batch(self, database: Database, batch: list[Behind]) -> None:
        """Projects these in one transaction beside pushes: locks those others belong to first, then them, by id."""
        with database.write(beside_others=True) as session:
            for parent in sorted({each.parent for each in batch if each.parent}):
                session.execute(_LOCK, {"subject": parent})
            for each in sorted(batch, key=lambda each: each.subject):
                self._project(session, each)

    def waiting(self, database: Database, most: int) -> list[Behind]:
        """The subjects that wait and can be projected."""
        with Session(database.engine) as session:
            return self._waiting(session, most)

    def _waiting(self, session: Session, most: int) -> list[Behind]:
        rows = behind(session, most + len(self._stuck))
        return [each for each in rows if self._stuck.get(each.subject) != each.accepted][:most]

    def _project(self, session: Session, each: Behind) -> None:
        try:
            with session.begin_nested():
                project(session, each.subject)
        except Exception as error:  # whatever a projection does: the others go on, and the log names the subject
            if is_of_the_machine(error):
                raise
            self._stuck[each.subject] = each.accepted
            log.exception("subject %s cannot be projected", each.subject)


class Projector:
    """A thread of a serving process: projects what was accepted, in quiet moments, but never leaves it for long."""

    def __init__(self, database: Database) -> None:
        ledger = database.projecting
        assert isinstance(ledger, BehindTheLedger)
        self.is_overloaded = False
        self._database = database
        self._ledger = ledger
        self._news = threading.Event()
        self._end = threading.Event()
        self._pushed_at = 0.0
        self._thread = threading.Thread(target=self._run, name="projector", daemon=True)

    def start(self) -> None:
        """Begins; what an earlier process left behind is projected at once."""
        self._ledger.projector = self
        self._thread.start()

    def stop(self) -> None:
        """Ends after the batch in hand."""
        self._ledger.projector = None
        self._end.set()
        self._news.set()
        self._thread.join()

    def accepted(self) -> None:
        """A push was committed just now."""
        self._pushed_at = time.monotonic()
        self._news.set()

    def _run(self) -> None:
        while not self._end.is_set():
            try:
                while waiting := self._ledger.waiting(self._database, MOST_WAITING + 1):
                    self.is_overloaded = len(waiting) > MOST_WAITING
                    self._wait_for_quiet()
                    self._project(waiting)
                self.is_overloaded = False
            except Exception:  # the database may be away for a moment; readers project for themselves meanwhile
                log.exception("projecting failed")
            self._news.wait(LOOK_SECONDS)
            self._news.clear()

    def _project(self, waiting: list[Behind]) -> None:
        for at in range(0, len(waiting), BATCH):
            if self._end.is_set():
                return
            self._ledger.project_batch(self._database, waiting[at : at + BATCH])

    def _wait_for_quiet(self) -> None:
        """Until no push came for a moment, or patience ends: then all that waits by now is projected among pushes."""
        ends = time.monotonic() + PATIENCE_SECONDS
        while not self._end.is_set():
            now = time.monotonic()
            left = min(self._pushed_at + QUIET_SECONDS, ends) - now
            if left <= 0:
                return
            self._end.wait(left)
