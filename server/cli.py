"""`qorgan`: the command line for those who run the office.

Exit codes: 0 done; 1 refused or not found, said in words; 2 wrong use; 3 the ledger or the read log is not whole.
"""

from __future__ import annotations

import argparse
import getpass
import os
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any

from sqlalchemy.exc import OperationalError, SQLAlchemyError

from server.backup.commands import add_commands as add_backup_commands
from server.bundles.commands import add_commands as add_bundle_commands
from server.checklists.commands import add_commands as add_checklist_commands
from server.config import Config, SettingMissing, from_environment
from server.keys import KeysLocked, make_keys, save_keys
from server.ledger.commands import add_commands as add_ledger_commands
from server.migrations import NewerSchema, OlderSchema, check_schema
from server.office import Office
from server.quarantine.commands import add_commands as add_quarantine_commands
from shared.accounts import Role
from shared.errors import RuleBroken
from shared.texts import LANGUAGES, texts
from shared.values import PersonId

DONE, REFUSED = 0, 1


class NotThere(Exception):
    """What the command needs does not exist; the message says what and how to get it."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command and gives its exit code."""
    parsed = _parser().parse_args(arguments)
    try:
        return int(parsed.run(parsed) or DONE)
    except SettingMissing as error:
        return _fail(f"not set: {error}. Set one of them and try again.")
    except KeysLocked as error:
        return _fail(f"the passphrase does not open the keys in {error}")
    except FileNotFoundError as error:
        return _fail(f"not found: {error.filename}")
    except FileExistsError as error:
        return _fail(f"stands already: {error.filename}")
    except RuleBroken as error:
        return _fail(texts("en")(f"error.{error.code}", **dict(error.facts)))
    except NewerSchema as error:
        return _fail(
            f"the database has the schema {error}, which this program is too old for: install the version that was "
            "running before. Nothing was changed."
        )
    except OlderSchema as error:
        return _fail(f"the database has the schema {error}, which is not this program's: run `qorgan migrate` first")
    except OperationalError as error:
        return _fail(f"the database does not answer as it should: {error.orig}. Was `qorgan migrate` run?")
    except NotThere as error:
        return _fail(str(error))
    except (SQLAlchemyError, OSError) as error:
        return _fail(f"{type(error).__name__}: {error}")
    except KeyboardInterrupt:
        return 130


def _fail(message: str, code: int = REFUSED) -> int:
    print(f"qorgan: {message}", file=sys.stderr)
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="qorgan", description="The office: settings come from QORGAN_… variables.")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    def command(name: str, run: Callable[[argparse.Namespace], Any], help_: str) -> argparse.ArgumentParser:
        made = commands.add_parser(name, help=help_, description=help_)
        made.set_defaults(run=run)
        return made

    # The demo brings a browser and a proxy along: they are loaded when somebody asks for it.
    demo = command(
        "demo", lambda given: import_module("server.demo.run").play(given), "play the main job from end to end"
    )
    demo.add_argument("--folder", type=Path, default=Path("var/demo"), help="where it plays (default: %(default)s)")
    demo.add_argument("--database", default="", metavar="URL", help="an empty database (default: SQLite in the folder)")
    demo.add_argument("--port", type=int, default=0, help="port of the office meanwhile (default: any free)")
    serve = command("serve", _serve, "answer browsers and tablets")
    serve.add_argument("--host", default="127.0.0.1", help="address to listen on (default: this machine only)")
    serve.add_argument("--port", type=int, default=8000)
    serve.add_argument("--workers", type=int, default=0, help="processes (default: two, one on a machine of one core)")
    _add_found(
        command("found", _found, "found the office: keys, first two people, keyholders; asks for what is missing")
    )
    _add_imports(command)
    export = command("export-ledger", _export_ledger, "write the whole ledger for somebody outside to check")
    export.add_argument("file", type=Path, metavar="FILE", help="a new file")
    rules = command("rules", _rules, "print the rules in force, each with how sure it is")
    rules.add_argument("--on", default="", metavar="YYYY-MM-DD", help="the day (default: today)")
    rules.add_argument("--language", choices=LANGUAGES, default="en")
    command("openapi", _openapi, "print the description of the API")
    for add_commands in (add_ledger_commands, add_backup_commands, add_bundle_commands, add_checklist_commands,
                         add_quarantine_commands):  # fmt: skip
        add_commands(commands)
    return parser


