"""A compiled checklist made ready: every item by its place, every expression parsed, every reference resolved.

Built once when a checklist is opened, then shared by all evaluations of it. `faults` names what the evaluator could
not work with; the importer refuses a workbook that has any, so an opened checklist has none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from shared.checklists.chains import chain_faults
from shared.checklists.definition import Checklist, Choice, Item, Question, Repeat, Words, walk
from shared.checklists.expression import Binary, Call, Negative, Node, Path, Ref, Text, Unparsable, parse, written
from shared.checklists.functions import DATE_FORMAT, FUNCTIONS, arity_of
from shared.checklists.paths import parent_of

OUTPUT = re.compile(r"\$\{\s*([A-Za-z_][A-Za-z0-9_.-]*)\s*\}", re.ASCII)
"""The place in a text where another item's value is shown."""

EXPRESSIONS = ("relevant", "required", "constraint", "calculation", "choice_filter", "count", "default")
TEXTS = ("label", "hint", "constraint_message", "required_message")


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with an item: its place, the field, a code and the facts for the sentence."""

    place: str
    field: str
    code: str
    facts: dict[str, str]


@dataclass(frozen=True, slots=True)
class Target:
    """What a reference points at: an item, and the repeats whose rows have to be gone through to reach it."""

    place: str
    shared_repeats: int


@dataclass(slots=True)
class Entry:
    """An item in its place. `repeats`: the repeats around it, outermost first, without itself."""

    place: str
    item: Item
    repeats: tuple[str, ...]
    expressions: dict[str, Node] = field(default_factory=dict)

    @property
    def own_repeats(self) -> tuple[str, ...]:
        """The repeats whose rows the item's own expressions know: for a repeat its own row too."""
        return (*self.repeats, self.place) if isinstance(self.item, Repeat) else self.repeats


class Form:
    """A checklist with its items by place and its expressions parsed."""

    def __init__(self, checklist: Checklist) -> None:
        self.checklist = checklist
        self.entries: dict[str, Entry] = {}
        self.faults: list[Fault] = []
        self.choices: dict[str, tuple[Choice, ...]] = {each.name: each.choices for each in checklist.lists}
        self._by_name: dict[str, list[str]] = {}
        for place, item in walk(checklist.items):
            self._enter(place, item)
        for entry in self.entries.values():
            self._parse(entry)
        for entry in self.entries.values():
            self._check(entry)
        if not self.faults:
            for place, aspect, code in chain_faults(self):
                self.faults.append(Fault(place, aspect, code, {"name": place.rsplit("/", 1)[-1]}))

    def _enter(self, place: str, item: Item) -> None:
        if place in self.entries:
            self.faults.append(Fault(place, "name", "name_twice", {"name": item.name}))
            return
        above = self.entries.get(parent_of(place))
        self.entries[place] = Entry(place, item, above.own_repeats if above else ())
        self._by_name.setdefault(item.name, []).append(place)

    def _parse(self, entry: Entry) -> None:
        for name in EXPRESSIONS:
            text = getattr(entry.item, name, "")
            if not text or (name == "default" and not is_dynamic(text)):
                continue
            try:
                entry.expressions[name] = parse(text)
            except Unparsable as error:
                facts = {"reason": error.code, "at": str(error.at + 1), "text": text[:80]}
                self.faults.append(Fault(entry.place, name, "unparsable", facts))

    def _check(self, entry: Entry) -> None:
        for name, node in entry.expressions.items():
            checker = Checker(self, entry, name)
            checker.check(node)
            self.faults.extend(checker.faults)
        for name in TEXTS:
            words = getattr(entry.item, name, None)
            for output in outputs(words) if words else ():
                target = self.target(entry, Ref(output))
                if target is None:
                    self.faults.append(Fault(entry.place, name, "unknown_reference", {"name": output}))
                elif target.shared_repeats < len(self.entries[target.place].repeats):
                    self.faults.append(Fault(entry.place, name, "many_rows", {"name": output}))

    def named(self, name: str) -> list[str]:
        """Places of all items of this name."""
        return self._by_name.get(name, [])

    def known_values(self, facts: Mapping[str, str]) -> dict[str, str]:
        """Values of the items the visit knows, by path. `facts`: region, inst_type, institution, visit_type, date…"""
        wanted = {place: getattr(entry.item, "known", "") for place, entry in self.entries.items()}
        return {place: facts[name] for place, name in wanted.items() if facts.get(name)}

    def target(self, entry: Entry, node: Ref | Path) -> Target | None:
        """What a reference in an expression of `entry` points at; None when it points at nothing or at several."""
        place = self._place(entry, node)
        if place is None or place not in self.entries:
            return None
        around = self.entries[place].repeats
        common = 0
        for ours, theirs in zip(entry.own_repeats, around, strict=False):
            if ours != theirs:
                break
            common += 1
        return Target(place, common)

    def _place(self, entry: Entry, node: Ref | Path) -> str | None:
        if isinstance(node, Ref):
            places = self.named(node.name)
            return places[0] if len(places) == 1 else None
        if node.absolute:
            return "".join(f"/{name}" for name in node.names[1:])
        place = entry.place
        if node.names and not node.up:
            return None
        for _ in range(node.up):
            if not place:
                return None
            place = parent_of(place)
        return place + "".join(f"/{name}" for name in node.names)

    def references(self, entry: Entry, node: Node) -> Iterator[Target]:
        """Every item an expression of `entry` reads."""
        match node:
            case Ref() | Path():
                target = self.target(entry, node)
                if target is not None:
                    yield target
            case Call():
                for each in node.arguments:
                    yield from self.references(entry, each)
            case Binary():
                yield from self.references(entry, node.left)
                yield from self.references(entry, node.right)
            case Negative():
                yield from self.references(entry, node.of)
            case _:
                return


