"""Rules, votes, elections and bars have their words in three languages, and no English slips into the others."""

from __future__ import annotations

import re
import string
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import get_args

import pytest

from shared.deadlines import read_calendar
from shared.elections import TieStep
from shared.eligibility import BARS, LAWS, BarAnswer, Result
from shared.law.law import CONFIDENCES, Rule, read_rules
from shared.law.words import basis_of, confidence_of, name_of, slug, value_of
from shared.texts import LANGUAGES, Language, texts
from shared.texts.build import joined
from shared.votes import Choice, Ground, Outcome, Place, count_votes
from tests.shared.test_votes import LAW, a_count
from tests.shared.test_votes import LAWS as VOTING_LAWS

BOOK = read_rules()
_SAME_EVERYWHERE = {"HRC", "CAT", "CEDAW", "CRPD", "CRC", "CERD", "I", "VII", "V"}
_LAW_KEYS: dict[str, str] = {
    "penal_executive_code": "penal_executive_code",
    "health_code": "health_code",
    "social_code": "social_code",
    "law_353": "law_353_i",
    "child_law": "child_law",
    "juvenile_offences_law": "juvenile_offences_law",
}


def latin_words(sentence: str) -> set[str]:
    return set(re.findall(r"[A-Za-z]+", sentence)) - _SAME_EVERYWHERE


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_rule_reads_in_every_language(language: Language) -> None:
    words = texts(language)
    for rule in BOOK.rules:
        said = [name_of(rule, words), value_of(rule, words), basis_of(rule, words), confidence_of(rule, words)]
        assert all(said), rule.key
        if language != "en":
            assert not latin_words(" ".join(said)), (rule.key, said)
        assert words(f"law.area.{rule.key.split('.')[0]}")


@pytest.mark.parametrize(
    ("language", "key", "value", "basis"),
    [
        ("ru", "report.submit.special", "3 рабочих дня", "в законах нет"),
        ("kk", "report.submit.special", "3 жұмыс күні", "заңдарда жоқ"),
        ("en", "pd.breach_notice", "1 working day", "Law 94-V, art. 25 para 2(8)"),
        ("ru", "pd.breach_notice", "1 рабочий день", "Закон № 94-V, ст. 25, п. 2(8)"),
        ("kk", "visit.periodic.max_interval", "4 жыл", None),
        ("ru", "council.quorum", "2/3 от числа членов", None),
        ("kk", "council.majority", "қарапайым көпшілік", None),
        ("ru", "allegation.forwarded_unregistered", "3 суток", "УПК, ст. 179, ч. 4, ст. 181, ч. 5"),
        ("kk", "access.obstruction.forum", "сот", "Әкімшілік құқық бұзушылық туралы кодекс, 684-бап 1-бөлік"),
        ("en", "visit.group.max_size", "no value known", "not given"),
        ("ru", "petition.proceedings", "дисциплинарное; административное; уголовное", None),
    ],
)
def test_values_and_bases(language: Language, key: str, value: str, basis: str | None) -> None:
    rule = BOOK.history(key)[0]
    assert value_of(rule, texts(language)) == value
    assert basis is None or basis_of(rule, texts(language)) == basis


def test_what_the_office_typed_is_shown_as_typed() -> None:
    rule = replace(BOOK.history("visit.interpreter")[0], value="по заявке группы", legal_basis="Приказ № 5, п. 3")
    assert value_of(rule, texts("kk")) == "по заявке группы"
    assert basis_of(rule, texts("kk")) == "Приказ № 5, п. 3"


def needed_keys() -> Iterator[str]:
    yield from (f"votes.choice.{choice}" for choice in get_args(Choice))
    yield from (f"votes.outcome.{outcome}" for outcome in get_args(Outcome))
    yield from (f"votes.ground.{ground}" for ground in Ground)
    yield from (f"votes.{part}.{place}" for place in Place for part in ("place", "legend"))
    yield from (f"elections.tie.{step}" for step in get_args(TieStep))
    yield from (f"elections.place.{place}" for place in ("elected", "tied", "not_elected"))
    yield from (f"law.confidence{part}.{slug(tag)}" for tag in CONFIDENCES for part in ("", "_note"))
    yield from (f"law.act.{_LAW_KEYS[law]}" for law in LAWS)
    yield from (f"law.eligibility.{result}" for result in get_args(Result))
    yield from (f"law.bar_answer.{answer}" for answer in get_args(BarAnswer))
    for bar in BARS:
        yield from (f"law.bar.{bar.key}", f"law.bar.{bar.key}.paper")
        yield from (f"law.bar.{bar.key}.{variant}" for variant in bar.variants.values())
    calendar = read_calendar()
    yield from (f"law.holiday.{name}" for name in set(calendar.days_off(2026).values()) | {"moved"})
    for rule in BOOK.rules:
        yield from (f"law.value.{slug(choice)}" for choice in rule.choices if "/" not in choice)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_word_the_rules_can_say_exists(language: Language) -> None:
    assert [key for key in needed_keys() if not texts(language).has(key)] == []


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("is_open", [True, False])
def test_every_line_of_a_calculation_can_be_said(language: Language, is_open: bool) -> None:
    words = texts(language)
    said = set()
    for votes in ("", "ffff", "ffffaaaa", "aaaaffff", "-fffaaa-", "fffffaaa", "ffffa-", "aaaaaaaaa", "ffffff-aa"):
        for law in VOTING_LAWS:
            counted = count_votes(a_count(votes, recused=1, is_open=is_open), law)
            for step in counted.steps:
                line = words(f"votes.step.{step.name}") + " " + words(f"votes.formula.{step.formula}", **step.facts)
                assert "{" not in line
                said.add(step.formula)
            tally = counted.tally
            facts = {"needed": tally.needed_for, "quorum": tally.quorum_needed}
            words(f"votes.ground.{counted.ground}", votes_for=tally.votes_for, taking_part=tally.taking_part, **facts)
    assert len(said) >= 8


def test_the_page_says_the_example_in_whole_sentences() -> None:
    counted = count_votes(a_count("ffffa-", recused=1, not_there=1, is_open=True), LAW)
    words = texts("ru")
    assert words("votes.formula.quorum_rounded", **counted.steps[1].facts) == "11 × 2/3 = 7 1/3; округляем вверх"
    assert words("votes.formula.needed_simple", **counted.steps[3].facts) == "Больше половины: 9 / 2 = 4 1/2, значит 5"
    assert words.plural("votes.missing", counted.tally.missing) == "1 голос"


@pytest.mark.parametrize("part", ["law", "votes", "elections"])
def test_the_languages_name_the_same_facts(part: str) -> None:
    def facts_of(language: Language) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        for message in joined(language):
            key = str(message.id[0] if isinstance(message.id, tuple) else message.id)
            forms = message.string if isinstance(message.string, tuple) else (message.string,)
            if key.startswith(f"{part}."):
                found[key] = {
                    field for form in forms for _, field, _, _ in string.Formatter().parse(str(form)) if field
                }
        return found

    kazakh, russian, english = (facts_of(language) for language in LANGUAGES)
    assert kazakh == russian == english


def test_a_rule_changed_by_the_office_keeps_its_name() -> None:
    day = date(2027, 1, 1)
    book = BOOK.changed("member.term", "3", legal_basis="", confidence="T", decided_on=day, valid_from=day)
    rule: Rule = book.on(day).rule("member.term")
    assert (name_of(rule, texts("ru")), value_of(rule, texts("ru"))) == ("Срок полномочий участника НПМ", "3 года")
