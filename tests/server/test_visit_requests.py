"""Requests and the Council's votes on them, through actions and pages, on both databases."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlmodel import select

from server.office import Reader
from server.visit_requests import actions, bulk, queries
from server.visit_requests.tables import RequestRow, VoteSeatRow
from shared.accounts import Role
from shared.errors import RuleBroken
from shared.values import moment_of
from tests.server.conftest import World
from tests.server.council import Council, a_council, form_token


@pytest.fixture
def council(world: World) -> Council:
    return a_council(world)


def text_of(answer) -> str:
    return re.sub(r"<[^>]+>", " ", answer.get_data(as_text=True)).replace("\xa0", " ")


# ── the rule and its boundaries ─────────────────────────────────────────────────────────────────────────────────────

# eleven in office, quorum 8; the chair's mark stands first
BOUNDARIES = [
    ("ffffaaaa   ", "approved", "chair_for"),  # 4 : 4, the chair is for
    ("aaaaffff   ", "not_approved", "chair_against"),
    ("-ffffaaaa  ", "not_approved", "chair_silent"),
    ("fffffaaaa  ", "approved", "majority"),  # 9 take part, 5 needed: n
    ("ffff-aaaa  ", "approved", "chair_for"),  # 4 of 9: n - 1, but 4 : 4
    ("ffff--aaa  ", "not_approved", "too_few"),  # n - 1, no tie
    ("fffffff    ", "no_quorum", "no_quorum"),  # 7 of 11
    ("ffffffff   ", "approved", "majority"),  # 8 of 11: the quorum itself
    ("fffffffr   ", "no_quorum", "no_quorum"),  # the recused stay in the base and take no part
    ("ffffffffr  ", "approved", "majority"),
    ("           ", "no_quorum", "no_quorum"),  # silence refuses nothing
    ("aaaaaaaaaaa", "not_approved", "too_few"),
]  # fmt: skip


@pytest.mark.parametrize(("marks", "result", "ground"), BOUNDARIES)
@pytest.mark.parametrize("engine", ["sqlite"])
def test_the_count_decides_at_every_boundary(council: Council, marks: str, result: str, ground: str) -> None:
    request, ballot = council.voting()
    council.votes(ballot, marks)
    council.world.clock.pass_(days=10)
    counted = council.close(ballot)
    assert (counted.result, counted.ground) == (result, ground)
    state = council.state(request)
    assert state.state == ("approved" if result == "approved" else "not_approved")
    decided = state.decision.body
    assert decided.counts == counted.tally
    assert {rule.key for rule in decided.rules} >= {"council.quorum", "council.majority", "council.tie"}
    assert all(rule.confidence for rule in decided.rules)


@pytest.mark.parametrize("engine", ["sqlite"])
def test_a_majority_against_refuses_only_with_a_written_reason(council: Council) -> None:
    for reason, expected in (("", "not_approved"), ("Уже посещено в феврале", "refused")):
        request, ballot = council.voting()
        council.votes(ballot, "aaaaaaaaaaa")
        council.close(ballot, reason)
        state = council.state(request)
        assert (state.state, state.decision.body.reason) == (expected, reason)


def test_the_filer_is_recused_and_everybody_in_office_is_entitled(council: Council) -> None:
    outside = council.world.person(Role.COUNCIL_MEMBER)
    council.filer = council.members[0]
    _, ballot = council.voting()
    state = council.ballot(ballot)
    assert set(state.entitled) == {*council.everybody, outside}
    assert state.chair == council.chair
    assert list(state.recused) == [council.filer]
    with pytest.raises(RuleBroken, match="recused"):
        council.vote(ballot, council.filer, "for")


def test_a_vote_is_replaced_until_the_close_and_every_change_is_kept(council: Council) -> None:
    _, ballot = council.voting()
    voter = council.members[0]
    for choice in ("abstain", "against", "for"):
        council.vote(ballot, voter, choice)
    state = council.ballot(ballot)
    assert state.choices == {voter: "for"}
    assert [what for _, kind, _, what in state.history if kind == "vote_cast"] == ["abstain", "against", "for"]


def test_a_late_vote_is_refused_with_the_time(council: Council) -> None:
    _, ballot = council.voting()
    closes_at = council.ballot(ballot).closes_at
    council.world.clock.now = moment_of(closes_at)
    council.vote(ballot, council.members[0], "for")  # the last second is in time
    council.world.clock.pass_(seconds=1)
    with pytest.raises(RuleBroken, match="vote_closed") as refused:
        council.vote(ballot, council.members[1], "for")
    assert refused.value.facts["closed_at"] == closes_at


def test_a_count_does_not_close_while_votes_are_missing_and_time_is_left(council: Council) -> None:
    _, ballot = council.voting()
    council.votes(ballot, "ffffffffff ")
    with pytest.raises(RuleBroken, match="vote_open"):
        council.close(ballot)
    council.votes(ballot, "          r")
    assert council.close(ballot).result == "approved"
    with pytest.raises(RuleBroken, match="vote_closed"):
        council.close(ballot)


def test_a_vote_against_needs_a_reason_which_stays_sealed(council: Council) -> None:
    _, ballot = council.voting()
    with pytest.raises(RuleBroken, match="no_reason"):
        council.vote(ballot, council.members[0], "against", "  ")
    council.vote(ballot, council.members[0], "against", "Тайная причина")
    with council.world.office.database.engine.connect() as connection:
        found = [
            str(row)
            for table in ("vote_seats", "votes")
            for row in connection.exec_driver_sql(f"SELECT * FROM {table}")
        ]
    assert found
    assert "Тайная" not in "".join(found)


def test_the_term_is_the_rule_and_a_late_one_runs_anew(council: Council) -> None:
    _, ballot = council.voting(urgency="urgent", kind="special")
    assert moment_of(council.ballot(ballot).closes_at) == council.world.now + timedelta(hours=24)
    late = council.request(urgency="urgent")
    council.world.clock.pass_(days=3)
    assert moment_of(council.ballot(council.put(late)).closes_at) == council.world.now + timedelta(hours=24)


def test_a_decision_is_taken_back_within_ten_minutes_and_not_later(council: Council) -> None:
    request, ballot = council.voting()
    council.votes(ballot, "fffffffffff")
    council.close(ballot, photos=True)
    assert council.state(request).decision.body.photos_allowed
    council.world.clock.pass_(minutes=10)
    office = council.world.office
    with office.database.write() as session:
        actions.withdraw_decision(session, office, council.secretary, request, "Ошибка в протоколе", council.world.now)
    assert council.state(request).state == "filed"
    ballot = council.put(request)
    council.votes(ballot, "fffffffffff")
    council.close(ballot)
    council.world.clock.pass_(minutes=10, seconds=1)
    with pytest.raises(RuleBroken, match="too_late_to_undo"), office.database.write() as session:
        actions.withdraw_decision(session, office, council.secretary, request, "Поздно", council.world.now)
    assert council.state(request).state == "approved"


def test_rows_are_the_folded_state(council: Council) -> None:
    request, ballot = council.voting()
    council.votes(ballot, "fa-r       ")
    with council.world.office.database.read() as session:
        row = session.get(RequestRow, request)
        seats = session.exec(select(VoteSeatRow).where(VoteSeatRow.vote == ballot)).all()
        state = queries.vote_state(session, ballot)
        assert (row.state, row.vote) == ("voting", ballot)
        assert {seat.person: seat.choice for seat in seats if seat.choice} == state.choices
        assert {seat.person for seat in seats if seat.recused} == set(state.recused)


# ── a bulk ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def forty(council: Council) -> list[str]:
    """Forty ballots, two of them with a declared conflict."""
    made = [council.voting(reason=f"Основание {number}") for number in range(40)]
    for _, ballot in made[:2]:
        council.votes(ballot, " r")
    return [request for request, _ in made]


@pytest.mark.parametrize("engine", ["sqlite"])
def test_a_bulk_of_forty_with_two_conflicts_casts_thirty_eight_and_takes_them_back(council: Council) -> None:
    requests, voter = forty(council), council.members[5]
    office, reader = council.world.office, Reader(voter, Role.COUNCIL_MEMBER)
    with office.database.write() as session:
        plan = bulk.preview(session, office, reader, requests, council.world.now)
        assert (len(plan.voted), [reason for _, reason in plan.left_out]) == (38, ["conflict", "conflict"])
        made = bulk.vote_for_all(session, office, reader, requests, council.world.now)
    assert standing(council, requests, voter) == 38
    changed = council.state(requests[5]).vote
    council.vote(changed, voter, "abstain")
    with office.database.write() as session:
        assert bulk.undo(session, office, reader, made, council.world.now) == (37, 1)
    assert standing(council, requests, voter) == 1
    assert council.ballot(changed).choices[voter] == "abstain"


def standing(council: Council, requests: list[str], voter: str) -> int:
    return sum(voter in council.ballot(council.state(request).vote).votes for request in requests)


@pytest.mark.parametrize("engine", ["sqlite"])
def test_a_bulk_is_not_taken_back_late_nor_by_somebody_else(council: Council) -> None:
    request, _ = council.voting()
    office, reader = council.world.office, Reader(council.members[0], Role.COUNCIL_MEMBER)
    with office.database.write() as session:
        made = bulk.vote_for_all(session, office, reader, [request], council.world.now)
    with pytest.raises(RuleBroken, match="not_found"), office.database.write() as session:
        bulk.undo(session, office, replace(reader, person=council.members[1]), made, council.world.now)
    council.world.clock.pass_(minutes=10, seconds=1)
    with pytest.raises(RuleBroken, match="too_late_to_undo"), office.database.write() as session:
        bulk.undo(session, office, reader, made, council.world.now)


@pytest.mark.parametrize("engine", ["sqlite"])
@pytest.mark.parametrize(
    ("more", "marks", "reason"),
    [
        ({"urgency": "urgent"}, "", "urgent"),
        ({"kind": "special"}, "", "special"),
        ({}, "a", "disputed"),
        ({}, "r", "conflict"),
        ({}, "     f", "voted"),
    ],
)
def test_a_bulk_leaves_out_what_wants_a_decision_of_its_own(
    council: Council, more: dict, marks: str, reason: str
) -> None:
    request, ballot = council.voting(**more)
    council.votes(ballot, marks)
    office, reader = council.world.office, Reader(council.members[4], Role.COUNCIL_MEMBER)
    with office.database.write() as session:
        plan = bulk.preview(session, office, reader, [request], council.world.now)
    assert [why for _, why in plan.left_out] == [reason]
    assert not plan.voted


# ── pages ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def sign_in(council: Council, person: str, hat: Role, language: str = "ru"):
    client = council.world.client()
    cookie = council.cookie(person, hat, language)
    client.set_cookie("__Host-qorgan", cookie, secure=True)
    token = form_token(council.world, cookie)

    class Browser:
        def get(self, path):
            return client.get(path, base_url="https://localhost")

        def post(self, path, **form):
            return client.post(path, data={"csrf": token, **form}, base_url="https://localhost")

    return Browser()
