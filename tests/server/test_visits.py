"""Ordering a visit, its group, conflicts, mandate and officers; the list of visits agrees with the access matrix."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from server.ledger import queries as ledger
from server.office import Reader
from server.visits import actions, queries
from server.visits.advice import advice
from server.visits.mandate import read_code, signed_code
from server.visits.tables import MandateRow
from shared.accounts import Role
from shared.errors import RuleBroken
from shared.ledger.crypto import new_signing_key, verifying_key
from shared.ledger.sealing import REVIEW
from shared.permissions import may
from shared.values import DeviceId, PersonId
from shared.visits import MandateIssued, OfficerAssigned
from tests.make import an_id
from tests.server.conftest import World
from tests.server.visit_story import INSTITUTION, Story, a_story


@pytest.fixture
def story(world: World, tmp_path: Path) -> Story:
    """People, register and checklist."""
    return a_story(world, tmp_path)


def test_an_approved_request_becomes_a_visit_whose_plan_only_the_office_can_open(story: Story) -> None:
    story.order()
    visit = story.state(story.visit)
    assert (visit.visit_kind, visit.stage, visit.photos_allowed) == ("special", "planned", True)
    assert [wrap.to for wraps in visit.keys.values() for wrap in wraps] == [REVIEW]
    assert INSTITUTION not in repr(visit)
    assert story.state(visit.request).state == "ordered"


def test_a_visit_is_ordered_once(story: Story) -> None:
    story.order()
    request = story.state(story.state(story.visit).request)
    with story.world.office.database.write() as session, pytest.raises(RuleBroken, match="already_decided"):
        reader = Reader(story.secretary, Role.COUNCIL_SECRETARY)
        actions.order_visit(session, story.world.office, reader, request, story.world.now)


def test_the_group_gets_the_keys_of_the_visit(story: Story) -> None:
    tablets = [story.world.tablet(person) for person in story.group]
    story.order()
    story.form()
    visit = story.state(story.visit)
    wrapped = {wrap.to for wraps in visit.keys.values() for wrap in wraps}
    assert wrapped == {REVIEW, *(tablet.id for tablet in tablets)}
    assert visit.stage == "group_formed"


@pytest.mark.parametrize(
    ("members", "leader", "code"),
    [
        ((0, 1), 0, "group_too_small"),
        ((0, 1, 1), 0, "member_twice"),
        ((0, 1, 2), 3, "leader_not_in_group"),
        ((0, 1, 3), 0, "not_a_member"),
    ],
)
def test_what_cannot_be_a_group_is_refused(story: Story, members: tuple[int, ...], leader: int, code: str) -> None:
    story.order()
    people = [*story.group, story.officer]
    with story.world.office.database.write() as session, pytest.raises(RuleBroken, match=code):
        actions.form_group(
            session,
            story.world.office,
            story.secretary,
            story.visit,
            [people[each] for each in members],
            people[leader],
            story.world.now,
        )


def test_no_mandate_before_every_member_declared(story: Story) -> None:
    story.order()
    story.form()
    with pytest.raises(RuleBroken, match="conflict_undeclared"):
        story.mandate()


def test_a_conflict_takes_the_mandate_away(story: Story) -> None:
    story.order()
    story.form()
    story.clear()
    story.mandate()
    with story.world.office.database.write() as session:
        visit = ledger.state(session, story.visit)
        state = actions.declare_conflict(
            session, story.world.office, story.other, visit, True, "брат работает там", story.world.now
        )
    assert state.mandate is None
    assert state.stage == "group_formed"
    assert "брат" not in repr(state)


def test_mandates_are_one_series_a_year_and_name_no_institution(story: Story) -> None:
    story.order()
    story.form()
    story.clear()
    first = story.mandate()
    assert first.mandate
    assert first.mandate.number == "2026-0001"
    assert [name for _, name in first.mandate.names] == ["Ким П.", "Ли С.", "Садыкова Л."]
    with story.world.office.database.write() as session:
        actions.withdraw_mandate(
            session, story.world.office, story.secretary, ledger.state(session, story.visit), "ошибка", story.world.now
        )
    with story.world.office.database.write() as session:
        second = actions.issue_mandate(
            session,
            story.world.office,
            story.secretary,
            story.visit,
            date(2026, 3, 5),
            date(2026, 3, 9),
            story.world.now,
        )
        assert second.mandate
        assert second.mandate.number == "2026-0002"
        assert INSTITUTION not in second.mandate.code
        assert session.get(MandateRow, "2026-0001").stands is False  # type: ignore[union-attr]
        assert session.get(MandateRow, "2026-0002").stands is True  # type: ignore[union-attr]


def test_a_code_that_was_changed_is_not_ours() -> None:
    secret, device = new_signing_key(), DeviceId(an_id(1))
    servers = {device: verifying_key(secret).hex()}
    code = signed_code("2026-0001", ["Ким П.", "А|Б"], date(2026, 3, 5), date(2026, 3, 6), device, secret)
    shown = read_code(code, servers)
    assert shown
    assert shown.names == ("Ким П.", "А/Б")
    assert (shown.number, shown.valid_from, shown.valid_until) == ("2026-0001", date(2026, 3, 5), date(2026, 3, 6))
    for at in range(len(code)):
        changed = code[:at] + ("A" if code[at] != "A" else "B") + code[at + 1 :]
        again = read_code(changed, servers)
        assert again is None or again == shown  # the last sign of base64 holds bits that say nothing
    assert read_code(code, {}) is None
    assert read_code("QORGAN1.", servers) is None
    assert read_code("x" * 5000, servers) is None


def test_a_member_of_the_group_decides_nothing_about_the_own_visit(story: Story) -> None:
    story.order()
    story.form()
    story.clear()
    forged = MandateIssued(number="2026-0001", names=(), valid_from="2026-03-05", valid_until="2026-03-06", code="x")
    for body in (forged, OfficerAssigned(person=story.leader)):
        with pytest.raises(RuleBroken, match="not_allowed"):
            story.write(story.visit, story.leader, body)
    with story.world.office.database.write() as session, pytest.raises(RuleBroken, match="not_found"):
        actions.assign_officer(
            session, story.world.office, story.secretary, story.visit, PersonId(story.leader), story.world.now
        )


def test_the_list_shows_exactly_what_the_matrix_allows(story: Story) -> None:
    """Every hat of every person against a planned and a started visit, compared with the slow way."""
    story.go()
    started = story.visit
    story.order()
    people = {
        story.secretary: Role.COUNCIL_SECRETARY,
        story.officer: Role.CENTRE_OFFICER,
        story.council: Role.COUNCIL_MEMBER,
        story.leader: Role.NPM_MEMBER,
        story.third: Role.NPM_MEMBER,
        story.world.person(Role.NPM_MEMBER): Role.NPM_MEMBER,
        story.world.person(Role.AUDITOR): Role.AUDITOR,
        story.world.person(Role.COMMISSIONER): Role.COMMISSIONER,
        story.world.person(Role.ADMIN): Role.ADMIN,
        story.world.person(Role.CENTRE_OFFICER): Role.CENTRE_OFFICER,
    }
    with story.world.office.database.read() as session:
        states = [ledger.state(session, each) for each in (started, story.visit)]
        for person, hat in people.items():
            shown = {line.id for line in queries.listed(session, Reader(person, hat)).lines}
            assert shown == {state.id for state in states if may(person, hat, "visit.read", state)}, hat
        lines = {
            line.id: line for line in queries.listed(session, Reader(story.secretary, Role.COUNCIL_SECRETARY)).lines
        }
        assert (lines[started].institution, lines[story.visit].institution) == (INSTITUTION, "")


def test_advice_asks_for_no_fact_about_a_person() -> None:
    assert advice("special", "") == ["doctor", "women"]
    assert advice("periodic", "orphanage") == ["women", "children"]
    assert advice("periodic", "colony") == ["women"]


# ── pages ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_secretary_forms_a_group_and_issues_a_mandate_by_forms(story: Story) -> None:
    story.order()
    client = story.client(story.secretary, Role.COUNCIL_SECRETARY)
    page = client.get(f"/visits/{story.visit}/group")
    assert page.status_code == 200
    assert "Сообщения о холоде" in page.text
    token = page.text.split('name="csrf" value="')[1].split('"')[0]
    few = client.post(
        f"/visits/{story.visit}/group", data={"csrf": token, "members": list(story.group[:2]), "leader": story.leader}
    )
    assert few.status_code == 422
    assert "errsum" in few.text
    done = client.post(
        f"/visits/{story.visit}/group", data={"csrf": token, "members": list(story.group), "leader": story.leader}
    )
    assert done.status_code == 303
    story.clear()
    wrong = client.post(
        f"/visits/{story.visit}/mandate", data={"csrf": token, "valid_from": "5 марта", "valid_until": "06.03.2026"}
    )
    assert wrong.status_code == 422
    assert "5 марта" in wrong.text
    issued = client.post(
        f"/visits/{story.visit}/mandate", data={"csrf": token, "valid_from": "05.03.2026", "valid_until": "06.03.2026"}
    )
    assert issued.status_code == 303
    paper = client.get(f"/visits/{story.visit}/mandate.kk.pdf")
    assert paper.status_code == 200
    assert paper.data.startswith(b"%PDF")


def test_reasons_typed_into_the_forms_of_a_visit_keep_their_lines(story: Story) -> None:
    story.order()
    story.form()
    client = story.client(story.leader, Role.NPM_MEMBER)
    token = client.get(f"/visits/{story.visit}/group").text.split('name="csrf" value="')[1].split('"')[0]
    typed = {"csrf": token, "conflict": "yes", "what": "Родственник\r\nв колонии\x07"}
    assert client.post(f"/visits/{story.visit}/conflict", data=typed).status_code == 303
    story.clear()
    number = story.mandate().mandate.number  # type: ignore[union-attr]
    secretary = story.client(story.secretary, Role.COUNCIL_SECRETARY)
    token = secretary.get(f"/visits/{story.visit}/group").text.split('name="csrf" value="')[1].split('"')[0]
    answer = secretary.post(
        f"/visits/{story.visit}/mandate/withdraw", data={"csrf": token, "reason": "Дни\r\nсменились"}
    )
    assert answer.status_code == 303, answer.text
    assert story.state(story.visit).mandate is None, number


def test_anybody_may_check_a_mandate_and_learns_only_what_it_says(story: Story) -> None:
    story.order()
    story.form()
    story.clear()
    code = story.mandate().mandate.code  # type: ignore[union-attr]
    anybody = story.world.client()
    early = anybody.get(f"/mandate/{code}?lang=en")
    assert early.status_code == 200
    assert "does not hold yet" in early.text
    story.world.clock.pass_(days=3)
    valid = anybody.get(f"/mandate/{code}?lang=en")
    assert "The mandate is valid" in valid.text
    assert "Ким П." in valid.text
    assert INSTITUTION not in valid.text
    assert "colony" not in valid.text
    assert "did not sign" in anybody.get("/mandate/QORGAN1.AAAA.BBBB?lang=en").text
    story.world.clock.pass_(days=30)
    assert "has expired" in anybody.get(f"/mandate/{code}?lang=en").text


def test_a_visit_of_others_is_as_if_it_were_not_there(story: Story) -> None:
    story.order()
    stranger = story.client(story.world.person(Role.NPM_MEMBER), Role.NPM_MEMBER)
    for path in (f"/visits/{story.visit}", f"/visits/{story.visit}/group", "/visits/nonsense", f"/visits/{an_id(9)}"):
        assert stranger.get(path).status_code == 404, path
