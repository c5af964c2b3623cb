"""Finds Noto Sans and makes it the only font of the tablet. Never downloads one and never falls back to another."""

from __future__ import annotations

from pathlib import Path

FONT = "Qorgan"
PACKAGE = "fonts-noto-core"
REGULAR, BOLD = "NotoSans-Regular.ttf", "NotoSans-Bold.ttf"
FOLDERS = (
    Path(__file__).parents[1] / "fonts",  # an Android package carries the two files here
    Path("/usr/share/fonts/truetype/noto"),  # Debian, Ubuntu
    Path("/usr/share/fonts/noto"),  # Arch, Alpine
    Path("/usr/share/fonts/google-noto"),  # Fedora
    Path("/usr/local/share/fonts"),
    Path.home() / ".local/share/fonts",
)


class FontMissing(RuntimeError):
    """Noto Sans is not installed; the message says what to install."""


def find(folders: tuple[Path, ...] = FOLDERS) -> tuple[Path, Path]:
    """Paths of the regular and the bold file, both from one folder. Raises FontMissing."""
    for folder in folders:
        regular, bold = folder / REGULAR, folder / BOLD
        if regular.is_file() and bold.is_file():
            return regular, bold
    looked = ", ".join(str(folder) for folder in folders)
    raise FontMissing(f"Noto Sans is missing: install the package {PACKAGE} (looked in {looked})")


def register() -> None:
    """Registers the family with Kivy, and under Kivy's default name too, so that no other font slips through."""
    from kivy.core.text import DEFAULT_FONT, LabelBase

    regular, bold = (str(path) for path in find())
    LabelBase.register(FONT, regular, fn_bold=bold)
    LabelBase.register(DEFAULT_FONT, regular, fn_bold=bold)
