"""Taking in what a tablet sends: every frame gets its answer, nothing saved is refused, lost or overwritten.

The door (`shared.ledger.door`) decides; this file looks up what the door must know, holds back what waits or is
quarantined, appends the rest and signs the receipt. Source: SETTLED decisions 7, 8, 18-21, 24.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, insert
from sqlmodel import Session, col, select

from server.ledger import queries
from server.ledger.append import append
from server.ledger.contacts import stop_reading
from server.ledger.packing import packed
from server.ledger.queries import Standing
from server.ledger.senders import Sender, Senders, enrolled_by
from server.ledger.tables import FrameRow, HeldFrameRow, ReceiptRow
from server.ledger.underway import UnderWay
from server.ledger.waiting import that_may_fit
from server.office import Office
from server.quarantine import decisions
from shared.accounts import Person, Role
from shared.ledger.door import Held, Verdict, clocks_hold, place
from shared.ledger.frame import Frame, is_sealed, read_frames
from shared.ledger.merge import operations_of
from shared.ledger.messages import FrameReceipt, LineReceipt, Receipt, Request
from shared.ledger.operation import Operation, canonical, genesis
from shared.permissions import OFFICE_ACTS, TABLET_OPENS, plans_for_the_office, writers
from shared.registry import (
    BODIES,
    PARENT_FIELD,
    kind_of_subject,
    parent_of,
    state_of,
    strays,
    subject_kind_of,
    would_begin,
)  # fmt: skip
from shared.values import DeviceId, PersonId, SubjectId, stamp
from shared.visits import Visit

_r = ReceiptRow.__table__.c  # type: ignore[attr-defined]
_RECEIPT = select(_r.body).where(_r.device == bindparam("device"), _r.request == bindparam("request"))
_NEW_RECEIPT = insert(ReceiptRow.__table__)  # type: ignore[attr-defined]


@dataclass
class Judged:
    """A frame with what the door says of it, its readable operations and its unreadable lines."""

    frame: Frame
    verdict: Verdict
    operations: list[Operation]
    unreadable: list[tuple[str, str]]
    is_sealed: bool = False
    is_tablets: bool = True
    is_decided: bool = False


@dataclass(frozen=True)
class Received:
    """What an exchange brought: the receipt's bytes, the subjects it touched, devices found to write two histories."""

    receipt: bytes
    touched: frozenset[SubjectId]
    forked: frozenset[DeviceId] = frozenset()


def receive(session: Session, office: Office, device: DeviceId, request: Request, now: datetime) -> Received:
    """Takes in the frames of one request and gives the receipt; the same frames bring the same receipt.

    A receipt that says of a frame that it waits or is kept aside is true for now only, and is not kept.
    """
    touched = frozenset(frame.header.subject for frame in request.frames)
    if request.frames:
        stored = session.connection().execute(_RECEIPT, {"device": device, "request": request.name}).scalar()
        if stored is not None:
            return Received(stored, touched)
    judged, late = _taken_in(session, device, request.frames, now)
    counter = queries.counter(session)
    receipt = canonical(
        Receipt(
            device=request.hello.device, epoch=counter.epoch, ledger_head=counter.head, position=counter.value,
            frames=tuple(_frame_receipt(item) for item in judged),
            lines=tuple(LineReceipt(*line) for item in judged for line in item.unreadable),
            received_at=stamp(now), request=request.name, tablet_now=request.hello.now,
        )
    )  # fmt: skip
    if request.frames and all(item.verdict.status in ("accepted", "already") for item in judged):
        receipt_row = {"device": device, "request": request.name, "body": receipt}
        session.connection().execute(_NEW_RECEIPT, receipt_row)
    forks = _second_histories([*judged, *late])
    forked = frozenset(item.frame.header.device for item in forks if not item.is_decided)
    decisions.carry_decided(session, office, [item.frame for item in forks if item.is_decided], now)
    return Received(receipt, touched, forked)


def _second_histories(judged: Sequence[Judged]) -> list[Judged]:
    return [item for item in judged if item.verdict == Verdict("quarantined", "fork") and item.is_tablets]


