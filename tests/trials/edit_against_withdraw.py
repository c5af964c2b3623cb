"""Three people edit, withdraw and restore the same notes and findings at once: every value ever saved can be reached.

They sync when they like. A withdrawal hides and never deletes; an edit that did not see it stands beside it. In the end
all copies show the same, and each text ever saved opens from the record's history.
"""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import Any

from field_app.acts import records
from shared.errors import RuleBroken
from shared.values import OperationId
from tests.ground import Tablet
from tests.network.group import Group, at_work
from tests.network.words import opened_by_office
from tests.simulator.views import view
from tests.trials.trial import Ground, Trial

ACTS = 16
REASONS = ("entered_by_mistake", "wrong_place", "repeated")


def run(seed: int, ground: Ground) -> None:
    """Raises AssertionError when a text cannot be reached any more, or two copies show different things."""
    chance = Random(seed)
    with at_work(ground.folder) as group:
        texts: Counter[str] = Counter()
        for number in range(ACTS):
            tablet = chance.choice(group.tablets)
            text = f"text {number}"
            if _act(chance, group, tablet, text):
                texts[text] += 1
            if chance.random() < 0.25:
                group.world.clock.pass_(seconds=40)
                assert tablet.sync().trouble == ""
        group.settle()
        group.check()
        _reachable(group, texts)
        _alike(group)


def _act(chance: Random, group: Group, tablet: Tablet, text: str) -> bool:
    """One act with what this tablet sees; whether the text was saved."""
    state: Any = tablet.store.state(group.record)
    store, record, now = tablet.store, group.record, tablet.clock()
    notes: list[OperationId] = sorted(state.notes)
    findings: list[OperationId] = sorted(state.findings)
    what = chance.choice(("note", "finding", "edit", "edit", "edit", "withdraw", "withdraw", "restore"))
    if what == "note" or not notes:
        records.note(store, record, text, now)
    elif what == "finding" or not findings:
        records.finding(store, record, severity=chance.choice(("low", "high")), saw=text, now=now)
    elif what == "edit":
        target = chance.choice([*notes, *findings])
        try:
            if target in state.notes:
                records.change_note(store, record, target, text, now)
            else:
                records.change_finding(store, record, target, saw=text, now=now)
        except RuleBroken:
            return False
    else:
        target = chance.choice([*notes, *findings])
        if what == "withdraw":
            records.withdraw(store, record, target, chance.choice(REASONS), now)  # type: ignore[arg-type]
        else:
            records.restore(store, record, target, now)
        return False
    return True


def _reachable(group: Group, texts: Counter[str]) -> None:
    opened = opened_by_office(group.world, group.record)
    found = Counter(str(words.get("text") or words.get("saw")) for words in opened.values())
    missing = texts - found
    assert not missing, f"cannot be reached from the history: {missing}"
    for tablet in group.tablets:
        here = {each.id for each in tablet.store.operations(group.record)}
        assert set(opened) <= here, f"{tablet.name} lacks a version"


def _alike(group: Group) -> None:
    shown = [view(tablet.store.state(group.record)) for tablet in group.tablets]
    shown.append(view(group.world.state(group.record)))
    assert all(each == shown[0] for each in shown), "two copies show different things"


TRIAL = Trial(
    "edit_against_withdraw",
    traps=("B.11",),
    says="However three people edit, withdraw and restore at once, every text is reachable, all copies alike.",
    per_commit=25,
    release=2_000,
    run=run,
)
