"""Keeps the window out of screenshots, recordings and the list of recent programs, where the machine can do that.

Must be called before the first frame: a thumbnail made earlier stays.
"""

from __future__ import annotations

from field_app.device.platform import on_android

FLAG_SECURE = 0x2000
"""Source: android.view.WindowManager.LayoutParams.FLAG_SECURE."""


def protect() -> bool:
    """Sets the flag; false on a machine that has none, which the settings page says."""
    if not on_android():
        return False
    from android.runnable import run_on_ui_thread
    from jnius import autoclass

    activity = autoclass("org.kivy.android.PythonActivity").mActivity

    @run_on_ui_thread
    def set_flag() -> None:
        activity.getWindow().addFlags(FLAG_SECURE)

    set_flag()
    return True
