"""A document read through its pinned checklists: every question with its answer, in the order of the form.

Pure. What was answered is shown whatever the form's logic says; what was not answered is a blank or "not asked by the
form". Serves the dossier and the report on paper. Source: UX C8, SETTLED decisions 43, 57.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from server.reports.document import Document, Item, Said
from shared.checklists.definition import ASKED, NonAnswer, Question, Repeat
from shared.checklists.evaluate import Evaluation, Lists
from shared.checklists.form import Form
from shared.checklists.paths import is_path, place_of
from shared.texts import Language, Texts

NON_ANSWERS = ("not_seen", "not_asked", "refused", "not_applicable")


@dataclass(frozen=True)
class Voice:
    """What one member said, ready to print: `words` in the reader's language, or as they were written."""

    words: str
    author: str
    non_answer: str = ""
    reason: str = ""


@dataclass(frozen=True)
class Line:
    """A question. `code` its name in the form, `rows` the names of the rows it stands in; state one, chosen, differs,
    non_answer, blank, or unasked when the form's logic did not ask for it."""

    path: str
    code: str
    label: str
    rows: tuple[str, ...]
    state: str
    voices: tuple[Voice, ...] = ()


@dataclass
class ThemeRead:
    """A theme of the checklist with its questions."""

    path: str
    label: str
    lines: list[Line] = field(default_factory=list)

    @property
    def counts(self) -> Counter[str]:
        """How many lines are answered, differ, are blank, or bear which non-answer; unasked ones do not count."""
        found: Counter[str] = Counter()
        for line in self.lines:
            if line.state == "non_answer":
                found[line.voices[0].non_answer if line.voices else "not_seen"] += 1
            elif line.state in ("one", "chosen"):
                found["answered"] += 1
            elif line.state != "unasked":
                found[line.state] += 1
        return found

    @property
    def asked(self) -> int:
        """Questions that count."""
        return sum(self.counts.values())


def gaps(themes: Iterable[ThemeRead]) -> Counter[str]:
    """Counts over all themes."""
    return sum((theme.counts for theme in themes), Counter())


def themes_of(
    document: Document, forms: Iterable[Form], language: Language, texts: Texts, lists: Lists, today: date
) -> list[ThemeRead]:
    """Every theme of every pinned checklist, and last what stands under no question of theirs."""
    found: list[ThemeRead] = []
    left = {item.item: item for item in document.items if is_path(item.item) and item.values}
    for form in forms:
        mine = {path: item for path, item in left.items() if place_of(path) in form.entries}
        left = {path: item for path, item in left.items() if path not in mine}
        reader = _Reader(document, _evaluation(document, form, mine, language, lists, today), mine, texts)
        found += reader.themes()
    strangers = [_stranger(document, item, texts) for item in left.values()]
    return [*found, ThemeRead("", texts("dossier.theme.other"), strangers)] if strangers else found


def _stranger(document: Document, item: Item, texts: Texts) -> Line:
    voices = tuple(Voice(_plain(said, texts), document.name_of(said.author), said.non_answer) for said in item.values)
    return Line(item.item, item.item, item.item, (), _state(item), voices)


def _state(item: Item) -> str:
    return "non_answer" if item.state != "differs" and item.values[0].non_answer else item.state


def _plain(said: Said, texts: Texts) -> str:
    if said.non_answer in NON_ANSWERS:
        return texts(f"dossier.non_answer.{said.non_answer}")
    if isinstance(said.value, list):
        return ", ".join(said.value)
    return "" if said.value is None else str(said.value)


def _evaluation(
    document: Document, form: Form, items: Mapping[str, Item], language: Language, lists: Lists, today: date
) -> Evaluation:
    """The form with what counts for each item; where it differs, the leader's word, else the first in order."""
    answers = {}
    non_answers: dict[str, NonAnswer] = {}
    for path, item in items.items():
        said = next((each for each in item.values if each.author == document.leader), None) or (
            item.values[0] if item.values else None
        )
        if said is None:
            continue
        if said.non_answer in NON_ANSWERS:
            non_answers[path] = said.non_answer  # type: ignore[assignment]
        else:
            answers[path] = int(said.value) if isinstance(said.value, bool) else said.value or ""
    known = _known(document, form, lists)
    rows = {each.of: each.rows for each in document.rows if place_of(each.of) in form.entries}
    return Evaluation(
        form,
        answers,
        rows,
        known,
        lists,
        today=today,
        non_answers=non_answers,
        language=language,
    )


def _known(document: Document, form: Form, lists: Lists) -> dict[str, str]:
    """Items the form takes from the visit itself."""
    visit = document.visit
    row = next((each for each in lists.get("institutions.csv", ()) if each.get("key") == visit.institution), {})
    facts = {
        "institution": visit.institution, "inst_type": row.get("type", ""), "region": row.get("region_iso", ""),
        "visit_type": visit.kind, "date": visit.arrived_at[:10], "visit_ref": visit.id,
    }  # fmt: skip
    known = {}
    for place, entry in form.entries.items():
        name = getattr(entry.item, "known", "")
        if name and facts.get(name):
            known[place] = facts[name]
    return known


