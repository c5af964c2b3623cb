"""`qorgan backup-key`, `backup`, `backup-check`, `restore` and `begin-epoch`: what the person at the machine types.

Exit codes: 0 done; 1 refused or not found, said in words; 3 what was read is not whole.
"""

from __future__ import annotations

import argparse
import getpass
import os
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from server.config import from_environment
from server.office import Office

DONE, REFUSED, NOT_WHOLE = 0, 1, 3
SHOWN = 10
"""Most names of a list on the screen; the rest is counted."""


def add_commands(commands: Any) -> None:
    """Adds the five commands to the parser of `qorgan`."""

    def command(name: str, run: Callable[[argparse.Namespace], int], help_: str) -> argparse.ArgumentParser:
        made: argparse.ArgumentParser = commands.add_parser(name, help=help_, description=help_)
        made.set_defaults(run=_in_words(run))
        return made

    key = command("backup-key", _backup_key, "make the key that opens backups; its file leaves this machine")
    key.add_argument("file", type=Path, nargs="?", metavar="FILE", help="where the private half goes, e.g. a USB stick")
    key.add_argument("--address", metavar="HEX", help="instead: seal to the address of a key made elsewhere")
    key.add_argument("--replace", action="store_true", help="backups from now on are sealed to this key, not the old")
    made = command("backup", _backup, "copy the running office: consistent, sealed, read back before it counts")
    made.add_argument("--to", type=Path, metavar="FOLDER", help="where backups go (default: QORGAN_BACKUPS)")
    check = command("backup-check", _check, "prove a backup: that no byte changed; with its key, that it opens")
    check.add_argument("file", type=Path, metavar="FILE.backup")
    back = command("restore", _restore, "put a backup into an empty database, whole or not at all, under a new epoch")
    back.add_argument("file", type=Path, metavar="FILE.backup")
    for each in (check, back):
        each.add_argument("--media", type=Path, metavar="FOLDER", help="files of photos (default: media beside it)")
        each.add_argument("--passphrase-file", type=Path, metavar="FILE", help="opens the key file (default: asked)")
    check.add_argument("--key", type=Path, metavar="KEYFILE", help="file of the backup key")
    back.add_argument("--key", type=Path, metavar="KEYFILE", required=True, help="file of the backup key")
    command("begin-epoch", _begin_epoch, "a copy of the database was put back by other means: say so to the tablets")


def _in_words(run: Callable[[argparse.Namespace], int]) -> Callable[[argparse.Namespace], int]:
    def told(given: argparse.Namespace) -> int:
        from server.backup.archive import BackupUnreadable
        from server.backup.files import FilesMissing
        from server.backup.keys import BackupKeyLocked, NoBackupKey
        from server.backup.making import BackupRuns
        from server.backup.restoring import NotEmpty, NotWhole, Stranger

        try:
            return run(given)
        except NoBackupKey:
            return _fail("there is no backup key yet: run `qorgan backup-key FILE` and take the file away from here")
        except BackupKeyLocked as error:
            return _fail(f"the passphrase does not open the backup key in {error}")
        except BackupRuns as error:
            return _fail(f"another backup into {error} is being made right now")
        except BackupUnreadable as error:
            return _fail(f"{getattr(given, 'file', 'the backup')}: {error}", NOT_WHOLE)
        except FilesMissing as error:
            return _fail(f"files of photos are missing or damaged: {_some(error.names)}. Nothing changed.", NOT_WHOLE)
        except Stranger as error:
            return _fail(
                f"this backup was made by an office with the signing key {error}, and that is not the key in "
                "office.keys: put the copy of office.keys of that office into the folder of keys first"
            )
        except NotEmpty:
            return _fail("the database holds a ledger: a backup goes into an empty database only. Nothing was changed.")
        except NotWhole as error:
            return _fail(f"what the backup holds is not whole: {error}. The database is empty still.", NOT_WHOLE)
        except LookupError as error:
            return _fail(f"the office is not founded: {error}")

    return told


def _fail(message: str, code: int = REFUSED) -> int:
    print(f"qorgan: {message}", file=sys.stderr)
    return code


