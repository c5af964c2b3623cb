"""The counts of a vote and its calculation line by line, as the page shows it and a decision stores it.

Built by `shared.votes`; names nobody. Every line carries the rule it comes from.
"""

from __future__ import annotations

from fractions import Fraction

import msgspec

from shared.law.law import Confidence, Law, UsedRule


class Tally(msgspec.Struct, frozen=True):
    """The counts of a vote without anybody's name: what a decision stores beside its rules."""

    members: int
    recused: int
    base: int
    quorum_needed: int
    taking_part: int
    needed_for: int
    votes_for: int
    against: int
    abstained: int
    may_vote: int
    not_there: int

    @property
    def voted(self) -> int:
        """Votes that count."""
        return self.votes_for + self.against + self.abstained

    @property
    def quorum_met(self) -> bool:
        """Whether enough members take part; while the vote is open, those who may still vote are among them."""
        return self.taking_part >= self.quorum_needed

    @property
    def missing(self) -> int:
        """Votes for that are still missing."""
        return max(0, self.needed_for - self.votes_for)

    @property
    def missing_for_quorum(self) -> int:
        """Members missing for the quorum."""
        return max(0, self.quorum_needed - self.taking_part)


class Step(msgspec.Struct, frozen=True, omit_defaults=True):
    """One line of the calculation.

    name     label under `votes.step.<name>`
    formula  sentence under `votes.formula.<formula>`, filled with `facts` (whole numbers and exact shares as text)
    rule     the rule it comes from, None for plain arithmetic
    """

    name: str
    formula: str
    facts: dict[str, int | str]
    result: int
    rule: UsedRule | None = None

    @property
    def confidence(self) -> Confidence | None:
        """How sure the rule is; None when the line comes from no rule."""
        return self.rule.confidence if self.rule else None


def steps_of(tally: Tally, law: Law, tie: str | None) -> tuple[Step, ...]:
    """The lines of the calculation, in their order.

    tie  the formula of the tie (chair_for, chair_against, chair_silent, tie), None when there is none
    """
    steps = [_base_step(tally, law), _quorum_step(tally, law), _taking_part_step(tally), _needed_step(tally, law)]
    votes: dict[str, int | str] = {
        "votes_for": tally.votes_for,
        "against": tally.against,
        "abstained": tally.abstained,
        "may_vote": tally.may_vote,
    }
    steps.append(Step("votes_for", "votes_open" if tally.may_vote else "votes", votes, tally.votes_for))
    if tie:
        facts: dict[str, int | str] = {"votes_for": tally.votes_for, "against": tally.against}
        steps.append(Step("tie", tie, facts, tally.votes_for, law.used(["council.tie"])[0]))
    elif tally.missing:
        facts = {"needed": tally.needed_for, "votes_for": tally.votes_for}
        steps.append(Step("missing", "missing", facts, tally.missing))
    return tuple(steps)


def _base_step(tally: Tally, law: Law) -> Step:
    formula = "base_with_recused" if law.flag("council.recused_in_base") else "base_without_recused"
    facts: dict[str, int | str] = {"members": tally.members, "recused": tally.recused, "base": tally.base}
    return Step("base", formula, facts, tally.base, law.used(["council.recused_in_base"])[0])


def _quorum_step(tally: Tally, law: Law) -> Step:
    share = law.fraction("council.quorum")
    exact = share * tally.base
    facts: dict[str, int | str] = {"base": tally.base, "share": str(share), "exact": mixed(exact)}
    formula = "quorum" if exact.denominator == 1 else "quorum_rounded"
    return Step("quorum", formula, facts, tally.quorum_needed, law.used(["council.quorum"])[0])


def _taking_part_step(tally: Tally) -> Step:
    facts: dict[str, int | str] = {
        "members": tally.members,
        "recused": tally.recused,
        "not_there": tally.not_there,
        "taking_part": tally.taking_part,
        "quorum": tally.quorum_needed,
    }
    formula = "taking_part_quorum" if tally.quorum_met else "taking_part_no_quorum"
    return Step("taking_part", formula, facts, tally.taking_part)


def _needed_step(tally: Tally, law: Law) -> Step:
    rule = law.used(["council.majority"])[0]
    whole = tally.taking_part if rule.unit == "of present" else tally.base
    facts: dict[str, int | str] = {"whole": whole, "needed": tally.needed_for}
    if majority_is_simple(law):
        return Step("needed", "needed_simple", facts | {"exact": mixed(Fraction(whole, 2))}, tally.needed_for, rule)
    share = law.fraction("council.majority")
    return Step(
        "needed", "needed_share", facts | {"share": str(share), "exact": mixed(share * whole)}, tally.needed_for, rule
    )


def majority_is_simple(law: Law) -> bool:
    """Whether more than half is enough. Source: rule council.majority."""
    return law.text("council.majority") == "simple"


def mixed(number: Fraction) -> str:
    """An exact number as people write it without a decimal sign: 22/3 is "7 1/3"."""
    whole, rest = divmod(number, 1)
    if not rest:
        return str(whole)
    return f"{whole} {rest}" if whole else str(rest)
