"""Paper: every question is in the report, dissent stands before the annex, both languages, tagged, and no institution
on a mandate."""

from __future__ import annotations

import subprocess
from io import BytesIO
from pathlib import Path

import pytest
from pypdf import PdfReader

from server.documents.mandate import mandate_pdf, qr_png, qr_svg
from server.ledger import queries as ledger
from server.office import Reader
from server.reports import actions
from shared.accounts import Role
from shared.checklists.definition import ASKED, Question
from shared.checklists.form import Form
from shared.errors import RuleBroken
from shared.texts import Language, texts
from tests.server.conftest import World
from tests.server.visit_story import DISSENT, INSTITUTION, Story, a_story, imported

pytestmark = pytest.mark.parametrize("engine", ["sqlite"])
"""Paper is made from the frozen document: which database kept it makes no difference."""


def text_of(data: bytes, folder: Path) -> str:
    """The words of a PDF as a reader extracts them, blanks made single."""
    file = folder / "paper.pdf"
    file.write_bytes(data)
    made = subprocess.run(["pdftotext", "-layout", file, "-"], capture_output=True, check=True, text=True)
    return " ".join(made.stdout.split())


def report_pdf(story: Story, language: Language, person: str = "", hat: Role = Role.COUNCIL_MEMBER) -> bytes:
    with story.world.office.database.read() as session:
        reader = Reader(person or story.council, hat)  # type: ignore[arg-type]
        state = ledger.state(session, story.report)
        return actions.report_pdf(session, story.world.office, reader, state, language, story.world.now)


@pytest.fixture
def story(world: World, tmp_path: Path) -> Story:
    """A submitted report."""
    story = a_story(world, tmp_path)
    story.go()
    story.observe()
    story.freeze()
    return story


@pytest.mark.parametrize("language", ["kk", "ru"])
def test_the_report_on_paper_says_everything(story: Story, tmp_path: Path, language: Language) -> None:
    data = report_pdf(story, language)
    reader = PdfReader(BytesIO(data))
    words = texts(language)
    text = text_of(data, tmp_path)
    solid = text.replace(" ", "")
    assert reader.trailer["/Root"]["/MarkInfo"]["/Marked"]
    assert reader.trailer["/Root"]["/Lang"] == language
    for place, entry in Form(imported("npm_visit").checklist).entries.items():
        item = entry.item
        if isinstance(item, Question) and item.type in ASKED and not item.elsewhere:
            assert item.name in solid, place
    keys = ("documents.stand.dissent", "documents.stand.absent", "dossier.non_answer.not_seen", "dossier.state.differs")
    for sentence in (DISSENT, "болезнь", "Выдать матрасы, пункт 3.", *(words(key) for key in keys)):
        assert sentence.replace(" ", "") in solid, sentence
    annex = words("documents.report.answers").replace(" ", "")
    assert solid.index(DISSENT.replace(" ", "")) < solid.index(annex)
    state = story.report_state()
    assert state.current
    assert state.current.body.sha256 in solid
    assert f"1/{len(reader.pages)}" in solid
    assert f"{len(reader.pages)}/{len(reader.pages)}" in solid


def test_no_name_of_a_person_talked_with_has_a_place(story: Story, tmp_path: Path) -> None:
    """What the report says of interviews is their number."""
    text = text_of(report_pdf(story, "ru"), tmp_path)
    assert texts("ru").plural("documents.interviews", 1) in text


def test_the_report_grows_with_what_it_holds(world: World, tmp_path: Path) -> None:
    story = a_story(world, tmp_path)
    story.go()
    story.observe(severities=("high",) * 40)
    story.freeze()
    data = report_pdf(story, "kk")
    assert len(PdfReader(BytesIO(data)).pages) >= 20
    assert "40-факт" in text_of(data, tmp_path)


def test_who_may_not_read_the_report_gets_no_paper(story: Story) -> None:
    for person, hat in ((story.world.person(Role.CENTRE_OFFICER), Role.CENTRE_OFFICER), (story.council, Role.ADMIN)):
        with pytest.raises(RuleBroken, match="not_found"):
            report_pdf(story, "ru", person, hat)


@pytest.mark.parametrize("language", ["kk", "ru"])
def test_a_mandate_shows_names_and_number_and_never_the_place(story: Story, tmp_path: Path, language: Language) -> None:
    visit = story.state(story.visit)
    text = text_of(mandate_pdf(visit, "Кеңсе", "https://office.example", language, story.world.now), tmp_path)
    for words in ("2026-0001", "Ким П.", "Садыкова Л.", "05.03.2026", "06.03.2026", "https://office.example/mandate"):
        assert words in text
    with story.world.office.database.read() as session:
        from server.institutions.queries import institution

        name = institution(session, INSTITUTION)
    assert name
    assert name.name("ru") not in text
    assert name.name("kk") not in text
    assert INSTITUTION not in text


def test_the_code_in_the_qr_reads_back(story: Story) -> None:
    code = story.state(story.visit).mandates[0][1].code
    assert qr_png(code).startswith(b"\x89PNG")
    assert "<svg" in qr_svg(code, "2026-0001")
    assert "style=" not in qr_svg(code, "2026-0001")


def test_digits_and_kazakh_letters_are_drawn_with_one_full_font(story: Story, tmp_path: Path) -> None:
    file = tmp_path / "fonts.pdf"
    file.write_bytes(report_pdf(story, "kk"))
    listed = subprocess.run(["pdffonts", file], capture_output=True, check=True, text=True).stdout
    names = {line.split()[0].split("+")[-1] for line in listed.splitlines()[2:]}
    assert names
    assert all(name.startswith(("Noto-Sans", "NotoSans")) for name in names), names
