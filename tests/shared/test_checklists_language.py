"""The checklist language: it reads what it writes, refuses what it does not know, and means what ODK means."""
# ruff: noqa: E501

from __future__ import annotations

import math
from datetime import date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.checklists.definition import Checklist, Choice, ChoiceList, Group, Question, Repeat, Words
from shared.checklists.evaluate import Evaluation
from shared.checklists.expression import (
    DEPTH_LIMIT,
    LENGTH_LIMIT,
    TERMS_LIMIT,
    Binary,
    Call,
    Negative,
    Number,
    Path,
    Ref,
    Text,
    Unparsable,
    parse,
    written,
)
from shared.checklists.form import Form, is_safe_pattern
from shared.checklists.functions import FORM_FUNCTIONS, FUNCTIONS

TODAY = date(2026, 3, 7)
NOW = datetime.fromisoformat("2026-03-07T14:05:00+05:00")

NAMES = st.from_regex(r"[a-z_][a-z0-9_]{0,5}", fullmatch=True).filter(lambda n: n not in ("or", "and", "div", "mod"))
LEAVES = st.one_of(
    st.from_regex(r"[0-9]{1,4}(\.[0-9]{1,3})?", fullmatch=True).map(Number),
    st.text(st.characters(blacklist_characters="'", blacklist_categories=("Cs",)), max_size=8).map(Text),
    NAMES.map(Ref),
    st.builds(Path, st.just(False), st.integers(0, 3), st.lists(NAMES, max_size=2).map(tuple)),
    st.builds(Path, st.just(True), st.just(0), st.lists(NAMES, min_size=1, max_size=3).map(tuple)),
    st.builds(Path, st.just(False), st.integers(1, 2), st.lists(NAMES, max_size=2).map(tuple), st.just(True)),
)
SIGNS = st.sampled_from(["or", "and", "=", "!=", "<", "<=", ">", ">=", "+", "-", "*", "div", "mod"])
TREES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.builds(Binary, SIGNS, inner, inner),
        st.builds(Negative, inner),
        st.builds(
            Call,
            st.sampled_from(["if", "selected", "jr:choice-name", "count-selected"]),
            st.lists(inner, max_size=3).map(tuple),
        ),
    ),
    max_leaves=20,
)


@given(TREES)
def test_what_is_written_reads_as_the_same_tree(tree) -> None:
    assert parse(written(tree)) == tree


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused_with_its_place(text: str) -> None:
    try:
        parse(text)
    except Unparsable as error:
        assert 0 <= error.at <= len(text)


@given(st.lists(st.sampled_from(["(", ")", "${a}", "1", "'x'", "+", "-", "and", ",", "if(", "..", "/", ".", "="])))
def test_any_row_of_signs_is_read_or_refused(signs: list[str]) -> None:
    try:
        assert parse(written(parse(" ".join(signs)))) == parse(" ".join(signs))
    except Unparsable as error:
        assert error.code


@pytest.mark.parametrize(
    "text",
    ["", " ", "1 +", "(1", "1)", "a[1]", "${a b}", "${a", "'x", "//a", "a::b", "$x", "1 2", "f(,)", "*", "a/*", "@x", "…",
     "“x”", "(" * (DEPTH_LIMIT + 1) + "1" + ")" * (DEPTH_LIMIT + 1), "-" * 99 + "1", " or ".join(["1"] * (TERMS_LIMIT + 2)),
     "'" + "x" * LENGTH_LIMIT + "'"],
)  # fmt: skip
def test_what_the_language_lacks_is_refused(text: str) -> None:
    with pytest.raises(Unparsable):
        parse(text)


def evaluated(expression: str, /, **answers: object) -> str:
    """The text of a calculation beside a blank number `n`, blank text `t`, choices `m` and a date `d`."""
    types = {
        "n": "integer",
        "x": "decimal",
        "t": "text",
        "m": "select_multiple",
        "d": "date",
        "h": "time",
        "s": "select_one",
    }
    questions = [Question(name, kind, choices="c" if kind.startswith("select") else "") for name, kind in types.items()]
    choices = ChoiceList("c", (Choice("a", Words(ru="Альфа", kk="Әлфа")), Choice("b", Words(ru="Бета"))))
    form = Form(Checklist("f", "1", Words(), ("ru",), lists=(choices,),
                          items=(*questions, Question("out", "calculate", calculation=expression))))  # fmt: skip
    assert form.faults == []
    state = Evaluation(form, {f"/{name}": value for name, value in answers.items()}, today=TODAY, now=NOW)
    return state.text("/out")


