"""Rules by date: what the file holds, what a change may and may not alter."""

from __future__ import annotations

import tomllib
from datetime import date
from fractions import Fraction

import msgspec
import pytest

from shared.law.law import (
    RULES,
    ChangeInThePast,
    LawBook,
    RuleUnknown,
    RuleUnreadable,
    UsedRule,
    read_rules,
    rules_from,
)

TODAY = date(2026, 11, 22)
BOOK = read_rules()
LAW = BOOK.on(TODAY)


def a_change(book: LawBook, key: str, value: str, valid_from: date, **others: object) -> LawBook:
    facts = {"legal_basis": "Order No. 5", "confidence": "T", "decided_on": TODAY, **others}
    return book.changed(key, value, valid_from=valid_from, **facts)  # type: ignore[arg-type]


def test_the_file_holds_every_rule_once_in_a_stable_order() -> None:
    keys = [rule.key for rule in BOOK.rules]
    assert len(keys) == len(set(keys)) == 135
    assert keys[0] == "visit.type.periodic"
    assert keys[-3:] == ["iwg.followup_views", "council.recused_in_base", "election.tie"]


@pytest.mark.parametrize(
    ("key", "value", "unit", "confidence"),
    [
        ("visit.periodic.max_interval", "4", "years", "T"),
        ("visit.group.min_size", "3", "members", "N"),
        ("visit.special.decision.urgent", "24", "hours", "U"),
        ("report.submit.special", "3", "working days", "U"),
        ("recommendation.reply.commissioner", "15", "working days", "T"),
        ("report.annual.publish", "1", "month", "T"),
        ("member.term", "2", "years", "K"),
        ("council.quorum", "2/3", "of members", "U"),
        ("council.majority", "simple", "of present", "U"),
        ("council.tie", "chair", "role", "U"),
        ("council.recused_in_base", "yes", "flag", "U"),
        ("election.tie", "second_round", "text", "U"),
        ("public.min_cell", "5", "count", "design"),
        ("photo.visit_quota", "600", "MB", "design"),
    ],
)
def test_first_values(key: str, value: str, unit: str, confidence: str) -> None:
    rule = LAW.rule(key)
    assert (rule.value, rule.unit, rule.confidence) == (value, unit, confidence)


def test_every_rule_in_force_can_be_read_as_its_unit_promises() -> None:
    for rule in LAW.rules():
        if rule.value and rule.unit == "flag":
            assert LAW.flag(rule.key) in (True, False)
        if rule.value and rule.unit in ("hours", "members", "working days", "MCI", "months"):
            assert LAW.whole(rule.key) > 0


def test_typed_values() -> None:
    assert LAW.whole("visit.group.min_size") == 3
    assert LAW.fraction("council.quorum") == Fraction(2, 3)
    assert LAW.flag("council.recused_in_base") is True
    assert LAW.flag("photo.member") is False
    assert LAW.flag("allegation.register") is True
    assert LAW.days("report.submit.planned") == 10
    assert (LAW.amount("member.term").value, LAW.amount("member.term").unit) == (2, "years")
    assert LAW.items("petition.proceedings") == ("disciplinary", "administrative", "criminal")
    assert LAW.rule("access.obstruction.fine.official").applies_to == ("access:commissioner", "representative")


def test_a_rule_without_a_value_means_no_limit_is_known() -> None:
    assert LAW.value("visit.group.max_size") is None
    assert LAW.limit("visit.group.max_size") is None
    assert LAW.limit("visit.group.min_size") == 3
    assert LAW.items("selection.papers") == ()
    with pytest.raises(RuleUnreadable, match=r"visit\.group\.max_size"):
        LAW.whole("visit.group.max_size")


def test_an_unknown_rule_is_named() -> None:
    with pytest.raises(RuleUnknown, match=r"council\.quorm") as caught:
        LAW.value("council.quorm")
    assert caught.value.key == "council.quorm"
    assert caught.value.on is None


@pytest.mark.parametrize("day", [date(2026, 6, 30), date(1999, 1, 1)])
def test_a_rule_not_yet_in_force_is_named_with_the_day(day: date) -> None:
    with pytest.raises(RuleUnknown, match=r"commissioner\.term is not in force on") as caught:
        BOOK.on(day).whole("commissioner.term")
    assert caught.value.on == day


def test_the_first_day_in_force_counts() -> None:
    assert BOOK.on(date(2026, 7, 1)).whole("commissioner.term") == 5


@pytest.mark.parametrize(
    ("key", "read"),
    [("council.majority", "whole"), ("council.tie", "flag"), ("visit.special.decision.urgent", "days")],
)
def test_a_value_is_never_read_as_something_else(key: str, read: str) -> None:
    with pytest.raises(RuleUnreadable, match=key):
        getattr(LAW, read)(key)


