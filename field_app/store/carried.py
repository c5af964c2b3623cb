"""What a tablet holds for others: frames of colleagues that came by hand, on their way to the office, and receipts.

Frames are taken only when their seal is that of a device known here and the person of this tablet may read the subject;
a tablet's frames only where they say what tablets say, in the name of its person, or a colleague could name a key of
the office. They are merged like pulled ones and offered to the office until a receipt names them. A receipt counts
whoever it was given to: the office signed that it holds those bytes. No network here.
Source: SETTLED decisions 14, 19, 23.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import msgspec

from field_app.store.errors import ReplyRefused
from field_app.store.fates import has_forged_branch
from field_app.store.held import Held, counted
from field_app.store.kept import FrameState, KeptReceipt, Meta, Pulled
from field_app.store.opened import Opened, Writing
from field_app.store.put_aside import UNKNOWN_POSITION, came_back, pulled_frame, still_aside
from field_app.store.store import Store
from field_app.store.vouched import known_keys
from shared.accounts import Person
from shared.ledger.door import place
from shared.ledger.frame import Frame, is_sealed
from shared.ledger.merge import operations_of
from shared.ledger.messages import FrameReceipt, Receipt, receipt_number
from shared.ledger.operation import Operation
from shared.permissions import EVERYBODY, OFFICE_ACTS, TABLET_OPENS, plans_for_the_office, readers
from shared.registry import BODIES, kind_of_subject, parent_of, strays
from shared.values import DeviceId, PersonId, SubjectId

_receipt = msgspec.json.Decoder(Receipt)


@dataclass
class Taken:
    """What became of frames brought by hand: operations new here, frames known already, frames not taken."""

    fresh: int = 0
    known: int = 0
    refused: int = 0


@dataclass
class _Plan:
    """keys: by device; owners: of tablets, whose devices not among them are the office's."""

    keys: dict[DeviceId, set[str]]
    owners: dict[DeviceId, PersonId]
    trial: dict[SubjectId, Held] = field(default_factory=dict)
    pulled: list[Frame] = field(default_factory=list)


@dataclass(frozen=True)
class Colleague:
    """A tablet of somebody who may read a subject of this one. address: its X25519 key (hex)."""

    device: DeviceId
    person: PersonId
    name: str
    label: str
    address: str


def colleagues(store: Store) -> list[Colleague]:
    """Live tablets of other people in the groups this one belongs to, by name."""
    found = []
    for subject in store.subjects("person"):
        state = store.state(subject)
        if isinstance(state, Person) and PersonId(subject) != store.person:
            live = [tablet for tablet in state.devices.values() if tablet.is_live]
            found += [Colleague(each.id, PersonId(subject), state.name, each.label, each.box_key) for each in live]
    return sorted(found, key=lambda each: (each.name, each.label, each.device))


def signing_keys(store: Store) -> dict[DeviceId, set[str]]:
    """Signing keys (hex) of every device this tablet knows: the office's and the tablets of its people, revoked too."""
    return store.reading(known_keys)


def _owners(opened: Opened) -> dict[DeviceId, PersonId]:
    persons = ((subject, opened.book.state(subject)) for subject in opened.book.of_kind("person"))
    return {
        device: PersonId(subject) for subject, state in persons if isinstance(state, Person) for device in state.devices
    }


def frames_for(store: Store, person: PersonId) -> list[Frame]:
    """Every sealed frame held here of subjects that this person may read too, own ones first, oldest first."""

    def work(opened: Opened) -> list[Frame]:
        shared = {
            subject
            for subject in opened.book.subjects
            if (state := opened.book.state(subject)) is not None and person in readers(state)
        }
        own = [
            Frame(cut.header, tuple(opened.own_lines(cut.header.subject, cut.header.first, cut.last)))
            for cut in sorted(opened.cuts, key=lambda each: each.number)
            if cut.header.subject in shared
        ]
        aside = {each.number for each in opened.aside}
        numbers = [
            number for number, (_, header) in opened.pulled.items() if header.subject in shared and number not in aside
        ]
        return [*own, *(frame for number in sorted(numbers) if (frame := pulled_frame(opened, number)))]

    return store.reading(work)


