"""Appending frames to the ledger and projecting the subjects they touch: the one place where frames are written.

Order inside the transaction: chains and subjects are locked and checked by the caller, states folded and projected,
and the counter is taken as the last lock; with its numbers frames and new access rows go in. Source: SETTLED
decisions 12, 13, 21, 22.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, bindparam, delete, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session

from server.accounts.tables import DeviceRow
from server.ledger import heads, queries
from server.ledger.packing import packed
from server.ledger.projectors import projectors
from server.ledger.queries import Standing
from server.ledger.tables import AccessRow, ChainRow, CounterRow, FrameRow, SubjectRow
from shared.accounts import Person
from shared.ledger.frame import Frame
from shared.ledger.messages import next_ledger_head
from shared.ledger.operation import Operation
from shared.permissions import EVERYBODY, readers
from shared.registry import state_of
from shared.values import SubjectId
from shared.visits import Visit

_frames, _subjects, _chains, _access, _counter, _devices = (
    row.__table__ for row in (FrameRow, SubjectRow, ChainRow, AccessRow, CounterRow, DeviceRow)  # type: ignore[attr-defined]
)  # fmt: skip
_TAKE = (
    update(_counter).where(_counter.c.id == 1).values(value=_counter.c.value + bindparam("numbers"))
    .returning(_counter.c.value, _counter.c.head)
)  # fmt: skip
_SET_HEAD = update(_counter).where(_counter.c.id == 1).values(head=bindparam("to"))
_NEW_FRAMES, _NEW_ACCESS = insert(_frames), insert(_access)
_MOVED = update(_subjects).where(_subjects.c.id == bindparam("of")).values(
    clock=bindparam("at"), accepted=bindparam("cursor"), projected=bindparam("cursor")
)  # fmt: skip
_BEGIN = insert(_subjects).values(clock=0, accepted=0, projected=0)
_CLOCK = update(_subjects).where(_subjects.c.id == bindparam("of")).values(clock=bindparam("at"))
_HELD = select(_access.c.subject, _access.c.audience).where(
    _access.c.subject.in_(bindparam("subjects", expanding=True))
)  # fmt: skip
_WROTE = select(_chains.c.subject, _chains.c.device).where(
    _chains.c.subject.in_(bindparam("subjects", expanding=True))
)  # fmt: skip
_WHOSE = select(_devices.c.id, _devices.c.person).where(_devices.c.id.in_(bindparam("devices", expanding=True)))
_TAKE_AWAY = delete(_access).where(
    and_(_access.c.audience == bindparam("whose"), _access.c.subject == bindparam("what"))
)  # fmt: skip


def _upsert_chain(make: Callable[[Any], Any], larger: Any) -> Any:
    fresh = make(_chains)
    at = {
        "seq": fresh.excluded.seq,
        "head": fresh.excluded.head,
        "clock": larger(_chains.c.clock, fresh.excluded.clock),
    }
    return fresh.on_conflict_do_update(index_elements=["device", "subject"], set_=at)


_ADVANCE = {
    "sqlite": _upsert_chain(sqlite.insert, func.max),
    "postgresql": _upsert_chain(postgresql.insert, func.greatest),
}
"""Made once: building a statement costs more than running it."""


@dataclass(frozen=True)
class Incoming:
    """A frame ready to be appended: its lines beyond what is held, and its readable operations."""

    frame: Frame
    operations: tuple[Operation, ...]


def begin_subject(session: Session, subject: SubjectId, kind: str, parent: SubjectId | None) -> Standing:
    """The row of a subject that begins; it stays with its first frame. Raises IntegrityError when it stands."""
    session.connection().execute(_BEGIN, {"id": subject, "kind": kind, "parent": parent})
    return Standing(subject, kind, parent, 0)


def append(
    session: Session, incoming: Sequence[Incoming], now: datetime, held: dict[SubjectId, list[Operation]] | None = None
) -> dict[SubjectId, Any]:
    """Projects the touched subjects and writes the frames. Returns the folded states by subject.

    The caller has checked seals, chains and rights, holds the locks of the subjects, and commits.

    held  operations of subjects as they were read under their lock: they are not read again
    """
    session.flush()
    folding = _Folding(session, incoming, held or {})
    states = folding.touched()
    granted, withdrawn = _access_changes(session, states, incoming)
    numbers = len(incoming) + (1 if granted else 0)
    heads.move(session, {
        (item.frame.header.device, item.frame.header.subject): (item.frame.last, item.frame.ids()[-1].hex())
        for item in incoming
    })  # fmt: skip
    connection = session.connection()
    value, hex_head = connection.execute(_TAKE, {"numbers": numbers}).one()
    first, head = value - numbers + 1, bytes.fromhex(hex_head)
    _insert_access(session, granted, withdrawn, first)
    frames, chains, last = [], {}, {}
    for cursor, item in enumerate(incoming, first + (1 if granted else 0)):
        header, last_id = item.frame.header, item.frame.ids()[-1]
        head = next_ledger_head(head, last_id)
        frames.append(
            {
                "cursor": cursor, "subject": header.subject, "device": header.device, "first": header.first,
                "count": header.count, "last_id": last_id.hex(), "data": packed(item.frame),
                "ledger_head": head.hex(), "received_at": now,
            }
        )  # fmt: skip
        place = (header.device, header.subject)
        clock = max([chains[place]["clock"] if place in chains else 0, *(each.clock for each in item.operations)])
        chains[place] = {
            "device": header.device, "subject": header.subject, "seq": item.frame.last, "head": last_id.hex(),
            "clock": clock,
        }  # fmt: skip
        last[header.subject] = cursor
    if frames:
        connection.execute(_NEW_FRAMES, frames)
        connection.execute(_SET_HEAD, {"to": head.hex()})
        connection.execute(_ADVANCE[connection.dialect.name], list(chains.values()))
        connection.execute(
            _MOVED, [{"of": id_, "at": folding.clocks.get(id_, 0), "cursor": at} for id_, at in last.items()]
        )
    folding.keep_clocks(last)
    return states


def project_again(session: Session, subject: SubjectId) -> None:
    """Folds a subject from its frames and makes its rows anew; new readers are granted with a fresh number."""
    session.flush()
    folding = _Folding(session, (), {})
    folding.project(subject)
    folding.keep_clocks(())
    granted, withdrawn = _access_changes(session, folding.states, ())
    number = 0
    if granted:
        number = session.connection().execute(_TAKE, {"numbers": 1}).one().value
    _insert_access(session, granted, withdrawn, number)


class _Folding:
    """Folds and projects subjects of one transaction, each once; parents folded on the way are kept.

    clocks  of the subjects folded
    """

    def __init__(
        self, session: Session, incoming: Iterable[Incoming], held: dict[SubjectId, list[Operation]]
    ) -> None:  # fmt: skip
        self.states: dict[SubjectId, Any] = {}
        self.clocks: dict[SubjectId, int] = {}
        self._session = session
        self._held = held
        self._fresh: dict[SubjectId, list[Operation]] = {}
        for item in incoming:
            self._fresh.setdefault(item.frame.header.subject, []).extend(item.operations)
        self._rows = queries.standings(session, self._fresh)
        self._parents: dict[SubjectId, Any] = {}

    def touched(self) -> dict[SubjectId, Any]:
        """Every touched subject folded once, those that others belong to first; then what belongs to a touched
        visit."""
        for subject in sorted(self._rows, key=lambda subject: (bool(self._rows[subject].parent), subject)):
            self.project(subject)
        for subject, state in list(self.states.items()):
            if isinstance(state, Visit) and subject in self._fresh:
                for child in queries.children(self._session, subject):
                    if child not in self._fresh:
                        self.project(child)
        return self.states

    def project(self, subject: SubjectId) -> None:
        """A changed group changes what its record, interviews and report mean: they come through here too."""
        row = self._row(subject)
        if row is None:
            return
        parent = self._parent(row.parent) if row.parent else None
        operations = [*self._operations(subject), *self._fresh.get(subject, ())]
        state = self.states[subject] = state_of(row.kind, subject, operations, parent)
        self.clocks[subject] = max(row.clock, state.clock)
        for project in projectors(row.kind):
            project(self._session, state)

    def keep_clocks(self, but: Iterable[SubjectId]) -> None:
        """Writes the clocks of the subjects that were folded and not appended to, where they went on."""
        went_on = [
            {"of": subject, "at": clock} for subject, clock in self.clocks.items()
            if subject not in set(but) and clock > self._rows[subject].clock
        ]  # fmt: skip
        if went_on:
            self._session.connection().execute(_CLOCK, went_on)

    def _row(self, subject: SubjectId) -> Standing | None:
        if subject not in self._rows:
            row = queries.standing(self._session, subject)
            if row is not None:
                self._rows[subject] = row
        return self._rows.get(subject)

    def _operations(self, subject: SubjectId) -> list[Operation]:
        held = self._held.get(subject)
        return queries.operations(self._session, subject) if held is None else held

    def _parent(self, subject: SubjectId) -> Any:
        if subject in self.states:
            return self.states[subject]
        if subject not in self._parents:
            row = self._row(subject)
            above = self._parent(row.parent) if row and row.parent else None
            self._parents[subject] = row and state_of(row.kind, subject, self._operations(subject), above)
        return self._parents[subject]


def _access_changes(
    session: Session, states: dict[SubjectId, Any], incoming: Iterable[Incoming]
) -> tuple[list[tuple[str, SubjectId]], list[tuple[str, SubjectId]]]:
    granted: list[tuple[str, SubjectId]] = []
    withdrawn: list[tuple[str, SubjectId]] = []
    colleagues = [pair for state in states.values() for pair in _colleagues(state)]
    colleagues += _vouched(session, states, incoming)
    held: dict[SubjectId, set[str]] = {id_: set() for id_ in (*states, *(person for _, person in colleagues))}
    if held:
        for subject, audience in session.connection().execute(_HELD, {"subjects": list(held)}):
            held[subject].add(audience)
    for subject, state in states.items():
        wanted = set(readers(state))
        granted += [(audience, subject) for audience in sorted(wanted - held[subject])]
        if not isinstance(state, Person):  # colleagues of a visit hold it too: see _colleagues
            withdrawn += [(audience, subject) for audience in sorted(held[subject] - wanted)]
    granted += [(audience, person) for audience, person in colleagues if audience not in held[person]]
    return granted, withdrawn


def _colleagues(state: Any) -> list[tuple[str, SubjectId]]:
    """Members of a common visit see each other's person subject: names, and the devices keys are wrapped to."""
    if not isinstance(state, Visit):
        return []
    return [(one, SubjectId(other)) for one in state.members for other in state.members if one != other]


