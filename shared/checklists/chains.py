"""What hangs on what: finds items of a form that hang on themselves, or on too long a chain of others.

Looks at the form as written, not at rows or answers; called once when a form is made ready.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from shared.checklists.definition import Question, Repeat
from shared.checklists.paths import parent_of

if TYPE_CHECKING:
    from shared.checklists.form import Form

Fact = tuple[str, str]
"""What can hang on something: ("relevant", "calculation" or "count", place)."""

CHAIN_LIMIT = 40
"""Most items that may hang on one another in a row, so that evaluating never runs out of stack. Source: our choice."""


def chain_faults(form: Form) -> list[tuple[str, str, str]]:
    """Place, field and code of items that hang on themselves ("circular") or on too many others ("long_chain")."""
    needs = {node: sorted(_needs(form, *node)) for node in _nodes(form)}
    faults: list[tuple[str, str, str]] = []
    length: dict[Fact, int] = {}
    for start in needs:
        trail = [] if start in length else [(start, iter(needs[start]))]
        while trail:
            node, rest = trail[-1]
            length.setdefault(node, 0)
            following = next(rest, None)
            if following is None:
                trail.pop()
                length[node] = 1 + max((length[each] for each in needs[node]), default=0)
                if length[node] == CHAIN_LIMIT + 1:
                    faults.append((node[1], node[0], "long_chain"))
            elif length.get(following) == 0:
                faults.append((following[1], following[0], "circular"))
            elif following not in length:
                trail.append((following, iter(needs[following])))
    return faults


def _nodes(form: Form) -> Iterator[Fact]:
    for place, entry in form.entries.items():
        yield ("relevant", place)
        yield ("count" if isinstance(entry.item, Repeat) else "calculation", place)


def _needs(form: Form, aspect: str, place: str) -> set[Fact]:
    entry = form.entries[place]
    above = parent_of(place)
    found: set[Fact] = {("relevant", above)} if above else set()
    if aspect != "relevant":
        found.add(("relevant", place))
    for name in (aspect, "default") if aspect == "calculation" else (aspect,):
        node = entry.expressions.get(name)
        for target in form.references(entry, node) if node is not None else ():
            goal = form.entries[target.place]
            found.add(("calculation" if isinstance(goal.item, Question) else "relevant", goal.place))
            found |= {("count", repeat) for repeat in goal.own_repeats[target.shared_repeats :]}
            if aspect == "count" and place in goal.own_repeats:
                found.add(("count", place))
    return found
