"""A backup is proven before it counts, opens for its key alone, and goes whole into an empty database of any kind."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlmodel import SQLModel, select

import server.migrations.tables  # noqa: F401  (every table)
from server.accounts.tables import EnrolmentRow, SessionRow
from server.app import keys_in_force
from server.backup import archive, files
from server.backup.archive import BackupUnreadable
from server.backup.content import BACKED_UP, LEFT_OUT
from server.backup.keys import BackupKeyLocked, NoBackupKey, keep_address, kept_address, new_backup_key, open_backup_key
from server.backup.making import BackupRuns, Made, _alone, make_backup, prove
from server.backup.queries import durable, standing
from server.backup.restoring import NotEmpty, Restored, Stranger, begin_epoch, restore
from server.db import Database
from server.keys import make_keys
from server.ledger import queries
from server.ledger.opening import broken_read_log
from server.ledger.rebuild import KEPT, table_hashes
from server.ledger.tables import ContactRow, DeviceTokenRow, FrameRow, ReadRow, ReceiptRow
from server.ledger.verify import verify
from server.media.store import FolderStore
from server.media.tables import UploadRow
from server.migrations import migrate
from server.office import Office
from shared.accounts import Role
from shared.ledger.crypto import box_address, new_box_key, new_signing_key, sha256, verifying_key
from tests.postgres import Cluster
from tests.server.conftest import World
from tests.server.test_sync import answers, begun

SECRET = new_box_key()


def silent(what: str, done: int, of: int) -> None:
    """Nobody watches."""


@pytest.fixture
def target(world: World, tmp_path: Path) -> Path:
    """A folder for backups of an office that has the address of a key."""
    keep_address(world.office.config.keys, box_address(SECRET).hex())
    return tmp_path / "backups"


def backed_up(world: World, target: Path) -> Made:
    world.clock.pass_(seconds=1)
    return make_backup(world.office, target, world.clock, silent)


def a_file(world: World, data: bytes) -> str:
    """A whole file in the office's store, as if a tablet had sent it."""
    name = sha256(data).hex()
    path = FolderStore(world.office.media).path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    with world.office.database.write() as session:
        session.add(
            UploadRow(sha256=name, size=len(data), device=world.office.keys.device, began_at=world.now,
                      done_at=world.now)
        )  # fmt: skip
    return name


@pytest.fixture(params=["sqlite", "postgresql"])
def other_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty database of each kind, whatever the first one was."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'restored.db'}"
        return
    cluster: Cluster = request.getfixturevalue("postgres")
    url = cluster.new()
    yield url
    cluster.drop(url)


def empty_office(world: World, url: str, folder: Path) -> Office:
    migrate(url)
    config = replace(world.office.config, data=folder, database=url)
    return replace(world.office, config=config, database=Database(url))


def put_back(world: World, made: Made, office: Office, secret: bytes = SECRET) -> Restored:
    return restore(office, made.path, secret, made.path.parent / "media", world.now, silent)


def test_every_table_is_backed_up_left_out_or_made_from_the_frames() -> None:
    assert set(BACKED_UP) | LEFT_OUT | {"alembic_version"} == KEPT
    assert not set(BACKED_UP) & LEFT_OUT
    assert KEPT - {"alembic_version"} <= {table.name for table in SQLModel.metadata.sorted_tables}


