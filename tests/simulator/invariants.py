"""What must hold at the end of every schedule, one function each, I1 to I10 of the plan."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlmodel import Session, select

from field_app.store import outgoing
from field_app.store.kept import FrameState
from field_app.sync.status import rows
from server.accounts.tables import DeviceRow
from server.ledger import queries
from server.ledger.append import project_again
from server.ledger.opening import review_keys
from server.ledger.rebuild import projected_hash
from server.ledger.tables import AccessRow, ContactRow, FrameRow, HeldFrameRow
from server.ledger.verify import verify
from shared.ledger.frame import read_frames
from shared.ledger.merge import operations_of
from shared.ledger.operation import Operation
from shared.ledger.sealing import opened_words
from shared.registry import BODIES
from shared.values import SubjectId
from tests.ground import Tablet
from tests.simulator.saves import Saved
from tests.simulator.views import view

if TYPE_CHECKING:
    from tests.simulator.simulation import Simulation

KEYS = ("key_made", "key_wrapped")


class Office:
    """What the office holds at the end, read once: operations by id, held-back frames, devices, contacts."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.operations: dict[str, Operation] = {}
        self.twice: list[str] = []
        self.held: dict[str, tuple[Operation, str, str]] = {}
        for row in session.exec(select(FrameRow)):
            for each in operations_of(queries.frame_of(row), BODIES)[0]:
                if each.id in self.operations:
                    self.twice.append(each.id)
                self.operations[each.id] = each
        for held in session.exec(select(HeldFrameRow)):
            frame = read_frames(queries.unpacked(held.data)[:-1].split(b"\n"))[0]
            for each in operations_of(frame, BODIES)[0]:
                self.held[each.id] = (each, held.status, held.reason)
        self.revoked = {row.id for row in session.exec(select(DeviceRow)) if row.revoked_at}
        self.frozen = {row.device for row in session.exec(select(ContactRow)) if row.frozen}
        self.access = {(row.audience, SubjectId(row.subject)) for row in session.exec(select(AccessRow))}

    def may_hold(self, tablet: Tablet) -> set[SubjectId]:
        """Subjects the tablet's person may hold now."""
        return {subject for audience, subject in self.access if audience in (tablet.person, "everybody")}


def check(simulation: Simulation) -> None:
    """All of them. Raises AssertionError with what does not hold."""
    with simulation.world.office.database.read() as session:
        office = Office(session)
        i1_no_acknowledged_save_is_missing(simulation, office)
        i2_nothing_is_there_twice(simulation, office)
        i3_replicas_are_equal(simulation, office)
        i4_queues_are_empty(simulation, office)
        i5_nobody_holds_what_he_may_not_read(simulation, office)
        i6_chains_verify(simulation, office)
        i7_every_word_typed_can_be_reached(simulation, office)
        i7_every_answer_stands_in_its_history(simulation, office)
        i8_no_secret_word_in_clear(simulation, office)
        i9_counts_are_true(simulation, office)
        alarms_have_a_cause(simulation, office)
    i10_rebuilt_views_are_equal(simulation)


# ── in the middle of a schedule ─────────────────────────────────────────────────────────────────────────────────────


def drafts_kept(simulation: Simulation, tablet: Tablet) -> None:
    """Text typed key by key stands after a restart."""
    held = tablet.store.drafts()
    for field, text in simulation.saves.drafts.get(tablet.name, {}).items():
        draft = held.get(field)
        assert draft, f"I1: the draft {field} of {tablet.name} is gone: {text}"
        assert draft.text == text, f"I1: the draft {field} of {tablet.name} says {draft.text}, not {text}"


def nothing_lost_here(simulation: Simulation, tablet: Tablet) -> None:
    """The tablet opens after damage with every own save in it."""
    ids = {each.id for subject in tablet.store.reading(lambda opened: list(opened.numbers))
           for each in tablet.store.operations(subject)}  # fmt: skip
    mine = [each for each in simulation.saves.all.values() if each.tablet == tablet.name and each.id not in ids]
    assert not mine, f"I1: {tablet.name} opened without {len(mine)} saves, first {mine[0]}; {tablet.store.damage}"


def note_revoked(simulation: Simulation, tablet: Tablet) -> None:
    """What a tablet holds of others at the moment it is revoked: from then on nothing is added."""
    simulation.scope.left[f"revoked {tablet.name}", SubjectId("")] = _foreign(tablet)


def _foreign(tablet: Tablet) -> set[Any]:
    return {
        each.id for held in tablet.store.reading(lambda opened: list(opened.book.subjects.values()))
        for each in held.operations if each.device != tablet.device
    }  # fmt: skip


