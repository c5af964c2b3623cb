"""A register from CSV: taken in whole, or refused with every row and column that is wrong; and the made-up one."""

from __future__ import annotations

import csv
import io
import zipfile
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.institutions.csv_import import COLUMNS, FILE_BYTES, institution_types, read_register, regions
from server.institutions.synthetic import KINDS, SOCIAL, make_register, shares, write_csv, write_register
from server.refusals import PROBLEMS_LIMIT, Problem, Refused, sentence
from shared.institutions import Institution
from shared.texts import LANGUAGES

ROW = dict(
    zip(
        COLUMNS,
        ["ik-25", "ИК-25", "ИК-25 мекемесі", "Colony 25", "colony", "KZ-35", "49.8", "73.1", "400", "mia", "office"],
        strict=True,
    )
)


def a_csv(*rows: dict[str, str], columns=COLUMNS) -> bytes:
    file = io.StringIO()
    writer = csv.DictWriter(file, columns, lineterminator="\n", extrasaction="ignore")
    writer.writeheader()
    writer.writerows(rows)
    return file.getvalue().encode()


def problems_of(data: bytes) -> list[Problem]:
    result = read_register(data)
    assert isinstance(result, Refused), "it was taken in"
    for problem in result.problems:
        assert all(sentence(problem, "institutions", language) for language in LANGUAGES)
    return result.problems


def found(data: bytes) -> list[tuple[int, str, str]]:
    return [(each.row, each.column, each.code) for each in problems_of(data)]


def test_a_good_register_comes_in() -> None:
    (row,) = read_register(a_csv(ROW))
    assert row == Institution(
        "ik-25", "ИК-25", "colony", "KZ-35", "ИК-25 мекемесі", "Colony 25", "49.8", "73.1", 400, "mia", "office"
    )


@pytest.mark.parametrize(
    "data",
    [
        b"\xef\xbb\xbf" + a_csv(ROW),
        a_csv(ROW).replace(b"\n", b"\r\n"),
        a_csv(ROW, columns=COLUMNS[::-1]),
        a_csv(ROW) + b"\n\n",
        a_csv(ROW).replace("ИК-25 мекемесі".encode(), '"ИК-25\tмекемесі"'.replace("\t", " ").encode()),
    ],
)
def test_ways_of_writing_the_same_register(data: bytes) -> None:
    assert read_register(data) == read_register(a_csv(ROW))


def test_a_legal_type_and_absent_optional_cells_are_fine() -> None:
    (row,) = read_register(
        a_csv(ROW | {"type": "penal_maximum", "lat": "", "lon": "", "capacity": "", "name_kk": "", "name_en": ""})
    )
    assert (row.type, row.lat, row.capacity) == ("penal_maximum", "", None)
    (row,) = read_register(a_csv(ROW | {"capacity": "0"}))
    assert row.capacity == 0


CELLS = [
    ({"key": ""}, (2, "key", "empty")),
    ({"key": "к-25"}, (2, "key", "bad_key")),
    ({"key": "a b"}, (2, "key", "bad_key")),
    ({"key": "../../x"}, (2, "key", "bad_key")),
    ({"key": "k" * 65}, (2, "key", "too_long")),
    ({"name_ru": ""}, (2, "name_ru", "empty")),
    ({"name_ru": "x" * 301}, (2, "name_ru", "too_long")),
    ({"name_ru": "ИК\x07"}, (2, "name_ru", "bad_character")),
    ({"name_ru": "ИК\n25"}, (2, "name_ru", "bad_character")),
    ({"type": "castle"}, (2, "type", "unknown_type")),
    ({"type": ""}, (2, "type", "empty")),
    ({"region_iso": "KZ-99"}, (2, "region_iso", "unknown_region")),
    ({"region_iso": "RU-OMS"}, (2, "region_iso", "unknown_region")),
    ({"lat": "55.76"}, (2, "lat", "bad_degrees")),
    ({"lat": "73.1", "lon": "49.8"}, (2, "lat", "bad_degrees")),
    ({"lon": "90"}, (2, "lon", "bad_degrees")),
    ({"lat": "NaN"}, (2, "lat", "bad_degrees")),
    ({"lat": "inf"}, (2, "lat", "bad_degrees")),
    ({"lat": "49,8"}, (2, "lat", "bad_degrees")),
    ({"lat": "4.98e1"}, (2, "lat", "bad_degrees")),
    ({"lat": "٤٩"}, (2, "lat", "bad_degrees")),
    ({"lat": ""}, (2, "lat", "half_position")),
    ({"capacity": "-1"}, (2, "capacity", "bad_capacity")),
    ({"capacity": "12.5"}, (2, "capacity", "bad_capacity")),
    ({"capacity": str(2**64)}, (2, "capacity", "bad_capacity")),
    ({"capacity": str(2**63)}, (2, "capacity", "bad_capacity")),
    ({"capacity": "1" * 299}, (2, "capacity", "bad_capacity")),
    ({"capacity": "many"}, (2, "capacity", "bad_capacity")),
]


@pytest.mark.parametrize(("change", "problem"), CELLS, ids=[f"{n}-{p[2]}" for n, (_, p) in enumerate(CELLS)])
def test_a_wrong_cell_is_refused_with_its_place(change, problem) -> None:
    assert problem in found(a_csv(ROW | change))


ZIP = io.BytesIO()
with zipfile.ZipFile(ZIP, "w") as archive:
    archive.writestr("register.csv", a_csv(ROW))
