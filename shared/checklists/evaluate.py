"""One evaluation: the answers of one visit put through one checklist.

Every derived fact (is it relevant, what is its value, which rows are there, does it warn) is a cell computed when it
is asked for and kept; a changed answer forgets exactly the cells that read it. Blank, not relevant and not answered
read as blank text, as in ODK. Nothing blocks: constraints and required only warn. The clock is an argument.
Source: DESIGN section 7, SETTLED decisions 43, 56 to 58.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import date, datetime
from typing import Any, Literal

from shared.checklists.answers import Answer, external_choice, is_empty, typed
from shared.checklists.cells import Cell, Cells
from shared.checklists.definition import ASKED, Choice, NonAnswer, Question, Repeat, Words
from shared.checklists.form import OUTPUT, Entry, Form
from shared.checklists.interpret import Interpreter
from shared.checklists.paths import is_path, parent_of, place_of, row_of, rows_in, without_row
from shared.checklists.values import Single, as_number, as_text, as_truth

Rows = Mapping[str, Sequence[str]]
Lists = Mapping[str, Sequence[Mapping[str, str]]]

ROWS_LIMIT = 500
"""Most rows a counted repeat gets: a slip of the finger in a number must not freeze the tablet. Source: our choice."""

Warning_ = Literal["required", "constraint", "not_a_choice"]


class Evaluation:
    """What follows from the answers so far.

    form         the checklist made ready
    answers      path → answer
    rows         path of a repeat → its row ids in order; rows that only answers name are added behind
    known        path → value of items known from the visit; read-only
    non_answers  path → why there is no answer
    lists        `institutions`, `standards` → the rows of that outside list
    today, now   the day and the moment that today() and now() give
    language     of jr:choice-name(); labels are asked for in any language
    """

    def __init__(
        self,
        form: Form,
        answers: Mapping[str, Answer] | None = None,
        rows: Rows | None = None,
        known: Mapping[str, Answer] | None = None,
        lists: Lists | None = None,
        *,
        today: date,
        now: datetime | None = None,
        non_answers: Mapping[str, NonAnswer] | None = None,
        language: str = "ru",
    ) -> None:
        self.form = form
        self.today = today
        self.now = now
        self.language = language
        self.lists: Lists = dict(lists or {})
        self.known = dict(known or {})
        self._answers: dict[str, Answer] = dict(answers or {})
        self._non_answers: dict[str, NonAnswer] = dict(non_answers or {})
        self._rows: dict[str, list[str]] = {path: list(ids) for path, ids in (rows or {}).items()}
        self._cells = Cells(self._compute)
        self._interpreter = Interpreter(self)
        self._computers: dict[str, Callable[[str], Any]] = {
            "rows": self._compute_rows,
            "relevant": self._compute_relevant,
            "value": self._compute_value,
            "warnings": self._compute_warnings,
            "choices": self._compute_choices,
            "default": self._compute_default,
        }
        for path in (*self._answers, *self._non_answers):
            self._meet_rows(path)

    # what stands there

    def entry(self, path: str) -> Entry:
        """The item at a path. Raises KeyError when the form has none there."""
        return self.form.entries[place_of(path)]

    def answer(self, path: str) -> Answer | None:
        """What was answered, or known from the visit; None when nothing was."""
        self._cells.read(("answer", path))
        return self.known.get(path, self._answers.get(path))

    def non_answer(self, path: str) -> NonAnswer | None:
        """Why there is no answer, if somebody said so."""
        self._cells.read(("answer", path))
        return self._non_answers.get(path) if path not in self._answers else None

    def is_answered(self, path: str) -> bool:
        """Whether there is an answer or a reason for none."""
        return not is_empty(self.answer(path)) or self.non_answer(path) is not None

    def rows(self, path: str) -> tuple[str, ...]:
        """Row ids of a repeat: "1", "2"… when they are counted, else those it was given."""
        found: tuple[str, ...] = self._cells.get(("rows", path))
        return found

    def shown_rows(self, path: str) -> tuple[str, ...]:
        """The rows and behind them those beyond the count that hold answers: nothing recorded is hidden."""
        rows = self.rows(path)
        self._cells.read(("kept", path))
        return (*rows, *(row for row in self._rows.get(path, ()) if row not in rows))

    # what follows

    def is_relevant(self, path: str) -> bool:
        """Whether the form's own logic asks for the item, the groups and rows around it included."""
        return path == "" or bool(self._cells.get(("relevant", path)))

    def is_shown(self, path: str) -> bool:
        """Whether a person sees the item: relevant, or answered already, or holding something that is."""
        if self.is_relevant(path):
            return True
        if isinstance(self.entry(path).item, Question):
            return self.is_answered(path)
        inside = (f"{path}/", f"{path}[")
        return any(each.startswith(inside) for each in (*self._answers, *self._non_answers))

    def value(self, path: str) -> Single:
        """What expressions read there: blank unless relevant, the default while there is no answer."""
        found: Single = self._cells.get(("value", path))
        return found

    def text(self, path: str) -> str:
        """The value as text, the way it is filled into a label."""
        return as_text(self.value(path))

    def warnings(self, path: str) -> tuple[Warning_, ...]:
        """What to say beside the question. Warns, never blocks. Source: SETTLED decision 58."""
        found: tuple[Warning_, ...] = self._cells.get(("warnings", path))
        return found

    def choices(self, path: str) -> tuple[Choice, ...]:
        """Choices left by the choice filter, those of an external list included."""
        found: tuple[Choice, ...] = self._cells.get(("choices", path))
        return found

    def default(self, path: str) -> Single:
        """What the form offers before anybody answers; blank when it offers nothing."""
        found: Single = self._cells.get(("default", path))
        return found

    def filled(self, path: str, words: Words, language: str) -> tuple[str, str]:
        """A text of the item with the values in it, and the language it really is in.

        The chosen language, else Russian, Kazakh, English. Source: UX section 7.
        """
        for each in (language, "ru", "kk", "en"):
            text = getattr(words, each, "")
            if text:
                return OUTPUT.sub(lambda found: self._output(path, found[1]), text), each
        return "", language

    def label(self, path: str, language: str) -> str:
        """The label of an item, of the checklist itself for the empty path; its name when it has none."""
        if path == "":
            return self.filled("", self.form.checklist.title, language)[0]
        item = self.entry(path).item
        return self.filled(path, item.label, language)[0] or item.name

    def choice_label(self, question: Question, name: str) -> str:
        """The label of a choice of this question, by its name; the name when the list has no such choice."""
        for choice in self._listed(question):
            if choice.name == name:
                return self.filled("", choice.label, self.language)[0] or name
        return name

    # what changes

    def set(self, path: str, answer: Answer | None, non_answer: NonAnswer | None = None) -> AbstractSet[str]:
        """Puts an answer (None clears it) or a reason for none.

        returns   paths whose relevance, value, rows, choices or warnings are now different, the path itself included
        Raises KeyError when the form has no such question.
        """
        if not is_path(path) or not isinstance(self.entry(path).item, Question):
            raise KeyError(path)
        self._answers.pop(path, None)
        self._non_answers.pop(path, None)
        if answer is not None:
            self._answers[path] = answer
        elif non_answer is not None:
            self._non_answers[path] = non_answer
        changed = self._meet_rows(path) if answer is not None or non_answer is not None else []
        return {path} | self._cells.change([("answer", path), *changed])

    def add_row(self, path: str, row: str) -> AbstractSet[str]:
        """Adds a row at the end of a repeat; adding it twice changes nothing. Returns paths as `set` does."""
        if not isinstance(self.entry(path).item, Repeat) or row_of(path):
            raise KeyError(path)
        changed = self._meet_rows(f"{path}[{row}]")
        return self._cells.change(changed)

    def remove_row(self, path: str, row: str) -> AbstractSet[str]:
        """Takes a row and its answers away. Returns paths as `set` does."""
        prefix = f"{path}[{row}]"
        gone = [each for each in (*self._answers, *self._non_answers) if each.startswith(prefix + "/")]
        for each in gone:
            self._answers.pop(each, None)
            self._non_answers.pop(each, None)
        for each in [key for key in self._rows if key.startswith(prefix + "/")]:
            del self._rows[each]
        if row in self._rows.get(path, ()):
            self._rows[path].remove(row)
        return self._cells.change([("rows", path), ("kept", path), *(("answer", each) for each in gone)])

    def all_paths(self, above: str = "", shown: bool = False) -> Iterable[str]:
        """Every path there is now, rows gone through, in the order of the form.

        shown   rows that are only kept (beyond the count) as well
        """
        for item in self.form.checklist.items if above == "" else getattr(self.entry(above).item, "items", ()):
            path = f"{above}/{item.name}"
            yield path
            if isinstance(item, Repeat):
                for row in self.shown_rows(path) if shown else self.rows(path):
                    yield f"{path}[{row}]"
                    yield from self.all_paths(f"{path}[{row}]", shown)
            elif not isinstance(item, Question):
                yield from self.all_paths(path, shown)

    # how

    def read_cells(self, cell: Cell) -> None:
        """Notes that the cell being computed reads an input."""
        self._cells.read(cell)

    def _meet_rows(self, path: str) -> list[Cell]:
        changed: list[Cell] = []
        for repeat, row in rows_in(path):
            known = self._rows.setdefault(repeat, [])
            if row not in known:
                known.append(row)
                changed += [("rows", repeat), ("kept", repeat)]
        return changed

    def _compute(self, cell: Cell) -> Any:
        return self._computers[cell[0]](cell[1])

    def _compute_rows(self, path: str) -> tuple[str, ...]:
        entry = self.entry(path)
        count = entry.expressions.get("count")
        if count is None:
            return tuple(self._rows.get(path, ()))
        number = as_number(self._interpreter.evaluate(count, entry, path))
        return tuple(str(each + 1) for each in range(int(min(number, ROWS_LIMIT)))) if number >= 1 else ()

    def _compute_relevant(self, path: str) -> bool:
        entry = self.entry(path)
        above = parent_of(path)
        if above and not self.is_relevant(above):
            return False
        if row_of(path) and row_of(path) not in self.rows(without_row(path)):
            return False
        node = entry.expressions.get("relevant")
        return node is None or as_truth(self._interpreter.evaluate(node, entry, path))

    def _compute_value(self, path: str) -> Single:
        entry = self.entry(path)
        if not isinstance(entry.item, Question) or not self.is_relevant(path):
            return ""
        calculation = entry.expressions.get("calculation")
        given = self.answer(path)
        if given is None and calculation is not None:
            return as_text(self._interpreter.evaluate(calculation, entry, path))
        if given is None:
            return "" if self.non_answer(path) else typed(entry.item, as_text(self.default(path)))
        return typed(entry.item, given)

    def _compute_default(self, path: str) -> Single:
        entry = self.entry(path)
        node = entry.expressions.get("default")
        if node is not None:
            return as_text(self._interpreter.evaluate(node, entry, path))
        return getattr(entry.item, "default", "")

    def _compute_warnings(self, path: str) -> tuple[Warning_, ...]:
        entry = self.entry(path)
        item = entry.item
        if not isinstance(item, Question) or item.type not in ASKED or path in self.known:
            return ()
        if not self.is_relevant(path):
            return ()
        value = self.value(path)
        if value == "":
            node = entry.expressions.get("required")
            asked = node is not None and not self.is_answered(path)
            required = asked and as_truth(self._interpreter.evaluate(node, entry, path)) if node else False
            return ("required",) if required else ()
        found: list[Warning_] = []
        constraint = entry.expressions.get("constraint")
        if constraint is not None and not as_truth(self._interpreter.evaluate(constraint, entry, path, value)):
            found.append("constraint")
        if item.choice_filter:
            offered = {each.name for each in self.choices(path)}
            if not set(as_text(value).split()) <= offered:
                found.append("not_a_choice")
        return tuple(found)

    def _compute_choices(self, path: str) -> tuple[Choice, ...]:
        entry = self.entry(path)
        item = entry.item
        if not isinstance(item, Question):
            return ()
        node = entry.expressions.get("choice_filter")
        if node is None:
            return tuple(self._listed(item))
        if item.external is not None:
            rows = [
                row for row in self.lists.get(item.external.name, ()) if self._interpreter.keeps(node, entry, path, row)
            ]
            return tuple(external_choice(item.external, row) for row in rows)
        cells = ((each, {"name": each.name, **dict(each.columns)}) for each in self._listed(item))
        return tuple(each for each, row in cells if self._interpreter.keeps(node, entry, path, row))

    def _listed(self, question: Question) -> Sequence[Choice]:
        if question.external is None:
            return self.form.choices.get(question.choices, ())
        rows = self.lists.get(question.external.name, ())
        return [external_choice(question.external, row) for row in rows]

    def _output(self, path: str, name: str) -> str:
        return self._interpreter.shown(name, path)
