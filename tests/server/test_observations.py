"""Rows of a record: codes and counts as the fold has them, and no word that was sealed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sqlalchemy import inspect, text
from sqlmodel import select

from server.observations.tables import AnswerRow, FindingRow, ThemeCountRow
from shared.observations.answers import AnswerRecorded, ValueChosen
from shared.observations.record import Withdrawn
from tests.server.conftest import World
from tests.server.visit_story import Story, a_story

CELL = "/mc/cell[a1b2c3d4]/cell_beds"


@pytest.fixture
def story(world: World, tmp_path: Path) -> Story:
    """A visit with its record, no report yet."""
    story = a_story(world, tmp_path)
    story.go()
    story.observe()
    return story


def answers(story: Story) -> dict[str, AnswerRow]:
    with story.world.office.database.write() as session:
        rows = list(session.exec(select(AnswerRow)))
        session.expunge_all()
    return {row.item: row for row in rows}


def test_differing_values_are_one_row_that_says_so_until_a_member_chooses(story: Story) -> None:
    assert (answers(story)[CELL].state, answers(story)[CELL].voices, answers(story)[CELL].value) == ("differs", 2, "")
    entries = [entry.operation for entry in story.state(story.record).answers.items[CELL].entries]
    story.write(story.record, story.leader, ValueChosen(item=CELL, over=tuple(entries), chosen=entries[1]))
    row = answers(story)[CELL]
    assert (row.state, json.loads(row.value), row.author) == ("chosen", 8, story.other)


def test_counts_of_a_theme_are_those_of_its_rows(story: Story) -> None:
    with story.world.office.database.read() as session:
        counts = {row.theme: row for row in session.exec(select(ThemeCountRow))}
        assert (counts["he"].not_seen, counts["he"].refused, counts["he"].answered) == (1, 1, 0)
        assert (counts["mc"].differing, counts["mc"].answered) == (1, 1)
        rows = list(session.exec(select(AnswerRow)))
        names = ("answered", "differing", "not_seen", "not_asked", "refused", "not_applicable")
        assert sum(getattr(count, name) for count in counts.values() for name in names) == len(rows)


def test_findings_are_rows_of_codes(story: Story) -> None:
    story.write(story.record, story.leader, Withdrawn(of=story.findings[2], reason="repeated"))
    with story.world.office.database.read() as session:
        rows = {row.id: row for row in session.exec(select(FindingRow))}
        assert [rows[each].severity for each in story.findings] == ["critical", "high", "low"]
        assert [rows[each].urgent for each in story.findings] == [False, True, False]
        assert rows[story.findings[2]].withdrawn == "repeated"
        assert rows[story.findings[0]].standards == "OPCAT-4"


def test_no_table_holds_a_word_that_was_sealed(story: Story) -> None:
    """Every column of every table is searched for words of notes, findings, plan and captions."""
    engine = story.world.office.database.engine
    words = ("матрас", "Выдать", "холоде", "камера 12", "осмотрела")
    with engine.connect() as connection:
        for table in inspect(engine).get_table_names():
            for row in connection.execute(text(f'SELECT * FROM "{table}"')):
                for value in row:
                    plain = bytes(value) if isinstance(value, bytes | memoryview) else str(value).encode()
                    assert not any(word.encode() in plain for word in words), table


def test_a_path_no_form_can_have_stays_in_the_ledger_and_makes_no_row(story: Story) -> None:
    for item in ("no path", "/" + "a" * 500, "/a\u2028b"):
        story.write(story.record, story.leader, AnswerRecorded(item=item, value=1))
        assert item not in answers(story)
        assert item in story.state(story.record).answers.items
