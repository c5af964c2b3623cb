"""A Council of eleven with a secretary, and requests at every stage: what tests of votes and pages stand on."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from flask.testing import FlaskClient

from server.accounts.sessions import open_session
from server.console.web import COOKIE
from server.ledger.actions import record
from server.visit_requests import actions, queries
from server.visit_requests.actions import Wish
from shared.accounts import PersonAdded, Role
from shared.ballots import Vote
from shared.values import PersonId, SubjectId
from shared.visit_requests import VisitRequest
from shared.votes import Arithmetic, Choice
from tests.server.conftest import World

NAMES = (
    "Сапарова А.", "Ким П.", "Ли С.", "Оспанов Е.", "Жумабекова Д.", "Сейтова Г.", "Абенов Н.", "Руденко О.",
    "Ахметов Т.", "Иванова М.",
)  # fmt: skip


@dataclass
class Council:
    """The Council: `chair` first, ten members behind; a secretary and an NPM member who files."""

    world: World
    chair: PersonId
    members: list[PersonId]
    secretary: PersonId
    filer: PersonId
    places: list[str] = field(default_factory=lambda: ["syn-1"])

    @property
    def everybody(self) -> list[PersonId]:
        """The chair and the members."""
        return [self.chair, *self.members]

    def request(
        self, place: str = "", urgency: str = "normal", kind: str = "intermediate", reason: str = ""
    ) -> SubjectId:
        """A request as a member files it."""
        wish = Wish(
            kind, urgency, place or self.places[0], reason or "Проверка 4 рекомендаций прошлого посещения",  # type: ignore[arg-type]
            date(2026, 3, 10), date(2026, 3, 11), (self.filer,), self.filer,
        )  # fmt: skip
        with self.world.office.database.write() as session:
            return actions.file_request(session, self.world.office, self.filer, wish, self.world.now)

    def put(self, request: SubjectId) -> SubjectId:
        """The secretary puts it to the vote; the ballot."""
        with self.world.office.database.write() as session:
            return actions.put_to_vote(session, self.world.office, self.secretary, request, self.world.now)

    def voting(self, **more: str) -> tuple[SubjectId, SubjectId]:
        """A request with its open ballot."""
        request = self.request(**more)
        return request, self.put(request)

    def vote(self, ballot: SubjectId, voter: PersonId, choice: Choice, reason: str = "причина") -> Vote:
        """One vote."""
        with self.world.office.database.write() as session:
            return actions.cast_vote(session, self.world.office, voter, ballot, choice, reason, self.world.now)

    def votes(self, ballot: SubjectId, marks: str) -> None:
        """A vote a member, the chair first: f for, a against, - abstain, r recused, anything else none."""
        for voter, mark in zip(self.everybody, marks, strict=False):
            if mark == "r":
                with self.world.office.database.write() as session:
                    actions.recuse(session, self.world.office, voter, ballot, "родственник", self.world.now)
            elif mark in "fa-":
                self.vote(ballot, voter, {"f": "for", "a": "against", "-": "abstain"}[mark])  # type: ignore[arg-type]

    def close(self, ballot: SubjectId, reason: str = "", photos: bool = False) -> Arithmetic:
        """The secretary closes the count."""
        with self.world.office.database.write() as session:
            return actions.close_vote(
                session, self.world.office, self.secretary, ballot, self.world.now, reason, photos
            )

    def state(self, request: SubjectId) -> VisitRequest:
        """The folded request."""
        with self.world.office.database.read() as session:
            return queries.request_state(session, request)

    def ballot(self, vote: SubjectId) -> Vote:
        """The folded ballot."""
        with self.world.office.database.read() as session:
            return queries.vote_state(session, vote)

    def browser(self, person: PersonId, hat: Role, language: str = "ru") -> FlaskClient:
        """A browser signed in as this person under this hat."""
        client = self.world.client()
        client.set_cookie(COOKIE, self.cookie(person, hat, language), secure=True)
        return client

    def cookie(self, person: PersonId, hat: Role, language: str = "ru", theme: str = "light") -> str:
        """The cookie of a fresh session."""
        from server.accounts import sessions

        with self.world.office.database.write() as session:
            cookie = open_session(session, person, hat.value, self.world.now, language)
        signed = sessions.signed_in(self.world.office.database, cookie, self.world.now)
        assert signed is not None
        with self.world.office.database.write() as session:
            sessions.choose_looks(session, signed, None, theme)
        return cookie


def a_council(world: World) -> Council:
    """Eleven in office: the Commissioner and ten members; the secretary and the filer beside them."""
    chair = world.founded.second
    with world.office.database.write() as session:
        named = PersonAdded(name="Касымов Б.")
        record(session, world.office, SubjectId(chair), world.founded.admin, [named], world.now)
    members = [world.person(Role.COUNCIL_MEMBER, name=name) for name in NAMES]
    secretary = world.person(Role.COUNCIL_SECRETARY, name="Тлеуова С.")
    return Council(world, chair, members, secretary, world.person(Role.NPM_MEMBER, name="Нургалиева А."))


def form_token(world: World, cookie: str) -> str:
    """The token a form of this session shows."""
    from server.accounts import sessions

    signed = sessions.signed_in(world.office.database, cookie, world.now)
    assert signed is not None
    return signed.csrf
