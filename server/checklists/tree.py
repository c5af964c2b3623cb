"""Rows of a survey sheet into the tree of a checklist, and each problem to the row and column it came from.

Decides types, nesting and texts; expressions are only carried over. Called by the importer.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from server.checklists.columns import LANGUAGES, UNSUPPORTED, Column
from server.checklists.workbook import Row, Sheet
from server.refusals import Problem
from shared.checklists.definition import Elsewhere, External, Group, Item, Question, Repeat, Words

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,63}", re.ASCII)

TYPES = {
    "text": "text",
    "string": "text",
    "integer": "integer",
    "int": "integer",
    "decimal": "decimal",
    "range": "range",
    "date": "date",
    "time": "time",
    "datetime": "datetime",
    "dateTime": "datetime",
    "geopoint": "geopoint",
    "gps": "geopoint",
    "location": "geopoint",
    "acknowledge": "acknowledge",
    "trigger": "acknowledge",
    "image": "image",
    "photo": "image",
    "audio": "audio",
    "barcode": "barcode",
    "note": "note",
    "calculate": "calculate",
    "select_one": "select_one",
    "select_multiple": "select_multiple",
}
LEFT_OUT = frozenset({"start", "end"})
"""Metadata the ledger knows better: when a record was begun and ended."""
_YES = frozenset({"yes", "true", "true()"})
_NO = frozenset({"no", "false", "false()", ""})


@dataclass(slots=True)
class Level:
    """A group or repeat being read: the row that opened it, and what it holds so far."""

    row: Row | None
    kind: str
    items: list[Item] = field(default_factory=list)


@dataclass(slots=True)
class TreeReader:
    """Reads the survey row by row; `rows` remembers where each item stands, `problems` what is wrong."""

    columns: dict[str, Column]
    default_language: str
    known: dict[str, str]
    elsewhere: dict[str, Elsewhere]
    problems: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)
    rows: dict[str, Row] = field(default_factory=dict)
    levels: list[Level] = field(default_factory=lambda: [Level(None, "")])

    def read(self, sheet: Sheet) -> tuple[Item, ...]:
        """The items of the form. Problems found on the way stand in `problems`."""
        for row in sheet.rows:
            self.read_row(row)
        for level in self.levels[1:]:
            if level.row is not None:
                self.problem(level.row, "type", "never_closed", name=level.row.cells.get("name", ""))
        return tuple(self.levels[0].items)

    def read_row(self, row: Row) -> None:
        written = self.cell(row, "type")
        if not written:
            if self.cell(row, "name") or self.texts(row, "label") != Words():
                self.problem(row, "type", "type_missing")
            return
        self.check_columns(row)
        words = re.sub(r"\s+", " ", written).split(" ")
        opening = re.fullmatch(r"(begin|end)[ _](group|repeat)", " ".join(words[:2]) if len(words) > 1 else words[0])
        if opening and opening[1] == "begin":
            self.open(row, opening[2])
        elif opening:
            self.close(row, opening[2])
        elif words[0] not in LEFT_OUT:
            self.question(row, words)

    def open(self, row: Row, kind: str) -> None:
        if len(self.levels) > 12:
            self.problem(row, "type", "too_deep")
        self.levels.append(Level(row, kind))
        if self.name(row):
            self.rows[self.place(row, below=1)] = row

    def close(self, row: Row, kind: str) -> None:
        level = self.levels[-1]
        if level.row is None or level.kind != kind:
            self.problem(row, "type", "not_open", name=kind)
            return
        self.levels.pop()
        opened = level.row
        shared: dict[str, Any] = {
            "name": self.cell(opened, "name"),
            "label": self.texts(opened, "label"),
            "relevant": self.cell(opened, "relevant"),
            "appearance": self.cell(opened, "appearance"),
            "institution_types": self.words(opened, "institution_types"),
            "elsewhere": self.elsewhere.get(self.place(opened), ""),
            "items": tuple(level.items),
        }
        if not level.items:
            self.problem(opened, "type", "empty_group", name=shared["name"])
        if kind == "repeat":
            self.levels[-1].items.append(Repeat(count=self.cell(opened, "repeat_count"), **shared))
        else:
            self.levels[-1].items.append(Group(**shared))

    def question(self, row: Row, words: list[str]) -> None:
        name = self.name(row)
        if name:
            self.rows[self.place(row)] = row
        if words[0] == "today":
            self.add(row, Question(name, "calculate", calculation="today()"))
            return
        fields = self.select(row, words) if words[0].startswith("select") else self.plain(row, words)
        if fields is None:
            return
        question = self.filled(row, name, fields)
        if question.type not in ("calculate",) and question.label == Words():
            self.problem(row, "label", "label_missing")
        if question.type == "calculate" and not question.calculation:
            self.problem(row, "calculation", "calculation_missing")
        self.add(row, question)

    def add(self, row: Row, question: Question) -> None:
        self.levels[-1].items.append(question)

    def plain(self, row: Row, words: list[str]) -> dict[str, Any] | None:
        kind = TYPES.get(words[0])
        if kind is None or len(words) > 1:
            self.problem(row, "type", "unknown_type", name=" ".join(words)[:80])
            return None
        return {"type": kind}

    def select(self, row: Row, words: list[str]) -> dict[str, Any] | None:
        found = re.fullmatch(r"(select_one|select_multiple)(_from_file)?", words[0])
        if not found or len(words) != 2:
            code = "or_other" if "or_other" in words else "unknown_type" if not found else "list_missing"
            self.problem(row, "type", code, name=" ".join(words)[:80])
            return None
        if not found[2]:
            return {"type": found[1], "choices": words[1]}
        parameters = dict(self.parameters(row))
        external = External(
            words[1].removesuffix(".csv"), parameters.get("value", "name"), parameters.get("label", "label")
        )
        return {"type": found[1], "external": external}

    def filled(self, row: Row, name: str, fields: dict[str, Any]) -> Question:
        place = self.place(row)
        return Question(
            name=name,
            label=self.texts(row, "label"),
            hint=self.texts(row, "hint"),
            relevant=self.cell(row, "relevant"),
            required=self.truth(row, "required", "true()"),
            required_message=self.texts(row, "required_message"),
            constraint=self.cell(row, "constraint"),
            constraint_message=self.texts(row, "constraint_message"),
            calculation=self.cell(row, "calculation"),
            choice_filter=self.cell(row, "choice_filter"),
            default=self.cell(row, "default"),
            appearance=self.cell(row, "appearance"),
            parameters=() if "external" in fields else self.parameters(row),
            read_only=self.truth(row, "read_only", "yes") == "yes",
            standards=self.words(row, "standard"),
            institution_types=self.words(row, "institution_types"),
            known=self.known.get(place, ""),
            elsewhere=self.elsewhere.get(place, ""),
            **fields,
        )

    def place(self, row: Row, below: int = 0) -> str:
        """The place of an item of this row in the group that is open, or in the one `below` it."""
        around = self.levels[1 : len(self.levels) - below]
        above = [self.cell(level.row, "name") for level in around if level.row is not None and level.row is not row]
        return "".join(f"/{name}" for name in (*above, self.cell(row, "name")))

    def name(self, row: Row) -> str:
        name = self.cell(row, "name")
        if not name:
            self.problem(row, "name", "name_missing")
        elif not NAME.fullmatch(name):
            self.problem(row, "name", "name_invalid", name=name[:80])
            return ""
        return name

    def cell(self, row: Row, name: str) -> str:
        for header, text in row.cells.items():
            column = self.columns[header]
            if column.field == name and not column.language:
                return text
        return ""

    def words(self, row: Row, name: str) -> tuple[str, ...]:
        return tuple(self.cell(row, name).split())

    def texts(self, row: Row, name: str) -> Words:
        found: dict[str, str] = {}
        for header, text in row.cells.items():
            column = self.columns[header]
            if column.field != name:
                continue
            if column.language == "?":
                self.problem(row, header, "unknown_language", name=header)
            else:
                found.setdefault(column.language or self.default_language, text)
        if found and set(found) != set(LANGUAGES) and name in ("label", "hint"):
            missing = ", ".join(each for each in LANGUAGES if each not in found)
            self.warnings.append(Problem("survey", row.number, name, "language_missing", {"languages": missing}))
        return Words(**{key: text for key, text in found.items() if key in LANGUAGES})

    def parameters(self, row: Row) -> tuple[tuple[str, str], ...]:
        pairs = re.findall(r"([A-Za-z_-]+)\s*=\s*([^\s,;]+)", self.cell(row, "parameters"))
        for name, _ in pairs:
            if name in ("randomize", "seed", "incremental", "allow-mock-accuracy"):
                self.problem(row, "parameters", "unsupported_parameter", name=name)
        return tuple(sorted(dict(pairs).items()))

    def truth(self, row: Row, name: str, yes: str) -> str:
        text = self.cell(row, name)
        if text.lower() in _YES:
            return yes
        return "" if text.lower() in _NO else text

    def check_columns(self, row: Row) -> None:
        for header in row.cells:
            if UNSUPPORTED.fullmatch(self.columns[header].field):
                self.problem(row, header, "unsupported_column", name=header)

    def problem(self, row: Row, name: str, code: str, /, **facts: str) -> None:
        self.problems.append(Problem("survey", row.number, header_of(self.columns, row, name), code, facts))


def header_of(columns: dict[str, Column], row: Row, name: str) -> str:
    """The header of a field as the sheet writes it: a filled one of this row, else any, else the plain name."""
    if name in columns:
        return name
    matches: Callable[[str], bool] = lambda header: columns[header].field == name  # noqa: E731
    return next(filter(matches, row.cells), next(filter(matches, columns), name))
