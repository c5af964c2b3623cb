"""The part of T11 for exchange without a network: who a bundle is for, which file to read, and what it brought.

Files lie in one folder the person can reach with a cable or a stick. Nothing here opens or seals: the functions of
`field_app.bundles` do. Source: SECURITY B.26, UX T11.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from field_app.bundles import making, taking
from field_app.bundles.commands import words_of, words_of_saved
from field_app.bundles.staying import staying
from field_app.screens import formats
from field_app.screens.screen import Screen
from field_app.store.carried import Colleague, colleagues
from field_app.store.disk import write_whole
from field_app.store.errors import ReplyRefused, StoreError, not_saved
from field_app.store.vouched import office_devices
from field_app.widgets.button import Button
from field_app.widgets.layout import Col
from field_app.widgets.node import Node
from field_app.widgets.sheet import Sheet
from field_app.widgets.text import Text
from shared.errors import RuleBroken
from shared.ledger.bundle import HEADER_BYTES, BundleHeader, read_file, read_header
from shared.texts import Texts
from shared.values import ALMATY

FOLDER_VARIABLE = "QORGAN_TABLET_BUNDLES"
SUFFIX = ".qorgan"
SHOWN = 8
"""Newest files offered to be read."""


def folder_of(home: Path) -> Path:
    """Where bundles are written to and read from: the folder the person named, else `bundles` beside the store."""
    return Path(os.environ.get(FOLDER_VARIABLE, home / "bundles"))


def _spelled(path: Path) -> str:
    """A path in words that a line can break between."""
    return " / ".join(part for part in path.parts if part != path.anchor)


def save_sheet(screen: Screen) -> None:
    """Who is it for: the office, or a colleague's tablet."""
    t, desk = screen.desk.texts, screen.desk
    folder = folder_of(desk.store.folder)
    known = [(each, staying(desk.store, each.person)) for each in colleagues(desk.store)]
    buttons: list[Node] = [Button(t("bundle.office"), "building", "primary", lambda: _save(screen, None))]
    buttons += [
        Button(
            t("bundle.colleague", name=each.name, label=each.label), "people", "plain", _saver(screen, each),
            sub=t.plural("bundle.without", left) if left else "",
        )
        for each, left in known
    ]  # fmt: skip
    why = Text(t("bundle.stay_why"), 16, bold=True) if any(left for _, left in known) else None
    words = Text(t("bundle.sealed", folder=_spelled(folder)), 16, "muted")
    desk.open_sheet(Sheet(t, t("bundle.for_whom"), Col(*buttons, why, words, gap=12, pad=(24, 0, 24, 24))))


def _saver(screen: Screen, to: Colleague) -> Callable[[], None]:
    return lambda: _save(screen, to)


def _save(screen: Screen, to: Colleague | None) -> None:
    desk = screen.desk
    desk.close_sheet()
    now = desk.now()
    name = f"{now.astimezone(ALMATY):%Y%m%d-%H%M%S}-{'office' if to is None else to.device[-8:]}{SUFFIX}"
    path = folder_of(desk.store.folder) / name

    def work() -> Path:
        data = making.for_office(desk.store, now) if to is None else making.for_colleague(desk.store, to, now)
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            write_whole(path, data)
        except OSError as error:
            raise not_saved(error) from error
        return path

    left = staying(desk.store, to.person) if to is not None else 0

    _apart(screen, work, lambda done: words_of_saved(screen.desk.texts, _spelled(done), left))


def read_sheet(screen: Screen) -> None:
    """Which file: the newest of the folder by sender, time and size. What this tablet wrote itself is for others."""
    t, desk = screen.desk.texts, screen.desk
    folder = folder_of(desk.store.folder)
    newest = sorted(folder.glob(f"*{SUFFIX}"), key=lambda path: path.stat().st_mtime, reverse=True)
    headers = {path: _header(path) for path in newest}
    mine = desk.store.identity.device
    found = [path for path, header in headers.items() if header is None or header.from_ != mine][:SHOWN]
    if not found:
        desk.tell(t("bundle.title"), t("bundle.none", folder=_spelled(folder)))
        return
    senders = dict.fromkeys(desk.store.reading(office_devices), "")
    senders |= {each.device: each.name for each in colleagues(desk.store)}
    buttons = [_offer(screen, path, _sender(t, headers[path], senders)) for path in found]
    desk.open_sheet(Sheet(t, t("bundle.which"), Col(*buttons, gap=12, pad=(24, 0, 24, 24))))


def _offer(screen: Screen, path: Path, sender: str) -> Button:
    """One file to read: who sent it, else only its name."""
    size = formats.size(screen.desk.texts, path.stat().st_size)
    sub = f"{path.name} · {size}" if sender else size
    return Button(sender or path.name, "file", "plain", _reader(screen, path), sub=sub)


def _header(path: Path) -> BundleHeader | None:
    """What the first line says; None where it is no bundle, which reading it will say in words."""
    try:
        with path.open("rb") as file:
            return read_header(file.read(HEADER_BYTES))
    except (RuleBroken, OSError):
        return None


def _sender(t: Texts, header: BundleHeader | None, senders: dict[str, str]) -> str:
    """Who sent it and when, as the file claims; empty where it names nobody known. Reading proves it or refuses.

    senders   device → name of its person; "" for the office's
    """
    if header is None or header.from_ not in senders:
        return ""
    try:
        time = formats.moment(header.created)
    except ValueError:
        return ""
    name = senders[header.from_]
    return t("bundle.file_colleague", name=name, time=time) if name else t("bundle.file_office", time=time)


def _reader(screen: Screen, path: Path) -> Callable[[], None]:
    def read() -> None:
        desk = screen.desk
        desk.close_sheet()
        now = desk.now()
        _apart(screen, lambda: taking.take(desk.store, _whole(path), now), lambda done: words_of(desk.texts, done))

    return read


def _whole(path: Path) -> bytes:
    with path.open("rb") as file:
        return read_file(file)


def _apart(screen: Screen, work: Callable[[], Any], words: Callable[[Any], str]) -> None:
    """Slow work on a thread of its own; what came of it, or why nothing did, in words."""
    desk, t = screen.desk, screen.desk.texts

    def done(result: Any) -> None:
        if isinstance(result, RuleBroken):
            desk.tell(t("bundle.title"), t(f"error.{result.code}", **dict(result.facts)))
        elif isinstance(result, ReplyRefused):
            desk.tell(t("bundle.title"), t(f"tablet.alarm.{result.reason}"))
        elif isinstance(result, StoreError):
            desk.tell(t("bundle.title"), t(f"tablet.{result.code}"))
        elif isinstance(result, OSError):
            desk.tell(t("bundle.title"), t("tablet.not_saved"))
        elif isinstance(result, Exception):
            raise result
        else:
            said = words(result)
            desk.send_now()
            screen.refresh()
            desk.tell(t("bundle.title"), said)

    desk.apart(work, done)
