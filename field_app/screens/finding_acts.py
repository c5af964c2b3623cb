"""What can be done with a finding besides writing: evidence and standards, due date, two versions, taking it away."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any

from field_app.acts import records
from field_app.screens import formats
from field_app.screens.checklist_state import Sitting, name_of, standards
from field_app.screens.checklist_views import by_words
from field_app.screens.finding_links import link_sheet
from field_app.screens.screen import Desk
from field_app.widgets.button import Button
from field_app.widgets.keypad import keypad_sheet
from field_app.widgets.layout import Col
from field_app.widgets.list import Entry
from field_app.widgets.node import Box, Node
from field_app.widgets.picker import search_sheet
from field_app.widgets.sheet import Sheet, dialog
from field_app.widgets.text import Text
from shared.observations.record import Versioned
from shared.values import OperationId, SubjectId

if TYPE_CHECKING:
    from field_app.store.kept import Place

FIELDS = {"saw": ("eye", 4), "told": ("ear", 3), "concluded": ("scales", 3)}
"""Texts of a finding: icon and lines."""
CARD = Box(fill="card", edge="hair")


class FindingActs:
    """Mixin of the finding screen: `_say` writes changes, `_known` is the finding as it is held."""

    desk: Desk
    at: Place
    shown: Any
    sitting: Sitting
    record: SubjectId
    id: str

    @abstractmethod
    def _say(self, **changes: Any) -> None:
        """Given by the screen."""

    @abstractmethod
    def _known(self) -> Versioned | None:
        """Given by the screen."""

    # --- links and standards ---------------------------------------------------------------------------------
    def _link(self) -> None:
        evidence = tuple(self.shown["evidence"])
        self.desk.open_sheet(
            link_sheet(self.desk, self.sitting, evidence, lambda key: self._say(evidence=(*evidence, key)))
        )

    def _unlink(self, key: str) -> None:
        self._say(evidence=tuple(each for each in self.shown["evidence"] if each != key))

    def _open_link(self, key: str) -> None:
        if key.startswith("/"):
            self.desk.go("checklist", subject=self.at.subject, item=key)
        elif OperationId(key) in self.sitting.record.photos:
            self.desk.go("photo", subject=self.at.subject, item=key)
        elif SubjectId(key) in self.sitting.record.interviews:
            self.desk.go("interviews", subject=self.at.subject)
        else:
            self.desk.go("notes", subject=self.at.subject)

    def _find_standard(self) -> None:
        t, rows = self.desk.texts, standards(self.desk.store)
        chosen = tuple(self.shown["standards"])

        def find(query: str) -> list[Entry]:
            found = by_words(rows, query, "key", "instrument", "rule", "title", "themes")
            return [Entry(row["key"], row.get("title", ""), f"{row.get('instrument', '')} · {row.get('rule', '')}",
                          icon="check" if row["key"] in chosen else "", icon_colour="primary")
                    for row in found]  # fmt: skip

        def choose(key: str) -> None:
            self._say(standards=(*(each for each in chosen if each != key), *(() if key in chosen else (key,))))

        self.desk.open_sheet(search_sheet(t, t("finding.standard"), find, choose, row=128))

    def _drop_standard(self, key: str) -> None:
        self._say(standards=tuple(each for each in self.shown["standards"] if each != key))

    def _due(self, value: str | None) -> None:
        def done(day: str | None) -> None:
            said = dict(self.shown.get("recommendation") or {})
            if (day or "") != said.get("due", ""):
                self._say(recommendation=said | {"due": day or ""})

        t = self.desk.texts
        self.desk.open_sheet(keypad_sheet(t, t("finding.due"), "date", value, draft=lambda text: None, done=done))

    # --- versions, removing ----------------------------------------------------------------------------------
    def _versions(self) -> None:
        desk, t, known = self.desk, self.desk.texts, self._known()
        parts: list[Node] = []
        for head in known.heads if known else ():
            version = known.versions[head]  # type: ignore[union-attr]
            words = desk.store.words(self.record, version.words) or {}
            said = [Text(words[name], 18) for name in FIELDS if words.get(name)]
            severity = t(f"finding.{version.body.severity}") if version.body else ""
            parts.append(
                Col(
                    Text(f"{name_of(desk.store, version.author)} · {formats.moment(version.at)}", 14, "muted"),
                    *said,
                    Text(severity, 14, "muted"),
                    Button(t("differences.choose"), "check", act=lambda version=version: self._keep(version)),
                    gap=8,
                    pad=16,
                    box=CARD,
                )
            )
        desk.open_sheet(Sheet(t, t("finding.versions"), Col(*parts, gap=12, pad=(24, 0, 24, 24))))

    def _keep(self, version: Any) -> None:
        words = self.desk.store.words(self.record, version.words) or {}
        body = version.body
        self.desk.close_sheet()
        self._say(
            severity=body.severity, urgent=body.urgent, evidence=body.evidence, standards=body.standards,
            **{name: words.get(name, "") for name in (*FIELDS, "told_by")}, recommendation=words.get("recommendation"),
        )  # fmt: skip

    def _remove(self) -> None:
        desk, t = self.desk, self.desk.texts

        def act() -> None:
            done = desk.saving(
                lambda: records.withdraw(desk.store, self.record, self.id, "entered_by_mistake", desk.now())
            )
            if done is not None:
                desk.back()

        desk.open_sheet(dialog(t, t("finding.one"), t("finding.remove_sure"), yes=t("finding.remove"), act=act,
                               danger=True))  # fmt: skip
