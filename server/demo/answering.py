"""What the monitors of the demo answer: a value for every question the checklist asks, by its type, seeded.

The evaluator itself says which questions count after each answer, so a filled checklist is one a person could have
filled. Prose is the demo's own.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from server.checklists.queries import latest
from server.office import Office
from server.packs.tables import PackRow
from shared.checklists.definition import Checklist, Question, Words, decode
from shared.checklists.evaluate import Evaluation
from shared.checklists.form import Form
from shared.checklists.progress import asked_paths, non_answers_offered

PROSE = (
    "В трёх камерах из пяти нет отдельных спальных мест для каждого, матрасы лежат на полу.",
    "Журнал медицинских осмотров заполнен одним почерком за три недели, подписи не различаются.",
    "Телефон доверия висит у поста дежурного, разговор слышен персоналу.",
    "Тәуліктік тексеріс журналында екі апта бойы жазба жоқ, кезекші себебін түсіндіре алмады.",
    "Прогулочный двор закрыт на ремонт, прогулки проводят в коридоре по двадцать минут.",
)
ROWS = 2
"""Rows added to each repeat that a person fills by hand."""


def acts_for(
    checklist: Checklist, known: Mapping[str, str], lists: Mapping[str, Any], today: date, seed: int, *,
    prefix: str = "", subject: dict[str, str] | None = None, most: int = 10_000,
) -> Iterator[dict[str, Any]]:  # fmt: skip
    """Acts of `qorgan-tablet record` that answer a checklist from its first question to its last.

    known    facts of the visit, by name (region, inst_type, institution, visit_type, date, visit_ref, int_no)
    prefix   put before the acts' names: "interview_" for an interview
    subject  fields that name the subject, e.g. {"interview": "$first"}
    most     stop after so many acts
    """
    luck = random.Random(seed)  # noqa: S311 - chance for a story, not for a secret
    form = Form(checklist)
    evaluation = Evaluation(form, known=form.known_values(known), lists=lists, today=today)
    named = subject or {}
    answered: set[str] = set()
    for _ in range(most):
        path = next((path for path in _every_asked(evaluation) if path not in answered), None)
        if path is None:
            return
        answered.add(path)
        question = evaluation.entry(path).item
        if not isinstance(question, Question) or question.type == "image":
            continue
        offered = non_answers_offered(form, question)
        if luck.random() < 0.08 and offered:
            code = luck.choice(offered)
            evaluation.set(path, None, code)
            by = {"by": luck.choice(("staff", "detainee"))} if code == "refused" else {}
            yield {"act": f"{prefix}non_answer", "item": path, "code": code, **by, **named}
            continue
        value = _value(evaluation, path, question, luck, today)
        if value is not None:
            evaluation.set(path, value)
            yield {"act": f"{prefix}answer", "item": path, "value": value, **named}


def _every_asked(evaluation: Evaluation) -> Iterator[str]:
    for item in evaluation.form.checklist.items:
        yield from asked_paths(evaluation, f"/{item.name}")


def _value(evaluation: Evaluation, path: str, question: Question, luck: random.Random, today: date) -> Any:
    match question.type:
        case "select_one":
            names = [choice.name for choice in evaluation.choices(path)]
            return luck.choice(names[:4]) if names else None
        case "select_multiple":
            names = [choice.name for choice in evaluation.choices(path) if choice.name not in ("none", "na", "nk")]
            return luck.sample(names, min(len(names), luck.randint(1, 2))) if names else None
        case "integer" | "range":
            return _number(evaluation, path, luck)
        case "decimal":
            return f"{luck.randint(2, 30)}.{luck.randint(1, 9)}"
        case "date":
            return today.isoformat()
        case "time":
            return f"{luck.randint(9, 11):02d}:{luck.randint(0, 59):02d}"
        case "geopoint":
            return f"{49.8 + luck.random() / 10:.5f} {73.1 + luck.random() / 10:.5f}"
        case "text":
            return luck.choice(PROSE)
        case _:
            return None


def _number(evaluation: Evaluation, path: str, luck: random.Random) -> int:
    """A number its own constraint accepts, when one of a few does."""
    last = 0
    for value in (luck.randint(1, 12), luck.randint(1, 5), 1, 2, 0, luck.randint(20, 400)):
        last = value
        evaluation.set(path, value)
        if "constraint" not in evaluation.warnings(path):
            return value
    return last


def pinned(office: Office, form_id: str) -> Checklist:
    """The checklist in force."""
    with office.database.read() as session:
        pack = session.get_one(PackRow, latest(session)[form_id].sha256)
        return decode(pack.data, pack.sha256)


def labels_of(office: Office, form_id: str, item: str, language: str) -> dict[str, str]:
    """What a question shows: the label of each choice by its name, and under "" the question's own."""
    form = Form(pinned(office, form_id))
    question = form.entries[item].item
    if not isinstance(question, Question):
        raise KeyError(item)
    shown = {choice.name: _word(choice.label, language) for choice in form.choices.get(question.choices, ())}
    return {"": _word(question.label, language), **shown}


def _word(words: Words, language: str) -> str:
    return getattr(words, language) or words.ru or words.kk or words.en