def _add_found(parser: argparse.ArgumentParser) -> None:
    for language in LANGUAGES:
        parser.add_argument(f"--name-{language}", help=f"name of the office ({language})")
    for who in ("admin", "second"):
        parser.add_argument(f"--{who}", metavar="NAME", help=f"name of the {_WHO[who]}")
        parser.add_argument(f"--{who}-login", metavar="LOGIN")
        parser.add_argument(f"--{who}-passphrase-file", type=Path, metavar="FILE")
    parser.add_argument("--keyholder", action="append", default=[], metavar="NAME", help="three times")
    parser.add_argument("--keyholder-keys", type=Path, metavar="FOLDER", help="where the keyholders' key files go")


_FIRST = {"admin": (Role.ADMIN,), "second": (Role.COUNCIL_SECRETARY,)}
_WHO = {"admin": "first admin", "second": "second officer, who confirms (secretary of the Council)"}


def _add_imports(command: Callable[..., argparse.ArgumentParser]) -> None:
    register = command(
        "import-institutions", _import_institutions, "take in a register of institutions, whole or not at all"
    )
    register.add_argument("file", type=Path, metavar="FILE.csv")
    register.add_argument("--synthetic", action="store_true", help="mark the register as made up")
    checklist = command("import-checklist", _import_checklist, "take in a checklist and put it in force")
    checklist.add_argument("file", type=Path, metavar="FILE.xlsx")
    for each in (register, checklist):
        each.add_argument("--by", metavar="LOGIN", help="who does it (default: the first admin)")
    made = command("synthetic-register", _synthetic_register, "write a made-up register of realistic size and mix")
    made.add_argument("count", type=int, metavar="N")
    made.add_argument("file", type=Path, metavar="FILE.csv")
    made.add_argument("--seed", type=int, default=1)


# ── commands ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _now() -> datetime:
    return datetime.now(UTC)


def _config() -> Config:
    return from_environment(os.environ)


def _office() -> Office:
    from server.app import open_checked

    return open_checked(_config())


def _serve(given: argparse.Namespace) -> int:
    from server import serving

    config = _config()
    check_schema(config.database)
    if given.host not in ("127.0.0.1", "::1", "localhost") and not config.address.startswith("https://"):
        return _fail("beyond this machine only https is spoken: put a TLS proxy in front and set QORGAN_ADDRESS")
    if "QORGAN_ADDRESS" not in os.environ:
        os.environ["QORGAN_ADDRESS"] = f"http://{given.host}:{given.port}"
    serving.prepare()
    print(f"office at {os.environ['QORGAN_ADDRESS']}", flush=True)
    serving.serve(given.host, given.port, given.workers or serving.workers_here())
    return DONE


def _found(given: argparse.Namespace) -> int:
    from server.accounts.actions import NewPerson, found_office
    from server.accounts.keyholders import new_keyholder
    from server.app import open_office
    from server.migrations import migrate

    config = _config()
    migrate(config.database)
    if not (config.keys / "office.keys").exists():
        save_keys(make_keys(int(_now().timestamp() * 1000)), config.keys, config.key_passphrase)
    names: dict[str, str] = {
        language: _asked(getattr(given, f"name_{language}"), f"Name of the office ({language})")
        for language in LANGUAGES
    }
    people = {
        who: NewPerson(
            _asked(getattr(given, who), f"Name of the {_WHO[who]}"), _FIRST[who], "ru",
            _asked(getattr(given, f"{who}_login"), "Sign-in name"),
            _passphrase(getattr(given, f"{who}_passphrase_file")),
        )
        for who in ("admin", "second")
    }  # fmt: skip
    office = open_office(config)
    folder = given.keyholder_keys or config.data / "keyholders"
    holders, cards = [], []
    wanted = [*given.keyholder, None, None, None][:3]
    for number, name in enumerate(wanted, 1):
        key, words = new_keyholder(folder, number)
        person = NewPerson(_asked(name, f"Name of keyholder {number}"), (Role.KEYHOLDER,))
        holders.append((person, key))
        cards.append((person.name, folder / f"keyholder-{number}.key", words))
    with office.database.write() as session:
        found_office(session, office, names, people["admin"], people["second"], holders, _now())
    print("the office is founded")
    for name, path, words in cards:
        print(f"keyholder {name}: {path}, passphrase (shown once): {words}")
    return DONE