class Checker:
    """Goes through one expression and notes what the evaluator does not know."""

    def __init__(self, form: Form, entry: Entry, field_name: str) -> None:
        self.form = form
        self.entry = entry
        self.field = field_name
        self.faults: list[Fault] = []

    def fault(self, code: str, **facts: str) -> None:
        self.faults.append(Fault(self.entry.place, self.field, code, facts))

    def check(self, node: Node, rows_allowed: bool = False) -> None:
        match node:
            case Binary():
                self.check(node.left)
                self.check(node.right)
            case Negative():
                self.check(node.of)
            case Call():
                self._check_call(node)
            case Ref():
                self._check_target(node, "${" + node.name + "}", rows_allowed)
            case Path():
                self._check_path(node, rows_allowed)
            case _:
                return

    def _check_path(self, node: Path, rows_allowed: bool) -> None:
        if node == Path(False, 0, ()) or node == Path(False, 0, (), True):
            return
        if not node.absolute and not node.up:
            if self.field != "choice_filter" or len(node.names) != 1:
                self.fault("unknown_reference", name="/".join(node.names))
            return
        self._check_target(node, "/".join(node.names) or "..", rows_allowed)

    def _check_target(self, node: Ref | Path, name: str, rows_allowed: bool) -> None:
        if isinstance(node, Ref) and len(self.form.named(node.name)) > 1:
            self.fault("ambiguous_reference", name=name)
            return
        target = self.form.target(self.entry, node)
        if target is None:
            self.fault("unknown_reference", name=name)
            return
        found = self.form.entries[target.place]
        if not rows_allowed and (target.shared_repeats < len(found.repeats) or not isinstance(found.item, Question)):
            self.fault("many_rows", name=name)

    def _check_call(self, call: Call) -> None:
        arity = arity_of(call.name)
        if arity is None:
            self.fault("unknown_function", name=call.name)
            return
        if not arity[0] <= len(call.arguments) <= arity[1]:
            self.fault("wrong_arguments", name=call.name)
            return
        special = {
            "position": self._check_position,
            "indexed-repeat": self._check_indexed,
            "jr:choice-name": self._check_choice_name,
        }.get(call.name)
        if special is not None:
            special(call)
            return
        known = FUNCTIONS.get(call.name)
        for each in call.arguments:
            self.check(each, rows_allowed=known is not None and known.takes_rows)
        if call.name == "regex":
            pattern = call.arguments[1]
            if not isinstance(pattern, Text) or not is_safe_pattern(pattern.text):
                self.fault("bad_pattern", name=written(pattern)[:80])
        if call.name.startswith("format-date"):
            form = call.arguments[1]
            if not isinstance(form, Text) or not DATE_FORMAT.fullmatch(form.text):
                self.fault("bad_date_format", name=call.name)

    def _check_position(self, call: Call) -> None:
        place = call.arguments[0]
        target = self.form.target(self.entry, place) if isinstance(place, (Path, Ref)) else None
        if target is None or target.place not in self.entry.own_repeats:
            self.fault("no_row_here", name=call.name)

    def _check_indexed(self, call: Call) -> None:
        if len(call.arguments) % 2 == 0:
            self.fault("wrong_arguments", name=call.name)
            return
        question, *pairs = call.arguments
        self.check(question, rows_allowed=True)
        for repeat, index in zip(pairs[::2], pairs[1::2], strict=True):
            self.check(index)
            target = self.form.target(self.entry, repeat) if isinstance(repeat, (Path, Ref)) else None
            if target is None or not isinstance(self.form.entries[target.place].item, Repeat):
                self.fault("no_repeat", name=call.name)

    def _check_choice_name(self, call: Call) -> None:
        self.check(call.arguments[0])
        question = named_in(call.arguments[1])
        target = self.form.target(self.entry, question) if question is not None else None
        item = self.form.entries[target.place].item if target is not None else None
        if not isinstance(item, Question) or not (item.choices or item.external):
            self.fault("no_choices", name=call.name)


def is_dynamic(default: str) -> bool:
    """Whether a default is an expression: it calls a function or names another item."""
    return "${" in default or re.search(r"[a-z]\(", default) is not None


def outputs(words: Words) -> set[str]:
    """Names of the items whose values the text shows, in any language."""
    return {name for text in (words.kk, words.ru, words.en) for name in OUTPUT.findall(text)}


def named_in(node: Node) -> Ref | Path | None:
    """The reference written inside the quoted second argument of jr:choice-name."""
    if not isinstance(node, Text):
        return node if isinstance(node, Ref) else None
    try:
        inner = parse(node.text)
    except Unparsable:
        return None
    return inner if isinstance(inner, (Ref, Path)) else None


def is_safe_pattern(pattern: str) -> bool:
    """Whether a pattern can be read and cannot take for ever.

    Refused are repetitions of a group that itself repeats or offers alternatives, and more than four open repetitions.
    """
    try:
        re.compile(pattern)
    except (re.error, RecursionError, OverflowError):
        return False
    bare = re.sub(r"\\.|\[\^?\]?[^\]]*\]", "x", pattern)
    if len(re.findall(r"[*+]|\{\d*,\}", bare)) > 4:
        return False
    choosing = [False]
    for at, sign in enumerate(bare):
        if sign == "(":
            choosing.append(False)
        elif sign == ")" and len(choosing) > 1:
            inner = choosing.pop()
            repeated = bare[at + 1 : at + 2] in ("*", "+", "{")
            if inner and repeated:
                return False
            choosing[-1] |= inner or repeated
        elif sign in "*+{|":
            choosing[-1] = True
    return True
