"""What every page and route asks: the office, who reads, in which language, at what moment; and how a page is made.

Holds no rule and opens no sealed word. A view names its verb of the access matrix with `@needs`, or stands in PUBLIC.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from functools import wraps
from typing import Any, TypeVar, cast
from urllib.parse import urlsplit

from flask import Flask, Response, current_app, g, make_response, redirect, render_template, request, url_for
from markupsafe import Markup, escape

from server.accounts import queries as people
from server.accounts.sessions import Signed, signed_in
from server.office import Office, Reader
from shared.accounts import Role
from shared.errors import RuleBroken
from shared.ledger.crypto import same
from shared.permissions import MATRIX, may
from shared.texts import LANGUAGES, Language, MissingText, Texts, texts
from shared.values import ALMATY, DeviceId, PersonId, moment_of

COOKIE = "__Host-qorgan"
LANGUAGE_COOKIE = "__Host-qorgan-language"
THEMES = ("light", "dark", "contrast")
TABLET = "tablet"
"""What stands in place of a verb at a view for tablets."""
NBSP = "\u00a0"

View = TypeVar("View", bound=Callable[..., Any])


class LoginNeeded(Exception):
    """Nobody is signed in; the page asks to sign in and comes back."""


# ── who, where, when ────────────────────────────────────────────────────────────────────────────────────────────────


def office() -> Office:
    """The running office."""
    return cast(Office, current_app.extensions["qorgan"])


def now() -> datetime:
    """The aware moment of this request: one for all it does."""
    if "now" not in g:
        g.now = current_app.extensions["qorgan_clock"]()
    return cast(datetime, g.now)


def today() -> date:
    """The day of this request in the office's zone."""
    return office().calendar.day_of(now())


def signed() -> Signed | None:
    """The session behind the cookie, when it is alive."""
    if "signed" not in g:
        cookie = request.cookies.get(COOKIE, "")
        g.signed = signed_in(office().database, cookie, now()) if cookie else None
    return cast(Signed | None, g.signed)


def reader() -> Reader:
    """Who reads. Raises LoginNeeded when nobody is signed in."""
    session = signed()
    if session is None:
        raise LoginNeeded
    return Reader(PersonId(session.person), Role(session.hat))


def needs(verb: str) -> Callable[[View], View]:
    """A view for hats that have a cell under this verb; the cell's own test runs where the subject is known.

    The app refuses to start with a verb that is not in the matrix.
    """
    if verb not in MATRIX:
        raise KeyError(verb)

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            who = reader()
            if who.hat not in MATRIX[verb]:
                raise RuleBroken("not_allowed")
            return view(*args, **kwargs)

        guarded.verb = verb  # type: ignore[attr-defined]
        return cast(View, guarded)

    return decorate


def tablet() -> tuple[DeviceId, PersonId]:
    """The tablet behind the token of the request, and its person. Raises RuleBroken("device_unknown")."""
    if "tablet" not in g:
        kind, _, token = request.headers.get("Authorization", "").partition(" ")
        found = None
        if kind.lower() == "bearer" and 0 < len(token) <= 128:
            found = people.tablet_of(office().database, token, now())
        if found is None:
            raise RuleBroken("device_unknown")
        g.tablet = found
    return cast(tuple[DeviceId, PersonId], g.tablet)


def tablet_view(view: View) -> View:
    """A view for tablets that show the token of their last exchange."""

    @wraps(view)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        tablet()
        return view(*args, **kwargs)

    guarded.verb = TABLET  # type: ignore[attr-defined]
    return cast(View, guarded)


def allowed(verb: str, state: Any) -> None:
    """Raises RuleBroken("not_found") unless the reader may do the verb on this folded subject."""
    who = reader()
    if state is None or not may(who.person, who.hat, verb, state):
        raise RuleBroken("not_found")


def can(verb: str, state: Any = None) -> bool:
    """Whether a button is shown: the reader's hat and, with a state, the cell's own test."""
    session = signed()
    if session is None:
        return False
    hat = Role(session.hat)
    if state is None:
        return hat in MATRIX[verb]
    return may(PersonId(session.person), hat, verb, state)


# ── language ────────────────────────────────────────────────────────────────────────────────────────────────────────


def language() -> Language:
    """The reader's language: of the address (?lang=), else of the session, the cookie, the browser; last Russian."""
    for candidate in (request.args.get("lang"), *_kept_languages()):
        if candidate in LANGUAGES:
            return candidate
    return cast(Language, request.accept_languages.best_match(LANGUAGES) or "ru")


def _kept_languages() -> tuple[str | None, str | None]:
    session = signed()
    return (session.language if session else None, request.cookies.get(LANGUAGE_COOKIE))


def words() -> Texts:
    """The sentences of the reader's language, which stays one through a request."""
    if "words" not in g:
        g.words = texts(language())
    return cast(Texts, g.words)


def t(key: str, /, **facts: object) -> str:
    """The sentence under a key."""
    return words()(key, **facts)


def tn(key: str, n: int, /, **facts: object) -> str:
    """The sentence under a key in the form the number n wants."""
    return words().plural(key, n, **facts)


def sentence(key: str, facts: dict[str, object]) -> str:
    """The sentence of an error; the key itself when even that fails, for an error page must not break."""
    try:
        return t(key, **facts)
    except (MissingText, KeyError, IndexError, OSError):
        return key


