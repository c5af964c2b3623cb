"""The legal numbers and choices in force on a date, each with its legal basis and how sure it is.

Read once at start (`read_rules`), changed by the office through `LawBook.changed`, asked through `LawBook.on(date)`.
Never decides anything itself and never falls back to a number of its own: an unknown rule is an error.
Source: rules.toml; DESIGN section 5.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal, get_args

import msgspec

Confidence = Literal["T", "N", "K+", "K", "U", "design"]
CONFIDENCES: tuple[Confidence, ...] = get_args(Confidence)
RULES = Path(__file__).parent / "rules.toml"

_FLAGS = {"yes": True, "on": True, "required": True, "no": False, "off": False}
_DAY_UNITS = frozenset({"days", "calendar days", "working day", "working days"})
_WHOLE_UNITS = _DAY_UNITS | {
    "hours", "minutes", "month", "months", "years", "terms", "count", "members", "report", "MCI", "MCI per member",
    "per quarter", "MB",
}  # fmt: skip
_NEEDED = frozenset({"key", "value", "unit", "confidence"})
_FIELDS = _NEEDED | {"choices", "applies_to", "legal_basis", "source", "valid_from", "valid_to", "note"}


class RuleUnknown(LookupError):
    """No rule of this name exists, or none is in force on the day asked about."""

    def __init__(self, key: str, on: date | None = None) -> None:
        super().__init__(f"rule {key} is unknown" if on is None else f"rule {key} is not in force on {on:%d.%m.%Y}")
        self.key = key
        self.on = on


class RuleUnreadable(ValueError):
    """The value of a rule cannot be read as what its unit promises, or is none of its choices."""

    def __init__(self, key: str, value: str, wanted: str) -> None:
        super().__init__(f"rule {key}: {value!r} is not {wanted}")
        self.key = key
        self.value = value
        self.wanted = wanted


class ChangeInThePast(ValueError):
    """A change of a rule would alter what held on days that are over."""

    def __init__(self, key: str, valid_from: date, decided_on: date) -> None:
        super().__init__(f"rule {key}: {valid_from:%d.%m.%Y} is before the decision of {decided_on:%d.%m.%Y}")
        self.key = key
        self.valid_from = valid_from
        self.decided_on = decided_on


@dataclass(frozen=True, slots=True)
class Rule:
    """One value of one rule and the days it holds.

    value                 text as written; "" = no value known; lists are divided by "|"
    choices               the only values the software understands; empty = any that fits the unit
    valid_from, valid_to  first and last day in force, both included; None = not limited
    """

    key: str
    value: str
    unit: str
    applies_to: tuple[str, ...]
    legal_basis: str
    confidence: Confidence
    source: tuple[str, ...] = ()
    valid_from: date | None = None
    valid_to: date | None = None
    note: str = ""
    choices: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.key:
            raise RuleUnreadable(self.key, self.value, "a rule with a name")
        if self.confidence not in CONFIDENCES:
            raise RuleUnreadable(self.key, str(self.confidence), "a confidence")
        if self.valid_from and self.valid_to and self.valid_to < self.valid_from:
            raise RuleUnreadable(self.key, f"{self.valid_from} to {self.valid_to}", "a span of days")
        _check_value(self)

    @property
    def is_confirmed(self) -> bool:
        """Whether the text of the act was read; pages mark the others "set by the office, text not confirmed"."""
        return self.confidence == "T"

    def holds_on(self, day: date) -> bool:
        """Whether the rule is in force on the day."""
        return (self.valid_from or date.min) <= day <= (self.valid_to or date.max)


class UsedRule(msgspec.Struct, frozen=True, omit_defaults=True):
    """A rule as a decision stores it: what was used, how sure it was and since when it held."""

    key: str
    value: str
    unit: str
    confidence: Confidence
    legal_basis: str = ""
    valid_from: date | None = None


@dataclass(frozen=True, slots=True)
class Amount:
    """A whole number with its unit, as `shared.deadlines.due` takes it."""

    value: int
    unit: str


class Law:
    """The rules in force on one day."""

    def __init__(self, on: date, rules: Mapping[str, Rule], known: frozenset[str]) -> None:
        self.on = on
        self._rules = rules
        self._known = known

    def rule(self, key: str) -> Rule:
        """The rule with everything known of it. Raises RuleUnknown."""
        try:
            return self._rules[key]
        except KeyError:
            raise RuleUnknown(key, self.on if key in self._known else None) from None

    def rules(self) -> tuple[Rule, ...]:
        """All rules in force, in the order of the file."""
        return tuple(self._rules.values())

    def value(self, key: str) -> str | None:
        """The value as written; None when no value is known. Raises RuleUnknown."""
        return self.rule(key).value or None

    def text(self, key: str) -> str:
        """The value as written. Raises RuleUnknown; RuleUnreadable when no value is known."""
        return self._filled(key, "a value").value

    def items(self, key: str) -> tuple[str, ...]:
        """The entries of a list, in order; empty when no value is known. Raises RuleUnknown."""
        return tuple(part for part in self.rule(key).value.split("|") if part)

    def whole(self, key: str) -> int:
        """The whole number. Raises RuleUnknown; RuleUnreadable when it is none or no value is known."""
        return _whole(self._filled(key, "a whole number"))

    def limit(self, key: str) -> int | None:
        """The whole number; None when no limit is known. Raises RuleUnknown, RuleUnreadable."""
        rule = self.rule(key)
        return _whole(rule) if rule.value else None

    def fraction(self, key: str) -> Fraction:
        """The share or number, exact: "2/3" or "1". Raises RuleUnknown; RuleUnreadable."""
        return _fraction(self._filled(key, "a fraction"))

    def flag(self, key: str) -> bool:
        """Whether the rule says yes, on or required. Raises RuleUnknown; RuleUnreadable when it is no such word."""
        return _flag(self._filled(key, "yes or no"))

    def days(self, key: str) -> int:
        """The number of a rule in days of any kind; `amount` tells which. Raises RuleUnknown, RuleUnreadable."""
        rule = self._filled(key, "a number of days")
        if rule.unit not in _DAY_UNITS:
            raise RuleUnreadable(key, f"{rule.value} {rule.unit}", "a number of days")
        return _whole(rule)

    def amount(self, key: str) -> Amount:
        """The number with its unit, for `deadlines.due`. Raises RuleUnknown, RuleUnreadable."""
        return Amount(self.whole(key), self.rule(key).unit)

    def used(self, keys: Iterable[str]) -> list[UsedRule]:
        """The named rules as a decision stores them, in the order given. Raises RuleUnknown."""
        return [used_rule(self.rule(key)) for key in keys]

    def _filled(self, key: str, wanted: str) -> Rule:
        rule = self.rule(key)
        if not rule.value:
            raise RuleUnreadable(key, "", wanted)
        return rule


@dataclass(frozen=True, slots=True)
class LawBook:
    """All rules with all their dated values: those of the file first, then the office's changes in their order."""

    rules: tuple[Rule, ...]

    def on(self, day: date) -> Law:
        """The law of that day: of the values in force the one that began last, of equals the one recorded last."""
        law: dict[str, Rule] = {}
        for rule in self.rules:
            if not rule.holds_on(day):
                continue
            standing = law.get(rule.key)
            if standing is None or (rule.valid_from or date.min) >= (standing.valid_from or date.min):
                law[rule.key] = rule
        return Law(day, law, frozenset(rule.key for rule in self.rules))

    def history(self, key: str) -> tuple[Rule, ...]:
        """Every value the rule ever had, in the order recorded. Raises RuleUnknown."""
        found = tuple(rule for rule in self.rules if rule.key == key)
        if not found:
            raise RuleUnknown(key)
        return found

    def changed(
        self,
        key: str,
        value: str,
        *,
        legal_basis: str,
        confidence: Confidence,
        decided_on: date,
        valid_from: date,
        valid_to: date | None = None,
        unit: str | None = None,
        source: Iterable[str] = (),
        note: str = "",
    ) -> LawBook:
        """The book with one more value of a rule; the earlier values and what held on past days stay as they are.

        valid_from  first day of the new value, not before `decided_on`
        valid_to    last day, None = until another value begins; behind it the earlier value holds again
        unit        None = as before

        Raises RuleUnknown for a key the software does not know, RuleUnreadable for a value it could not use,
        ChangeInThePast. Source: DESIGN section 5.
        """
        latest = self.history(key)[-1]
        if valid_from < decided_on:
            raise ChangeInThePast(key, valid_from, decided_on)
        change = replace(
            latest,
            value=value.strip(),
            unit=latest.unit if unit is None else unit,
            legal_basis=legal_basis,
            confidence=confidence,
            source=tuple(source),
            valid_from=valid_from,
            valid_to=valid_to,
            note=note,
        )
        return LawBook((*self.rules, change))


