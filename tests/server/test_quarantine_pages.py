"""The page of what was kept aside: who sees how much, one proposes and another answers, stopped tablets."""

from __future__ import annotations

import argparse
import re
from datetime import timedelta

import pytest
from sqlmodel import select

from server.accounts import actions as accounts
from server.ledger.actions import record as office_record
from server.ledger.contacts import freeze
from server.ledger.tables import ContactRow, HeldFrameRow
from server.office import new_subject
from server.quarantine import commands
from server.quarantine.actions import confirm, propose
from server.quarantine.tables import FrameDecisionRow, ProposalRow
from shared.accounts import Role
from shared.errors import RuleBroken
from shared.observations.answers import AnswerRecorded
from shared.observations.record import NoteRecorded, RecordOpened
from shared.visits import ConflictDeclared, OfficerAssigned, VisitStarted
from tests.server.conftest import World

CANARY = "Q2FuYXJ5LXdvcmRz"


class Scene:
    """A started visit with an officer, and one frame of a revoked tablet kept aside."""

    def __init__(self, world: World, pair) -> None:
        self.world = world
        self.one, self.other, self.visit = pair
        self.leader = self.one.person
        self.officer = world.person(Role.CENTRE_OFFICER, name="Officer")
        with world.office.database.write() as session:
            assigned = OfficerAssigned(person=self.officer)
            office_record(session, world.office, self.visit, world.founded.second, [assigned], world.now)
        for tablet in (self.one, self.other):
            tablet.clock = 100
            tablet.sync(tablet.write(self.visit, ConflictDeclared(conflict=False)))
        started = VisitStarted(institution="syn-1", arrived_at="2026-03-05T10:00:00+05:00")
        self.one.sync(self.one.write(self.visit, started))
        self.record = new_subject(world.now)
        self.one.sync(self.one.write(self.record, RecordOpened(visit=self.visit, checklists=())))
        with world.office.database.write() as session:
            accounts.revoke_device(session, world.office, world.founded.admin, self.other.id, "lost", world.now)
        answers = [AnswerRecorded(item=f"/mc/q{number}", value="CANARYVALUE") for number in range(3)]
        frame = self.other.write(self.record, *answers, NoteRecorded(key="0" * 32, sealed=CANARY))
        self.other.sync(frame)
        self.head = frame.ids()[-1].hex()

    def page(self, person, hat: Role, path: str = "/quarantine", **more):
        return self.world.signed_in(person, hat).get(path, base_url="https://127.0.0.1", **more)

    def post(self, person, hat: Role, path: str, **form: str):
        client = self.world.signed_in(person, hat)
        me = client.get("/me", base_url="https://127.0.0.1").text
        form["csrf"] = re.search(r'name="csrf" value="([^"]+)"', me)[1]
        return client.post(path, data=form, base_url="https://127.0.0.1")


@pytest.fixture
def scene(world: World, pair) -> Scene:
    return Scene(world, pair)


def test_who_sees_what(scene: Scene) -> None:
    world, path = scene.world, f"/quarantine/{scene.head}"
    for person, hat in (
        (scene.officer, Role.CENTRE_OFFICER),
        (scene.leader, Role.NPM_MEMBER),
        (world.person(Role.AUDITOR), Role.AUDITOR),
    ):
        assert f'href="{path}"' in scene.page(person, hat).text, hat
        text = scene.page(person, hat, path).text
        assert "3 ответа" in text, hat
        assert "CANARY" not in text
        assert CANARY not in text
    admin = scene.page(world.founded.admin, Role.ADMIN)
    assert f'href="{path}"' in admin.text
    assert "ответа" not in admin.text + scene.page(world.founded.admin, Role.ADMIN, path).text
    for person, hat in (
        (scene.other.person, Role.NPM_MEMBER),
        (world.person(Role.CENTRE_OFFICER), Role.CENTRE_OFFICER),
        (world.person(Role.COMMISSIONER), Role.COMMISSIONER),
        (world.person(Role.COUNCIL_MEMBER), Role.COUNCIL_MEMBER),
    ):
        assert scene.head not in scene.page(person, hat).text, hat
        assert scene.page(person, hat, path).status_code == 404, hat
    counts = scene.page(world.person(Role.COUNCIL_MEMBER), Role.COUNCIL_MEMBER).text
    assert "Планшет был закрыт до получения" in counts
    assert scene.page(world.person(Role.EXPERT), Role.EXPERT).status_code == 403


