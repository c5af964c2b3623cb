"""The question card: head, answer, tools, the grey row of non-answers. One table says which answer part a type has.

A card has one height in all states of its answer; only a warning and *who refused* add a line, below the finger.
"""

from __future__ import annotations

from collections.abc import Callable

from field_app.widgets.answers import SEARCH_FROM, Choices, Masked, Nothing, Photos, Search, Shown, Unknown, Words
from field_app.widgets.button import Button
from field_app.widgets.figures import Moment, Number, Position
from field_app.widgets.icon import Icon
from field_app.widgets.layout import Col, Grid, Row
from field_app.widgets.node import Box, Node
from field_app.widgets.non_answers import NonAnswers, Refusers
from field_app.widgets.question_view import QuestionActions, QuestionView
from field_app.widgets.repeats import Rows
from field_app.widgets.semantic import Semantic
from field_app.widgets.text import Text
from field_app.widgets.theme import look
from shared.texts import Texts

Part = Callable[[QuestionView, QuestionActions, Texts], Node]

PARTS: dict[str, Part] = {
    "select_one": Choices,
    "select_multiple": Choices,
    "select_one_from_file": Search,
    "select_multiple_from_file": Search,
    "integer": Number,
    "decimal": Number,
    "text": Words,
    "masked": Masked,
    "date": Moment,
    "time": Moment,
    "geopoint": Position,
    "image": Photos,
    "note": Nothing,
    "calculate": Shown,
    "known": Shown,
    "repeat": Rows,
}
ASKED = frozenset(PARTS) - {"note", "calculate", "known", "repeat"}
"""Types that a person answers, and so may leave unanswered with a reason."""
TOOLS_GAP = 12
_TOOLS = (("note", "note"), ("photo", "camera"), ("finding", "flag"))


def part_for(view: QuestionView) -> Part:
    """The answer part of a question; a long or *minimal* list is searched, an unknown type is a text field."""
    listed = view.kind in ("select_one", "select_multiple")
    if listed and (len(view.options) >= SEARCH_FROM or "minimal" in view.appearance):
        return Search
    return PARTS.get(view.kind, Unknown)


class Heading(Semantic, Row):
    """Number and text."""

    role = "heading"
    focusable = False


class Numeral(Text):
    """The number of a question: wide enough for most, so that the texts of a page stand in line."""

    def natural(self) -> float:
        return max(super().natural(), look.sp(46))


class Tools(Grid):
    """Note, photo, finding on this question, with how many there are."""

    def __init__(self, view: QuestionView, actions: QuestionActions, texts: Texts) -> None:
        acts = {"note": actions.note, "photo": actions.photo, "finding": actions.finding}
        self._buttons = {
            tool: Button(
                texts(f"widgets.tool_{tool}"),
                icon,
                "bare",
                lambda act=acts[tool]: act(view.item),
                size=14,
                upright=True,
                inset=2,
                tall=72,
                bold=False,
                disabled_now=view.read_only,
            )
            for tool, icon in _TOOLS
        }
        super().__init__(*self._buttons.values(), columns=3, cell=64)
        self._beside = False
        self._names = {tool: button.name for tool, button in self._buttons.items()}
        self.show(view)

    def stand(self, beside: bool) -> None:
        """Beside the answer behind a hairline, or in a row of their own."""
        if beside != self._beside:
            self._beside, self._pad = beside, (TOOLS_GAP, 0, 0, 0) if beside else 0
            self._heights.clear()
            self.restyle(Box(radius=0, sides="l") if beside else Box(radius=0))

    def show(self, view: QuestionView) -> None:
        for tool, button in self._buttons.items():
            count = view.counts.get(tool, 0)
            button.badge = str(count) if count else ""
            button.show(kind="soft" if count else "bare", state=button.badge)
            button.name = " ".join(part for part in (self._names[tool], button.badge) if part)


