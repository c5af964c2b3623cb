"""A text is changed between a push that failed and the next try: both versions arrive, linked."""

from __future__ import annotations

from random import Random
from typing import Any

from field_app.acts import records
from shared.values import OperationId
from tests.ground.line import Kind
from tests.network.group import Group, at_work
from tests.network.words import opened_by_office
from tests.trials.trial import Ground, Trial

FAILURES: tuple[Kind, ...] = ("drop_request", "drop_response", "cut_request", "cut_response", "delay", "error", "reset")
NOTES = 3


def run(seed: int, ground: Ground) -> None:
    """Raises AssertionError when a version is missing, or does not say which one it follows."""
    chance = Random(seed)
    with at_work(ground.folder, ("leader", "other")) as group:
        tablet, versions = group.world.tablets["leader"], {}
        for number in range(NOTES):
            now = tablet.clock()
            note = records.note(tablet.store, group.record, f"first {number}", now)
            item, first = f"/mc/edited{number}", group.answer(tablet, f"/mc/edited{number}")
            for _ in range(chance.randint(1, 3)):
                tablet.line.fail(chance.choice(FAILURES), at=chance.random())
                group.world.clock.pass_(seconds=40)
                tablet.sync()
                tablet.line.faults.clear()
            records.change_note(tablet.store, group.record, note, f"second {number}", tablet.clock())
            versions[note] = (item, first, group.answer(tablet, item), number)
        group.settle()
        group.check()
        for note, said in versions.items():
            _both_are_there(group, note, *said)


def _both_are_there(group: Group, note: OperationId, item: str, first: int, second: int, number: int) -> None:
    history: list[Any] = group.history()
    changed = next(each for each in history if each.kind == "note_changed" and each.body.note == note)
    assert changed.body.over == note, "the later version does not say which one it follows"
    words = opened_by_office(group.world, group.record)
    assert words[note]["text"] == f"first {number}"
    assert words[changed.id]["text"] == f"second {number}"
    values = [each.body.value for each in history if each.kind == "answer_recorded" and each.body.item == item]
    assert values == [first, second], f"{item}: {values}"
    for tablet in group.tablets:
        state: Any = tablet.store.state(group.record)
        assert state.effective(item).entry.value == second


TRIAL = Trial(
    "edited_after_failure",
    traps=("B.5",),
    says="What is edited between a failed push and the next arrives in both versions, linked.",
    per_commit=20,
    release=1_000,
    run=run,
)
