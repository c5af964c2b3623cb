"""Acts as lines of JSON, for tests, drills and people at a keyboard: {"act": "answer", "item": "/mc/beds", "value": 6}.

One table: name of the act → function and the subject it is about. `visit` may be left out when only one is under way;
`as` keeps the id an act gave under a name, and "$name" stands for it in later lines.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from field_app.acts import interviews, photos, records, reports, visits
from field_app.acts.subjects import record_id, report_id
from field_app.store.store import Store
from shared.values import SubjectId

About = Literal["store", "visit", "record", "interview", "report", "request"]

ACTS: dict[str, tuple[About, Callable[..., Any]]] = {
    "file_request": ("store", visits.file_request),
    "withdraw_request": ("request", visits.withdraw_request),
    "plan_on_the_spot": ("store", visits.plan_on_the_spot),
    "declare_conflict": ("visit", visits.declare_conflict),
    "start": ("visit", visits.start),
    "open_record": ("visit", visits.open_record),
    "record_entry": ("visit", visits.record_entry),
    "close": ("visit", visits.close),
    "answer": ("record", records.answer),
    "clear": ("record", records.clear),
    "non_answer": ("record", records.non_answer),
    "add_row": ("record", records.add_row),
    "choose": ("record", records.choose),
    "reverse_choice": ("record", records.reverse_choice),
    "note": ("record", records.note),
    "change_note": ("record", records.change_note),
    "loose_note": ("store", records.loose_note),
    "finding": ("record", records.finding),
    "change_finding": ("record", records.change_finding),
    "withdraw": ("record", records.withdraw),
    "restore": ("record", records.restore),
    "photo": ("record", photos.take),
    "clear_photo": ("record", records.clear_photo),
    "write_text": ("record", records.write_text),
    "interview_begin": ("record", interviews.begin),
    "interview_consent": ("interview", interviews.consent),
    "interview_withdraw_consent": ("interview", interviews.withdraw_consent),
    "interview_answer": ("interview", interviews.answer),
    "interview_non_answer": ("interview", interviews.non_answer),
    "interview_clear": ("interview", interviews.clear),
    "interview_add_row": ("interview", interviews.add_row),
    "interview_note": ("interview", interviews.note),
    "interview_share": ("interview", interviews.share),
    "interview_close": ("interview", interviews.close),
    "freeze": ("visit", reports.freeze),
    "sign": ("visit", reports.sign),
    "submit": ("visit", reports.submit),
    "answer_question": ("report", reports.answer_question),
}


class ActWrong(Exception):
    """The line is no act: `reason` says what is wrong with it, in words of the line."""


@dataclass
class Hand:
    """Carries acts out one after another, remembering the names given with `as`."""

    store: Store
    pin: str
    now: Callable[[], datetime]
    folder: Path = Path()
    names: dict[str, str] = field(default_factory=dict)

    def do(self, line: dict[str, Any]) -> str:
        """Carries one act out; the id it gave, or "". Raises ActWrong and whatever the act raises."""
        given = {name: self._named(value) for name, value in line.items()}
        name, keep = str(given.pop("act", "")), str(given.pop("as", ""))
        if name not in ACTS:
            raise ActWrong(f"unknown act {name!r}")
        about, function = ACTS[name]
        subject = self._subject(about, given)
        arguments = self._arguments(name, function, given)
        try:
            inspect.signature(function).bind(self.store, *subject, now=None, **arguments)
        except TypeError as error:
            raise ActWrong(f"{name}: {error}") from error
        result = function(self.store, *subject, now=self.now(), **arguments)
        made = result if isinstance(result, str) else ""
        if keep:
            self.names[keep] = made
        return made

    def _arguments(self, name: str, function: Callable[..., Any], given: dict[str, Any]) -> dict[str, Any]:
        if name == "sign":
            given["pin"] = self.pin
        if name == "photo":
            given["original"] = (self.folder / str(given.pop("file", ""))).read_bytes()
        renames = {"note_id": "note", "finding_id": "finding", "is_clear": "clear", "said": "consent"}
        wanted = inspect.signature(function).parameters
        return {_parameter(key, wanted, renames): value for key, value in given.items()}

    def _named(self, value: Any) -> Any:
        if isinstance(value, str) and value.startswith("$"):
            if value[1:] not in self.names:
                raise ActWrong(f"nothing is named {value[1:]!r}")
            return self.names[value[1:]]
        if isinstance(value, list):
            return [self._named(each) for each in value]
        return value

    def _subject(self, about: About, given: dict[str, Any]) -> tuple[SubjectId, ...]:
        if about == "store":
            return ()
        if about in ("interview", "request"):
            if about not in given:
                raise ActWrong(f"the field {about!r} is missing")
            return (SubjectId(given.pop(about)),)
        visit = SubjectId(given.pop("visit")) if "visit" in given else self._only_visit()
        if about == "visit":
            return (visit,)
        if about == "report":
            return (report_id(self.store, visit),)
        record = record_id(self.store, visit)
        if record is None:
            raise ActWrong("the visit has not begun: no record is open")
        return (record,)

    def _only_visit(self) -> SubjectId:
        every = self.store.subjects("visit")
        under_way = [visit for visit in every if self.store.state(visit).stage not in ("closed",)] or every
        if len(under_way) != 1:
            raise ActWrong(f"{len(under_way)} visits are under way: say which with the field 'visit'")
        return under_way[0]


def _parameter(key: str, wanted: Any, renames: dict[str, str]) -> str:
    """The parameter a field of a line goes to: its own name, or the one behind the shorter word of the line."""
    if key in wanted:
        return key
    return next((parameter for parameter, word in renames.items() if word == key and parameter in wanted), key)
