"""`qorgan checklist check FILE…` and `qorgan checklist evaluate FILE ANSWERS.json`.

Reads files and prints; changes nothing. Exit codes: 0 good, 1 refused or not found, 2 the answers cannot be read.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Iterable
from datetime import date, datetime
from pathlib import Path
from typing import Any

import msgspec

from server.checklists.importer import DATA, Imported, import_workbook
from server.refusals import Problem, Refused, sentence
from shared.checklists.definition import ASKED, DamagedChecklist, NonAnswer, Question, Repeat, decode
from shared.checklists.evaluate import Evaluation
from shared.checklists.form import Form
from shared.checklists.progress import themes
from shared.checklists.values import as_text
from shared.texts import LANGUAGES, Language, texts


class AnswersFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What ANSWERS.json holds; every field may be left out."""

    answers: dict[str, str | int | list[str]] = {}
    rows: dict[str, list[str]] = {}
    known: dict[str, str | int] = {}
    non_answers: dict[str, NonAnswer] = {}


def check(files: Iterable[Path]) -> dict[Path, Imported | Refused]:
    """Each workbook taken in, or its problems. Raises OSError when a file cannot be read."""
    return {file: import_workbook(file.read_bytes()) for file in files}


def open_form(file: Path) -> Form | Refused:
    """The checklist of a workbook or of a compiled file. Raises OSError, DamagedChecklist."""
    data = file.read_bytes()
    if not data.startswith(b"PK"):
        return Form(decode(data))
    result = import_workbook(data)
    return result if isinstance(result, Refused) else Form(result.checklist)


def evaluate_file(form: Form, answers_json: bytes, today: date, now: datetime | None = None) -> dict[str, Any]:
    """What follows from the answers: values, warnings, what is not asked, rows, themes. Lists for people and tests.

    Raises msgspec.ValidationError or DecodeError when the answers cannot be read, KeyError for an unknown path.
    """
    given = msgspec.json.decode(answers_json, type=AnswersFile)
    state = Evaluation(form, rows=given.rows, known=given.known, lists=outside_lists(), today=today, now=now)
    for path, answer in given.answers.items():
        state.set(path, answer)
    for path, reason in given.non_answers.items():
        state.set(path, None, reason)
    paths = list(state.all_paths(shown=True))
    items = {path: state.entry(path).item for path in paths}
    questions = {path: item for path, item in items.items() if isinstance(item, Question)}
    repeats = [path for path, item in items.items() if isinstance(item, Repeat) and not path.endswith("]")]
    asked = [path for path, item in questions.items() if item.type in ASKED and state.is_relevant(path)]
    return {
        "values": {path: as_text(state.value(path)) for path in questions if state.value(path) != ""},
        "not_asked": [path for path in paths if not state.is_relevant(path)],
        "warnings": {path: list(state.warnings(path)) for path in questions if state.warnings(path)},
        "rows": {path: list(state.rows(path)) for path in repeats},
        "blank": [path for path in asked if not state.is_answered(path)],
        "themes": [msgspec.to_builtins(theme) for theme in themes(state)],
    }


def outside_lists() -> dict[str, list[dict[str, str]]]:
    """Outside lists that need no office: the standards."""
    with (DATA / "standards.csv").open(encoding="utf-8", newline="") as file:
        return {"standards": list(csv.DictReader(file))}


def add_commands(subparsers: Any) -> None:
    """Adds `checklist check` and `checklist evaluate` to the office's command line."""
    parser = subparsers.add_parser("checklist", help="check a workbook, or try answers on it")
    actions = parser.add_subparsers(dest="checklist_action", required=True)
    checking = actions.add_parser("check", help="say what hinders workbooks from being taken in")
    checking.add_argument("files", nargs="+", type=Path, metavar="FILE")
    checking.set_defaults(run=run_check)
    evaluating = actions.add_parser("evaluate", help="print what follows from answers, as JSON")
    evaluating.add_argument(
        "file", type=Path, metavar="FILE", help="a workbook (.xlsx) or a compiled checklist (.json)"
    )
    evaluating.add_argument("answers", type=Path, metavar="ANSWERS.json")
    evaluating.add_argument("--today", type=date.fromisoformat, default=None, help="the day today() gives: 2026-03-07")
    evaluating.set_defaults(run=run_evaluate)
    for each in (checking, evaluating):
        each.add_argument("--language", choices=LANGUAGES, default="en", help="language of the messages")


def run_check(arguments: argparse.Namespace) -> int:
    """Prints each file's problems and warnings; 0 when all can be taken in."""
    try:
        results = check(arguments.files)
    except OSError as error:
        return _fail(f"{error.filename}: {error.strerror}", 1)
    for file, result in results.items():
        _report(file, result, arguments.language)
    return int(any(isinstance(result, Refused) for result in results.values()))


def _report(file: Path, result: Imported | Refused, language: Language) -> None:
    text = texts(language)
    if isinstance(result, Refused):
        print(text("checklists.refused", file=file.name))
        _print_problems(result.problems, language)
    else:
        print(text("checklists.taken", form_id=result.checklist.form_id, version=result.checklist.version))
        _print_problems(result.warnings, language)


def _print_problems(problems: list[Problem], language: Language) -> None:
    for problem in problems:
        print(f"  {sentence(problem, 'checklists', language)}")


def run_evaluate(arguments: argparse.Namespace) -> int:
    """Prints what follows from the answers."""
    try:
        form = open_form(arguments.file)
        answers = arguments.answers.read_bytes()
    except OSError as error:
        return _fail(f"{error.filename}: {error.strerror}", 1)
    except DamagedChecklist as error:
        return _fail(f"{arguments.file}: {error}", 1)
    if isinstance(form, Refused):
        _report(arguments.file, form, arguments.language)
        return 1
    now = datetime.now().astimezone()
    try:
        found = evaluate_file(form, answers, arguments.today or now.date(), now)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        return _fail(f"{arguments.answers}: {error}", 2)
    except KeyError as error:
        return _fail(f"{arguments.answers}: {error.args[0]}", 2)
    print(msgspec.json.format(msgspec.json.encode(found), indent=2).decode())
    return 0


def _fail(message: str, code: int) -> int:
    print(message, file=sys.stderr)
    return code
