"""T12, the quiet part: language, text size, colours, holding hand, minutes until the lock, facts about the tablet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from field_app import choices as chosen
from field_app.choices import LOCK_MINUTES, Choices
from field_app.screens import formats
from field_app.screens.screen import Screen
from field_app.screens.unlock import LANGUAGE_WORDS
from field_app.store.disk import free_bytes
from field_app.widgets.button import Button
from field_app.widgets.frame import Frame, Page, Strip
from field_app.widgets.layout import Col, Gap, Grid
from field_app.widgets.node import Box
from field_app.widgets.scroll import Scroll
from field_app.widgets.text import Text
from field_app.widgets.theme import SCALES, THEMES
from shared.texts import LANGUAGES


@dataclass(frozen=True)
class SettingsFacts:
    """What stands here; `free` is rounded, so that it does not change under the eye."""

    choices: Choices
    device: str
    person: str
    office: str
    free: int
    keystore: str
    stopped: str = ""


class Settings(Screen):
    """Settings of this tablet."""

    def facts(self) -> SettingsFacts:
        store = self.desk.store
        free = free_bytes(store.folder) // 100_000_000 * 100_000_000
        name = getattr(store.vault._keystore, "name", "")
        return SettingsFacts(
            self.desk.choices,
            store.identity.device,
            store.identity.name,
            store.identity.server_url,
            free,
            name,
            store.meta.stopped,
        )

    def build(self, facts: SettingsFacts) -> Frame:
        t = self.desk.texts
        now = facts.choices
        page = Page(
            self._part("language", [(each, LANGUAGE_WORDS[each]) for each in LANGUAGES], now.language),
            self._part("scale", [(each, t("settings.percent", percent=each)) for each in SCALES], now.scale),
            self._part("theme", [(each, t(f"settings.theme_{each}")) for each in THEMES], now.theme),
            self._part("grip", [(each, t(f"settings.grip_{each}")) for each in ("left", "right")], now.grip),
            self._part("lock_minutes", [(each, str(each)) for each in LOCK_MINUTES], now.lock_minutes),
            self._facts(facts), gap=20,
        )  # fmt: skip
        self.pane = Scroll(page)
        lock = Button(t("settings.lock_now"), "lock", "plain", self.desk.lock)
        return self.desk.chrome(t("settings.title"), self.pane, current="settings", strip=Strip(Gap(grow=1), lock))

    def _part(self, name: str, options: Sequence[tuple[Any, str]], present: Any) -> Col:
        buttons = []
        for value, word in options:
            is_it = value == present
            button = Button(
                word, "check" if is_it else None, "selected" if is_it else "plain",
                lambda value=value: self._choose(name, value), reserve=True, role="choice", inset=8,
            )  # fmt: skip
            button.state = "selected" if is_it else ""
            buttons.append(button)
        return Col(Text(self.desk.texts(f"settings.{name}"), 18, bold=True), Grid(*buttons, cell=96, gap=12), gap=8)

    def _choose(self, name: str, value: Any) -> None:
        self.desk.choose(chosen.replaced(self.desk.choices, **{name: value}))

    def _facts(self, facts: SettingsFacts) -> Col:
        t = self.desk.texts
        key = f"settings.keystore_{facts.keystore.replace('-', '_')}"
        reading = t(f"settings.reading_{facts.stopped}") if facts.stopped else ""
        lines = (
            ("reading", reading), ("person", facts.person), ("device", facts.device.replace("-", " ")),
            ("office", facts.office), ("free", formats.size(t, facts.free)),
            ("keystore", t(key) if t.has(key) else facts.keystore),
        )  # fmt: skip
        parts = [
            Col(Text(t(f"settings.{name}"), 14, "muted", bold=True), Text(value, 18), gap=2)
            for name, value in lines
            if value
        ]
        return Col(*parts, gap=12, pad=20, box=Box(fill="card", edge="hair"))