def receipts_for(store: Store, person: PersonId) -> list[KeptReceipt]:
    """Receipts that name only frames of subjects this person may read."""

    def work(opened: Opened) -> list[KeptReceipt]:
        return [
            kept
            for kept in opened.receipts
            if all(
                (state := opened.book.state(each.subject)) is not None and person in readers(state)
                for each in _receipt.decode(kept.receipt).frames
            )
        ]

    return store.reading(work)


def take_frames(store: Store, frames: Sequence[Frame], position: int = 0) -> Taken:
    """Merges frames that came by hand, all that may be taken in one transaction, none when the disk refuses.

    position   of the office's ledger when the office itself gave them; 0: from a colleague, to be offered to the office

    Raises ReplyRefused("emptied") when a full subject would be left empty: nothing is taken then; NotSaved.
    """
    return store.reading(lambda opened: _take_frames(opened, frames, position))


def _take_frames(opened: Opened, frames: Sequence[Frame], position: int) -> Taken:
    keys = known_keys(opened)
    taken, plan = Taken(), _Plan(keys, _owners(opened))
    sealed = [frame for frame in frames if any(is_sealed(frame, bytes.fromhex(k)) for k in keys.get(_of(frame), ()))]
    taken.refused = len(frames) - len(sealed)
    back = came_back(opened, sealed)
    if not position:  # only the office's word makes them count again
        taken.known = len(back)
        sealed = [frame for frame in sealed if frame.encoded() not in back]
    _place_all(opened, plan, [frame for frame in sealed if _of(frame) != opened.identity.device], taken)
    _leave_unreadable(opened, plan, taken)
    _stop_if_emptied(opened, plan)
    bound = position or UNKNOWN_POSITION
    if not plan.pulled:
        return taken
    taken_back = {wire: back[wire] for frame in plan.pulled if (wire := frame.encoded()) in back}
    gone = [each.number for each in taken_back.values()]

    def work(writing: Writing) -> tuple[list[int], Meta]:
        numbers = [writing.put("pulled", Pulled(bound, frame.encoded(), True)) for frame in plan.pulled]
        writing.delete_all("pulled", gone)
        offers = opened.meta.offers if position else tuple(sorted({*opened.meta.offers, *numbers}))
        offers = tuple(number for number in offers if number not in gone)
        meta = msgspec.structs.replace(opened.meta, offers=offers)
        writing.put("meta", meta, 1)
        return numbers, meta

    numbers, meta = opened.write(work)
    for number, frame in zip(numbers, plan.pulled, strict=True):
        opened.pulled[number] = (bound, frame.header)
    for number in gone:
        opened.pulled.pop(number)
    opened.aside = still_aside(opened, (), taken_back)
    for held in plan.trial.values():
        opened.book.changed(held)
    opened.meta = meta
    return taken


def _of(frame: Frame) -> DeviceId:
    return frame.header.device


def _place_all(opened: Opened, plan: _Plan, frames: list[Frame], taken: Taken) -> None:
    """Each frame behind its chain, whatever order they came in; what finds no place is not taken."""
    moved = True
    while moved and frames:
        moved, left = False, []
        for frame in frames:
            header = frame.header
            held = plan.trial.get(header.subject) or opened.book.subjects.get(header.subject) or Held(header.subject)
            ids = held.chains.get(header.device, [])
            verdict = place(frame, held.chain(header.device), set(ids[header.first - 1 : frame.last]))
            if verdict.status == "waiting":
                left.append(frame)
                continue
            moved = True
            if verdict.status != "accepted":
                taken.known += verdict.status == "already"
                taken.refused += verdict.status == "quarantined"
                continue
            operations = operations_of(frame, BODIES)[0]
            if not _may_be_said(plan, held, _of(frame), operations):
                taken.refused += 1
                continue
            if header.subject not in plan.trial:
                plan.trial[header.subject] = held.copied()
            plan.trial[header.subject].extend(frame, verdict.skip, operations)
            plan.pulled.append(frame)
            taken.fresh += header.count - verdict.skip
        frames = left
    taken.refused += len(frames)


