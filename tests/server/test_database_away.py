"""A database that dies or is away: connections are replaced, and whoever asks meanwhile is told to try again."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from server.app import keys_in_force
from server.db import Database
from tests.server.conftest import Tablet, World, statuses
from tests.server.test_sync import answers, begun


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
def test_connections_that_died_are_replaced(pair: tuple[Tablet, Tablet, str]) -> None:
    one, _, visit = pair
    record, _ = begun(one, visit)
    with one.world.office.database.engine.connect() as connection:
        name = connection.execute(text("SELECT current_database()")).scalar_one()
        host = connection.execute(text("SHOW unix_socket_directories")).scalar_one()
    with psycopg.connect(f"host={host} user=qorgan dbname=postgres", autocommit=True) as other:
        ended = other.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])
        assert ended.rowcount >= 1
    assert statuses(one.sync(one.write(record, *answers(2, 10)))) == [("accepted", "")]


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
@pytest.mark.parametrize("pushes", [True, False])
def test_a_connection_that_dies_under_the_work_is_let_go_without_a_fault_of_its_own(
    world: World, caplog: pytest.LogCaptureFixture, pushes: bool
) -> None:
    database = world.office.database
    with (
        pytest.raises(psycopg.errors.AdminShutdown),
        database.lent() as connection,
        database.push(connection) if pushes else nullcontext(),
    ):
        connection.execute("SELECT pg_terminate_backend(pg_backend_pid())")
    assert caplog.records == []
    with database.lent() as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
def test_while_it_is_away_nobody_is_told_of_a_fault(pair: tuple[Tablet, Tablet, str]) -> None:
    one, _, visit = pair
    world = one.world
    record, _ = begun(one, visit)
    frame = one.write(record, *answers(2, 10))
    body = one.request(frame)
    there = world.office
    away = replace(there, database=Database("postgresql+psycopg://qorgan@/nothing?host=/nowhere"))
    world.app.extensions["qorgan"] = away
    answer = one.post(body)
    assert answer.status_code == 503  # type: ignore[attr-defined]
    assert answer.json["code"] == "database_away"  # type: ignore[attr-defined]
    assert answer.headers["Retry-After"]  # type: ignore[attr-defined]
    page = world.client().get("/login")
    assert page.status_code in (200, 503)
    world.app.extensions["qorgan"] = there
    assert one.post(body).status_code == 200  # type: ignore[attr-defined]
    assert statuses(one.sync(frame)) == [("accepted", "")]


def test_a_server_that_starts_meanwhile_stops_and_seals_under_no_other_device(world: World) -> None:
    with pytest.raises(OperationalError):
        keys_in_force(Database("postgresql+psycopg://qorgan@/nothing?host=/nowhere"), world.office.keys)
