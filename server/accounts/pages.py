"""Signing in and out, the hat, one's own page; people and tablets (C1, C13)."""

from __future__ import annotations

from urllib.parse import urlencode

import segno
from flask import Blueprint, Response, current_app, flash, redirect, request, url_for
from markupsafe import Markup

from server.accounts import actions, queries, sessions
from server.accounts.enrolment import digits_of
from server.console.web import (
    COOKIE,
    LANGUAGE_COOKIE,
    THEMES,
    error_sentence,
    language,
    needs,
    now,
    office,
    own_path,
    page,
    reader,
    see_other,
    signed,
    t,
    today,
)  # fmt: skip
from shared.accounts import Role
from shared.errors import RuleBroken
from shared.permissions import MATRIX
from shared.texts import LANGUAGES
from shared.values import DeviceId, PersonId, as_typed

blueprint = Blueprint("accounts", __name__, template_folder="templates")

_HOME = {
    Role.COUNCIL_SECRETARY: "/requests", Role.COUNCIL_MEMBER: "/requests", Role.COMMISSIONER: "/requests",
    Role.CENTRE_OFFICER: "/review", Role.ADMIN: "/people", Role.NPM_MEMBER: "/visits", Role.EXPERT: "/visits",
    Role.AUDITOR: "/elections",
}  # fmt: skip


@blueprint.get("/")
def home() -> Response:
    """The page a hat begins with."""
    target = _HOME.get(reader().hat, "/me")
    known = {rule.rule for rule in current_app.url_map.iter_rules()}
    return _go(target if target in known else "/me")


def _go(path: str) -> Response:
    return redirect(path, 303)  # type: ignore[return-value]


# ── signing in ──────────────────────────────────────────────────────────────────────────────────────────────────────


@blueprint.get("/login")
def login() -> Response:
    """The form to sign in."""
    if signed() is not None:
        return _go(own_path(request.args.get("next")) or "/")
    reply = page("accounts/login.html", login="", next=own_path(request.args.get("next")) or "", errors=[])
    return _keep_language(reply)


@blueprint.post("/login")
def login_sent() -> Response:
    """Name and passphrase; with several hats the choice follows, for which the session wears the first."""
    name, onward = request.form.get("username", ""), own_path(request.form.get("next"))
    try:
        person, hats = sessions.sign_in(
            office(), name, request.form.get("password", ""), request.remote_addr or "", now()
        )
    except RuleBroken as broken:
        error = {"field": "username" if broken.code == "login_wrong" else "", "text": error_sentence(broken)}
        status = 429 if broken.code == "login_wait" else 401
        reply = page("accounts/login.html", status, login=name, next=onward or "", errors=[error])
        if status == 429:
            reply.headers["Retry-After"] = "60"
        return reply
    with office().database.write() as session:
        cookie = sessions.open_session(session, person, hats[0], now(), request.cookies.get(LANGUAGE_COOKIE, ""))
    target = url_for("accounts.hat", next=onward) if len(hats) > 1 else onward or "/"
    return _with_cookie(_go(target), cookie)


def _with_cookie(reply: Response, cookie: str) -> Response:
    reply.set_cookie(COOKIE, cookie, secure=True, httponly=True, samesite="Strict", path="/")
    return reply


def _keep_language(reply: Response) -> Response:
    if request.args.get("lang") in LANGUAGES:
        reply.set_cookie(
            LANGUAGE_COOKIE, language(), secure=True, httponly=True, samesite="Strict", path="/", max_age=31_536_000
        )
    return reply


@blueprint.post("/logout")
def logout() -> Response:
    """Ends the session and asks the browser to forget this site."""
    session_ = signed()
    if session_ is not None:
        with office().database.write() as session:
            sessions.sign_out(session, session_)
    reply = _go("/login")
    reply.delete_cookie(COOKIE, secure=True, httponly=True, samesite="Strict", path="/")
    reply.headers["Clear-Site-Data"] = '"cache", "cookies", "storage"'
    return reply


@blueprint.get("/hat")
def hat() -> Response:
    """Which hat to wear: rights of two hats never add up."""
    who = reader()
    with office().database.read() as session:
        hats = queries.roles_on(session, who.person, today())
    return page("accounts/hat.html", choices=hats, worn=who.hat.value, next=own_path(request.args.get("next")) or "")


@blueprint.post("/hat")
def hat_chosen() -> Response:
    """Another hat is another session."""
    reader()
    session_ = signed()
    assert session_ is not None
    with office().database.write() as session:
        cookie = sessions.switch_hat(session, office(), session_, request.form.get("hat", ""), now())
    return _with_cookie(_go(own_path(request.form.get("next")) or "/"), cookie)


@blueprint.get("/me")
def me() -> Response:
    """The reader's own page: hats and tablets, language, looks, sign out."""
    who = reader()
    with office().database.read() as session:
        lines = queries.people(session, who.person)
    return page("accounts/me.html", line=lines[0] if lines else None, themes=THEMES)


@blueprint.post("/me")
def me_changed() -> Response:
    """Language and looks of this session."""
    reader()
    session_ = signed()
    assert session_ is not None
    wanted, theme = request.form.get("language"), request.form.get("theme")
    with office().database.write() as session:
        sessions.choose_looks(
            session, session_, wanted if wanted in LANGUAGES else None, theme if theme in THEMES else None
        )
    return see_other("accounts.me")


