"""Who was ever allowed to hold what, kept outside the system as the office's rows say it step by step."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlmodel import select

from server.ledger import queries
from server.ledger.tables import AccessRow, FrameRow
from shared.permissions import EVERYBODY
from shared.values import OperationId, PersonId, SubjectId
from tests.ground import World
from tests.ground.statements import untold


@dataclass
class Scope:
    """allowed: (person, subject) ever granted. left: (person, subject) → ids that stood there when it was withdrawn."""

    allowed: set[tuple[str, SubjectId]] = field(default_factory=set)
    now: set[tuple[str, SubjectId]] = field(default_factory=set)
    left: dict[tuple[str, SubjectId], set[OperationId]] = field(default_factory=dict)

    def look(self, world: World, *, behind: bool = False) -> None:
        """Takes in the rows as they are now.

        behind  as the exchange found them: what a push granted, the next one may take away before anybody acts
        """
        with untold(), world.office.database.read(behind=behind) as session:
            rows = {(row.audience, SubjectId(row.subject)) for row in session.exec(select(AccessRow))}
            gone = self.now - rows
            for audience, subject in gone:
                self.left[audience, subject] = ids_of(session, subject)
        for back in rows & set(self.left):
            del self.left[back]
        self.allowed |= rows
        self.now = rows

    def forget_withdrawals(self) -> None:
        """The office was set back: it does not know what it withdrew since then; what it forgot is not withdrawn."""
        self.left.clear()
        self.now = set()

    def ever(self, person: PersonId, subject: SubjectId) -> bool:
        """Whether this person's tablets were ever allowed to hold the subject."""
        return (person, subject) in self.allowed or (EVERYBODY, subject) in self.allowed


def ids_of(session: object, subject: SubjectId) -> set[OperationId]:
    """Every operation the office holds of the subject, unreadable ones too."""
    rows = session.exec(select(FrameRow).where(FrameRow.subject == subject))  # type: ignore[attr-defined]
    return {OperationId(id_.hex()) for row in rows for id_ in queries.frame_of(row).ids()}