def drained(simulation: Simulation) -> None:
    """Called when five rounds were not enough."""
    for tablet in simulation.tablets:
        waiting = [
            (each.header.subject[-6:], each.header.first, each.header.count, each.state.status, each.state.reason)
            for each in tablet.store.reading(lambda opened: opened.cuts) if not each.is_received
        ]  # fmt: skip
        simulation.say(
            f"{tablet.name}: unsent {tablet.store.unsent()}, {waiting}, {tablet.store.meta}, {tablet.worker.progress}"
        )
    raise AssertionError("I4: not quiet five rounds after everything was well again")


# ── I1, I2: nothing missing, nothing twice ──────────────────────────────────────────────────────────────────────────


def i1_no_acknowledged_save_is_missing(simulation: Simulation, office: Office) -> None:
    """Every save is at the office: taken in; or kept aside, when its tablet was revoked or cloned, or when such a
    tablet's beginning of the subject is and what others wrote there waits for it; files whole."""
    known = {each.subject for each in office.operations.values()}
    begun_aside = {each.subject for each, _, _ in office.held.values() if each.device in office.revoked} - known
    begun = {saved.subject for saved in simulation.saves.all.values() if saved.kind not in KEYS}
    for saved in simulation.saves.all.values():
        if saved.id in office.operations or saved.subject not in begun:
            continue  # a key for words that were never saved says nothing
        assert saved.id in office.held, f"I1: {saved} is not at the office"
        _, status, reason = office.held[saved.id]
        excused = saved.device in office.revoked or saved.tablet in simulation.cloned | simulation.revoked
        excused |= status == "waiting" and saved.subject in begun_aside
        assert excused, f"I1: {saved} is kept aside: {status} {reason}"
    for saved in simulation.saves.all.values():
        if saved.id in office.operations and saved.device not in office.revoked | office.frozen:
            for name in saved.files:
                path = simulation.world.office.media / name[:2] / name
                assert path.exists(), f"I1: the file {name[:8]} of {saved} is not at the office"


def i2_nothing_is_there_twice(simulation: Simulation, office: Office) -> None:
    """No operation twice, no place of a chain taken twice, no refused save that came to be after all."""
    assert not office.twice, f"I2: held twice: {office.twice}"
    places = [(each.device, each.subject, each.seq) for each in office.operations.values()]
    assert len(places) == len(set(places)), "I2: two operations at one place of a chain"
    for tablet in simulation.tablets:
        held = tablet.store.reading(lambda opened: {id_: each.operations for id_, each in opened.book.subjects.items()})
        for subject, operations in held.items():
            ids = [each.id for each in operations]
            assert len(ids) == len(set(ids)), f"I2: {tablet.name} holds an operation of {subject} twice"


# ── I3, I4: all alike, all delivered ────────────────────────────────────────────────────────────────────────────────


def _reads(simulation: Simulation, tablet: Tablet, office: Office) -> bool:
    """Whether this tablet is in scope: it may read, and is no clone's twin."""
    return tablet.device not in office.revoked | office.frozen and tablet.name not in simulation.cloned


def i3_replicas_are_equal(simulation: Simulation, office: Office) -> None:
    """The same operations and the same view on the office and on every tablet that may hold the subject."""
    folded: dict[SubjectId, Any] = {}
    for tablet in simulation.tablets:
        if not _reads(simulation, tablet, office):
            continue
        for subject in sorted(office.may_hold(tablet)):
            if simulation.restores and _is_apart(simulation, office, subject):
                continue  # what came back first may be the other history, or that of a tablet revoked since: see I1
            ours = {each.id for each in tablet.store.operations(subject)}
            theirs = {each.id for each in office.operations.values() if each.subject == subject}
            assert ours == theirs, (
                f"I3: {tablet.name} and the office differ in {subject}: {len(theirs - ours)} missing, "
                f"{len(ours - theirs)} more; {_kinds(office, theirs - ours)}"
            )
            if not theirs:
                continue
            if subject not in folded:
                folded[subject] = view(queries.state(office.session, subject))
            assert view(tablet.store.state(subject)) == folded[subject], (
                f"I3: {tablet.name} sees {subject} otherwise than the office"
            )


def _is_apart(simulation: Simulation, office: Office, subject: SubjectId) -> bool:
    cloned = {each.device for each in simulation.twins}
    aside = any(each.subject == subject for each, _, _ in office.held.values())
    return aside or any(each.device in cloned and each.subject == subject for each in office.operations.values())


def _kinds(office: Office, ids: set[str]) -> list[str]:
    return sorted({office.operations[id_].kind for id_ in ids if id_ in office.operations})