def _frame_receipt(item: Judged) -> FrameReceipt:
    header = item.frame.header
    head = item.frame.ids()[-1].hex()
    return FrameReceipt(header.subject, header.first, header.count, head, item.verdict.status, item.verdict.reason)


def take_in(session: Session, carrier: DeviceId, frames: Sequence[Frame], now: datetime) -> list[Judged]:
    """Judges and stores; frames held back that now fit are taken in behind the ones they waited for. A tablet of which
    one that waited turns out to be a second history reads no more."""
    judged, late = _taken_in(session, carrier, frames, now)
    for item in _second_histories(late):
        if not item.is_decided:
            stop_reading(session, item.frame.header.device, now)
    return judged


def _taken_in(
    session: Session, carrier: DeviceId, frames: Sequence[Frame], now: datetime
) -> tuple[list[Judged], list[Judged]]:  # fmt: skip
    """The frames judged and stored, and of those that waited the ones that wait no more and were not taken in."""
    arrival = Arrival(session, frames)
    judged = [arrival.opened(frame) for frame in frames]
    arrival.ledger.lock((item.frame.header.subject, item.operations) for item in judged)
    for item in sorted(judged, key=_parents_first):
        arrival.judge(item)
    late = _take_in_waiting(session, arrival, judged)
    for item in judged:
        if item.verdict.status in ("waiting", "quarantined", "kept_aside"):
            _hold(session, carrier, item, now)
    session.flush()
    if arrival.ledger.accepted:
        append(session, arrival.ledger.accepted, now, arrival.ledger.held)
    return judged, late


def _take_in_waiting(session: Session, arrival: Arrival, judged: Sequence[Judged]) -> list[Judged]:
    """Frames of this request and frames held back earlier that fit now, as long as one brings another; of the latter
    those that turn out to be quarantined."""
    late: list[Judged] = []
    subjects = {item.frame.header.subject for item in judged}
    devices = enrolled_by([item.frame for item in judged])
    moved = True
    while moved:
        moved = False
        for item in judged:
            if item.verdict.status == "waiting":
                arrival.judge(item)
                moved = moved or item.verdict.status != "waiting"
        rows = that_may_fit(session, arrival.ledger, arrival.senders.servers, subjects, devices)
        fits = [arrival.opened(read_frames(queries.unpacked(row.data)[:-1].split(b"\n"))[0]) for row in rows]
        arrival.ledger.lock((again.frame.header.subject, again.operations) for again in fits)
        for row, again in zip(rows, fits, strict=True):
            arrival.judge(again)
            if again.verdict.status in ("accepted", "already"):
                session.delete(row)
                subjects, moved = {*subjects, again.frame.header.subject}, True
                devices |= arrival.senders.also(again.frame)
            else:
                row.status, row.reason = again.verdict.status, again.verdict.reason
                if row.status != "waiting":
                    late.append(again)
                    moved = True  # what goes on from a second history belongs to it
    return late


_RANK = {"office": -2, "person": -1, "visit_request": 0, "visit": 1, "record": 2, "interview": 3, "report": 4}


def _parents_first(item: Judged) -> tuple[int, str, int, str, int]:
    """The office and persons first, visits before their records: a subject is judged after the one it belongs to;
    within a subject by clock, for who writes stands on what he had seen, a group that names him for example; within a
    chain by seq."""
    header = item.frame.header
    kind = kind_of_subject(item.operations)
    clock = min((operation.clock for operation in item.operations), default=0)
    return (_RANK.get(kind or "", 9), header.subject, clock, header.device, header.first)


OPENED_BY_MEMBERS = frozenset({"visit_request", "visit"})
"""Kinds that any member of the NPM begins, and nobody else from a tablet. Source: SETTLED decision 14."""
GROUP_WRITES = frozenset({"record", "report"})
"""Kinds whose writers follow from the visit alone, so that their operations need not be folded to know them."""