def _may_be_said(plan: _Plan, held: Held, device: DeviceId, operations: Sequence[Operation]) -> bool:
    """Whether the device may say this at all, as the door of the office would ask; what counts is left to the fold."""
    if device not in plan.owners:
        return not has_forged_branch(operations, held, plan.keys)
    kind = held.kind or kind_of_subject(operations)
    if kind not in TABLET_OPENS or (not held.kind and plans_for_the_office(operations)):
        return False
    if kind is None or strays(operations, kind, held.parent or parent_of(operations)):
        return False
    return all(each.author == plan.owners[device] and each.kind not in OFFICE_ACTS for each in operations)


def _leave_unreadable(opened: Opened, plan: _Plan, taken: Taken) -> None:
    """What the person of this tablet may not read is not kept, whoever hands it over."""
    trial = opened.book.with_candidates(plan.trial.values())
    for subject in list(plan.trial):
        state = trial.state(subject)
        if state is not None and readers(state) & {opened.identity.person, EVERYBODY}:
            continue
        gone = [frame for frame in plan.pulled if frame.header.subject == subject]
        plan.pulled = [frame for frame in plan.pulled if frame.header.subject != subject]
        taken.refused += len(gone)
        taken.fresh -= sum(frame.header.count for frame in gone)
        del plan.trial[subject]


def _stop_if_emptied(opened: Opened, plan: _Plan) -> None:
    trial = opened.book.with_candidates(plan.trial.values())
    for subject in plan.trial:
        before = opened.book.subjects.get(subject)
        if before is None:
            continue
        full = counted(opened.book.state(subject), before.operations)
        if full >= 3 and counted(trial.state(subject), before.operations) == 0:
            raise ReplyRefused("emptied", subject)


# ── receipts ────────────────────────────────────────────────────────────────────────────────────────────────────────


def take_receipts(store: Store, receipts: Iterable[KeptReceipt]) -> int:
    """Frames of this tablet, and carried ones, that the office holds by these receipts; how many that settled.

    The caller has checked that the office signed them. A receipt of an older epoch settles nothing: what the office
    held before it was restored may be gone.
    """
    return store.reading(lambda opened: _take_receipts(opened, list(receipts)))


def _take_receipts(opened: Opened, receipts: list[KeptReceipt]) -> int:
    settled: dict[tuple[str, int, int, str], tuple[FrameReceipt, Receipt, str]] = {}
    for kept in receipts:
        receipt = _receipt.decode(kept.receipt)
        if receipt.epoch < opened.meta.epoch:
            continue
        number = receipt_number(kept.receipt)
        for said in receipt.frames:
            if said.status in ("accepted", "already"):
                settled[(said.subject, said.first, said.count, said.head)] = (said, receipt, number)
    fates: dict[int, FrameState] = {}
    for cut in opened.cuts:
        found = settled.get((cut.header.subject, cut.header.first, cut.header.count, cut.head))
        if found and not cut.is_received:
            said, receipt, number = found
            fates[cut.number] = FrameState(said.status, "", number, receipt.received_at, receipt.position)
    places = {(subject, first, count, head) for subject, first, count, head in settled}
    offers = tuple(number for number in opened.meta.offers if _place(opened, number) not in places)
    gone = len(opened.meta.offers) - len(offers)
    if not fates and not gone:
        return 0
    meta = msgspec.structs.replace(opened.meta, offers=offers)

    def work(writing: Writing) -> None:
        for number, fate in fates.items():
            writing.put("frame_state", fate, number)
        writing.put("meta", meta, 1)

    opened.write(work)
    for cut in opened.cuts:
        cut.state = fates.get(cut.number, cut.state)
    opened.meta = meta
    return len(fates) + gone


def _place(opened: Opened, number: int) -> tuple[str, int, int, str]:
    frame = pulled_frame(opened, number)
    if frame is None:
        return ("", 0, 0, "")
    header = frame.header
    return (header.subject, header.first, header.count, frame.ids()[-1].hex())
