"""Taking out a store that cannot be opened: every file as it lies there, for the laboratory. Nothing is opened.

What comes out is as sealed as the store: the keys stay behind the PIN and the keyholders. Source: SECURITY B.20.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from field_app.store.disk import FolderLock, make_folders, sync_folder
from field_app.store.errors import StoreMissing, StoreStands, not_saved

_LEFT = frozenset({"ballast", "owner"})


def export_raw(folder: Path, target: Path) -> int:
    """Copies every file of the store to a folder that must not exist; how many.

    Raises StoreMissing, StoreStands (the target exists), StoreBusy, NotSaved.
    """
    if not folder.is_dir() or not any(folder.iterdir()):
        raise StoreMissing(str(folder))
    if target.exists():
        raise StoreStands(str(target))
    lock = FolderLock(folder)
    try:
        return _copy(folder, target)
    except OSError as error:
        raise not_saved(error) from error
    finally:
        lock.release()


def _copy(folder: Path, target: Path) -> int:
    make_folders(target)
    count = 0
    for path in sorted(folder.rglob("*")):
        place = target / path.relative_to(folder)
        if path.is_dir():
            place.mkdir(exist_ok=True)
        elif path.name not in _LEFT:
            shutil.copyfile(path, place)
            count += 1
    sync_folder(target)
    return count
