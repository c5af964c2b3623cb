"""One spelling for every value: what the writer writes, what `is_canonical` finds, what a decoder never does."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec.structs import replace

from shared.ledger.frame import Frame
from shared.ledger.opened import one_by_one, opened
from shared.ledger.operation import (
    LINE_BYTES,
    WHOLE_LIMIT,
    LineUnreadable,
    NotCanonical,
    canonical,
    decode_line,
    encode_line,
    is_canonical,
)
from shared.observations.answers import AnswerRecorded
from shared.registry import BODIES
from tests.examples import examples
from tests.make import AT, PERSON, a_chain, a_line

texts = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters=[chr(n) for n in range(32)]) | st.sampled_from("\t\n")
)
values = st.recursive(
    st.booleans() | st.integers(-WHOLE_LIMIT, WHOLE_LIMIT) | texts,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.from_regex(r"[a-z0-9_]{1,8}", fullmatch=True), inner, max_size=4)
    ),
    max_leaves=12,
)


@examples(600)
@given(values)
def test_what_is_written_reads_back_the_same_and_has_one_spelling(value: object) -> None:
    data = canonical(value)
    assert json.loads(data) == value
    assert is_canonical(data)
    assert data == json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
    assert b"\n" not in data


@pytest.mark.parametrize(
    "value",
    [
        1.0,
        None,
        float("nan"),
        {"A": 1},
        {"a-b": 1},
        {"": 1},
        {1: 1},
        "\x00",
        "\x1f",
        "\r",
        WHOLE_LIMIT + 1,
        -WHOLE_LIMIT - 1,
        [None],
        {"a": {"b": 0.5}},
        b"bytes",
        "\ud800",
        {"a": "\udfff"},
        {"ключ": 1},
    ],
)
def test_a_value_without_a_canonical_form_is_refused(value: object) -> None:
    with pytest.raises(NotCanonical):
        canonical(value)


@pytest.mark.parametrize(
    "data",
    [
        b'{"a":1,"a":2}',
        b'{"a":1,"a":1}',
        b'{"b":1,"a":2}',
        b'{"a": 1}',
        b' {"a":1}',
        b'{"a":1}\n',
        b'{"a":1.0}',
        b'{"a":1e2}',
        b'{"a":-0}',
        b'{"a":null}',
        b'"\\u0430"',
        b'"\\u0022"',
        b'"\\/"',
        b'"\\b"',
        b'"\\r"',
        b'"\\u0009"',
        b'{"A":1}',
        b'{"a b":1}',
        b'{"a\\n":1}',
        b"9007199254740992",
        b"",
        b"{",
        b'"\xff"',
        b'"\xed\xa0\x80"',
        b'"\\ud800"',
        b"01",
        b"[1,]",
        b"[" * 5000 + b"]" * 5000,
        b"\xef\xbb\xbf{}",
        b"\xff\xfe",
        b"NaN",
        b"1" * 400,
    ],
)
def test_another_spelling_is_found(data: bytes) -> None:
    assert not is_canonical(data)


@pytest.mark.parametrize(
    "data", [b'"\\"\\\\\\t\\n"', '"қорған"'.encode(), b"0", b"-1", b"[]", b"{}", b'{"a":[true,false]}', b'"\x7f"']
)
def test_the_one_spelling_is_recognised(data: bytes) -> None:
    assert is_canonical(data)


@examples(600)
@given(st.binary(max_size=200) | values.map(lambda value: json.dumps(value).encode()))
def test_whatever_the_bytes_only_the_one_spelling_is_canonical(data: bytes) -> None:
    if is_canonical(data):
        assert canonical(json.loads(data)) == data


LINE = a_line()


def _mutated(line: bytes) -> st.SearchStrategy[bytes]:
    at = st.integers(0, len(line) - 1)
    return st.one_of(
        st.tuples(at, st.integers(0, 255)).map(lambda m: line[: m[0]] + bytes([m[1]]) + line[m[0] + 1 :]),
        at.map(lambda n: line[:n]),
        st.tuples(at, st.binary(max_size=6)).map(lambda m: line[: m[0]] + m[1] + line[m[0] :]),
    )


@examples(800)
@given(st.binary(max_size=300) | _mutated(LINE) | values.map(lambda v: json.dumps(v).encode()))
@example(b'{"at":"x","author":"","body":{},"clock":1,"kind":"answer_recorded"}')
@example(LINE.replace(b'"clock":1', b'"clock":' + b"9" * 400))
@example(LINE.replace(b'"clock":1', b'"clock":1.0'))
@example(LINE.replace(b'"clock":1', b'"clock":1e400'))
@example(LINE.replace(b'"value":1', b'"value":' + b"[" * 5000 + b"]" * 5000))
@example(LINE.replace(b'"value":1', b'"value":"\xed\xa0\x80"'))
@example(LINE.replace(b'"value":1', b'"value":"\\ud800"'))
@example(LINE.replace(AT.encode(), b"0001-01-01T00:00:00+05:00"))
@example(LINE.replace(AT.encode(), b"2026-03-07T14:05:07"))
@example(b"x" * (LINE_BYTES + 1))
def test_a_line_is_read_or_unreadable_and_nothing_else(line: bytes) -> None:
    try:
        fields, body = decode_line(line, BODIES)
    except LineUnreadable as error:
        assert error.reason in {"too_large", "not_json", "wrong_body", "wrong_clock", "wrong_time"}
        return
    assert 1 <= fields.clock <= WHOLE_LIMIT
    assert type(body) is BODIES.get(fields.kind, type(body))


_HOSTILE = st.lists(
    st.sampled_from([
        LINE, a_line(2, 2), LINE.replace(b"answer_recorded", b"answer_sung"), LINE + b"," + LINE, b"", LINE[:-1],
        LINE.replace(b"}", b"},", 1), LINE.replace(b'"value":1', b'"value":"\\u0007"'),
        LINE.replace(b'"value":1', b'"value":"\\u0430"'), LINE.replace(b'"value":1', b'"value":9007199254740992'),
        LINE.replace(b'"clock":1', b'"clock":0'), LINE.replace(AT.encode(), b"2026-03-07T14:05:07"),
        LINE.replace(AT.encode(), b"2026-02-30T14:05:07+05:00"), b"x" * (LINE_BYTES + 1),
    ])
    | _mutated(LINE),
    min_size=1, max_size=5,
)  # fmt: skip


@examples(600)
@given(_HOSTILE)
def test_lines_read_together_are_read_as_one_by_one(lines: list[bytes]) -> None:
    frame = Frame(replace(a_chain(1).frame(1, 1).header, count=len(lines)), tuple(lines))
    quick, slow = opened(frame, BODIES), one_by_one(frame, BODIES)
    assert quick.operations() == slow.operations()
    assert [bytes(fields.body) for fields in quick.fields] == [bytes(fields.body) for fields in slow.fields]
    assert (list(quick.places), quick.ids, quick.unreadable) == (slow.places, slow.ids, slow.unreadable)


@pytest.mark.parametrize(
    "value",
    [b'"\\u0000"', b'"a\\u001fb"', b'"\\b"', b"9007199254740992", b"9" * 30, b'["\\u0007"]', b'"\x01"', b'"\r"'],
)
def test_what_no_database_takes_makes_a_line_unreadable(value: bytes) -> None:
    with pytest.raises(LineUnreadable):
        decode_line(LINE.replace(b'"value":1', b'"value":' + value), BODIES)


@pytest.mark.parametrize("value", [b'"\\u0430"', b'"\\/"', b"9007199254740991", b'"12345678901234567890"'])
def test_another_spelling_of_something_sayable_is_readable(value: bytes) -> None:
    decode_line(LINE.replace(b'"value":1', b'"value":' + value), BODIES)


def test_a_kind_of_a_later_version_is_kept_as_unknown() -> None:
    fields, body = decode_line(LINE.replace(b"answer_recorded", b"answer_sung"), BODIES)
    assert fields.kind == "answer_sung"
    assert body.KIND == ""


def test_a_field_of_a_later_version_does_not_make_a_line_unreadable() -> None:
    _, body = decode_line(LINE.replace(b'"value":1', b'"value":1,"weather":"snow"'), BODIES)
    assert body == AnswerRecorded(item="/mc/beds", value=1)


def test_a_line_beyond_the_limit_is_not_written() -> None:
    with pytest.raises(ValueError, match="too large"):
        encode_line(AnswerRecorded(item="/a", value="x" * LINE_BYTES), PERSON, AT, 1)


def test_every_kind_can_be_read_by_many_threads_at_once_from_the_beginning() -> None:
    """msgspec fills in what it knows of a class in sight of other threads: that is over before any thread begins."""
    unready = """
import gc
from shared.registry import BODIES
for body in BODIES.values():
    if not any(type(each).__name__ == "StructInfo" for each in gc.get_referents(body)):
        print(body.__name__)
"""
    done = subprocess.run([sys.executable, "-c", unready], capture_output=True, text=True, timeout=300, check=True)
    assert done.stdout.split() == []
