"""The one place where the parts of the office are joined.

`create_app(config)` reads keys, rules and calendar, opens the database and registers pages and routes. The schema is
brought up to date by `qorgan migrate`, not here.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from flask import Blueprint, Flask, Response, request
from flask.sessions import SecureCookieSessionInterface
from flask_smorest import Api
from flask_smorest import Blueprint as ApiBlueprint
from sqlalchemy.exc import OperationalError, ProgrammingError

from server.api_paths import described
from server.backup.queries import sealing_device
from server.config import Config, from_environment
from server.console.web import page, register_web
from server.db import Database
from server.errors import register_errors
from server.keys import Keys, load_keys
from server.migrations import check_schema
from server.office import Office
from server.watching.logs import begin as begin_log
from server.watching.logs import register_log
from server.watching.metrics import NAMES, register_metrics
from server.watching.numbers import Numbers
from shared.deadlines import read_calendar
from shared.law.law import read_rules
from shared.ledger.crypto import derived

Clock = Callable[[], datetime]

CAPABILITIES = (
    "accounts", "ledger", "packs", "media", "institutions", "checklists", "law", "visit_requests", "elections",
    "visits", "observations", "reports", "quarantine", "watching", "backup", "console",
)  # fmt: skip
"""Each may have `pages.py` and `routes.py`, with one blueprint each."""

REQUEST_LIMIT = 12 * 1024 * 1024
FORM_LIMIT = 1024 * 1024
CONTENT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
)
GUARDING = (
    ("Content-Security-Policy", CONTENT_POLICY),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "same-origin"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Permissions-Policy", "camera=(), microphone=(), geolocation=()"),
)
"""Headers of every answer that does not say otherwise itself."""
HSTS_SECONDS = 2 * 365 * 24 * 3600


def utc_now() -> datetime:
    """The clock of the machine, aware."""
    return datetime.now(UTC)


def open_office(config: Config) -> Office:
    """Keys, rules, calendar and database of an office. Raises FileNotFoundError, KeysLocked."""
    database = Database(config.database)
    keys = load_keys(config.keys, config.key_passphrase)
    return Office(config, database, keys_in_force(database, keys), read_rules(), read_calendar())


def open_checked(config: Config) -> Office:
    """The office of a database that has this program's schema. Raises NewerSchema, OlderSchema and as `open_office`."""
    check_schema(config.database)
    return open_office(config)


def keys_in_force(database: Database, keys: Keys) -> Keys:
    """The keys under the device that this database seals under since its last restore. Source: SETTLED decision 11."""
    try:
        with database.read() as session:
            return replace(keys, device=sealing_device(session, keys.device))
    except (OperationalError, ProgrammingError) as error:
        if isinstance(error, OperationalError) and not database.is_sqlite:
            raise  # the database does not answer: under another device the office would write a second history
        return keys  # no tables yet: the office is about to be founded or restored


def create_app(config: Config | None = None, clock: Clock = utc_now, office: Office | None = None) -> Flask:
    """The application.

    config  None: from the environment
    clock   gives the aware moment of a request
    office  an office opened already, for tests and command line
    """
    if office is None:
        config = config or from_environment(os.environ)
        begin_log(config.log)
        office = open_office(config)
    app = Flask(
        __name__, root_path=str(Path(__file__).parent), template_folder="console/templates",
        static_folder="console/static", static_url_path="/static",
    )  # fmt: skip
    app.session_interface = _Notices()
    app.extensions["qorgan"] = office
    app.extensions["qorgan_clock"] = clock
    app.config.update(
        SECRET_KEY=derived(office.keys.sign_secret, b"", b"qorgan/notices/1"),  # signs one-time notices, no more
        SESSION_COOKIE_NAME="__Host-qorgan-notice",
        SESSION_COOKIE_SECURE=True,
        SESSION_COOKIE_SAMESITE="Strict",
        MAX_CONTENT_LENGTH=REQUEST_LIMIT,
        MAX_FORM_MEMORY_SIZE=FORM_LIMIT,
        MAX_FORM_PARTS=2000,
        TRAP_HTTP_EXCEPTIONS=False,
        PROPAGATE_EXCEPTIONS=False,
        JSON_SORT_KEYS=False,
        API_TITLE="Qorgan",
        API_VERSION="1",
        OPENAPI_VERSION="3.1.0",
        OPENAPI_URL_PREFIX="/api",
        OPENAPI_JSON_PATH="openapi.json",
        API_SPEC_OPTIONS=described(),
    )
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    api = Api(app)
    register_log(app)
    register_metrics(app, Numbers(office.config.data / "numbers", NAMES))
    register_web(app)
    register_errors(app)
    app.add_url_rule("/api/", "api_page.index", lambda: page("api.html", spec=api.spec.to_dict()))
    for blueprint in _blueprints():
        if isinstance(blueprint, ApiBlueprint):
            api.register_blueprint(blueprint)
        else:
            app.register_blueprint(blueprint)
    app.after_request(lambda reply: _guarded(reply, https=config_is_https(office.config)))
    return app


class _Notices(SecureCookieSessionInterface):
    """One-time notices of pages. What signs them is made once: every request asks for it, also of a tablet."""

    def __init__(self) -> None:
        self._signer: Any = None

    def get_signing_serializer(self, app: Flask) -> Any:
        """As Flask makes it; the key does not change while the office runs."""
        self._signer = self._signer or super().get_signing_serializer(app)
        return self._signer


def config_is_https(config: Config) -> bool:
    """Whether browsers reach this office by https."""
    return config.address.startswith("https://")


def _blueprints() -> list[Blueprint]:
    return [
        _blueprint_of(f"server.{capability}.{part}")
        for capability in CAPABILITIES
        for part in ("routes", "pages")
        if find_spec(f"server.{capability}.{part}")
    ]


def _blueprint_of(module: str) -> Blueprint:
    """The one blueprint a module declares."""
    (found,) = (value for value in vars(import_module(module)).values() if isinstance(value, Blueprint))
    return found


def _guarded(reply: Response, https: bool) -> Response:
    """Headers every answer carries. Source: SECURITY A.6, row Browser."""
    headers = reply.headers
    said = {name.lower() for name, _ in headers}
    headers.extend([(name, value) for name, value in GUARDING if name.lower() not in said])
    if request.endpoint == "static":
        headers["Cache-Control"] = "private, max-age=3600"
    else:
        headers["Cache-Control"] = headers.get("Cache-Control") if request.endpoint == "packs.pack" else "no-store"
    if https:
        headers.setdefault("Strict-Transport-Security", f"max-age={HSTS_SECONDS}")
    return reply