def used_rule(rule: Rule) -> UsedRule:
    """A rule as a decision stores it."""
    return UsedRule(
        key=rule.key,
        value=rule.value,
        unit=rule.unit,
        confidence=rule.confidence,
        legal_basis=rule.legal_basis,
        valid_from=rule.valid_from,
    )


def read_rules(path: Path = RULES) -> LawBook:
    """The rules of a file.

    Raises RuleUnreadable naming the rule, ValueError for a doubled key or an unknown field, TOMLDecodeError, OSError.
    """
    return rules_from(path.read_text(encoding="utf-8"))


def rules_from(source: str) -> LawBook:
    """The rules of a TOML text; errors as `read_rules`."""
    rules = tuple(_rule(entry) for entry in tomllib.loads(source).get("rule", []))
    seen: set[str] = set()
    for rule in rules:
        if rule.key in seen:
            raise ValueError(f"rule {rule.key} stands twice")
        seen.add(rule.key)
    return LawBook(rules)


def _rule(entry: dict[str, Any]) -> Rule:
    if unknown := entry.keys() - _FIELDS:
        raise ValueError(f"rule {entry.get('key')}: unknown fields {sorted(unknown)}")
    if missing := _NEEDED - entry.keys():
        raise ValueError(f"rule {entry.get('key')}: missing fields {sorted(missing)}")
    return Rule(
        key=entry["key"],
        value=entry["value"],
        unit=entry["unit"],
        applies_to=tuple(entry.get("applies_to", "").split("|")),
        legal_basis=entry.get("legal_basis", ""),
        confidence=entry["confidence"],
        source=tuple(part for part in entry.get("source", "").split(";") if part),
        valid_from=entry.get("valid_from"),
        valid_to=entry.get("valid_to"),
        note=entry.get("note", ""),
        choices=tuple(entry.get("choices", ())),
    )


