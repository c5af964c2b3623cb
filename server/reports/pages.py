"""Pages after a visit: its dossier (C8), the report on paper, and the review queue (C7)."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, request
from flask.typing import ResponseReturnValue
from sqlmodel import Session

from server.accounts import queries as people
from server.console.web import (
    allowed,
    can,
    error_sentence,
    language,
    needs,
    now,
    office,
    page,
    reader,
    see_other,
    t,
    words,
)
from server.documents.paper import check_code
from server.institutions.places import institution_of, register_of
from server.ledger import queries as ledger
from server.reports import actions, queries
from server.reports.dossier import Dossier, dossier, photo_picture
from server.reports.paper import (
    due_words,
    evidence,
    finding_values,
    gap_words,
    opinions,
    part_name,
    questions,
    signatures,
)
from server.reports.review import OPEN, decisions_about, place_of, severity_of, state_of
from server.visits.pages import institution_name, pdf_answer, visit_state
from shared.errors import RuleBroken
from shared.reports import Report, findings_of, open_questions
from shared.texts import Language
from shared.values import OperationId, SubjectId, is_hash, is_id

pages = Blueprint(
    "reports", __name__, template_folder="templates", static_folder="static", static_url_path="/static/reports"
)

TABS = ("summary", "answers", "findings", "media", "timeline")


# ── the dossier ─────────────────────────────────────────────────────────────────────────────────────────────────────


@pages.get("/visits/<visit>", endpoint="dossier")
@needs("visit.read")
def dossier_view(visit: str) -> ResponseReturnValue:
    """The dossier of a visit, one tab of it; without a tab the summary. Print takes what the tab shows."""
    tab = request.args.get("tab", "summary")
    with office().database.write() as session:
        state = visit_state(session, visit)
        found = dossier(session, office(), reader(), state, language(), now(), request.args.get("as") == "now")
        institution = institution_of(session, state.institution or "")
    return page(
        "reports/dossier.html", tab=tab if tab in TABS else "summary", d=found, visit=state,
        institution_name=institution_name(institution, state.institution or ""),
        group_names=", ".join(found.names.get(person, "") for person in state.members),
        part_name=lambda part: part_name(part, words()), **_shown(found),
    )  # fmt: skip


def _shown(found: Dossier) -> dict[str, Any]:
    document, report = found.document, found.report
    texts = words()
    history = [(at, kind, found.names.get(person, "")) for at, kind, person in found.visit.history]
    if report:
        history += [(at, kind, found.names.get(person, "")) for at, kind, person, _ in report.history]
    values: dict[str, Any] = {"history": sorted(history, reverse=True), "tabs": _tabs(found), "gaps": ""}
    if document is None:
        return values
    current = report.current if report and found.is_frozen else None
    values |= {
        "gaps": gap_words(found.gaps, texts),
        "findings": [finding_values(each, document, found.themes, texts) for each in document.findings],
        "opinions": opinions(current, document) if current else [],
        "signatures": signatures(report, document, texts) if report and current else [],
        "questions": questions(report, found.names, texts) if report else [],
        "code": check_code(current.body.sha256) if current else "", "frozen_at": current.at if current else "",
        "review_states": {id_: state_of(report, id_) for id_ in findings_of(report)} if report and current else {},
    }  # fmt: skip
    return values


def _tabs(found: Dossier) -> list[dict[str, Any]]:
    document = found.document
    counts: dict[str, int | None] = {
        "summary": None, "answers": sum(theme.asked for theme in found.themes) if document else None,
        "findings": len(document.findings) if document else None, "media": len(found.photos), "timeline": None,
    }  # fmt: skip
    here = request.args.get("tab", "summary")
    kept = "&as=now" if request.args.get("as") == "now" else ""
    return [
        {
            "url": f"?tab={tab}{kept}", "label": t(f"dossier.tab.{tab}"), "count": count,
            "is_here": tab == here or (tab == "summary" and here not in TABS),
        }
        for tab, count in counts.items()
        if (document is not None or tab in ("summary", "timeline")) and (tab != "media" or found.record is not None)
    ]  # fmt: skip


@pages.get("/visits/<visit>/report.<paper_language>.pdf")
@needs("report.read")
def report_paper(visit: str, paper_language: str) -> ResponseReturnValue:
    """The report as PDF, in Kazakh or Russian."""
    if paper_language not in ("kk", "ru"):
        raise RuleBroken("not_found")
    chosen: Language = "kk" if paper_language == "kk" else "ru"
    with office().database.read() as session:
        state = visit_state(session, visit)
        found = ledger.children(session, state.id, "report")
        report: Any = ledger.state(session, found[0]) if found else None
        allowed("report.read", report)
        data = actions.report_pdf(session, office(), reader(), report, chosen, now())
    return pdf_answer(data, f"report-{check_code(report.current.body.sha256)[:9].replace(' ', '-')}-{chosen}.pdf")


@pages.get("/visits/<visit>/photos/<photo>.jpg")
@needs("photo.read")
def photo_file(visit: str, photo: str) -> ResponseReturnValue:
    """A cleared photo without what identifies; opening it leaves a line in the read log."""
    with office().database.write() as session:
        state = visit_state(session, visit)
        found = ledger.children(session, state.id, "record")
        record: Any = ledger.state(session, found[0]) if found and is_hash(photo) else None
        allowed("photo.read", record)
        data = photo_picture(session, office(), reader(), record, OperationId(photo), now())
    if data is None:
        raise RuleBroken("media_unknown", "SETTLED 60")
    reply = Response(data, mimetype="image/jpeg")
    reply.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return reply


# ── the review queue ────────────────────────────────────────────────────────────────────────────────────────────────


def _report(session: Session, report: str, verb: str = "report.review") -> Report:
    state = ledger.state(session, SubjectId(report)) if is_id(report) else None
    allowed(verb, state)
    if not isinstance(state, Report):
        raise RuleBroken("not_found")
    return state


@pages.get("/review")
@needs("report.review")
def review() -> ResponseReturnValue:
    """The queue with its first item open; with `state` the ones returned or taken."""
    shown = request.args.get("state", "")
    with office().database.read() as session:
        lines = queries.queue(session, reader(), (shown,) if shown in ("returned", "accepted") else OPEN)
        if lines:
            return _item_page(session, lines[0].report, lines[0].finding, shown=shown)
        values = _queue_values(session, lines, shown)
    return page("review/review.html", item=None, **values)


@pages.get("/review/<report>/<finding>")
@needs("report.review")
def review_item(report: str, finding: str) -> ResponseReturnValue:
    """One finding in the three panes."""
    with office().database.read() as session:
        return _item_page(session, report, finding, shown=request.args.get("state", ""))


def _queue_values(session: Session, lines: list[queries.QueueLine], shown: str) -> dict[str, Any]:
    register = register_of(session)
    names = {line.institution: institution_name(register.get(line.institution), line.institution) for line in lines}
    returned = queries.queue(session, reader(), ("returned",))
    return {
        "lines": lines, "institutions": names, "shown": shown, "returned": len(returned),
        "second": queries.waiting_for_second(session, reader()),
        "open_count": len(lines) if shown == "" else len(queries.queue(session, reader())),
    }  # fmt: skip


def _item_page(
    session: Session, report_id: str, finding: str, errors: list[dict[str, str]] | None = None, typed: str = "",
    meanwhile: actions.DecidedMeanwhile | None = None, shown: str = "",
) -> Response:  # fmt: skip
    report = _report(session, report_id)
    if finding not in findings_of(report):
        raise RuleBroken("finding_unknown", "domain VR-6")
    id_ = OperationId(finding)
    visit = report.parent
    found = dossier(session, office(), reader(), visit, language(), now(), as_now=False)  # type: ignore[arg-type]
    names = people.names(session)
    lines = queries.queue(session, reader(), (shown,) if shown in ("returned", "accepted") else OPEN)
    values = _queue_values(session, lines, shown)
    key = str(getattr(visit, "institution", "") or "")
    item = _item(report, id_, found, names) | {
        "institution": institution_name(institution_of(session, key), key),
        "photos_shown": can("photo.read", found.record) if found.record else False,
    }
    following = queries.after(lines, report_id, finding)
    before = queries.after(list(reversed(lines)), report_id, finding)
    status = 409 if meanwhile else 422 if errors else 200
    return page(
        "review/review.html", status, item=item, errors=errors, typed=typed, following=following, before=before,
        meanwhile=meanwhile, meanwhile_name=names.get(meanwhile.person, "") if meanwhile else "",  # type: ignore[call-overload]
        done=request.args.get("done", ""), **values,
    )  # fmt: skip


def _item(report: Report, id_: OperationId, found: Dossier, names: dict[Any, str]) -> dict[str, Any]:
    document = found.document
    assert document is not None  # a report under review has a frozen document its officer may read
    texts = words()
    finding = next(each for each in document.findings if each.id == id_)
    photos = {photo.id: photo for photo in found.photos}
    lines = {line.path: line for theme in found.themes for line in theme.lines}
    half = report.half_accepted.get(id_)
    return {
        "report": report.id, "visit": report.parent.id if report.parent else "", "id": id_,
        "place": place_of(report, id_), "severity": severity_of({"severity": finding.severity}),
        "state": state_of(report, id_), "finding": finding_values(finding, document, found.themes, texts),
        "recommendation": finding.recommendation,
        "due": due_words(finding.recommendation.due), "differs": finding.differs,
        "answers": [lines[path] for path in finding.evidence if path in lines],
        "photos": [photos[OperationId(each)] for each in finding.evidence if each in photos],
        "others": evidence(finding, document, found.themes, texts), "count": len(finding.evidence),
        "photo_numbers": {photo.id: number for number, photo in enumerate(document.photos, 1)},
        "questions": [each for each in report.questions.values() if each.finding == id_], "names": names,
        "open": bool(open_questions(report, id_)), "seen": len(decisions_about(report, id_)),
        "history": [(at, kind, names.get(person, "")) for at, kind, person in reversed(decisions_about(report, id_))],
        "half": (names.get(half[0], ""), half[1]) if half else None,
        "half_is_own": bool(half and half[0] == reader().person), "is_closed": bool(report.accepted_at),
        "author": document.name_of(finding.author), "at": finding.at,
    }  # fmt: skip


def _seen() -> int | None:
    return request.form.get("seen", type=int)


@pages.post("/review/<report>/<finding>/accept")
@needs("report.review")
def accept(report: str, finding: str) -> ResponseReturnValue:
    """Accepts the finding and opens the next."""
    return _decide(report, finding, "accepted")


@pages.post("/review/<report>/<finding>/return")
@needs("report.review")
def return_(report: str, finding: str) -> ResponseReturnValue:
    """Returns the finding with a question and opens the next."""
    return _decide(report, finding, "returned")


@pages.post("/review/<report>/<finding>/reopen")
@needs("report.review")
def reopen(report: str, finding: str) -> ResponseReturnValue:
    """Takes an acceptance back; the finding stays open on the page."""
    return _decide(report, finding, "reopened")


def _decide(report: str, finding: str, what: str) -> ResponseReturnValue:
    typed = request.form.get("text", "")
    try:
        with office().database.write() as session:
            state = _report(session, report)
            following = queries.after(queries.queue(session, reader()), report, finding)
            _done(session, state, OperationId(finding), what, typed)
    except actions.DecidedMeanwhile as meanwhile:
        with office().database.read() as session:
            return _item_page(session, report, finding, typed=typed, meanwhile=meanwhile)
    except RuleBroken as broken:
        if broken.code in ("not_found", "finding_unknown"):
            raise
        field = "text" if broken.code == "no_reason" else ""
        said = t("review.question.missing") if broken.code == "no_reason" else error_sentence(broken)
        with office().database.read() as session:
            return _item_page(session, report, finding, [{"field": field, "text": said}], typed)
    if what == "reopened":
        return see_other("reports.review_item", report=report, finding=finding)
    if following is None:
        return see_other("reports.review", done=what)
    return see_other("reports.review_item", report=following.report, finding=following.finding, done=what)


def _done(session: Session, state: Report, finding: OperationId, what: str, typed: str) -> None:
    officer = reader().person
    if what == "accepted":
        actions.accept_finding(session, office(), officer, state, finding, now(), _seen())
    elif what == "returned":
        actions.return_finding(session, office(), officer, state, finding, typed, language(), now(), _seen())
    else:
        actions.reopen_finding(session, office(), officer, state, finding, typed, now())


@pages.post("/review/<report>/question")
@needs("report.review")
def ask(report: str) -> ResponseReturnValue:
    """A question about the whole report, from its dossier."""
    with office().database.write() as session:
        state = _report(session, report)
        text = request.form.get("text", "")
        actions.return_finding(session, office(), reader().person, state, OperationId(""), text, language(), now())
        visit = state.parent.id if state.parent else ""
    return see_other("reports.dossier", visit=visit, tab="findings")


@pages.post("/review/<report>/close")
@needs("report.review")
def close(report: str) -> ResponseReturnValue:
    """Closes the review of a report in which nothing is left to decide."""
    with office().database.write() as session:
        state = _report(session, report)
        actions.accept_report(session, office(), reader().person, state, now())
        visit = state.parent.id if state.parent else ""
    return see_other("reports.dossier", visit=visit)
