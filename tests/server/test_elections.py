"""Elections from the call to a member with two officers behind the role, through actions and pages."""

from __future__ import annotations

import io
import re
from datetime import date

import pypdf
import pytest
from sqlmodel import Session, select

from server.accounts import actions as accounts
from server.accounts import queries as people
from server.accounts.tables import RoleProposalRow
from server.elections import actions, queries
from server.elections.actions import Application
from shared.accounts import Role
from shared.candidacies import Election
from shared.eligibility import BARS
from shared.errors import RuleBroken
from shared.values import PersonId, SubjectId
from tests.server.conftest import World
from tests.server.council import Council, a_council
from tests.server.test_visit_requests import sign_in, text_of

CLEAR = {bar.key: "clear" for bar in BARS}


class Poll:
    """An election of a Council, with shortcuts."""

    def __init__(self, council: Council, seats: int, names: str) -> None:
        self.council, self.world = council, council.world
        office, now = self.world.office, self.world.now
        with office.database.write() as session:
            self.id = actions.call_election(session, office, council.secretary, seats, "KZ-35", date(2026, 5, 1), now)
        self.candidates = {name: self.enter(name) for name in names}
        for candidate in self.candidates.values():
            self.check(candidate, CLEAR)

    def enter(self, name: str, **more) -> PersonId:
        office = self.world.office
        with office.database.write() as session:
            application = Application(name, "lawyer", ("Заявление",), "Замечание", **more)
            return actions.enter_candidate(
                session, office, self.council.secretary, self.id, application, self.world.now
            )

    def check(self, candidate: PersonId, answers) -> str:
        office = self.world.office
        with office.database.write() as session:
            return actions.check_candidate(
                session, office, self.council.secretary, self.id, candidate, answers, self.world.now
            )

    def open(self) -> None:
        office = self.world.office
        with office.database.write() as session:
            actions.open_round(session, office, self.council.secretary, self.id, self.world.now)

    def ballots(self, *marks: str) -> None:
        """A line a voter, the chair first: a mark a candidate of the round in the order they were entered."""
        office = self.world.office
        round_ = self.state().open_round
        for voter, line in zip(self.council.everybody, marks, strict=False):
            choices = {
                candidate: {"f": "for", "a": "against", "-": "abstain"}[mark]
                for candidate, mark in zip(round_.opened.candidates, line, strict=True)
            }
            with office.database.write() as session:
                actions.cast_ballot(session, office, voter, self.id, choices, self.world.now)

    def count(self):
        office = self.world.office
        with office.database.write() as session:
            return actions.close_round(session, office, self.council.secretary, self.id, self.world.now)

    def close(self) -> None:
        office = self.world.office
        with office.database.write() as session:
            actions.close_election(session, office, self.council.secretary, self.id, self.world.now)

    def state(self) -> Election:
        with self.world.office.database.read() as session:
            return queries.election_state(session, self.id)

    def names(self, ids) -> str:
        return "".join(sorted(name for name, each in self.candidates.items() if each in ids))


@pytest.fixture
def council(world: World) -> Council:
    return a_council(world)


def test_the_call_lasts_as_the_rules_say_and_the_term_too(council: Council) -> None:
    called = Poll(council, 2, "A").state().called
    assert (called.call_from, called.call_until) == ("2026-03-02", "2026-03-22")
    assert (called.term_from, called.term_until) == ("2026-05-01", "2028-04-30")
    assert {rule.key for rule in called.rules} >= {"selection.call", "member.term", "election.tie"}


def test_no_ballot_while_the_call_is_open_nor_before_everybody_is_checked(council: Council) -> None:
    poll = Poll(council, 1, "A")
    with pytest.raises(RuleBroken, match="call_open"):
        poll.open()
    late = poll.enter("B")
    council.world.clock.pass_(days=21)
    with pytest.raises(RuleBroken, match="call_closed"):
        poll.enter("C")
    with pytest.raises(RuleBroken, match="not_eligible"):
        poll.open()
    assert poll.check(late, CLEAR | {"office": "unknown"}) == "incomplete"
    with pytest.raises(RuleBroken, match="not_eligible"):
        poll.open()
    assert poll.check(late, CLEAR | {"office": "barred"}) == "ineligible"
    poll.open()
    assert poll.state().open_round.opened.candidates == (poll.candidates["A"],)


