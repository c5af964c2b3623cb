"""The screens of the tablet's window, each in a module of its own, loaded when a person first goes there.

`SCREENS` names them; what a screen is and gets stands in `field_app.app` and `field_app.screens.screen`.
"""

from __future__ import annotations

SCREENS: dict[str, str] = {
    "today": "field_app.screens.today:Today",
    "visit": "field_app.screens.visit:VisitHome",
    "request": "field_app.screens.request:Request",
    "sync": "field_app.screens.sync:SyncCentre",
    "settings": "field_app.screens.settings:Settings",
    "checklist": "field_app.screens.checklist:ChecklistScreen",
    "notes": "field_app.screens.note_list:Notes",
    "interviews": "field_app.screens.interview:Interviews",
    "interview": "field_app.screens.interview:InterviewScreen",
    "findings": "field_app.screens.finding:Findings",
    "finding": "field_app.screens.finding:FindingScreen",
    "photos": "field_app.screens.photo:Photos",
    "photo": "field_app.screens.photo:PhotoScreen",
    "differences": "field_app.screens.differences:Differences",
    "report": "field_app.screens.report:ReportScreen",
    "question": "field_app.screens.report:Question",
}
"""Name for `go` → "module:class". Note is a sheet, not a screen: `field_app.screens.note:open_note(screen)`."""

ABOVE: dict[str, str] = {
    "visit": "today",
    "request": "today",
    "sync": "today",
    "settings": "today",
    "question": "today",
}
"""Where *back* leads when nothing was left behind; every other screen lies under "visit" of the same subject."""


def above(name: str) -> str:
    """The screen one comes back to from this one after a restart; "" from the first."""
    return "" if name == "today" else ABOVE.get(name, "visit")