def _check_value(rule: Rule) -> None:
    if not rule.value:
        return
    if rule.choices and rule.value not in rule.choices:
        raise RuleUnreadable(rule.key, rule.value, f"one of {', '.join(rule.choices)}")
    if rule.unit in _WHOLE_UNITS:
        _whole(rule)
    elif rule.unit == "flag":
        _flag(rule)
    elif rule.unit == "of members" and not rule.choices:
        if not 0 < _fraction(rule) <= 1:
            raise RuleUnreadable(rule.key, rule.value, "a share above 0 and up to 1")
    elif rule.unit == "date":
        _date(rule)


def _whole(rule: Rule) -> int:
    if not (rule.value.isascii() and rule.value.isdigit() and len(rule.value) <= 9):
        raise RuleUnreadable(rule.key, rule.value, "a whole number")
    return int(rule.value)


def _fraction(rule: Rule) -> Fraction:
    parts = rule.value.split("/")
    if len(parts) > 2 or not all(part.isascii() and part.isdigit() and len(part) <= 9 for part in parts):
        raise RuleUnreadable(rule.key, rule.value, "a fraction")
    if int(parts[-1]) == 0 and len(parts) == 2:
        raise RuleUnreadable(rule.key, rule.value, "a fraction")
    return Fraction(int(parts[0]), int(parts[1]) if len(parts) == 2 else 1)


def _flag(rule: Rule) -> bool:
    if rule.value not in _FLAGS:
        raise RuleUnreadable(rule.key, rule.value, "yes or no")
    return _FLAGS[rule.value]


def _date(rule: Rule) -> date:
    try:
        return date.fromisoformat(rule.value)
    except ValueError:
        raise RuleUnreadable(rule.key, rule.value, "a date") from None
