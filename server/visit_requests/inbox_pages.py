"""C2: the inbox of requests, and one press of a button that votes on many: preview, result, undo."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from flask import Response, request
from sqlmodel import Session

from server.console.web import (
    language,
    needs,
    now,
    office,
    page,
    reader,
    see_other,
    show_moment,
    t,
    tn,
)
from server.institutions import queries as institutions
from server.visit_requests import bulk, opened, queries, shown
from server.visit_requests.queries import Filters, Line
from server.visit_requests.site import KINDS, blueprint, title_of
from shared.accounts import COUNCIL
from shared.values import SubjectId

PAGE = 50
DUE = ("late", "today", "week")


# ── C2 ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


@blueprint.get("")
@needs("request.read")
def inbox() -> Response:
    """The requests of a tab by the end of their term; filters and page stand in the address."""
    filters = _filters(request.args)
    asked = request.args.get("from", "")
    first = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 9 else 0
    with office().database.write() as session:  # opening the sealed names writes the read log
        waiting = queries.waiting(session, office(), reader(), now())
        of_tab = queries.decided(session, office(), reader(), now()) if filters.tab == "decided" else waiting
        found = queries.narrowed(of_tab, filters, office(), now())
        lines = found[first : first + PAGE]
        texts = opened.of_requests(session, office(), reader(), [line.id for line in lines], "inbox", now())
        places = institutions.names(session, [each.get("institution", "") for each in texts.values()], language())
        values: dict[str, Any] = {
            "rows": [_row(line, texts[line.id], places) for line in lines],
            "tabs": _tabs(filters, queries.counts(session, reader(), waiting)),
            "next_due": waiting[0].due.on if waiting else None,
        }
    return page(
        "requests/inbox.html", filters=filters, found=len(found), pages=_pager(first, len(found)),
        chips=_chips(filters), reset=_address(Filters(tab=filters.tab)), choices=_choices(), **values,
    )  # fmt: skip


def _filters(args: Any) -> Filters:
    tab = args.get("tab", "waiting")
    return Filters(
        tab=tab if tab in ("waiting", "mine", "decided") else "waiting",
        kinds=frozenset(args.getlist("kind")) & frozenset(KINDS),
        urgency=args.get("urgency", "") if args.get("urgency") in ("urgent", "normal") else "",
        due=args.get("due", "") if args.get("due") in DUE else "",
    )


def _address(filters: Filters, first: int = 0) -> str:
    pairs = [("tab", filters.tab)] + [("kind", kind) for kind in sorted(filters.kinds)]
    pairs += [(name, value) for name, value in (("urgency", filters.urgency), ("due", filters.due)) if value]
    pairs += [("from", str(first))] if first else []
    return "/requests?" + urlencode(pairs)


def _tabs(filters: Filters, counts: dict[str, int]) -> list[dict[str, Any]]:
    names = ["waiting", "mine", "decided"] if reader().hat in COUNCIL else ["waiting", "decided"]
    return [
        {
            "url": _address(Filters(tab=tab)), "label": t(f"requests.tab.{tab}"), "count": counts[tab],
            "is_here": filters.tab == tab,
        }
        for tab in names
    ]  # fmt: skip


def _chips(filters: Filters) -> list[dict[str, str]]:
    chips = [
        {
            "label": t(f"requests.kind.{kind}"),
            "url": _address(Filters(filters.tab, filters.kinds - {kind}, filters.urgency, filters.due)),
        }
        for kind in sorted(filters.kinds)
    ]
    if filters.urgency:
        url = _address(Filters(filters.tab, filters.kinds, "", filters.due))
        chips.append({"label": t(f"requests.urgency.{filters.urgency}"), "url": url})
    if filters.due:
        url = _address(Filters(filters.tab, filters.kinds, filters.urgency, ""))
        chips.append({"label": t(f"requests.due.{filters.due}"), "url": url})
    return chips


def _choices() -> dict[str, list[tuple[str, str]]]:
    anything = ("", t("console.filters.any"))
    return {
        "kind": [anything, *((kind, t(f"requests.kind.{kind}")) for kind in KINDS)],
        "urgency": [anything, *((each, t(f"requests.urgency.{each}")) for each in ("urgent", "normal"))],
        "due": [anything, *((each, t(f"requests.due.{each}")) for each in DUE)],
    }


def _pager(first: int, found: int) -> dict[str, str] | None:
    if found <= PAGE:
        return None
    filters = _filters(request.args)
    last = min(first + PAGE, found)
    return {
        "shown": t("console.pager.shown", first=first + 1, last=last, all=found),
        "previous": _address(filters, max(0, first - PAGE)) if first else "",
        "next": _address(filters, last) if last < found else "",
    }


def _row(line: Line, texts: dict[str, Any], places: dict[str, str]) -> dict[str, Any]:
    row = line.row
    counted = line.arithmetic
    return {
        "id": row.id, "line": line, "title": title_of(row.id, texts, places), "reason": _short(texts.get("reason", "")),
        "code": shown.code_of(row.id), "kind": t(f"requests.kind.{row.visit_kind}"),
        "is_special": row.visit_kind == "special", "left": _left(line), "is_late": _days_left(line) <= 0,
        "places": shown.places(counted) if counted else [], "votes": _votes(line), "mine": _mine(line),
        "locked": t(f"requests.locked.{line.locked}") if line.locked else "",
    }  # fmt: skip


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 90 else line[:90].rsplit(" ", 1)[0] + " …"


def _days_left(line: Line) -> int:
    return (line.due.on - office().calendar.day_of(now())).days


def _left(line: Line) -> str:
    days = _days_left(line)
    if line.due.at < now():
        return t("requests.left.late", moment=show_moment(line.due.at))
    if days == 0:
        return t("requests.left.today", moment=show_moment(line.due.at))
    return tn("requests.left.days", days)


def _votes(line: Line) -> str:
    if line.arithmetic is None:
        return t("votes_page.not_put")
    tally = line.arithmetic.tally
    if not tally.voted:
        return t("votes_page.none")
    return t("votes_page.for_of", votes_for=tally.votes_for, needed=tally.needed_for)


def _mine(line: Line) -> str:
    if line.mine:
        return t(f"votes_page.mine.{line.mine}")
    if line.seats and reader().person in line.seats.count.recused and reader().hat in COUNCIL:
        return t("votes_page.mine.recused")
    return ""


# ── a bulk ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@blueprint.post("/selected")
@needs("vote.cast")
def selected() -> Response:
    """What a bulk would do, with exact numbers, before anything is done."""
    filters = _filters(request.form)
    with office().database.write() as session:
        ids = request.form.getlist("id")
        if request.form.get("all"):
            ids = [line.row.id for line in queries.inbox(session, office(), reader(), filters, now())]
        plan = bulk.preview(session, office(), reader(), ids, now())
        everything = [*plan.voted, *(line for line, _ in plan.left_out)]
        titles = _titles(session, [line.id for line in everything])
    return page(
        "requests/selected.html", voted=plan.voted, left_out=plan.left_out, titles=titles, back=_address(filters),
        code_of=shown.code_of,
    )  # fmt: skip


def _titles(session: Session, ids: list[SubjectId]) -> dict[str, str]:
    texts = opened.of_requests(session, office(), reader(), ids, "bulk", now())
    places = institutions.names(session, [each.get("institution", "") for each in texts.values()], language())
    return {id_: title_of(id_, texts[id_], places) for id_ in ids}


@blueprint.post("/bulk")
@needs("vote.cast")
def vote_for_all() -> Response:
    """Casts the votes of a bulk and shows what came of it."""
    with office().database.write() as session:
        made = bulk.vote_for_all(session, office(), reader(), request.form.getlist("id"), now())
    return see_other("requests.bulk_result", id_=made, back=request.form.get("back", ""))


@blueprint.get("/bulk/<id_>")
@needs("vote.cast")
def bulk_result(id_: str) -> Response:
    """How many votes a bulk cast, what it left out and why, and the undo while there is time."""
    with office().database.write() as session:
        rows = queries.bulk_rows(session, id_, reader().person)
        titles = _titles(session, [SubjectId(row.request) for row in rows])
        until = bulk.undo_until(rows)
        values: dict[str, Any] = {
            "voted": [row for row in rows if not row.left_out],
            "left_out": [row for row in rows if row.left_out],
            "undone": [row for row in rows if row.undone == "yes"],
            "kept": [row for row in rows if row.undone == "no"],
        }
        back = request.args.get("back", "")
        return page(
            "requests/bulk.html", id_=id_, titles=titles, code_of=shown.code_of, until=until,
            may_undo=now() <= until and not any(row.undone for row in rows),
            back=back if back.startswith("/requests?") else "/requests", **values,
        )  # fmt: skip


@blueprint.post("/bulk/<id_>/undo")
@needs("vote.cast")
def undo_bulk(id_: str) -> Response:
    """Takes the votes of a bulk back."""
    with office().database.write() as session:
        bulk.undo(session, office(), reader(), id_, now())
    return see_other("requests.bulk_result", id_=id_, back=request.form.get("back", ""))
