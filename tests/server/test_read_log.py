"""The read log: words of many subjects opened at once leave a chained line each, or nothing is opened."""

from __future__ import annotations

import pytest
from sqlmodel import Session, col, select

from server.ledger import opening
from server.ledger import queries as ledger
from server.ledger.tables import ReadRow
from server.office import Reader
from server.visit_requests import opened
from shared.accounts import Role
from shared.errors import RuleBroken
from shared.values import SubjectId
from tests.server.conftest import World
from tests.server.council import Council, a_council

REASONS = ("Первое сообщение", "Второе сообщение", "Третье сообщение")


@pytest.fixture
def council(world: World) -> Council:
    """A Council of eleven with its secretary."""
    return a_council(world)


def lines(session: Session) -> list[ReadRow]:
    """The read log, oldest first."""
    return list(session.exec(select(ReadRow).order_by(col(ReadRow.number))))


def open_all(session: Session, council: Council, requests: list[SubjectId], hat: Role = Role.COUNCIL_SECRETARY) -> dict:
    """The words of the requests for the secretary."""
    reader = Reader(council.secretary, hat)
    return opened.of_requests(session, council.world.office, reader, requests, "inbox", council.world.now)


def test_many_subjects_opened_at_once_leave_a_line_each_and_the_log_stays_whole(council: Council) -> None:
    requests = [council.request(reason=reason) for reason in REASONS]
    with council.world.office.database.write() as session:
        open_all(session, council, requests[:1])
    with council.world.office.database.write() as session:
        texts = open_all(session, council, requests[::-1])
        assert [texts[request]["reason"] for request in requests] == list(REASONS)
    with council.world.office.database.write() as session:
        open_all(session, council, requests[1:2])
    with council.world.office.database.read() as session:
        written = lines(session)
        assert [row.number for row in written] == [1, 2, 3, 4, 5]
        assert [row.subject for row in written] == [requests[0], *requests[::-1], requests[1]]
        assert {row.purpose for row in written} == {"requests.purpose.inbox"}
        assert opening.broken_read_log(session) is None


@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_line_changed_inside_a_page_of_openings_is_found(council: Council, number: int) -> None:
    requests = [council.request(reason=reason) for reason in REASONS]
    with council.world.office.database.write() as session:
        open_all(session, council, requests)
    with council.world.office.database.write() as session:
        row = session.get(ReadRow, number)
        assert row is not None
        row.person = council.chair
        session.add(row)
    with council.world.office.database.read() as session:
        assert opening.broken_read_log(session) == number


def test_one_subject_that_may_not_be_read_keeps_all_closed_and_the_log_empty(council: Council) -> None:
    hidden, (shown, _) = council.request(), council.voting()
    with council.world.office.database.write() as session, pytest.raises(RuleBroken, match="not_found"):
        open_all(session, council, [shown, hidden], Role.COUNCIL_MEMBER)
    with council.world.office.database.read() as session:
        assert lines(session) == []


def test_when_the_lines_cannot_be_written_no_seal_is_opened(council: Council, monkeypatch: pytest.MonkeyPatch) -> None:
    requests = [council.request(reason=reason) for reason in REASONS]
    unsealed: list[object] = []
    monkeypatch.setattr(opening, "opened_words", lambda *given: unsealed.append(given))

    def full(*_: object) -> bytes:
        raise OSError("no room")

    monkeypatch.setattr(opening, "read_line", full)
    with pytest.raises(OSError, match="no room"), council.world.office.database.write() as session:
        open_all(session, council, requests)
    assert unsealed == []


def test_many_subjects_fold_as_each_alone(council: Council) -> None:
    request, ballot = council.voting()
    council.votes(ballot, "ffa")
    with council.world.office.database.read() as session:
        many = ledger.states(session, [ballot, request, ballot, council.secretary])
        assert many == {subject: ledger.state(session, subject) for subject in (ballot, request, council.secretary)}
        assert ledger.states(session, []) == {}
