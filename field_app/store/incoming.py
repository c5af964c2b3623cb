"""What comes back from the office: receipts, frames of others, cursor and nonce, in one transaction or not at all.

A reply that would empty a full subject is refused whole and reported. No network here.
Source: SETTLED decisions 4, 19, 20, 22-27; SECURITY B; ARCHITECTURE-STYLE 2.4.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

import msgspec

from field_app.store.errors import ReplyRefused
from field_app.store.fates import fates as fates_of
from field_app.store.fates import has_forged_branch
from field_app.store.held import Held, counted
from field_app.store.kept import (
    Alarm,
    FrameState,
    KeptReceipt,
    MediaKept,
    Meta,
    OwnFrame,
    OwnNonce,
    OwnOperation,
    Pulled,
)
from field_app.store.opened import Cut, Loose, Opened, Writing
from field_app.store.put_aside import (
    UNKNOWN_POSITION,
    came_back,
    head_of,
    said_aside,
    still_aside,
    with_children,
    without,
)
from field_app.store.store import Store
from field_app.store.vouched import is_the_offices, known_keys, office_keys, sealed_by
from shared.ledger.crypto import is_signed
from shared.ledger.door import place
from shared.ledger.frame import Frame
from shared.ledger.merge import operations_of
from shared.ledger.messages import (
    Receipt,
    Reply,
    receipt_message,
)
from shared.ledger.operation import canonical
from shared.registry import BODIES
from shared.values import DeviceId, SubjectId, moment_of, stamp

ALARM_LIMIT = 50


@dataclass
class _Plan:
    """A reply worked out against a trial book, before anything is written."""

    trial: dict[SubjectId, Held] = field(default_factory=dict)
    pulled: list[Frame] = field(default_factory=list)
    own: list[Frame] = field(default_factory=list)
    aside: list[Loose] = field(default_factory=list)
    found_good: list[Loose] = field(default_factory=list)
    forged: list[Loose] = field(default_factory=list)
    put_aside: list[Loose] = field(default_factory=list)
    back: dict[bytes, Loose] = field(default_factory=dict)
    alarms: list[Alarm] = field(default_factory=list)
    behind: dict[str, int] = field(default_factory=dict)


def apply_reply(store: Store, reply: Reply, now: datetime) -> None:
    """Takes a reply in: receipts, frames of others, cursor and nonce, in one transaction.

    Raises ReplyRefused (nothing was taken in; the alarm is kept), NotSaved.
    """
    try:
        store.reading(lambda opened: _apply(opened, reply, now))
    except ReplyRefused as refused:
        alarm = Alarm(refused.reason, refused.subject, stamp(now))
        store.reading(lambda opened: _keep_alarms(opened, [alarm]))
        raise


def _apply(opened: Opened, reply: Reply, now: datetime) -> None:
    identity, receipt, page = opened.identity, reply.receipt, reply.page
    if receipt.device != identity.device:
        raise ReplyRefused("wrong_device")
    if not is_signed(bytes.fromhex(identity.server_key), receipt_message(reply.receipt_bytes), reply.signature):
        raise ReplyRefused("signature")
    plan = _planned(opened, reply, now)
    _stop_if_emptied(opened, plan)
    fates = fates_of(opened, reply)
    _compare_have(opened, reply, fates, plan, now)
    meta = _meta_after(opened, reply, plan, fates, now)
    bound = _bound(page.cursor)
    due_again = _files_due_again(opened) if page.restored is not None else []

    def work(writing: Writing) -> tuple[list[int], list[tuple[Frame, list[int], int]], list[Loose]]:
        if page.next_nonce != opened.nonce:
            writing.own(OwnNonce(page.next_nonce))
        own = [_write_own(writing, opened, plan, frame) for frame in plan.own]
        numbers = [writing.put("pulled", Pulled(bound, frame.encoded(), True)) for frame in plan.pulled]
        loose = [_write_loose(writing, opened, each, bound) for each in plan.aside]
        for each in plan.found_good:
            at = opened.pulled[each.number][0]
            writing.put("pulled", Pulled(at, each.frame.encoded(), True), each.number)
        for each in plan.put_aside:
            writing.put("pulled", Pulled(UNKNOWN_POSITION, each.frame.encoded(), True, True), each.number)
        writing.delete_all("pulled", [each.number for each in plan.forged if each.number])
        for number, fate in fates.items():
            writing.put("frame_state", fate, number)
        if receipt.frames:
            writing.put("receipt", KeptReceipt(reply.receipt_bytes, reply.signature))
        for kept, row in due_again:
            writing.put("media", kept, row)
        writing.put("meta", meta, 1)
        return numbers, own, loose

    numbers, own, loose = opened.write(work)
    for number, frame in zip(numbers, plan.pulled, strict=True):
        opened.pulled[number] = (bound, frame.header)
    for each in loose:
        if each.number:
            opened.pulled.setdefault(each.number, (bound, each.frame.header))
    for each in plan.forged:
        opened.pulled.pop(each.number, None)
    for frame, lines, number in own:
        opened.numbers.setdefault(frame.header.subject, []).extend(lines)
        opened.cuts.append(Cut(number, frame.header, frame.ids()[-1].hex(), FrameState("already")))
    for cut_ in opened.cuts:
        cut_.state = fates.get(cut_.number, cut_.state)
    for held in plan.trial.values():
        opened.book.changed(held)
    opened.media |= {kept.sha256: (row, kept) for kept, row in due_again}
    opened.aside = still_aside(opened, plan.put_aside, plan.back)
    opened.loose, opened.meta, opened.nonce = loose, meta, page.next_nonce
    if receipt.frames:
        opened.receipts.append(KeptReceipt(reply.receipt_bytes, reply.signature))


def _files_due_again(opened: Opened) -> list[tuple[MediaKept, int]]:
    """Own files the office had before it was restored: each is asked for again, and sent where it is missing."""
    return [
        (msgspec.structs.replace(kept, received=False, sent=0), row)
        for row, kept in opened.media.values()
        if kept.received
    ]


def _planned(opened: Opened, reply: Reply, now: datetime) -> _Plan:
    plan = _Plan(put_aside=said_aside(opened, reply), back=came_back(opened, reply.frames))
    plan.trial, followers = without(opened, plan.put_aside)
    plan.alarms += [Alarm("kept_aside", subject, stamp(now)) for subject in plan.trial]
    known = known_keys(opened, [*(each.frame for each in opened.loose), *reply.frames])
    loose = [*opened.loose, *followers]
    waiting = {each.frame.encoded(): each for each in (*loose, *(Loose(frame) for frame in reply.frames))}
    waiting |= {each.frame.encoded(): each for each in loose} | plan.back
    moved = True
    while moved and waiting:
        moved = False
        for wire, each in list(waiting.items()):
            if not _take(opened, plan, each, known, now):
                continue
            del waiting[wire]
            moved = True
    for each in waiting.values():
        is_good = each.is_checked or bool(known.get(each.frame.header.device))
        if is_good:
            _note_good(plan, each)
        plan.aside.append(Loose(each.frame, each.number, is_good))
    return plan


def _take(opened: Opened, plan: _Plan, each: Loose, known: dict[DeviceId, set[str]], now: datetime) -> bool:
    """Takes a frame into the trial; False when it waits for an earlier one of its chain, or for its device's key."""
    frame, header = each.frame, each.frame.header
    held = plan.trial.get(header.subject) or opened.book.subjects.get(header.subject) or Held(header.subject)
    is_good = each.is_checked or _is_sealed_well(opened, held, frame, known)
    if is_good is None:
        return False
    if not is_good:
        plan.alarms.append(Alarm("bad_seal", header.subject, stamp(now)))
        plan.forged.append(each)
        return True
    ids = held.chains.get(header.device, [])
    verdict = place(frame, held.chain(header.device), set(ids[header.first - 1 : frame.last]))
    if verdict.status == "waiting":
        return False
    if verdict.status != "accepted":
        _note_good(plan, each)
        if verdict.status == "quarantined":
            plan.alarms.append(Alarm("fork", header.subject, stamp(now)))
        return True
    operations = operations_of(frame, BODIES)[0]
    if has_forged_branch(operations, held, known):
        plan.alarms.append(Alarm("bad_seal", header.subject, stamp(now)))
        plan.forged.append(each)
        return True
    if header.subject not in plan.trial:
        plan.trial[header.subject] = held.copied()
    plan.trial[header.subject].extend(frame, verdict.skip, operations)
    _note_good(plan, each)
    if not each.number:
        (plan.own if header.device == opened.identity.device else plan.pulled).append(frame)
    return True


