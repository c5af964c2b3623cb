"""The mandate on paper: number, names, dates, an empty line for the institution, and the code that proves it."""

from __future__ import annotations

import io
from datetime import datetime

import segno

from server.documents.paper import pdf_of
from shared.errors import RuleBroken
from shared.texts import Language
from shared.visits import Visit


def qr_svg(code: str, label: str) -> str:
    """The QR code as SVG that stands inside a page; colours are attributes, which paper needs."""
    made = io.BytesIO()
    segno.make(code, error="m").save(
        made, kind="svg", scale=1, border=4, xmldecl=False, svgns=True, dark="#000", light="#fff", title=label,
        omitsize=True, svgclass=None, lineclass=None, nl=False,
    )  # fmt: skip
    return made.getvalue().decode()


def qr_png(code: str, scale: int = 6) -> bytes:
    """The QR code as a picture."""
    made = io.BytesIO()
    segno.make(code, error="m").save(made, kind="png", scale=scale, border=4)
    return made.getvalue()


def mandate_pdf(visit: Visit, office_name: str, address: str, language: Language, now: datetime) -> bytes:
    """The mandate that stands, in Kazakh or Russian.

    address  what a browser asks to check it, for people without the code's reader

    Raises RuleBroken("mandate_missing").
    """
    mandate = visit.mandate
    if mandate is None:
        raise RuleBroken("mandate_missing", "visit.mandate.document")
    values = {
        "number": mandate.number, "names": [name for _, name in mandate.names], "kind": visit.visit_kind,
        "first": mandate.valid_from, "last": mandate.valid_until, "issued": visit.mandate_at,
        "office_name": office_name, "address": f"{address}/mandate", "qr": qr_svg(mandate.code, mandate.number),
    }  # fmt: skip
    return pdf_of("mandate.html", language, values, now)
