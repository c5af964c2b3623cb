"""Pages that belong to no capability: help by role, the sign that a session lives, and the menu of every page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, current_app, g, request

from server.accounts import sessions
from server.console import inbox
from server.console.nav import Group
from server.console.nav import navigation as menu
from server.console.web import now, office, page, reader, signed, t
from shared.accounts import Role
from shared.texts import LANGUAGES

blueprint = Blueprint("console", __name__, template_folder="templates")

_TOPICS: dict[Role, tuple[str, ...]] = {
    Role.COUNCIL_MEMBER: ("votes", "elections"),
    Role.COMMISSIONER: ("votes", "elections", "mandates"),
    Role.COUNCIL_SECRETARY: ("requests", "elections", "mandates"),
    Role.NPM_MEMBER: ("tablet", "reports"),
    Role.EXPERT: ("tablet",),
    Role.CENTRE_OFFICER: ("review",),
    Role.ADMIN: ("people",),
    Role.AUDITOR: ("audit",),
}
EVERYONE = ("keyboard", "session", "looks")


@blueprint.get("/help")
def help_page() -> Response:
    """What the reader's hat can do and how, then what holds for everybody; open to those who cannot sign in too."""
    session = signed()
    own = _TOPICS.get(Role(session.hat), ()) if session else ("login",)
    return page("console/help.html", topics=(*own, *EVERYONE))


@blueprint.get("/session/alive")
def alive() -> Response:
    """Keeps the session and says that it lives. Source: UX section 4, time-out."""
    reader()
    return Response(status=204)


@blueprint.before_app_request
def keep_language() -> None:
    """A language chosen in the address (?lang=) becomes the language of the session; the page stays the same."""
    chosen = request.args.get("lang") if request.method == "GET" else None
    session = signed() if chosen in LANGUAGES else None
    if session and chosen and chosen != session.language:
        with office().database.write() as database:
            sessions.choose_looks(database, session, chosen, None)


@blueprint.app_context_processor
def names() -> dict[str, Callable[[], Any]]:
    """`navigation()` for the base template: made only when a page asks."""
    return {"navigation": _navigation}


def _navigation() -> tuple[Group, ...]:
    if "navigation" not in g:
        g.navigation = _made()
    return g.navigation  # type: ignore[no-any-return]


def _made() -> tuple[Group, ...]:
    if signed() is None:
        return ()
    who = reader()
    pages = {rule.rule.rstrip("/") for rule in current_app.url_map.iter_rules() if "GET" in (rule.methods or ())}
    with office().database.read() as session:
        waiting = inbox.waiting(session, who, now())
    return menu(who.hat, pages, request.path, t, waiting)
