"""The parts of the machine that a desktop has: pictures from a folder, the double of the key store, the battery."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from field_app.device import battery, secure_window
from field_app.device.camera import JPEG, MOST_BYTES, FolderCamera, camera
from field_app.device.keystore import DesktopDouble, DoubleRefused, keystore


def _shoot(folder: Path) -> tuple[list[bytes], list[str]]:
    taken: list[bytes] = []
    refused: list[str] = []
    FolderCamera(folder).take(taken.append, refused.append)
    return taken, refused


def test_a_folder_gives_its_pictures_in_turn(tmp_path: Path) -> None:
    for name, data in (("b.JPG", JPEG + b"2"), ("a.jpg", JPEG + b"1"), ("c.txt", b"no")):
        (tmp_path / name).write_bytes(data)
    taken: list[bytes] = []
    folder = FolderCamera(tmp_path)
    for _ in range(3):
        folder.take(taken.append, pytest.fail)
    assert taken == [JPEG + b"1", JPEG + b"2", JPEG + b"1"]
    chosen = FolderCamera(tmp_path, lambda found: found[-1])
    chosen.take(taken.append, pytest.fail)
    assert taken[-1] == JPEG + b"2"


def test_what_is_no_picture_is_refused_with_a_reason(tmp_path: Path) -> None:
    assert _shoot(tmp_path) == ([], ["no_pictures"])
    assert _shoot(tmp_path / "nowhere") == ([], ["no_pictures"])
    (tmp_path / "a.jpg").write_bytes(b"MZ not a picture")
    assert _shoot(tmp_path) == ([], ["not_a_picture"])
    with (tmp_path / "a.jpg").open("wb") as file:
        file.write(JPEG)
        file.truncate(MOST_BYTES + 1)
    assert _shoot(tmp_path) == ([], ["too_large"])
    FolderCamera(tmp_path, lambda found: None).take(pytest.fail, lambda reason: None)


def test_the_desktop_double_keeps_its_secret_and_forgets_it_when_told(tmp_path: Path) -> None:
    path = tmp_path / "double"
    first = DesktopDouble(path).secret()
    assert len(first) == 32
    assert DesktopDouble(path).secret() == first
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    DesktopDouble(path).destroy()
    assert DesktopDouble(path).secret() != first
    assert DesktopDouble.name == "desktop-double"


def test_a_release_build_refuses_the_double(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QORGAN_RELEASE", "1")
    with pytest.raises(DoubleRefused):
        keystore(tmp_path / "double")
    assert not (tmp_path / "double").exists()


def test_the_battery_is_read_or_unknown(tmp_path: Path) -> None:
    assert battery.charge(tmp_path) is None
    (tmp_path / "BAT0").mkdir()
    (tmp_path / "BAT0" / "capacity").write_text("broken")
    (tmp_path / "BAT1").mkdir()
    (tmp_path / "BAT1" / "capacity").write_text("62\n")
    assert battery.charge(tmp_path) == 62


def test_a_desktop_window_cannot_be_protected_and_says_so(tmp_path: Path) -> None:
    assert secure_window.protect() is False
    assert isinstance(camera(tmp_path), FolderCamera)
