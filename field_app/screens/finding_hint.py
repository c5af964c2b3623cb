"""What in a finding could tell who somebody is: names, birth dates, a room together with fewer than three people. Pure.

A hint, never a bar: it names the words and leaves the rest to the member. Source: UX T7 and P6, SETTLED decision 67.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_ROOMS = r"(?:камер|палат|комнат|бокс|изолятор|карцер|бөлме|cell|ward|room)\w*"
ROOM = re.compile(rf"\b{_ROOMS}\s*№?\s*\d+\w*|\b\d+\s*-?\s*{_ROOMS}", re.IGNORECASE)
FEW = re.compile(
    r"\b(?:1|2|один|одна|одного|одной|два|две|двое|двух|двоих|бір|екі|екеу|one|two)\s+"
    r"(?:\w+\s+)?(?:человек\w*|лиц\w*|женщин\w*|мужчин\w*|подрост\w*|ребён\w*|детей|пациент\w*|осужд\w*|"
    r"адам\w*|әйел\w*|бала\w*|person|people|wom[ae]n|m[ae]n|child|children|patients?|prisoners?)",
    re.IGNORECASE,
)
_BIG, _SMALL = "А-ЯЁӘІҢҒҮҰҚӨҺ", "а-яёәіңғүұқөһ"
NAME = re.compile(
    rf"\b[{_BIG}][{_SMALL}]+\s+[{_BIG}](?:[{_SMALL}]+|\.(?:\s*[{_BIG}]\.|(?!\s*[{_BIG}][{_SMALL}])))"
    rf"|\b[{_BIG}]\.\s*(?:[{_BIG}]\.\s*)?[{_BIG}][{_SMALL}]+|\b[A-Z][a-z]+\s+[A-Z](?:[a-z]+|\.)"
)
BORN = re.compile(
    r"\b\d{1,2}\.\d{1,2}\.(?:19|20)\d{2}\s*(?:г\.?\s*р\.?|года рождения|туған)|\b(?:19|20)\d{2}\s*г\.?\s*р\b",
    re.IGNORECASE,
)
ID_NUMBER = re.compile(r"\b\d{12}\b")
KNOWN_NAMES = re.compile(
    r"Правил\w* Нельсона|Нельсон\w* Мандел\w*|Nelson Mandela|Mandela Rules|Стамбул\w* протокол\w*", re.I
)


def identifying(texts: Iterable[str]) -> tuple[str, ...]:
    """The words that could tell who somebody is, as written, in their order; nothing twice."""
    found: dict[str, None] = {}
    for text in texts:
        plain = KNOWN_NAMES.sub(" ", text)
        for pattern in (NAME, BORN, ID_NUMBER):
            found |= dict.fromkeys(match[0].strip() for match in pattern.finditer(plain))
        for sentence in re.split(r"(?<=[.!?])\s+|\n", plain):
            room, few = ROOM.search(sentence), FEW.search(sentence)
            if room and few:
                found |= dict.fromkeys((room[0].strip(), few[0].strip()))
    return tuple(found)
