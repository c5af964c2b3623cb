"""Steps 2 and 3: the Council elects a member, and decides on a request that came from a tablet."""

from __future__ import annotations

from datetime import timedelta

from server.demo.cast import ADMIN, CANDIDATES, COMMISSIONER, COUNCIL, ELECTED, LEADER, MEMBER, SECRETARY, Player
from server.demo.console import Desk
from server.demo.scene import Scene
from server.demo.stage import expect
from server.ledger import queries as ledger
from shared.accounts import Role
from shared.candidacies import Election
from shared.eligibility import BARS
from shared.values import SubjectId

INSTITUTION = "syn-35-colony-001"
REASON = (
    "Двое освобождённых независимо друг от друга рассказали о побоях в карантинном отделении. Просим посетить без "
    "предупреждения."
)
VOTERS: tuple[Player, ...] = (COMMISSIONER, *COUNCIL)


def voters(scene: Scene) -> list[tuple[Player, Desk]]:
    """Each member of the Council at an own desk."""
    hats = {COMMISSIONER: str(Role.COMMISSIONER)}
    return [(player, scene.console.desk(player, hats.get(player, str(Role.COUNCIL_MEMBER)))) for player in VOTERS]


def request_and_decide(scene: Scene) -> None:
    """Step 3, first part: filed offline, synced, voted on, approved with its arithmetic."""
    stage = scene.stage
    with stage.step("3.1", "A member files a special visit on her tablet, without a network") as step:
        tablet = scene.tablet("aigerim", LEADER)
        scene.line.online = False
        today = scene.office.calendar.day_of(scene.now())
        tablet.act(
            {
                "act": "file_request", "institution": INSTITUTION, "reason": REASON, "urgency": "urgent",
                "from_on": today.isoformat(), "to_on": (today + timedelta(days=1)).isoformat(),
                "members": [scene.id_of(player) for player in (LEADER, MEMBER, ELECTED)],
                "leader": scene.id_of(LEADER),
            }
        )  # fmt: skip
        unsent = tablet.show("summary")["unsent"]
        expect("the request waits on the tablet", unsent >= 1)
        tablet.sync(codes=(4,), rounds=1)
        step.figure = f"{unsent} waiting, no network"
    with stage.step("3.2", "The network is there: the request reaches the office") as step:
        scene.line.online = True
        tablet.sync()
        with scene.office.database.read() as session:
            requests = ledger.subjects(session, "visit_request")
        expect("one request arrived", len(requests) == 1)
        scene.request = SubjectId(requests[0])
        step.figure = f"unsent {tablet.show('summary')['unsent']}"
    with stage.step("3.3", "The secretary puts it to the vote, the Council votes in the console") as step:
        secretary = scene.console.desk(SECRETARY)
        secretary.go("/requests")
        secretary.shot("console-c2-inbox")
        secretary.go(f"/requests/{scene.request}")
        secretary.send(f"/requests/{scene.request}/put-to-vote")
        choices = ["for"] * 7 + ["against"] + ["abstain"] + ["for"]
        for (player, desk), choice in zip(voters(scene)[:10], choices, strict=True):
            desk.go(f"/requests/{scene.request}")
            if player is COUNCIL[3]:
                desk.shot("console-c3-vote-open")
            extra = {"reason": "Недавно там уже были."} if choice == "against" else {}
            desk.send(f"/requests/{scene.request}/vote", conflict="no", choice=choice, **extra)
        desk = voters(scene)[10][1]
        desk.go(f"/requests/{scene.request}")
        desk.send(f"/requests/{scene.request}/vote", conflict="yes")
        step.figure = "8 for, 1 against, 1 abstained, 1 recused"
    with stage.step("3.4", "The count closes: approved, with its arithmetic") as step:
        secretary.go(f"/requests/{scene.request}")
        secretary.send(f"/requests/{scene.request}/close", photos=["yes"])
        secretary.go(f"/requests/{scene.request}")
        secretary.shot("console-c3-decided")
        with scene.office.database.read() as session:
            state = ledger.state(session, scene.request)
        expect(f"the request is approved, not {state.state}", state.state == "approved")
        counts = state.decision.body.counts
        unconfirmed = sum(rule.confidence != "T" for rule in state.decision.body.rules)
        step.figure = (
            f"quorum {counts.taking_part}/{counts.quorum_needed}, for {counts.votes_for}, needed {counts.needed_for}; "
            f"{unconfirmed} rules marked"
        )