class Arrival:
    """The frames of one request on their way through the door: what was accepted so far, in `ledger`, counts for
    the next."""

    def __init__(self, session: Session, frames: Sequence[Frame]) -> None:
        self.session = session
        self.senders = Senders(session, frames)
        self.ledger = UnderWay(session)
        self._writers: dict[SubjectId, frozenset[PersonId]] = {}

    def opened(self, frame: Frame) -> Judged:
        """A frame with its readable operations; the seal is checked, nothing else is decided."""
        operations, unreadable = operations_of(frame, BODIES)
        item = Judged(frame, Verdict("accepted"), operations, unreadable)
        self._check_seal(item)
        return item

    def _check_seal(self, item: Judged) -> Sender | None:
        """Whose device sealed it; None while nobody vouches for it: its enrolment may come back yet, see senders."""
        sender = self.senders.of(item.frame.header.device)
        if sender is None:
            item.verdict = Verdict("waiting", "gap")
        elif not item.is_sealed and not is_sealed(item.frame, bytes.fromhex(sender.sign_key)):
            item.verdict = Verdict("quarantined", "bad_seal")
        else:
            item.is_sealed, item.is_tablets = True, not sender.is_office
        return sender

    def judge(self, item: Judged) -> None:
        """What becomes of a frame, also of one that waited; an accepted one joins `accepted`."""
        sender = self._check_seal(item)
        if sender is not None and item.verdict.status in ("accepted", "waiting"):
            item.verdict = self._placed(sender, item)
        if item.verdict.status == "quarantined":
            self._look_at_decision(item)

    def _look_at_decision(self, item: Judged) -> None:
        """What two people decided of this frame before holds again. Source: PROTOCOL P33, P34."""
        known = decisions.decision_of(self.session, item.frame.ids()[-1].hex())
        if known is None or (item.verdict.reason == "bad_seal") != (known.held == "bad_seal"):
            return  # the same lines under a broken seal are another matter
        item.is_decided = known.outcome == "taken_in"
        if known.outcome == "kept_aside":
            item.verdict = Verdict("kept_aside", item.verdict.reason)
        elif item.verdict.reason != "fork":
            sender = self._check_seal(item)
            assert sender is not None
            item.verdict = self._placed(sender, item)
        elif decisions.is_carried(self.session, item.frame):
            item.verdict = Verdict("already", "fork")

    def _placed(self, sender: Sender, item: Judged) -> Verdict:
        header = item.frame.header
        chain = self.ledger.chain(header.device, header.subject)
        held = Held(chain.seq, chain.head) if chain else Held(0, genesis(header.device, header.subject).hex())
        verdict = place(item.frame, held, _known_ids(self.session, item.frame, held) | self.ledger.ids)
        if verdict.status == "waiting" and decisions.goes_on_from_branch(self.session, header.prev):
            verdict = Verdict("quarantined", "fork")
        if verdict.status != "already" and sender.revoked_at is not None and not item.is_decided:
            return Verdict("quarantined", "revoked")
        if verdict.status != "accepted":
            return verdict
        if not sender.confirmed_by:
            return Verdict("waiting", "gap")  # another carries it; the second officer has not looked yet
        row = self.ledger.row(header.subject)
        refused = self._no_right(sender, item, row)
        if refused and not (item.is_decided and refused.status == "quarantined"):
            return refused
        if refused and row and self._would_begin(item, row):
            return Verdict("quarantined", "wrong_subject")
        fresh = [operation for operation in item.operations if operation.seq > held.seq]
        clock = self.ledger.clock(header.subject)
        if not item.is_decided and not clocks_hold(fresh, chain.clock if chain else 0, clock):
            return Verdict("quarantined", "clock_leap")
        self.ledger.accept(item.frame, fresh, verdict.skip)
        if row is None or row.kind == "visit":
            self._writers.clear()
        return verdict

    def _no_right(self, sender: Sender, item: Judged, row: Standing | None) -> Verdict | None:
        """Whether author and subject allow this frame at all; what merely does not count is left to the fold."""
        kinds = {kind for operation in item.operations if (kind := subject_kind_of(operation.kind))}
        kind = row.kind if row else kind_of_subject(item.operations)
        if kinds and (kinds != {kind} or (row and strays(item.operations, row.kind, row.parent))):
            return Verdict("quarantined", "wrong_subject")
        if not sender.is_office and any(
            each.author != sender.person or each.kind in OFFICE_ACTS for each in item.operations
        ):
            return Verdict("quarantined", "no_access")
        if row is None:
            return self._may_begin(sender, item, kind)
        if not sender.is_office and sender.person not in self._writers_of(row):
            return Verdict("quarantined", "no_access")
        return None

    def _would_begin(self, item: Judged, row: Standing) -> bool:
        """Whether taking it in would make another subject of this one. Source: PROTOCOL P67."""
        strayed = strays(item.operations, row.kind, row.parent)
        return bool(strayed) and would_begin(strayed, self.ledger.operations(row.id), row.kind, row.parent)

    def _writers_of(self, row: Standing) -> frozenset[PersonId]:
        """Who may write the subject; asked once a request, for it takes folding."""
        if row.id not in self._writers:
            if row.kind in GROUP_WRITES and row.parent:
                state = state_of(row.kind, row.id, (), self.ledger.state(row.parent))
            else:
                state = self.ledger.state(row.id)
            self._writers[row.id] = writers(state)
        return self._writers[row.id]

    def _ever_visited(self, person: PersonId) -> bool:
        """Whether the person is or once was a member of the NPM, with what this request brings of it."""
        state = self.ledger.state(SubjectId(person))
        return isinstance(state, Person) and any(term.role is Role.NPM_MEMBER for term in state.terms)

    def _may_begin(self, sender: Sender, item: Judged, kind: str | None) -> Verdict | None:
        if kind is None:
            return Verdict("waiting", "gap")
        if not sender.is_office and (kind not in TABLET_OPENS or plans_for_the_office(item.operations)):
            return Verdict("quarantined", "no_access")
        if kind in OPENED_BY_MEMBERS and not sender.is_office and not self._ever_visited(sender.person):
            return Verdict("quarantined", "no_access")
        if kind not in PARENT_FIELD:
            return None
        parent = parent_of(item.operations)
        visit = self.ledger.state(parent) if parent else None
        if visit is None:
            return Verdict("waiting", "gap")
        if sender.is_office:
            return None
        if not isinstance(visit, Visit) or sender.person not in visit.ever_members:
            return Verdict("quarantined", "no_access")
        return None


