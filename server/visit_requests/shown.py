"""A ballot and its request in the words of a language: seat row, calculation, verdict, history.

Turns numbers of `shared/votes.py` into what the macros of `parts.html` draw; decides nothing and opens nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from server.console.web import show_moment
from shared.ballots import Vote
from shared.law.words import basis_of, confidence_of, name_of
from shared.texts import Texts
from shared.values import PersonId, SubjectId
from shared.visit_requests import VisitRequest
from shared.votes import Arithmetic, Ground, Place, Step

Names = Mapping[PersonId, str]
_GOOD = (Ground.MAJORITY, Ground.CHAIR_FOR, Ground.OPEN_ENOUGH)


def code_of(subject: SubjectId | str) -> str:
    """Six letters people call a subject by where its words are sealed."""
    return str(subject)[-6:].upper()


def seat_row(arithmetic: Arithmetic, names: Names, words: Texts) -> dict[str, Any]:
    """The row of the Council for `parts.seats`: every member once, the mark behind the seat that is needed."""
    present = [seat.place for seat in arithmetic.seats]
    return {
        "seats": [
            {
                "place": seat.place.value,
                "words": words("votes.seat", name=names.get(seat.member, ""), place=words(f"votes.place.{seat.place}")),
            }
            for seat in arithmetic.seats
        ],
        "mark": arithmetic.mark,
        "mark_text": words("votes.mark", needed=arithmetic.tally.needed_for),
        "legend": [
            words(f"votes.legend.{place}", n=present.count(place)) for place in Place if place in present
        ],
    }  # fmt: skip


def places(arithmetic: Arithmetic) -> list[str]:
    """The seats in small, for `parts.small_seats`."""
    order = (Place.FOR, Place.AGAINST, Place.ABSTAINED, Place.SILENT, Place.MAY_VOTE, Place.NOT_THERE, Place.RECUSED)
    return [place.value for place in sorted((seat.place for seat in arithmetic.seats), key=order.index)]


def calculation(arithmetic: Arithmetic, words: Texts, moment: datetime | str) -> dict[str, Any]:
    """The steps for `parts.arithmetic`, numbered, the last one as the sum when something is missing or tied."""
    steps = [_step(number, step, words) for number, step in enumerate(arithmetic.steps, 1)]
    return {"caption": words("votes.caption", moment=show_moment(moment)), "steps": steps}


def _step(number: int, step: Step, words: Texts) -> dict[str, Any]:
    is_sum = step.name in ("missing", "tie")
    label = words(f"votes.step.{step.name}")
    rule = step.rule
    return {
        "label": label if is_sum else words("votes_page.numbered", number=number, label=label),
        "calculation": words(f"votes.formula.{step.formula}", **step.facts),
        "result": words.plural("votes.missing", step.result) if step.name == "missing" else step.result,
        "basis": words("votes_page.basis", rule=name_of(rule, words), basis=basis_of(rule, words)) if rule else "",
        "confidence": confidence_of(rule, words) if rule and rule.confidence != "T" else "",
        "is_sum": is_sum,
    }


def verdict(arithmetic: Arithmetic, words: Texts, closes_at: datetime | str) -> dict[str, Any]:
    """What the vote says now, for `parts.verdict`: a sentence, what follows, its tone and shape."""
    tally = arithmetic.tally
    title = words(
        f"votes.ground.{arithmetic.ground}", votes_for=tally.votes_for, needed=tally.needed_for,
        quorum=tally.quorum_needed, taking_part=tally.taking_part,
    )  # fmt: skip
    good = arithmetic.ground in _GOOD
    if arithmetic.is_open:
        text = words("votes_page.standing", n=tally.may_vote, closes_at=show_moment(closes_at))
        return {"title": title, "text": text, "tone": "ok" if good else "warn", "shape": "clock"}
    text = "" if good else words("votes.not_refusal")
    return {"title": title, "text": text, "tone": "ok" if good else "bad", "shape": "check" if good else "cross"}


def history(request: VisitRequest | None, votes: list[Vote], names: Names, words: Texts) -> list[dict[str, str]]:
    """All that was done, newest first, for `parts.timeline`. Without ballots: who voted how stays unsaid."""
    entries: list[tuple[str, str, str]] = []
    if request is not None:
        entries += [
            (at, words(f"votes_page.history.{kind}", name=names.get(author, "")), _tone(kind, ""))
            for at, kind, author in request.history
        ]
    for vote in votes:
        entries += _ballot_history(vote, names, words)
    newest = sorted(entries, key=lambda entry: entry[0])[::-1]  # of one second, what was done later stands first
    return [
        {"at": show_moment(at), "words": said, "tone": tone or ("on" if place == 0 else "")}
        for place, (at, said, tone) in enumerate(newest)
    ]


def _ballot_history(vote: Vote, names: Names, words: Texts) -> list[tuple[str, str, str]]:
    entries = []
    voted: set[str] = set()
    for at, kind, author, what in vote.history:
        if kind == "vote_opened":
            continue
        key = f"votes_page.history.{kind}"
        if kind == "vote_cast":
            key += f".changed_{what}" if author in voted else f".{what}"
            voted.add(author)
        elif kind == "vote_closed":
            key += f".{what}"
        entries.append((at, words(key, name=names.get(author, "")), _tone(kind, what)))
    return entries


def _tone(kind: str, what: str) -> str:
    return "bad" if what in ("against", "not_approved", "no_quorum") or kind == "decision_withdrawn" else ""
