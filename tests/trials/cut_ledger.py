"""Somebody with the office's database and its key changes the ledger; a program outside sees it, each of eight ways.

The tablets of a group hold the (position, head) of their last exchange. The ledger is changed at or below the highest
of these, every id and head behind the change is made to fit, and what the office itself seals is sealed anew with its
true key. `tools/check_ledger.py` is given the export and the heads, nothing else, and must object; to the ledger as it
was it must not.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from importlib import util
from pathlib import Path
from random import Random
from typing import Any

import msgspec

from server.ledger.export import exported
from server.office import new_subject
from shared.ledger.crypto import sha256
from shared.ledger.frame import Frame, cut, read_frames
from shared.ledger.messages import next_ledger_head
from shared.ledger.operation import canonical, genesis
from shared.values import DeviceId
from tests.network.offices import Scene, answers, record_of, scene
from tests.trials.trial import Ground, Trial

CHECKER = Path(__file__).parents[2] / "tools" / "check_ledger.py"


@dataclass(frozen=True)
class Entry:
    """One frame and its position."""

    position: int
    frame: Frame


Entries = list[Entry]


def checker() -> Any:
    """The program, loaded as a module."""
    spec = util.spec_from_file_location("check_ledger", CHECKER)
    assert spec is not None
    assert spec.loader is not None
    module = util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run(seed: int, ground: Ground) -> None:
    """Raises AssertionError when a change is not seen, or an honest ledger is called changed."""
    chance = Random(seed)
    number = seed % 8 + 8 * (seed // 100)
    if number not in _grounds:
        _grounds[number] = _grown(Random(number), scene(ground, members=3))
    on, honest, witnesses = _grounds[number]
    check, keys = checker().check, [on.world.office.keys.sign_key]
    assert check(honest, keys, witnesses)[0] == [], "an honest ledger was called changed"
    top, entries = _read(honest)
    seen = max(position for _, position, _ in witnesses)
    for tamper in TAMPERS:
        changed = tamper(chance, on, list(entries), seen)
        wrong, _ = check(_written(top, changed), keys, witnesses)
        assert wrong, f"not seen: {tamper.__name__.strip('_')}"


Grown = tuple[Scene, bytes, list[tuple[int, int, str]]]
_grounds: dict[int, Grown] = {}
"""Ledgers that many seeds change, each in its own way: growing one takes longer than fifty changes."""


def _grown(chance: Random, on: Scene) -> Grown:
    """A record three people write: its export, and heads as they were seen on the way and at the end."""
    record = new_subject(on.world.now)
    on.tablets[0].sync(record_of(on.tablets[0], on.visits[0], record))
    witnesses = []
    for number in range(chance.randint(6, 10)):
        tablet = chance.choice(on.tablets)
        reply = tablet.sync(tablet.write(record, *answers(chance.randint(1, 3), 10 * number)))
        if chance.random() < 0.5:
            witnesses.append((reply.receipt.epoch, reply.receipt.position, reply.receipt.ledger_head))
    reply = on.tablets[0].sync()
    witnesses.append((reply.receipt.epoch, reply.receipt.position, reply.receipt.ledger_head))
    with on.world.office.database.read() as session:
        export = b"".join(exported(session))
    on.close()
    return on, export, witnesses


def _read(export: bytes) -> tuple[dict[str, Any], Entries]:
    lines = export[:-1].split(b"\n")
    entries, at = [], 1
    while at < len(lines):
        count = msgspec.json.decode(lines[at + 1])["count"]
        frame = read_frames(lines[at + 1 : at + 2 + count])[0]
        entries.append(Entry(msgspec.json.decode(lines[at])["position"], frame))
        at += 2 + count
    return msgspec.json.decode(lines[0]), entries


def _written(top: dict[str, Any], entries: Entries) -> bytes:
    """The export of a changed ledger: heads made to fit, so that it agrees with itself."""
    head = bytes(32)
    parts = []
    for entry in entries:
        head = next_ledger_head(head, entry.frame.ids()[-1])
        parts.append(canonical({"position": entry.position}) + b"\n" + entry.frame.encoded())
    return canonical({**top, "head": head.hex()}) + b"\n" + b"".join(parts)


# ── eight ways ──────────────────────────────────────────────────────────────────────────────────────────────────────


def _refitted(on: Scene, entries: Entries) -> Entries:
    """Chains made whole again: seq and ids follow anew; the office's own frames are sealed anew with its key."""
    server = on.world.office.keys
    chains: dict[tuple[str, str], tuple[int, bytes]] = {}
    fitted = []
    for entry in entries:
        header = entry.frame.header
        place = (header.device, header.subject)
        seq, before = chains.get(place, (0, genesis(*place)))
        lines = entry.frame.lines
        if header.device == server.device:
            frame = cut(server.sign_secret, server.device, header.subject, seq + 1, before, lines)
        else:
            fresh = msgspec.structs.replace(header, first=seq + 1, prev=before.hex(), count=len(lines))
            frame = Frame(fresh, lines)
        chains[place] = (frame.last, frame.ids()[-1])
        fitted.append(replace(entry, frame=frame))
    return fitted


