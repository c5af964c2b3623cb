"""Screens of the window. The bench comes first: it makes the window, at the size every picture is cut from."""

import tests.field_app.widgets.bench  # noqa: F401
