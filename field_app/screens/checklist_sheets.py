"""Sheets of the checklist: the standard behind a question, colleagues' answers beside one's own, a long list, a reason.

A difference is settled by a choice of one value; closing the sheet keeps both. Source: UX T4 and T9, SETTLED 43 and 44.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from field_app.acts import records
from field_app.screens.checklist_said import entry_words
from field_app.screens.checklist_state import Sitting, name_of, standard_of
from field_app.screens.checklist_views import as_text, by_words
from field_app.screens.formats import moment
from field_app.screens.screen import Desk
from field_app.widgets.button import Button
from field_app.widgets.layout import Col, Gap, Row, Rule, Wrap
from field_app.widgets.list import Entry as ListEntry
from field_app.widgets.node import Box, Node
from field_app.widgets.picker import search_sheet
from field_app.widgets.pill import Pill
from field_app.widgets.sheet import Sheet
from field_app.widgets.text import Text
from field_app.widgets.textfield import TextField
from field_app.widgets.theme import look
from shared.checklists.definition import Question
from shared.checklists.evaluate import Evaluation
from shared.observations.answers import Entry

if TYPE_CHECKING:
    from field_app.screens.checklist import ChecklistScreen


# ── the standard ────────────────────────────────────────────────────────────────────────────────────────────────────


def info_sheet(desk: Desk, evaluation: Evaluation, path: str) -> Sheet:
    """What the question rests on: its hint, and the standards with their own words."""
    t, item = desk.texts, evaluation.entry(path).item
    parts: list[Node] = [Text(evaluation.label(path, t.language), 20, bold=True)]
    if isinstance(item, Question):
        for words in (item.hint, item.constraint_message):
            text = evaluation.filled(path, words, t.language)[0]
            if text:
                parts.append(Text(text, 18))
        for key in item.standards:
            parts += [Rule(), _standard(desk, key)]
    return Sheet(t, t("widgets.standard"), Col(*parts, gap=12, pad=(24, 0, 24, 24)))


def _standard(desk: Desk, key: str) -> Col:
    row = standard_of(desk.store, key)
    if row is None:
        return Col(Text(key, 18, bold=True), Text(desk.texts("checklist_screen.standard_missing"), 14, "muted"), gap=4)
    head = " · ".join(part for part in (row.get("instrument", ""), row.get("rule", "")) if part)
    return Col(Text(head, 18, bold=True), Text(row.get("title", ""), 18), Text(key, 14, "muted"), gap=4)


# ── differences ─────────────────────────────────────────────────────────────────────────────────────────────────────


def comparison_sheet(desk: Desk, sitting: Sitting, path: str, read_only: bool, took: Callable[[str], object]) -> Sheet:
    """Everybody's answer to one question, whose and when; one may be chosen, a choice may be taken back."""
    t, result = desk.texts, sitting.effective(path)
    said = sorted(([result.entry] if result.entry else []) + list(result.others), key=lambda entry: entry.order)
    parts: list[Node] = [Text(sitting.at(path).label(path, t.language), 20, bold=True)]
    parts.append(Text(t(f"differences.state_{result.state}"), 18, "muted"))

    def done(work: Callable[[], Any]) -> None:
        if desk.saving(work) is not None:
            desk.close_sheet()
            took(path)

    for entry in said:
        chosen = result.state == "chosen" and entry is result.entry
        offers = result.state in ("differs", "chosen") and not chosen and not read_only
        choose = (lambda entry=entry: done(
            lambda: records.choose(desk.store, sitting.record.id, path, entry.operation, desk.now())
        )) if offers else None  # fmt: skip
        parts.append(_version(desk, sitting, path, entry, chosen, choose))
    if result.choice is not None and not read_only:
        choice = result.choice
        parts.append(
            Button(
                t("differences.reverse"),
                "undo",
                act=lambda: done(
                    lambda: records.reverse_choice(desk.store, sitting.record.id, choice.operation, desk.now())
                ),
            )
        )
    foot = Row(
        Button(t("differences.keep_both" if result.state == "differs" else "widgets.done"), "check", "plain",
               desk.close_sheet, grow=1),
        pad=(24, 8), tall=80,
    )  # fmt: skip
    return Sheet(t, t("differences.compare"), Col(*parts, gap=12, pad=(24, 0, 24, 24)), foot=foot)


def _version(
    desk: Desk, sitting: Sitting, path: str, entry: Entry, chosen: bool, choose: Callable[[], object] | None
) -> Col:
    t = desk.texts
    who = t("differences.me") if entry.author == desk.store.person else name_of(desk.store, entry.author)
    head = Row(Text(who, 14, "muted", grow=1), Text(moment(entry.at), 14, "muted"), gap=8)
    value: list[Node] = [Text(entry_words(sitting, path, entry, t), 20, bold=True)]
    if entry.refused_by:
        value.append(Text(t(f"widgets.refused_{entry.refused_by}"), 18))
    if entry.reason:
        value.append(Text((desk.store.words(sitting.record.id, entry.reason) or {}).get("reason", ""), 18))
    if chosen and (choice := sitting.effective(path).choice):
        by = name_of(desk.store, choice.author)
        value.append(Wrap(Pill(t("differences.chosen_by", name=by, time=moment(choice.at)), "check", "ok")))
    if choose is not None:
        value.append(Button(t("differences.choose"), "check", act=choose))
    return Col(head, *value, gap=8, pad=16, box=Box(fill="card", edge="hair"))


