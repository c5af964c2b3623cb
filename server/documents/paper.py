"""Making paper: a template in one language becomes a tagged PDF. Decides nothing, reads no table, fetches nothing.

One installed full font serves all three languages; web fonts in pieces would print wrong letters in silence.
"""

from __future__ import annotations

from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from shared.texts import Language, texts
from shared.values import ALMATY, moment_of

HERE = Path(__file__).parent
NBSP = "\u00a0"


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader([HERE / "templates"]), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    environment.filters |= {"date": shown_date, "moment": shown_moment}
    return environment


def shown_date(value: date | str) -> str:
    """A day as 07.03.2026; from a day, or from the text of a day or a moment. Empty for what is none."""
    if isinstance(value, str):
        try:
            value = moment_of(value).astimezone(ALMATY).date() if "T" in value else date.fromisoformat(value)
        except ValueError:
            return ""
    return f"{value:%d.%m.%Y}"


def shown_moment(value: datetime | str) -> str:
    """A moment as 07.03.2026, 14:05 in the time of Kazakhstan. Empty for what is none."""
    try:
        moment = moment_of(value) if isinstance(value, str) else value
    except ValueError:
        return ""
    return f"{moment.astimezone(ALMATY):%d.%m.%Y, %H:%M}".replace(" ", NBSP)


def html_of(template: str, language: Language, values: dict[str, Any]) -> str:
    """The page behind a paper, for tests and for `pdf_of`."""
    words = texts(language)
    return _environment().get_template(template).render(t=words, tn=words.plural, language=language, **values)


def pdf_of(template: str, language: Language, values: dict[str, Any], stamp: datetime) -> bytes:
    """The PDF, tagged for screen readers, with its language and title. `stamp` is the moment it is made."""
    from weasyprint import CSS, HTML  # heavy, and most processes never print

    page = HTML(string=html_of(template, language, values), url_fetcher=_nothing, base_url=str(HERE))
    sheet = CSS(string=(HERE / "paper.css").read_text(encoding="utf-8"))
    made: bytes = page.write_pdf(
        stylesheets=[sheet], pdf_variant="pdf/ua-1", uncompressed_pdf=False, pdf_identifier=_identifier(stamp)
    )
    return made


def _identifier(stamp: datetime) -> bytes:
    return stamp.isoformat().encode()


def _nothing(url: str, *args: Any, **kwargs: Any) -> Any:
    """Paper fetches nothing: pictures lie in the page itself."""
    from weasyprint.urls import URLFetchingError

    raise URLFetchingError(url)


def check_code(sha256: str) -> str:
    """The check code people compare: the first 16 hex digits in groups of four."""
    return " ".join(sha256[at : at + 4].upper() for at in range(0, 16, 4))
