"""What is done and what is left: the themes of a checklist with their counts, and the reasons a question offers.

A theme is a group at the top of the form; questions that stand outside any group form one more, under the title of
the checklist. Shown as counts, never as a percentage. Source: UX T3 and T4, SETTLED decisions 57 and 58.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from shared.checklists.definition import ASKED, NON_ANSWERS, NonAnswer, Question, Repeat
from shared.checklists.evaluate import Evaluation
from shared.checklists.form import Form


class Theme(msgspec.Struct, frozen=True):
    """One theme. `path` is empty for the questions outside any group; `next_blank` is empty when nothing is left."""

    path: str
    answered: int
    non_answered: int
    left: int
    next_blank: str

    @property
    def asked(self) -> int:
        """All questions of the theme that count now."""
        return self.answered + self.non_answered + self.left

    @property
    def is_complete(self) -> bool:
        """Nothing blank is left; there is no "mark as finished"."""
        return self.left == 0


def non_answers_offered(form: Form, question: Question) -> tuple[NonAnswer, ...]:
    """The reasons offered beside a question: without "does not apply" where its own choices hold `na`."""
    has_own = any(each.name == "na" for each in form.choices.get(question.choices, ()))
    return tuple(each for each in NON_ANSWERS if not (has_own and each == "not_applicable"))


def is_asked(question: Question) -> bool:
    """Whether the checklist screen itself asks this question of a person."""
    return question.type in ASKED and not (question.known or question.elsewhere or question.read_only)


def asked_paths(evaluation: Evaluation, above: str) -> Iterator[str]:
    """Paths of the questions under an item that count now, in order; parts asked on other screens are left out."""
    item = evaluation.entry(above).item
    if item.elsewhere or not evaluation.is_shown(above):
        return
    if isinstance(item, Question):
        if is_asked(item):
            yield above
        return
    if isinstance(item, Repeat) and not above.endswith("]"):
        for row in evaluation.shown_rows(above):
            yield from asked_paths(evaluation, f"{above}[{row}]")
        return
    for each in item.items:
        yield from asked_paths(evaluation, f"{above}/{each.name}")


def counted(evaluation: Evaluation, path: str, questions: Iterator[str]) -> Theme:
    """The counts over these questions."""
    answered = non_answered = left = 0
    next_blank = ""
    for each in questions:
        if evaluation.non_answer(each) is not None:
            non_answered += 1
        elif evaluation.is_answered(each):
            answered += 1
        else:
            left += 1
            next_blank = next_blank or each
    return Theme(path, answered, non_answered, left, next_blank)


def theme_of(evaluation: Evaluation, path: str) -> Theme:
    """The theme at a top path, or of the questions outside any group for the empty path."""
    if path:
        return counted(evaluation, path, asked_paths(evaluation, path))
    loose = (each for each in evaluation.form.checklist.items if isinstance(each, Question))
    return counted(evaluation, "", (path for each in loose for path in asked_paths(evaluation, f"/{each.name}")))


def warned_paths(evaluation: Evaluation) -> list[str]:
    """Questions with a warning, in the order of the form: the list shown at sign-off."""
    tops = [f"/{item.name}" for item in evaluation.form.checklist.items]
    return [path for top in tops for path in asked_paths(evaluation, top) if evaluation.warnings(path)]


def themes(evaluation: Evaluation) -> list[Theme]:
    """All themes that ask something now or are made of rows, in the order of the form; loose questions last."""
    found: list[Theme] = []
    for item in evaluation.form.checklist.items:
        path = f"/{item.name}"
        if isinstance(item, Question) or item.elsewhere or not evaluation.is_shown(path):
            continue
        theme = theme_of(evaluation, path)
        if theme.asked or isinstance(item, Repeat):
            found.append(theme)
    loose = theme_of(evaluation, "")
    return [*found, loose] if loose.asked else found
