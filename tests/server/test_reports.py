"""The review of findings, the dossier by hat, the queue; what a stranger or a hostile document gets."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlmodel import select

from server.ledger import queries as ledger
from server.ledger.tables import ReadRow
from server.office import Reader
from server.reports import actions, queries
from server.reports.document import document_of
from server.reports.tables import ReportRow, ReviewRow
from shared.accounts import Role
from shared.errors import RuleBroken
from shared.reports import QuestionAnswered, QuestionAsked, ReportAccepted
from shared.values import OperationId
from tests.server.conftest import World
from tests.server.visit_story import DISSENT, Story, a_story


@pytest.fixture
def story(world: World, tmp_path: Path) -> Story:
    """A submitted report with three findings: critical, high and urgent, low."""
    story = a_story(world, tmp_path)
    story.go()
    story.observe()
    story.freeze()
    return story


def lines(story: Story, person: str, *states: str) -> list[queries.QueueLine]:
    with story.world.office.database.read() as session:
        reader = Reader(person, Role.CENTRE_OFFICER)  # type: ignore[arg-type]
        return queries.queue(session, reader, states) if states else queries.queue(session, reader)


def test_the_queue_begins_with_what_is_urgent_and_then_the_worst(story: Story) -> None:
    assert [line.place for line in lines(story, story.officer)] == [2, 1, 3]
    assert lines(story, story.officer)[0].headline == "Спальных мест меньше, чем людей, случай 2."
    assert lines(story, story.world.person(Role.CENTRE_OFFICER)) == []


def test_a_critical_finding_needs_two_different_officers(story: Story) -> None:
    critical = story.findings[0]
    state = story.accept(story.officer, critical)
    assert critical not in state.accepted_findings
    with pytest.raises(RuleBroken, match="second_officer_needed"):
        story.accept(story.officer, critical)
    assert critical not in [line.finding for line in lines(story, story.officer)]
    assert critical in [line.finding for line in lines(story, story.second_officer)]
    assert critical in story.accept(story.second_officer, critical).accepted_findings


def test_the_last_finding_accepted_closes_the_report(story: Story) -> None:
    for finding in story.findings:
        state = story.accept(story.officer, finding)
    assert state.stage == "submitted"
    state = story.accept(story.second_officer, story.findings[0])
    assert (state.stage, state.accepted_by) == ("accepted", story.second_officer)
    with story.world.office.database.read() as session:
        assert session.exec(select(ReportRow.stage)).one() == "accepted"
    with pytest.raises(RuleBroken, match="already_decided"):
        story.write(story.report, story.officer, QuestionAsked(finding="", text="ещё"))  # type: ignore[arg-type]


def test_a_question_goes_out_and_an_answer_brings_the_finding_back(story: Story) -> None:
    tablet = story.world.tablet(story.leader)
    finding = OperationId(story.findings[1])
    with story.world.office.database.write() as session:
        actions.return_finding(
            session,
            story.world.office,
            story.officer,
            ledger.state(session, story.report),
            finding,
            "Кто сказал?",
            "ru",
            story.world.now,
        )
    came = b"".join(line for frame in tablet.sync_all() for line in frame.lines)
    assert "Кто сказал?".encode() in came
    assert [line.finding for line in lines(story, story.officer, "returned")] == [finding]
    with pytest.raises(RuleBroken, match="question_open"):
        story.accept(story.officer, finding)
    question = next(iter(story.report_state().questions))
    story.write(story.report, story.leader, QuestionAnswered(question=question, text="Сотрудник смены."))
    assert [line.state for line in lines(story, story.officer) if line.finding == finding] == ["answered"]
    assert finding in story.accept(story.officer, finding).accepted_findings


def test_nobody_reviews_the_report_of_the_own_group(story: Story) -> None:
    with pytest.raises(RuleBroken, match="not_allowed"):
        story.accept(story.leader, story.findings[2])
    with pytest.raises(RuleBroken, match="not_allowed"):
        story.write(story.report, story.leader, ReportAccepted())


def test_reopening_takes_an_acceptance_back_with_a_reason(story: Story) -> None:
    finding = OperationId(story.findings[2])
    story.accept(story.officer, finding)
    with story.world.office.database.write() as session:
        state = ledger.state(session, story.report)
        with pytest.raises(RuleBroken, match="no_reason"):
            actions.reopen_finding(session, story.world.office, story.officer, state, finding, " ", story.world.now)
    with story.world.office.database.write() as session:
        state = ledger.state(session, story.report)
        state = actions.reopen_finding(
            session, story.world.office, story.officer, state, finding, "рано", story.world.now
        )
    assert finding not in state.accepted_findings


def test_the_second_of_two_reviewers_sees_the_first_decision_before_the_own(story: Story) -> None:
    finding = story.findings[2]
    first, second = (story.client(person, Role.CENTRE_OFFICER) for person in (story.officer, story.second_officer))
    path = f"/review/{story.report}/{finding}"
    tokens = [client.get(path).text.split('name="csrf" value="')[1].split('"')[0] for client in (first, second)]
    assert first.post(f"{path}/accept", data={"csrf": tokens[0], "seen": 0}).status_code == 303
    late = second.post(f"{path}/return", data={"csrf": tokens[1], "seen": 0, "text": "Почему?"})
    assert late.status_code == 409
    assert "Ахметова Г." in late.text
    assert story.report_state().questions == {}


def test_after_a_decision_the_next_item_is_open(story: Story) -> None:
    client = story.client(story.officer, Role.CENTRE_OFFICER)
    page = client.get("/review")
    token = page.text.split('name="csrf" value="')[1].split('"')[0]
    answer = client.post(f"/review/{story.report}/{story.findings[1]}/accept", data={"csrf": token, "seen": 0})
    assert answer.status_code == 303
    assert answer.location.startswith(f"/review/{story.report}/{story.findings[0]}")
    empty = client.post(
        f"/review/{story.report}/{story.findings[0]}/return", data={"csrf": token, "seen": 0, "text": " "}
    )
    assert empty.status_code == 422
    assert "errsum" in empty.text


@pytest.mark.parametrize("tab", ["summary", "answers", "findings", "media", "timeline"])
def test_every_tab_of_the_dossier_opens_for_officer_and_council(story: Story, tab: str) -> None:
    for person, hat in ((story.officer, Role.CENTRE_OFFICER), (story.council, Role.COUNCIL_MEMBER)):
        for language in ("kk", "ru", "en"):
            page = story.client(person, hat, language).get(f"/visits/{story.visit}?tab={tab}")
            assert page.status_code == 200


def test_the_dissent_stands_in_full_before_the_answers(story: Story) -> None:
    page = story.client(story.council, Role.COUNCIL_MEMBER).get(f"/visits/{story.visit}").text
    assert DISSENT in page
    assert page.index("Не видели: 1.") < page.index(DISSENT)
    assert "болезнь" in page


def test_before_the_report_only_the_assigned_officer_reads_and_leaves_a_line(world: World, tmp_path: Path) -> None:
    story = a_story(world, tmp_path)
    story.go()
    story.observe()
    council = story.client(story.council, Role.COUNCIL_MEMBER).get(f"/visits/{story.visit}?tab=findings").text
    assert "матрасов" not in council
    officer = story.client(story.officer, Role.CENTRE_OFFICER).get(f"/visits/{story.visit}?tab=findings").text
    assert "На трёх койках нет матрасов" in officer
    with world.office.database.read() as session:
        found = [(row.person, row.verb) for row in session.exec(select(ReadRow))]
    assert (story.officer, "record.read") in found
    assert story.council not in {person for person, _ in found}


def test_an_officer_who_is_not_assigned_finds_nothing(story: Story) -> None:
    stranger = story.client(story.world.person(Role.CENTRE_OFFICER), Role.CENTRE_OFFICER)
    for path in (f"/visits/{story.visit}", f"/review/{story.report}/{story.findings[0]}",
                 f"/visits/{story.visit}/report.ru.pdf"):  # fmt: skip
        assert stranger.get(path).status_code == 404, path


def test_rows_of_the_queue_hold_no_more_than_the_frozen_report(story: Story) -> None:
    with story.world.office.database.read() as session:
        rows = list(session.exec(select(ReviewRow)))
        assert {row.state for row in rows} == {"waiting"}
        assert [row.severity for row in sorted(rows, key=lambda row: row.place)] == [4, 3, 1]


@pytest.mark.parametrize(
    "raw",
    [
        {"findings": 5},
        {"items": [{"item": 3}]},
        {"visit": []},
        {"group": [{"person": None}]},
        {"items": [{"item": "/a", "state": "x"}]},
    ],
)
def test_a_document_of_another_shape_is_refused_whole(raw: dict[str, object]) -> None:
    with pytest.raises(RuleBroken, match="report_changed"):
        document_of(raw, {})


def test_line_ends_of_a_browser_reach_the_ledger_as_one_sign(story: Story) -> None:
    client = story.client(story.officer, Role.CENTRE_OFFICER)
    token = client.get("/review").text.split('name="csrf" value="')[1].split('"')[0]
    path = f"/review/{story.report}/{story.findings[1]}/return"
    assert client.post(path, data={"csrf": token, "seen": 0, "text": "Кто?\r\nКогда?\x07"}).status_code == 303
    assert [each.text for each in story.report_state().questions.values()] == ["Кто?\nКогда?"]


def test_the_same_verbs_by_json(story: Story) -> None:
    client = story.client(story.officer, Role.CENTRE_OFFICER)
    queue = client.get("/api/reports/queue").json
    assert [line["place"] for line in queue] == [2, 1, 3]
    path = f"/api/reports/{story.report}/findings/{story.findings[2]}/acceptance"
    done = client.post(path, json={"seen": 0})
    assert done.status_code == 201
    assert done.json["findings"][story.findings[2]] == "accepted"
    again = client.post(path, json={})
    assert (again.status_code, again.json["code"]) == (409, "already_decided")
    asked = client.post(f"/api/reports/{story.report}/questions", json={"finding": story.findings[1], "text": "Кто?"})
    assert asked.status_code == 201
    assert asked.json["findings"][story.findings[1]] == "returned"
    council = story.client(story.council, Role.COUNCIL_MEMBER)
    assert council.get(f"/api/reports/{story.report}").json["stage"] == "submitted"
    assert council.post(path, json={}).status_code == 403
    assert client.get(f"/api/visits/{story.visit}").json["mandate"] == "2026-0001"
    assert client.get("/api/visits/nonsense").status_code == 404
