"""Photos of a visit: taken from a question or from the list, looked at, cleared for the report or not.

A shot is sealed on a thread of its own and named by an operation when its files are on the disk. Nothing goes into a
report before a member looked and said that it shows no face and nothing that identifies. Source: UX T8, SETTLED 59, 60.
"""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from kivy.core.image import Image as CoreImage
from kivy.graphics import Color, Rectangle

from field_app.acts import photos, records
from field_app.acts.subjects import record_id
from field_app.device.camera import camera
from field_app.screens import formats
from field_app.screens.checklist_state import ground, name_of
from field_app.screens.screen import Screen
from field_app.store.errors import StoreError
from field_app.widgets.button import Button
from field_app.widgets.control import Control
from field_app.widgets.frame import Frame, Page, Strip
from field_app.widgets.layout import Col, Gap, Grid, Row, Wrap
from field_app.widgets.node import Box, Node
from field_app.widgets.page_buttons import PageButtons
from field_app.widgets.pill import Pill
from field_app.widgets.scroll import Scroll
from field_app.widgets.sheet import Sheet, dialog
from field_app.widgets.text import Text
from field_app.widgets.textfield import TextField
from field_app.widgets.theme import look
from shared.errors import RuleBroken
from shared.law.words import slug
from shared.observations.record import Photo, Record
from shared.values import OperationId, SubjectId

FOLDER_VARIABLE = "QORGAN_TABLET_PICTURES"


def pictures_folder(home: Path) -> Path:
    """Where a desktop takes its pictures from: the folder the person named, else `camera` beside the store."""
    return Path(os.environ.get(FOLDER_VARIABLE, home / "camera"))


# ── taking ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def photo_on(screen: Screen, of: str) -> None:
    """The sheet before a shot: an optional caption, and the one button that takes it."""
    t, desk, subject = screen.desk.texts, screen.desk, SubjectId(screen.at.subject)
    record = record_id(desk.store, subject)
    if record is None:
        return
    if not _allowed(desk.store.state(record)):
        desk.tell(t("photo.one"), t("photo.not_allowed"))
        return
    try:
        photos.check_room(desk.store, record, 0, desk.now())
    except RuleBroken as full:
        desk.tell(t("photo.one"), room_words(t, full))
        return
    name = f"{record} caption {of}"
    draft = desk.store.drafts().get(name)
    field = TextField(t("photo.caption"), draft.text if draft else "", hint=t("photo.caption_hint"),
                      on_draft=lambda text, caret: desk.draft(name, text, caret))  # fmt: skip
    body = Col(Text(t("photo.rule"), 18), field, gap=16, pad=(24, 0, 24, 24))

    def shoot() -> None:
        caption = field.text
        desk.close_sheet()
        take(screen, record, of, caption, name)

    foot = Row(Button(t("photo.take"), "camera", "primary", shoot, grow=1), pad=(24, 8), tall=80)
    desk.open_sheet(Sheet(t, t("photo.one"), body, foot=foot))


def room_words(t: Any, full: RuleBroken) -> str:
    """Why no further photo is taken, with the numbers, and how sure the office's own limit is."""
    facts = dict(full.facts)
    if "confidence" in facts:
        facts["confidence"] = t(f"law.confidence.{slug(str(facts['confidence']))}")
    return str(t(f"error.{full.code}", **facts))


def _allowed(state: Any) -> bool:
    visit = getattr(state, "parent", None)
    return bool(getattr(visit, "photos_allowed", False)) or getattr(visit, "visit_kind", "") == "unplanned"


def take(screen: Screen, record: SubjectId, of: str, caption: str, draft: str) -> None:
    """Takes a picture, seals it apart from the window, and says when it lies on the disk."""
    desk, t = screen.desk, screen.desk.texts

    def got(data: bytes) -> None:
        now = desk.now()
        desk.apart(lambda: photos.take(desk.store, record, data, now, of, caption, t.language), kept)

    def kept(result: Any) -> None:
        if isinstance(result, RuleBroken) and result.facts:
            desk.tell(t("photo.one"), room_words(t, result))
            return
        if isinstance(result, StoreError | RuleBroken):
            desk.saving(lambda: _raise(result))
            return
        if isinstance(result, Exception):
            raise result
        desk.saving(lambda: desk.store.drop_draft(draft))
        took = getattr(screen, "took_photo", None)
        if callable(took):
            took(of)
        else:
            screen.refresh()

    def refused(reason: str) -> None:
        if reason != "cancelled":
            desk.tell(t("photo.one"), t(f"photo.refused_{reason}"))

    camera(pictures_folder(desk.store.folder)).take(got, refused)


