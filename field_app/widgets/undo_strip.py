"""The strip that offers to take back what was just done, for ten seconds. The page above it gets
lower by as much, so that it covers no control and moves none."""

from __future__ import annotations

from collections.abc import Callable

from kivy.clock import Clock

from field_app.widgets.button import Button
from field_app.widgets.frame import Frame
from field_app.widgets.layout import Gap, Row
from field_app.widgets.node import Box
from field_app.widgets.text import Text
from shared.texts import Texts

SECONDS = 10


def offer_undo(frame: Frame, texts: Texts, sentence: str, undo: Callable[[], object], seconds: float = SECONDS) -> None:
    """Shows `sentence` with an Undo button in the frame; after `seconds` it goes by itself."""

    def end(*_: object) -> None:
        timer.cancel()
        if frame.undo_strip is strip:
            frame.offer_undo(None)

    def take_back() -> None:
        end()
        undo()

    button = Button(texts("widgets.undo"), "undo", "plain", take_back)
    strip = Row(Text(sentence, 18, grow=1), Gap(), button, gap=16, tall=80, pad=(24, 8))
    strip.restyle(Box(fill="surface2", radius=0, sides="t", side="line"))
    timer = Clock.schedule_once(end, seconds)
    frame.offer_undo(strip)
