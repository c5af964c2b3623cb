"""`qorgan bundle take FILE` and `qorgan bundle make DEVICE FILE`: exchange with a tablet by cable or stick."""

from __future__ import annotations

import argparse
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from server.config import from_environment
from server.media.folder import DiskFull
from server.media.store import sync_folder
from server.office import Office
from shared.ledger.bundle import read_file
from shared.texts import LANGUAGES, texts
from shared.values import DeviceId


def add_commands(commands: Any) -> None:
    """Adds `bundle take` and `bundle make` to the parser of `qorgan`."""
    help_ = "exchange with a tablet through a file, when it has no network"
    acts = commands.add_parser("bundle", help=help_, description=help_).add_subparsers(required=True, metavar="ACT")
    help_ = "take in the bundle of a tablet; the same bundle again changes nothing"
    take = acts.add_parser("take", help=help_, description=help_)
    take.add_argument("file", type=Path, help="the bundle the tablet wrote")
    take.add_argument("--reply", type=Path, metavar="FILE", help="write the bundle that goes back to the tablet")
    take.set_defaults(run=_take)
    help_ = "make a bundle for a tablet that did not ask: all it may hold, and its receipts"
    make = acts.add_parser("make", help=help_, description=help_)
    make.add_argument("device", type=DeviceId, help="its number, as the console shows it")
    make.add_argument("file", type=Path)
    make.set_defaults(run=_make)
    for each in (take, make):
        each.add_argument("--language", choices=LANGUAGES, default="en")


def _office() -> Office:
    from server.app import open_checked

    return open_checked(from_environment(os.environ))


def _take(given: argparse.Namespace) -> int:
    try:
        return _taken(given)
    except (DiskFull, OSError, SQLAlchemyError) as error:
        if isinstance(error, FileNotFoundError):
            raise
        print(f"qorgan: {texts(given.language)('error.bundle_disk')} ({type(error).__name__})", file=sys.stderr)
        return 1


def _taken(given: argparse.Namespace) -> int:
    from server.bundles.actions import take

    say = texts(given.language)
    with given.file.open("rb") as file:
        data = read_file(file)
    found = take(_office(), data, datetime.now(UTC))
    counts = {each: found.frames[each] for each in ("accepted", "already", "waiting", "quarantined")}
    print(say("bundle.taken", device=found.device, files=found.files, **counts))
    if found.is_old:
        print(say("bundle.taken_old"))
    if given.reply and found.reply:
        _write_whole(given.reply, found.reply)
        print(say("bundle.reply_written", file=given.reply))
    if found.is_known and not (given.reply and found.reply):
        print(f"qorgan: {say('error.bundle_old' if found.is_old else 'error.bundle_doubled')}", file=sys.stderr)
        return 1
    return 0


def _write_whole(path: Path, data: bytes) -> None:
    """The file is there whole or not at all; one that stood there stays until then. Raises OSError."""
    part = path.with_name(path.name + ".part")
    try:
        with part.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
        sync_folder(path.parent)
    except OSError:
        part.unlink(missing_ok=True)
        raise


def _make(given: argparse.Namespace) -> int:
    from server.bundles.actions import make

    data = make(_office(), given.device, datetime.now(UTC))
    _write_whole(given.file, data)
    say = texts(given.language)
    print(say("bundle.made", file=given.file, size=f"{len(data) / 1e6:.1f}"))
    return 0
