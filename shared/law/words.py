"""A rule in the words of a language: its value with its unit, its legal basis, how sure it is.

What the first rules hold is translated; what the office typed itself (a new phrase, a new act) is shown as typed.
Used by pages and documents; decides nothing.
"""

from __future__ import annotations

import re

from shared.law.law import Rule, UsedRule
from shared.texts import Texts

AnyRule = Rule | UsedRule

_ONE_UNIT = {"working day": "working_days", "month": "months", "calendar day": "calendar_days", "year": "years"}
_CITATION = re.compile(r"(?P<act>[^;:]+?)(?: (?:art\.|arts) (?P<refs>[0-9][0-9(), a-z-]*))?")
_REF = re.compile(r"(?P<article>[0-9()-]+)(?: (?P<kind>para|part|parts) (?P<of>[0-9()-]+))?")


def name_of(rule: AnyRule, texts: Texts) -> str:
    """The short name of a rule."""
    return texts(f"law.rule.{rule.key}")


def value_of(rule: AnyRule, texts: Texts) -> str:
    """The value with its unit: "3 working days", "2/3 of the members", "simple majority"."""
    if not rule.value:
        return texts("law.value.not_known")
    unit = _ONE_UNIT.get(rule.unit, slug(rule.unit))
    if rule.value.isdigit() and texts.has(f"law.amount.{unit}"):
        return texts.plural(f"law.amount.{unit}", int(rule.value))
    if "/" in rule.value and rule.unit in ("of members", "of present"):
        return texts(f"law.share.{unit}", share=rule.value)
    return "; ".join(_word(part, texts) for part in rule.value.split("|"))


def basis_of(rule: AnyRule, texts: Texts) -> str:
    """The legal basis: articles of the acts, parted by "; "."""
    if not rule.legal_basis:
        return texts("law.basis.none")
    return "; ".join(_basis(part.strip(), texts) for part in rule.legal_basis.split(";"))


def confidence_of(rule: AnyRule, texts: Texts) -> str:
    """How sure the rule is, as a short tag."""
    return texts(f"law.confidence.{slug(rule.confidence)}")


def slug(text: str) -> str:
    """A piece of data as the last part of a text key."""
    return re.sub(r"[^a-z0-9]+", "_", text.lower().replace("+", " plus")).strip("_")[:64].rstrip("_")


def _word(value: str, texts: Texts) -> str:
    key = f"law.value.{slug(value)}"
    return texts(key) if texts.has(key) else value


def _basis(part: str, texts: Texts) -> str:
    phrase = f"law.basis.{slug(part)}"
    if texts.has(phrase):
        return texts(phrase)
    found = _CITATION.fullmatch(part)
    act = f"law.act.{slug(found['act'])}" if found else ""
    if not found or not texts.has(act):
        return part
    if not found["refs"]:
        return texts(act)
    refs = ", ".join(_reference(ref, texts) for ref in found["refs"].split(", "))
    return texts("law.cite", act=texts(act), refs=refs)


def _reference(ref: str, texts: Texts) -> str:
    found = _REF.fullmatch(ref)
    if not found:
        return ref
    if not found["kind"]:
        return texts("law.ref.article", article=found["article"])
    kind = "para" if found["kind"] == "para" else "part"
    return texts(f"law.ref.{kind}", article=found["article"], of=found["of"])
