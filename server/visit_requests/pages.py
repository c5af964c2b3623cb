"""The pages of requests, put together: each module hangs its views on the one blueprint."""

from __future__ import annotations

from server.visit_requests import filing_pages, inbox_pages, one_pages
from server.visit_requests.site import blueprint

__all__ = ["blueprint", "filing_pages", "inbox_pages", "one_pages"]
