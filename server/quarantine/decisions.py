"""What was decided of a frame, and branches taken in, as the door and the exchange ask for them.

Reads and carries; who may decide is asked in `actions`.

Source: PROTOCOL P32-P38.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlmodel import Session, col, select

from server.ledger import queries
from server.ledger.actions import record
from server.ledger.tables import FrameRow, HeldFrameRow, SubjectRow
from server.office import Office
from server.quarantine.tables import FrameDecisionRow
from shared.ledger.branch import branch_bodies, branches
from shared.ledger.frame import Frame, read_frames
from shared.ledger.messages import AskedFrame, FrameReceipt
from shared.values import DeviceId, PersonId, is_hash, is_id


def decision_of(session: Session, head: str) -> FrameDecisionRow | None:
    """What was decided last of the frame that ends with this operation."""
    return session.get(FrameDecisionRow, head) if is_hash(head) else None


def frame_in(row: HeldFrameRow) -> Frame:
    """The frame behind a row."""
    return read_frames(queries.unpacked(row.data)[:-1].split(b"\n"))[0]


def goes_on_from_branch(session: Session, prev: str) -> bool:
    """Whether a frame that begins behind operation `prev` belongs to a second history, not to a gap in the first."""
    decision = session.get(FrameDecisionRow, prev)
    if decision is not None and decision.held == "fork":
        return True
    held = select(HeldFrameRow.id).where(HeldFrameRow.last_id == prev, HeldFrameRow.reason == "fork")
    return session.exec(held).first() is not None


def is_carried(session: Session, frame: Frame) -> bool:
    """Whether the office carries this frame as a branch already."""
    wire = frame.encoded()
    return any(each.encoded() == wire for each in branches(queries.operations(session, frame.header.subject)))


def carry(session: Session, office: Office, frame: Frame, author: PersonId, now: datetime) -> None:
    """Puts a branch into operations of the office, each part in a frame of its own; once only. `author` decided it."""
    if session.get(SubjectRow, frame.header.subject) is None or is_carried(session, frame):
        return
    for body in branch_bodies(frame):
        record(session, office, frame.header.subject, author, [body], now)


def carry_decided(session: Session, office: Office, frames: Iterable[Frame], now: datetime) -> None:
    """Branches that were decided and that nothing carries any more (a restore lost the operation) are carried again."""
    for frame in frames:
        head = frame.ids()[-1].hex()
        decision = decision_of(session, head)
        if decision is not None and decision.outcome == "taken_in":
            carry(session, office, frame, PersonId(decision.author), now)
            for row in session.exec(select(HeldFrameRow).where(HeldFrameRow.last_id == head)):
                session.delete(row)


def fates(session: Session, device: DeviceId, asked: Iterable[AskedFrame]) -> tuple[FrameReceipt, ...]:
    """What became of own frames the tablet asks about, as far as somebody decided or a gap was filled."""
    found = []
    for frame in asked:
        if is_id(frame.subject) and is_hash(frame.head):
            status, reason = _fate(session, device, frame)
            if status:
                found.append(FrameReceipt(frame.subject, frame.first, frame.count, frame.head, status, reason))  # type: ignore[arg-type]
    return tuple(found)


def _fate(session: Session, device: DeviceId, frame: AskedFrame) -> tuple[str, str]:
    row = session.exec(
        select(FrameRow.cursor).where(
            FrameRow.device == device, FrameRow.subject == frame.subject, FrameRow.last_id == frame.head
        )
    ).first()  # fmt: skip
    if row is not None:
        return "accepted", ""
    held = session.exec(
        select(HeldFrameRow).where(HeldFrameRow.device == device, col(HeldFrameRow.last_id) == frame.head)
    ).first()
    if held is not None and held.status == "waiting":
        return "waiting", "gap"
    decision = decision_of(session, frame.head)
    if decision is None or decision.device != device:
        return "", ""
    if decision.outcome == "kept_aside":
        return "kept_aside", decision.held
    return ("accepted", "fork") if held is None and decision.held == "fork" else ("", "")
