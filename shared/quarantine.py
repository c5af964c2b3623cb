"""What a person decided about frames that were kept aside and about tablets that were stopped.

The decisions are operations on the subject of the person whose tablet it is, so that they come back with a rebuild, a
restore and the tablets of the group. Two people stand behind each. What is taken in is decided here; what of it counts
is the fold's to say. Called by the fold of a person, the door and the quarantine page. Source: SECURITY D
(quarantine), SETTLED 20, 24; PROTOCOL P32-P38.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from shared.errors import RuleBroken
from shared.ledger.operation import Body, Operation
from shared.values import DeviceId, PersonId, SubjectId

CLOCK_TAKEN = 2**52
"""Highest logical clock a person may take in: above it the subject would have no number left to write with."""
NEVER = frozenset({"bad_seal"})
"""Why a frame was kept that nobody can take in: nothing shows that the tablet said it."""

Outcome = Literal["taken_in", "kept_aside"]


class _FrameDecided(Body, frozen=True):
    """Which frame, why it was `held`, the `reason` of the decision, and who stood behind it as `second`."""

    device: DeviceId
    subject: SubjectId
    first: int
    count: int
    head: str
    held: str
    reason: str
    second: PersonId


class FrameTakenIn(_FrameDecided, frozen=True):
    """A frame that was kept aside is taken into the ledger."""

    KIND = "frame_taken_in"


class FrameKeptAside(_FrameDecided, frozen=True):
    """A frame stays aside; it may be taken in later."""

    KIND = "frame_kept_aside"


class ReadingRestored(Body, frozen=True):
    """A tablet whose reading was `stopped` ("fork" or "twin") may read again: two people looked into it."""

    KIND = "reading_restored"
    device: DeviceId
    stopped: str
    reason: str
    second: PersonId


@dataclass(frozen=True)
class FrameDecision:
    """What was decided last of one frame: by whom, with whom, when (as stamped) and why."""

    device: DeviceId
    subject: SubjectId
    first: int
    count: int
    head: str
    outcome: Outcome
    held: str
    reason: str
    author: PersonId
    second: PersonId
    at: str


@dataclass(frozen=True)
class Restored:
    """A tablet was let read again: by whom, with whom, when (as stamped), why, and why it had been stopped."""

    device: DeviceId
    stopped: str
    reason: str
    author: PersonId
    second: PersonId
    at: str


def _two_people(operation: Operation, body: _FrameDecided | ReadingRestored) -> None:
    if not body.second or body.second == operation.author:
        raise RuleBroken("same_person", "SECURITY D, rule 1")
    if not body.reason:
        raise RuleBroken("no_reason")


def frame_decided(state: Any, operation: Operation, body: _FrameDecided) -> None:
    """Keeps the last decision of a frame; what was taken in stays in, whatever is said later."""
    _two_people(operation, body)
    outcome: Outcome = "taken_in" if isinstance(body, FrameTakenIn) else "kept_aside"
    before = state.frame_decisions.get(body.head)
    if outcome == "taken_in" and body.held in NEVER:
        raise RuleBroken("frame_forged", "PROTOCOL P35")
    if before is not None and before.outcome == "taken_in":
        raise RuleBroken("already_decided")
    state.frame_decisions[body.head] = FrameDecision(
        body.device, body.subject, body.first, body.count, body.head, outcome, body.held, body.reason,
        operation.author, body.second, operation.at,
    )  # fmt: skip


def reading_restored(state: Any, operation: Operation, body: ReadingRestored) -> None:
    """Adds to the history of the tablet."""
    _two_people(operation, body)
    if body.device not in state.devices:
        raise RuleBroken("device_unknown")
    state.restored.append(Restored(body.device, body.stopped, body.reason, operation.author, body.second, operation.at))