def error_sentence(broken: RuleBroken) -> str:
    """What a broken rule says to the reader, for an error summary above a form."""
    return sentence(f"error.{broken.code}", dict(broken.facts))


# ── pages ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def page(template: str, status: int = 200, **values: Any) -> Response:
    """A rendered page with everything the base template needs."""
    return make_response(render_template(template, **values), status)


def error_page(status: int, code: str, message: str, source: str, number: str) -> Response:
    """The page of an error: the sentence, the rule behind it, a number for questions, a way on."""
    return page("error.html", status, code=code, message=message, source=source, number=number)


def form_token() -> str:
    """The token every form of this session carries; empty when nobody is signed in."""
    session = signed()
    return session.csrf if session else ""


def csrf() -> Markup:
    """The hidden field with the form token."""
    return Markup('<input type="hidden" name="csrf" value="{}">').format(form_token())


def redirect_back(fallback: str) -> Response:
    """303 to the page this form came from, when it is ours, else to `fallback`."""
    referrer = urlsplit(request.referrer or "")
    ours = referrer.netloc == request.host and referrer.path.startswith("/")
    target = referrer.path + (f"?{referrer.query}" if referrer.query else "") if ours else fallback
    return cast(Response, redirect(target, 303))


def see_other(endpoint: str, **values: Any) -> Response:
    """303 to a view, after a form was done."""
    return cast(Response, redirect(url_for(endpoint, **values), 303))


def check_form() -> None:
    """Every POST of a page shows the token of its session; what a browser sends, to the API too, comes from our pages.

    Another port or a neighbouring name counts as the same site for cookies, so these alone do not tell.
    """
    if request.method in ("GET", "HEAD", "OPTIONS"):
        return
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        raise RuleBroken("not_allowed")
    origin = request.headers.get("Origin")
    if origin and urlsplit(origin).netloc != request.host:
        raise RuleBroken("not_allowed")
    if request.path.startswith("/api"):
        return
    session = signed()
    if session is not None:
        shown = request.form.get("csrf", "")
        if not same(shown.encode(), session.csrf.encode()):
            raise RuleBroken("not_allowed")


# ── formats: dd.mm.yyyy, 24 hours, blanks that do not break ─────────────────────────────────────────────────────────


def show_date(value: date | datetime | str | None) -> str:
    """A day as 07.03.2026; from a date, an aware moment, or their ISO text. Empty for nothing."""
    if not value:
        return ""
    if isinstance(value, str):
        value = moment_of(value) if "T" in value else date.fromisoformat(value)
    if isinstance(value, datetime):
        value = value.astimezone(ALMATY).date()
    return f"{value:%d.%m.%Y}"


def show_moment(value: datetime | str | None) -> str:
    """A moment as 07.03.2026, 14:05 in the time of Kazakhstan. Empty for nothing."""
    if not value:
        return ""
    moment = moment_of(value) if isinstance(value, str) else value
    return f"{moment.astimezone(ALMATY):%d.%m.%Y, %H:%M}".replace(" ", NBSP)


def show_number(value: int | float | str | None) -> str:
    """A number with narrow groups: 12 345."""
    if value is None or value == "":
        return ""
    if isinstance(value, str):
        value = float(value) if "." in value else int(value)
    return f"{value:,}".replace(",", NBSP)


# ── wiring ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def register_web(app: Flask) -> None:
    """Filters, template names, the check of forms and the answer to somebody who is not signed in."""
    app.add_template_filter(show_date, "date")
    app.add_template_filter(show_moment, "moment")
    app.add_template_filter(show_number, "number")
    app.context_processor(_template_names)
    app.before_request(check_form)
    app.register_error_handler(LoginNeeded, _ask_to_sign_in)


def _template_names() -> dict[str, Any]:
    session = signed()
    return {
        "t": t, "tn": tn, "language": language(), "languages": LANGUAGES, "csrf": csrf, "form_token": form_token,
        "now": now(), "can": can, "signed": session, "theme": session.theme if session else "light",
        "hat": session.hat if session else "", "hats": _hats(session), "person_name": _name(session),
        "here": request.path, "endpoint": request.endpoint or "",
    }  # fmt: skip


def _hats(session: Signed | None) -> list[str]:
    if session is None:
        return []
    if "hats" not in g:
        with office().database.read() as db:
            g.hats = people.roles_on(db, PersonId(session.person), today())
    return cast(list[str], g.hats)


def _name(session: Signed | None) -> str:
    if session is None:
        return ""
    if "person_name" not in g:
        with office().database.read() as db:
            g.person_name = people.name_of(db, PersonId(session.person))
    return cast(str, g.person_name)


def _ask_to_sign_in(error: LoginNeeded) -> Response:
    if request.path.startswith("/api"):
        from server.errors import answer

        return answer("session_over", 401)
    back = request.full_path.rstrip("?") if request.method == "GET" else None
    return cast(Response, redirect(url_for("accounts.login", next=back), 303))


def own_path(target: str | None) -> str | None:
    """A path of this office to go on to; None for anything that leads elsewhere."""
    if not target or not target.startswith("/") or target.startswith(("//", "/\\")):
        return None
    parts = urlsplit(target)
    return target if not parts.scheme and not parts.netloc else None


__all__ = ["Markup", "allowed", "can", "csrf", "error_sentence", "escape", "form_token", "language", "needs", "now",
           "office", "page", "reader", "redirect_back", "see_other", "t", "tn", "today"]  # fmt: skip
