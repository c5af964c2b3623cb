"""An operation that its device did not write is never taken for one, whatever single thing of it was changed.

A hostile carrier holds good keys of its own and every frame of a colleague. It changes one field of a header or a line,
or drops, doubles or swaps a line; seals the result anew with its own key or leaves the seal; and sends it as itself or
in the colleague's place. Or the colleague's own software is hostile and seals what it may not say. Everything is kept
aside with its reason, or refused with a line in the log; what the colleague wrote is taken in, and nothing else is.
"""

from __future__ import annotations

import gzip
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random

import msgspec
from sqlmodel import select

from server.ledger import queries
from server.ledger.tables import HeldFrameRow
from server.ledger.verify import verify
from server.office import new_subject
from shared.ledger.frame import Frame, cut
from shared.ledger.messages import read_reply
from shared.ledger.operation import canonical
from shared.values import SubjectId
from tests.network.offices import Direct, Scene, answers, record_of, scene
from tests.server.conftest import World
from tests.trials.trial import Ground, Trial

FORGERIES = 25
"""Of one seed."""
OTHER = "0198c0de-0000-7000-8000-00000000beef"
FIELDS = ("count", "device", "first", "frame", "prev", "seal", "subject", "at", "author", "body", "clock", "kind")
LINES = ("dropped", "doubled", "swapped")
HEADER = frozenset(FIELDS[:7])


def run(seed: int, ground: Ground) -> None:
    """Raises AssertionError when a forgery counts, is kept without a reason, or leaves no line in the log."""
    chance = Random(seed)
    on = scene(ground)
    victim, hostile = on.tablets
    record = new_subject(on.world.now)
    known = [record_of(victim, on.visits[0], record), victim.write(record, *answers(3, 10))]
    assert all(each.status == "accepted" for each in victim.sync(*known).receipt.frames)
    coming = [victim.write(record, *answers(3, 20)), victim.write(record, *answers(2, 30))]
    with _log() as lines:
        for _ in range(FORGERIES):
            _try(chance, on, chance.choice([*known, *coming]), lines)
    _late_then_early(chance, victim, hostile, coming)
    _check(on, record, [*known, *coming])
    on.close()


def _try(chance: Random, on: Scene, genuine: Frame, lines: list[str]) -> None:
    victim, hostile = on.tablets
    what = chance.choice((*FIELDS, *LINES))
    forged = _forged(chance, genuine, what, hostile, victim)
    if forged.encoded() == genuine.encoded():
        return
    carrier, before = chance.choice((victim, hostile)), len(lines)
    on.world.clock.pass_(seconds=2)
    answer = carrier.post(carrier.request(forged))
    if answer.status_code != 200:  # type: ignore[attr-defined]
        assert 400 <= answer.status_code < 500, (what, answer.status_code)  # type: ignore[attr-defined]
        assert len(lines) > before, f"{what}: refused, and no line in the log says so"
        return
    reply = read_reply(_plain(answer), bytes.fromhex(on.world.office.keys.sign_key))
    carrier.nonce = reply.page.next_nonce
    (said,) = reply.receipt.frames
    assert said.status in ("quarantined", "waiting"), f"{what} changed: {said.status}"
    assert said.reason, f"{what} changed: kept aside without a reason"
    _is_kept(on.world, forged, what)


def _forged(chance: Random, genuine: Frame, what: str, hostile: Direct, victim: Direct) -> Frame:
    """The frame with one thing changed; sealed anew by the hostile tablet, or by the victim where its key cannot help,
    or under the old seal."""
    if what in HEADER:
        return _other_header(chance, genuine, what, hostile)
    lines = _other_lines(chance, genuine, what)
    header = msgspec.structs.replace(genuine.header, count=len(lines))
    if not lines:
        return genuine
    if what in ("author", "clock") and chance.random() < 0.3:
        return _sealed(victim, header, lines)
    return _sealed(hostile, header, lines) if chance.random() < 0.5 else Frame(header, lines)


