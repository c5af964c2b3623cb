"""The bar at the top of every screen: place, save mark, what is not sent yet, battery, Undo.

Where room gets short words go first and facts stay. A failed save turns the whole bar red and stays until it works.
"""

from __future__ import annotations

from collections.abc import Callable

from field_app.widgets.button import Button
from field_app.widgets.icon import Icon
from field_app.widgets.layout import Gap, Row
from field_app.widgets.node import Box, Node
from field_app.widgets.semantic import Semantic
from field_app.widgets.text import Text
from field_app.widgets.theme import look
from shared.texts import Texts

TOP = 64
_SIZES_OF_FAILURE = (14, 14, 14, 11)
_BAR = Box(fill="card", sides="b", radius=0)


class Status(Semantic, Row):
    """An icon with a few words that only say something."""

    role = "status"
    focusable = False

    def __init__(self, icon: str, words: str, name: str, colour: str = "muted", icon_colour: str = "") -> None:
        self.icon = Icon(icon, 20, icon_colour or colour)
        self.words = Text(words, 14, colour)
        super().__init__(self.icon, self.words, gap=6)
        self.name = name


class Place(Semantic, Row):
    """Where one is: the screen's heading."""

    role = "heading"
    focusable = False


class TopBar(Node):
    """`say` methods change one fact in place; the bar lays itself out again if it must."""

    def __init__(
        self,
        texts: Texts,
        place: str,
        sub: str = "",
        *,
        back: Callable[[], object] | None = None,
        undo: Callable[[], object] | None = None,
        saved_at: str = "",
        unsent: int = 0,
        battery: int | None = None,
    ) -> None:
        super().__init__(tall=TOP, box=_BAR)
        self._texts, self._place, self._sub, self._back, self._undo = texts, place, sub, back, undo
        self._saved_at, self._unsent, self._battery, self._failure = saved_at, unsent, battery, ""
        self._row: Row | None = None

    def saved(self, at: str) -> None:
        """The last save has worked, at this time (HH:MM:SS)."""
        self._change(_saved_at=at, _failure="")

    def failed(self, reason: str) -> None:
        """The last save has not worked; `reason` is a whole sentence in the person's language."""
        self._change(_failure=reason)

    def unsent(self, count: int) -> None:
        self._change(_unsent=count)

    def battery(self, percent: int | None) -> None:
        """Charge in per cent, None when it is not known."""
        self._change(_battery=percent)

    def name_place(self, place: str, sub: str = "") -> None:
        self._change(_place=place, _sub=sub)

    def _change(self, **facts: object) -> None:
        if any(getattr(self, name) != value for name, value in facts.items()):
            for name, value in facts.items():
                setattr(self, name, value)
            self.restyle(_BAR.but(fill="bad") if self._failure else _BAR)
            if self.width > 1:
                self.arrange()

    def measure(self, width: float) -> float:
        return self.tall

    def arrange(self) -> None:
        for brevity in range(4):
            row = self._build(brevity)
            if row.natural() <= self.width or brevity == 3:
                break
        self.refill([row])
        row.place(self.x, self.y, self.width, self.height)

    def holds_layout(self, kid: Node) -> bool:
        return True

    def _build(self, brevity: int) -> Row:
        """0 all words, 1 unsent as a number, 2 also without the second place and the word *saved*, 3 no battery."""
        parts: list[Node] = []
        ink, bare = ("bg", "on_bad") if self._failure else ("text", "bare")
        if self._back is not None:
            parts.append(Button("", "left", bare, self._back, fixed=64, inset=8, name=self._texts("widgets.back")))
        size = 18 if brevity < 3 else 11 if look.large else 14
        heading = Place(Text(self._place, size, ink, bold=True), gap=12)
        heading.name = self._place
        if self._sub and brevity < 2:
            heading.add(Text(self._sub, 18, "bg" if self._failure else "muted"))
        parts += [heading, Gap(grow=1)]
        if self._failure:
            if brevity == 3:
                parts = parts[:-2]
            parts.append(self._failed_mark(_SIZES_OF_FAILURE[brevity]))
        else:
            parts += self._marks(brevity)
        if self._undo is not None:
            parts.append(Button("", "undo", bare, self._undo, fixed=64, inset=8, name=self._texts("widgets.undo")))
        left = 8 if self._back is not None else 24
        return Row(*parts, gap=16 if brevity < 3 else 8, pad=(left, 0, 8 if self._undo is not None else 24, 0))

    def _failed_mark(self, size: float) -> Node:
        mark = Status("warning", self._failure, self._failure, "bg")
        mark.words.bold, mark.words.text_size = True, size
        mark.words.grow = mark.grow = float(size != _SIZES_OF_FAILURE[0])
        return mark

    def _marks(self, brevity: int) -> list[Node]:
        texts, marks = self._texts, []
        if self._saved_at:
            whole = texts("widgets.saved", time=self._saved_at)
            marks.append(Status("done", whole if brevity < 2 else self._saved_at, whole, "muted", "ok"))
        whole = texts("widgets.unsent", count=self._unsent)
        marks.append(Status("cloud_up", whole if brevity < 1 else str(self._unsent), whole))
        if self._battery is not None and brevity < 3:
            whole = texts("widgets.battery", percent=self._battery)
            marks.append(Status("battery", texts("widgets.percent", percent=self._battery), whole))
        return marks
