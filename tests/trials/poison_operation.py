"""One operation that cannot be right, of every kind of wrong and at every place of a push: all others are delivered in
the same round, and the wrong one is kept where people can look at it.

Frames of a tablet with good keys and bad software go to the office itself. What the office cannot even read goes
through the real worker, which sends the others without it.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from random import Random
from unittest.mock import patch

import msgspec
from sqlmodel import select

from field_app.store import outgoing
from server.ledger.tables import FrameRow, HeldFrameRow
from server.office import new_subject
from shared.accounts import Role, RoleGranted
from shared.ledger.branch import BranchTakenIn
from shared.ledger.frame import Frame, cut
from shared.ledger.operation import Body, canonical, chain, encode_line, genesis
from shared.observations.answers import AnswerRecorded
from shared.values import PersonId, SubjectId, stamp
from shared.visits import MandateWithdrawn
from tests.ground import World as TabletWorld
from tests.network.offices import Direct, Scene, record_of, scene
from tests.network.quarantined import begin, own_ids, write
from tests.trials.trial import Ground, Trial

Said = tuple[str, str]
Poison = Callable[[Random, "Push"], tuple[Frame, Said]]


class Push:
    """A push of one tablet: one record for every frame, and the poisoned chain's own."""

    def __init__(self, on: Scene) -> None:
        self.on = on
        self.tablet, self.other = on.tablets[0], on.tablets[1]
        self.visit = on.visits[0]
        self.record: SubjectId = new_subject(on.world.now)
        self.tablet.sync(record_of(self.tablet, self.visit, self.record))

    def raw(self, *lines: bytes, subject: SubjectId | None = None) -> Frame:
        """A well-sealed frame over any bytes at the end of the chain."""
        subject = subject or self.record
        held = self.tablet.chains.get(subject, [])
        before = [genesis(self.tablet.id, subject), *chain(genesis(self.tablet.id, subject), held)][-1]
        return cut(self.tablet.secret, self.tablet.id, subject, len(held) + 1, before, lines)

    def line(self, body: Body, clock: int = 0, author: str = "") -> bytes:
        """One line of the tablet."""
        self.tablet.clock += 1
        who = PersonId(author or self.tablet.person)
        return encode_line(body, who, stamp(self.on.world.now), clock or self.tablet.clock)


ANSWER = AnswerRecorded(item="/mc/poison", value=1)


def _changed(push: Push, **fields: object) -> bytes:
    plain = msgspec.json.decode(push.line(ANSWER)) | fields
    return msgspec.json.encode(plain, order="sorted")


def _sealed_wrongly(push: Push) -> Frame:
    frame = push.raw(push.line(ANSWER))
    header = msgspec.structs.replace(frame.header, seal=base64.b64encode(bytes(64)).decode())
    return Frame(header, frame.lines)


def _fork(push: Push) -> Frame:
    lines = push.tablet.chains[push.record]
    before = chain(genesis(push.tablet.id, push.record), lines)[-2]
    return cut(push.tablet.secret, push.tablet.id, push.record, len(lines), before, [push.line(ANSWER)])


def _behind_a_gap(push: Push) -> Frame:
    lines = [*push.tablet.chains[push.record], push.line(ANSWER)]
    before = chain(genesis(push.tablet.id, push.record), lines)[-1]
    return cut(push.tablet.secret, push.tablet.id, push.record, len(lines) + 1, before, [push.line(ANSWER)])


def _kept(reason: str) -> Said:
    return ("quarantined", reason)


ACCEPTED: Said = ("accepted", "")
POISONS: dict[str, tuple[Callable[[Push], Frame], Said]] = {
    "not_json": (lambda push: push.raw(b"{nonsense"), ACCEPTED),
    "not_utf_8": (lambda push: push.raw(b"\xff\xfe\x00"), ACCEPTED),
    "empty_line": (lambda push: push.raw(b""), ACCEPTED),
    "deep": (lambda push: push.raw(b"[" * 5000), ACCEPTED),
    "wrong_body": (lambda push: push.raw(_changed(push, body={"item": 7})), ACCEPTED),
    "wrong_time": (lambda push: push.raw(_changed(push, at="yesterday")), ACCEPTED),
    "clock_zero": (lambda push: push.raw(_changed(push, clock=0)), ACCEPTED),
    "line_too_large": (lambda push: push.raw(_changed(push, more="x" * 300_000)), ACCEPTED),
    "unknown_kind": (lambda push: push.raw(_changed(push, kind="from_the_future")), ACCEPTED),
    "unknown_field": (lambda push: push.raw(_changed(push, body={"item": "/mc/a", "value": 1, "new": 2})), ACCEPTED),
    "not_canonical": (lambda push: push.raw(push.line(ANSWER).replace(b'":"', b'": "', 1)), ACCEPTED),
    "clock_back": (lambda push: push.raw(push.line(ANSWER, clock=1)), _kept("clock_leap")),
    "clock_leap": (lambda push: push.raw(push.line(ANSWER, clock=2**53 - 1)), _kept("clock_leap")),
    "author": (lambda push: push.raw(push.line(ANSWER, author=push.other.person)), _kept("no_access")),
    "no_author": (lambda push: push.raw(_changed(push, author="nobody")), _kept("no_access")),
    "office_act": (
        lambda push: push.raw(push.line(BranchTakenIn(frame="0" * 64, part=1, parts=1, packed="AAAA"))),
        _kept("no_access"),
    ),
    "other_kind": (
        lambda push: push.raw(push.line(RoleGranted(role=Role.ADMIN, since="2026-01-01"))), _kept("wrong_subject")
    ),
    "mandate": (lambda push: push.raw(push.line(MandateWithdrawn(number="1", reason="x"))), _kept("wrong_subject")),
    "bad_seal": (_sealed_wrongly, _kept("bad_seal")),
    "fork": (_fork, _kept("fork")),
    "gap": (_behind_a_gap, ("waiting", "gap")),
    "foreign_subject": (
        lambda push: push.raw(push.line(RoleGranted(role=Role.ADMIN, since="2026-01-01")), subject=_person(push)),
        _kept("no_access"),
    ),
}  # fmt: skip