def _asked(given: str | None, question: str) -> str:
    if given:
        return given
    if not sys.stdin.isatty():
        raise NotThere(f"{question}: give it as an option, there is nobody to ask")
    return input(f"{question}: ").strip() or _asked(None, question)


def _passphrase(file: Path | None) -> str:
    if file:
        return file.read_text(encoding="utf-8").strip()
    if not sys.stdin.isatty():
        raise NotThere("a passphrase: give its file as an option, there is nobody to ask")
    return getpass.getpass("Passphrase (at least 15 letters): ")


def _import_institutions(given: argparse.Namespace) -> int:
    from server.institutions.actions import import_register
    from server.refusals import Refused

    office, data = _office(), given.file.read_bytes()
    with office.database.write() as session:
        result = import_register(session, office, _by(session, given.by), data, _now(), synthetic=given.synthetic)
    if isinstance(result, Refused):
        return _refused(result, "institutions", given.file)
    print(f"{result} institutions are in force")
    return DONE


def _import_checklist(given: argparse.Namespace) -> int:
    from server.checklists.actions import import_checklist
    from server.refusals import Refused

    office, data = _office(), given.file.read_bytes()
    with office.database.write() as session:
        result = import_checklist(session, office, _by(session, given.by), data, _now())
    if isinstance(result, Refused):
        return _refused(result, "checklists", given.file)
    state = "is in force" if result.is_new else "was in force already"
    print(f"{result.checklist.form_id} version {result.checklist.version} {state}: {result.sha256}")
    return DONE


def _refused(result: Any, part: str, file: Path) -> int:
    from server.refusals import sentence

    for problem in result.problems:
        print(f"  {sentence(problem, part, 'en')}", file=sys.stderr)
    return _fail(f"{file} is refused; what was in force stays")


def _by(session: Any, login: str | None) -> PersonId:
    from server.accounts import queries

    person = queries.person_of_login(session, login) if login else queries.first_admin(session)
    if person is None:
        raise NotThere(f"nobody signs in as {login}" if login else "the office is not founded: run `qorgan found`")
    return person


def _synthetic_register(given: argparse.Namespace) -> int:
    from server.institutions.synthetic import write_register

    if given.count < 1:
        return _fail("a register has at least one institution", 2)
    print(f"{write_register(given.file, given.count, given.seed)} made-up institutions in {given.file}")
    return DONE


def _export_ledger(given: argparse.Namespace) -> int:
    from server.ledger.export import exported

    office = _office()
    with given.file.open("xb") as file, office.database.read() as session:
        file.writelines(exported(session))
    print(f"{given.file}; the key of this office's seals: {office.keys.sign_key}")
    return DONE


def _rules(given: argparse.Namespace) -> int:
    from datetime import date

    from server.law.queries import office_law
    from shared.law.words import confidence_of, name_of, value_of

    office = _office()
    day = date.fromisoformat(given.on) if given.on else office.calendar.day_of(_now())
    words = texts(given.language)
    with office.database.read() as session:
        law = office_law(session, office, day)
    for rule in law.rules():
        print(f"{rule.key}\t{value_of(rule, words)}\t{confidence_of(rule, words)}\t{name_of(rule, words)}")
    return DONE


def _openapi(given: argparse.Namespace) -> int:
    from server.app import create_app

    app = create_app(office=_office())
    print(app.test_client().get("/api/openapi.json").get_data(as_text=True))
    return DONE


if __name__ == "__main__":
    sys.exit(main())
