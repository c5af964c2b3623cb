"""What the sync centre (T11) shows: one row an item, six states, each true by the signed receipts in the store.

Pure but for reading the store. "Received" appears only where a receipt says so; an offline tablet is no failure.
Source: UX T11 and P5.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from field_app.store.opened import Cut, Opened
from field_app.store.store import Store
from shared.ledger.operation import Operation
from shared.ledger.sealing import KeyMade, KeyWrapped
from shared.observations.record import FindingChanged, FindingRecorded
from shared.values import SubjectId

RowState = Literal[
    "on_tablet", "waiting", "sending", "received", "needs_decision", "office_decides", "kept_aside", "failed"
]  # fmt: skip
_SHOWN_FIRST = {"failed": 0, "needs_decision": 1, "office_decides": 2, "kept_aside": 3, "sending": 4, "waiting": 5,
                "on_tablet": 6, "received": 7}  # fmt: skip


UNREAD = frozenset({"too_large", "version", "frame_too_large", "frame_unreadable", "request_unreadable"})
"""Why the office did not even read a frame; anything else it keeps, and people there decide."""


@dataclass
class Progress:
    """What the worker is doing right now; in memory only, written by its thread.

    sending   (subject, first seq) of the frames under way; files: hash → bytes sent of the one under way
    trouble   code of what stopped the last round, "" when it went through (`tablet.sync.<code>`)
    """

    sending: frozenset[tuple[SubjectId, int]] = frozenset()
    files: dict[str, int] = field(default_factory=dict)
    trouble: str = ""
    is_running: bool = False


@dataclass(frozen=True)
class Row:
    """One row of T11.

    kind     operation kind, "file.<role>", or "subject" for what of a subject is received
    count    operations the row stands for
    percent  of a file being sent; at, number: of the receipt; reason: code of a failure or decision
    """

    key: str
    kind: str
    subject: SubjectId
    state: RowState
    count: int = 1
    percent: int = 0
    at: str = ""
    number: str = ""
    reason: str = ""
    urgent: bool = False
    size: int = 0


def rows(store: Store, progress: Progress | None = None) -> list[Row]:
    """Every item of the sync centre: what needs a person first, urgent before the rest, received last."""
    under_way = progress or Progress()
    found = store.reading(lambda opened: [*_operation_rows(opened, under_way), *_file_rows(opened, under_way)])
    return sorted(
        found, key=lambda row: (_SHOWN_FIRST[row.state], not row.urgent, row.kind.startswith("file"), row.key)
    )


def _operation_rows(opened: Opened, progress: Progress) -> Iterable[Row]:
    device = opened.identity.device
    for subject in opened.numbers:
        cuts = [cut for cut in opened.cuts if cut.header.subject == subject]
        received = [cut for cut in cuts if cut.is_received]
        if received:
            last = received[-1]
            yield Row(
                f"{subject} received", "subject", subject, "received", count=sum(cut.header.count for cut in received),
                at=last.state.at, number=last.state.number,
            )  # fmt: skip
        for operation in opened.book.subjects[subject].operations:
            if operation.device != device or isinstance(operation.body, KeyMade | KeyWrapped):
                continue
            cut = next((cut for cut in cuts if cut.header.first <= operation.seq <= cut.last), None)
            if cut is None or not cut.is_received:
                yield _unsent_row(operation, cut, progress)
    for subject_id in opened.meta.differs:
        yield Row(f"{subject_id} differs", "subject", SubjectId(subject_id), "needs_decision", reason="differs")


def _unsent_row(operation: Operation, cut: Cut | None, progress: Progress) -> Row:
    state: RowState = "on_tablet"
    reason = ""
    if cut is not None:
        state = "sending" if (cut.header.subject, cut.header.first) in progress.sending else "waiting"
        if cut.state.status == "quarantined":
            state = "failed" if cut.state.reason in UNREAD else "office_decides"
            reason = cut.state.reason
        elif cut.state.status == "kept_aside":
            state, reason = "kept_aside", cut.state.reason
    body = operation.body
    urgent = isinstance(body, FindingRecorded | FindingChanged) and body.urgent
    return Row(operation.id, operation.kind, operation.subject, state, reason=reason, urgent=urgent,
               at=cut.state.at if cut else "", number=cut.state.number if cut else "")  # fmt: skip


def _file_rows(opened: Opened, progress: Progress) -> Iterable[Row]:
    """Own files; one that no operation names was never saved, and goes at the next start."""
    for _, kept in opened.media.values():
        if kept.carried or not kept.operation:
            continue
        state: RowState = "received" if kept.received else "waiting"
        sent = progress.files.get(kept.sha256, kept.sent)
        if kept.sha256 in progress.files:
            state = "sending"
        elif kept.failed and not kept.received:
            state = "failed"
        yield Row(
            kept.sha256, f"file.{kept.role}", kept.subject, state, size=kept.size, reason=kept.failed,
            percent=100 * sent // kept.size if kept.size else 100,
        )  # fmt: skip
