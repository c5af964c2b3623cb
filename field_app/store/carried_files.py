"""Sealed files of colleagues that came by hand: kept beside one's own, and brought to the office like them.

A file is taken only when a photo held here names it; its bytes are its name, so nothing else needs to be trusted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from field_app.store.disk import write_whole
from field_app.store.errors import not_saved
from field_app.store.kept import MediaKept
from field_app.store.opened import Opened
from field_app.store.store import Store
from shared.ledger.crypto import sha256
from shared.observations.record import Record


def take_files(store: Store, found: Iterable[tuple[str, bytes]]) -> int:
    """Keeps (hash, bytes) of photos known here; how many were new. Raises NotSaved."""
    named = store.reading(_named)
    count = 0
    for name, data in found:
        kept = named.get(name)
        if kept is None or len(data) != kept.size or sha256(data).hex() != name:
            continue
        if (store.folder / "media" / name).exists():
            continue
        try:
            write_whole(store.folder / "media" / name, data)
        except OSError as error:
            raise not_saved(error) from error
        store.reading(_keeping(kept))
        count += 1
    return count


def _keeping(kept: MediaKept) -> Callable[[Opened], None]:
    def work(opened: Opened) -> None:
        number = opened.write(lambda writing: writing.put("media", kept))
        opened.media[kept.sha256] = (number, kept)

    return work


def _named(opened: Opened) -> dict[str, MediaKept]:
    """Files that photos in the records held here name, as a carried file of this tablet."""
    found = {}
    for subject in opened.book.of_kind("record"):
        state = opened.book.state(subject)
        for photo in state.photos.values() if isinstance(state, Record) else ():
            for role, file in photo.files.items():
                found[file.sha256] = MediaKept(file.sha256, file.size, role, subject, photo.id, carried=True)
    return found