BLANKS = [
    ("${n} < 4", "false"), ("${n} > 4", "false"), ("${n} <= 0", "false"), ("${n} >= 0", "false"), ("${n} = 0", "false"),
    ("${n} != 0", "true"), ("${n} = ''", "true"), ("${n} != ''", "false"), ("not(${n} = 0)", "true"), ("${n} + 1", "NaN"),
    ("${n} * 0", "NaN"), ("1 div ${n}", "NaN"), ("${n} < ${x}", "false"), ("${n} = ${x}", "true"), ("-${n}", "NaN"),
    ("number(${n})", "NaN"), ("string(${n})", ""), ("boolean(${n})", "false"), ("coalesce(${n}, 0) + 1", "1"),
    ("coalesce(${n}, ${x})", ""), ("if(${n} > 0, 'more', 'not')", "not"), ("if(${n}, 'some', 'none')", "none"),
    ("round(${n}, 2)", "NaN"), ("int(${n})", "NaN"), ("sum(${n}, 2)", "2"), ("max(${n}, 2)", "2"), ("min(${n})", "NaN"),
    ("count-selected(${m})", "0"), ("selected(${m}, 'a')", "false"), ("selected(${m}, '')", "false"),
    ("selected-at(${m}, 0)", ""), ("string-length(${t})", "0"), ("${d} < today()", "false"), ("${d} = today()", "false"),
    ("concat(${n}, '-', ${t})", "-"), ("regex(${t}, '.+')", "false"), ("format-date(${d}, '%Y')", ""), ("date(${t})", ""),
    ("decimal-date-time(${d})", "NaN"), ("${h} < ${h}", "false"), ("jr:choice-name(${s}, '${s}')", ""),
]  # fmt: skip


@pytest.mark.parametrize(("expression", "expected"), BLANKS)
def test_a_blank_is_never_an_error(expression: str, expected: str) -> None:
    assert evaluated(expression) == expected


TABLE = [
    ("1 + 2 * 3", "7"), ("(1 + 2) * 3", "9"), ("7 - 2 - 1", "4"), ("10 div 4", "2.5"), ("-5 mod 3", "-2"), ("5 mod -3", "2"),
    ("1 div 0", "Infinity"), ("-1 div 0", "-Infinity"), ("0 div 0", "NaN"), ("5 mod 0", "NaN"), ("0.1 + 0.2", "0.3"),
    ("1 = 1.0", "true"), ("'1' = 1", "true"), ("'1' = '1.0'", "false"), ("'a' = 'A'", "false"), ("'b' > 'a'", "false"),
    ("true() = 1", "true"), ("true() = 'x'", "true"), ("true() or 1 div 0 = 2", "true"), ("false() and 'x'", "false"),
    ("2 or 0", "true"), ("'' or 0", "false"), ("1 < 2 = true()", "true"), ("3 > 2 > 1", "false"),
    ("round(2.5)", "3"), ("round(-2.5)", "-2"), ("round(2.675, 2)", "2.68"), ("round(14.29123, 1)", "14.3"),
    ("round(12345.12345, -2)", "12300"), ("round(-12345.15, 1)", "-12345.1"), ("round(14.29, 1.5)", "14.3"),
    ("round('4,6')", "5"), ("int(-3.9)", "-3"), ("int('7.9')", "7"), ("floor(-0.5)", "-1"), ("ceiling(0.2)", "1"),
    ("abs(-3.5)", "3.5"), ("pow(2, 10)", "1024"), ("pow(-8, 0.5)", "NaN"), ("sqrt(9)", "3"), ("sqrt(-1)", "NaN"),
    ("number('x')", "NaN"), ("number('1e3')", "NaN"), ("number(' 12 ')", "12"), ("number(true())", "1"),
    ("string(3.0)", "3"), ("string(1 div 3)", "0.333333333333333"), ("string(0.000001)", "0.000001"),
    ("boolean('false')", "true"), ("boolean-from-string('false')", "false"), ("boolean(0)", "false"),
    ("if('', 1, 2)", "2"), ("coalesce('', 'b')", "b"), ("coalesce('a', 'b')", "a"), ("not('')", "true"),
    ("concat('a', 1, true())", "a1true"), ("join('; ', 'a', 'b')", "a; b"), ("substr('hello', 1, 3)", "el"),
    ("substr('hello', -3)", "llo"), ("substr('hello', 9)", ""), ("contains('hello', 'ell')", "true"),
    ("starts-with('hello', 'he')", "true"), ("ends-with('hello', 'lo')", "true"), ("string-length('қорған')", "6"),
    ("substring-before('1-2', '-')", "1"), ("substring-before('12', '-')", ""), ("substring-after('1-2', '-')", "2"),
    ("normalize-space('  a  b ')", "a b"), ("translate('2019/01', '/0', '-')", "219-1"),
    ("regex('AB-12', '^[A-Z]{2}-\\d+$')", "true"), ("regex('AB-12x', '[A-Z]{2}-\\d+')", "false"),
    ("selected('a b', 'b')", "true"), ("selected('ab', 'b')", "false"), ("count-selected('a b c')", "3"),
    ("selected-at('a b', 1)", "b"), ("selected-at('a b', 2)", ""), ("max(1, 5, 3)", "5"), ("min(1, 'x')", "NaN"),
    ("today()", "2026-03-07"), ("today() = '2026-03-07'", "true"), ("today() + 1", "20520"), ("date(today() + 1)", "2026-03-08"),
    ("date('2026-03-08') > today()", "true"), ("date('2026-02-30')", ""), ("'2026-03-06' < '2026-03-07'", "true"),
    ("now()", "2026-03-07T14:05:00+05:00"), ("format-date(today(), '%d.%m.%Y')", "07.03.2026"),
    ("format-date-time(now(), '%e.%n.%y %H:%M')", "7.3.26 14:05"), ("decimal-date-time('1970-01-02T12:00')", "1.5"),
    ("date(now())", "2026-03-07"), ("once('first')", "first"), ("count-non-empty('')", "0"),
    ("jr:choice-name('a', '${m}')", "Альфа"), ("jr:choice-name('z', '${m}')", "z"),
]  # fmt: skip


