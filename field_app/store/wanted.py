"""Which files may go to the office now, and which files and packs are still to be loaded. No network."""

from __future__ import annotations

from field_app.store.kept import (
    MediaKept,
)
from field_app.store.opened import Opened
from field_app.store.store import Store
from shared.packs import Pack, packs_in

ALARM_LIMIT = 50


def sendable_files(store: Store) -> list[MediaKept]:
    """Files whose naming operation the office has received: only those does it take."""

    def work(opened: Opened) -> list[MediaKept]:
        held = {
            operation.id
            for each in opened.cuts
            if each.is_received or each.state.status == "quarantined"
            for operation in opened.book.subjects[each.header.subject].operations
            if operation.device == opened.identity.device and each.header.first <= operation.seq <= each.last
        }
        return [kept for _, kept in opened.media.values() if kept.operation in held]

    return store.reading(work)


def packs_wanted(store: Store) -> list[Pack]:
    """Packs that law, forms and register name and that do not lie here yet."""
    named: dict[str, Pack] = {}
    for kind in ("law", "form", "register"):
        for subject in store.subjects(kind):
            named |= {pack.sha256: pack for pack in packs_in(store.state(subject))}
    return [pack for pack in named.values() if not store.pack_path(pack.sha256).exists()]


def files_wanted(store: Store) -> list[tuple[str, int]]:
    """Thumbnails, then derivatives, of photos in records held here whose files do not lie here: (hash, size)."""
    found: list[tuple[int, int, str]] = []
    for subject in store.subjects("record"):
        state = store.state(subject)
        for photo in state.photos.values():
            for role, file in photo.files.items():
                if role != "original" and not photo.withdrawn and not (store.folder / "media" / file.sha256).exists():
                    found.append((("thumbnail", "derivative").index(role), file.size, file.sha256))
    return [(name, size) for _, size, name in sorted(found)]
