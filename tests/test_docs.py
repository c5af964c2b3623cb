"""What the documents promise is so: kinds, settings, commands, links, pictures."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pytest

from shared.registry import ANYWHERE, FOLDS

ROOT = Path(__file__).parent.parent
PROTOCOL = (ROOT / "shared/ledger/PROTOCOL.md").read_text(encoding="utf-8")
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")), ROOT / "shared/ledger/PROTOCOL.md"]


def test_the_protocol_lists_every_kind_under_its_subject() -> None:
    rows = {
        row[0]: set(re.findall(r"`([a-z_]+)`", row[1]))
        for row in re.findall(r"^\| ([a-z_]+) \| (.+) \|$", PROTOCOL, re.M)
        if row[0] != "subject"
    }
    expected = {fold.kind: {body.KIND for body in fold.handlers} for fold in FOLDS.values()} | {
        "any": {body.KIND for body in ANYWHERE}
    }
    assert rows == expected


def test_the_rules_of_the_protocol_are_numbered_once_without_gaps() -> None:
    """A rule keeps its number, wherever a later one is put in."""
    numbers = [int(number) for number in re.findall(r"^- \*\*P(\d+)\*\*", PROTOCOL, re.M)]
    assert sorted(numbers) == list(range(1, len(numbers) + 1))
    assert "When it does not hold" in PROTOCOL


def test_every_group_of_vectors_is_named_in_the_protocol() -> None:
    vectors = json.loads((ROOT / "shared/ledger/vectors.json").read_text(encoding="utf-8"))
    assert set(vectors) == set(re.findall(r"\*\*`([a-z_]+)`\*\*", PROTOCOL))


def test_every_reason_on_the_wire_is_in_the_protocol() -> None:
    from typing import get_args

    from shared.ledger.messages import FrameStatus, Reason

    for word in [*get_args(FrameStatus), *get_args(Reason)]:
        assert not word or f"`{word}`" in PROTOCOL, word


def test_every_setting_is_documented() -> None:
    named = {
        name
        for path in (ROOT / "server").rglob("*.py")
        for name in re.findall(r'"(QORGAN_[A-Z_]+)"', path.read_text(encoding="utf-8"))
    }
    manual = (ROOT / "docs/administrator.md").read_text(encoding="utf-8")
    assert named
    assert {name for name in named if name not in manual} == set()


def test_every_target_the_documents_name_is_in_the_makefile() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for page in PAGES:
        for target in re.findall(r"`make ([a-z]+)", page.read_text(encoding="utf-8")):
            assert re.search(rf"^{target}:", makefile, re.M), (page.name, target)


def test_every_command_the_documents_name_exists() -> None:
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["scripts"]
    cli = {"qorgan": "server/cli.py", "qorgan-tablet": "field_app/main.py"}
    assert set(scripts) == set(cli)
    for page in PAGES:
        for script, command in re.findall(
            r"`(?:\.venv/bin/)?(qorgan(?:-tablet)?) ([a-z][a-z-]+)", page.read_text(encoding="utf-8")
        ):
            sources = "".join(path.read_text(encoding="utf-8") for path in (ROOT / cli[script]).parent.rglob("*.py"))
            assert re.search(rf"""["']{command}["']|def {command.replace("-", "_")}\(""", sources), (
                page.name,
                script,
                command,
            )


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_and_pictures_lead_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", text):
        if not target.startswith(("http:", "https:", "mailto:")):
            assert (page.parent / target).exists(), target


def test_decisions_are_numbered_and_say_what_was_rejected() -> None:
    pages = sorted((ROOT / "docs/decisions").glob("*.md"))
    numbers = [int(page.name[:4]) for page in pages]
    assert len(numbers) == len(set(numbers))
    for page in pages:
        text = page.read_text(encoding="utf-8")
        assert text.startswith("# "), page.name
        assert "rejected" in text.lower(), page.name