def _raise(error: Exception) -> None:
    raise error


# ── looking ─────────────────────────────────────────────────────────────────────────────────────────────────────────


class Picture(Node):
    """A JPEG as large as its place allows, whole and unstretched."""

    def __init__(self, data: bytes | None, tall: float) -> None:
        super().__init__(tall=tall, box=Box(fill="surface2", radius=8))
        self._texture = CoreImage(io.BytesIO(data), ext="jpg").texture if data else None
        with self.canvas:
            Color(1, 1, 1, 1)
            self._rectangle = Rectangle(size=(0, 0))

    def natural(self) -> float:
        return self.tall * 4 / 3

    def arrange(self) -> None:
        if self._texture is None:
            return
        wide, high = self._texture.size
        share = min((self.width - 2) / wide, (self.height - 2) / high)
        size = (round(wide * share), round(high * share))
        self._rectangle.texture, self._rectangle.size = self._texture, size
        self._rectangle.pos = (round(self.center_x - size[0] / 2), round(self.center_y - size[1] / 2))


class Thumb(Control):
    """A door to one photo: small picture, caption, state."""

    def __init__(self, picture: bytes | None, caption: str, meta: str, act: Callable[[], object]) -> None:
        self._picture = Picture(picture, 144)
        self._words = Col(Text(caption, 18, bold=True), Text(meta, 14, "muted"), gap=2)
        super().__init__(self._picture, self._words, act=act, name=f"{caption} · {meta}", pad=12,
                         box=Box(fill="card", edge="hair"))  # fmt: skip

    def minimum(self) -> float:
        return max(look.dp(160), self._words.minimum()) + self.across

    def measure(self, width: float) -> float:
        inner = width - self.across
        return look.dp(144) + look.dp(8) + self._words.high(inner) + 2 * look.dp(12)

    def arrange(self) -> None:
        left, top, _, bottom = self.pads
        inner, high = self.width - self.across, look.dp(144)
        self._picture.place(self.x + left, self.top - top - high, inner, high)
        self._words.place(self.x + left, self.y + bottom, inner, self.height - top - bottom - high - look.dp(8))


def state_words(photo: Photo, t: Any) -> str:
    """Whether it may be shown, as a sentence."""
    return t("photo.unseen" if photo.cleared is None else "photo.clear" if photo.cleared else "photo.not_clear")


class Photos(Screen):
    """All photos of a visit."""

    def facts(self) -> Any:
        store, t = self.desk.store, self.desk.texts
        self.ground = ground(store, SubjectId(self.at.subject), t.language)
        state = store.state(self.ground.record) if self.ground.record else None
        if not isinstance(state, Record):
            return ()
        return tuple((id_, photo.cleared) for id_, photo in state.photos.items() if not photo.withdrawn)

    def build(self, facts: Any) -> Frame:
        t = self.desk.texts
        parts: list[Node] = [Text(t("photo.none"), 18, "muted")] if not facts else []
        if facts:
            parts.append(Grid(*(self._thumb(OperationId(id_)) for id_, _ in facts), columns=4, cell=200, gap=12))
        self.pane = Scroll(Page(*parts))
        shoot = Button(t("photo.new"), "camera", "primary", lambda: photo_on(self, ""))
        strip = Strip(Gap(grow=1), PageButtons(t, self.pane), Gap(grow=1), None if self.ground.read_only else shoot)
        return self.desk.chrome(self.ground.title, self.pane, sub=t("photo.list"), visit=self.ground.visit, strip=strip)

    def _thumb(self, id_: OperationId) -> Thumb:
        store, t = self.desk.store, self.desk.texts
        photo = store.state(self.ground.record).photos[id_]
        words = store.words(self.ground.record, photo.words) or {}
        caption = words.get("caption") or t("photo.no_caption")
        data = photos.picture(store, self.ground.record, id_)
        return Thumb(data, caption, f"{formats.moment(photo.at)} · {state_words(photo, t)}",
                     lambda: self.desk.go("photo", subject=self.at.subject, item=id_))  # fmt: skip