def test_an_officer_proposes_and_the_leader_agrees(scene: Scene) -> None:
    path = f"/quarantine/{scene.head}"
    assert scene.post(scene.leader, Role.NPM_MEMBER, path, outcome="taken_in", reason="x").status_code == 403
    stranger = scene.world.person(Role.CENTRE_OFFICER)
    assert scene.post(stranger, Role.CENTRE_OFFICER, path, outcome="taken_in", reason="x").status_code == 404
    silent = scene.post(scene.officer, Role.CENTRE_OFFICER, path, outcome="taken_in", reason=" ")
    assert silent.status_code == 422
    assert 'href="#reason"' in silent.text
    assert scene.post(scene.officer, Role.CENTRE_OFFICER, path, outcome="gone", reason="x").status_code == 422
    assert (
        scene.post(scene.officer, Role.CENTRE_OFFICER, path, outcome="taken_in", reason="its bag was found").status_code
        == 303
    )
    with scene.world.office.database.read() as session:
        number = session.exec(select(ProposalRow.id)).one()
        assert session.exec(select(HeldFrameRow)).one().status == "quarantined"
    answer = f"/quarantine/proposals/{number}"
    assert scene.post(scene.officer, Role.CENTRE_OFFICER, answer, answer="confirm").status_code == 403
    assert scene.post(scene.other.person, Role.NPM_MEMBER, answer, answer="confirm").status_code == 404
    assert "its bag was found" in scene.page(scene.leader, Role.NPM_MEMBER, path).text
    assert scene.post(scene.leader, Role.NPM_MEMBER, answer, answer="confirm").status_code == 303
    with scene.world.office.database.read() as session:
        assert session.exec(select(HeldFrameRow)).all() == []
        decided = session.exec(select(FrameDecisionRow)).one()
        assert (decided.author, decided.second, decided.outcome) == (scene.officer, scene.leader, "taken_in")
    text = scene.page(scene.officer, Role.CENTRE_OFFICER, "/quarantine?show=decided").text
    assert f'href="{path}"' in text
    assert "its bag was found" in scene.page(scene.officer, Role.CENTRE_OFFICER, path).text
    assert scene.post(scene.leader, Role.NPM_MEMBER, answer, answer="confirm").status_code == 404


def test_a_declined_proposal_changes_nothing(scene: Scene) -> None:
    path = f"/quarantine/{scene.head}"
    scene.post(scene.officer, Role.CENTRE_OFFICER, path, outcome="kept_aside", reason="looks wrong")
    with scene.world.office.database.read() as session:
        number = session.exec(select(ProposalRow.id)).one()
    scene.post(scene.leader, Role.NPM_MEMBER, f"/quarantine/proposals/{number}", answer="decline")
    with scene.world.office.database.read() as session:
        assert session.exec(select(ProposalRow)).all() == []
        assert session.exec(select(HeldFrameRow)).one().status == "quarantined"
        assert session.exec(select(FrameDecisionRow)).all() == []


def test_who_answers_a_proposal_of_before_never_answers_the_one_that_took_its_place(scene: Scene) -> None:
    """An officer who proposes to keep a frame aside and then to take it in finds no consent in the first page."""
    path = f"/quarantine/{scene.head}"
    scene.post(scene.officer, Role.CENTRE_OFFICER, path, outcome="kept_aside", reason="looks wrong")
    with scene.world.office.database.read() as session:
        seen = session.exec(select(ProposalRow.id)).one()
    scene.post(scene.officer, Role.CENTRE_OFFICER, path, outcome="taken_in", reason="looks right")
    answered = scene.post(scene.leader, Role.NPM_MEMBER, f"/quarantine/proposals/{seen}", answer="confirm")
    assert answered.status_code == 404
    with scene.world.office.database.read() as session:
        assert session.exec(select(ProposalRow)).one().outcome == "taken_in"
        assert session.exec(select(HeldFrameRow)).one().status == "quarantined"


def test_a_stopped_tablet_is_proposed_by_the_admin_and_answered_by_a_second_officer(scene: Scene) -> None:
    world, device = scene.world, scene.one.id
    scene.one.nonce = "seen-before"
    scene.one.sync()
    assert scene.one.sync().page.stopped == "twin"
    admin, second = world.founded.admin, world.founded.second
    path = f"/quarantine/tablets/{device}"
    assert "второй планшет" in scene.page(admin, Role.ADMIN).text
    assert scene.post(scene.officer, Role.CENTRE_OFFICER, path, reason="x").status_code == 403
    assert scene.post(admin, Role.ADMIN, path, reason="the copy was destroyed").status_code == 303
    with world.office.database.read() as session:
        number = session.exec(select(ProposalRow.id)).one()
    assert (
        scene.post(scene.leader, Role.NPM_MEMBER, f"/quarantine/proposals/{number}", answer="confirm").status_code
        == 404
    )
    assert (
        scene.post(second, Role.COMMISSIONER, f"/quarantine/tablets/proposals/{number}", answer="confirm").status_code
        == 303
    )
    with world.office.database.read() as session:
        assert not session.get(ContactRow, device).frozen
    assert not scene.one.sync().page.revoked


