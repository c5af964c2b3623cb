"""Every sentence a person may meet stands in all three languages, with the same fields and forms, and exists at all."""

from __future__ import annotations

import re
import string
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

from shared.errors import CODES
from shared.texts import FOLDER, LANGUAGES, Language, texts
from shared.texts.build import joined

ROOT = Path(__file__).parent.parent
COUNTS = (0, 1, 2, 5, 11, 21, 22, 25, 101, 111)
FORMS = {
    "ru": {0: 2, 1: 0, 2: 1, 5: 2, 11: 2, 21: 0, 22: 1, 25: 2, 101: 0, 111: 2},
    "en": dict.fromkeys(COUNTS, 1) | {1: 0},
}
"""Which form a count takes. In Kazakh a noun behind a number stays in the singular, so its forms may be equal."""
KAZAKH = set("әғқңөұүһіӘҒҚҢӨҰҮҺІ")
PARTS = sorted({part.name for language in LANGUAGES for part in (FOLDER / language).glob("*.po")})
Sentences = dict[str, tuple[str, ...]]


@cache
def sentences(language: Language) -> Sentences:
    """Key → its forms (one, when the sentence has no plural)."""
    found: Sentences = {}
    for message in joined(language):
        if message.id:
            plural = isinstance(message.id, tuple)
            found[message.id[0] if plural else message.id] = tuple(message.string) if plural else (message.string,)
    return found


def fields(sentence: str) -> set[str]:
    """The names in braces."""
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name is not None}


def every() -> Iterator[tuple[Language, str, str]]:
    """(language, key, form) of every sentence."""
    for language in LANGUAGES:
        for key, forms in sentences(language).items():
            for form in forms:
                yield language, key, form


def test_the_three_languages_have_the_same_keys() -> None:
    keys = {language: set(sentences(language)) for language in LANGUAGES}
    missing = {language: sorted(set().union(*keys.values()) - own) for language, own in keys.items()}
    assert missing == {language: [] for language in LANGUAGES}


def test_a_sentence_names_the_same_fields_in_every_language() -> None:
    differing = {}
    for key in sentences("en"):
        named = {
            language: set().union(*(fields(form) for form in sentences(language)[key])) - {"n"}
            for language in LANGUAGES
        }
        if len({frozenset(names) for names in named.values()}) > 1:
            differing[key] = named
    assert not differing