# ── long lists ──────────────────────────────────────────────────────────────────────────────────────────────────────


def choices_sheet(
    desk: Desk, evaluation: Evaluation, path: str, value: Any, answer: Callable[[str, str | None], object]
) -> Sheet:
    """A list too long to show whole: found by any part of a word, one tap answers, the chosen one again clears."""
    t, item = desk.texts, evaluation.entry(path).item
    chosen = (as_text(value) or "").split()
    many = isinstance(item, Question) and item.type == "select_multiple"
    rows = [
        {"key": each.name, "title": evaluation.filled("", each.label, t.language)[0] or each.name}
        for each in evaluation.choices(path)
    ]

    def find(query: str) -> list[ListEntry]:
        found = by_words(rows, query, "title", "key")
        return [
            ListEntry(row["key"], row["title"], icon="check" if row["key"] in chosen else "", icon_colour="primary",
                      strong=row["key"] in chosen)
            for row in found
        ]  # fmt: skip

    def choose(key: str) -> None:
        if many:
            codes = [row["key"] for row in rows if (row["key"] in chosen) != (row["key"] == key)]
            answer(path, " ".join(codes) or None)
        else:
            answer(path, None if key in chosen else key)

    return search_sheet(t, evaluation.label(path, t.language), find, choose)


# ── reasons ─────────────────────────────────────────────────────────────────────────────────────────────────────────

ACCESS = "/acc/acc_problem"
"""The question of a visit's form that collects problems with access; a form without it offers none."""


def offer_reason(screen: ChecklistScreen, path: str, who: str) -> None:
    """A line above the strip: the refusal stands, a reason may be added; one by staff may also be logged as a problem
    with access, where the form asks for those."""
    t = screen.desk.texts
    logs = who == "staff" and not path.startswith(ACCESS.rpartition("/")[0]) and screen.sitting.has(ACCESS)
    words = Text(t("checklist_screen.refusal_kept"), 18, grow=1)
    log = Button(t("checklist_screen.log_access"), "flag", act=lambda: _log_access(screen)) if logs else None
    reason = Button(t("checklist_screen.add_reason"), "note", act=lambda: _reason(screen, path, who))
    close = Button("", "cross", "bare", lambda: screen.frame.offer_undo(None), fixed=64, inset=8,
                   name=t("widgets.close"))  # fmt: skip
    box = Box(fill="surface2", radius=0, sides="t", side="line")
    if look.large:
        strip: Node = Col(Row(words, close, gap=8), Col(log, reason, gap=8), gap=8, pad=(24, 8), box=box)
    else:
        strip = Row(words, log, reason, close, gap=16, tall=80, pad=(24, 8), box=box)
    screen.frame.offer_undo(strip)


def _log_access(screen: ChecklistScreen) -> None:
    """The form's own list of problems with access, over the question one stays at."""
    screen.frame.offer_undo(None)
    here = screen.last

    def answer(path: str, codes: str | None) -> None:
        screen.answer(path, codes)
        screen.last = here

    sheet = choices_sheet(screen.desk, screen.evaluation(ACCESS), ACCESS, screen.own(ACCESS), answer)
    screen.desk.open_sheet(sheet)


def _reason(screen: ChecklistScreen, path: str, who: str) -> None:
    t, name = screen.desk.texts, f"{screen.record} reason {path}"
    draft = screen.desk.store.drafts().get(name)
    field = TextField(
        t("checklist_screen.reason"), draft.text if draft else "", hint=t("checklist_screen.reason_hint"), lines=4,
        multiline=True, on_draft=lambda text, caret: screen.desk.draft(name, text, caret),
    )  # fmt: skip

    def keep() -> None:
        text = field.text.strip()
        if not text or screen.keep_reason(path, who, text):
            screen.desk.saving(lambda: screen.desk.store.drop_draft(name))

    screen.frame.offer_undo(None)
    body = Col(Text(screen.evaluation(path).label(path, t.language), 20, bold=True), field, Gap(8), gap=12,
               pad=(24, 0, 24, 24))  # fmt: skip
    foot = Row(Button(t("widgets.done"), "check", "primary", screen.desk.close_sheet, grow=1), pad=(24, 8), tall=80)
    screen.desk.open_sheet(Sheet(t, t("checklist_screen.reason"), body, foot=foot, on_closed=keep))
    screen.desk.focus(field)
