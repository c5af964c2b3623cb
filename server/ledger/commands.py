"""`qorgan migrate`, `verify` and `rebuild`: the ledger looked after from the command line.

Exit codes: 0 done; 1 refused, said in words; 3 the ledger or the read log is not whole, or tables were not as the
frames say.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from typing import Any

from server.config import from_environment
from server.db import Database
from server.office import Office

DONE, REFUSED, NOT_WHOLE = 0, 1, 3


def add_commands(commands: Any) -> None:
    """Adds the three commands to the parser of `qorgan`."""

    def command(name: str, run: Callable[[argparse.Namespace], int], help_: str) -> argparse.ArgumentParser:
        made: argparse.ArgumentParser = commands.add_parser(name, help=help_, description=help_)
        made.set_defaults(run=run)
        return made

    command("migrate", _migrate, "bring the database to the newest schema; safe to repeat")
    check = command("verify", _verify, "walk the whole ledger and the read log; name the first bad place")
    check.add_argument("--media", action="store_true", help="read every file of a photo too and hold it to its hash")
    check.add_argument(
        "--from", type=int, default=0, dest="above", metavar="POSITION",
        help="check seals and lines above this position only; heads and chains from the beginning",
    )  # fmt: skip
    check.add_argument("--processes", type=int, default=os.cpu_count() or 1, help="default: %(default)s")
    command("rebuild", _rebuild, "make every projected table again from the frames, in one transaction")


def _office() -> Office:
    from server.app import open_checked

    return open_checked(from_environment(os.environ))


def _database() -> Database:
    return _office().database


def _fail(message: str, code: int = REFUSED) -> int:
    print(f"qorgan: {message}", file=sys.stderr)
    return code


def _progress(what: str) -> Callable[[int, int], None]:
    def show(done: int, of: int) -> None:
        if sys.stderr.isatty() and (done == of or done % 50 == 0):
            print(f"\r{what} {done} of {of}", end="\n" if done == of else "", file=sys.stderr, flush=True)

    return show


def _migrate(given: argparse.Namespace) -> int:
    from server.migrations import migrate

    migrate(from_environment(os.environ).database)
    print("the database has the newest schema")
    return DONE


def _verify(given: argparse.Namespace) -> int:
    from server.ledger.verify import verify

    office = _office()
    with office.database.read() as session:
        found = verify(session, _progress("frames"), processes=given.processes, above=given.above)
        if found.is_whole:
            found.wrong += _wrong_files(session, office, given.media)
    for line in found.odd:
        print(line)
    if not found.is_whole:
        for line in found.wrong:
            _fail(line)
        return NOT_WHOLE
    print(f"whole: {found.frames} frames, {found.operations} operations")
    return DONE


def _wrong_files(session: Any, office: Office, read_them: bool) -> list[str]:
    """Files whose last byte came: each is there, and with `read_them` each is what its name says."""
    from sqlmodel import col, select

    from server.backup.files import wrong
    from server.media.store import store_of
    from server.media.tables import UploadRow

    rows = session.exec(select(UploadRow.sha256, UploadRow.size).where(col(UploadRow.done_at).is_not(None)))
    files = [(name, size) for name, size in rows]
    store = store_of(office)
    if read_them:
        return [f"file {name}: missing or damaged" for name in wrong(store, files, _progress("files"))]
    here = set(store.names())
    return [f"file {name}: missing" for name, _ in files if name not in here]


def _rebuild(given: argparse.Namespace) -> int:
    from server.ledger.rebuild import rebuild_compared

    done = rebuild_compared(_database(), _progress("subjects"))
    for name, after in done.after.items():
        print(f"{name}\t{done.before[name][:16]}\t{after[:16]}" + ("" if done.before[name] == after else "\tchanged"))
    print(f"{done.subjects} subjects projected again")
    if done.differing:
        print(f"these tables were not what the frames say, and are now: {', '.join(done.differing)}")
    else:
        print("nothing changed")
    return DONE
