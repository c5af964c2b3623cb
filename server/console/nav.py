"""The menu of the console: which sections a hat sees, and how much waits there.

An entry stands only where its page exists and the hat has a cell in the access matrix. Counts come from queries that
return numbers alone, never a name. Called by the base template through `navigation()`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from shared.accounts import Role
from shared.permissions import MATRIX

Translate = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Entry:
    """One link of the menu. count = 0 shows no number; is_urgent marks it as overdue or due today."""

    url: str
    label: str
    icon: str
    is_here: bool
    count: int = 0
    is_urgent: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """A part of the menu under one heading."""

    label: str
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Waiting:
    """How much waits behind an entry, and whether some of it is overdue or due today."""

    count: int
    is_urgent: bool = False


@dataclass(frozen=True, slots=True)
class _Section:
    url: str
    verb: str
    icon: str

    @property
    def name(self) -> str:
        return self.url.strip("/")


_GROUPS: tuple[tuple[str, tuple[_Section, ...]], ...] = (
    (
        "council",
        (
            _Section("/requests", "request.read", "inbox"),
            _Section("/elections", "election.read", "people"),
        ),
    ),
    (
        "results",
        (
            _Section("/visits", "visit.read", "paper"),
            _Section("/review", "report.review", "list"),
            _Section("/institutions", "institution.read", "building"),
        ),
    ),
    (
        "system",
        (
            _Section("/checklists", "checklist.read", "list"),
            _Section("/rules", "rule.read", "rule"),
            _Section("/people", "person.read", "tablet"),
            _Section("/quarantine", "quarantine.read", "flag"),
            _Section("/backups", "backup.read", "history"),
            _Section("/audit", "audit.read", "history"),
        ),
    ),
)


def navigation(
    hat: Role, pages: Collection[str], here: str, t: Translate, waiting: Mapping[str, Waiting] | None = None
) -> tuple[Group, ...]:
    """The menu for a hat.

    pages    paths that exist; an entry without its page is left out
    here     path of the page shown
    waiting  section name → how much waits there
    """
    waiting = waiting or {}
    groups = []
    for name, sections in _GROUPS:
        entries = tuple(
            _entry(section, here, t, waiting.get(section.name, Waiting(0)))
            for section in sections
            if section.url in pages and hat in MATRIX[section.verb]
        )
        if entries:
            groups.append(Group(t(f"console.nav.{name}"), entries))
    return tuple(groups)


def _entry(section: _Section, here: str, t: Translate, waiting: Waiting) -> Entry:
    is_here = here == section.url or here.startswith(section.url + "/")
    label = t(f"console.nav.{section.name}")
    return Entry(section.url, label, section.icon, is_here, waiting.count, waiting.is_urgent)
