"""What is wrong with a file somebody brought in: every problem with its place, as data.

A file is taken whole or refused whole. The sentence of a problem stands under `<part>.<code>` in `shared/texts`;
this module holds no words and decides nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from shared.texts import Language, texts

PROBLEMS_LIMIT = 100
"""Most problems listed of one file; a person mends these and tries again."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong, and where.

    sheet, column   as they are called in the file; empty when the problem is not in one
    row             counted from 1 as a spreadsheet shows it; 0 when the problem is not in one
    code            key of the sentence, without its part
    facts           the values the sentence names
    """

    sheet: str
    row: int
    column: str
    code: str
    facts: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Refused:
    """The file is refused, for these reasons: the first PROBLEMS_LIMIT in the order of the file."""

    problems: list[Problem]


def refused(problems: list[Problem]) -> Refused:
    """A refusal with the problems in the order of the file, each once."""
    unique = {(each.sheet, each.row, each.column, each.code, tuple(each.facts.items())): each for each in problems}
    return Refused(sorted(unique.values(), key=lambda each: (each.sheet, each.row))[:PROBLEMS_LIMIT])


def sentence(problem: Problem, part: str, language: Language) -> str:
    """What is wrong, for a person: "Sheet survey, row 12, column relevant: There is no item ${x}."

    part   whose texts to use: `checklists` or `institutions`
    """
    text = texts(language)
    where = "place_file"
    if problem.row:
        where = "place" if problem.column else "place_row"
    elif problem.sheet:
        where = "place_sheet"
    place = text(f"{part}.{where}", sheet=problem.sheet, row=problem.row, column=problem.column)
    return f"{place}: {text(f'{part}.{problem.code}', **problem.facts)}"
