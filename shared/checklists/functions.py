"""The functions of the checklist language: how many arguments each takes and what it gives.

Those here need only their arguments. Functions that look at the form itself (rows, choice labels, today) or must not
evaluate all their arguments are named in FORM_FUNCTIONS and live in `shared.checklists.evaluate`.
Source: ODK XForms specification, section "XPath functions"; where it is silent a docstring says what we chose.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from shared.checklists.values import (
    NAN,
    Value,
    as_number,
    as_text,
    as_truth,
    date_of,
    is_blank,
    moment_of,
    rounded,
    single,
)


@dataclass(frozen=True, slots=True)
class Function:
    """Arity and meaning of a function. `takes_rows`: its arguments may stand for several rows."""

    least: int
    most: int
    apply: Callable[..., Value]
    takes_rows: bool = False


def _words(value: Value) -> list[str]:
    return as_text(value).split()


def _selected(value: Value, choice: Value) -> bool:
    return as_text(choice).strip() in _words(value)


def _selected_at(value: Value, index: Value) -> str:
    words, at = _words(value), as_number(index)
    return words[int(at)] if not math.isnan(at) and 0 <= at < len(words) else ""


def _numbers(values: tuple[Value, ...]) -> list[float]:
    """All values as numbers; blanks are left out, so that a row begun and not finished does not blank a total."""
    flat = [each for value in values for each in (value if isinstance(value, tuple) else (value,))]
    return [as_number(each) for each in flat if not is_blank(each)]


def _sum(*values: Value) -> float:
    return math.fsum(numbers) if not any(map(math.isinf, numbers := _numbers(values))) else sum(numbers)


def _least(*values: Value) -> float:
    numbers = _numbers(values)
    return NAN if not numbers or any(map(math.isnan, numbers)) else min(numbers)


def _most(*values: Value) -> float:
    numbers = _numbers(values)
    return NAN if not numbers or any(map(math.isnan, numbers)) else max(numbers)


def _count(rows: Value) -> float:
    return float(len(rows)) if isinstance(rows, tuple) else 1.0


def _count_non_empty(rows: Value) -> float:
    return float(sum(not is_blank(each) for each in (rows if isinstance(rows, tuple) else (rows,))))


def _concat(*values: Value) -> str:
    return "".join(as_text(each) for value in values for each in (value if isinstance(value, tuple) else (value,)))


def _join(between: Value, *values: Value) -> str:
    flat = [each for value in values for each in (value if isinstance(value, tuple) else (value,))]
    return as_text(between).join(as_text(each) for each in flat)


def _round(value: Value, places: Value = 0.0) -> float:
    digits = as_number(places)
    return NAN if math.isnan(digits) else rounded(as_number(value), int(max(-15.0, min(15.0, digits))))


def _whole(value: Value) -> float:
    number = as_number(value)
    return number if math.isnan(number) or math.isinf(number) else float(math.trunc(number))


def _toward(step: Callable[[float], int]) -> Callable[[Value], float]:
    def apply(value: Value) -> float:
        number = as_number(value)
        return number if math.isnan(number) or math.isinf(number) else float(step(number))

    return apply


def _power(base: Value, exponent: Value) -> float:
    try:
        return math.pow(as_number(base), as_number(exponent))
    except ValueError:
        return NAN
    except OverflowError:
        return math.inf


def _root(value: Value) -> float:
    number = as_number(value)
    return math.sqrt(number) if number >= 0 else NAN


def _substring(value: Value, start: Value, end: Value | None = None) -> str:
    """ODK substr: from 0, the end left out, negatives counted from the end."""
    text, first = as_text(value), as_number(start)
    last = float(len(text)) if end is None else as_number(end)
    if math.isnan(first) or math.isnan(last):
        return ""
    limit = len(text)
    return text[int(max(-limit, min(limit, first))) : int(max(-limit, min(limit, last)))]


def _normal_space(value: Value) -> str:
    return " ".join(as_text(value).split())


def _translated(value: Value, old: Value, new: Value) -> str:
    source, target = as_text(old), as_text(new)
    table: dict[int, str | None] = {}
    for at, sign in enumerate(source):
        table.setdefault(ord(sign), target[at] if at < len(target) else None)
    return as_text(value).translate(table)


def _matches(value: Value, pattern: Value) -> bool:
    """The whole text must match; a pattern that cannot be read matches nothing."""
    try:
        return re.fullmatch(as_text(pattern), as_text(value)[:1_000]) is not None
    except (re.error, RecursionError):
        return False


def _date(value: Value) -> Value:
    """Text or days since 1970 as a date; blank when it is neither."""
    value = single(value)
    match value:
        case datetime():
            return value.date()
        case date():
            return value
        case str():
            return date_of(value) or (_date(number) if not math.isnan(number := as_number(value)) else "")
        case _:
            number = as_number(value)
            if not abs(number) < 700_000:
                return ""
            return date(1970, 1, 1) + timedelta(days=math.floor(number))


def _moment(value: Value) -> Value:
    value = single(value)
    match value:
        case datetime():
            return value
        case date():
            return datetime.combine(value, time())
        case str():
            found = moment_of(value) or date_of(value)
            return _moment(found) if found is not None and not isinstance(found, datetime) else found or ""
        case _:
            number = as_number(value)
            return datetime(1970, 1, 1) + timedelta(days=number) if abs(number) < 700_000 else ""


def _days(value: Value) -> float:
    moment = _moment(value)
    return NAN if is_blank(moment) else as_number(moment)


_FORMATS: dict[str, Callable[[datetime], str]] = {
    "Y": lambda moment: f"{moment.year:04d}",
    "y": lambda moment: f"{moment.year % 100:02d}",
    "m": lambda moment: f"{moment.month:02d}",
    "n": lambda moment: str(moment.month),
    "d": lambda moment: f"{moment.day:02d}",
    "e": lambda moment: str(moment.day),
    "H": lambda moment: f"{moment.hour:02d}",
    "h": lambda moment: str(moment.hour),
    "M": lambda moment: f"{moment.minute:02d}",
    "S": lambda moment: f"{moment.second:02d}",
    "3": lambda moment: f"{moment.microsecond // 1000:03d}",
    "%": lambda moment: "%",
}
DATE_FORMAT = re.compile(rf"(?:[^%]|%[{''.join(_FORMATS)}])*", re.DOTALL)
"""Formats without names of months and weekdays, which have no language here."""


def _formatted(value: Value, form: Value) -> str:
    moment = _moment(value)
    if not isinstance(moment, datetime):
        return ""
    return re.sub(rf"%([{''.join(_FORMATS)}])", lambda found: _FORMATS[found[1]](moment), as_text(form))


FUNCTIONS: dict[str, Function] = {
    "true": Function(0, 0, lambda: True),
    "false": Function(0, 0, lambda: False),
    "not": Function(1, 1, lambda value: not as_truth(value)),
    "boolean": Function(1, 1, as_truth),
    "boolean-from-string": Function(1, 1, lambda value: as_text(value) in ("true", "1")),
    "number": Function(1, 1, as_number),
    "int": Function(1, 1, _whole),
    "string": Function(1, 1, as_text),
    "selected": Function(2, 2, _selected),
    "count-selected": Function(1, 1, lambda value: float(len(_words(value)))),
    "selected-at": Function(2, 2, _selected_at),
    "concat": Function(1, 99, _concat, True),
    "join": Function(2, 99, _join, True),
    "string-length": Function(1, 1, lambda value: float(len(as_text(value)))),
    "contains": Function(2, 2, lambda value, part: as_text(part) in as_text(value)),
    "starts-with": Function(2, 2, lambda value, part: as_text(value).startswith(as_text(part))),
    "ends-with": Function(2, 2, lambda value, part: as_text(value).endswith(as_text(part))),
    "substr": Function(2, 3, _substring),
    "substring-before": Function(
        2, 2, lambda value, part: as_text(value).partition(as_text(part))[0] if as_text(part) in as_text(value) else ""
    ),
    "substring-after": Function(2, 2, lambda value, part: as_text(value).partition(as_text(part))[2]),
    "normalize-space": Function(1, 1, _normal_space),
    "translate": Function(3, 3, _translated),
    "regex": Function(2, 2, _matches),
    "round": Function(1, 2, _round),
    "floor": Function(1, 1, _toward(math.floor)),
    "ceiling": Function(1, 1, _toward(math.ceil)),
    "abs": Function(1, 1, lambda value: abs(as_number(value))),
    "pow": Function(2, 2, _power),
    "sqrt": Function(1, 1, _root),
    "sum": Function(1, 99, _sum, True),
    "min": Function(1, 99, _least, True),
    "max": Function(1, 99, _most, True),
    "count": Function(1, 1, _count, True),
    "count-non-empty": Function(1, 1, _count_non_empty, True),
    "date": Function(1, 1, _date),
    "date-time": Function(1, 1, _moment),
    "decimal-date-time": Function(1, 1, _days),
    "decimal-time": Function(1, 1, lambda value: _days(value) % 1),
    "format-date": Function(2, 2, _formatted),
    "format-date-time": Function(2, 2, _formatted),
}

FORM_FUNCTIONS: dict[str, tuple[int, int]] = {
    "if": (3, 3),
    "coalesce": (2, 2),
    "once": (1, 1),
    "today": (0, 0),
    "now": (0, 0),
    "position": (1, 1),
    "indexed-repeat": (3, 7),
    "jr:choice-name": (2, 2),
}
"""Functions that look at the form or choose which argument to evaluate, with their arity."""


def arity_of(name: str) -> tuple[int, int] | None:
    """Least and most arguments of a function, or None when the language has no such function."""
    if name in FORM_FUNCTIONS:
        return FORM_FUNCTIONS[name]
    found = FUNCTIONS.get(name)
    return None if found is None else (found.least, found.most)
