"""What T11 shows, as plain data: rows of `field_app.sync.status`, alike ones joined, with age and last receipt.

A row stands alone where a person is needed or bytes are moving; the rest is counted by what it is and where it belongs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from field_app.bundles.staying import spread
from field_app.screens.today_facts import place_of
from field_app.store.kept import Alarm
from field_app.sync.status import Progress, Row, RowState, rows
from shared.observations.record import Record
from shared.reports import Report
from shared.values import SubjectId
from shared.visits import Visit

if TYPE_CHECKING:
    from field_app.store.store import Store

FAMILIES = {
    "answer": "answers", "non": "answers", "row": "answers", "value": "answers", "choice": "answers",
    "note": "notes", "loose": "notes", "photo": "photos", "file": "photos", "finding": "findings",
    "interview": "interviews", "consent": "interviews", "visit": "visit", "conflict": "visit", "entry": "visit",
    "record": "visit", "request": "request", "report": "report", "question": "report", "draft": "report",
}  # fmt: skip
"""First word of an operation kind → what people call it: `sync.kind_<family>`."""
ORDER = (
    "failed", "needs_decision", "office_decides", "kept_aside", "sending", "waiting", "on_tablet", "received"
)  # fmt: skip
"""States of lines, those that need somebody first."""
STOPS = frozenset({"revoked", "twin", "fork", "no_role"})
"""Alarms that end when the office lets this tablet read again."""
ALARMS_SHOWN = 3
ALONE = frozenset({"failed", "needs_decision", "sending"})


@dataclass(frozen=True)
class SyncRow:
    """One line: `family` names what it is, `count` how many; `visit` where *Decide* leads."""

    key: str
    family: str
    count: int
    place: str
    state: RowState
    percent: int
    at: str
    number: str
    reason: str
    urgent: bool
    size: int
    visit: str


@dataclass(frozen=True)
class SyncFacts:
    """Everything T11 shows. `oldest`: stamp of the oldest entry not received; `receipt`: (number, stamp).

    carried      parts held for colleagues on their way to the office
    leaves_gate  a visit is under way or just closed and something of it is on no other machine
    staying      interviews that no bundle for a colleague carries, and those that not every such bundle does
    """

    rows: tuple[SyncRow, ...]
    unsent: int
    decide: int
    failed: int
    oldest: str
    receipt: tuple[str, str]
    exchanged_at: str
    trouble: str
    is_running: bool
    alarms: tuple[Alarm, ...]
    carried: int = 0
    leaves_gate: bool = False
    staying: tuple[int, int] = (0, 0)


def sync_facts(store: Store, progress: Progress, language: str) -> SyncFacts:
    """How everything on this tablet stands with the office."""
    found = rows(store, progress)
    lines = [*_differences(store, language), *_lines(store, found, language)]
    lines.sort(key=lambda line: ORDER.index(line.state))
    received = [(row.at, row.number) for row in found if row.state == "received" and row.number]
    at, number = max(received, default=("", ""))
    return SyncFacts(
        rows=tuple(lines), unsent=store.unsent(), decide=sum(line.state == "needs_decision" for line in lines),
        failed=sum(line.state == "failed" for line in lines), oldest=_oldest(store, found), receipt=(number, at),
        exchanged_at=store.meta.exchanged_at, trouble=progress.trouble, is_running=progress.is_running,
        alarms=_standing(store.alarms(), progress.trouble), carried=len(store.meta.offers),
        leaves_gate=_leaves_gate(store), staying=spread(store),
    )  # fmt: skip


def _standing(alarms: tuple[Alarm, ...], trouble: str) -> tuple[Alarm, ...]:
    """The newest alarms, each code once; none that a later one took back, none that the trouble above says already."""
    found: dict[str, Alarm] = {}
    for each in alarms:
        found.pop(each.code, None)
        if each.code == "reads_again":
            found = {code: alarm for code, alarm in found.items() if code not in STOPS}
        found[each.code] = each
    return tuple(each for each in found.values() if each.code != trouble)[-ALARMS_SHOWN:]


def _leaves_gate(store: Store) -> bool:
    states = [store.state(subject) for subject in store.subjects("visit")]
    return store.unsent() > 0 and any(isinstance(state, Visit) and state.started_at for state in states)


def _lines(store: Store, found: list[Row], language: str) -> list[SyncRow]:
    joined: dict[tuple[str, ...], SyncRow] = {}
    places: dict[str, str] = {}
    for row in found:
        visit = _visit_of(store, row.subject)
        if visit not in places:
            places[visit] = place_of(store, SubjectId(visit), language) if visit else ""
        family = _family(row.kind)
        alone = row.state in ALONE
        key = (
            (row.key,) if alone else (row.state, family, row.subject if row.state != "received" else visit, row.reason)
        )
        line = SyncRow(
            " ".join(key), family, row.count, places[visit], row.state, row.percent, row.at, row.number, row.reason,
            row.urgent, row.size, visit,
        )  # fmt: skip
        before = joined.get(key)
        joined[key] = line if before is None else _and(before, line)
    return list(joined.values())


def _and(one: SyncRow, other: SyncRow) -> SyncRow:
    latest = max((one.at, one.number), (other.at, other.number))
    return SyncRow(
        one.key, one.family, one.count + other.count, one.place, one.state, 0, *latest, one.reason,
        one.urgent or other.urgent, one.size + other.size, one.visit,
    )  # fmt: skip


def _family(kind: str) -> str:
    if kind == "subject":
        return "entries"
    return FAMILIES.get(kind.replace(".", "_").split("_")[0], "entries")


def _visit_of(store: Store, subject: SubjectId) -> str:
    state = store.state(subject)
    if isinstance(state, Visit):
        return subject
    if isinstance(state, Record | Report):
        return state.visit
    return ""


def _differences(store: Store, language: str) -> list[SyncRow]:
    """Questions that members answered differently: each visit is one line with the way to decide."""
    found = []
    for subject in store.subjects("record"):
        state = store.state(subject)
        count = len(state.answers.differing(state.leader)) if isinstance(state, Record) else 0
        if count:
            place = place_of(store, state.visit, language) if store.state(state.visit) else ""
            found.append(
                SyncRow(f"{subject} answers", "differences", count, place, "needs_decision", 0, "", "", "", False, 0,
                        state.visit)
            )  # fmt: skip
    return found


def _oldest(store: Store, found: list[Row]) -> str:
    waiting = {row.key for row in found if row.state != "received" and not row.kind.startswith(("file", "subject"))}
    subjects = {row.subject for row in found if row.key in waiting}
    stamps = [each.at for subject in subjects for each in store.operations(subject) if each.id in waiting]
    return min(stamps, default="")
