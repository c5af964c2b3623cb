"""The command `qorgan-tablet`: the tablet with its window, or any part of it from a keyboard.

Joins store, sync and acts; the only place of the tablet that reads the clock, draws lots and knows exit codes.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import socket
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from field_app import choices, show
from field_app.console_acts import ActWrong, Hand
from field_app.device.keystore import DoubleRefused, keystore
from field_app.enrolment import AnswerWrong, enrol
from field_app.store.errors import NotSaved, PinWrong, SlotDestroyed, StoreBusy, StoreError, StoreMissing
from field_app.store.raw import export_raw
from field_app.store.store import Store
from field_app.sync.client import AddressRefused, NoNetwork, PinMissing, Refused, WrongKey
from field_app.sync.worker import Round, Worker
from shared.errors import RuleBroken
from shared.report_document import Lacking
from shared.texts import LANGUAGES, MissingText, texts

DONE, WRONG_INPUT, NOT_ALLOWED, NO_NETWORK, LOCKED, DISK, BUSY, LEFT_OVER = 0, 2, 3, 4, 5, 6, 7, 8
Act = Callable[[argparse.Namespace], int]
EXIT_CODES = """exit codes:
  0  done
  2  the command or its input is wrong
  3  a rule does not allow it, or the office refused
  4  the office cannot be reached
  5  wrong PIN, wait, or the lock is destroyed
  6  the disk did not take it
  7  another process has this tablet's folder
  8  sync ended with something left on the tablet"""


def _now() -> datetime:
    return datetime.now(UTC)


def main(arguments: list[str] | None = None) -> int:
    """Runs the command line; the exit code."""
    given = _parser().parse_args(arguments)
    say = texts(given.language)
    try:
        code: int = given.act(given)
        return code
    except ActWrong as error:
        return _stop(WRONG_INPUT, say("tablet.command.act_wrong", reason=str(error)))
    except StoreBusy as error:
        return _stop(BUSY, say("tablet.store_busy", owner=error.owner))
    except PinWrong as error:
        return _stop(LOCKED, say(f"tablet.{error.code}", left=error.left, wait=error.wait))
    except SlotDestroyed:
        return _stop(LOCKED, say("tablet.slot_destroyed"))
    except NotSaved as error:
        return _stop(DISK, say(f"tablet.{error.code}"))
    except StoreMissing:
        return _stop(WRONG_INPUT, say("tablet.store_missing", folder=given.home))
    except StoreError as error:
        return _stop(WRONG_INPUT, say(f"tablet.{error.code}"))
    except WrongKey:
        return _stop(NO_NETWORK, say("tablet.sync.wrong_key"))
    except NoNetwork as error:
        return _stop(NO_NETWORK, say("tablet.sync.no_network", detail=str(error)))
    except PinMissing:
        return _stop(WRONG_INPUT, say("tablet.sync.pin_missing"))
    except AddressRefused:
        return _stop(WRONG_INPUT, say("tablet.sync.address_refused"))
    except Refused as error:
        return _stop(NOT_ALLOWED, error.message or _sentence(say, error.code))
    except RuleBroken as error:
        return _stop(NOT_ALLOWED, f"{_sentence(say, error.code)} [{error.code}; {error.source}]")
    except (Lacking, AnswerWrong) as error:
        return _stop(NOT_ALLOWED, say("tablet.command.lacking", what=str(error)))
    except DoubleRefused:
        return _stop(NOT_ALLOWED, say("tablet.command.double_refused"))
    except OSError as error:
        return _stop(WRONG_INPUT, f"{error.strerror}: {error.filename}")


def _sentence(say: Any, code: str) -> str:
    try:
        return str(say(f"error.{code}"))
    except (MissingText, KeyError):
        return code


def _stop(code: int, sentence: str) -> int:
    print(sentence, file=sys.stderr)
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="qorgan-tablet", description="A tablet of the National Preventive Mechanism, with or without its window.",
        epilog=EXIT_CODES, formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument(
        "--home", type=Path, default=_home(), metavar="FOLDER", help="the tablet's folder (%(default)s)"
    )
    parser.add_argument("--language", choices=LANGUAGES, default=os.environ.get("QORGAN_LANGUAGE", "en"))
    acts = parser.add_subparsers(required=True, metavar="COMMAND")

    def add(
        name: str, act: Callable[[argparse.Namespace], int], help_: str, pin: bool = True
    ) -> argparse.ArgumentParser:
        part = acts.add_parser(name, help=help_, description=help_, epilog=EXIT_CODES,
                               formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
        part.set_defaults(act=act)
        if pin:
            secret = part.add_mutually_exclusive_group(required=True)
            secret.add_argument("--pin-file", type=Path, metavar="FILE", help="file whose first line is the PIN")
            secret.add_argument("--pin-env", metavar="NAME", help="environment variable that holds the PIN")
        return part

    add("run", _run, "open the window", pin=False)
    part = add(
        "enrol", _enrol, "show the office's one-time code and make this tablet known; prints the digits to compare"
    )
    part.add_argument("url", help="where the office answers: https, or http on loopback")
    part.add_argument("code", help="the one-time code from the console")
    part.add_argument("--label", default=socket.gethostname()[:80] or "tablet", help="what people call this tablet")
    part.add_argument(
        "--certificate",
        default="",
        metavar="SHA256",
        help="fingerprint of the public key of the office's certificate; several with commas",
    )
    part = add("record", _record, "carry out acts, one JSON object a line; '-' reads standard input")
    part.add_argument("file", help='e.g. {"act": "answer", "item": "/mc/beds", "value": 6}')
    part = add("sync", _sync, "exchange with the office")
    part.add_argument("--until-empty", action="store_true", help="go on until nothing is left, at most --rounds rounds")
    part.add_argument("--rounds", type=int, default=20, help="most rounds with --until-empty (%(default)s)")
    part = add("show", _show, "what this tablet holds")
    part.add_argument("what", nargs="?", default="summary", choices=sorted(show.VIEWS))
    part.add_argument("id", nargs="?", default="", help="a subject, where the view wants one")
    part.add_argument("--json", action="store_true", help="as one JSON value")
    part = add("bundle", _bundle, "exchange through a file, by cable or stick: with the office or a colleague")
    part.add_argument("what", choices=("write", "read"))
    part.add_argument("file", type=Path)
    part.add_argument("--to", default="office", metavar="COLLEAGUE", help="name or tablet number (default: the office)")
    part.add_argument("--without-files", action="store_true", help="text only, no photos")
    add("raw", _raw, "take every file of this tablet out as it lies, sealed, for a laboratory", pin=False).add_argument(
        "target", type=Path, help="a folder that does not exist yet"
    )
    add("media", _media, "files made here and how far each is sent").add_argument("--json", action="store_true")
    return parser


def _home() -> Path:
    return Path(os.environ.get("QORGAN_TABLET_HOME", Path.home() / ".local" / "share" / "qorgan-tablet"))


def _pin(given: argparse.Namespace) -> str:
    if given.pin_file:
        return str(given.pin_file.read_text(encoding="utf-8").splitlines()[0].strip())
    value = os.environ.get(given.pin_env)
    if not value:
        raise ActWrong(f"the environment variable {given.pin_env} is empty")
    return value


def _open(given: argparse.Namespace) -> Store:
    return Store.open(given.home, _pin(given), keystore(given.home / "keystore"), _now())


def _run(given: argparse.Namespace) -> int:
    from field_app.app import run

    return int(run(given.home) or DONE)


def _enrol(given: argparse.Namespace) -> int:
    if (given.home / "vault").exists():
        store = _open(given)
    else:
        given.home.mkdir(parents=True, exist_ok=True, mode=0o700)
        store = Store.create(given.home, _pin(given), keystore(given.home / "keystore"), _now())
    try:
        digits = enrol(store, given.url, given.code, given.label, given.certificate)
        _speak_to(given.home, store)
        print(texts(given.language)("tablet.enrol.compare", digits=digits))
    finally:
        store.close()
    return DONE


def _speak_to(home: Path, store: Store) -> None:
    """The window of a tablet enrolled here opens in the language of its person, until somebody chooses another."""
    if not (home / choices.FILE).exists():
        language = store.identity.language
        known = next((each for each in LANGUAGES if each == language), "kk")
        choices.keep(home, choices.Choices(language=known, office=store.identity.server_url))


def _raw(given: argparse.Namespace) -> int:
    count = export_raw(given.home, given.target)
    print(texts(given.language)("tablet.command.raw", n=count, folder=str(given.target)))
    return DONE


def _record(given: argparse.Namespace) -> int:
    source = sys.stdin if given.file == "-" else open(given.file, encoding="utf-8")  # noqa: SIM115
    store = _open(given)
    hand = Hand(store, _pin(given), _now, Path(given.file).parent if given.file != "-" else Path())
    done = 0
    try:
        with source:
            for number, line in enumerate(source, 1):
                if line.strip():
                    made = hand.do(_line(line, number))
                    done += 1
                    print(json.dumps({"line": number, "id": made}), flush=True)
    finally:
        store.close()
    print(texts(given.language).plural("tablet.command.acts_done", done), file=sys.stderr)
    return DONE


def _line(text: str, number: int) -> dict[str, Any]:
    try:
        line = json.loads(text)
    except ValueError as error:
        raise ActWrong(f"line {number}: {error}") from error
    if not isinstance(line, dict):
        raise ActWrong(f"line {number}: an object is wanted")
    return line


def _sync(given: argparse.Namespace) -> int:
    store = _open(given)
    try:
        worker = Worker(store, _now, random.random)
        done = _rounds(worker, given.rounds if given.until_empty else 1, store)
        left = store.unsent()
        say = texts(given.language)
        print(say("tablet.command.synced", exchanges=done.exchanges, frames=done.frames, packs=done.packs,
                  files=done.files, left=left))  # fmt: skip
        if done.trouble:
            print(f"{_trouble(say, done)}", file=sys.stderr)
            return NO_NETWORK if done.trouble == "no_network" else NOT_ALLOWED
        return LEFT_OVER if given.until_empty and left else DONE
    finally:
        store.close()


def _rounds(worker: Worker, most: int, store: Store) -> Round:
    total = Round()
    for number in range(max(1, most)):
        done = worker.run_once()
        total = Round(exchanges=total.exchanges + done.exchanges, frames=total.frames + done.frames,
                      packs=total.packs + done.packs, files=total.files + done.files,
                      trouble=done.trouble, detail=done.detail)  # fmt: skip
        if not done.trouble and not (done.moved and store.unsent()):
            break
        if done.trouble and done.trouble != "no_network":
            break
        if done.trouble and number + 1 < most:
            worker.pause(min(2.0, 0.1 * 2**number))
    return total


def _trouble(say: Any, done: Round) -> str:
    try:
        return str(say(f"tablet.sync.{done.trouble}", detail=done.detail))
    except (MissingText, KeyError):
        return done.detail or _sentence(say, done.trouble)


def _bundle(given: argparse.Namespace) -> int:
    from field_app.bundles import commands, taking
    from shared.ledger.bundle import read_file

    say = texts(given.language)
    store = _open(given)
    try:
        if given.what == "read":
            with given.file.open("rb") as file:
                data = read_file(file)
            print(commands.words_of(say, taking.take(store, data, _now())))
        else:
            file = commands.write(store, given.file, given.to, not given.without_files, _now())
            print(commands.words_of_written(say, store, file, given.to))
    except LookupError as error:
        raise ActWrong(f"{given.to}? {error}") from error
    finally:
        store.close()
    return DONE


def _show(given: argparse.Namespace) -> int:
    store = _open(given)
    try:
        found = show.VIEWS[given.what](store, given.id)
    finally:
        store.close()
    print(json.dumps(found, ensure_ascii=False) if given.json else show.as_text(found))
    return DONE


def _media(given: argparse.Namespace) -> int:
    given.what, given.id = "media", ""
    return _show(given)


if __name__ == "__main__":
    sys.exit(main())
