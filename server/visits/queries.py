"""Reading visits: the list a hat may see, names of a group, the last contact with its tablets, mandates."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Select, func
from sqlmodel import Session, col, select

from server.accounts.tables import DeviceRow, PersonRow
from server.ledger.tables import ContactRow
from server.office import Reader
from server.visits.tables import MandateRow, VisitMemberRow, VisitOfficerRow, VisitRow
from shared.accounts import Role
from shared.values import PersonId, SubjectId

PAGE = 50
BEFORE_START = ("planned", "group_formed", "conflicts_cleared", "mandate_issued")
_ALL = {Role.COUNCIL_MEMBER, Role.COMMISSIONER, Role.COUNCIL_SECRETARY}


@dataclass(frozen=True)
class VisitLine:
    """A visit in a list. `members` are names in the order of the group; `institution` a key, empty before the start."""

    id: SubjectId
    visit_kind: str
    stage: str
    institution: str
    mandate: str
    planned_at: datetime | None
    started_at: datetime | None
    closed_at: datetime | None
    leader: str = ""
    members: tuple[str, ...] = ()


@dataclass(frozen=True)
class Listed:
    """A page of the list and how many there are in all."""

    lines: list[VisitLine]
    total: int
    kinds: dict[str, int] = field(default_factory=dict)


def listed(session: Session, reader: Reader, stage: str = "", kind: str = "", page: int = 1) -> Listed:
    """The visits this reader may see, newest first, 50 a page.

    stage  one stage of the visit; "" for all

    The rows are those for which `may(person, hat, "visit.read", visit)` answers yes.
    """
    query = _visible(select(VisitRow), reader)
    if query is None:
        return Listed([], 0)
    if stage:
        query = query.where(VisitRow.stage == stage)
    if kind:
        query = query.where(VisitRow.visit_kind == kind)
    total = session.exec(select(func.count()).select_from(query.subquery())).one()
    order = query.order_by(col(VisitRow.planned_at).desc(), col(VisitRow.id).desc())
    rows = list(session.scalars(order.offset((page - 1) * PAGE).limit(PAGE)))
    groups = _groups(session, [row.id for row in rows])
    return Listed([_line(row, groups.get(row.id, [])) for row in rows], total)


def _visible(query: Select[tuple[VisitRow]], reader: Reader) -> Select[tuple[VisitRow]] | None:
    if reader.hat in _ALL:
        return query
    if reader.hat == Role.AUDITOR:
        return query.where(col(VisitRow.started_at).is_not(None))
    if reader.hat == Role.CENTRE_OFFICER:
        mine = select(VisitOfficerRow.visit).where(VisitOfficerRow.person == reader.person)
        return query.where(col(VisitRow.id).in_(mine), col(VisitRow.started_at).is_not(None))
    if reader.hat in (Role.NPM_MEMBER, Role.EXPERT):
        member = select(VisitMemberRow.visit).where(VisitMemberRow.person == reader.person)
        own = (col(VisitRow.visit_kind) == "unplanned") & (col(VisitRow.planned_by) == reader.person)
        return query.where(col(VisitRow.id).in_(member) | own)
    return None


def _groups(session: Session, visits: list[str]) -> dict[str, list[tuple[bool, str]]]:
    rows = session.exec(
        select(VisitMemberRow.visit, VisitMemberRow.leads, PersonRow.name)
        .join(PersonRow, col(PersonRow.id) == col(VisitMemberRow.person))
        .where(col(VisitMemberRow.visit).in_(visits))
        .order_by(col(VisitMemberRow.place))
    )
    found: dict[str, list[tuple[bool, str]]] = {}
    for visit, leads, name in rows:
        found.setdefault(visit, []).append((leads, name))
    return found


def _line(row: VisitRow, group: list[tuple[bool, str]]) -> VisitLine:
    return VisitLine(
        SubjectId(row.id), row.visit_kind, row.stage, row.institution, row.mandate, row.planned_at, row.started_at,
        row.closed_at, next((name for leads, name in group if leads), ""), tuple(name for _, name in group),
    )  # fmt: skip


def of_institution(session: Session, institution: str) -> list[VisitLine]:
    """Visits that were started at an institution, newest first."""
    query = select(VisitRow).where(VisitRow.institution == institution, col(VisitRow.started_at).is_not(None))
    return [_line(row, []) for row in session.exec(query.order_by(col(VisitRow.started_at).desc()))]


def visits_made(session: Session) -> dict[str, tuple[int, datetime]]:
    """How often each institution was visited and when last, by register key."""
    rows = session.exec(
        select(VisitRow.institution, func.count(), func.max(VisitRow.started_at))
        .where(VisitRow.institution != "", col(VisitRow.started_at).is_not(None))
        .group_by(VisitRow.institution)
    )
    return {key: (count, last) for key, count, last in rows}


@dataclass(frozen=True)
class TabletContact:
    """When a member's tablet was last heard, and whether it held back something then (None: it did not say)."""

    person: PersonId
    name: str
    label: str
    seen_at: datetime | None


def contacts(session: Session, persons: tuple[PersonId, ...]) -> list[TabletContact]:
    """Live tablets of these people with the last contact, by name."""
    rows = session.exec(
        select(DeviceRow, PersonRow.name, ContactRow.seen_at)
        .join(PersonRow, col(PersonRow.id) == col(DeviceRow.person))
        .join(ContactRow, col(ContactRow.device) == col(DeviceRow.id), isouter=True)
        .where(col(DeviceRow.person).in_(list(persons)), col(DeviceRow.revoked_at).is_(None))
        .order_by(PersonRow.name)
    )
    return [TabletContact(PersonId(row.person), name, row.label, seen) for row, name, seen in rows]


def mandate_stands(session: Session, number: str) -> bool | None:
    """Whether the mandate of this number still holds; None when none was ever issued."""
    return session.exec(select(MandateRow.stands).where(MandateRow.number == number)).first()
