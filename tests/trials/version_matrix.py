"""Apps and offices of three versions each, in every pair: no field and no operation is lost on the way through.

A tablet of one version, a tablet of a newer, an office of a third. Everybody writes what his version knows: kinds and
fields the others have never heard of. In the middle the office may refuse the request's own version. Then office and
tablets are brought up to date, and everything is there, byte for byte, and understood.
"""

from __future__ import annotations

from random import Random
from typing import Any

from field_app.acts import records
from server.ledger import queries
from shared.ledger.operation import Body
from shared.values import OperationId
from tests.ground import Tablet
from tests.network.group import Group, at_work
from tests.network.versions import (
    FIELD_SINCE,
    KIND_SINCE,
    NEWEST,
    SINCE,
    SureAnswer,
    WeatherNoted,
    office_of,
    running,
)  # fmt: skip
from tests.trials.trial import Ground, Trial

APPS, OFFICES = (1, 2, 3), (2, 3, 4)
"""N is 3: apps N-2 to N against offices N-1 to N+1; a colleague's app is N+1 or N+2."""
STEPS = 10


def run(seed: int, ground: Ground) -> None:
    """Raises AssertionError when a line is lost or changed, or a field is not there in the end."""
    chance = Random(seed)
    pairs = [(app, office) for app in APPS for office in OFFICES]
    app, office = pairs[seed % len(pairs)]
    apps = {"leader": app, "other": chance.choice((KIND_SINCE, NEWEST))}
    now = {"office": office, "speaks": 0}
    with at_work(ground.folder, tuple(apps)) as group:
        for tablet in group.tablets:
            tablet.line.application = office_of(
                lambda: now["office"], group.world.application, lambda: now["speaks"]
            )  # fmt: skip
        wrote: dict[str, bytes] = {}
        for step in range(STEPS):
            name = chance.choice(tuple(apps))
            now["speaks"] = NEWEST + 1 if chance.random() < 0.2 else 0
            with running(apps[name]):
                _write(chance, group, group.world.tablets[name], apps[name], step)
                if chance.random() < 0.6:
                    group.world.clock.pass_(seconds=40)
                    group.world.tablets[name].sync()
                if chance.random() < 0.2:
                    group.world.tablets[name].reopen()
                wrote |= _own_lines(group.world.tablets[name])
        _between_old_ones(group, apps, now)
        now |= {"office": NEWEST, "speaks": 0}
        group.world.clock.pass_(days=2)
        with running(NEWEST):
            for tablet in group.tablets:
                tablet.reopen()
            group.settle()
            group.check()
            _all_is_there(group, wrote)


def _write(chance: Random, group: Group, tablet: Tablet, version: int, step: int) -> None:
    """Something this version knows."""
    can: list[str] = ["answer", "note"]
    can += ["field"] * (version >= FIELD_SINCE) + ["kind"] * (version >= KIND_SINCE)
    can += ["note_changed"] * (version >= SINCE["note_changed"])
    what, store, now = chance.choice(can), tablet.store, tablet.clock()
    state: Any = store.state(group.record)
    notes: list[OperationId] = sorted(state.notes)
    if what == "field":
        value = len(group.saved) + 1
        body: Body = SureAnswer(item=f"/mc/q{value}", value=value, certainty=f"sure {value}")
        store.record(group.record, body, now=now)
        group.saved.append(value)
    elif what == "kind":
        store.record(group.record, WeatherNoted(sky=f"clear {step}", degrees=step), now=now)
    elif what == "note_changed" and notes:
        records.change_note(store, group.record, chance.choice(notes), f"changed {step}", now)
    elif what == "note":
        records.note(store, group.record, f"note {step}", now)
    else:
        group.answer(tablet)


def _own_lines(tablet: Tablet) -> dict[str, bytes]:
    """Every line written here, by the id of its operation, as it lies on the disk."""

    def work(opened: Any) -> dict[str, bytes]:
        found = {}
        for subject, numbers in opened.numbers.items():
            ids = opened.book.subjects[subject].chains[tablet.device]
            found |= dict(zip(ids, opened.own_lines(subject, 1, len(numbers)), strict=True))
        return found

    return tablet.store.reading(work)


def _between_old_ones(group: Group, apps: dict[str, int], now: dict[str, int]) -> None:
    """Nobody is up to date yet: all the same what the office reads reaches everybody, and is folded without a fault."""
    now["speaks"] = 0
    for name in (*apps, *apps):
        with running(apps[name]):
            group.world.clock.pass_(seconds=40)
            done = group.world.tablets[name].sync()
            assert done.trouble == "", (name, apps, now, done)
            assert group.world.tablets[name].store.state(group.record) is not None


def _all_is_there(group: Group, wrote: dict[str, bytes]) -> None:

    with group.world.office.database.read() as session:
        frames = [queries.frame_of(row) for row in queries.frames_of(session, group.record)]
    held = {id_.hex(): line for frame in frames for id_, line in zip(frame.ids(), frame.lines, strict=True)}
    here = {each.id for each in group.history()}  # type: ignore[attr-defined]
    for id_, line in wrote.items():
        if id_ in here or id_ in held:
            assert held[id_] == line, "a line was changed on the way"
    missing = [line for id_, line in wrote.items() if id_ not in held and b'"weather_noted"' in line]
    assert not missing, f"never arrived: {missing}"
    for tablet in group.tablets:
        operations: list[Any] = tablet.store.operations(group.record)
        sure = {each.body.value: each.body.certainty for each in operations if isinstance(each.body, SureAnswer)}
        said = {each.body.value: each.body.certainty for each in group.history() if isinstance(each.body, SureAnswer)}  # type: ignore[attr-defined]
        assert sure == said
        assert all(text == f"sure {value}" for value, text in sure.items() if text), sure
        lines = sum(b'"certainty"' in line for line in wrote.values())
        assert sum(bool(text) for text in sure.values()) == lines, f"{tablet.name}: a field was lost"
        skies = [each.body.sky for each in operations if isinstance(each.body, WeatherNoted)]
        assert len(skies) == sum(b'"weather_noted"' in line for line in wrote.values()), f"{tablet.name}: {skies}"
        state: Any = tablet.store.state(group.record)
        assert not state.needs_update, f"{tablet.name} does not understand everything, though it is up to date"


TRIAL = Trial(
    "version_matrix",
    traps=("B.7", "R10"),
    says="Between apps and offices of three versions each no operation and no field is lost.",
    per_commit=9,
    release=4_500,
    run=run,
)
