"""Puts an expression through an evaluation: finds what its references mean in this row, and applies its functions.

Used by `shared.checklists.evaluate` alone. It never fails on what people typed: a form without faults always gives a
value, blank or NaN at worst.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from shared.checklists.definition import Question, Repeat
from shared.checklists.expression import Binary, Call, Negative, Node, Number, Path, Ref, Text
from shared.checklists.form import Entry, Target, named_in
from shared.checklists.functions import FUNCTIONS
from shared.checklists.paths import rows_in
from shared.checklists.values import (
    NAN,
    Single,
    Value,
    as_number,
    as_text,
    as_truth,
    equal,
    is_blank,
    ordered,
    product,
    quotient,
    remainder,
)

if TYPE_CHECKING:
    from shared.checklists.evaluate import Evaluation


class Interpreter:
    """Evaluates expressions of one evaluation."""

    def __init__(self, evaluation: Evaluation) -> None:
        self.evaluation = evaluation

    def evaluate(self, node: Node, entry: Entry, path: str, here: Single | None = None) -> Value:
        """The value of an expression of `entry`, standing at `path`; `here` is what `.` means."""
        return _Reading(self.evaluation, entry, path, here, None).of(node)

    def keeps(self, node: Node, entry: Entry, path: str, row: Mapping[str, str]) -> bool:
        """Whether a choice filter keeps a row of the choice list."""
        return as_truth(_Reading(self.evaluation, entry, path, None, row).of(node))

    def shown(self, name: str, path: str) -> str:
        """The value of `${name}` in a text of the item at `path`; a dash where a calculation has no number yet."""
        if path == "":
            places = self.evaluation.form.named(name)
            return self.evaluation.text(places[0]) if len(places) == 1 else ""
        text = as_text(_Reading(self.evaluation, self.evaluation.entry(path), path, None, None).of(Ref(name)))
        return "–" if text in ("NaN", "Infinity", "-Infinity") else text


class _Reading:
    """One expression at one place."""

    def __init__(
        self, evaluation: Evaluation, entry: Entry, path: str, here: Single | None, row: Mapping[str, str] | None
    ) -> None:
        self.evaluation = evaluation
        self.entry = entry
        self.path = path
        self.here = here
        self.row = row

    def of(self, node: Node) -> Value:
        match node:
            case Number():
                return float(node.text)
            case Text():
                return node.text
            case Ref():
                return self.target(self.evaluation.form.target(self.entry, node))
            case Path():
                return self.at_path(node)
            case Call():
                return self.call(node)
            case Negative():
                return -as_number(self.of(node.of))
            case Binary():
                return self.binary(node)

    def binary(self, node: Binary) -> Value:
        left = self.of(node.left)
        if node.operator in ("and", "or"):
            stops = node.operator == "or"
            return stops if as_truth(left) == stops else as_truth(self.of(node.right))
        right = self.of(node.right)
        match node.operator:
            case "=":
                return equal(left, right)
            case "!=":
                return not equal(left, right)
            case "<" | "<=" | ">" | ">=":
                return ordered(left, right, node.operator)
        a, b = as_number(left), as_number(right)
        match node.operator:
            case "+":
                return a + b
            case "-":
                return a - b
            case "*":
                return product(a, b)
            case "div":
                return quotient(a, b)
            case _:
                return remainder(a, b)

    def at_path(self, node: Path) -> Value:
        if not node.absolute and not node.up:
            if not node.names:
                return self.here if self.here is not None else self.evaluation.value(self.path)
            return (self.row or {}).get(node.names[0], "")
        return self.target(self.evaluation.form.target(self.entry, node))

    def target(self, target: Target | None) -> Value:
        if target is None:
            return ""
        found = self.paths(target)
        form = self.evaluation.form
        values = tuple(self.evaluation.value(path) for path in found)
        item = form.entries[target.place].item
        if isinstance(item, Question) and target.shared_repeats == len(form.entries[target.place].repeats):
            return values[0] if values else ""
        return values

    def paths(self, target: Target) -> list[str]:
        """Paths of the item in this row, or in all rows between here and it; what is not relevant is left out."""
        evaluation = self.evaluation
        goal = evaluation.form.entries[target.place]
        found, done = [""], ""
        if target.shared_repeats:
            ours = rows_in(self.path)
            if len(ours) < target.shared_repeats:
                return []  # the repeat as a whole speaks of a value that only its rows have
            repeat_path, own_row = ours[target.shared_repeats - 1]
            found, done = [f"{repeat_path}[{own_row}]"], goal.repeats[target.shared_repeats - 1]
        through = goal.own_repeats if isinstance(goal.item, Repeat) else goal.repeats
        for repeat in through[target.shared_repeats :]:
            rest = repeat[len(done) :]
            found = [
                f"{each}{rest}[{row}]"
                for each in found
                for row in evaluation.rows(f"{each}{rest}")
                if evaluation.is_relevant(f"{each}{rest}[{row}]")
            ]
            done = repeat
        rest = target.place[len(done) :]
        found = [f"{each}{rest}" for each in found]
        crosses = target.shared_repeats < len(goal.repeats)
        return [each for each in found if evaluation.is_relevant(each)] if crosses and rest else found

    def call(self, node: Call) -> Value:
        known = FUNCTIONS.get(node.name)
        if known is not None:
            return known.apply(*(self.of(each) for each in node.arguments))
        match node.name:
            case "if":
                return self.of(node.arguments[1 if as_truth(self.of(node.arguments[0])) else 2])
            case "coalesce":
                first = self.of(node.arguments[0])
                return self.of(node.arguments[1]) if is_blank(first) else first
            case "once":
                kept = self.evaluation.answer(self.path)
                return self.of(node.arguments[0]) if kept is None else as_text(self.evaluation.value(self.path))
            case "today":
                return self.evaluation.today
            case "now":
                return self.evaluation.now or self.evaluation.today
            case "position":
                return self.position(node)
            case "indexed-repeat":
                return self.indexed(node)
            case _:
                return self.choice_name(node)

    def position(self, node: Call) -> Value:
        argument = node.arguments[0]
        target = self.evaluation.form.target(self.entry, argument) if isinstance(argument, (Path, Ref)) else None
        if target is None or target.place not in self.entry.own_repeats:
            return NAN
        ours = rows_in(self.path)
        depth = self.entry.own_repeats.index(target.place)
        if depth >= len(ours):
            return NAN
        repeat, row = ours[depth]
        rows = self.evaluation.rows(repeat)
        return float(rows.index(row) + 1) if row in rows else NAN

    def indexed(self, node: Call) -> Value:
        question, *pairs = node.arguments
        form = self.evaluation.form
        goal = form.target(self.entry, question) if isinstance(question, (Path, Ref)) else None
        if goal is None:
            return ""
        wanted: dict[str, float] = {}
        for repeat, index in zip(pairs[::2], pairs[1::2], strict=True):
            target = form.target(self.entry, repeat) if isinstance(repeat, (Path, Ref)) else None
            if target is not None:
                wanted[target.place] = as_number(self.of(index))
        path, done = "", ""
        ours = dict(zip(self.entry.own_repeats, rows_in(self.path), strict=False))
        for repeat_place in form.entries[goal.place].repeats:
            path, done = path + repeat_place[len(done) :], repeat_place
            rows = self.evaluation.rows(path)
            number = wanted.get(repeat_place)
            if number is None:
                row = ours[repeat_place][1] if repeat_place in ours else rows[0] if rows else ""
            else:
                row = rows[int(number) - 1] if 1 <= number <= len(rows) else ""
            if not row:
                return ""
            path += f"[{row}]"
        return self.evaluation.value(path + goal.place[len(done) :])

    def choice_name(self, node: Call) -> Value:
        """The label of a choice in the language of the evaluation; the filter is not asked, only the list."""
        named = named_in(node.arguments[1])
        target = self.evaluation.form.target(self.entry, named) if named is not None else None
        wanted = as_text(self.of(node.arguments[0]))
        item = self.evaluation.form.entries[target.place].item if target is not None else None
        if not isinstance(item, Question):
            return wanted
        return self.evaluation.choice_label(item, wanted)