def _vouched(
    session: Session, states: dict[SubjectId, Any], incoming: Iterable[Incoming]
) -> list[tuple[str, SubjectId]]:  # fmt: skip
    """Whoever holds a subject holds the persons whose tablets wrote in it too: the keys of their seals stand there, and
    without them no tablet lets a frame count. Source: PROTOCOL P68."""
    hold = {subject: readers(state) - {EVERYBODY, subject} for subject, state in states.items()}
    read = [subject for subject, who in hold.items() if who]
    if not read:
        return []
    wrote = {(subject, device) for subject, device in session.connection().execute(_WROTE, {"subjects": read})}
    wrote |= {(item.frame.header.subject, item.frame.header.device) for item in incoming}
    asked = {"devices": sorted({device for _, device in wrote})}
    owners = {device: SubjectId(person) for device, person in session.connection().execute(_WHOSE, asked)}
    pairs = {
        (reader, owners[device])
        for subject, device in wrote if device in owners
        for reader in hold.get(subject, ()) if reader != owners[device]
    }  # fmt: skip
    return sorted(pairs)


def _insert_access(
    session: Session, granted: list[tuple[str, SubjectId]], withdrawn: list[tuple[str, SubjectId]], number: int
) -> None:
    connection = session.connection()
    if withdrawn:
        connection.execute(_TAKE_AWAY, [{"whose": audience, "what": subject} for audience, subject in withdrawn])
    if granted:
        rows = [
            {"audience": audience, "subject": subject, "granted": number}
            for audience, subject in dict.fromkeys(granted)
        ]
        connection.execute(_NEW_ACCESS, rows)
