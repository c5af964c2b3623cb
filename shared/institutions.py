"""The register of closed institutions in memory: its rows, its search, and the pack it travels in.

Search folds Kazakh, Russian and Latin spellings to one another, so that "karagandy" and "караганды" find "Қарағанды".
Where rows come from and who may see them is decided elsewhere. Source: UX T2, SETTLED decisions 6 and 26.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from shared.ledger.crypto import sha256
from shared.ledger.operation import canonical


class Institution(msgspec.Struct, frozen=True, omit_defaults=True):
    """One institution. `type` is the legal type where known, else the coarse one; `lat`, `lon` decimal degrees."""

    key: str
    name_ru: str
    type: str
    region_iso: str
    name_kk: str = ""
    name_en: str = ""
    lat: str = ""
    lon: str = ""
    capacity: int | None = None
    ministry: str = ""
    source: str = ""

    def name(self, language: str) -> str:
        """The name in a language, else in Russian, Kazakh, English."""
        names = {"kk": self.name_kk, "ru": self.name_ru, "en": self.name_en}
        return names.get(language) or self.name_ru or self.name_kk or self.name_en

    def cells(self, checklist_types: Mapping[str, str] | None = None) -> dict[str, str]:
        """The row as a checklist's outside list reads it: every column as text.

        checklist_types   legal type → the coarser type checklists know; a type without a line stays as it is
        """
        cells = {key: "" if value is None else str(value) for key, value in msgspec.structs.asdict(self).items()}
        return cells | {"type": (checklist_types or {}).get(self.type, self.type)}


class RegisterPack(msgspec.Struct, frozen=True, omit_defaults=True):
    """The register as a file. `format` is the version of this structure."""

    institutions: tuple[Institution, ...] = ()
    format: int = 1


class DamagedRegister(ValueError):
    """The bytes are no register of this version, or not the one their name says."""


_LATIN = dict(
    zip("абвгдеёзийклмнопрстуфхыэәғқңөұүһіъь", "abvgdeeziiklmnoprstufhieagknouuhi\0\0", strict=True),
    ж="j",
    ц="ts",
    ч="ch",
    ш="sh",
    щ="sch",
    ю="iu",
    я="ia",
    ş="sh",
    ı="i",
    y="i",
    q="k",
    w="v",
    x="h",
) | dict.fromkeys("№«»–—", " ")
_TABLE = {ord(letter): latin.replace("\0", "") for letter, latin in _LATIN.items()}
_PAIRS = (("shch", "sch"), ("zh", "j"), ("kh", "h"), ("gh", "g"))
_OTHER = re.compile(r"[^a-z0-9]+")
_decoder = msgspec.json.Decoder(RegisterPack)


def fold_letters(text: str) -> str:
    """The text in small Latin letters, digits and single blanks, spelling differences folded away.

    ә=а қ=к ғ=г ң=н ө=о ұ=ү=у һ=х і=и ё=е, Cyrillic as it is usually written in Latin letters, signs as blanks.
    """
    text = unicodedata.normalize("NFC", text.lower()).translate(_TABLE)
    if not text.isascii():
        parts = unicodedata.normalize("NFKD", text)
        text = "".join(sign for sign in parts if not unicodedata.combining(sign)).translate(_TABLE)
    for pair, one in _PAIRS:
        text = text.replace(pair, one)
    return _OTHER.sub(" ", text).strip()


class Register:
    """The rows of a register with prepared search keys.

    words   further words a row is found by: its region and its type in three languages, by code
    """

    def __init__(self, institutions: Iterable[Institution], words: Mapping[str, str] | None = None) -> None:
        extra = {code: fold_letters(text) for code, text in (words or {}).items()}
        keyed = sorted(((self._search_key(row, extra), row) for row in institutions), key=lambda each: each[0])
        self._rows = [row for _, row in keyed]
        self._keys = [key for key, _ in keyed]
        self._by_key = {row.key: row for row in self._rows}

    @staticmethod
    def _search_key(row: Institution, extra: Mapping[str, str]) -> str:
        """Every name after a "|", then key, type, region and their words; each word after a blank."""
        names = [f"| {fold_letters(name)}" for name in (row.name_ru, row.name_kk, row.name_en) if name]
        codes = [fold_letters(text) for text in (row.key, row.type, row.region_iso)]
        return " ".join([*names, "#", *codes, extra.get(row.region_iso, ""), extra.get(row.type, ""), ""])

    def __len__(self) -> int:
        return len(self._rows)

    def __contains__(self, key: str) -> bool:
        return key in self._by_key

    @property
    def institutions(self) -> list[Institution]:
        """All rows, by Russian name."""
        return list(self._rows)

    def get(self, key: str) -> Institution | None:
        """The institution of this key, or None."""
        return self._by_key.get(key)

    def search(
        self, query: str, region: str | None = None, type: str | None = None, limit: int = 50
    ) -> list[Institution]:
        """Institutions that hold every word of the query, nearest first.

        query          any spelling; empty finds all
        region, type   only rows of this ISO code, of this type; None: all
        limit          most rows returned

        Names that begin with the query stand first, then rows whose words begin with its words, then the rest.
        """
        folded = fold_letters(query)
        words = folded.split()
        found: Sequence[int] = range(len(self._rows))
        for word in sorted(words, key=len, reverse=True):
            found = [each for each in found if word in self._keys[each]]
        if region is not None or type is not None:
            rows = ((each, self._rows[each]) for each in found)
            found = [each for each, row in rows if region in (None, row.region_iso) and type in (None, row.type)]
        starts = [f" {word}" for word in words]
        ranks: tuple[list[int], ...] = ([], [], [])
        for each in found:
            key = self._keys[each]
            ranks[0 if f"| {folded}" in key else 1 if all(start in key for start in starts) else 2].append(each)
            if len(ranks[0]) >= limit:
                break
        return [self._rows[each] for rank in ranks for each in rank][:limit]


def encode_register(institutions: Iterable[Institution]) -> tuple[bytes, str]:
    """Canonical bytes of the register, rows by key, and their SHA-256 in hex. Raises NotCanonical."""
    data = canonical(RegisterPack(tuple(sorted(institutions, key=lambda row: row.key))))
    return data, sha256(data).hex()


def decode_register(data: bytes, name: str = "") -> list[Institution]:
    """The rows in these bytes; `name` is the SHA-256 they must have, empty when checked. Raises DamagedRegister."""
    if name and sha256(data).hex() != name:
        raise DamagedRegister("digest")
    try:
        pack = _decoder.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise DamagedRegister("structure") from error
    if pack.format != 1:
        raise DamagedRegister("format")
    return list(pack.institutions)
