"""Milliseconds the office needs for its pages with 3,500 institutions, 500 visits and 50 open requests. Source: UX.

Through the application itself, without a network: the office's own share of a page. Every page is opened as the hat
that opens it in the office; a request that opens sealed words writes the read log too. Seeding takes about a minute.
"""

from __future__ import annotations

import io
import statistics
import tempfile
import time
from pathlib import Path

from flask.testing import FlaskClient

from benchmarks.figures import Figure
from server.app import create_app
from server.institutions.actions import import_register
from server.institutions.synthetic import make_register, write_csv
from server.migrations import migrate
from shared.accounts import Role
from shared.values import PersonId
from tests.server.conftest import Clock, World, an_office, found
from tests.server.council import Council, a_council
from tests.server.visit_story import INSTITUTION, Story, a_story

INSTITUTIONS, VISITS, REPORTED, REQUESTS, PEOPLE = 3_500, 500, 40, 50, 120
OPENINGS = 30
MUST = 200.0


def _world(folder: Path) -> World:
    url = f"sqlite:///{folder / 'office.db'}"
    migrate(url)
    office, clock = an_office(url, folder), Clock()
    return World(office, clock, found(office, clock), create_app(clock=clock, office=office))


def _register(world: World) -> None:
    """The rest of the register, beside the institutions the visits are made to."""
    text = io.StringIO()
    write_csv(make_register(INSTITUTIONS), text)
    with world.office.database.write() as session:
        import_register(session, world.office, world.founded.admin, text.getvalue().encode(), world.now, synthetic=True)


def _visits(story: Story) -> tuple[str, str, str]:
    """All visits; some go to their report. Returns a visit, its report and a finding to be reviewed."""
    for number in range(VISITS):
        if number < REPORTED:
            story.go()
            story.observe()
            story.freeze()
        else:
            story.order()
        if number == REPORTED - 1:
            reported = (story.visit, story.report, story.findings[0])
    return reported


def _ballots(council: Council) -> str:
    """Requests on the vote, half the votes cast. Returns the first."""
    council.places = [INSTITUTION]
    made = ""
    for _ in range(REQUESTS):
        request, ballot = council.voting()
        council.votes(ballot, "ffaf- ")
        made = made or request
    return made


def _opened(client: FlaskClient, path: str) -> tuple[float, float]:
    """Median and p95 of milliseconds of one page, the first opening left out."""
    times = []
    for _ in range(OPENINGS + 1):
        began = time.perf_counter()
        answer = client.get(path, base_url="https://localhost")
        times.append((time.perf_counter() - began) * 1e3)
        if answer.status_code != 200:
            raise RuntimeError(f"{path} answered {answer.status_code}")
    measured = sorted(times[1:])
    return statistics.median(measured), measured[round(OPENINGS * 0.95) - 1]


def figures() -> list[Figure]:
    """Median and p95 of every page."""
    with tempfile.TemporaryDirectory() as folder:
        world = _world(Path(folder))
        story, council = a_story(world, Path(folder)), a_council(world)
        _register(world)
        for number in range(PEOPLE):
            world.person(Role.NPM_MEMBER, name=f"Member {number}")
        visit, report, finding = _visits(story)
        request = _ballots(council)
        member = (council.members[7], Role.COUNCIL_MEMBER)
        secretary, officer = (story.secretary, Role.COUNCIL_SECRETARY), (story.officer, Role.CENTRE_OFFICER)
        pages: tuple[tuple[str, str, tuple[PersonId, Role]], ...] = (
            ("requests, inbox of a member", "/requests", member),
            ("requests, inbox of the secretary", "/requests", secretary),
            ("requests, one with its ballot", f"/requests/{request}", member),
            ("elections", "/elections", secretary),
            ("visits", "/visits", secretary),
            ("dossier", f"/visits/{visit}", officer),
            ("dossier, answers", f"/visits/{visit}?tab=answers", officer),
            ("review queue", "/review", officer),
            ("review, one finding", f"/review/{report}/{finding}", officer),
            ("institutions", "/institutions", secretary),
            ("institutions, search", "/institutions?q=караганды", secretary),
            ("people", "/people", (world.founded.admin, Role.ADMIN)),
        )
        made = []
        for name, path, who in pages:
            median, p95 = _opened(story.client(*who), path)
            made.append(Figure(name, median, "ms", MUST))
            made.append(Figure(f"  {name}, p95", p95, "ms", MUST))
        world.office.database.engine.dispose()
    return made


if __name__ == "__main__":
    for figure in figures():
        print(figure.line(), flush=True)