@pytest.mark.parametrize(("expression", "expected"), TABLE)
def test_an_expression_means_what_odk_means(expression: str, expected: str) -> None:
    assert evaluated(expression) == expected


def test_answers_keep_their_types() -> None:
    assert evaluated("${n} + ${x}", n=2, x="0.5") == "2.5"
    assert evaluated("${n} = '2'", n=2) == "true"
    assert evaluated("${n} != '' and ${n} < 1", n=0) == "true"
    assert evaluated("${m}", m=["a", "b"]) == "a b"
    assert evaluated("${d} - today()", d="2026-03-09") == "2"
    assert evaluated("${d} <= today()", d="2026-03-08") == "false"
    assert evaluated("${h} < '14:05'", h="09:30") == "true"
    assert evaluated("concat(${h}, ' ', ${d})", h="09:30", d="2026-03-09") == "09:30 2026-03-09"
    assert evaluated("${d} < today()", d="long ago") == "false"


def test_every_function_of_the_table_is_tried() -> None:
    text = " ".join(expression for expression, _ in (*BLANKS, *TABLE))
    elsewhere = {"position", "indexed-repeat", "count", "decimal-time", "date-time"}
    assert {name for name in (*FUNCTIONS, *FORM_FUNCTIONS) if f"{name}(" not in text} <= elsewhere


@pytest.mark.parametrize(
    "pattern", ["(a+)+$", "(a*)*", "([a-z]+)*x", "(", "(.{1,9})+", "((ab)+)*", "(a|a)*b", "(x(a|b))+", "a*a*a*a*a*b"]
)
def test_a_pattern_that_could_take_for_ever_is_unsafe(pattern: str) -> None:
    assert not is_safe_pattern(pattern)


@pytest.mark.parametrize(
    "pattern",
    ["^[A-Za-z0-9-]{4,40}$", r"\d+(\.\d{1,2})?", "a+b*", "[+*]+", r"(\+7|8)\d{10}", r"(ab)+c", r"[(|]+(x)?", r"\(+"],
)
def test_a_plain_pattern_is_safe(pattern: str) -> None:
    assert is_safe_pattern(pattern)


NUMBERS = st.one_of(st.integers(-(10**6), 10**6), st.none())


@given(NUMBERS, NUMBERS, st.sampled_from(["<", "<=", ">", ">=", "="]))
def test_comparing_numbers_agrees_with_python_and_blank_is_false(left, right, sign) -> None:
    answers = {
        name: value for name, value in (("n", left), ("x", None if right is None else str(right))) if value is not None
    }
    text = evaluated(f"${{n}} {sign} ${{x}}", **answers)
    if left is None and right is None and sign == "=":
        assert text == "true"
    elif left is None or right is None:
        assert text == "false"
    else:
        expected = {"<": left < right, "<=": left <= right, ">": left > right, ">=": left >= right, "=": left == right}
        assert text == str(expected[sign]).lower()


@given(TREES)
def test_any_form_without_faults_evaluates(tree) -> None:
    items = (
        Question("a", "integer"),
        Group("g", items=(Question("b", "text"), Repeat("r", items=(Question("c", "decimal"),)))),
        Question("out", "calculate", calculation=written(tree)),
    )
    form = Form(Checklist("f", "1", Words(), ("ru",), items=items))
    if not form.faults:
        state = Evaluation(form, {"/a": 1, "/g/r[1]/c": "2.5"}, today=TODAY, now=NOW)
        assert isinstance(state.text("/out"), str)


def test_no_number_is_written_with_an_exponent() -> None:
    from shared.checklists.values import number_text

    for number in (1e-7, 123456789012345680000.0, 1.5e-6, -2.5e10, math.pi):
        assert "e" not in number_text(number).lower()