def _states(tablet: Tablet) -> list[FrameState]:
    return tablet.store.reading(lambda opened: [each.state for each in opened.cuts])


def i4_queues_are_empty(simulation: Simulation, office: Office) -> None:
    """Nothing waits: no frame, no file, no offer; five rounds were enough (see `drain`)."""
    for tablet in simulation.tablets:
        if tablet.name in simulation.cloned:
            continue  # the second of two histories stays aside until people decide; I1 looks for it there
        if tablet.device in office.revoked:
            due = [each for each in outgoing.to_send(tablet.store) if each.header.device == tablet.device]
            assert not due, f"I4: {tablet.name} (revoked) still has {len(due)} frames to send"
            continue
        if any(state.status == "waiting" for state in _states(tablet)):
            continue  # it stands on what the office keeps aside; I1 looks whether it does
        assert tablet.store.unsent() == 0, f"I4: {tablet.name} still has {tablet.store.unsent()} to send"
        assert not tablet.store.meta.offers, f"I4: {tablet.name} still offers {tablet.store.meta.offers}"
        assert not tablet.store.meta.behind, f"I4: {tablet.name} is behind {tablet.store.meta.behind}"


# ── I5, I6: rights, chains ──────────────────────────────────────────────────────────────────────────────────────────


def i5_nobody_holds_what_he_may_not_read(simulation: Simulation, office: Office) -> None:
    """No subject that was never granted; nothing of a subject newer than the moment it was withdrawn."""
    simulation.scope.look(simulation.world)
    for tablet in simulation.tablets:
        held = tablet.store.reading(lambda opened: {id_: each.operations for id_, each in opened.book.subjects.items()})
        for subject, operations in held.items():
            foreign = {each.id for each in operations if each.device != tablet.device}
            if foreign:
                assert simulation.scope.ever(tablet.person, subject), f"I5: {tablet.name} holds foreign {subject}"
            left = simulation.scope.left.get((tablet.person, subject))
            if left is not None and (("everybody", subject) not in office.access):
                assert foreign <= left, f"I5: {tablet.name} pulled {len(foreign - left)} of {subject} after it left"
        at_revocation = simulation.scope.left.get((f"revoked {tablet.name}", SubjectId("")))
        if at_revocation is not None:
            more = _foreign(tablet) - at_revocation
            assert not more, f"I5: {tablet.name} pulled {len(more)} operations after it was revoked"


def i6_chains_verify(simulation: Simulation, office: Office) -> None:
    """The whole ledger holds from outside: chains, seals, head, spelling."""
    found = verify(office.session)
    assert found.is_whole, f"I6: {found.wrong}"
    assert not found.odd, f"I6: {found.odd}"


# ── I7, I8: words ───────────────────────────────────────────────────────────────────────────────────────────────────


def i7_every_word_typed_can_be_reached(simulation: Simulation, office: Office) -> None:
    """What was typed opens from the operation that took it, whatever came later."""
    keys: dict[SubjectId, dict[str, bytes]] = {}
    for saved in simulation.saves.all.values():
        if saved.typed is None:
            continue
        operation = office.operations.get(saved.id) or office.held[saved.id][0]
        words = _opened(simulation, office, keys, saved, operation)
        for name, text in saved.typed.items():
            assert (words or {}).get(name) == text, f"I7: {saved} opens as {words}, not {text}"


def i7_every_answer_stands_in_its_history(simulation: Simulation, office: Office) -> None:
    """An answer that counts is among the entries of its item, whatever was said or chosen later."""
    states: dict[SubjectId, Any] = {}
    for saved in simulation.saves.all.values():
        if saved.kind != "answer_recorded" or saved.id not in office.operations:
            continue
        if saved.subject not in states:
            states[saved.subject] = queries.state(office.session, saved.subject)
        state = states[saved.subject]
        item = state.answers.items.get(office.operations[saved.id].body.item)
        entries = {entry.operation for entry in item.entries} if item else set()
        idle = {each.operation for each in state.not_counted}
        assert saved.id in entries | idle, f"I7: {saved} is no longer in the history of its item"


def _opened(
    simulation: Simulation, office: Office, keys: dict[SubjectId, dict[str, bytes]], saved: Saved, operation: Operation
) -> dict[str, Any] | None:
    body: Any = operation.body
    if saved.kind == "loose_note_kept" or saved.id not in office.operations:
        tablet = next(each for each in simulation.tablets if each.name == saved.tablet)
        key = tablet.store.reading(lambda opened: opened.keys.get(body.key))
        found = key.key if key else _unwrapped_here(tablet, saved, body.key)
        return opened_words(found, saved.subject, saved.kind, body.sealed) if found else None
    if saved.subject not in keys:
        state = queries.state(office.session, saved.subject)
        keys[saved.subject] = review_keys(simulation.world.office, state)
    key_bytes = keys[saved.subject].get(body.key)
    return opened_words(key_bytes, saved.subject, saved.kind, body.sealed) if key_bytes else None