@blueprint.post("/me/passphrase")
def passphrase_changed() -> Response:
    """A new passphrase of one's own; every session of the person ends, this one too."""
    who = reader()
    with office().database.read() as session:
        login_ = queries.login_of(session, who.person)
    try:
        sessions.sign_in(office(), login_, request.form.get("current", ""), request.remote_addr or "", now())
        with office().database.write() as session:
            sessions.set_passphrase(session, who.person, login_, request.form.get("fresh", ""))
    except RuleBroken as broken:
        flash(error_sentence(broken), "bad")
        return see_other("accounts.me")
    return _go("/login")


# ── people and tablets ──────────────────────────────────────────────────────────────────────────────────────────────


@blueprint.get("/people")
@needs("person.read")
def people() -> Response:
    """Everybody for those who may, oneself for the others."""
    who = reader()
    everybody = who.hat in _SEES_ALL
    with office().database.read() as session:
        lines = queries.people(session, None if everybody else who.person)
        names = queries.names(session)
    return page(
        "accounts/people.html", lines=lines, names=names, digits=digits_of, today=today().isoformat(), roles=list(Role)
    )


_SEES_ALL = frozenset(role for role, test in MATRIX["person.read"].items() if test is MATRIX["person.read"][Role.ADMIN])


@blueprint.post("/people")
@needs("person.add")
def person_added() -> Response:
    """A person with a first sign-in."""
    form = request.form
    person = actions.NewPerson(
        as_typed(form.get("name", ""))[:200], (), form.get("language") if form.get("language") in LANGUAGES else "ru",  # type: ignore[arg-type]
        form.get("login", "").strip(), form.get("passphrase", ""),
    )  # fmt: skip
    try:
        if not person.name:
            raise RuleBroken("body_wrong")
        with office().database.write() as session:
            actions.add_person(session, office(), reader().person, person, now())
    except RuleBroken as broken:
        flash(error_sentence(broken), "bad")
    return see_other("accounts.people")


@blueprint.post("/people/<uuid:person>/sign-in")
@needs("person.add")
def sign_in_given(person: object) -> Response:
    """A first sign-in for somebody who has none, for instance after an election."""
    try:
        with office().database.write() as session:
            actions.give_sign_in(
                session, PersonId(str(person)), request.form.get("login", ""), request.form.get("passphrase", "")
            )
    except RuleBroken as broken:
        flash(error_sentence(broken), "bad")
    return see_other("accounts.people")


@blueprint.post("/people/<uuid:person>/code")
@needs("device.enrol")
def code_made(person: object) -> Response:
    """A one-time code for a tablet, shown once, with a square code that carries the office's address too."""
    id_ = PersonId(str(person))
    with office().database.write() as session:
        code = actions.make_code(session, office(), reader().person, id_, now())
        name = queries.name_of(session, id_)
    link = f"{office().config.address}/enrol?{urlencode({'code': code})}"
    square = segno.make(link, error="m", micro=False).svg_inline(scale=6, border=4, light="white")
    shown = "-".join((code[:5], code[5:9], code[9:]))
    return page(
        "accounts/code.html", name=name, code=shown, square=Markup(square), address=office().config.address,  # noqa: S704
        until=now() + actions.CODE_LIFE,
    )  # fmt: skip


@blueprint.post("/people/devices/<uuid:device>/confirm")
@needs("device.confirm")
def device_confirmed(device: object) -> Response:
    """The digits on the tablet and on the page were the same."""
    with office().database.write() as session:
        actions.confirm_device(session, office(), reader().person, DeviceId(str(device)), now())
    flash(t("accounts.device.confirmed"), "ok")
    return see_other("accounts.people")


@blueprint.get("/people/devices/<uuid:device>/revoke")
@needs("device.revoke")
def revoke(device: object) -> Response:
    """First step: what can and what cannot be undone."""
    with office().database.read() as session:
        row = queries.device(session, DeviceId(str(device)))
        if row is None:
            raise RuleBroken("not_found")
        name = queries.name_of(session, PersonId(row.person))
        return page("accounts/revoke.html", device=row, name=name)


@blueprint.post("/people/devices/<uuid:device>/revoke")
@needs("device.revoke")
def device_revoked(device: object) -> Response:
    """Second step, with a reason."""
    with office().database.write() as session:
        actions.revoke_device(
            session,
            office(),
            reader().person,
            DeviceId(str(device)),
            as_typed(request.form.get("reason", ""))[:200],
            now(),
        )
    flash(t("accounts.device.revoked"), "ok")
    return see_other("accounts.people")


# ── roles: two people, so one proposes and the other confirms ───────────────────────────────────────────────────────


@blueprint.post("/people/<uuid:person>/roles")
@needs("role.grant")
def role_proposed(person: object) -> Response:
    """The admin proposes a role; it holds once a second officer confirmed it."""
    with office().database.write() as session:
        actions.propose_role(
            session, reader().person, PersonId(str(person)), request.form.get("role", ""),
            request.form.get("since", ""), request.form.get("until", ""), request.form.get("basis", ""), now(),
            ends=bool(request.form.get("ends")),
        )  # fmt: skip
    flash(t("accounts.role.proposed"), "ok")
    return see_other("accounts.people")


@blueprint.get("/people/roles")
@needs("role.confirm")
def roles_waiting() -> Response:
    """Roles that wait for a second officer."""
    with office().database.read() as session:
        rows, names = queries.proposals(session), queries.names(session)
        return page("accounts/roles.html", rows=rows, names=names)


@blueprint.post("/people/roles/<int:number>")
@needs("role.confirm")
def role_confirmed(number: int) -> Response:
    """The second officer confirms or declines."""
    with office().database.write() as session:
        if request.form.get("answer") == "decline":
            actions.decline_role(session, number)
        else:
            actions.confirm_role(session, office(), number, reader().person, now())
    return see_other("accounts.roles_waiting")
