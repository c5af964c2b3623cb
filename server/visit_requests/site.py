"""The blueprint of the request pages and what they share: the title of a request."""

from __future__ import annotations

from typing import Any

from flask import Blueprint

from server.console.web import t
from server.visit_requests import shown

blueprint = Blueprint("requests", __name__, url_prefix="/requests", template_folder="templates")

KINDS = ("special", "intermediate", "periodic")


def title_of(id_: str, texts: dict[str, Any], places: dict[str, str]) -> str:
    """The institution's name, its key when the register lacks it, or a number when the words are sealed."""
    key = texts.get("institution", "")
    return places.get(key) or key or t("requests.number", code=shown.code_of(id_))