def _below(chance: Random, entries: Entries, seen: int) -> int:
    """A place at or below what was seen from outside."""
    return chance.choice([at for at, entry in enumerate(entries) if entry.position <= seen])


def _tail_cut(chance: Random, on: Scene, entries: Entries, seen: int) -> Entries:
    return entries[: _below(chance, entries, seen)]


def _one_taken_out(chance: Random, on: Scene, entries: Entries, seen: int) -> Entries:
    del entries[_below(chance, entries, seen)]
    return _refitted(on, entries)


def _line_changed(chance: Random, on: Scene, entries: Entries, seen: int) -> Entries:
    at = _below(chance, entries, seen)
    frame = entries[at].frame
    number = chance.randrange(len(frame.lines))
    lines = list(frame.lines)
    lines[number] = lines[number].replace(b'"at":"2026', b'"at":"2025')
    entries[at] = replace(entries[at], frame=Frame(frame.header, tuple(lines)))
    return _refitted(on, entries)


def _sealed_by_the_office(chance: Random, on: Scene, entries: Entries, seen: int) -> Entries:
    """A tablet's words replaced and sealed with the key of the office in the tablet's place."""
    server = on.world.office.keys
    tablets = {tablet.id for tablet in on.tablets}
    own = [at for at, entry in enumerate(entries) if entry.frame.header.device in tablets and entry.position <= seen]
    at = chance.choice(own)
    header, lines = entries[at].frame.header, entries[at].frame.lines
    other = (*(line.replace(b'"value":', b'"value":1') for line in lines[:-1]), lines[-1] + b" ")
    frame = cut(server.sign_secret, header.device, header.subject, header.first, bytes.fromhex(header.prev), other)
    entries[at] = replace(entries[at], frame=frame)
    return entries[: at + 1] if chance.random() < 0.5 else entries


def _two_swapped(chance: Random, on: Scene, entries: Entries, seen: int) -> Entries:
    at = max(1, _below(chance, entries, seen))
    one, other = entries[at - 1], entries[at]
    entries[at - 1], entries[at] = replace(one, frame=other.frame), replace(other, frame=one.frame)
    return _refitted(on, entries)


def _one_put_in(chance: Random, on: Scene, entries: Entries, seen: int) -> Entries:
    """An act of the office that never was, dated back, under its true seal."""
    server, at = on.world.office.keys, _below(chance, entries, seen)
    own = next(entry.frame for entry in entries if entry.frame.header.device == server.device)
    entries.insert(at, Entry(entries[at].position, own))
    moved = entries[: at + 1] + [replace(entry, position=entry.position + 1) for entry in entries[at + 1 :]]
    return _refitted(on, moved)


def _chain_taken_out(chance: Random, on: Scene, entries: Entries, seen: int) -> Entries:
    """Everything a device said of a subject is gone, as if it had never been said."""
    gone = entries[_below(chance, entries, seen)].frame.header
    return [
        entry for entry in entries
        if (entry.frame.header.device, entry.frame.header.subject) != (gone.device, gone.subject)
    ]  # fmt: skip


def _rolled_back_and_grown_anew(chance: Random, on: Scene, entries: Entries, seen: int) -> Entries:
    """Cut, and filled with acts of the office under its true key, up to a greater length than before."""
    at = _below(chance, entries, seen)
    server, kept = on.world.office.keys, entries[:at]
    position = kept[-1].position if kept else 0
    subject = new_subject(on.world.now)
    before, seq = genesis(server.device, subject), 0
    for number in range(len(entries) - at + 3):
        line = canonical({"number": number, "salt": sha256(str(chance.random()).encode()).hex()})
        frame = cut(server.sign_secret, DeviceId(server.device), subject, seq + 1, before, [line])
        before, seq = frame.ids()[-1], seq + 1
        position += 1
        kept.append(Entry(position, frame))
    return kept


TAMPERS = (
    _tail_cut, _one_taken_out, _line_changed, _sealed_by_the_office, _two_swapped, _one_put_in, _chain_taken_out,
    _rolled_back_and_grown_anew,
)  # fmt: skip

TRIAL = Trial(
    "cut_ledger",
    traps=("B.23", "S4"),
    says="Of eight ways to change the ledger with the office's own key, a checker outside sees each.",
    per_commit=30,
    release=600,
    run=run,
)
