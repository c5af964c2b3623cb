"""The first card of an interview: what is said to the person, in two languages, and what the person answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from field_app.screens import formats
from field_app.widgets.button import Button
from field_app.widgets.layout import Col, Grid
from field_app.widgets.node import Box, Node
from field_app.widgets.text import Text
from shared.observations.interview import Interview
from shared.texts import Language, Texts, texts

OTHER: dict[str, Language] = {"kk": "ru", "ru": "kk", "en": "kk"}
"""The second language read out beside the first."""
ANSWERS = ("agrees", "no_record", "declines")


def consent_card(t: Texts, state: Interview, read_only: bool, say: Callable[[Any, bool], object]) -> Node:
    """Words to read out, three answers, whether notes are allowed. `say(consent, note)`."""
    if state.withdrawn_at:
        return _card(Text(t("interview.consent"), 20, bold=True),
                     Text(t("interview.withdrawn", time=formats.moment(state.withdrawn_at)), 18))  # fmt: skip
    given = state.consent.consent if state.consent else ""
    buttons = [
        Button(t(f"interview.{answer}"), "check" if answer == given else None,
               "selected" if answer == given else "plain", lambda answer=answer: say(answer, answer == "agrees"),
               role="choice", reserve=True, tall=72, disabled_now=read_only)
        for answer in ANSWERS
    ]  # fmt: skip
    for button, answer in zip(buttons, ANSWERS, strict=True):
        button.state = "selected" if answer == given else ""
    return _card(
        Text(t("interview.consent"), 20, bold=True),
        Text(t("interview.consent_words"), 18),
        Text(texts(OTHER[t.language])("interview.consent_words"), 18, "muted"),
        Grid(*buttons, gap=8, cell=140),
        _allowed(t, state, read_only, say),
    )  # fmt: skip


def _allowed(t: Texts, state: Interview, read_only: bool, say: Callable[[Any, bool], object]) -> Node:
    consent = state.consent
    if consent is None:
        return Text(t("interview.ask_first"), 14, "muted")
    if consent.consent != "agrees":
        return Text(t(f"interview.means_{consent.consent}"), 14, "muted")
    button = Button(
        t("interview.notes_allowed"), "check" if consent.note else None, "soft_edge" if consent.note else "plain",
        lambda: say("agrees", not consent.note), role="check", reserve=True, disabled_now=read_only,
    )  # fmt: skip
    button.state = "selected" if consent.note else ""
    return Col(Text(t("interview.means_agrees"), 14, "muted"), button, gap=8)


def _card(*parts: Node) -> Node:
    return Col(*parts, gap=12, pad=(20, 16), box=Box(fill="card", edge="hair"))
