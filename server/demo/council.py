"""Steps 2 and 3: the Council elects a member, and decides on a request that came from a tablet."""

from __future__ import annotations

from datetime import timedelta

from server.demo.cast import (
    COMMISSIONER,
    COUNCIL,
    ELECTED,
    LEADER,
    MEMBER,
    SECRETARY,
    Player,
)  # fmt: skip
from server.demo.console import Desk
from server.demo.scene import Scene
from server.demo.stage import expect
from server.ledger import queries as ledger
from shared.accounts import Role
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


def elect(scene: Scene) -> None:
    """Step 2: a call, three candidates, eligibility, a ballot, one elected."""
    raise NotImplementedError
