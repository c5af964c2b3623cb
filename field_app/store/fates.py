"""What became of the frames cut here: what to ask the office, what its answers change, what is not delivered yet.

A frame counts as received only where a receipt or a signed fate says so. Source: SETTLED decisions 18-20; PROTOCOL P18,
P33-P40.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from field_app.store.held import Held
from field_app.store.kept import FrameState
from field_app.store.opened import Opened
from shared.ledger.branch import BranchTakenIn, branches
from shared.ledger.frame import is_sealed
from shared.ledger.messages import ASKS_LIMIT, AskedFrame, Reply, are_fates_sealed, receipt_number
from shared.ledger.operation import Operation
from shared.ledger.sealing import KeyMade, KeyWrapped
from shared.values import DeviceId, moment_of

ASIDE = ("quarantined", "kept_aside")


def asked(opened: Opened) -> tuple[AskedFrame, ...]:
    """Own frames the office keeps aside: has somebody decided since? The oldest first."""
    aside = [each for each in opened.cuts if each.state.status in ASIDE]
    return tuple(
        AskedFrame(each.header.subject, each.header.first, each.header.count, each.head) for each in aside[:ASKS_LIMIT]
    )


def undelivered(opened: Opened) -> tuple[int, str]:
    """(operations no receipt covers, `at` of the oldest); (0, "") when all is received. Keys are not counted."""
    reached: dict[str, list[tuple[int, int]]] = {}
    for cut in opened.cuts:
        if cut.is_received:
            reached.setdefault(cut.header.subject, []).append((cut.header.first, cut.last))
    count, oldest = 0, ""
    for subject, numbers in opened.numbers.items():
        spans = reached.get(subject, [])
        if sum(last - first + 1 for first, last in spans) >= len(numbers):
            continue
        for operation in opened.book.subjects[subject].operations:
            if operation.device != opened.identity.device or isinstance(operation.body, KeyMade | KeyWrapped):
                continue
            if not any(first <= operation.seq <= last for first, last in spans):
                count += 1
                if not oldest or moment_of(operation.at) < moment_of(oldest):
                    oldest = operation.at
    return count, oldest


def fates(opened: Opened, reply: Reply) -> dict[int, FrameState]:
    """What receipt and page say of own frames, by number of their record; after a restore those above it and those that
    were never taken in are due again.

    A page whose fates bear no seal of the office changes nothing by them.
    """
    receipt, page = reply.receipt, reply.page
    number = receipt_number(reply.receipt_bytes)
    found: dict[int, FrameState] = {}
    if page.restored is not None:
        for each in opened.cuts:
            if not each.is_received or each.state.position > page.restored:  # what it kept aside is forgotten as well
                found[each.number] = FrameState("cut")
    by_place = {(each.header.subject, each.header.first, each.header.count, each.head): each for each in opened.cuts}
    key = bytes.fromhex(opened.identity.server_key)
    decided = page.fates if page.fates and are_fates_sealed(key, opened.identity.device, page) else ()
    for said in (*decided, *receipt.frames):
        mine = by_place.get((said.subject, said.first, said.count, said.head))
        if mine is not None:
            found[mine.number] = FrameState(said.status, said.reason, number, receipt.received_at, receipt.position)
    return found


def has_forged_branch(fresh: Sequence[Operation], held: Held, keys: Mapping[DeviceId, set[str]]) -> bool:
    """Whether a branch that these operations of the office complete bears no seal of the device it names. A device
    whose key is not known here is left to those who know it."""
    if not any(isinstance(operation.body, BranchTakenIn) for operation in fresh):
        return False
    for branch in branches([*held.operations, *fresh]):
        known = keys.get(branch.header.device, set())
        if known and not any(is_sealed(branch, bytes.fromhex(key)) for key in known):
            return True
    return False
