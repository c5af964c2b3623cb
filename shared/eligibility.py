"""Whether a candidate may become a member of the NPM: the ten bars and the laws they stand in.

Asked at the application and again at every later check. It never sees a paper and never keeps which bar was met:
`EligibilityRecord` holds the result, its date and the laws it was checked under.
Source: domain section 4.1, rules member.bar.* of rules.toml.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Literal, get_args

import msgspec

from shared.law.law import Law, UsedRule

LawName = Literal[
    "penal_executive_code", "health_code", "social_code", "law_353", "child_law", "juvenile_offences_law"
]  # fmt: skip
LAWS: tuple[LawName, ...] = get_args(LawName)
BarAnswer = Literal["clear", "barred", "unknown"]
Result = Literal["eligible", "ineligible", "incomplete"]


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar.

    key       short name; text `law.bar.<key>`, the paper asked for `law.bar.<key>.paper`
    laws      laws it stands in
    variants  laws whose wording differs → text `law.bar.<key>.<variant>`
    """

    key: str
    laws: frozenset[LawName]
    variants: Mapping[LawName, str] = field(hash=False)

    @property
    def rule(self) -> str:
        """Key of the rule with its legal basis."""
        return f"member.bar.{self.key}"


_ALL = frozenset(LAWS)

BARS: tuple[Bar, ...] = (
    Bar("conviction", _ALL, {}),
    Bar("suspect", _ALL, {"law_353": "crime"}),
    Bar("capacity", _ALL, {}),
    Bar("office", _ALL, {"law_353": "without_civil_protection", "child_law": "without_civil_protection"}),
    Bar("health_register", _ALL, {"health_code": "mental_health_organisation"}),
    Bar(
        "released",
        _ALL,
        {"health_code": "shorter_list", "law_353": "non_rehabilitating", "child_law": "non_rehabilitating"},
    ),
    Bar("dismissed", _ALL, {"law_353": "without_civil_protection", "child_law": "without_civil_protection"}),
    Bar("disbarred", _ALL, {}),
    Bar("licence", _ALL, {}),
    Bar("citizenship", _ALL, {}),
)
BY_KEY: Mapping[str, Bar] = {bar.key: bar for bar in BARS}


class EligibilityRecord(msgspec.Struct, frozen=True):
    """What is kept of a check: the result, its day and the laws. Not the bars, not the papers."""

    result: Result
    checked_on: date
    laws: tuple[LawName, ...]


@dataclass(frozen=True, slots=True)
class Eligibility:
    """The answer to a check; `barred` and `unknown` are for the person at the desk and are not kept."""

    result: Result
    barred: tuple[str, ...]
    unknown: tuple[str, ...]
    laws: tuple[LawName, ...]

    def record(self, checked_on: date) -> EligibilityRecord:
        """What is kept of it."""
        return EligibilityRecord(self.result, checked_on, self.laws)


def bars_under(laws: Collection[LawName] = LAWS) -> tuple[Bar, ...]:
    """The union of the bars of these laws, each once, the widest wording of each.

    A member who visits under all six laws must pass all of them. Source: domain section 4.1, note.
    """
    return tuple(bar for bar in BARS if bar.laws & set(laws))


def check(answers: Mapping[str, BarAnswer], laws: Collection[LawName] = LAWS) -> Eligibility:
    """Whether the answers let a candidate stand; a bar without an answer is unknown.

    answers  bar → clear (nothing bars), barred, unknown
    laws     laws under which the member will visit, all six unless told

    One barred makes ineligible, whatever else is unknown. Raises ValueError for a bar or law nobody knows.
    """
    if strange := (answers.keys() - BY_KEY.keys()) | (set(laws) - _ALL):
        raise ValueError(f"unknown bars or laws: {sorted(strange)}")
    asked = [bar.key for bar in bars_under(laws)]
    if not asked:
        raise ValueError("no law to check under")
    barred = tuple(key for key in asked if answers.get(key) == "barred")
    unknown = tuple(key for key in asked if answers.get(key, "unknown") == "unknown")
    result: Result = "ineligible" if barred else "incomplete" if unknown else "eligible"
    return Eligibility(result, barred, unknown, tuple(law for law in LAWS if law in laws))


def rules_of(law: Law, laws: Collection[LawName] = LAWS) -> list[UsedRule]:
    """The rules a check uses, as a decision stores them. Raises RuleUnknown."""
    return law.used(bar.rule for bar in bars_under(laws))