class QuestionCard(Node):
    """A question. `show(view)` brings it up to date in place; the caller keeps one card a question."""

    def __init__(self, view: QuestionView, actions: QuestionActions, texts: Texts) -> None:
        super().__init__(box=Box(fill="card", edge="hair"))
        self.view, self._actions, self._texts = view, actions, texts
        self.head = self._make_head(view)
        self.info, self.colleague = self._info(view), self._colleague(view)
        self.answer = part_for(view)(view, actions, texts)
        asked = view.kind in ASKED or view.kind not in PARTS
        self.tools = Tools(view, actions, texts) if asked else None
        self.non_answers = NonAnswers(view, actions, texts) if asked else None
        self.warning: Row | None = None
        self.refusers: Refusers | None = None
        for part in (self.head, self.colleague, self.info, self.answer, self.tools, self.non_answers):
            if part is not None:
                self.add(part)
        self._show_extra(view)

    # --- content ---------------------------------------------------------------------------------------------
    def _make_head(self, view: QuestionView) -> Heading:
        words = Col(Text(view.text, 20, bold=view.kind != "note"), grow=1, pad=(0, 0, 8, 0))
        if view.second:
            words.add(Text(view.second, 18, "muted"))
        head = Heading(
            Numeral(view.number, 20, "muted", bold=True) if view.number else None,
            words,
            gap=16,
            tall=64,
        )
        head.name = " ".join(part for part in (view.number, view.text) if part)
        return head

    def _colleague(self, view: QuestionView) -> Button | None:
        if not view.colleague:
            return None
        return Button(
            view.colleague,
            "people",
            "info",
            lambda: self._actions.colleague(view.item),
            size=14,
            icon_size=20,
            trail="right",
            inset=12,
        )

    def _info(self, view: QuestionView) -> Button | None:
        if not view.has_standard:
            return None
        act, name = (lambda: self._actions.info(view.item)), self._texts("widgets.standard")
        return Button("", "info", "bare", act, fixed=64, inset=8, name=name)

    def show(self, view: QuestionView) -> None:
        """The question as it stands now. Widgets stay; what is new is laid out."""
        before, self.view = self.view, view
        self.answer.show(view)
        if self.tools is not None and self.non_answers is not None:
            self.tools.show(view)
            self.non_answers.show(view)
        if before.colleague != view.colleague:
            if self.colleague is not None:
                self.drop(self.colleague)
            self.colleague = self._colleague(view)
            if self.colleague is not None:
                self.add(self.colleague, 1)
        self._show_extra(view)
        if self.width > 1 and self.high(self.width) != self.height:
            self.reflow()
        elif before.colleague != view.colleague:
            self.arrange()

    def _show_extra(self, view: QuestionView) -> None:
        for part in (self.warning, self.refusers):
            if part is not None:
                self.drop(part)
        self.warning = self.refusers = None
        if view.warning:
            self.warning = Row(
                Icon("warning", 20, "warn"),
                Text(view.warning, 14, "warn", grow=1),
                gap=8,
                pad=(12, 6),
                box=Box(fill="warn_soft", radius=6),
            )
            self.add(self.warning)
        if view.non_answer == "refused":
            self.refusers = Refusers(view, self._actions, self._texts)
            self.add(self.refusers)

    # --- layout ----------------------------------------------------------------------------------------------
    def _margins(self, width: float) -> tuple[float, float]:
        return look.dp(20 if width >= look.dp(720) else 16), look.dp(8)

    def _beside(self, inner: float) -> float:
        """Width of the tools where they stand beside the answer, 0 where they come last."""
        if self.tools is None:
            return 0
        cell = max(look.dp(74 if inner >= look.dp(680) else 64), *(b.minimum() for b in self.tools.kids))
        wide = 3 * cell + look.dp(TOOLS_GAP)
        beside = not look.large and inner - wide >= look.dp(300)
        self.tools.stand(beside)
        return wide if beside else 0

    def _right(self) -> list[Button]:
        """What stands right of the question's text."""
        parts = (None if look.large else self.colleague, self.info)
        return [part for part in parts if part is not None]

    def _head_high(self, inner: float) -> tuple[float, float]:
        """Width of the text beside its buttons, and height of the head."""
        words = inner - sum(part.natural() + look.dp(8) for part in self._right())
        return words, max(look.dp(64), self.head.high(words))

    def _down(self, width: float) -> list[tuple[Node, float, float]]:
        """Parts from top to bottom with their height and the gap above."""
        edge, gap = self._margins(width)
        inner = width - 2 * edge
        beside = self._beside(inner)
        parts = [(self.head, self._head_high(inner)[1], look.dp(4))]
        high = self.answer.high(inner - beside - (look.dp(TOOLS_GAP) if beside else 0))
        if high:
            parts.append((self.answer, max(high, self.tools.high(beside) if self.tools and beside else 0), gap))
        if self.non_answers is not None:
            self.non_answers.upright(inner < look.dp(700) and not look.large)
        last = (self.warning, self.non_answers, self.refusers, None if beside else self.tools)
        parts += [(part, part.high(inner), gap) for part in last if part is not None]
        if self.colleague is not None and look.large:
            parts.append((self.colleague, self.colleague.high(inner), gap))
        return parts

    def measure(self, width: float) -> float:
        return sum(high + gap for _, high, gap in self._down(width)) + look.dp(16)

    def arrange(self) -> None:
        edge, _ = self._margins(self.width)
        inner = self.width - 2 * edge
        beside = self._beside(inner)
        x, y = self.x + edge, self.top
        for part, high, gap in self._down(self.width):
            y -= high + gap
            if part is self.head:
                self._place_head(x, y, inner, high)
            elif part is self.answer and beside:
                self._place_beside(x, y, inner, high, beside)
            else:
                part.place(x, y, inner, high)

    def _place_head(self, x: float, y: float, inner: float, high: float) -> None:
        words, _ = self._head_high(inner)
        self.head.place(x, y, words, high)
        at = x + words
        for part in self._right():
            at += look.dp(8)
            own = part.high(part.natural())
            part.place(at, y + (high - own) / 2, part.natural(), own)
            at += part.natural()

    def _place_beside(self, x: float, y: float, inner: float, high: float, beside: float) -> None:
        """The answer with the tools at its right, both from the top."""
        assert self.tools is not None
        room = inner - beside - look.dp(TOOLS_GAP)
        own, tools = self.answer.high(room), self.tools.high(beside)
        self.answer.place(x, y + high - own, room, own)
        self.tools.place(x + inner - beside, y + high - tools, beside, tools)

    def holds_layout(self, kid: Node) -> bool:
        return kid not in (self.answer, self.non_answers) and super().holds_layout(kid)

    def reflowed(self) -> None:
        """Its own height is kept; nothing else moves."""
