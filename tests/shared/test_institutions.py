"""The register in memory: spellings fold to one another, search is quick and ordered, the pack is canonical."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.institutions.synthetic import make_register
from shared.institutions import (
    DamagedRegister,
    Institution,
    Register,
    decode_register,
    encode_register,
    fold_letters,
)


def an_institution(key: str, name_ru: str, name_kk: str = "", name_en: str = "", **more) -> Institution:
    return Institution(
        key, name_ru, **({"type": "colony", "region_iso": "KZ-35"} | more), name_kk=name_kk, name_en=name_en
    )


@pytest.fixture(scope="module")
def national() -> Register:
    rows = [dict(row, capacity=int(row["capacity"])) for row in make_register()]
    return Register(Institution(**row) for row in rows)


@pytest.mark.parametrize(
    "spellings",
    [
        ("Қарағанды", "Караганды", "karagandy", "Qaraghandy", "QARAǴANDY", "qarağandı", "карагандЫ"),
        ("Өскемен", "оскемен", "oskemen", "Öskemen"),
        ("Үржар", "Ұржар", "Уржар", "urzhar", "Urjar"),
        ("Һ", "х", "h", "kh"),
        ("Іле", "иле", "ile"),
        ("ёлка", "елка", "elka"),
        ("Жезқазған", "жезказган", "Zhezkazgan", "jezqazğan"),
        ("Шымкент", "shymkent", "Şymkent", "шимкент"),
        ("ИК-25", "ик 25", "ik  25", "«ИК» № 25"),
        ("Щучинск", "shchuchinsk"),
        ("Тереңкөл", "теренкол", "terenkol"),
    ],
)
def test_spellings_of_one_word_fold_to_one(spellings) -> None:
    assert len({fold_letters(each) for each in spellings}) == 1


def test_different_words_stay_different() -> None:
    words = ["Алматы", "Астана", "Атырау", "Абай", "Ақтау", "Ақтөбе", "ИК-25", "ИК-52", "Семей", "Сарань"]
    assert len({fold_letters(each) for each in words}) == len(words)


@given(st.text(max_size=40))
def test_folding_is_plain_and_done_once(text: str) -> None:
    folded = fold_letters(text)
    assert set(folded) <= set("abcdefghijklmnopqrstuvwxyz0123456789 ")
    assert folded == folded.strip()
    assert "  " not in folded


@pytest.mark.parametrize("query", ["караганды", "karagandy", "Қарағанды", "ҚАРАҒАНДЫ облысы", "qarağandy"])
def test_any_spelling_finds_the_region(national: Register, query: str) -> None:
    found = national.search(query, limit=4000)
    assert {row.region_iso for row in found} == {"KZ-35"}
    assert len(found) == sum(row.region_iso == "KZ-35" for row in national.institutions)


def test_the_nearest_stands_first() -> None:
    register = Register([
        an_institution("c", "Центр при колонии"),
        an_institution("b", "Колония номер 7"),
        an_institution("a", "Медколония"),
        an_institution("d", "Больница", name_kk="Колония жанындағы"),
    ])  # fmt: skip
    assert [row.key for row in register.search("колони")] == ["d", "b", "c", "a"]


def test_every_word_must_be_found_and_filters_hold(national: Register) -> None:
    rows = national.search("полиция 12", region="KZ-75", type="police")
    assert rows
    assert all("12" in row.name_ru and row.region_iso == "KZ-75" and row.type == "police" for row in rows)
    assert national.search("полиция zzz") == []
    assert national.search("", type="nsc_sizo", limit=100) == [r for r in national.institutions if r.type == "nsc_sizo"]
    assert len(national.search("", limit=7)) == 7


def test_a_row_is_found_by_its_key_and_by_the_words_of_its_region_and_type() -> None:
    words = {"KZ-35": "Карагандинская область Karaganda", "colony": "исправительное түзеу"}
    register = Register([an_institution("ik-25", "Учреждение")], words)
    for query in ("ik-25", "ИК 25", "қарағанды", "тузеу", "karaganda colony"):
        assert [row.key for row in register.search(query)] == ["ik-25"], query


def test_search_agrees_with_a_slow_and_obvious_one(national: Register) -> None:
    dice = random.Random(4)
    texts = {
        row.key: [
            fold_letters(text) for text in (row.name_ru, row.name_kk, row.name_en, row.key, row.type, row.region_iso)
        ]
        for row in national.institutions
    }
    for _ in range(60):
        chosen = texts[dice.choice(national.institutions).key]
        words = [dice.choice(dice.choice(chosen).split())[: dice.randrange(1, 9)] for _ in range(2)]
        slow = {key for key, own in texts.items() if all(any(word in text for text in own) for word in words)}
        assert slow
        assert {row.key for row in national.search(" ".join(words), limit=4000)} == slow, words


def test_the_pack_is_canonical_and_the_same_in_any_order(national: Register) -> None:
    rows = national.institutions
    data, name = encode_register(rows)
    assert encode_register(reversed(rows)) == (data, name)
    assert sorted(decode_register(data, name), key=lambda row: row.key) == sorted(rows, key=lambda row: row.key)
    assert len(Register(decode_register(data))) == 3500


@pytest.mark.parametrize("data", [b"", b"[]", b"\xff\xfe", b'{"institutions":[{"key":1}]}', b'{"format":2}'])
def test_damaged_bytes_are_no_register(data: bytes) -> None:
    with pytest.raises(DamagedRegister):
        decode_register(data)


def test_a_register_under_another_name_is_refused() -> None:
    with pytest.raises(DamagedRegister):
        decode_register(encode_register([an_institution("a", "А")])[0], "0" * 64)


def test_a_row_gives_its_cells_as_text() -> None:
    cells = an_institution("a", "А", lat="51.1", lon="71.4", capacity=12).cells()
    assert (cells["key"], cells["capacity"], cells["ministry"]) == ("a", "12", "")
    assert an_institution("a", "А").cells()["capacity"] == ""
    types = {"penal_maximum": "colony"}
    assert an_institution("a", "А", type="penal_maximum").cells(types)["type"] == "colony"
    assert an_institution("a", "А", type="day_care").cells(types)["type"] == "day_care"
    assert an_institution("a", "А", name_kk="Ә").name("kk") == "Ә"
    assert an_institution("a", "А").name("en") == "А"