def test_no_language_and_no_state_breaks_a_page(scene: Scene) -> None:
    for language in ("kk", "ru", "en"):
        for show in ("open", "waiting", "decided", "nonsense"):
            assert (
                scene.page(scene.officer, Role.CENTRE_OFFICER, f"/quarantine?show={show}&lang={language}").status_code
                == 200
            )
        for head in ("0" * 64, "zz", "proposals"):
            assert scene.page(scene.officer, Role.CENTRE_OFFICER, f"/quarantine/{head}").status_code == 404


def machine(scene: Scene, monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    """`qorgan` at the machine of the office; people are named by what they are in the scene."""
    people = {"leader": scene.leader, "officer": scene.officer, "other": scene.other.person,
              "admin": scene.world.founded.admin, "second": scene.world.founded.second}  # fmt: skip
    monkeypatch.setattr(commands, "_office", lambda: scene.world.office)
    monkeypatch.setattr(commands, "_now", lambda: scene.world.now)
    monkeypatch.setattr(commands, "_who", lambda session, login: people[login])
    parser = argparse.ArgumentParser()
    commands.add_commands(parser.add_subparsers())
    given = parser.parse_args(words)
    done: int = given.run(given)
    return done


def kept(scene: Scene) -> str:
    with scene.world.office.database.read() as session:
        return "".join(row.status for row in session.exec(select(HeldFrameRow)))


@pytest.mark.parametrize(
    ("by", "second", "code"),
    [("officer", "other", "not_allowed"), ("admin", "leader", "proposer_gone"), ("officer", "officer", "same_person"),
     ("leader", "officer", "proposer_gone"), ("officer", "admin", "not_allowed")],
)  # fmt: skip
def test_at_the_machine_the_two_people_must_hold_the_roles_of_the_page(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, by: str, second: str, code: str
) -> None:
    for act in ("accept", "keep"):
        with pytest.raises(RuleBroken, match=code):
            machine(scene, monkeypatch, "quarantine", act, scene.head[:12], "--by", by, "--with", second,
                    "--reason", "x")  # fmt: skip
    assert kept(scene) == "quarantined"
    with scene.world.office.database.read() as session:
        assert session.exec(select(ProposalRow)).all() == []


def test_at_the_machine_what_two_people_decided_is_written_down(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    said = ("--by", "officer", "--with", "leader", "--reason", "looked into it")
    assert machine(scene, monkeypatch, "quarantine", "keep", scene.head[:12], *said) == 0
    assert kept(scene) == "kept_aside"
    assert machine(scene, monkeypatch, "quarantine", "accept", scene.head[:12], *said) == 0
    assert kept(scene) == ""
    with scene.world.office.database.write() as session:
        freeze(session.get(ContactRow, scene.one.id), "twin", scene.world.now)
    with pytest.raises(RuleBroken, match="not_allowed"):
        machine(scene, monkeypatch, "tablets", "let-read", scene.one.id, "--by", "admin", "--with", "leader",
                "--reason", "x")  # fmt: skip
    with pytest.raises(RuleBroken, match="proposer_gone"):
        machine(scene, monkeypatch, "tablets", "let-read", scene.one.id, "--by", "officer", "--with", "second",
                "--reason", "x")  # fmt: skip
    assert scene.one.sync().page.stopped == "twin"
    assert machine(scene, monkeypatch, "tablets", "let-read", scene.one.id, "--by", "admin", "--with", "second",
                   "--reason", "x") == 0  # fmt: skip
    assert scene.one.sync().page.stopped == ""


def test_a_proposal_ends_with_the_role_of_whoever_made_it(scene: Scene) -> None:
    world = scene.world
    with world.office.database.write() as session:
        number = propose(session, scene.officer, scene.head, "taken_in", "seen", world.now)
    with world.office.database.write() as session:
        accounts.end_role(session, world.office, world.founded.admin, world.founded.second, scene.officer,
                          Role.CENTRE_OFFICER, world.office.calendar.day_of(world.now), "left", world.now)  # fmt: skip
    later = world.now + timedelta(days=2)
    with pytest.raises(RuleBroken, match="proposer_gone"), world.office.database.write() as session:
        confirm(session, world.office, number, scene.leader, later)
    assert kept(scene) == "quarantined"
