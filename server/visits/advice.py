"""Advice on who might be of use in a group: soft words for the secretary, never a filter. Source: domain G-4, G-5.

Looks only at where the visit goes and why; no fact about a person is asked for or held.
"""

from __future__ import annotations

HEALTH = frozenset({"psych_hospital", "narcology", "tb_hospital", "psychiatric_hospital", "psychiatric_intensive",
                    "narcology_compulsory", "tb_compulsory", "detox_centre"})  # fmt: skip
CHILDREN = frozenset({
    "orphanage", "baby_home", "children_social", "juvenile_adapt", "special_school", "boarding_school",
    "penal_juvenile", "child_support_centre", "juvenile_adaptation_centre", "special_education_org",
    "special_regime_education_org", "special_boarding_school", "sss_centre_children",
})  # fmt: skip


def advice(visit_kind: str, institution_type: str) -> list[str]:
    """Names of the advices that fit: doctor, women, children.

    institution_type  legal or coarse type; empty where the plan may not be read
    """
    found = []
    if visit_kind == "special" or institution_type in HEALTH:
        found.append("doctor")
    found.append("women")
    if institution_type in CHILDREN:
        found.append("children")
    return found
