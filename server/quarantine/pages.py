"""What was kept aside and tablets that were stopped: seen, proposed by one person, answered by a second."""

from __future__ import annotations

from flask import Blueprint, Response, flash, request
from sqlmodel import Session

from server.console.web import can, error_sentence, needs, now, office, page, reader, see_other, t
from server.quarantine import actions, queries
from shared.accounts import Role
from shared.errors import RuleBroken
from shared.permissions import may
from shared.values import DeviceId, PersonId

blueprint = Blueprint("quarantine", __name__, url_prefix="/quarantine", template_folder="templates")

COUNTS_ONLY = frozenset({Role.COUNCIL_MEMBER, Role.COUNCIL_SECRETARY})
"""Hats whose page shows numbers and nothing else."""
NO_CONTENT = frozenset({Role.ADMIN})
"""Hats that see who, when and why, but not what kinds of entries."""


@blueprint.get("")
@needs("quarantine.read")
def listed() -> Response:
    """Frames to decide, waiting or decided; tablets that were stopped."""
    who = reader()
    show = request.args.get("show", "")
    show = show if show in queries.SHOWS else "open"
    with office().database.read() as session:
        numbers = queries.counts(session)
        rows = [] if who.hat in COUNTS_ONLY else queries.kept(session, who, show)
        stopped = queries.stopped_tablets(session) if who.hat in queries.SEES_TABLETS else []
    return page(
        "quarantine/list.html", rows=rows, show=show, stopped=stopped, numbers=numbers, most=queries.SHOWN,
        counts_only=who.hat in COUNTS_ONLY, no_content=who.hat in NO_CONTENT, restores=can("device.restore"),
        confirms=can("device.confirm"),
    )  # fmt: skip


@blueprint.get("/<string:head>")
@needs("quarantine.read")
def one(head: str) -> Response:
    """One frame: who, when, why, what kinds, the other history of a fork, and what taking it in would do."""
    return _one(head)


def _one(head: str, error: RuleBroken | None = None) -> Response:
    who = reader()
    with office().database.read() as session:
        row = queries.one(session, head, who)
    decides = row.status in ("quarantined", "kept_aside") and may(who.person, who.hat, "quarantine.decide", row.state)
    confirms = row.proposed is not None and may(who.person, who.hat, "quarantine.confirm", row.state)
    unchosen = t("quarantine.form.outcome.missing") if error and error.code == "body_wrong" else ""
    field = "outcome" if unchosen else "reason" if error and error.code == "no_reason" else ""
    errors = [{"field": field, "text": unchosen or error_sentence(error)}] if error else []
    return page(
        "quarantine/one.html", 422 if error else 200, row=row, decides=decides, confirms=confirms, errors=errors,
        unchosen=unchosen, said=request.form.get("reason", ""), chosen=request.form.get("outcome", ""),
        no_content=who.hat in NO_CONTENT,
    )  # fmt: skip


@blueprint.post("/<string:head>")
@needs("quarantine.decide")
def proposed(head: str) -> Response:
    """An officer proposes; the leader of the visit, or the Commissioner where there is none, is asked."""
    who, outcome = reader(), request.form.get("outcome", "")
    try:
        with office().database.write() as session:
            row = queries.one(session, head, who)
            if not may(who.person, who.hat, "quarantine.decide", row.state):
                raise RuleBroken("not_found")
            if outcome not in ("taken_in", "kept_aside"):
                raise RuleBroken("body_wrong")
            actions.propose(session, who.person, head, outcome, request.form.get("reason", ""), now())  # type: ignore[arg-type]
    except RuleBroken as broken:
        if broken.code == "not_found":
            raise
        return _one(head, broken)
    flash(t("quarantine.done.proposed"), "ok")
    return see_other("quarantine.one", head=head)


@blueprint.post("/proposals/<int:number>")
@needs("quarantine.confirm")
def answered(number: int) -> Response:
    """The second person stands behind the proposal or declines it."""
    who = reader()
    with office().database.write() as session:
        head = actions.proposal(session, number).head
        if not head or not may(who.person, who.hat, "quarantine.confirm", queries.one(session, head, who).state):
            raise RuleBroken("not_found")
        _answer(session, number, who.person)
    return see_other("quarantine.one", head=head)


def _answer(session: Session, number: int, person: PersonId) -> None:
    if request.form.get("answer") == "confirm":
        actions.confirm(session, office(), number, person, now())
        flash(t("quarantine.done.confirmed"), "ok")
    else:
        actions.decline(session, number)
        flash(t("quarantine.done.declined"), "ok")


@blueprint.post("/tablets/<uuid:device>")
@needs("device.restore")
def reading_proposed(device: object) -> Response:
    """The admin proposes that a stopped tablet reads again, with a reason."""
    try:
        with office().database.write() as session:
            actions.propose_reading(
                session, reader().person, DeviceId(str(device)), request.form.get("reason", ""), now()
            )
    except RuleBroken as broken:
        if broken.code == "not_found":
            raise
        flash(error_sentence(broken), "bad")
        return see_other("quarantine.listed")
    flash(t("quarantine.done.proposed"), "ok")
    return see_other("quarantine.listed")


@blueprint.post("/tablets/proposals/<int:number>")
@needs("device.confirm")
def reading_answered(number: int) -> Response:
    """The second officer lets the tablet read again, or declines."""
    with office().database.write() as session:
        if actions.proposal(session, number).head:
            raise RuleBroken("not_found")
        _answer(session, number, reader().person)
    return see_other("quarantine.listed")