def test_a_backup_of_either_database_fits_either(pair, target: Path, other_url: str, tmp_path: Path) -> None:
    one, other, visit = pair
    world = one.world
    record, _ = begun(one, visit)
    other.sync_all()
    name = a_file(world, b"sealed on the tablet")
    made = backed_up(world, target)
    assert made.is_proven
    assert (made.files, made.copied) == (1, 1)
    one.sync(one.write(record, *answers(2, 40)))
    office = empty_office(world, other_url, tmp_path / "new")
    done = put_back(world, made, office)
    assert (done.epoch, done.operations, done.files) == (2, made.operations, 1)
    assert {contact.name for contact in done.contacts} >= {"Person 1", "Person 2"}
    office = replace(office, keys=keys_in_force(office.database, office.keys))
    assert office.keys.device != world.office.keys.device
    assert FolderStore(office.media).size(name) == len(b"sealed on the tablet")
    with office.database.read() as session:
        assert verify(session).is_whole
        assert queries.state(session, record).answers.items
        state = queries.the(session, "office")
        assert state.epochs == {2: made.header.position}
        assert list(state.servers) == [world.office.keys.device, office.keys.device]
        assert durable(session) == made.header.position
        assert broken_read_log(session) is None
        last = session.exec(select(ReadRow).order_by(ReadRow.number.desc())).first()
        assert (last.verb, last.object) == ("office.restored", "epoch 2")
        assert {row.shown for row in session.exec(select(ContactRow))} == {"*"}
        office_two = standing(session)
        assert (office_two.epoch, office_two.newest.name) == (2, made.path.name)
    office.database.engine.dispose()


def test_the_projected_tables_are_those_of_the_office_that_was_lost(pair, target: Path, tmp_path: Path) -> None:
    one, _, visit = pair
    begun(one, visit)
    made = backed_up(one.world, target)
    office = empty_office(one.world, f"sqlite:///{tmp_path / 'r.db'}", tmp_path / "new")
    put_back(one.world, made, office)
    with one.world.office.database.read() as session, office.database.read() as again:
        assert table_hashes(session) == table_hashes(again)
    office.database.engine.dispose()


