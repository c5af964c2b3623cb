"""A photo as bytes: from the device's camera, or on a desktop from a file in a folder that the person chose.

Never keeps a copy of its own: a file the camera wrote is read and removed before anybody else can see it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from field_app.device.platform import on_android

JPEG, PNG = b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"
MOST_BYTES = 50 * 1024 * 1024
Taken = Callable[[bytes], object]
Refused = Callable[[str], object]


class Camera(Protocol):
    """`take(done, refused)`: `done(bytes)` once with the picture, or `refused(reason)` with a reason code."""

    def take(self, done: Taken, refused: Refused) -> None: ...


def checked(path: Path) -> bytes:
    """The bytes of a picture file. Raises ValueError("missing" | "too_large" | "not_a_picture")."""
    if not path.is_file():
        raise ValueError("missing")
    if path.stat().st_size > MOST_BYTES:
        raise ValueError("too_large")
    data = path.read_bytes()
    if not data.startswith((JPEG, PNG)):
        raise ValueError("not_a_picture")
    return data


class FolderCamera:
    """Desktop: hands out the pictures of a folder by name, one after the other, or the one that `choose` picks."""

    def __init__(self, folder: Path, choose: Callable[[Sequence[Path]], Path | None] | None = None) -> None:
        self._folder, self._choose, self._next = folder, choose, 0

    def pictures(self) -> list[Path]:
        """The picture files of the folder by name."""
        endings = {".jpg", ".jpeg", ".png"}
        if not self._folder.is_dir():
            return []
        return sorted(path for path in self._folder.iterdir() if path.suffix.lower() in endings)

    def take(self, done: Taken, refused: Refused) -> None:
        found = self.pictures()
        if not found:
            refused("no_pictures")
            return
        path = self._choose(found) if self._choose is not None else found[self._next % len(found)]
        self._next += 1
        if path is None:
            refused("cancelled")
            return
        try:
            data = checked(path)
        except ValueError as error:
            refused(str(error))
            return
        done(data)


class AndroidCamera:
    """The system camera, through a file in the app's own folder that is removed as soon as it is read."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def take(self, done: Taken, refused: Refused) -> None:
        from plyer import camera

        path = self._folder / "shot.jpg"

        def complete(_: object) -> bool:
            try:
                data = checked(path)
            except ValueError as error:
                refused("cancelled" if str(error) == "missing" else str(error))
                return False
            finally:
                path.unlink(missing_ok=True)
            done(data)
            return False

        camera.take_picture(filename=str(path), on_complete=complete)


def camera(folder: Path) -> Camera:
    """The camera of this machine; `folder` holds pictures on a desktop, and is private to the app on Android."""
    return AndroidCamera(folder) if on_android() else FolderCamera(folder)
