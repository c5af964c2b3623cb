"""Requests in the console: bulk, undo, reading, JSON."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from sqlmodel import Session, select

from server.institutions.actions import put_in_force
from server.ledger import queries as ledger
from server.ledger.tables import ReadRow
from server.visit_requests import queries
from shared.accounts import Role
from shared.institutions import Institution
from shared.values import SubjectId, moment_of
from shared.visit_requests import DecisionWithdrawn
from tests.server.conftest import World
from tests.server.council import Council, a_council
from tests.server.test_visit_requests import forty, sign_in, text_of


@pytest.fixture
def council(world: World) -> Council:
    """A Council of eleven with its secretary."""
    return a_council(world)


def test_the_inbox_shows_the_council_what_is_put_to_it_and_logs_each_opening(council: Council) -> None:
    hidden = council.request(reason="Ещё не на голосовании")
    shown, _ = council.voting(reason="Сообщение о жестоком обращении", kind="special")
    member = sign_in(council, council.members[0], Role.COUNCIL_MEMBER)
    page = member.get("/requests")
    assert page.status_code == 200, text_of(page)
    assert "Сообщение о жестоком обращении" in text_of(page)
    assert hidden not in page.get_data(as_text=True)
    with council.world.office.database.read() as session:
        lines = [(row.person, row.verb) for row in session.exec(select(ReadRow).where(ReadRow.subject == shown))]
    assert lines == [(council.members[0], "request.read")]


def test_nobody_else_sees_the_inbox_or_the_words(council: Council) -> None:
    request, _ = council.voting(reason="Сообщение о жестоком обращении")
    world = council.world
    for hat in (Role.AUDITOR, Role.CENTRE_OFFICER, Role.ADMIN, Role.EXPERT):
        browser = sign_in(council, world.person(hat), hat)
        assert browser.get("/requests").status_code == 403
        assert browser.get(f"/requests/{request}").status_code == 403
    stranger = sign_in(council, world.person(Role.NPM_MEMBER), Role.NPM_MEMBER)
    assert "жестоком" not in text_of(stranger.get("/requests"))
    assert stranger.get(f"/requests/{request}").status_code == 404


def test_a_member_who_filed_sees_the_decision_but_not_who_voted_how(council: Council) -> None:
    request, ballot = council.voting()
    council.votes(ballot, "fffffffffff")
    council.close(ballot)
    text = text_of(sign_in(council, council.filer, Role.NPM_MEMBER).get(f"/requests/{request}"))
    assert "утверждён" in text
    assert "Руденко" not in text


def test_a_vote_by_the_form_and_its_errors(council: Council) -> None:
    request, ballot = council.voting()
    member = sign_in(council, council.members[0], Role.COUNCIL_MEMBER)
    answer = member.post(f"/requests/{request}/vote", choice="against", reason="")
    assert answer.status_code == 422
    page = answer.get_data(as_text=True)
    assert "<title>Ошибка:" in page
    assert 'href="#conflict"' in page
    assert 'href="#reason"' in page
    assert re.search(r'value="against" checked', page), "the answer given is kept"
    done = member.post(f"/requests/{request}/vote", conflict="no", choice="against", reason="Статья 46")
    assert done.status_code == 303
    assert council.ballot(ballot).choices == {council.members[0]: "against"}


def test_two_tabs_the_second_says_what_became_of_it(council: Council) -> None:
    request, ballot = council.voting()
    one = sign_in(council, council.members[0], Role.COUNCIL_MEMBER)
    two = sign_in(council, council.members[0], Role.COUNCIL_MEMBER)
    assert one.post(f"/requests/{request}/vote", conflict="yes").status_code == 303
    answer = two.post(f"/requests/{request}/vote", conflict="no", choice="for")
    assert answer.status_code == 403
    assert council.ballot(ballot).choices == {}


def test_a_late_vote_by_the_form_names_the_time(council: Council) -> None:
    request, ballot = council.voting()
    council.world.clock.now = moment_of(council.ballot(ballot).closes_at) + timedelta(seconds=1)
    member = sign_in(council, council.members[0], Role.COUNCIL_MEMBER)
    answer = member.post(f"/requests/{request}/vote", conflict="no", choice="for")
    assert answer.status_code == 409
    assert "05.03.2026, 23:59" in text_of(answer)


def test_the_secretary_leads_a_request_from_filing_to_the_decision_and_back(council: Council) -> None:
    request = council.request()
    secretary = sign_in(council, council.secretary, Role.COUNCIL_SECRETARY)
    assert secretary.post(f"/requests/{request}/put-to-vote").status_code == 303
    ballot = council.state(request).vote
    assert secretary.post(f"/requests/{request}/close").status_code == 409
    council.votes(ballot, "fffffffffff")
    assert secretary.post(f"/requests/{request}/close", photos="yes").status_code == 303
    assert council.state(request).state == "approved"
    assert secretary.post(f"/requests/{request}/undo", undo_reason="").status_code == 422
    assert secretary.post(f"/requests/{request}/undo", undo_reason="Опечатка").status_code == 303
    assert council.state(request).state == "filed"
    text = text_of(secretary.get(f"/requests/{request}"))
    for said in ("Решение отменено", "Счёт закрыт: утверждено", "Запрос подан"):
        assert said in text


def test_the_page_shows_the_arithmetic_with_its_rules_and_their_confidence(council: Council) -> None:
    request, ballot = council.voting()
    council.votes(ballot, "ffff-arr   ")
    text = " ".join(
        text_of(sign_in(council, council.members[8], Role.COUNCIL_MEMBER).get(f"/requests/{request}")).split()
    )
    for said in (
        "11 × 2/3 = 7 1/3; округляем вверх",
        "норма не сверена",
        "Решения пока нет: «за» 4 из 5 нужных",
        "Не хватает",
    ):
        assert said in text, text


@pytest.mark.parametrize("engine", ["sqlite"])
def test_a_bulk_by_the_pages_keeps_the_filter_and_undoes(council: Council) -> None:
    requests = forty(council)
    member = sign_in(council, council.members[5], Role.COUNCIL_MEMBER)
    preview = text_of(member.post("/requests/selected", all="1", tab="mine", due="week"))
    assert "по 38 запросам" in preview
    assert "Не подаётся: 2" in preview
    done = member.post("/requests/bulk", id=requests, back="/requests?tab=mine&due=week")
    result = member.get(done.headers["Location"])
    assert "Голосов «за» подано: 38. Не подано: 2" in text_of(result)
    assert 'href="/requests?tab=mine&amp;due=week"' in result.get_data(as_text=True)
    path = done.headers["Location"].split("?")[0]
    assert member.post(f"{path}/undo").status_code == 303
    assert "Отозвано голосов: 38" in text_of(member.get(path))


@pytest.mark.parametrize("engine", ["sqlite"])
def test_the_inbox_is_sorted_by_term_then_urgency_and_pages_exactly(council: Council) -> None:
    for number in range(52):
        council.voting(reason=f"Основание {number}")
    urgent, _ = council.voting(urgency="urgent", kind="special", reason="Срочное")
    member = sign_in(council, council.members[0], Role.COUNCIL_MEMBER)
    page = member.get("/requests?tab=waiting")
    assert "Найдено: 53" in text_of(page)
    assert "Показано 1–50 из 53" in text_of(page)
    assert page.get_data(as_text=True).index(urgent) < page.get_data(as_text=True).index("Основание ")
    assert "Показано 51–53 из 53" in text_of(member.get("/requests?tab=waiting&from=50"))
    assert "Найдено: 1" in text_of(member.get("/requests?urgency=urgent"))


def test_an_empty_inbox_says_why(council: Council) -> None:
    member = sign_in(council, council.members[0], Role.COUNCIL_MEMBER)
    assert "Вашего голоса ничего не ждёт" in text_of(member.get("/requests?tab=mine"))


def test_what_waits_is_counted_for_each_hat(council: Council) -> None:
    council.voting()
    council.request()
    with Session(council.world.office.database.engine) as session:
        assert queries.waiting_for(session, council.members[0], council.world.now) == (1, False)
        assert queries.waiting_for_secretary(session, council.world.now) == (1, True)


def test_a_member_files_and_takes_back_a_request_by_the_pages(council: Council) -> None:
    from server.institutions.actions import put_in_force
    from shared.institutions import Institution

    office = council.world.office
    with office.database.write() as session:
        place = Institution(key="ik-25", name_ru="ИК-25", name_kk="", name_en="", type="prison", region_iso="KZ-35")
        put_in_force(session, office, council.world.founded.admin, [place], council.world.now, synthetic=True)
    member = sign_in(council, council.filer, Role.NPM_MEMBER)
    assert member.get("/requests/new").status_code == 200
    assert member.post("/requests", institution="Нет такого", reason="").status_code == 422
    form = {"institution": "ик-25", "reason": "Основание", "from_on": "10.03.2026", "to_on": "11.03.2026"}
    done = member.post("/requests", visit_kind="special", urgent="yes", members=[council.filer], **form)
    assert done.status_code == 303, text_of(done)
    path = done.headers["Location"].split("?")[0]
    assert "ИК-25" in text_of(member.get(path))
    assert member.post(f"{path}/withdraw", withdraw_reason="Уже не нужно").status_code == 303
    assert council.state(path.rsplit("/", 1)[1]).state == "withdrawn"


def test_the_same_verbs_as_json(council: Council) -> None:
    request, ballot = council.voting()
    client = council.world.client()
    client.set_cookie("__Host-qorgan", council.cookie(council.members[0], Role.COUNCIL_MEMBER), secure=True)
    base = "https://localhost"
    assert [each["id"] for each in client.get("/api/requests", base_url=base).json] == [request]
    assert client.get(f"/api/requests/{request}", base_url=base).json["words"]["institution"] == "syn-1"
    wrong = client.post(f"/api/votes/{ballot}/cast", json={"choice": "maybe"}, base_url=base)
    assert wrong.status_code == 422
    assert client.post(f"/api/votes/{ballot}/close", json={}, base_url=base).status_code == 403
    answer = client.post(f"/api/votes/{ballot}/cast", json={"choice": "for"}, base_url=base)
    assert answer.status_code == 200, answer.json
    assert [seat["place"] for seat in answer.json["seats"]].count("for") == 1
    assert answer.json["steps"][1]["facts"]["share"] == "2/3"


TYPED, KEPT = "Первая строка\r\nВторая\x07 строка\r\n", "Первая строка\nВторая строка"


def test_every_reason_typed_into_a_form_keeps_its_lines(council: Council) -> None:
    office, admin = council.world.office, council.world.founded.admin
    place = Institution(key="syn-1", name_ru="ИК-25", name_kk="", name_en="", type="prison", region_iso="KZ-35")
    with office.database.write() as session:
        put_in_force(session, office, admin, [place], council.world.now, synthetic=True)
    filer = sign_in(council, council.filer, Role.NPM_MEMBER)
    filed = filer.post(
        "/requests", visit_kind="special", institution=council.places[0], from_on="10.03.2026", to_on="11.03.2026",
        reason=TYPED, members=[council.filer], leader=council.filer,
    )  # fmt: skip
    assert filed.status_code == 303, text_of(filed)
    request = SubjectId(filed.location.split("/requests/")[1].split("?")[0])
    assert KEPT in filer.get(f"/requests/{request}").get_data(as_text=True)
    assert filer.post(f"/requests/{request}/withdraw", withdraw_reason=TYPED).status_code == 303
    assert council.state(request).state == "withdrawn"

    refused, ballot = council.voting(reason="Другое")
    against, apart = council.members[0], council.members[1]
    for person, form in ((against, {"conflict": "no", "choice": "against"}), (apart, {"conflict": "yes"})):
        browser = sign_in(council, person, Role.COUNCIL_MEMBER)
        assert browser.post(f"/requests/{refused}/vote", reason=TYPED, **form).status_code == 303
    for voter in council.everybody:
        if voter not in (against, apart):
            council.vote(ballot, voter, "against", "нет")
    secretary = sign_in(council, council.secretary, Role.COUNCIL_SECRETARY)
    assert secretary.post(f"/requests/{refused}/close", reason=TYPED).status_code == 303
    assert council.state(refused).decision.body.reason == KEPT
    assert KEPT in secretary.get(f"/requests/{refused}").get_data(as_text=True)
    assert secretary.post(f"/requests/{refused}/undo", undo_reason=TYPED).status_code == 303
    with council.world.office.database.read() as session:
        bodies = [each.body for each in ledger.operations(session, refused)]
    assert [body.reason for body in bodies if isinstance(body, DecisionWithdrawn)] == [KEPT]
