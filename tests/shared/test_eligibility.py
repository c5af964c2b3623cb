"""The ten bars: their union over the laws, and what is kept of a check."""

from __future__ import annotations

import itertools
from datetime import date

import msgspec
import pytest

from shared.eligibility import BARS, BY_KEY, LAWS, BarAnswer, LawName, bars_under, check, rules_of
from shared.law.law import read_rules

LAW = read_rules().on(date(2026, 11, 22))
CLEAR: dict[str, BarAnswer] = dict.fromkeys(BY_KEY, "clear")


def test_there_are_ten_bars_and_each_has_its_rule_in_force() -> None:
    assert [bar.key for bar in BARS] == [
        "conviction", "suspect", "capacity", "office", "health_register",
        "released", "dismissed", "disbarred", "licence", "citizenship",
    ]  # fmt: skip
    rules = {rule.key for rule in LAW.rules() if rule.key.startswith("member.bar.")}
    assert rules == {bar.rule for bar in BARS}
    assert [rule.confidence for rule in rules_of(LAW)] == ["T"] * 9 + ["N"]


def test_a_clear_candidate_is_eligible() -> None:
    assert check(CLEAR).result == "eligible"
    assert check(CLEAR).laws == LAWS


@pytest.mark.parametrize("bar", sorted(BY_KEY))
def test_one_bar_is_enough(bar: str) -> None:
    answer = check({**CLEAR, bar: "barred"})
    assert (answer.result, answer.barred) == ("ineligible", (bar,))
    assert check({**CLEAR, bar: "unknown"}).result == "incomplete"
    left_out = {key: value for key, value in CLEAR.items() if key != bar}
    assert check(left_out).unknown == (bar,)


def test_barred_weighs_more_than_unknown() -> None:
    answer = check({"licence": "barred"})
    assert answer.result == "ineligible"
    assert len(answer.unknown) == 9


def test_every_combination_of_three_bars() -> None:
    answers: tuple[BarAnswer, ...] = ("clear", "barred", "unknown")
    for said in itertools.product(answers, repeat=3):
        result = check({**CLEAR, **dict(zip(("conviction", "office", "citizenship"), said, strict=True))}).result
        expected = "ineligible" if "barred" in said else "incomplete" if "unknown" in said else "eligible"
        assert result == expected


@pytest.mark.parametrize(
    ("bar", "law", "differs"),
    [
        ("suspect", "law_353", True),
        ("suspect", "child_law", False),
        ("office", "law_353", True),
        ("office", "penal_executive_code", False),
        ("office", "health_code", False),
        ("health_register", "health_code", True),
        ("released", "health_code", True),
        ("released", "child_law", True),
        ("released", "penal_executive_code", False),
        ("dismissed", "child_law", True),
        ("licence", "law_353", False),
    ],
)
def test_the_laws_differ_where_their_texts_do(bar: str, law: LawName, differs: bool) -> None:
    assert (law in BY_KEY[bar].variants) == differs


def test_the_union_over_any_laws_is_part_of_the_union_over_all() -> None:
    assert bars_under() == BARS
    for law in LAWS:
        assert set(bars_under([law])) <= set(bars_under())
    assert bars_under([]) == ()


def test_what_is_kept_names_no_bar() -> None:
    stored = msgspec.json.encode(check({**CLEAR, "health_register": "barred"}).record(date(2026, 3, 10)))
    assert msgspec.json.decode(stored) == {"result": "ineligible", "checked_on": "2026-03-10", "laws": list(LAWS)}
    assert not [bar for bar in BY_KEY if bar.encode() in stored]


def test_bars_and_laws_nobody_knows_are_refused() -> None:
    with pytest.raises(ValueError, match="debts"):
        check({**CLEAR, "debts": "barred"})
    with pytest.raises(ValueError, match="tax_code"):
        check(CLEAR, ["tax_code"])  # type: ignore[list-item]
    with pytest.raises(ValueError, match="no law"):
        check(CLEAR, [])