def _unwrapped_here(tablet: Tablet, saved: Saved, key_id: str) -> bytes | None:
    from field_app.store.keys import key_of

    return tablet.store.reading(lambda opened: key_of(opened, saved.subject, key_id))


def i8_no_secret_word_in_clear(simulation: Simulation, office: Office) -> None:
    """Words of notes, interviews and requests stand nowhere in clear: no file of any side, no line of any frame."""
    mark = b"secretq"
    for folder in (simulation.world.folder,):
        for path in folder.rglob("*"):
            if path.is_file() and path.stat().st_size:
                assert mark not in path.read_bytes(), f"I8: a secret word in {path.relative_to(folder)}"
    for row in office.session.exec(select(FrameRow)):
        assert mark not in queries.unpacked(row.data), f"I8: a secret word in the frame at {row.cursor}"


# ── I9, I10: counts and views ───────────────────────────────────────────────────────────────────────────────────────


def i9_counts_are_true(simulation: Simulation, office: Office) -> None:
    """What the sync centre calls received is what the office holds of this device."""
    for tablet in simulation.tablets:
        if not _reads(simulation, tablet, office):
            continue
        shown = {
            row.subject: row.count for row in rows(tablet.store) if row.kind == "subject" and row.state == "received"
        }
        truth: dict[SubjectId, int] = {}
        for each in office.operations.values():
            if each.device == tablet.device:
                truth[each.subject] = truth.get(each.subject, 0) + 1
        assert shown == truth, f"I9: {tablet.name} shows {shown} received, the office holds {truth}"


def alarms_have_a_cause(simulation: Simulation, office: Office) -> None:
    """No tablet is called a twin, a forger or out of step for what a network or an office did."""
    honest = [each for each in simulation.tablets if each.name not in simulation.cloned]
    # what a restored office keeps aside, others took in before: their copies do differ, and both are told so
    kept_aside_since = bool(simulation.restores and office.held)
    for tablet in honest:
        assert tablet.device not in office.frozen, f"an honest tablet was stopped from reading: {tablet.name}"
        codes = {alarm.code for alarm in tablet.store.alarms()}
        if simulation.twins and simulation.restores:
            codes -= {"fork"}
        assert not codes & {"fork", "bad_seal", "emptied"}, f"{tablet.name} alarms: {codes}"
        may_differ = bool(simulation.twins) or kept_aside_since
        assert may_differ or "differs" not in codes, f"{tablet.name} was told that copies differ: {codes}"
        assert not (codes & {"office_lost"}) or simulation.restores, f"{tablet.name} alarms: {codes}"
        if _reads(simulation, tablet, office) and not kept_aside_since:
            assert not tablet.store.meta.differs, f"{tablet.name} still differs in {tablet.store.meta.differs}"
    if simulation.twins and not simulation.restores:
        _twin_is_flagged(simulation, office)


def _twin_is_flagged(simulation: Simulation, office: Office) -> None:
    twin = simulation.twins[0]
    if twin.device in office.revoked:
        return
    forked = any(reason == "fork" and each.device == twin.device for each, _, reason in office.held.values())
    assert twin.device in office.frozen or forked, "two tablets live under one device and nobody was told"


def i10_rebuilt_views_are_equal(simulation: Simulation) -> None:
    """Projections made again from frames, and a tablet made again from its copy, show what stood before."""
    world = simulation.world
    touched = {saved.subject for saved in simulation.saves.all.values()}
    with world.office.database.write() as session:
        before = projected_hash(session)
        for subject in sorted(touched):
            project_again(session, subject)
        assert projected_hash(session) == before, "I10: projections made again differ"
    tablet = simulation.chance.choice(list(world.tablets.values()))
    own = _own_views(tablet)
    tablet.close()
    for path in tablet.folder.glob("store.db*"):
        path.unlink()
    assert _own_views(tablet) == own, f"I10: {tablet.name} made again from its copy has lost something"


def _own_views(tablet: Tablet) -> dict[SubjectId, list[str]]:
    device = tablet.device
    return {
        subject: [each.id for each in tablet.store.operations(subject) if each.device == device]
        for subject in tablet.store.reading(lambda opened: sorted(opened.numbers))
    }