def test_a_plural_is_one_in_every_language() -> None:
    plural = {
        language: {key for key, forms in sentences(language).items() if len(forms) > 1} for language in ("ru", "en")
    }
    assert plural["ru"] == plural["en"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_plural_fits_its_number(language: Language) -> None:
    text = texts(language)
    for key in (key for key, forms in sentences("en").items() if len(forms) > 1):
        forms = sentences(language)[key]
        facts = {name: "…" for form in forms for name in fields(form) if name != "n"}
        for count in COUNTS:
            expected = forms[FORMS[language][count]] if language in FORMS else None
            said = text.plural(key, count, **facts)
            assert expected is None or said == expected.format(n=count, **facts), (key, count)


@pytest.mark.parametrize("code", sorted(CODES))
def test_every_error_has_a_sentence(code: str) -> None:
    assert all(f"error.{code}" in sentences(language) for language in LANGUAGES)


def test_every_fact_an_error_sentence_names_is_given_wherever_it_is_raised() -> None:
    """A field in a sentence that one `RuleBroken` does not carry would show its key instead."""
    lacking = []
    for path in code_files(".py"):
        for code, rest in re.findall(
            r'raise RuleBroken\(\s*"([a-z_]+)"((?:[^()]|\([^()]*\))*)\)', path.read_text(encoding="utf-8")
        ):
            given = set(re.findall(r"\b([a-z_]+)=", rest))
            needed = fields(sentences("en").get(f"error.{code}", ("",))[0])
            if "**" not in rest and not needed <= given:
                lacking.append((str(path.relative_to(ROOT)), code, sorted(needed - given)))
    assert not lacking


# ── keys used ───────────────────────────────────────────────────────────────────────────────────────────────────────

USE = re.compile(
    r"""(?<![\w.])(?:t|_|say|text|words|sentence|texts\([^()]*\)|(?:(?!law\.)\w+\.)+(?:t|text|texts|say|words))(?:\.plural)?\(\s*(f?)(["'])([^"'\n]+)\2"""
)
KEY = re.compile(r"[a-z][a-z0-9_]*(\.[a-z0-9_{}]+)+")


def code_files(*endings: str) -> list[Path]:
    """The files of the product with these endings."""
    return [
        path
        for package in ("server", "field_app", "shared")
        for ending in endings
        for path in sorted((ROOT / package).rglob(f"*{ending}"))
    ]


def used() -> Iterator[tuple[Path, str]]:
    """Every key a call names, `*` where it is put together."""
    for path in code_files(".py", ".html", ".kv"):
        for is_f, _, key in USE.findall(path.read_text(encoding="utf-8")):
            shown = re.sub(r"\{[^{}]*\}", "*", key) if is_f else key
            if re.fullmatch(r"[a-z][a-z0-9_]*(\.[a-z0-9_*]+)+", shown):
                yield path, shown


def test_every_key_that_is_used_exists() -> None:
    known = set(sentences("en"))
    unknown = {
        (str(path.relative_to(ROOT)), key)
        for path, key in used()
        if (
            key not in known
            if "*" not in key
            else not any(re.fullmatch(key.replace(".", r"\.").replace("*", r".+"), one) for one in known)
        )
    }
    assert not unknown


def test_the_scan_for_keys_sees_the_forms_in_use() -> None:
    """A scan that finds nothing would prove nothing."""
    assert len({key for _, key in used()}) > 100
    for line in (
        't("a.b")',
        "t.plural('a.b', 3)",
        'texts(language)("a.b", x=1)',
        'self.text("a.b")',
        '{{ t("a.b") }}',
        'f(t( "a.b"))',
    ):
        assert [key for _, _, key in USE.findall(line)] == ["a.b"], line
    assert USE.findall('t(f"a.{b}")') == [("f", '"', "a.{b}")]
    assert not USE.findall('get("a.b") + "a.b"')
    assert not USE.findall('law.text("a.b") + self.law.text("a.b")')


# ── tone ────────────────────────────────────────────────────────────────────────────────────────────────────────────

POLITE = re.compile(r"\bplease\b|пожалуйста|\bсори\b|\boops\b|өтінемі[зн]", re.IGNORECASE)


def test_no_sentence_shouts_or_begs() -> None:
    found = [
        (language, key, form) for language, key, form in every() if form.rstrip().endswith("!") or POLITE.search(form)
    ]
    assert not found


@pytest.mark.parametrize("part", PARTS)
def test_kazakh_is_kazakh(part: str) -> None:
    """Each part has letters Russian lacks, and no longer sentence is the Russian one left in its place."""
    read = {}
    for language in ("kk", "ru"):
        with (FOLDER / language / part).open("rb") as file:
            read[language] = {message.id: str(message.string) for message in read_po(file) if message.id}
    said = "".join(read["kk"].values())
    assert len(said) < 80 or KAZAKH & set(said)
    left = [
        key
        for key, said in read["kk"].items()
        if said == read["ru"].get(key) and len(re.findall(r"[а-яё]{3,}", said.lower())) > 2
    ]
    assert not left


SHOWS_OTHER_LETTERS = {"register.search.hint"}
"""Sentences that show how a word is spelled in another language."""


def test_each_language_keeps_to_its_letters() -> None:
    wrong = []
    for language, key, form in every():
        if key in SHOWS_OTHER_LETTERS:
            continue
        plain = re.sub(r"\{[^}]*\}", "", form)
        if (
            language == "ru"
            and KAZAKH & set(plain)
            and "Қорған" not in plain
            and not key.startswith(("console.language", "language"))
        ):
            wrong.append((language, key, form))
        if language == "en" and re.search(r"[а-яёәғқңөұүһі]", plain, re.IGNORECASE) and "language" not in key:
            wrong.append((language, key, form))
    assert not wrong


def test_the_built_catalogues_are_those_of_the_parts() -> None:
    for language, key, _ in every():
        assert texts(language).has(key), (language, key)
