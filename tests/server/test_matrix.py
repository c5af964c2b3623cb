"""Every route × every role × signed in or not: what the access matrix does not allow is answered no."""

from __future__ import annotations

from typing import Any

import pytest

from server.console.web import TABLET
from shared.accounts import Role
from shared.permissions import MATRIX
from tests.server.conftest import World

PUBLIC = {
    "static", "accounts.login", "accounts.login_sent", "accounts.logout", "devices.enrol_device", "sync.sync",
    "media.capabilities", "api-docs.openapi_json", "api_page.index", "console.help_page", "visits.mandate_form",
    "visits.mandate_check", "watching.health", "watching.metrics",
}  # fmt: skip
"""Open to nobody in particular: signing in, enrolment by code, sync by signature, help, checking a mandate."""
ANY_HAT = {
    "accounts.home", "accounts.hat", "accounts.hat_chosen", "accounts.me", "accounts.me_changed",
    "accounts.passphrase_changed", "console.alive", "console.search",
}  # fmt: skip
"""Open to everybody who is signed in: one's own session."""
IDS = {"uuid": "0198c0de-0000-7000-8000-000000000001", "int": "1", "default": "0198c0de-0000-7000-8000-000000000001"}


def routes(app: Any) -> list[tuple[str, str, str]]:
    """(endpoint, method, address with made-up ids)."""
    found = []
    for rule in app.url_map.iter_rules():
        if rule.endpoint.endswith(".static"):
            continue
        address = rule.rule
        for name, converter in rule._converters.items():
            kind = {"UUIDConverter": "uuid", "IntegerConverter": "int"}.get(type(converter).__name__, "default")
            for spelling in (f"<{name}>", f"<uuid:{name}>", f"<int:{name}>", f"<string:{name}>", f"<path:{name}>"):
                address = address.replace(spelling, IDS[kind])
        found += [(rule.endpoint, method, address) for method in sorted(rule.methods - {"HEAD", "OPTIONS"})]
    return found


def verb_of(app: Any, endpoint: str, method: str) -> str | None:
    view = app.view_functions[endpoint]
    while view is not None:
        if hasattr(view, "verb"):
            return view.verb
        view = getattr(view, "__wrapped__", None)
    return None


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_every_route_has_a_verb_or_is_public_by_name(world: World) -> None:
    without = sorted(
        f"{endpoint} {method} {address}" for endpoint, method, address in routes(world.app)
        if verb_of(world.app, endpoint, method) is None and endpoint not in PUBLIC | ANY_HAT
    )  # fmt: skip
    assert without == []


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_nobody_gets_in_without_signing_in(world: World) -> None:
    for endpoint, method, address in routes(world.app):
        if endpoint in PUBLIC or "<" in address:
            continue
        answer = world.client().open(
            address, method=method, base_url="https://127.0.0.1", headers={"Tus-Resumable": "1.0.0"}
        )
        if address.startswith("/api"):
            assert answer.status_code == 401, (endpoint, answer.status_code)
        else:
            assert (answer.status_code, answer.headers["Location"].split("?")[0]) == (303, "/login"), endpoint


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
@pytest.mark.parametrize("role", list(Role))
def test_a_hat_without_a_cell_is_told_no(world: World, role: Role) -> None:
    client = world.signed_in(world.person(role), role)
    base = {"base_url": "https://127.0.0.1"}
    token = client.get("/me", **base).text.split('name="csrf" value="', 1)[1].split('"', 1)[0]
    refused = 0
    for endpoint, method, address in routes(world.app):
        verb = verb_of(world.app, endpoint, method)
        if verb is None or "<" in address:
            continue
        data = {"csrf": token} if method == "POST" and not address.startswith("/api") else None
        answer = client.open(address, method=method, data=data, headers={"Tus-Resumable": "1.0.0"}, **base)
        if verb == TABLET:
            assert answer.status_code == 401, endpoint
        elif role not in MATRIX[verb]:
            refused += 1
            assert answer.status_code == 403, (endpoint, answer.status_code)
        else:
            assert answer.status_code < 500, (endpoint, method)
            assert answer.status_code != 403 or method == "POST", endpoint
    assert refused or role is Role.ADMIN