def test_which_bar_was_met_is_kept_nowhere(council: Council) -> None:
    poll = Poll(council, 1, "A")
    poll.check(poll.candidates["A"], CLEAR | {"health_register": "barred"})
    found = poll.state().candidates[poll.candidates["A"]]
    assert (found.eligible, found.bars, found.checked_on) == (False, {}, "2026-03-02")


def after_call(council: Council, seats: int, names: str) -> Poll:
    poll = Poll(council, seats, names)
    council.world.clock.pass_(days=21)
    poll.open()
    return poll


def test_a_tie_goes_to_a_second_round_then_to_the_chair_and_into_the_minutes(council: Council) -> None:
    poll = after_call(council, 2, "ABC")
    poll.ballots("fff", "ff-", "ff-", "ff-", "ff-", "ff-", "f-f", "f-f", "f-f", "f-f", "f-f")
    result = poll.count()
    assert (poll.names(result.elected), poll.names(result.tied), result.next_step) == ("A", "BC", "second_round")
    with pytest.raises(RuleBroken, match="round_open"):
        poll.close()
    poll.open()
    assert poll.state().open_round.opened.seats == 1
    poll.ballots("ff", *["ff"] * 10)
    assert poll.count().next_step == "chair"
    office, b = council.world.office, poll.candidates["B"]
    for chair, chosen, minutes, code in (
        (council.members[0], [b], "Решение", "not_allowed"),
        (council.chair, [b], " ", "no_reason"),
        (council.chair, [b, poll.candidates["C"]], "Решение", "candidate_unknown"),
        (council.chair, [poll.candidates["A"]], "Решение", "candidate_unknown"),
    ):
        with pytest.raises(RuleBroken, match=code), office.database.write() as session:
            actions.decide_tie(session, office, chair, poll.id, chosen, minutes, council.world.now)
    with office.database.write() as session:
        actions.decide_tie(session, office, council.chair, poll.id, [b], "Решение председателя", council.world.now)
    poll.close()
    assert poll.names(poll.state().elected) == "AB"


def test_nobody_without_a_majority_of_his_own_is_elected(council: Council) -> None:
    poll = after_call(council, 2, "AB")
    poll.ballots(*["fa"] * 6, *["ff"] * 5)
    result = poll.count()
    assert (poll.names(result.elected), result.open_seats, result.next_step) == ("A", 1, None)


def test_a_candidate_who_sits_on_the_council_does_not_vote_on_himself(council: Council) -> None:
    poll = Poll(council, 1, "A")
    himself = poll.enter("Сапарова А.", person=council.members[0])
    poll.candidates["S"] = himself
    poll.check(himself, CLEAR)
    council.world.clock.pass_(days=21)
    poll.open()
    poll.ballots(*["-f"] * 11)
    standing = next(each for each in poll.count().standings if each.candidate == himself)
    assert (standing.arithmetic.tally.votes_for, standing.arithmetic.tally.recused) == (10, 1)


def test_a_ballot_must_name_every_candidate_and_ends_with_the_day(council: Council) -> None:
    poll = after_call(council, 1, "AB")
    office = council.world.office
    with pytest.raises(RuleBroken, match="candidate_unknown"), office.database.write() as session:
        choices = {poll.candidates["A"]: "for"}
        actions.cast_ballot(session, office, council.chair, poll.id, choices, council.world.now)
    with pytest.raises(RuleBroken, match="vote_open"):
        poll.count()
    council.world.clock.pass_(hours=24)
    with pytest.raises(RuleBroken, match="round_closed"):
        poll.ballots("ff")
    assert not poll.count().quorum_met


def test_every_voter_sees_another_order_and_the_same_one_again(council: Council) -> None:
    poll = after_call(council, 1, "ABCDE")
    state = poll.state()
    orders = [queries.ballot_order(state.open_round, poll.id, voter) for voter in council.everybody]
    assert len({tuple(order) for order in orders}) > 1
    assert all(set(order) == set(state.open_round.opened.candidates) for order in orders)
    assert orders == [queries.ballot_order(state.open_round, poll.id, voter) for voter in council.everybody]


