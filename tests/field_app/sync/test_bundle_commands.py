"""Both ends of an exchange by file from a keyboard, and a revoked tablet whose 30 days of delivery are over."""

from __future__ import annotations

import errno
import io
from unittest.mock import Mock

import pytest
from sqlalchemy.exc import OperationalError
from sqlmodel import select

from field_app import main as tablet_command
from field_app.acts import records, visits
from field_app.bundles import making, taking
from server import cli as office_command
from server.accounts.actions import revoke_device
from server.bundles import actions as desk
from server.ledger.tables import HeldFrameRow
from server.media.folder import DiskFull
from shared.errors import RuleBroken
from shared.ledger.bundle import HEADER_BYTES, read_file
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


def test_a_full_disk_is_said_in_words_and_the_same_bundle_goes_on_later(
    world: World, tmp_path, monkeypatch, capsys
) -> None:
    leader, file, back = world.tablets["leader"], tmp_path / "to-office.qorgan", tmp_path / "back.qorgan"
    file.write_bytes(making.for_office(leader.store, leader.clock()))
    back.write_bytes(b"an older one")
    monkeypatch.setattr("server.bundles.commands._office", lambda: world.office)
    take = ["bundle", "take", str(file), "--reply", str(back)]
    no_room = OSError(errno.ENOSPC, "No space left on device")
    held = world.operations(world.visit)
    for place, error in (
        ("server.bundles.actions.exchange", OperationalError("INSERT", {}, Exception("database or disk is full"))),
        ("server.bundles.actions.exchange", DiskFull()),
        ("server.bundles.commands.os.fsync", no_room),
    ):
        with monkeypatch.context() as broken:
            broken.setattr(place, Mock(side_effect=error))
            assert office_command.main(take) == 1
        said = capsys.readouterr().err
        assert "The disk is full or fails" in said
        assert "Traceback" not in said
        assert back.read_bytes() == b"an older one"
        assert not list(tmp_path.glob("*.part"))
        if error is not no_room:
            assert world.operations(world.visit) == held
    assert office_command.main(take) == 0
    assert back.read_bytes() != b"an older one"


def test_of_a_file_no_more_is_read_than_its_first_line_promises(world: World) -> None:
    bundle = making.for_office(world.tablets["leader"].store, world.clock())
    assert read_file(io.BytesIO(bundle)) == bundle
    for data, code, most in (
        (bundle + bytes(9_000_000), "bundle_altered", len(bundle) + HEADER_BYTES),
        (bytes(9_000_000), "bundle_unreadable", HEADER_BYTES),
        (bundle.replace(b'"size":', b'"size":99999999999', 1) + bytes(9_000_000), "bundle_too_large", HEADER_BYTES),
    ):
        file = io.BytesIO(data)
        with pytest.raises(RuleBroken, match=code):
            read_file(file)
        assert file.tell() <= most
