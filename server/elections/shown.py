"""An election in the words of a language: steps, verdict, rounds with their arithmetic. Decides nothing."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import msgspec
from sqlmodel import Session

from server.console.web import show_date, show_moment
from server.elections import queries
from server.law.queries import office_law
from server.office import Office
from server.packs import content
from server.visit_requests.shown import calculation, code_of
from shared.candidacies import Election, Round
from shared.elections import RoundResult, Standing
from shared.texts import Texts
from shared.values import PersonId, moment_of

Names = Mapping[PersonId, str]
__all__ = ["code_of", "region_names", "rounds", "steps", "verdict"]

_ORDER = ("call", "candidates", "check", "ballot", "count", "result")
_AT: dict[queries.Stage, int] = {
    "call": 1,
    "check": 2,
    "round": 3,
    "ballot": 3,
    "second_round": 4,
    "chair": 4,
    "result": 5,
    "closed": 6,
}
"""Stage → place of the step that is current; 6 = all done."""


_LOOKS = {"elected": ("ok", "check"), "tied": ("warn", "scale"), "not_elected": ("none", "bar")}


@lru_cache(maxsize=3)
def region_names(language: str) -> dict[str, str]:
    """Regions by code of the register, in the order of the file."""
    places = msgspec.json.decode(content.places())
    return {row["iso_code"]: row.get(language) or row["ru"] for row in places["regions"]}


def steps(state: Election, stage: queries.Stage, words: Texts) -> list[dict[str, Any]]:
    """The steps for `parts.tasks`: done ones and the current one carry a tag."""
    now = _AT[stage]
    called = state.called
    facts: dict[str, dict[str, object]] = {
        "call": {"until": show_date(called.call_until) if called else ""},
        "candidates": {"n": len(queries.standing(state))},
        "check": {
            "eligible": sum(each.eligible is True for each in queries.standing(state)),
            "not_eligible": sum(each.eligible is False for each in queries.standing(state)),
        },
        "ballot": {"n": len(state.rounds)},
        "count": {"n": sum(each.closed is not None for each in state.rounds)},
        "result": {"elected": len(state.elected), "seats": called.seats if called else 0},
    }
    sections = {"candidates"} | ({"check"} if queries.standing(state) else set())
    sections |= {"count"} if any(each.closed for each in state.rounds) else set()
    made = []
    for place, name in enumerate(_ORDER):
        done, here = place < now, place == now
        made.append(
            {
                "label": words(f"elections_page.step.{name}"),
                "sub": words(f"elections_page.step.{name}.sub", **facts[name]),
                "url": f"#{name}" if name in sections else "",
                "tag": words("elections_page.step.done") if done else words("elections_page.step.now") if here else "",
                "tone": "ok" if done else "info",
                "shape": "check" if done else "",
                "is_here": here,
            }
        )
    return made


def verdict(state: Election, stage: queries.Stage, names: Names, words: Texts) -> dict[str, str]:
    """What stands at the head of the page: a sentence and what follows from it."""
    called = state.called
    facts: dict[str, object] = {
        "until": show_date(called.call_until) if called else "",
        "names": ", ".join(names.get(each, "") for each in queries.tied(state)),
        "open": queries.open_seats(state),
        "elected": len(state.elected),
        "seats": called.seats if called else 0,
        "voted": len(state.open_round.ballots) if state.open_round else 0,
        "entitled": len(state.open_round.opened.entitled) - len(state.open_round.recused) if state.open_round else 0,
        "closes_at": show_moment(state.open_round.opened.closes_at) if state.open_round else "",
    }
    tone, shape = {
        "second_round": ("warn", "scale"),
        "chair": ("warn", "scale"),
        "closed": ("ok", "check"),
        "result": ("ok", "check"),
    }.get(stage, ("", "clock"))
    return {
        "title": words(f"elections_page.verdict.{stage}", **facts),
        "text": words(f"elections_page.verdict.{stage}.text", **facts),
        "tone": tone,
        "shape": shape,
    }


def rounds(session: Session, office: Office, state: Election, names: Names, words: Texts) -> list[dict[str, Any]]:
    """The closed rounds, newest first, each with every total and its arithmetic."""
    made = []
    for round_ in reversed(state.rounds):
        if round_.closed is None:
            continue
        law = office_law(session, office, office.calendar.day_of(moment_of(round_.opened_at)))
        result = queries.result_of(state, round_, law)
        made.append(_round(state, round_, result, names, words))
    return made


def _round(state: Election, round_: Round, result: RoundResult, names: Names, words: Texts) -> dict[str, Any]:
    first = result.standings[0].arithmetic
    tie = ""
    if result.next_step:
        tie = words(f"elections.tie.{result.next_step}")
    decided = round_.tie
    return {
        "number": round_.opened.round,
        "title": words("elections.round", n=round_.opened.round),
        "caption": words("elections_page.caption", needed=first.tally.needed_for, voters=first.tally.taking_part),
        "rows": _rows(state, result, names, words),
        "calc": calculation(first, words, round_.closed_at),
        "calc_of": names.get(result.standings[0].candidate, ""),
        "opened_at": round_.opened_at,
        "closed_at": round_.closed_at,
        "voters": [names.get(each, "") for each in round_.opened.entitled if each in round_.ballots],
        "recused": [names.get(each, "") for each in round_.recused],
        "absent": [
            names.get(each, "")
            for each in round_.opened.entitled
            if each not in round_.ballots and each not in round_.recused
        ],
        "tie": tie,
        "quorum_met": result.quorum_met,
        "decided": [names.get(each, "") for each in decided.elected] if decided else [],
        "minutes": decided.minutes if decided else "",
        "chair": names.get(round_.opened.chair, ""),
    }


def _rows(state: Election, result: RoundResult, names: Names, words: Texts) -> list[dict[str, Any]]:
    rows = []
    before = ""
    for each in result.standings:
        rows.append(_row(state, each, names, words) | {"is_cut": bool(before) and before != each.place})
        before = each.place
    return rows


def _row(state: Election, standing: Standing, names: Names, words: Texts) -> dict[str, Any]:
    tally = standing.arithmetic.tally
    tone, shape = _LOOKS[standing.place]
    background = state.candidates[standing.candidate].background
    return {
        "name": names.get(standing.candidate, ""),
        "background": words(f"elections_page.background.{background}"),
        "votes_for": tally.votes_for,
        "against": tally.against,
        "abstained": tally.abstained,
        "sum": tally.voted,
        "place": words(f"elections.place.{standing.place}"),
        "tone": tone,
        "shape": shape,
        "marks": ["for"] * tally.votes_for + ["against"] * tally.against + ["abstained"] * tally.abstained,
    }
