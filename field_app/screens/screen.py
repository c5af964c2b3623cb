"""What a screen is, and what it is handed: the contract between `field_app.app` and every screen.

A screen reads the store into plain facts (`facts`), draws them (`build`) and says where the person is (`here`). It
knows no window, no thread and no other screen. Source: UX section 2, SETTLED decisions 38, 40 and 41.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from field_app.choices import Choices
from field_app.store.kept import Place
from field_app.sync.status import Progress
from field_app.widgets.frame import Frame
from field_app.widgets.node import Node
from field_app.widgets.scroll import Scroll
from field_app.widgets.sheet import Sheet
from field_app.widgets.theme import look
from shared.texts import Texts

if TYPE_CHECKING:
    from field_app.store.store import Store

Result = TypeVar("Result")


class Chrome(Protocol):
    """Makes the frame of a screen: top bar with the marks, rail with Note and Cover, whatever stands inside."""

    def __call__(
        self,
        place: str,
        detail: Node,
        *,
        sub: str = "",
        current: str = "",
        back: bool = True,
        undo: Callable[[], object] | None = None,
        **parts: Any,
    ) -> Frame:
        """The frame. `current`: rail item one stands at (today, visit, sync, settings).

        parts   `visit` (the visit this screen belongs to, then the rail leads to its home), and what
                `widgets.frame.Frame` takes: list_pane, list_width, list_title, list_opens, strip, side, side_width
        """
        ...


@dataclass(frozen=True)
class Desk:
    """What every screen is handed. Functions of the window, the unlocked store, and plain data.

    store     read whatever you need; write through `saving` only
    saving    runs work that writes; marks *saved*, or returns None after turning the bar red (disk) or saying which
              rule does not allow it: then what was typed stays
    tell      (title, sentence) in a dialog with one way on
    draft     keeps a text while it is typed, with the place: (field, text, caret). False: not on the disk
    go        another screen: go("checklist", subject=visit, item="/k/k4", theme="/k"); further words go to Place.more
    apart     runs slow work (network, key stretching) on a thread of its own, then `done(result)` in the window;
              an exception of the work comes back as the result
    width     of the window in pixels; a screen that changes with it is built anew when it changes
    rebuild   builds this screen anew where the person is: language, text size, other facts
    """

    texts: Texts
    store: Store
    choices: Choices
    now: Callable[[], datetime]
    saving: Callable[[Callable[[], Any]], Any]
    draft: Callable[[str, str, int], bool]
    go: Callable[..., None]
    back: Callable[[], None]
    note: Callable[[], None]
    rebuild: Callable[[], None]
    chrome: Chrome
    open_sheet: Callable[[Sheet], None]
    close_sheet: Callable[[], None]
    apart: Callable[[Callable[[], Any], Callable[[Any], object]], None]
    send_now: Callable[[], None]
    choose: Callable[[Choices], None]
    lock: Callable[[], None]
    progress: Callable[[], Progress]
    tell: Callable[[str, str], None]
    width: Callable[[], float]
    focus: Callable[[Node], None] = field(default=lambda node: None)


class Screen:
    """One screen. A subclass gives `facts` and `build`; the rest when it has something to do there.

    at      the place it was made for: screen, subject, item, caret, scroll, more
    shown   the facts that are drawn now
    pane    the pane whose scroll is part of the place; set by `build`
    """

    def __init__(self, desk: Desk, at: Place) -> None:
        self.desk, self.at = desk, at
        self.pane: Scroll | None = None
        self.shown = self.facts()
        self.frame: Frame = self.build(self.shown)

    def facts(self) -> Any:
        """What the screen shows, as plain data that can be compared."""
        return None

    @abstractmethod
    def build(self, facts: Any) -> Frame:
        """Draws the facts: `self.desk.chrome(…)` makes the frame."""

    def here(self) -> Place:
        """Where the person is now; kept on the disk and restored after a kill."""
        scroll = round(self.pane.offset / look.density) if self.pane is not None else self.at.scroll
        return replace_place(self.at, scroll=scroll)

    def settle(self) -> None:
        """Called once it is laid out: scroll, focus and caret of `at` are put back."""
        if self.pane is not None:
            self.pane.scroll_to(self.at.scroll * look.density)

    def refresh(self) -> None:
        """The store changed, by this tablet or by others. Builds anew only when the facts are other facts."""
        facts = self.facts()
        if facts != self.shown:
            self.desk.rebuild()

    def leave(self) -> None:
        """What is typed becomes operations: another screen, Cover, lock, background, 30 s without a key."""

    @property
    def is_busy(self) -> bool:
        """Whether building anew now would take something from under the person's hand."""
        return self.frame.sheet is not None


def replace_place(place: Place, **changes: Any) -> Place:
    """The place with other facts."""
    facts = {name: getattr(place, name) for name in ("screen", "subject", "item", "caret", "scroll", "more")}
    return Place(**(facts | changes))
