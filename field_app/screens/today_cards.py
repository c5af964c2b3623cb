"""The cards of T2: the office's question, the declaration before a visit, the mandate, offline items, a request."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from field_app.screens import formats
from field_app.screens.today_facts import OpenQuestion, ReadyItem, RequestFacts, VisitFacts
from field_app.widgets.button import Button
from field_app.widgets.icon import Icon
from field_app.widgets.layout import Col, Gap, Row, Rule, Wrap
from field_app.widgets.node import Box, Node
from field_app.widgets.pill import Pill
from field_app.widgets.text import Text

if TYPE_CHECKING:
    from field_app.screens.today import Today

_URGENCY = {"urgent": "alert", "normal": "clock"}
_CARD = Box(fill="card", edge="hair")


def card(*kids: Node | None, gap: float = 12) -> Col:
    """A white card."""
    return Col(*kids, gap=gap, pad=20, box=_CARD)


def question_card(screen: Today, question: OpenQuestion) -> Node:
    """The office asks something about a finding; one tap leads to the answer."""
    t = screen.desk.texts
    words = Col(
        Text(t("today.question", number=question.number), 18, bold=True),
        Text(question.place, 14, "muted") if question.place else None, grow=1,
    )  # fmt: skip
    answer = Button(
        t("today.answer"), "bubble", "plain",
        lambda: screen.desk.go("question", subject=question.visit, item=question.id, report=question.report),
    )  # fmt: skip
    row = Row(Icon("bubble", 24, "info"), words, answer, gap=12, pad=20)
    row.restyle(Box(fill="info_soft", edge="info"))
    return row


def conflict_card(screen: Today, visit: VisitFacts) -> Node:
    """Before anything else: does something cast doubt on one's impartiality here?"""
    t = screen.desk.texts
    return card(
        Text(t("today.conflict_title"), 20, bold=True),
        Text(t("today.conflict_text"), 18),
        Wrap(
            Button(t("today.conflict_no"), "check", "primary", lambda: screen.declare(visit.id, False)),
            Button(t("today.conflict_yes"), None, "plain", lambda: screen.declare(visit.id, True)),
            gap=24,
        ),
    )


def mandate_card(screen: Today, visit: VisitFacts) -> Node:
    """The mandate as it was issued."""
    t = screen.desk.texts
    return card(
        Row(Icon("file", 24), Text(t("today.mandate", number=visit.mandate), 20, bold=True, grow=1), gap=12),
        Text(t("today.mandate_days", days=formats.days(*visit.mandate_days)), 18, "muted"),
        gap=6,
    )


def ready_card(screen: Today, ready: Sequence[ReadyItem]) -> Node:
    """What is on the tablet for work without a network, item by item."""
    t = screen.desk.texts
    here = sum(each.is_here for each in ready)
    count = Pill(t("today.ready_count", here=here, all=len(ready)), "list", "grey" if here < len(ready) else "ok")
    lines: list[Node] = [Row(Text(t("today.ready"), 20, bold=True, grow=1), count, gap=12)]
    for item in ready:
        lines += [_ready_line(screen, item), Rule()]
    return card(*lines[:-1], gap=0)


def _ready_line(screen: Today, item: ReadyItem) -> Row:
    t = screen.desk.texts
    name = t(f"today.ready_{item.what}")
    if item.title:
        name = t("today.ready_version", title=item.title, version=item.version)
    state = t("today.is_here") if item.is_here else t("today.is_missing")
    words = Col(Text(name, 18), Text(state, 14, "muted") if not item.is_here else None, grow=1)
    end: Node | None = None
    if not item.is_here and item.what in ("checklist", "register", "plan", "keys"):
        word = t("today.get", size=formats.size(t, item.size)) if item.size else t("today.get_now")
        end = Button(word, "download", "plain", screen.load_now)
    elif item.size:
        end = Text(formats.size(t, item.size), 14, "muted")
    icon = Icon("done", 24, "ok") if item.is_here else Icon("blank", 24, "muted")
    return Row(icon, words, end, gap=12, tall=64)


def request_card(screen: Today, request: RequestFacts) -> Node:
    """A request with its state and, once there is one, the decision with its numbers."""
    t = screen.desk.texts
    lines: list[Node | None] = [
        Text(request.place or t("today.place_unknown"), 32, bold=True),
        Wrap(
            Pill(t(f"today.request_{request.state}"), "file", "warn" if request.state == "returned" else "grey"),
            Pill(t(f"requests.urgency.{request.urgency}"), _URGENCY[request.urgency], "outline"),
            gap=8,
        ),
        Gap(8),
        _line(t("today.request_kind"), t(f"requests.kind.{request.kind}")),
        _line(t("today.request_days"), formats.days(request.from_on, request.to_on)),
        _line(t("today.request_filed_at"), formats.moment(request.filed_at)),
        _line(t("today.request_reason"), request.reason),
    ]
    if request.decision:
        numbers = " · ".join(t(f"today.votes_{name}", count=count) for name, count in request.decision)
        lines.append(_line(t("today.request_votes"), numbers))
    if request.decided_reason:
        lines.append(_line(t("today.request_decided_reason"), request.decided_reason))
    return card(*lines, gap=8)


def _line(name: str, value: str) -> Col | None:
    return Col(Text(name, 14, "muted", bold=True), Text(value, 18), gap=2) if value else None
