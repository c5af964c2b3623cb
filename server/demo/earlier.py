"""The same office some weeks earlier: the story's call for candidates has to stay open as long as the rule says.

Serves the real application with a clock set back, in this process, on the loopback address. Only the demo does that; a
running office has no setting for its clock.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from werkzeug.serving import WSGIRequestHandler, make_server

from server.app import create_app
from server.office import Office


class _Quiet(WSGIRequestHandler):
    """Says nothing for each request: the demo prints steps."""

    def log_request(self, code: object = "-", size: object = "-") -> None:
        """Nothing."""


@contextmanager
def office_ago(office: Office, port: int, ago: timedelta) -> Iterator[None]:
    """Serves the office with a clock that is late by `ago`, until the block ends."""
    app = create_app(office=office, clock=lambda: datetime.now(UTC) - ago)
    server = make_server("127.0.0.1", port, app, threaded=True, request_handler=_Quiet)
    thread = threading.Thread(target=server.serve_forever, name="earlier", daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