def test_electing_makes_nobody_a_member_two_officers_do(council: Council) -> None:
    poll = after_call(council, 1, "A")
    poll.ballots(*["f"] * 11)
    poll.count()
    office, admin, elected = council.world.office, council.world.founded.admin, poll.candidates["A"]
    with pytest.raises(RuleBroken, match="candidate_unknown"), office.database.write() as session:
        actions.seat_elected(session, office, admin, poll.id, elected, "ru", council.world.now)
    poll.close()
    with office.database.write() as session:
        assert people.name_of(session, elected) == ""
        actions.seat_elected(session, office, admin, poll.id, elected, "ru", council.world.now)
    day = date(2026, 5, 1)
    with office.database.write() as session:
        assert people.roles_on(session, elected, day) == []
        number = session.exec(select(RoleProposalRow.id).where(RoleProposalRow.person == elected)).one()
        accounts.confirm_role(session, office, number, council.chair, council.world.now)
        assert people.roles_on(session, elected, day) == ["npm_member"]
        assert people.roles_on(session, elected, date(2028, 5, 1)) == []


# ── pages ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_election_by_its_pages_from_the_call_to_the_protocol(council: Council) -> None:
    secretary = sign_in(council, council.secretary, Role.COUNCIL_SECRETARY)
    assert secretary.post("/elections", seats="0", term_from="1.1.2020").status_code == 422
    called = secretary.post("/elections", seats="1", term_from="01.05.2026", region="KZ-35")
    path = called.headers["Location"].split("?")[0]
    assert secretary.post(f"{path}/candidates", name="", background="").status_code == 422
    for name in ("Нургалиева А.", "Ержанов К."):
        assert (
            secretary.post(f"{path}/candidates", name=name, background="doctor", papers="Заявление").status_code == 303
        )
    state = the_only(council)
    for candidate in state.candidates:
        assert "1. " in text_of(secretary.get(f"{path}/candidates/{candidate}"))
        assert secretary.post(f"{path}/candidates/{candidate}", **CLEAR).status_code == 303
    council.world.clock.pass_(days=21)
    secretary = sign_in(council, council.secretary, Role.COUNCIL_SECRETARY)
    assert secretary.post(f"{path}/rounds").status_code == 303
    first, second = state.candidates
    for number, voter in enumerate(council.everybody):
        browser = sign_in(council, voter, Role.COMMISSIONER if voter == council.chair else Role.COUNCIL_MEMBER)
        assert browser.post(f"{path}/ballot", **{f"c-{first}": "for"}).status_code == 422
        form = {f"c-{first}": "for", f"c-{second}": "for" if number < 3 else "against"}
        assert browser.post(f"{path}/ballot", **form).status_code == 303
    assert secretary.post(f"{path}/count").status_code == 303
    text = text_of(secretary.get(path))
    assert "избран" in text
    assert "норма не сверена" in text
    assert secretary.post(f"{path}/close").status_code == 303
    for language in ("ru", "kk", "en"):
        paper = secretary.get(f"{path}/protocol.pdf?lang={language}")
        assert paper.mimetype == "application/pdf"
        said = " ".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(paper.data)).pages)
        rows = [re.sub(r"\s+", " ", line) for line in said.splitlines()]
        assert any(row.startswith("Нургалиева А.") and "11 0 0 11" in row for row in rows), rows
        assert any(row.startswith("Ержанов К.") and "3 8 0 11" in row for row in rows), rows


def the_only(council: Council) -> Election:
    with Session(council.world.office.database.engine) as session:
        (line,) = queries.lines(session)
        return queries.election_state(session, SubjectId(line.id))


def test_only_the_council_votes_and_a_member_sees_no_election_but_the_own(council: Council) -> None:
    poll = after_call(council, 1, "A")
    for hat, ballot, page in ((Role.AUDITOR, 403, 200), (Role.CENTRE_OFFICER, 403, 403), (Role.NPM_MEMBER, 403, 404)):
        browser = sign_in(council, council.world.person(hat), hat)
        assert browser.get(f"/elections/{poll.id}").status_code == page
        assert browser.get(f"/elections/{poll.id}/ballot").status_code == ballot
    late = council.world.person(Role.COUNCIL_MEMBER)
    assert sign_in(council, late, Role.COUNCIL_MEMBER).get(f"/elections/{poll.id}/ballot").status_code == 404


def test_what_a_browser_types_about_a_candidate_keeps_its_lines(council: Council) -> None:
    poll = Poll(council, 1, "А")
    secretary = sign_in(council, council.secretary, Role.COUNCIL_SECRETARY)
    entered = secretary.post(
        f"/elections/{poll.id}/candidates", name="Тен В.\x07 ", background="lawyer", papers="Заявление\r\n\r\nДиплом",
        remarks="Первая\r\nвторая\x07",
    )  # fmt: skip
    assert entered.status_code == 303, text_of(entered)
    assert "Тен В." in [each.name for each in the_only(council).candidates.values()]