def _note_good(plan: _Plan, each: Loose) -> None:
    """The row of a frame that was kept unchecked says from now on that its seal was found good."""
    if each.number and not each.is_checked:
        plan.found_good.append(each)


def _is_sealed_well(opened: Opened, held: Held, frame: Frame, known: dict[DeviceId, set[str]]) -> bool | None:
    """Whether the seal is one the office vouched for; None while nobody knows the device, and it is kept aside.

    A device the office has not named yet may speak under a key the office goes by: so it comes back after a restore.
    """
    keys = known.get(frame.header.device)
    if keys:
        return sealed_by(frame, keys)
    if not is_the_offices(held, frame):
        return None
    return sealed_by(frame, office_keys(opened))


def _write_loose(writing: Writing, opened: Opened, each: Loose, bound: int) -> Loose:
    """Keeps a frame of another device that does not count yet; own ones are asked for again."""
    if each.number or each.frame.header.device == opened.identity.device:
        return each
    number = writing.put("pulled", Pulled(bound, each.frame.encoded(), each.is_checked))
    return Loose(each.frame, number, each.is_checked)


def _write_own(writing: Writing, opened: Opened, plan: _Plan, frame: Frame) -> tuple[Frame, list[int], int]:
    """An own frame this tablet had lost, written as if it had been kept all along."""
    subject = frame.header.subject
    held = len(opened.numbers.get(subject, ())) + sum(
        len(each.lines) for each in plan.own[: plan.own.index(frame)] if each.header.subject == subject
    )
    skip = held - (frame.header.first - 1)
    lines = [
        writing.own(OwnOperation(subject, seq, line))
        for seq, line in list(enumerate(frame.lines, frame.header.first))[skip:]
    ]
    number = writing.own(OwnFrame(canonical(frame.header)))
    writing.put("frame_state", FrameState("already"), number)
    return frame, lines, number


