"""What a bundle for a colleague leaves behind: interviews that were not shared are read by their author, the leader of
the group and the office alone. Counted, so that nobody believes them handed over.
Source: SETTLED, table of subjects (interview); SECURITY B.26.
"""

from __future__ import annotations

from field_app.store.carried import colleagues
from field_app.store.opened import Opened
from field_app.store.store import Store
from shared.permissions import readers
from shared.values import PersonId, SubjectId


def staying(store: Store, person: PersonId) -> int:
    """How many interviews holding something of this tablet that the office lacks this person may not read."""

    def work(opened: Opened) -> int:
        states = ((subject, opened.book.state(subject)) for subject in opened.book.of_kind("interview"))
        return sum(
            (state is None or person not in readers(state)) and _is_undelivered(opened, subject)
            for subject, state in states
        )

    return store.reading(work)


def spread(store: Store) -> tuple[int, int]:
    """The same for the colleague who may read most, and for the one who may read least; (0, 0) without colleagues."""
    counts = [staying(store, person) for person in {each.person for each in colleagues(store)}]
    return min(counts, default=0), max(counts, default=0)


def _is_undelivered(opened: Opened, subject: SubjectId) -> bool:
    received = sum(cut.header.count for cut in opened.cuts if cut.header.subject == subject and cut.is_received)
    return len(opened.numbers.get(subject, ())) > received