def _person(push: Push) -> SubjectId:
    return SubjectId(push.other.person)


def run(seed: int, ground: Ground) -> None:
    """Raises AssertionError when a good frame is held up, or a wrong one is lost or counted."""
    chance = Random(seed)
    names = sorted(POISONS)
    on = scene(ground, name="office")
    good = chance.randint(2, 5)
    name = names[seed % len(names)]
    for place in range(good + 1):
        push = Push(on)
        _push(chance, push, name, place, good)
    on.close()
    if seed % 10 == 1:
        _unreadable(chance, ground)


def _push(chance: Random, push: Push, name: str, place: int, good: int) -> None:
    """One push with the poison at this place; every good frame opens a record of its own."""
    make, wanted = POISONS[name]
    tablet: Direct = push.tablet
    poison = make(push)
    others = [record_of(tablet, push.visit, new_subject(push.on.world.now), chance.randint(1, 4)) for _ in range(good)]
    frames = [*others[:place], poison, *others[place:]]
    said = [(each.status, each.reason) for each in tablet.sync(*frames).receipt.frames]
    assert said[place] == wanted, f"{name} at {place}: {said[place]}"
    rest = said[:place] + said[place + 1 :]
    assert rest == [ACCEPTED] * good, f"{name} at {place} held others: {rest}"
    _is_kept(push, poison, accepted=wanted == ACCEPTED)
    again = [(each.status, each.reason) for each in tablet.sync(*others).receipt.frames]
    assert {status for status, _ in again} <= {"accepted", "already"}, again


def _is_kept(push: Push, poison: Frame, *, accepted: bool) -> None:
    last = poison.ids()[-1].hex()
    with push.on.world.office.database.read() as session:
        taken = session.exec(select(FrameRow.cursor).where(FrameRow.last_id == last)).all()
        held = session.exec(select(HeldFrameRow).where(HeldFrameRow.last_id == last)).all()
    assert (len(taken), len(held)) == ((1, 0) if accepted else (0, 1)), (len(taken), len(held))


def _unreadable(chance: Random, ground: Ground) -> None:
    """A frame that the office refuses to read at all, among those a real tablet sends: the others go without it."""
    with TabletWorld.open(ground.folder / "world", tablets=("leader", "other")) as world:
        tablet = world.tablets["leader"]
        record = begin(world, "leader", "other")
        write(chance, tablet, record, 3)
        good = outgoing.to_send(tablet.store)
        broken = _broken(chance, good[0])
        place = chance.randint(0, len(good))
        sent = tablet.worker
        due = outgoing.to_send

        def poisoned(store: object, *more: int) -> list[Frame]:
            frames = due(store, *more)  # type: ignore[arg-type]
            return [*frames[:place], broken, *frames[place:]] if frames else frames

        with patch.object(outgoing, "to_send", poisoned):
            done = sent.run_once()
        assert done.exchanges > 1, "the broken frame was not refused"
        assert tablet.store.unsent() == 0, "an unreadable frame held the others"
        with world.office.database.read() as session:
            ids = set(session.exec(select(FrameRow.last_id)))
        assert {frame.ids()[-1].hex() for frame in good} <= ids
        assert own_ids(tablet)


def _broken(chance: Random, frame: Frame) -> Frame:
    """A frame whose header says what no frame may say."""
    fields = chance.choice(({"count": 0}, {"count": 501}, {"frame": 2}, {"first": 0}, {"prev": "x"}, {"subject": "x"}))
    header = msgspec.structs.replace(frame.header, **fields)
    assert canonical(header)
    return Frame(header, frame.lines)


TRIAL = Trial(
    "poison_operation",
    traps=("B.14",),
    says="An operation that cannot be right, of any kind and at any place of a push, never holds up another.",
    per_commit=22,
    release=1_000,
    run=run,
)