def _stop_if_emptied(opened: Opened, plan: _Plan) -> None:
    """The alarm stop: a reply after which nothing of a full subject would count is not taken in.

    What comes may rightly take the place of all that was, in a subject of the same kind: of a report frozen by two
    members at once one version stands.
    """
    trial = opened.book.with_candidates(plan.trial.values())
    touched = set(plan.trial) | {child for id_ in plan.trial for child in trial._children.get(id_, ())}
    for subject in touched - with_children(opened, {each.frame.header.subject for each in plan.put_aside}):
        before = opened.book.subjects.get(subject)
        if before is None:
            continue
        full = counted(opened.book.state(subject), before.operations)
        after = trial.subjects[subject]
        if full < 3 or counted(trial.state(subject), before.operations) > 0:
            continue
        if after.kind != before.kind or counted(trial.state(subject), after.operations) == 0:
            raise ReplyRefused("emptied", subject)


def _compare_have(opened: Opened, reply: Reply, fates: dict[int, FrameState], plan: _Plan, now: datetime) -> None:
    """Own chains against what the office holds: what it lacks is due again, what this tablet lost is fetched first."""
    if reply.page.have is None:
        return
    device = opened.identity.device
    have = {head.subject: head for head in reply.page.have}
    for each in opened.cuts:
        state = fates.get(each.number, each.state)
        held = have.get(each.header.subject)
        is_branch = state.reason == "fork"
        if state.status in ("accepted", "already") and not is_branch and (held is None or held.seq < each.last):
            fates[each.number] = FrameState("cut")
            if reply.page.restored is None:
                plan.alarms.append(Alarm("office_lost", each.header.subject, stamp(now)))
    for subject, head in have.items():
        book = plan.trial.get(subject) or opened.book.subjects.get(subject)
        ids = book.chains.get(device, []) if book else []
        if head.seq > len(ids):
            plan.behind[subject] = head.seq
            plan.alarms.append(Alarm("behind_office", subject, stamp(now)))
        elif head.seq and ids[head.seq - 1] != head.id and not _is_said(opened, "fork", subject):
            plan.alarms.append(Alarm("fork", subject, stamp(now)))


def _is_said(opened: Opened, code: str, subject: SubjectId) -> bool:
    return any((alarm.code, alarm.subject) == (code, subject) for alarm in opened.meta.alarms)


