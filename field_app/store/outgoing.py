"""What goes to the office, as far as the store is concerned: frames cut, sealed and stored once, and the order they go.

A frame is sent again as the same bytes. No network here. Source: SETTLED decisions 3, 4, 18, 23.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

import msgspec
from msgspec import UNSET

from field_app.store.errors import NotEnrolled
from field_app.store.fates import asked, undelivered
from field_app.store.held import Held
from field_app.store.kept import (
    FrameState,
    OwnFrame,
    Pulled,
)
from field_app.store.opened import Cut, Opened
from field_app.store.store import Store
from field_app.store.vouched import office_devices
from shared.ledger.frame import FRAME_BYTES, Frame, cut, pieces, read_frames
from shared.ledger.merge import heads_digest
from shared.ledger.messages import LACKS_LIMIT, ChainHead, Hello
from shared.ledger.operation import canonical, genesis
from shared.observations.record import FindingChanged, FindingRecorded
from shared.values import DeviceId, SubjectId, moment_of, stamp

ALARM_LIMIT = 50


def cut_frames(store: Store) -> int:
    """Seals everything not yet in a frame and stores the seals; how many frames that made. Raises NotSaved."""

    def work(opened: Opened) -> int:
        fresh = [
            frame for subject in opened.numbers if _has_begun(opened, subject) for frame in _uncut(opened, subject)
        ]
        if not fresh:
            return 0
        numbers = opened.write(lambda writing: [writing.own(OwnFrame(canonical(frame.header))) for frame in fresh])
        for number, frame in zip(numbers, fresh, strict=True):
            opened.cuts.append(Cut(number, frame.header, frame.ids()[-1].hex()))
        return len(fresh)

    return store.reading(work)


def _has_begun(opened: Opened, subject: SubjectId) -> bool:
    """Whether something says of what kind the subject is. A key alone, whose first words were not saved, stays here:
    the office could only wait for what never comes."""
    return bool(opened.book.subjects[subject].kind)


def _uncut(opened: Opened, subject: SubjectId) -> list[Frame]:
    device, done = opened.identity.device, opened.cut_of(subject)
    ids = opened.book.subjects[subject].chains[device]
    frames: list[Frame] = []
    for lines in pieces(opened.own_lines(subject, done + 1, len(ids))):
        before = bytes.fromhex(ids[done - 1]) if done else genesis(device, subject)
        frames.append(cut(opened.identity.sign_seed, device, subject, done + 1, before, lines))
        done += len(lines)
    return frames


def to_send(store: Store, limit: int = FRAME_BYTES) -> list[Frame]:
    """The frames to go next, oldest first in every chain, subjects with urgent findings before others; those that the
    office has already and that wait there for others come last, so that they never fill a request alone.

    limit   bytes of all frames together; at least one frame is given when there is any. Cuts what is not cut yet.
    """
    cut_frames(store)
    return store.reading(lambda opened: _due(opened, limit))


def _due(opened: Opened, limit: int) -> list[Frame]:
    waiting = [each for each in opened.cuts if each.state.status == "cut" or _may_fit_now(opened, each)]
    urgent = _urgent(opened, {each.header.subject for each in waiting})
    first = {subject: min(each.number for each in waiting if each.header.subject == subject)
             for subject in {each.header.subject for each in waiting}}  # fmt: skip
    waiting.sort(
        key=lambda each: (each.state.status == "waiting", each.header.subject not in urgent,
                          first[each.header.subject], each.header.subject, each.header.first)
    )  # fmt: skip
    frames: list[Frame] = []
    size = 0
    for frame in _one_by_one(opened, waiting):
        size += len(frame.encoded())
        if frames and size > limit:
            return frames
        frames.append(frame)
    return frames


def _may_fit_now(opened: Opened, each: Cut) -> bool:
    """A frame that waits at the office is said again once its ledger moved: before, nothing new can have come of it."""
    return each.state.status == "waiting" and each.state.position != opened.meta.position


def _one_by_one(opened: Opened, waiting: Sequence[Cut]) -> Iterator[Frame]:
    """Of what is offered again: what says who this tablet is, then what the office began (a visit, a term) and said of
    it, for own frames stand on that; own frames; the rest, which may stand on them."""
    about, offices = _about_this_tablet(opened), _of_the_office(opened)
    yield from _pulled_frames(opened, [number for number in opened.meta.offers if number in about])
    yield from _pulled_frames(opened, [number for number in opened.meta.offers if number in offices - about])
    for each in waiting:
        yield Frame(each.header, tuple(opened.own_lines(each.header.subject, each.header.first, each.last)))
    yield from _pulled_frames(opened, [number for number in opened.meta.offers if number not in offices | about])


def _about_this_tablet(opened: Opened) -> set[int]:
    """Numbers of pulled frames of the office and of this tablet's person: they name its enrolment."""
    subjects = {SubjectId(opened.identity.person), *opened.book.of_kind("office")}
    return {number for number, (_, header) in opened.pulled.items() if header.subject in subjects}


def _of_the_office(opened: Opened) -> set[int]:
    """Numbers of pulled frames that a device of the office sealed, of subjects that one of its devices began."""
    devices = office_devices(opened)
    sealed = {number: header.subject for number, (_, header) in opened.pulled.items() if header.device in devices}
    begun = {subject for subject in set(sealed.values()) if _beginner(opened, subject) in devices}
    return {number for number, subject in sealed.items() if subject in begun}


def _beginner(opened: Opened, subject: SubjectId) -> DeviceId | None:
    """The device whose operation on the subject comes first of all."""
    held = opened.book.subjects.get(subject)
    first = min(held.operations, key=lambda each: each.order, default=None) if held else None
    return first.device if first else None