def call(scene: Scene) -> None:
    """Step 2, as it was three weeks ago: the call and three candidates."""
    with scene.stage.step("2.1", "An election is called; three candidates hand in their papers") as step:
        secretary = scene.console.desk(SECRETARY)
        term_from = scene.office.calendar.day_of(scene.now())
        secretary.go("/elections/new")
        secretary.send("/elections", seats="1", term_from=f"{term_from:%d.%m.%Y}")
        scene.election = SubjectId(secretary.id_in_address())
        for player, background in zip(CANDIDATES, ("lawyer", "social_worker", "doctor"), strict=True):
            secretary.go(f"/elections/{scene.election}")
            secretary.send(
                f"/elections/{scene.election}/candidates", name=player.name, background=background,
                papers="заявление\nрезюме\nсправка о судимости",
            )  # fmt: skip
        with scene.office.database.read() as session:
            state: Election = ledger.state(session, scene.election)
        expect("three candidates stand", len(state.candidates) == 3)
        for player in CANDIDATES:
            found = next(each.id for each in state.candidates.values() if each.name == player.name)
            scene.ids.of[player.login] = found
        step.figure = f"call open until {state.called.call_until if state.called else ''}"


def elect(scene: Scene) -> None:
    """Step 2, today: eligibility, the ballot with its arithmetic, one elected who gets an account and a term."""
    stage, secretary = scene.stage, scene.console.desk(SECRETARY)
    election = f"/elections/{scene.election}"
    with stage.step("2.2", "Ten bars checked for each candidate; the ballot opens") as step:
        for player in CANDIDATES:
            secretary.go(f"{election}/candidates/{scene.id_of(player)}")
            secretary.send("form.flow2", **{bar.key: "clear" for bar in BARS})
        secretary.go(election)
        secretary.send(f"{election}/rounds")
        step.figure = f"{len(BARS)} bars, 3 eligible"
    with stage.step("2.3", "Eleven members of the Council vote at their desks") as step:
        for number, (player, desk) in enumerate(voters(scene)):
            desk.go(f"{election}/ballot")
            if player is COUNCIL[0]:
                desk.shot("console-c6-ballot")
            choices = ("for", "against" if number % 3 else "for", "abstain" if number % 2 else "against")
            desk.send(
                "form.grid-votes",
                **{f"c-{scene.id_of(each)}": choice for each, choice in zip(CANDIDATES, choices, strict=True)},
            )
        step.figure = "11 ballots"
    with stage.step("2.4", "The count: quorum, majority, arithmetic; one is elected") as step:
        secretary.go(election)
        secretary.send(f"{election}/count")
        secretary.send(f"{election}/close")
        secretary.go(election)
        secretary.shot("console-c6-count")
        (stage.papers / "election-ru.pdf").write_bytes(secretary.fetch(f"{election}/protocol.pdf"))
        with scene.office.database.read() as session:
            state: Election = ledger.state(session, scene.election)
        expect(f"one is elected: {state.elected}", state.elected == (scene.id_of(ELECTED),))
        tally = dict(state.rounds[0].closed.tallies)[scene.id_of(ELECTED)] if state.rounds[0].closed else None
        expect("the count is kept", tally)
        step.figure = f"for {tally.votes_for} of {tally.taking_part}, needed {tally.needed_for}" if tally else ""
    with stage.step("2.5", "She gets an account and a term; a second officer confirms the role") as step:
        admin, elected = scene.console.desk(ADMIN), scene.id_of(ELECTED)
        admin.go("/elections/seats")
        admin.send(f"{election}/seats/{elected}")
        secretary.go("/people/roles")
        secretary.send('form[action^="/people/roles/"]', button="confirm")
        admin.go("/people")
        admin.open_details(f'form[action="/people/{elected}/sign-in"]')
        admin.send(f"/people/{elected}/sign-in", login=ELECTED.login, passphrase=ELECTED.passphrase)
        called = state.called
        step.figure = f"term {called.term_from} to {called.term_until}" if called else ""
