"""The office begins once, whole, with two people and its packs; and the ledger it leaves is provable."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import text
from sqlmodel import select

from server.accounts.actions import NewPerson, found_office
from server.accounts.keyholders import new_keyholder, open_keyholder
from server.cli import main
from server.ledger import queries
from server.ledger.rebuild import projected_hash, rebuild
from server.ledger.tables import FrameRow
from server.ledger.verify import verify
from server.packs.queries import pack
from shared.accounts import Role
from shared.errors import RuleBroken
from shared.ledger.crypto import SealBroken, box_address
from tests.server.conftest import World

ROOT = Path(__file__).parent.parent.parent


def test_a_founded_office_names_its_keys_and_publishes_its_packs(world: World) -> None:
    with world.office.database.read() as session:
        office = queries.the(session, "office")
        law, register = queries.the(session, "law"), queries.the(session, "register")
        assert office.servers == {world.office.keys.device: world.office.keys.sign_key}
        assert office.review_key == world.office.keys.review_key
        for state, wanted in ((law, {"rules", "calendar"}), (register, {"places", "standards"})):
            assert set(state.packs) == wanted
            for each in state.packs.values():
                data = pack(session, each.sha256)
                assert data is not None
                assert len(data) == each.size
                assert msgspec.json.decode(data)["format"].startswith("qorgan.")


def test_an_office_is_founded_once(world: World) -> None:
    nobody = NewPerson("X", (Role.ADMIN,))
    with pytest.raises(RuleBroken), world.office.database.write() as session:
        found_office(session, world.office, {"kk": "a", "ru": "b", "en": "c"}, nobody, nobody, [], world.now)


def test_rebuilding_changes_nothing_and_mends_what_was_changed(world: World) -> None:
    world.visit(world.person(Role.NPM_MEMBER), world.person(Role.NPM_MEMBER))
    with world.office.database.read() as session:
        before = projected_hash(session)
    assert rebuild(world.office.database) >= 7
    with world.office.database.read() as session:
        assert projected_hash(session) == before
    with world.office.database.write() as session:
        session.execute(text("UPDATE persons SET name = 'Nobody'"))
        session.execute(text("DELETE FROM terms"))
    with world.office.database.read() as session:
        assert projected_hash(session) != before
    rebuild(world.office.database)
    with world.office.database.read() as session:
        assert projected_hash(session) == before


def test_a_rebuild_does_not_hand_out_anything_twice(world: World) -> None:
    person = world.person(Role.NPM_MEMBER)
    tablet = world.tablet(person)
    tablet.sync_all()
    rebuild(world.office.database)
    assert tablet.sync_all() == []


def test_a_whole_ledger_verifies(world: World) -> None:
    world.person(Role.NPM_MEMBER)
    with world.office.database.read() as session:
        found = verify(session)
        assert found.is_whole
        assert found.odd == []
        assert found.frames == len(session.exec(select(FrameRow)).all())


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ("UPDATE frames SET count = count + 1 WHERE cursor = (SELECT min(cursor) + 2 FROM frames)", "header"),
        ("UPDATE frames SET last_id = ledger_head WHERE cursor = (SELECT min(cursor) FROM frames)", "last id"),
        (
            "UPDATE frames SET ledger_head = last_id WHERE cursor = (SELECT max(cursor) FROM frames)",
            "head of the ledger",
        ),
        ("DELETE FROM frames WHERE cursor = (SELECT max(cursor) FROM frames)", "missing at the end"),
        ("DELETE FROM frames WHERE cursor = (SELECT min(cursor) FROM frames)", ""),
        ("UPDATE chains SET seq = seq + 1", "chain of device"),
    ],
)
def test_whatever_is_changed_is_named(world: World, change: str, place: str) -> None:
    world.person(Role.NPM_MEMBER)
    with world.office.database.write() as session:
        session.execute(text(change))
    with world.office.database.read() as session:
        found = verify(session)
    assert found.wrong
    assert place in found.wrong[0]


def test_a_byte_changed_inside_a_frame_is_named(world: World) -> None:
    import zstandard

    with world.office.database.write() as session:
        row = session.exec(select(FrameRow).order_by(FrameRow.cursor)).first()
        plain = queries.unpacked(row.data)
        row.data = zstandard.ZstdCompressor().compress(plain.replace(b"Admin", b"Admim"))
        cursor = row.cursor
        session.add(row)
    with world.office.database.read() as session:
        assert f"position {cursor}," in verify(session).wrong[0]


def test_a_keyholder_opens_the_file_with_the_words_shown_once(tmp_path: Path) -> None:
    address, words = new_keyholder(tmp_path, 1)
    assert box_address(open_keyholder(tmp_path / "keyholder-1.key", words)).hex() == address
    with pytest.raises(SealBroken):
        open_keyholder(tmp_path / "keyholder-1.key", words[:-1] + "?")
    with pytest.raises(FileExistsError):
        new_keyholder(tmp_path, 1)
    assert (tmp_path / "keyholder-1.key").stat().st_mode & 0o077 == 0


# ── the command line ────────────────────────────────────────────────────────────────────────────────────────────────


def run(folder: Path, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "QORGAN_DATA": str(folder / "office"), "QORGAN_KEY_PASSPHRASE": "pw", **more}
    env = {name: value for name, value in env.items() if value}
    return subprocess.run([sys.executable, "-m", "server.cli", *arguments], env=env, cwd=ROOT, capture_output=True,
                          text=True, stdin=subprocess.DEVNULL)  # fmt: skip


def test_the_command_line_from_nothing_to_a_verified_office(tmp_path: Path) -> None:
    for name, words in (("a", "blue lantern over nine hills"), ("b", "quiet river behind the mill")):
        (tmp_path / name).write_text(words)
    found = run(
        tmp_path, "found", "--name-kk", "Кеңсе", "--name-ru", "Аппарат", "--name-en", "Office", "--admin", "Admin",
        "--admin-login", "admin", "--admin-passphrase-file", str(tmp_path / "a"), "--second", "Second",
        "--second-login", "second", "--second-passphrase-file", str(tmp_path / "b"), "--keyholder", "One",
        "--keyholder", "Two", "--keyholder", "Three",
    )  # fmt: skip
    assert found.returncode == 0, found.stderr
    assert run(tmp_path, "migrate").returncode == 0
    register = str(tmp_path / "register.csv")
    assert run(tmp_path, "synthetic-register", "60", register).returncode == 0
    assert "60 institutions" in run(tmp_path, "import-institutions", register, "--synthetic").stdout
    broken = tmp_path / "broken.csv"
    broken.write_text(Path(register).read_text().replace("KZ-", "XX-", 1))
    refused = run(tmp_path, "import-institutions", str(broken))
    assert refused.returncode == 1
    assert "region_iso" in refused.stderr
    verified = run(tmp_path, "verify")
    assert verified.returncode == 0
    assert "whole" in verified.stdout
    rebuilt = run(tmp_path, "rebuild")
    assert "nothing changed" in rebuilt.stdout
    assert "council.quorum" in run(tmp_path, "rules").stdout or run(tmp_path, "rules").stdout.count("\n") > 50
    locked = run(tmp_path, "verify", QORGAN_KEY_PASSPHRASE="other")
    assert locked.returncode == 1
    assert "passphrase" in locked.stderr
    assert "QORGAN_KEY_PASSPHRASE" in run(tmp_path, "verify", QORGAN_KEY_PASSPHRASE="").stderr
    assert run(tmp_path, "import-institutions", "nowhere.csv").returncode == 1
    outside = run(tmp_path, "serve", "--host", "0.0.0.0", "--port", "1")
    assert outside.returncode == 1
    assert "https" in outside.stderr


def test_every_command_explains_itself(capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("serve", "migrate", "found", "import-institutions", "import-checklist", "synthetic-register", "verify",
                 "rebuild", "rules", "openapi", "checklist"):  # fmt: skip
        with pytest.raises(SystemExit) as ended:
            main([name, "--help"])
        assert ended.value.code == 0
        assert name in capsys.readouterr().out
    with pytest.raises(SystemExit) as ended:
        main([])
    assert ended.value.code == 2
