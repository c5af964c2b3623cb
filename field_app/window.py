"""Kivy as the tablet wants it. Import this before anything of Kivy: settings are read when its parts are first loaded.

No file of Kivy's own settings, no log file, no multisampling (boxes are drawn from textures), Escape means *back*.
"""

from __future__ import annotations

import os

os.environ.setdefault("KIVY_NO_ARGS", "1")
os.environ.setdefault("KIVY_NO_FILELOG", "1")
os.environ.setdefault("KIVY_NO_CONFIG", "1")

from kivy.app import App
from kivy.clock import Clock
from kivy.config import Config

__all__ = ["App", "Clock", "density", "set_size"]

for _section, _name, _value in (
    ("graphics", "multisamples", "0"),
    ("graphics", "width", "1280"),
    ("graphics", "height", "800"),
    ("kivy", "exit_on_escape", "0"),
    ("kivy", "keyboard_mode", "system"),
    ("kivy", "pause_on_minimize", "0"),
    ("input", "mouse", "mouse,disable_multitouch"),
):
    Config.set(_section, _name, _value)


def set_size(width: int, height: int) -> None:
    """The size of a desktop window in pixels; before `field_app.app` is imported, for its widgets make the window."""
    Config.set("graphics", "width", str(width))
    Config.set("graphics", "height", str(height))


def density() -> float:
    """Pixels in one dp of this screen."""
    from kivy.metrics import Metrics

    return float(Metrics.density)