class TestChanges:
    def test_a_change_holds_from_its_first_day_and_leaves_the_past_alone(self) -> None:
        book = a_change(BOOK, "council.quorum", "1/2", date(2027, 1, 1))
        assert book.on(date(2026, 12, 31)).fraction("council.quorum") == Fraction(2, 3)
        assert book.on(date(2027, 1, 1)).fraction("council.quorum") == Fraction(1, 2)
        assert BOOK.on(date(2027, 1, 1)).fraction("council.quorum") == Fraction(2, 3)
        assert book.on(date(2027, 1, 1)).rule("council.quorum").confidence == "T"
        assert [rule.value for rule in book.history("council.quorum")] == ["2/3", "1/2"]

    def test_a_temporary_change_ends_and_the_earlier_value_holds_again(self) -> None:
        book = a_change(BOOK, "member.term", "3", date(2027, 1, 1), valid_to=date(2027, 12, 31))
        days = [date(2026, 12, 31), date(2027, 1, 1), date(2027, 12, 31), date(2028, 1, 1)]
        assert [book.on(day).whole("member.term") for day in days] == [2, 3, 3, 2]

    def test_a_change_recorded_later_does_not_delay_one_that_begins_later(self) -> None:
        book = a_change(BOOK, "member.term", "4", date(2027, 7, 1))
        book = a_change(book, "member.term", "3", date(2027, 3, 1))
        days = [date(2027, 2, 28), date(2027, 3, 1), date(2027, 6, 30), date(2027, 7, 1)]
        assert [book.on(day).whole("member.term") for day in days] == [2, 3, 3, 4]

    def test_of_two_changes_for_one_day_the_later_recorded_holds(self) -> None:
        book = a_change(BOOK, "member.term", "4", date(2027, 7, 1))
        book = a_change(book, "member.term", "3", date(2027, 7, 1))
        assert book.on(date(2027, 7, 1)).whole("member.term") == 3

    def test_no_series_of_changes_alters_a_day_that_is_over(self) -> None:
        book, days = BOOK, [date(2026, 1, 1), TODAY]
        before = [{rule.key: rule.value for rule in book.on(day).rules()} for day in days]
        for step in range(1, 40):
            key = ("member.term", "council.size", "visit.group.max_size")[step % 3]
            book = a_change(book, key, str(step), date.fromordinal(TODAY.toordinal() + 1 + step * 7 % 23))
        assert [{rule.key: rule.value for rule in book.on(day).rules()} for day in days] == before

    def test_a_change_in_the_past_is_refused(self) -> None:
        with pytest.raises(ChangeInThePast, match=r"member\.term"):
            a_change(BOOK, "member.term", "3", date(2026, 11, 21))
        assert a_change(BOOK, "member.term", "3", TODAY).on(TODAY).whole("member.term") == 3

    def test_a_rule_the_software_does_not_know_cannot_be_changed(self) -> None:
        with pytest.raises(RuleUnknown):
            a_change(BOOK, "member.pension", "3", TODAY)

    @pytest.mark.parametrize(
        ("key", "value"),
        [
            ("council.quorum", "two thirds"),
            ("council.quorum", "3/2"),
            ("council.quorum", "0"),
            ("council.quorum", "1/0"),
            ("council.quorum", "2/3/4"),
            ("council.majority", "large"),
            ("council.tie", "secretary"),
            ("member.term", "-2"),
            ("member.term", "2.5"),
            ("member.term", "٢"),
            ("member.term", "99999999999"),
            ("council.recused_in_base", "perhaps"),
            ("report.annual.approval_date", "31.03.2027"),
        ],
    )
    def test_a_value_that_could_not_be_used_is_refused(self, key: str, value: str) -> None:
        with pytest.raises(RuleUnreadable, match=key):
            a_change(BOOK, key, value, TODAY)

    def test_a_limit_may_be_set_and_lifted(self) -> None:
        book = a_change(BOOK, "visit.group.max_size", "6", TODAY)
        assert book.on(TODAY).limit("visit.group.max_size") == 6
        assert a_change(book, "visit.group.max_size", "", TODAY).on(TODAY).limit("visit.group.max_size") is None

    def test_a_span_that_ends_before_it_begins_is_refused(self) -> None:
        with pytest.raises(RuleUnreadable):
            a_change(BOOK, "member.term", "3", date(2027, 2, 1), valid_to=date(2027, 1, 31))


def test_a_decision_stores_what_it_used_and_keeps_it() -> None:
    used = LAW.used(["council.quorum", "commissioner.term"])
    assert [(rule.key, rule.value, rule.confidence, rule.valid_from) for rule in used] == [
        ("council.quorum", "2/3", "U", None),
        ("commissioner.term", "5", "T", date(2026, 7, 1)),
    ]
    stored = msgspec.json.encode(used)
    assert b"null" not in stored
    assert msgspec.json.decode(stored, type=list[UsedRule]) == used


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('[[rule]]\nkey="a"\nvalue="1"\nunit="days"\nconfidence="X"', "confidence"),
        ('[[rule]]\nkey="a"\nvalue="one"\nunit="days"\nconfidence="U"', "whole number"),
        ('[[rule]]\nkey="a"\nvalue="1"\nunit="days"', "missing"),
        ('[[rule]]\nkey="a"\nvalue="1"\nunit="days"\nconfidence="U"\ncolour="red"', "colour"),
        ('[[rule]]\nkey="a"\nvalue="1"\nunit="days"\nconfidence="U"\n' * 2, "twice"),
    ],
)
def test_a_broken_file_is_refused_with_its_reason(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        rules_from(text)


def test_every_source_named_by_a_rule_is_explained() -> None:
    sources = tomllib.loads((RULES.parent / "sources.toml").read_text(encoding="utf-8"))
    named = {key for rule in BOOK.rules for key in rule.source}
    assert named == set(sources)
    assert all(sources.values())
