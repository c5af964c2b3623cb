"""The checker for people outside: alone with a file and some heads it tells a whole ledger from a changed one."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from server.ledger.export import exported
from shared.ledger.crypto import new_signing_key, verifying_key
from tests.server.conftest import Tablet, world
from tests.server.conftest import pair as pair
from tests.server.test_sync import answers, begun
from tests.trials.cut_ledger import CHECKER

__all__ = ["world"]


@pytest.fixture
def outside(pair: tuple[Tablet, Tablet, str], tmp_path: Path) -> tuple[Path, Path, str]:
    """A ledger written out, the heads two tablets noted, the office's key."""
    one, other, visit = pair
    record, _ = begun(one, visit)
    heads = []
    for number in range(4):
        reply = one.sync(one.write(record, *answers(2, 10 + number)))
        other.sync_all()
        heads.append(f"{reply.receipt.epoch} {reply.receipt.position} {reply.receipt.ledger_head}\n")
    ledger, noted = tmp_path / "ledger", tmp_path / "heads"
    with one.world.office.database.read() as session:
        ledger.write_bytes(b"".join(exported(session)))
    noted.write_text("".join(heads))
    return ledger, noted, one.world.office.keys.sign_key


def _checked(ledger: Path, key: str, *more: str | Path) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-I", CHECKER, ledger, "--server-key", key, *more], capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout + done.stderr


def test_it_is_a_program_of_its_own() -> None:
    text = CHECKER.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 200
    tree = ast.parse(text)
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {name.split(".")[0] for name in names} <= sys.stdlib_module_names | {"cryptography"}


def test_a_whole_ledger_is_called_whole(outside: tuple[Path, Path, str]) -> None:
    ledger, heads, key = outside
    code, said = _checked(ledger, key, "--heads", heads)
    assert (code, said.startswith("whole: ")) == (0, True), said
    assert said.rstrip().endswith("4 heads from outside")


def test_a_cut_tail_shows_only_to_those_who_noted_heads(outside: tuple[Path, Path, str]) -> None:
    """The very reason for heads outside: a chain alone does not tell."""
    ledger, heads, key = outside
    lines = ledger.read_bytes().split(b"\n")
    at = max(number for number, line in enumerate(lines) if line.startswith(b'{"position":'))
    kept = lines[1:at]
    assert _checked(_of(ledger, kept, key), key)[0] == 0
    code, said = _checked(_of(ledger, kept, key), key, "--heads", heads)
    assert code == 1
    assert "another head was seen" in said or "was seen, the ledger ends" in said


def _of(ledger: Path, lines: list[bytes], key: str) -> Path:
    """A ledger of these lines whose first line agrees with them."""
    import hashlib
    import json

    head, at, position = bytes(32), 0, 0
    while at < len(lines):
        position, header = json.loads(lines[at])["position"], json.loads(lines[at + 1])
        id_ = bytes.fromhex(header["prev"])
        for line in lines[at + 2 : at + 2 + header["count"]]:
            id_ = hashlib.sha256(id_ + line).digest()
        head = hashlib.sha256(head + id_).digest()
        at += 2 + header["count"]
    top = json.dumps({"epoch": 1, "head": head.hex(), "position": position}).encode()
    changed = ledger.with_name("changed")
    changed.write_bytes(b"\n".join([top, *lines]) + b"\n")
    return changed


def test_another_offices_key_opens_nothing(outside: tuple[Path, Path, str]) -> None:
    ledger, _, _ = outside
    code, said = _checked(ledger, verifying_key(new_signing_key()).hex())
    assert code == 1
    assert "no key that is known" in said


@pytest.mark.parametrize("what", ["", "rubbish\n", '{"position":3,"head":"00"}\n{"position":1}\n{}\n'])
def test_what_is_no_ledger_is_not_called_whole(tmp_path: Path, what: str) -> None:
    file = tmp_path / "ledger"
    file.write_text(what)
    code, said = _checked(file, "ab" * 32)
    assert code == 1, said
    assert "Traceback" not in said


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    code, said = _checked(tmp_path / "nothing", "ab" * 32)
    assert code == 2
    assert "Traceback" not in said


def test_a_head_of_before_a_restore_is_not_held_against_the_office(
    pair: tuple[Tablet, Tablet, str], tmp_path: Path
) -> None:
    from server.ledger import queries
    from server.ledger.actions import record as act
    from shared.accounts import EpochBegun

    one, _, visit = pair
    world = one.world
    begun(one, visit)
    with world.office.database.write() as session:
        counter = queries.counter_row(session)
        counter.epoch, position = 2, counter.value - 1
        subject = queries.subjects(session, "office")[0]
        act(session, world.office, subject, world.founded.admin, [EpochBegun(epoch=2, position=position)], world.now)
        ledger, heads = tmp_path / "ledger", tmp_path / "heads"
        ledger.write_bytes(b"".join(exported(session)))
    heads.write_text(f"1 {position + 5} {'ab' * 32}\n")
    code, said = _checked(ledger, world.office.keys.sign_key, "--heads", heads)
    assert code == 0, said
    assert "before a restore" in said
    heads.write_text(f"7 {position + 5} {'ab' * 32}\n")
    assert _checked(ledger, world.office.keys.sign_key, "--heads", heads)[0] == 1
