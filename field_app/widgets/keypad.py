"""A keypad in a sheet for numbers, dates and times, and what its keys make of a typed text. The rules are pure."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from field_app.widgets.button import Button
from field_app.widgets.control import Control
from field_app.widgets.layout import Col, Grid, Row
from field_app.widgets.node import Box
from field_app.widgets.sheet import Sheet
from field_app.widgets.text import Text
from shared.texts import Texts

MOST_DIGITS = 15
_MASKS = {"date": (2, 2, 4), "month": (2, 4), "time": (2, 2)}


def typed(form: str, text: str, key: str) -> str:
    """The text after a key: a digit, "," or "." for the decimal comma, "-" to change the sign, "backspace", "clear".

    form   "integer", "decimal", "date", "month", "time"; a key that cannot stand there leaves the text as it is
    """
    if key == "clear":
        return ""
    if key == "backspace":
        return text[:-1].rstrip(".:") if form in _MASKS else text[:-1]
    if form in _MASKS:
        return _masked(form, text, key)
    if key == "-":
        return text[1:] if text.startswith("-") else "-" + text
    if key in ",.":
        return text if form != "decimal" or "," in text else (text if text.lstrip("-") else text + "0") + ","
    if not key.isdigit() or len(key) != 1 or sum(c.isdigit() for c in text) >= MOST_DIGITS:
        return text
    if "," in text and len(text.split(",")[1]) >= 6:
        return text
    bare = text.lstrip("-")
    return text[: len(text) - len(bare)] + (key if bare == "0" else bare + key)


def _masked(form: str, text: str, key: str) -> str:
    groups, sign = _MASKS[form], ":" if form == "time" else "."
    digits = "".join(c for c in text if c.isdigit())
    if not key.isdigit() or len(digits) >= sum(groups):
        return text
    digits += key
    parts, at = [], 0
    for size in groups:
        if digits[at : at + size]:
            parts.append(digits[at : at + size])
        at += size
    return sign.join(parts)


def value_of(form: str, text: str) -> str | None:
    """The ledger's form of a typed text, or None while it is not whole: "07.03.2026" → "2026-03-07", "2,50" → "2.5"."""
    if form == "time":
        hours, _, minutes = text.partition(":")
        whole = len(text) == 5 and int(hours) < 24 and int(minutes) < 60
        return text if whole else None
    if form in ("date", "month"):
        parts = text.split(".")
        if form == "month":
            parts = ["01", *parts]
        try:
            return date(int(parts[2]), int(parts[1]), int(parts[0])).isoformat() if len(parts[2]) == 4 else None
        except (ValueError, IndexError):
            return None
    bare = text.replace(",", ".")
    if not any(c.isdigit() for c in bare):
        return None
    sign, digits = ("-", bare[1:]) if bare.startswith("-") else ("", bare)
    whole, _, rest = digits.partition(".")
    number = ".".join(part for part in (whole.lstrip("0") or "0", rest.rstrip("0")) if part)
    return number if number == "0" else sign + number


def shown_as(form: str, value: str | None) -> str:
    """The ledger's form as a person types it: "2026-03-07" → "07.03.2026", "2.5" → "2,5"."""
    if value is None:
        return ""
    if form in ("date", "month"):
        parts = value.split("-")[::-1]
        return ".".join(parts[1:] if form == "month" else parts)
    return value.replace(".", ",") if form == "decimal" else value


class Keypad(Col):
    """Display, keys, range. `told(text)` is called at every key."""

    def __init__(
        self, texts: Texts, form: str, text: str, told: Callable[[str], object], *, hint: str = "", unit: str = ""
    ) -> None:
        self.form, self.typed, self._told, self._texts = form, text, told, texts
        self._display = Text("", 32, bold=True, grow=1)
        self._unit = Text(unit, 18, "muted") if unit else None
        self._reason = Text(hint, 14, "muted", tall=24)
        self._hint = hint
        self.field = _Display(self, self._display, self._unit, name=texts("widgets.number"))
        keys = [self._key(digit) for digit in "789456123"]
        corner = "," if form == "decimal" else "-" if form == "integer" else "clear"
        keys += [self._key(corner), self._key("0"), self._key("backspace")]
        super().__init__(
            self.field, self._reason, Grid(*keys, columns=3, gap=12, cell=64), gap=12, pad=(24, 0, 24, 24), widest=480
        )
        if form == "decimal":
            self.add(Button("-", act=lambda: self.press("-"), kind="key", size=24, name=texts("widgets.minus_sign")))
        self._show()

    def _key(self, key: str) -> Button:
        words = {"backspace": self._texts("widgets.backspace"), "clear": self._texts("widgets.clear")}
        words["-"] = self._texts("widgets.minus_sign")
        words[","] = self._texts("widgets.decimal_comma")
        if key == "backspace":
            face = {"icon": "backspace", "kind": "key_quiet"}
        elif key == "clear":
            face = {"icon": "cross", "kind": "key_quiet"}
        else:
            face = {"text": key, "kind": "key", "size": 24, "bold": True}
        return Button(**face, act=lambda: self.press(key), name=words.get(key, key), tall=72, repeats=True)

    def press(self, key: str) -> bool:
        """A key of the pad or of a keyboard; true when it can be one."""
        if not ((key.isdigit() and len(key) == 1) or key in (",", ".", "-", "backspace", "clear")):
            return False
        text = typed(self.form, self.typed, key)
        if text != self.typed:
            self.typed = text
            self._show()
            self._told(text)
        return True

    def _show(self) -> None:
        self._display.say(self.typed or "–")
        self.field.state = self.typed
        whole = not self.typed or value_of(self.form, self.typed) is not None
        wrong = "" if whole or self.form not in _MASKS else self._texts("widgets.not_whole")
        self._reason.say(wrong or self._hint, "warn" if wrong else "muted")


class _Display(Control):
    """The number as it stands; takes digits from a keyboard."""

    def __init__(self, pad: Keypad, *kids: Text | None, name: str) -> None:
        self._keypad = pad
        row = Row(*kids, gap=12, pad=(16, 4), grow=1)
        super().__init__(row, name=name, role="field", tall=72, box=Box(fill="card", edge="primary", edge_width=2))
        self._row = row

    def measure(self, width: float) -> float:
        return max(self.tall, self._row.high(width))

    def arrange(self) -> None:
        self._row.place(self.x, self.y, self.width, self.height)

    def key(self, key: str) -> bool:
        return self._keypad.press(key)


def keypad_sheet(
    texts: Texts,
    title: str,
    form: str,
    value: str | None,
    *,
    draft: Callable[[str], object],
    done: Callable[[str | None], object],
    hint: str = "",
    unit: str = "",
) -> Sheet:
    """A sheet with a keypad. Closing it in whatever way keeps what was typed; `done` gets the ledger's form."""
    pad = Keypad(texts, form, shown_as(form, value), draft, hint=hint, unit=unit)

    def closed() -> None:
        made = value_of(form, pad.typed)
        if made is not None or not pad.typed:
            done(made)

    ready = Button(texts("widgets.done"), "check", "primary", lambda: sheet.close(), grow=1)
    foot = Row(ready, pad=(24, 8), tall=80)
    sheet = Sheet(texts, title, pad, foot=foot, on_closed=closed)
    return sheet