class _Reader:
    """One checklist read through: keeps the evaluation and the words of one language."""

    def __init__(self, document: Document, evaluation: Evaluation, items: Mapping[str, Item], texts: Texts) -> None:
        self.document = document
        self.evaluation = evaluation
        self.items = items
        self.texts = texts
        self.language = texts.language

    def themes(self) -> list[ThemeRead]:
        """Top groups and repeats are themes; questions outside of any stand under the title of the form."""
        found: list[ThemeRead] = []
        loose = ThemeRead("", self.evaluation.label("", self.language))
        for item in self.evaluation.form.checklist.items:
            path = f"/{item.name}"
            if isinstance(item, Question):
                self._question(loose, path, ())
            else:
                theme = ThemeRead(path, self.evaluation.label(path, self.language))
                self._inside(theme, path, ())
                if theme.lines:
                    found.append(theme)
        return [loose, *found] if loose.lines else found

    def _inside(self, theme: ThemeRead, path: str, rows: tuple[str, ...]) -> None:
        item = self.evaluation.entry(path).item
        if isinstance(item, Question):
            self._question(theme, path, rows)
        elif isinstance(item, Repeat) and not path.endswith("]"):
            self._repeat(theme, path, rows)
        else:
            for each in item.items:
                self._inside(theme, f"{path}/{each.name}", rows)

    def _repeat(self, theme: ThemeRead, path: str, rows: tuple[str, ...]) -> None:
        """Rows are numbered for people: their ids say nothing."""
        label = self.evaluation.label(path, self.language)
        shown = self.evaluation.shown_rows(path)
        for number, row in enumerate(shown, 1):
            name = self.texts("dossier.row", label=label, number=number)
            self._inside(theme, f"{path}[{row}]", (*rows, name))
        if not shown:
            self._no_rows(theme, path, rows, label)

    def _no_rows(self, theme: ThemeRead, path: str, rows: tuple[str, ...], label: str) -> None:
        """A repeat nobody filled: its questions are named all the same, once."""
        place = place_of(path)
        for other, entry in self.evaluation.form.entries.items():
            if other.startswith(f"{place}/") and isinstance(entry.item, Question) and _is_shown(entry.item):
                words = self.evaluation.filled("", entry.item.label, self.language)[0] or entry.item.name
                theme.lines.append(Line(other, entry.item.name, words, (*rows, label), "unasked"))

    def _question(self, theme: ThemeRead, path: str, rows: tuple[str, ...]) -> None:
        question = self.evaluation.entry(path).item
        if not isinstance(question, Question) or not (_is_shown(question) or path in self.items):
            return
        label = self.evaluation.label(path, self.language)
        item = self.items.get(path)
        if item and item.values:
            voices = tuple(self._voice(question, said) for said in item.values)
            theme.lines.append(Line(path, question.name, label, rows, _state(item), voices))
            return
        value = self.evaluation.known.get(path)
        if value is not None:
            voice = Voice(self._value(question, value), "")
            theme.lines.append(Line(path, question.name, label, rows, "one", (voice,)))
            return
        state = "blank" if self.evaluation.is_relevant(path) and not question.elsewhere else "unasked"
        theme.lines.append(Line(path, question.name, label, rows, state))

    def _voice(self, question: Question, said: Said) -> Voice:
        author = self.document.name_of(said.author)
        if said.non_answer not in NON_ANSWERS:
            return Voice(self._value(question, "" if said.value is None else said.value), author)
        words = self.texts(f"dossier.non_answer.{said.non_answer}")
        if said.refused_by in ("staff", "detainee", "other"):
            words = self.texts("dossier.refused_by", words=words, who=self.texts(f"dossier.by.{said.refused_by}"))
        return Voice(words, author, said.non_answer, said.reason)

    def _value(self, question: Question, value: bool | int | str | Sequence[str]) -> str:
        if question.type == "acknowledge" or isinstance(value, bool):
            return self.texts("dossier.yes" if value not in (False, "", 0) else "dossier.no")
        if not isinstance(value, int | str):
            return ", ".join(self.evaluation.choice_label(question, name) for name in value)
        if question.type == "select_multiple" and isinstance(value, str):
            return ", ".join(self.evaluation.choice_label(question, name) for name in value.split())
        if question.type == "select_one":
            return self.evaluation.choice_label(question, str(value))
        if question.type == "date" and isinstance(value, str) and len(value) >= 10:
            return f"{value[8:10]}.{value[5:7]}.{value[:4]}"
        return str(value)


def _is_shown(question: Question) -> bool:
    """Whether the question belongs into a list of answers: notes and calculations say nothing by themselves."""
    return question.type in ASKED and not question.elsewhere


def find_line(themes: Iterable[ThemeRead], path: str) -> Line | None:
    """The question at a path."""
    return next((line for theme in themes for line in theme.lines if line.path == path), None)
