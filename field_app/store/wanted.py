"""Which files may go to the office now, and which files and packs are still to be loaded. No network.

A pack comes piece by piece, over days if need be, and has its name only once it is whole and on the disk.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from field_app.store.disk import keep_as
from field_app.store.errors import not_saved
from field_app.store.kept import (
    MediaKept,
)
from field_app.store.opened import Opened
from field_app.store.store import Store
from shared.ledger.crypto import sha256
from shared.packs import Pack, packs_in


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
        return [
            kept
            for _, kept in opened.media.values()
            if kept.operation in held or (kept.carried and not opened.meta.offers)
        ]

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


def _part(store: Store, pack: Pack) -> Path:
    path = store.pack_path(pack.sha256)
    return path.with_name(path.name + ".part")


def pack_begun(store: Store, pack: Pack) -> int:
    """How many bytes of a pack are here already."""
    part = _part(store, pack)
    return part.stat().st_size if part.exists() else 0


def add_to_pack(store: Store, pack: Pack, pieces: Iterable[bytes]) -> None:
    """Adds what comes of a pack behind what is here. Raises NotSaved, and what the pieces raise."""
    try:
        with _part(store, pack).open("ab") as file:
            for piece in pieces:
                file.write(piece)
    except OSError as error:
        raise not_saved(error) from error


def finish_pack(store: Store, pack: Pack) -> bool:
    """Gives a pack its name when its hash is right and it is on the disk; else it begins anew. Raises NotSaved."""
    part = _part(store, pack)
    try:
        if sha256(part.read_bytes()).hex() != pack.sha256:
            part.unlink()
            return False
        keep_as(part, store.pack_path(pack.sha256))
    except OSError as error:
        raise not_saved(error) from error
    return True