FILES = [
    (b"", (1, "key", "column_missing")),
    (b"\n\n\n", (1, "key", "column_missing")),
    (a_csv(), (1, "", "no_rows")),
    (ZIP.getvalue(), (0, "", "not_csv")),
    (b"\x1f\x8b\x08" + bytes(30), (0, "", "not_csv")),
    (b"\xd0\xcf\x11\xe0" + bytes(30), (0, "", "not_csv")),
    (a_csv(ROW) + b"x,\x00", (3, "", "zero_byte")),
    (a_csv(ROW).decode().encode("cp1251", "replace"), (2, "", "not_utf8")),
    (a_csv(ROW).decode().encode("utf-16-le")[:0] + b"\xff\xfek", (1, "", "not_utf8")),
    (a_csv(ROW, columns=COLUMNS[1:]), (1, "key", "column_missing")),
    (a_csv(ROW).replace(b"name_en,", b"name_de,"), (1, "name_de", "column_unknown")),
    (a_csv(ROW).replace(b"name_en,", b"name_ru,"), (1, "name_ru", "column_twice")),
    (a_csv(ROW).replace(b",", b";"), (1, "key", "column_missing")),
    (a_csv(ROW) + b"a,b,c\n", (3, "", "wrong_length")),
    (a_csv(ROW) + b'"never closed', (0, "", "bad_csv")),
    (a_csv(ROW) + b'a"b,"c"d\n', (0, "", "bad_csv")),
    (a_csv(ROW) + b"x" * 200_000, (0, "", "bad_csv")),
    (b"k" * (FILE_BYTES + 1), (0, "", "file_too_large")),
]


@pytest.mark.parametrize(("data", "problem"), FILES, ids=[f"{n}-{p[2]}" for n, (_, p) in enumerate(FILES)])
def test_a_wrong_file_is_refused(data: bytes, problem) -> None:
    assert problem in found(data)


def test_doubled_keys_name_both_rows_whatever_their_case() -> None:
    problems = problems_of(a_csv(ROW, ROW | {"key": "ik-26"}, ROW | {"key": "IK-25"}, ROW))
    assert [(each.row, each.code, each.facts["first"]) for each in problems] == [
        (4, "key_twice", "2"),
        (5, "key_twice", "2"),
    ]


def test_rows_are_counted_as_lines_of_the_file() -> None:
    data = a_csv(ROW | {"source": "two\nlines"}, ROW | {"key": "b", "type": "castle"})
    assert (4, "type", "unknown_type") in found(data)


def test_one_wrong_row_refuses_all_and_all_wrong_rows_are_named() -> None:
    rows = [ROW | {"key": f"k{n}"} for n in range(50)]
    rows[7] |= {"type": "castle", "lat": "0"}
    rows[31] |= {"region_iso": "KZ"}
    assert found(a_csv(*rows)) == [
        (9, "type", "unknown_type"),
        (9, "lat", "bad_degrees"),
        (33, "region_iso", "unknown_region"),
    ]


def test_the_list_of_problems_ends_somewhere() -> None:
    rows = [ROW | {"key": f"k{n}", "type": "castle"} for n in range(5000)]
    assert [row for row, _, _ in found(a_csv(*rows))] == list(range(2, PROBLEMS_LIMIT + 2))


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_are_refused_and_never_crash(data: bytes) -> None:
    assert problems_of(data)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.lists(st.text(max_size=12), min_size=11, max_size=11), max_size=4))
def test_any_cells_are_taken_in_or_refused(rows) -> None:
    file = io.StringIO()
    csv.writer(file).writerows([COLUMNS, *rows])
    result = read_register(file.getvalue().encode("utf-8", "surrogatepass"))
    assert isinstance(result, list) or result.problems


@pytest.mark.parametrize(("n", "seed"), [(1, 1), (20, 2), (350, 3), (3500, 1), (7000, 9)])
def test_the_made_up_register_is_one_the_office_takes(n: int, seed: int, tmp_path: Path) -> None:
    assert write_register(tmp_path / "register.csv", n, seed) == n
    rows = read_register((tmp_path / "register.csv").read_bytes())
    assert isinstance(rows, list), rows
    assert len(rows) == n
    assert all("[synthetic]" in name for row in rows for name in (row.name_ru, row.name_kk, row.name_en))
    assert all(row.key.startswith("syn-") and row.source.startswith("synthetic;") for row in rows)


def test_the_made_up_register_follows_the_published_counts() -> None:
    rows = make_register(3500, 1)
    assert rows == make_register(3500, 1)
    assert rows != make_register(3500, 2)
    counts = Counter(row["type"] for row in rows)
    assert counts == {kind.type: kind.number for kind in KINDS}
    social = Counter(row["region_iso"] for row in rows if row["ministry"] == "mlsp")
    assert social.total() == 291
    assert all(abs(social[region] - number) <= 2 for region, number in SOCIAL.items())
    assert {row["region_iso"] for row in rows} == regions()
    assert {kind.type for kind in KINDS} <= institution_types()


def test_shares_keep_their_sum() -> None:
    assert shares(10, [1, 1, 1]) == [4, 3, 3]
    assert shares(0, [1, 2]) == [0, 0]
    assert sum(shares(3499, [float(kind.number) for kind in KINDS])) == 3499


def test_no_register_without_an_institution() -> None:
    with pytest.raises(ValueError):
        make_register(0)


def test_what_is_written_is_what_is_read() -> None:
    file = io.StringIO()
    rows = make_register(40, 5)
    write_csv(rows, file)
    assert [{key: row.cells()[key] for key in COLUMNS} for row in read_register(file.getvalue().encode())] == rows