class PhotoScreen(Screen):
    """One photo; `at.item` is its operation."""

    def facts(self) -> Any:
        store, t = self.desk.store, self.desk.texts
        self.ground = ground(store, SubjectId(self.at.subject), t.language)
        state = store.state(self.ground.record) if self.ground.record else None
        photo = state.photos.get(OperationId(self.at.item)) if isinstance(state, Record) else None
        return (photo.cleared, photo.withdrawn, photo.cleared_by) if photo else None

    def build(self, facts: Any) -> Frame:
        t, store = self.desk.texts, self.desk.store
        parts: list[Node | None] = []
        if facts is None or self.ground.record is None:
            parts.append(Text(t("photo.none"), 18, "muted"))
        else:
            photo: Photo = store.state(self.ground.record).photos[OperationId(self.at.item)]
            words = store.words(self.ground.record, photo.words) or {}
            data = photos.picture(store, self.ground.record, photo.id, "derivative")
            parts.append(Picture(data, 400))
            parts.append(Text(words.get("caption") or t("photo.no_caption"), 20, bold=True))
            parts.append(Text(f"{name_of(store, photo.author)} · {formats.moment(photo.at)}", 14, "muted"))
            parts.append(None if data else Text(t("photo.not_here"), 18, "warn"))
            parts.append(self._judgement(photo))
        self.pane = Scroll(Page(*parts))
        return self.desk.chrome(self.ground.title, self.pane, sub=t("photo.one"), visit=self.ground.visit,
                                strip=self._strip(facts))  # fmt: skip

    def _judgement(self, photo: Photo) -> Node:
        t = self.desk.texts
        off = self.ground.read_only
        buttons = [
            Button(t(f"photo.say_{word}"), "check" if photo.cleared is value else None,
                   "selected" if photo.cleared is value else "plain", lambda value=value: self._clear(value),
                   role="choice", reserve=True, tall=72, disabled_now=off)
            for word, value in (("clear", True), ("not_clear", False))
        ]  # fmt: skip
        for button, value in zip(buttons, (True, False), strict=True):
            button.state = "selected" if photo.cleared is value else ""
        kind = "ok" if photo.cleared else "grey"
        return Col(Text(t("photo.question"), 20, bold=True), Text(t("photo.question_help"), 14, "muted"),
                   Grid(*buttons, gap=8), Wrap(Pill(state_words(photo, t), None, kind)), gap=12, pad=16,
                   box=Box(fill="card", edge="hair"))  # fmt: skip

    def _strip(self, facts: Any) -> Strip | None:
        if facts is None or self.ground.read_only:
            return None
        t, id_ = self.desk.texts, self.at.item
        return Strip(
            Button(t("note.remove"), "trash", "danger", self._remove), Gap(grow=1),
            Button(t("widgets.tool_note"), "note", "plain", self._note),
            Button(t("photo.to_finding"), "flag", "primary",
                   lambda: self.desk.go("finding", subject=self.at.subject, evidence=id_)),
        )  # fmt: skip

    def _note(self) -> None:
        from field_app.screens.note import note_on

        note_on(self, self.at.item)

    def current(self) -> str:
        """A note written here belongs to the photo."""
        return self.at.item

    def took(self, of: str) -> None:
        """After a note."""
        self.refresh()

    def _clear(self, value: bool) -> None:
        desk, record = self.desk, self.ground.record
        assert record is not None
        if desk.saving(lambda: records.clear_photo(desk.store, record, OperationId(self.at.item), value, desk.now())):
            desk.rebuild()

    def _remove(self) -> None:
        desk, t, record = self.desk, self.desk.texts, self.ground.record
        assert record is not None

        def act() -> None:
            done = desk.saving(
                lambda: records.withdraw(desk.store, record, self.at.item, "entered_by_mistake", desk.now())
            )
            if done is not None:
                desk.back()

        desk.open_sheet(dialog(t, t("photo.one"), t("photo.remove_sure"), yes=t("note.remove"), act=act, danger=True))
