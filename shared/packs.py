"""What tablets load as whole files: register, checklists, standards, rules, calendar. Each is named by its SHA-256.

The file is canonical JSON; an operation of law, form or register names it, so that a tablet knows what is current and
loads only what changed. Source: SETTLED decision 26.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from shared.errors import RuleBroken
from shared.ledger.operation import Body, Operation
from shared.ledger.subject import Fold, Subject

PackKind = Literal["institutions", "standards", "checklist", "rules", "calendar", "places"]


class RuleChanged(Body, frozen=True):
    """The office changed a legal number; two people stand behind it. Dates yyyy-mm-dd, empty: no end."""

    KIND = "rule_changed"
    key: str
    value: str
    unit: str
    legal_basis: str
    confidence: str
    valid_from: str
    second: str
    valid_to: str = ""
    note: str = ""


class RulesPublished(Body, frozen=True):
    """The rules as a whole (`what` = rules) or the holiday calendar (`what` = calendar), as a pack."""

    KIND = "rules_published"
    what: Literal["rules", "calendar"]
    sha256: str
    size: int


class ChecklistPublished(Body, frozen=True):
    """A compiled checklist, as a pack. `version` must rise within a form_id."""

    KIND = "checklist_published"
    form_id: str
    version: str
    sha256: str
    size: int
    title_kk: str
    title_ru: str
    title_en: str


class RegisterPublished(Body, frozen=True):
    """The register of institutions (`what` = institutions), regions and types (places) or standards, as a pack."""

    KIND = "register_published"
    what: Literal["institutions", "places", "standards"]
    sha256: str
    size: int
    count: int
    synthetic: bool = False


@dataclass(frozen=True)
class Pack:
    """A file tablets may load."""

    kind: PackKind
    sha256: str
    size: int
    name: str = ""
    version: str = ""
    titles: tuple[tuple[str, str], ...] = ()


@dataclass
class LawSubject(Subject):
    """Changes of rules in their order, and the packs of rules and calendar in force."""

    changes: list[RuleChanged] = field(default_factory=list)
    packs: dict[str, Pack] = field(default_factory=dict)


@dataclass
class Forms(Subject):
    """The published checklists: per form_id its versions, oldest first."""

    versions: dict[str, list[Pack]] = field(default_factory=dict)

    def latest(self, form_id: str) -> Pack | None:
        """The version a new visit pins."""
        versions = self.versions.get(form_id)
        return versions[-1] if versions else None


@dataclass
class RegisterSubject(Subject):
    """The register packs in force."""

    packs: dict[str, Pack] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    synthetic: bool = False


def _rule_changed(state: LawSubject, operation: Operation, body: RuleChanged) -> None:
    if body.second == operation.author:
        raise RuleBroken("same_person", "SETTLED 14")
    state.changes.append(body)


def _rules_published(state: LawSubject, operation: Operation, body: RulesPublished) -> None:
    state.packs[body.what] = Pack(body.what, body.sha256, body.size)


def _rank(version: str) -> tuple[int, str]:
    """Versions are whole numbers; the longer is the later."""
    digits = version.lstrip("0")
    return (len(digits), digits)


def _checklist_published(state: Forms, operation: Operation, body: ChecklistPublished) -> None:
    versions = state.versions.setdefault(body.form_id, [])
    if versions and _rank(body.version) <= _rank(versions[-1].version):
        raise RuleBroken("wrong_version", "SETTLED 56", version=body.version, latest=versions[-1].version)
    titles = (("kk", body.title_kk), ("ru", body.title_ru), ("en", body.title_en))
    versions.append(Pack("checklist", body.sha256, body.size, body.form_id, body.version, titles))


def _register_published(state: RegisterSubject, operation: Operation, body: RegisterPublished) -> None:
    state.packs[body.what] = Pack(body.what, body.sha256, body.size)
    state.counts[body.what] = body.count
    if body.what == "institutions":
        state.synthetic = body.synthetic


LAW = Fold(
    "law", lambda subject, parent: LawSubject(subject), {RuleChanged: _rule_changed, RulesPublished: _rules_published}
)
FORM = Fold("form", lambda subject, parent: Forms(subject), {ChecklistPublished: _checklist_published})
REGISTER = Fold("register", lambda subject, parent: RegisterSubject(subject), {RegisterPublished: _register_published})


def packs_in(state: Any) -> list[Pack]:
    """Every pack a tablet should hold for this subject."""
    if isinstance(state, Forms):
        return [pack for versions in state.versions.values() for pack in versions[-3:]]
    return list(state.packs.values())