def introduce(store: Store) -> bool:
    """The office does not know this tablet any more: what it once sealed about it is offered again.

    False when all of it was offered already, or nothing is held: the office never confirmed this tablet.
    """

    def work(opened: Opened) -> bool:
        offers = set(opened.meta.offers) | _about_this_tablet(opened)
        if offers == set(opened.meta.offers):
            return False
        meta = msgspec.structs.replace(opened.meta, offers=tuple(sorted(offers)))
        opened.write(lambda writing: writing.put("meta", meta, 1))
        opened.meta = meta
        return True

    return store.reading(work)


def _urgent(opened: Opened, subjects: set[SubjectId]) -> set[SubjectId]:
    """Subjects whose unsent part holds an urgent finding, and those they belong to."""
    found: set[SubjectId] = set()
    for subject in subjects:
        held = opened.book.subjects[subject]
        mine = [each for each in opened.cuts if each.header.subject == subject]
        last = max((each.last for each in mine if each.is_received), default=0)
        if any(
            isinstance(operation.body, FindingRecorded | FindingChanged) and operation.body.urgent
            for operation in held.operations
            if operation.device == opened.identity.device and operation.seq > last
        ):
            found |= {subject, held.parent} - {SubjectId("")}
    return found


def _pulled_frames(opened: Opened, numbers: Sequence[int]) -> Iterator[Frame]:
    for number in numbers:
        plain = opened.database.get("pulled", number)
        if plain is not None:
            yield read_frames(msgspec.msgpack.decode(plain, type=Pulled).frame[:-1].split(b"\n"))[0]


def hello(store: Store, frames: list[Frame], now: datetime) -> Hello:
    """The first line of the exchange that carries these frames. Raises NotEnrolled."""

    def work(opened: Opened) -> Hello:
        if not opened.identity.device:
            raise NotEnrolled
        meta = opened.meta
        return Hello(
            device=opened.identity.device, epoch=meta.epoch, from_=meta.cursor, heads=_heads(opened, frames),
            known=(meta.position, meta.ledger_head), nonce=opened.nonce, now=stamp(now), lacks=_lacks(opened) or UNSET,
            asks=asked(opened) or UNSET, differs=_differing(opened) or UNSET, undelivered=undelivered(opened),
        )  # fmt: skip

    return store.reading(work)


def _differing(opened: Opened) -> tuple[SubjectId, ...]:
    """Subjects to be compared again: nothing may come of them in this exchange, and then nobody would."""
    return tuple(SubjectId(subject) for subject in opened.meta.differs[:LACKS_LIMIT])


def _lacks(opened: Opened) -> tuple[ChainHead, ...]:
    """Own chains of which the office holds more than this tablet: how far each is held here."""
    found = []
    for subject in sorted(opened.meta.behind)[:LACKS_LIMIT]:
        held = (opened.book.subjects.get(SubjectId(subject)) or Held(SubjectId(subject))).chain(opened.identity.device)
        found.append(ChainHead(SubjectId(subject), held.seq, held.id))
    return tuple(found)


def _heads(opened: Opened, frames: list[Frame]) -> str:
    """Over every own chain as far as the office holds it once these frames are in."""
    device = opened.identity.device
    goes = {(frame.header.subject, frame.header.first) for frame in frames if frame.header.device == device}
    heads: dict[SubjectId, tuple[int, str]] = {}
    stopped: set[SubjectId] = set()
    for each in sorted(opened.cuts, key=lambda each: each.header.first):
        subject = each.header.subject
        if subject in stopped or not (each.is_received or (subject, each.header.first) in goes):
            stopped.add(subject)
        else:
            heads[subject] = (each.last, each.head)
    return heads_digest((subject, seq, id_) for subject, (seq, id_) in heads.items())


ASIDE_FOR = timedelta(days=1)
"""After so long a frame the office would not read is offered again: the office may know more by then."""


def take_up_again(store: Store, now: datetime) -> int:
    """Frames set aside because the office would not read them are due again after a day, or when the clock went back;
    how many. An office of an older version is brought up to date some day: nothing stays here for ever.
    """

    def work(opened: Opened) -> int:
        aside = [each for each in opened.cuts if each.state.status == "quarantined" and not each.state.number]
        due = [each for each in aside if not timedelta(0) <= now - _when(each.state.at, now) < ASIDE_FOR]
        if due:
            opened.write(lambda writing: [writing.put("frame_state", FrameState("cut"), each.number) for each in due])
        for each in due:
            each.state = FrameState("cut")
        return len(due)

    return store.reading(work)


def _when(at: str, now: datetime) -> datetime:
    return moment_of(at) if at else now - ASIDE_FOR


def set_aside(store: Store, frame: Frame, code: str, now: datetime) -> None:
    """The office would not read this frame at all: it stays here, marked, and no longer holds the others."""
    state = FrameState("quarantined", code, at=stamp(now))
    place = (frame.header.subject, frame.header.first)

    def work(opened: Opened) -> None:
        found = [each for each in opened.cuts if (each.header.subject, each.header.first) == place]
        opened.write(lambda writing: [writing.put("frame_state", state, each.number) for each in found])
        for each in found:
            each.state = state

    store.reading(work)


def has_uncut(store: Store) -> bool:
    """Whether something was saved since the last frame was cut: text goes before every further piece of media."""

    def work(opened: Opened) -> bool:
        done: dict[SubjectId, int] = {}
        for each in opened.cuts:
            done[each.header.subject] = max(done.get(each.header.subject, 0), each.last)
        return any(
            len(numbers) > done.get(subject, 0) and _has_begun(opened, subject)
            for subject, numbers in opened.numbers.items()
        )

    return store.reading(work)