def _known_ids(session: Session, frame: Frame, held: Held) -> set[str]:
    """Ids of the chain's operations that the frame overlaps, read only when it lies wholly behind the head."""
    header = frame.header
    if header.first > held.seq or frame.last > held.seq:
        return set()
    rows = session.exec(
        select(FrameRow).where(
            FrameRow.device == header.device, FrameRow.subject == header.subject,
            col(FrameRow.first) <= frame.last, col(FrameRow.first) + col(FrameRow.count) > header.first,
        )
    )  # fmt: skip
    return {id_.hex() for row in rows for id_ in queries.frame_of(row).ids()}


def _hold(session: Session, carrier: DeviceId, item: Judged, now: datetime) -> None:
    header, last_id = item.frame.header, item.frame.ids()[-1].hex()
    known = session.exec(
        select(HeldFrameRow).where(
            HeldFrameRow.device == header.device, HeldFrameRow.subject == header.subject,
            HeldFrameRow.first == header.first, HeldFrameRow.last_id == last_id,
        )
    ).first()  # fmt: skip
    if known is not None and known.reason == "bad_seal" and item.verdict.reason != "bad_seal":
        # The same lines under a broken seal came first: they must not take the place of those that are sealed.
        known.data, known.status, known.reason = packed(item.frame), item.verdict.status, item.verdict.reason
    if known is None:
        session.add(
            HeldFrameRow(
                subject=header.subject, parent=parent_of(item.operations), device=header.device, first=header.first,
                count=header.count, prev=header.prev, last_id=last_id, data=packed(item.frame),
                status=item.verdict.status, reason=item.verdict.reason, carried_by=carrier, received_at=now,
            )
        )  # fmt: skip