def _some(names: list[str] | tuple[str, ...]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more


def _now() -> datetime:
    return datetime.now(UTC)


def _office() -> Office:
    from server.app import open_checked

    return open_checked(from_environment(os.environ))


def _progress(what: str, done: int, of: int) -> None:
    if sys.stderr.isatty() and (done == of or done % 20 == 0):
        whole = f" of {of}" if of else ""
        print(f"\r{what}: {done}{whole}   ", end="\n" if done == of else "", file=sys.stderr, flush=True)


def _passphrase(file: Path | None) -> str:
    if file:
        return file.read_text(encoding="utf-8").strip()
    if not sys.stdin.isatty():
        return ""
    return getpass.getpass("Passphrase of the backup key: ")


# ── commands ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _backup_key(given: argparse.Namespace) -> int:
    from server.backup.keys import NoBackupKey, keep_address, kept_address, new_backup_key

    config = from_environment(os.environ)
    if bool(given.file) == bool(given.address):
        return _fail("say either where the private half goes, or --address of a key made elsewhere", 2)
    try:
        standing = kept_address(config.keys)
    except NoBackupKey:
        standing = ""
    if standing and not given.replace:
        return _fail(f"backups are sealed to {standing} already; --replace seals them to another key from now on")
    if given.file and given.file.absolute().is_relative_to(config.data):
        return _fail("the private half must not lie in the office's own folder: choose a place away from this machine")
    try:
        address, words = (given.address, "") if given.address else new_backup_key(given.file)
        keep_address(config.keys, address)
    except ValueError:
        return _fail("an address has 64 hex digits")
    print(f"backups are sealed to {address}")
    if words:
        print(f"private half: {given.file}, passphrase (shown once): {words}")
        print("Take the file and the passphrase away from this machine, to two places. Without them no backup opens.")
    return DONE


def _backup(given: argparse.Namespace) -> int:
    from server.backup.making import make_backup

    office = _office()
    target = given.to or office.config.backups
    made = make_backup(office, target, _now, _progress)
    header = made.header
    print(f"{made.path}")
    print(
        f"holds the ledger up to position {header.position} of epoch {header.epoch}, head {header.head}: "
        f"{made.operations} operations, {made.files} files ({made.copied} new)"
    )
    if not made.is_proven:
        return _fail(
            f"not proven: the office itself lacks files it took in: {_some(made.missing)}. Nothing became durable; "
            "tablets keep everything.", NOT_WHOLE
        )  # fmt: skip
    print("proven: read back from the disk; what it covers is durable")
    return DONE


def _check(given: argparse.Namespace) -> int:
    from server.backup.archive import check_footer, file_key
    from server.backup.files import beside, wrong
    from server.backup.keys import open_backup_key
    from server.backup.making import prove
    from server.media.store import FolderStore

    header, _ = check_footer(given.file, lambda done, of: _progress("bytes", done, of))
    print(f"epoch {header.epoch}, position {header.position}, head {header.head}, made {header.made_at}")
    print(f"no byte changed since the office with the signing key {header.signer} signed it")
    if given.key is None:
        print(f"that it opens, only the key of {header.address} can show: --key")
        return DONE
    secret = open_backup_key(given.key, _passphrase(given.passphrase_file))
    walk = prove(given.file, header, file_key(header, secret), lambda done, of: _progress("proof", done, of))
    store = FolderStore(given.media) if given.media else beside(given.file.parent)
    missing = list(wrong(store, walk.files.items(), lambda done, of: _progress("files", done, of)))
    if missing:
        return _fail(f"files of photos are missing or damaged: {_some(missing)}", NOT_WHOLE)
    print(f"it opens and is whole: {walk.operations} operations, {len(walk.files)} files")
    return DONE


def _restore(given: argparse.Namespace) -> int:
    from server.backup.keys import open_backup_key
    from server.backup.restoring import restore
    from server.migrations import migrate

    secret = open_backup_key(given.key, _passphrase(given.passphrase_file))
    migrate(from_environment(os.environ).database)
    office = _office()
    done = restore(office, given.file, secret, given.media or given.file.parent / "media", _now(), _progress)
    header = done.header
    print(
        f"the office stands as it was on {header.made_at}, at position {header.position}: {done.operations} "
        f"operations, {done.files} files. Epoch {done.epoch} begins above that position."
    )
    print(
        "What tablets sent since then is not here until they bring it: each offers it by itself at its next contact, "
        "its own and what it had read of others and of the office. Start the office and ask for every tablet."
    )
    for each in done.contacts:
        seen = f"{each.seen_at:%d.%m.%Y %H:%M} UTC" if each.seen_at else "never"
        waiting = f", {each.undelivered} operations undelivered then" if each.undelivered else ""
        print(f"  {each.name}, {each.label}: last heard of {seen}{waiting}")
    if done.held:
        print(f"{done.held} frames wait or are kept aside, as before")
    if done.unfinished:
        print(f"{done.unfinished} files were still on their way; tablets send them again")
    print(
        "Acts of the console since then come back only as far as tablets had read them. Look through people, tablets "
        "(also revoked ones), requests and votes, and do again what is missing. Everybody signs in anew."
    )
    return DONE


def _begin_epoch(given: argparse.Namespace) -> int:
    from server.backup.restoring import begin_epoch

    epoch, position, _ = begin_epoch(_office(), _now())
    print(f"epoch {epoch} begins above position {position}. Restart the office: it seals under a new device now.")
    return DONE
