"""Whatever is sent to the API, the office does not break: generated from its own OpenAPI description."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error

from server.app import create_app
from server.migrations import migrate
from shared.accounts import Role
from tests.server.conftest import Clock, World, an_office, found


@pytest.fixture(scope="module")
def standing(tmp_path_factory: pytest.TempPathFactory) -> World:
    """One office for all examples."""
    folder: Path = tmp_path_factory.mktemp("fuzz")
    url = f"sqlite:///{folder / 'office.db'}"
    migrate(url)
    office, clock = an_office(url, folder), Clock()
    founded = found(office, clock)
    return World(office, clock, founded, create_app(clock=clock, office=office))


@pytest.fixture(scope="module")
def token(standing: World) -> str:
    return standing.tablet(standing.person(Role.NPM_MEMBER)).sync().page.token


@pytest.fixture(scope="module")
def cookie(standing: World) -> str:
    client = standing.signed_in(standing.founded.admin, Role.ADMIN)
    return client.get_cookie("__Host-qorgan", "127.0.0.1").value


@schemathesis.serializer("application/x-qorgan-sync", "application/offset+octet-stream")
def as_bytes(ctx: Any, value: Any) -> bytes:
    """Bodies that are bytes go out as they were drawn."""
    data = getattr(value, "data", value)
    return data if isinstance(data, bytes) else str(data).encode(errors="surrogatepass")


def operations(world: World) -> list[Any]:
    schema = schemathesis.openapi.from_wsgi("/api/openapi.json", world.app)
    return [result.ok() for result in schema.get_all_operations()]


def test_nothing_sent_breaks_the_office(standing: World, token: str, cookie: str) -> None:
    signed = {"Authorization": f"Bearer {token}", "Cookie": f"__Host-qorgan={cookie}"}
    found = operations(standing)
    assert len(found) >= 9
    for operation in found:

        @settings(max_examples=20, suppress_health_check=list(HealthCheck), deadline=None)
        @given(case=operation.as_strategy())
        def send(case: Any) -> None:
            for headers in ({}, signed):
                case.call_and_validate(headers=headers, checks=[not_a_server_error])

        send()


def test_every_path_of_the_api_is_described(standing: World) -> None:
    described = set(standing.client().get("/api/openapi.json").json["paths"])
    rules = {rule.rule for rule in standing.app.url_map.iter_rules() if rule.rule.startswith("/api/")}
    rules = {re.sub(r"<(\w+:)?(\w+)>", r"{\2}", rule) for rule in rules}
    assert rules - described - {"/api/", "/api/openapi.json"} == set()


def test_the_page_of_the_api_needs_nothing_from_elsewhere(standing: World) -> None:
    text = standing.client().get("/api/", headers={"Accept-Language": "kk"}).text
    assert "/api/sync" in text
    assert "http://" not in text
    assert "https://" not in text
