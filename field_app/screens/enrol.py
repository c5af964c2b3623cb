"""T1, first steps: address and one-time code, the PIN twice, digits compared with the office, the second officer.

Every step can be cut off: the store's keys are made once, the address is kept in clear, the code is asked for again.
Source: UX T1, SETTLED decisions 37 and 63.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from kivy.clock import Clock

from field_app.screens.pinpad import KeyPage, PinPad
from field_app.screens.unlock import Halves, language_row
from field_app.widgets.button import Button
from field_app.widgets.icon import Icon
from field_app.widgets.layout import Col, Gap, Grid, Row
from field_app.widgets.node import Box, Node
from field_app.widgets.scroll import Scroll
from field_app.widgets.text import Text
from field_app.widgets.textfield import TextField
from shared.texts import Language, Texts

Step = Literal["office", "pin", "again", "asking", "compare"]
STEPS: tuple[Step, ...] = ("office", "pin", "again", "compare")
ASK_SECONDS = 3.0


@dataclass(frozen=True)
class Enrolling:
    """What the page is handed.

    has_store, is_known   whether the keys are made; whether the office took the code
    weakness(pin)         "short", "simple" or ""
    create(pin), show_code(address, code, certificate) → digits    slow: run apart; both raise
    digits, ask, is_confirmed, finish                   of the wait for the second officer
    """

    texts: Texts
    language: Language
    address: str
    speak: Callable[[Language], object]
    keep_address: Callable[[str], object]
    has_store: Callable[[], bool]
    is_known: Callable[[], bool]
    weakness: Callable[[str], str]
    create: Callable[[str], object]
    show_code: Callable[[str, str, str], object]
    digits: Callable[[], str]
    ask: Callable[[], object]
    is_confirmed: Callable[[], bool]
    finish: Callable[[], object]
    apart: Callable[[Callable[[], Any], Callable[[Any], object]], None]


class Enrol(KeyPage, Node):
    """One page, one step at a time."""

    def __init__(self, hands: Enrolling) -> None:
        self._hands, self._texts = hands, hands.texts
        self._address, self._code, self._certificate, self._pin = hands.address, "", "", ""
        self.step: Step = "compare" if hands.is_known() else "office"
        super().__init__(box=Box(fill="page", radius=0))
        self._languages = language_row(hands.language, hands.speak)
        self._body = Scroll(Node())
        for part in (self._languages, self._body):
            self.add(part)
        self._asking = Clock.schedule_interval(lambda _: self._ask(), ASK_SECONDS)
        self._show()

    def arrange(self) -> None:
        high = self._languages.high(self.width)
        self._languages.place(self.x, self.top - high, self.width, high)
        self._body.place(self.x, self.y, self.width, self.height - high)

    def holds_layout(self, kid: Node) -> bool:
        return True

    def on_parent(self, _: Any, parent: Any) -> None:
        self.listen(parent)
        if parent is None:
            self._asking.cancel()

    # ── steps ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def _show(self, trouble: str = "") -> None:
        t = self._texts
        self.pad = None
        number = STEPS.index(self.step) + 1 if self.step in STEPS else 3
        head = [
            Row(Icon("shield", 36, "primary", fixed=40), Text("Qorgan", 32, bold=True), gap=12),
            Text(t("unlock.step", number=number, count=len(STEPS)), 14, "muted"),
            Text(t(f"unlock.{self.step}_title"), 24, bold=True),
            Text(t(f"unlock.{self.step}_text"), 18, "muted"),
            Text(trouble, 18, "bad", bold=True) if trouble else None,
        ]
        page = {"office": self._office, "compare": self._compare, "asking": self._waiting}.get(self.step, self._pins)
        self._body.drop(self._body.body)
        self._body.body = page(Col(*head, gap=8))
        self._body.add(self._body.body)
        self._body.offset = 0
        if self.width > 1:
            self.arrange()
        stage = self.parent
        if stage is not None and hasattr(stage, "_listen"):
            stage.set_focus(None)
            stage._listen(self)

    def _office(self, head: Col) -> Node:
        t = self._texts
        address = self._field(t("unlock.address"), self._address, "https://", "_address")
        code = self._field(t("unlock.code"), self._code, "", "_code")
        pin = self._field(t("unlock.certificate"), self._certificate, "", "_certificate")
        go = Button(t("unlock.next"), None, "primary", self._office_done, trail="right")
        for field in (*address, *code, *pin):
            head.add(field)
        head.add(Gap(8))
        head.add(Row(Gap(grow=1), go))
        return Col(head, pad=24, widest=720, align="middle")

    def _field(self, label: str, value: str, hint: str, name: str) -> tuple[Node, Node]:
        field = TextField(label, value, hint=hint, on_draft=lambda text, caret: setattr(self, name, text))
        return Text(label, 14, "muted", bold=True), field

    def _office_done(self) -> None:
        if not self._address.strip() or not self._code.strip():
            self._show(self._texts("unlock.both_needed"))
            return
        self._hands.keep_address(self._address.strip())
        if self._hands.has_store():
            self._ask_office()
        else:
            self.step = "pin"
            self._show()

    def _pins(self, head: Col) -> Node:
        self.pad = PinPad(self._texts, self._texts("unlock.next"), self._pin_done)
        head.add(Gap(8))
        head.add(self.pad.dots)
        return Halves(head, self.pad)

    def _pin_done(self, pin: str) -> None:
        t = self._texts
        if self.step == "pin":
            weakness = self._hands.weakness(pin)
            if weakness:
                self._show(t(f"unlock.pin_{weakness}"))
                return
            self._pin, self.step = pin, "again"
            self._show()
        elif pin != self._pin:
            self._pin, self.step = "", "pin"
            self._show(t("unlock.pin_differs"))
        else:
            self._ask_office()

    def _waiting(self, head: Col) -> Node:
        return Col(head, pad=24, widest=720, align="middle")

    def _ask_office(self) -> None:
        """Makes the keys when they are not made yet, and shows the code to the office."""
        pin, self._pin = self._pin, ""
        address, code, certificate = (each.strip() for each in (self._address, self._code, self._certificate))
        self.step = "asking"
        self._show()

        def work() -> None:
            if not self._hands.has_store():
                self._hands.create(pin)
            self._hands.show_code(address, code, certificate)

        self._hands.apart(work, self._answered)

    def _answered(self, result: Any) -> None:
        if isinstance(result, Exception):
            self.step = "office" if self._hands.has_store() else "pin"
            self._show(self._trouble(result))
        else:
            self.step = "compare"
            self._show()

    def _trouble(self, error: Exception) -> str:
        code = getattr(error, "code", "") or {
            "NoNetwork": "no_network",
            "AddressRefused": "address_refused",
            "PinMissing": "pin_missing",
            "WrongKey": "wrong_key",
        }.get(type(error).__name__, "failed")
        for key in (f"unlock.{code}", f"error.{code}", f"tablet.{code}"):
            if self._texts.has(key):
                return self._texts(key)
        return getattr(error, "message", "") or self._texts("unlock.failed")

    def _compare(self, head: Col) -> Node:
        groups = self._hands.digits().split()
        cells = [Text(group, 32, bold=True, text_align="center", pad=(8, 12)) for group in groups]
        for cell in cells:
            cell.restyle(Box(fill="card", edge="hair"))
        head.add(Gap(8))
        head.add(Grid(*cells, columns=3, cell=120, gap=12))
        head.add(Gap(8))
        head.add(Text(self._texts("unlock.waiting_officer"), 18))
        head.add(Row(Gap(grow=1), Button(self._texts("unlock.ask_again"), "swap", "plain", self._ask)))
        return Col(head, pad=24, widest=720, align="middle")

    def _ask(self) -> None:
        if self.step != "compare":
            return
        if self._hands.is_confirmed():
            self._asking.cancel()
            self._hands.finish()
        else:
            self._hands.ask()
