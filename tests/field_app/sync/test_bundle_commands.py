"""Both ends of an exchange by file from a keyboard, and a revoked tablet whose 30 days of delivery are over."""

from __future__ import annotations

import pytest
from sqlmodel import select

from field_app import main as tablet_command
from field_app.acts import records, visits
from field_app.bundles import making, taking
from server import cli as office_command
from server.accounts.actions import revoke_device
from server.bundles import actions as desk
from server.ledger.tables import HeldFrameRow
from tests.ground.founding import INSTITUTION
from tests.ground.tablet import PIN
from tests.ground.world import World


@pytest.fixture
def world(tmp_path):
    with World.open(tmp_path, ("leader",)) as opened:
        tablet = opened.tablets["leader"]
        visits.start(tablet.store, opened.visit, INSTITUTION, tablet.clock())
        for number in range(5):
            records.answer(tablet.store, tablet.record(opened.visit), f"/mc/q{number}", number, tablet.clock())
        tablet.line.online = False
        yield opened


@pytest.mark.parametrize("language", ["kk", "ru", "en"])
def test_an_exchange_from_the_keyboard_of_both(world: World, tmp_path, monkeypatch, capsys, language: str) -> None:
    leader, to_office, back = world.tablets["leader"], tmp_path / "to-office.qorgan", tmp_path / "back.qorgan"
    monkeypatch.setenv("TABLET_PIN", PIN)
    monkeypatch.setattr(tablet_command, "_now", leader.clock)
    monkeypatch.setattr(tablet_command, "keystore", lambda _folder: leader.keystore)
    monkeypatch.setattr("server.bundles.commands._office", lambda: world.office)
    leader.close()

    def tablet(*arguments: str) -> tuple[int, str, str]:
        common = ["--home", str(leader.folder), "--language", language]
        code = tablet_command.main([*common, "bundle", *arguments, "--pin-env", "TABLET_PIN"])
        return code, *capsys.readouterr()

    def office(*arguments: str) -> tuple[int, str, str]:
        return office_command.main(["bundle", *arguments, "--language", language]), *capsys.readouterr()

    assert tablet("write", str(to_office))[0] == 0
    code, said, _ = office("take", str(to_office), "--reply", str(back))
    assert (code, leader.device in said, str(back) in said) == (0, True, True)
    assert office("take", str(to_office))[0] == 1, "the same bundle again is said to be known"
    assert tablet("read", str(back))[0] == 0
    assert leader.store.unsent() == 0
    assert tablet("read", str(back))[0] != 0
    made = tmp_path / "made.qorgan"
    code, said, _ = office("make", leader.device, str(made))
    assert (code, str(made) in said, made.stat().st_size > 0) == (0, True, True)
    leader.close()


def test_a_revoked_tablet_delivers_by_bundle_after_its_30_days(world: World) -> None:
    leader = world.tablets["leader"]
    with world.office.database.write() as session:
        revoke_device(session, world.office, world.people["admin"], leader.device, "lost", world.now)
    world.clock.pass_(days=31)
    leader.line.online = True
    assert leader.sync().trouble
    assert leader.store.unsent() > 0, "the network takes nothing of it any more"
    taken = desk.take(world.office, making.for_office(leader.store, leader.clock()), world.now)
    assert set(taken.frames) == {"quarantined"}
    taking.take(leader.store, taken.reply, leader.clock())
    told = leader.store.reading(lambda opened: [(cut.state.status, bool(cut.state.number)) for cut in opened.cuts])
    assert set(told) == {("quarantined", True)}, "the office's receipt says under which number each lies"
    with world.office.database.read() as session:
        held = session.exec(select(HeldFrameRow).where(HeldFrameRow.device == leader.device)).all()
        assert {row.status for row in held} == {"quarantined"}
        assert len(held) == len(told)