def test_nothing_is_restored_over_a_ledger_or_with_another_key(world: World, target: Path, tmp_path: Path) -> None:
    made = backed_up(world, target)
    with pytest.raises(NotEmpty):
        put_back(world, made, world.office)
    office = empty_office(world, f"sqlite:///{tmp_path / 'r.db'}", tmp_path / "new")
    with pytest.raises(BackupUnreadable, match="not sealed to this backup key"):
        put_back(world, made, office, new_box_key())
    with pytest.raises(Stranger):
        put_back(world, made, replace(office, keys=make_keys(1)))
    with office.database.read() as session:
        assert not session.exec(select(FrameRow)).all()
    put_back(world, made, office)
    office.database.engine.dispose()


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_a_changed_cut_or_foreign_byte_anywhere_is_found(world: World, target: Path, tmp_path: Path) -> None:
    made = backed_up(world, target)
    whole = made.path.read_bytes()
    archive.check_footer(made.path)
    broken = tmp_path / "broken.backup"
    places = [0, 40, whole.index(b"\n") + 3, len(whole) // 2, len(whole) - archive.FOOTER - 1, len(whole) - 40,
              len(whole) - 1]  # fmt: skip
    for place in places:
        changed = bytearray(whole)
        changed[place] ^= 1
        broken.write_bytes(changed)
        with pytest.raises(BackupUnreadable):
            archive.check_footer(broken)
    for size in (0, 10, len(whole) // 3, len(whole) - 1):
        broken.write_bytes(whole[:size])
        with pytest.raises(BackupUnreadable):
            archive.check_footer(broken)


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_files_are_copied_once_and_one_that_is_lost_makes_nothing_durable(world: World, target: Path) -> None:
    names = [a_file(world, bytes([number]) * 1000) for number in range(3)]
    first = backed_up(world, target)
    assert (first.files, first.copied) == (3, 3)
    again = backed_up(world, target)
    assert (again.files, again.copied) == (3, 0)
    lost = a_file(world, b"lost")
    FolderStore(world.office.media).path(lost).unlink()
    world.person(Role.NPM_MEMBER)
    short = backed_up(world, target)
    assert short.missing == (lost,)
    assert short.path.suffix == ".unproven"
    with world.office.database.read() as session:
        assert durable(session) == again.header.position < short.header.position
    stored = files.beside(target)
    stored.path(names[0]).write_bytes(b"x" * 1000)
    wanted = [(name, 1000) for name in names]
    assert list(files.wrong(stored, wanted, lambda done, of: None)) == [names[0]]


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_two_backups_do_not_meet_and_leftovers_go(world: World, target: Path) -> None:
    target.mkdir()
    (target / ".20260101T000000Z.part").write_bytes(b"half")
    with _alone(target), pytest.raises(BackupRuns):
        backed_up(world, target)
    made = backed_up(world, target)
    assert sorted(path.name for path in target.iterdir()) == [".lock", "media", made.path.name]


def test_the_key_of_backups_lies_under_its_passphrase(tmp_path: Path) -> None:
    with pytest.raises(NoBackupKey):
        kept_address(tmp_path)
    address, words = new_backup_key(tmp_path / "stick" / "backup.key")
    keep_address(tmp_path, address)
    assert kept_address(tmp_path) == address
    assert box_address(open_backup_key(tmp_path / "stick" / "backup.key", words)).hex() == address
    with pytest.raises(BackupKeyLocked):
        open_backup_key(tmp_path / "stick" / "backup.key", "other words")
    with pytest.raises(FileExistsError):
        new_backup_key(tmp_path / "stick" / "backup.key")


def test_a_copy_put_back_by_other_means_begins_an_epoch_of_its_own(pair) -> None:
    one, _, visit = pair
    begun(one, visit)
    world = one.world
    epoch, position, keys = begin_epoch(world.office, world.now)
    with world.office.database.read() as session:
        assert queries.counter(session).epoch == epoch == 2
        assert queries.the(session, "office").epochs == {2: position}
        assert keys_in_force(world.office.database, world.office.keys).device == keys.device
        assert verify(session).is_whole
    assert one.sync().page.restored is not None
    assert one.sync().page.restored is None


def test_no_session_token_or_code_of_the_copy_lives_on(pair) -> None:
    """Somebody signed out, or a code was used, after the copy was made: the copy does not know."""
    one, _, _ = pair
    one.sync()
    world = one.world
    browser = world.signed_in(world.founded.admin, Role.ADMIN)
    assert browser.get("/me", base_url="https://127.0.0.1").status_code == 200
    with world.office.database.write() as session:
        session.add(
            EnrolmentRow(hash=sha256(b"code").hex(), person=one.person, made_by=world.founded.admin,
                         until=world.now + timedelta(hours=1))
        )  # fmt: skip
    begin_epoch(world.office, world.now)
    assert browser.get("/me", base_url="https://127.0.0.1").status_code != 200
    with world.office.database.read() as session:
        for row in (SessionRow, EnrolmentRow, DeviceTokenRow, ReceiptRow):
            assert session.exec(select(row)).all() == [], row


def forged(path: Path, records: list, signer: str = "", sign_key: bytes = b"", **more) -> tuple[archive.Header, bytes]:
    """A file that a stranger sealed to the public address, signed with a key of his own."""
    secret = sign_key or new_signing_key()
    header, key = archive.new_header(
        box_address(SECRET).hex(), epoch=1, position=1, head="0" * 64, made_at="", schema="0001",
        signer=signer or verifying_key(secret).hex(),
    )  # fmt: skip
    archive.write(path, header, key, secret, records)
    return header, key


def test_a_strangers_file_unpacks_within_bounds_names_no_path_and_is_refused_in_words(tmp_path: Path) -> None:
    small = tmp_path / "small.backup"
    header, key = forged(small, [bytes(archive.RECORD_BYTES - 100)] * 8)
    assert small.stat().st_size < 200_000
    most = max(len(piece) for piece in archive._plain(small, key))
    assert most <= archive.UNPACKED_BYTES, "a short piece never unpacks to more than this at once"
    for record in (["file", "../../etc/passwd", 1], ["file", "a" * 64], "x", ["rows", []], ["table", "frames"]):
        path = tmp_path / f"{len(str(record))}.backup"
        header, key = forged(path, [record])
        with pytest.raises(BackupUnreadable):
            prove(path, header, key, lambda done, of: None)
    odd = tmp_path / "odd.backup"
    forged(odd, [], signer="no key at all")
    with pytest.raises(BackupUnreadable):
        archive.check_footer(odd)