def _meta_after(opened: Opened, reply: Reply, plan: _Plan, fates: dict[int, FrameState], now: datetime) -> Meta:
    meta, page, receipt = opened.meta, reply.page, reply.receipt
    offers = set(meta.offers) - _offered(opened, reply)
    alarms = plan.alarms
    if page.restored is not None:
        offers |= {number for number, (bound, _) in opened.pulled.items() if bound > page.restored}
        alarms.append(Alarm("office_restored", at=stamp(now)))
    if _is_cut(meta, receipt):
        alarms.append(Alarm("ledger_cut", at=stamp(now)))
    stopped = (page.stopped or "revoked") if page.revoked else ""
    if stopped != meta.stopped:
        alarms.append(Alarm(stopped or "reads_again", at=stamp(now)))
    differs = _differing(opened, reply, plan, fates, offers)
    alarms += [Alarm("differs", subject, stamp(now)) for subject in differs if subject not in meta.differs]
    position, head = receipt.position, receipt.ledger_head
    if receipt.frames and receipt.epoch == meta.epoch and position < meta.position and page.restored is None:
        position, head = (
            meta.position,
            meta.ledger_head,
        )  # an answer of earlier, given again: what was seen since stands
    drift = moment_of(receipt.tablet_now) - moment_of(receipt.received_at)
    return Meta(
        cursor="" if plan.put_aside or set(differs) - set(meta.differs) else page.cursor, epoch=receipt.epoch,
        position=position, ledger_head=head, nonce=page.next_nonce, durable=page.durable,
        revoked=page.revoked, stopped=stopped, confirmed=True, exchanged_at=receipt.received_at,
        drift_seconds=int(drift.total_seconds()), offers=tuple(sorted(offers)), differs=tuple(differs),
        behind=_still_behind(opened, plan), alarms=(*meta.alarms, *alarms)[-ALARM_LIMIT:],
    )  # fmt: skip


def _is_cut(meta: Meta, receipt: Receipt) -> bool:
    """Whether the office's ledger is no longer the one this tablet saw, and the office does not say that it was
    restored. Only an exchange without frames tells: with frames the answer may be one of earlier, given again.
    """
    if receipt.frames or receipt.epoch != meta.epoch:
        return False
    seen = (meta.position, meta.ledger_head)
    return receipt.position < seen[0] or (receipt.position == seen[0] and receipt.ledger_head != seen[1])


def _still_behind(opened: Opened, plan: _Plan) -> dict[str, int]:
    """Own chains of which the office holds more than this tablet does once the reply is in."""
    device = opened.identity.device
    still = {}
    for subject, seq in (opened.meta.behind | plan.behind).items():
        held = plan.trial.get(SubjectId(subject)) or opened.book.subjects.get(SubjectId(subject))
        if seq > len(held.chains.get(device, ()) if held else ()):
            still[subject] = seq
    return still


def _offered(opened: Opened, reply: Reply) -> set[int]:
    """Frames of others that were offered and now have their answer. The last id tells: two chains may look alike."""
    said = {each.head for each in reply.receipt.frames}
    return {number for number in opened.meta.offers if head_of(opened, opened.pulled[number][1]) in said}


def _differing(opened: Opened, reply: Reply, plan: _Plan, fates: dict[int, FrameState], offers: set[int]) -> list[str]:
    """The quiet check: subjects of this exchange, with nothing under way, whose operations are not the office's.

    A subject that the office no longer compares is no longer this person's to hold: of it nothing is left to agree on.
    fates, offers   what of own frames, and which rows of frames of others, is on its way once this reply is in
    """
    if reply.page.more:
        return list(opened.meta.differs)
    differs = set(opened.meta.differs)
    for said in reply.page.digests:
        if not said.digest:
            differs.discard(said.subject)
            continue
        held = plan.trial.get(said.subject) or opened.book.subjects.get(said.subject)
        if held is None or _under_way(opened, said.subject, fates, offers):
            continue
        if held.digest() == said.digest:
            differs.discard(said.subject)
        else:
            differs.add(said.subject)
    return sorted(differs)


def _under_way(opened: Opened, subject: SubjectId, fates: dict[int, FrameState], offers: set[int]) -> bool:
    if any(opened.pulled[number][1].subject == subject for number in offers):
        return True  # a colleague's frames, come by hand or lost by the office, are still on their way to it
    mine = [each for each in opened.cuts if each.header.subject == subject]
    length = len(opened.numbers.get(subject, ()))
    return max((each.last for each in mine), default=0) < length or any(
        fates.get(each.number, each.state).status not in ("accepted", "already") for each in mine
    )


def _keep_alarms(opened: Opened, alarms: list[Alarm]) -> None:
    meta = msgspec.structs.replace(opened.meta, alarms=(*opened.meta.alarms, *alarms)[-ALARM_LIMIT:])
    opened.write(lambda writing: writing.put("meta", meta, 1))
    opened.meta = meta


def _bound(cursor: str) -> int:
    """The ledger position a page ends at, of its token "epoch.position.cursor"."""
    parts = cursor.split(".")
    return int(parts[1]) if len(parts) == 3 and parts[1].isdigit() else 2**53 - 1