def _sealed(by: Direct, header: msgspec.Struct, lines: tuple[bytes, ...]) -> Frame:
    return cut(by.secret, header.device, header.subject, header.first, bytes.fromhex(header.prev), lines)  # type: ignore[attr-defined]


def _other_header(chance: Random, genuine: Frame, what: str, hostile: Direct) -> Frame:
    header = genuine.header
    values = {
        "count": header.count + chance.choice((-1, 1, 400)), "device": chance.choice((hostile.id, OTHER)),
        "first": header.first + chance.choice((1, 2, 1000)), "frame": 2, "prev": bytes(chance.randbytes(32)).hex(),
        "seal": chance.choice(("", "!", "AAAA", hostile.write(SubjectId(OTHER), *answers(1)).header.seal)),
        "subject": OTHER,
    }  # fmt: skip
    forged = Frame(msgspec.structs.replace(header, **{what: values[what]}), genuine.lines)
    if what in ("count", "frame", "seal") or chance.random() < 0.5:
        return forged
    return _sealed(hostile, forged.header, forged.lines)


def _other_lines(chance: Random, genuine: Frame, what: str) -> tuple[bytes, ...]:
    lines, at = list(genuine.lines), chance.randrange(len(genuine.lines))
    if what == "dropped":
        del lines[at]
    elif what == "doubled":
        lines.insert(at, lines[at])
    elif what == "swapped":
        lines[at], lines[at - 1] = lines[at - 1], lines[at]
    else:
        said = msgspec.json.decode(lines[at])
        other = {
            "at": "2001-01-01T00:00:00+05:00", "author": chance.choice((OTHER, "")), "body": {"item": "/x", "value": 9},
            "clock": chance.choice((1, 2**50)), "kind": chance.choice(("visit_closed", "group_formed", "unheard_of")),
        }[what]  # fmt: skip
        lines[at] = canonical(said | {what: other})
    return tuple(lines)


def _plain(answer: object) -> bytes:
    return gzip.decompress(answer.get_data())  # type: ignore[attr-defined]


def _is_kept(world: World, forged: Frame, what: str) -> None:
    header, last = forged.header, forged.ids()[-1].hex()
    with world.office.database.read() as session:
        kept = session.exec(
            select(HeldFrameRow.reason).where(
                HeldFrameRow.device == header.device, HeldFrameRow.subject == header.subject,
                HeldFrameRow.first == header.first, HeldFrameRow.last_id == last,
            )
        ).all()  # fmt: skip
    assert kept, f"{what} changed: not kept"
    assert all(kept), f"{what} changed: kept without a reason"


def _late_then_early(chance: Random, victim: Direct, hostile: Direct, coming: list[Frame]) -> None:
    """A genuine frame that must wait still finds its place, though its forgeries came first."""
    carrier = chance.choice((victim, hostile))
    early, late = coming
    assert carrier.sync(late).receipt.frames[0].status == "waiting"
    assert victim.sync(early).receipt.frames[0].status in ("accepted", "already")


def _check(on: Scene, record: SubjectId, genuine: list[Frame]) -> None:
    with on.world.office.database.read() as session:
        found = verify(session)
        assert found.is_whole, found.wrong
        held = [line for row in queries.frames_of(session, record) for line in queries.frame_of(row).lines]
        wrote = [line for frame in genuine for line in frame.lines]
        assert held == wrote, (
            f"{len(wrote)} lines were written, {len(held)} are held, {len({*held} - {*wrote})} of them foreign"
        )
        assert queries.frames_of(session, SubjectId(OTHER)) == []


@contextmanager
def _log() -> Iterator[list[str]]:
    """What the office writes into its log meanwhile."""
    lines: list[str] = []

    class Kept(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(record.getMessage())

    handler, log = Kept(logging.INFO), logging.getLogger("qorgan")
    before, log.level = log.level, logging.INFO
    log.addHandler(handler)
    try:
        yield lines
    finally:
        log.removeHandler(handler)
        log.level = before


TRIAL = Trial(
    "forged_operation",
    traps=("B.21",),
    says="Of frames with one thing changed none counts, and each is kept aside with a reason or refused and logged.",
    per_commit=20,
    release=400,
    run=run,
)
