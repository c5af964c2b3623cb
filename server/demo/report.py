"""Step 7: frozen by hash, signed by two, dissented by one, submitted, reviewed with a question, accepted, printed."""

from __future__ import annotations

import subprocess
from pathlib import Path

from server.demo.cast import OFFICER
from server.demo.console import Desk
from server.demo.scene import Scene
from server.demo.stage import expect
from server.ledger import queries as ledger
from shared.reports import Report, findings_of

DISSENT = (
    "Считаю вывод о карантинном отделении слишком мягким: девять человек на шести местах содержались там "
    "дольше месяца, "
    "и это бесчеловечные условия, а не недостаток мебели."
)
SUMMARY = "Посещение без предупреждения. Главное: теснота в карантине и пустой медицинский журнал."
QUESTION = "Сколько человек спало на полу и сколько ночей, по журналу или со слов?"
ANSWER = "Трое; по словам двоих из них и по журналу размещения, не меньше тридцати одной ночи."


def sign_and_review(scene: Scene) -> None:
    """The whole of step 7."""
    _sign(scene)
    _review(scene)
    _print(scene)


def _report(scene: Scene) -> Report:
    with scene.office.database.read() as session:
        found = ledger.children(session, scene.visit, "report")
        expect("the report is at the office", len(found) == 1)
        state: Report = ledger.state(session, found[0])
        return state


def _sign(scene: Scene) -> None:
    stage = scene.stage
    leader, pavel, dana = (scene.tablets[name] for name in ("aigerim", "pavel", "dana"))
    with stage.step("7.1", "The visit is closed, the report frozen by its hash") as step:
        leader.act(
            {"act": "write_text", "part": "summary", "language": "ru",
             "text": SUMMARY},
            {"act": "close"},
            {"act": "freeze"},
        )  # fmt: skip
        leader.sync()
        for tablet in (pavel, dana):
            tablet.sync()
        hashes = {tablet.show("report")["sha256"] for tablet in (leader, pavel, dana)}
        expect(f"all three tablets hold one hash: {hashes}", len(hashes) == 1)
        step.figure = f"hash {hashes.pop()[:16]}, the same on 3 tablets"
    with stage.step("7.2", "Two sign; the third, on a tablet without a window, dissents") as step:
        leader.act({"act": "sign", "stand": "agree"})
        pavel.act({"act": "sign", "stand": "agree"})
        dana.act({"act": "sign", "stand": "dissent", "text": DISSENT, "language": "ru"})
        for tablet in (pavel, dana, leader):
            tablet.sync()
        leader.act({"act": "submit"})
        leader.sync()
        state = _report(scene)
        stands = sorted(signature.stand for signature in state.current.signatures.values()) if state.current else []
        expect(
            f"the report is submitted with its stands: {stands}",
            state.submitted and stands == ["agree", "agree", "dissent"],
        )
        step.figure = "agree 2, dissent 1, submitted"


def _review(scene: Scene) -> None:
    stage, officer = scene.stage, scene.console.desk(OFFICER)
    state = _report(scene)
    findings = list(findings_of(state))
    with stage.step("7.3", "The office reads it in the review page and returns one finding") as step:
        officer.go("/review")
        officer.shot("console-c7-review")
        officer.go(f"/review/{state.id}/{findings[0]}")
        _decide(officer, state.id, findings[0], "return", QUESTION)
        expect("one question is open", sum(question.is_open for question in _report(scene).questions.values()) == 1)
        step.figure = f"1 of {len(findings)} findings returned"
    with stage.step("7.4", "The question arrives on the tablet and is answered") as step:
        leader = scene.tablets["aigerim"]
        leader.sync()
        asked = leader.show("report")["questions"]
        expect(f"the question is on the tablet: {asked}", asked and asked[0]["text"] == QUESTION)
        leader.act({"act": "answer_question", "question": asked[0]["id"], "text": ANSWER, "language": "ru"})
        leader.sync()
        step.figure = "answered on the tablet"
    with stage.step("7.5", "Every finding is accepted, the report closed") as step:
        for finding in findings:
            officer.go(f"/review/{state.id}/{finding}")
            _decide(officer, state.id, finding, "accept")
        officer.go(f"/visits/{scene.visit}")
        officer.shot("console-c8-dossier")
        done = _report(scene)
        expect("the report is accepted", done.accepted_at)
        step.figure = f"{len(done.accepted_findings)} findings accepted"


def _decide(desk: Desk, report: str, finding: str, verb: str, text: str = "") -> None:
    """Presses accept or return on the review page; both buttons stand in one form."""
    path = f"/review/{report}/{finding}/{verb}"
    page = desk.page
    if text:
        page.fill('#decide [name="text"]', text)
    button = f'#decide button[formaction="{path}"]' if verb == "return" else "#decide button.p"
    with page.expect_navigation():
        page.click(button)


def _print(scene: Scene) -> None:
    stage, officer = scene.stage, scene.console.desk(OFFICER)
    with stage.step("7.6", "The report as PDF in Kazakh and Russian, the separate opinion in it") as step:
        pages = []
        for language in ("kk", "ru"):
            paper = officer.fetch(f"/visits/{scene.visit}/report.{language}.pdf")
            path = stage.papers / f"report-{language}.pdf"
            path.write_bytes(paper)
            text = _text_of(path)
            expect("the dissent stands in the paper in full", " ".join(DISSENT.split()) in " ".join(text.split()))
            pages.append(f"{language} {text.count(chr(12))} pages, {len(paper) // 1024} kB")
        step.figure = "; ".join(pages)


def _text_of(path: Path) -> str:
    done = subprocess.run(
        ["pdftotext", "-layout", str(path), "-"], capture_output=True, text=True, check=True, timeout=60
    )
    return done.stdout
