"""What the acts of the story share: stage, office, console, tablets, the line between them, and the ids made so far."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from server.demo.cast import ADMIN, SECRETARY, Player
from server.demo.console import Console
from server.demo.founding import Ids
from server.demo.proxy import Proxy
from server.demo.stage import Stage, expect
from server.demo.tablets import Tablet
from server.office import Office
from shared.values import PersonId, SubjectId


@dataclass
class Scene:
    """Everything one run holds."""

    stage: Stage
    office: Office
    ids: Ids
    console: Console
    line: Proxy
    environment: dict[str, str]
    tablets: dict[str, Tablet] = field(default_factory=dict)
    election: SubjectId = SubjectId("")
    request: SubjectId = SubjectId("")
    clock: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))
    visit: SubjectId = SubjectId("")
    facts: dict[str, str] = field(default_factory=dict)

    def now(self) -> datetime:
        """The moment of the story."""
        return self.clock()

    def id_of(self, player: Player) -> PersonId:
        """The person's id."""
        return self.ids.of[player.login]

    def tablet(self, name: str, player: Player) -> Tablet:
        """A tablet enrolled for the person by one-time code, its digits compared by a second officer."""
        tablet = Tablet(self.stage, name, player)
        desk = self.console.desk(ADMIN)
        desk.go("/people")
        desk.send(f"/people/{self.id_of(player)}/code")
        code = desk.page.inner_text("main b.num").strip()
        tablet.enrol(self.line.address, code)
        second = self.console.desk(SECRETARY)
        second.go("/people")
        shown = tablet.show("summary")
        expect("the digits on the tablet stand on the page", shown["fingerprint"] in second.text())
        second.send(f"/people/devices/{shown['device']}/confirm")
        tablet.sync()
        self.tablets[name] = tablet
        return tablet

    def close_tablets(self) -> None:
        """Closes every window."""
        for tablet in self.tablets.values():
            if tablet.window is not None:
                tablet.window.close()
