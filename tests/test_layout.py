"""The shape of the repository: sizes, names, who may touch the outside world, and what must never be committed."""

from __future__ import annotations

import ast
import re
import subprocess
import tomllib
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("shared", "server", "field_app", "benchmarks", "tests")
LONGEST = 400
EMPTY_NAMES = re.compile(r"(^|_)(utils?|helpers?|common|misc|managers?|base|lib)$")

ONLY_IN = {
    "cryptography": {"shared/ledger/crypto.py"},
    "secrets": {"shared/ledger/crypto.py"},
    "requests": {"field_app/sync/client.py"},
    "sqlite3": {"field_app/store"},
    "kivy": {"field_app"},
    "flask": {"server"},
    "sqlmodel": {"server"},
}
"""What touches the outside world is imported in one place. A folder stands for all in it; tests may import all."""


@cache
def tracked() -> list[Path]:
    """Every file of the repository that is, or is about to be, committed."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [ROOT / name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]


def python_files(*packages: str) -> list[Path]:
    """Python files of these top-level folders."""
    return [path for path in tracked() if path.suffix == ".py" and path.relative_to(ROOT).parts[0] in packages]


@cache
def tree(path: Path) -> ast.Module:
    """The file parsed, once a run."""
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def imports(path: Path) -> set[str]:
    """Full names of the modules a file imports."""
    found: set[str] = set()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module)
    return found


def _short(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_no_file_has_more_than_four_hundred_lines() -> None:
    long = {
        _short(path): count
        for path in python_files(*PACKAGES)
        if (count := path.read_bytes().count(b"\n")) > LONGEST and "migrations/versions" not in _short(path)
    }
    assert not long


def test_no_module_is_named_after_nothing() -> None:
    named = [_short(path) for path in python_files("shared", "server", "field_app") if EMPTY_NAMES.search(path.stem)]
    assert not [name for name in named if Path(name).name not in ("base.py",)]


def test_every_module_says_what_it_is_for() -> None:
    silent = [
        _short(path)
        for path in python_files("shared", "server", "field_app", "benchmarks")
        if path.read_text(encoding="utf-8").strip()
        and not ast.get_docstring(tree(path))
        and "migrations/versions" not in _short(path)
    ]
    assert not silent


@pytest.mark.parametrize("module", sorted(ONLY_IN))
def test_the_outside_world_is_touched_in_one_place(module: str) -> None:
    places = ONLY_IN[module]
    strays = [
        _short(path)
        for path in python_files("shared", "server", "field_app")
        if any(name == module or name.startswith(module + ".") for name in imports(path))
        and not any(_short(path) == place or _short(path).startswith(place + "/") for place in places)
    ]
    assert not strays


def test_shared_asks_no_clock() -> None:
    """`now` and `today` are arguments."""
    asking = re.compile(r"\b(datetime|date)\.(now|today|utcnow)\(|\btime\.(time|monotonic)\(")
    assert not [_short(path) for path in python_files("shared") if asking.search(path.read_text(encoding="utf-8"))]


def test_capabilities_have_the_same_name_everywhere() -> None:
    """A folder of the office is a capability of `shared`, or one of the few things only an office has."""
    office_only = {"accounts", "backup", "console", "data", "demo", "documents", "institutions", "law", "ledger",
                   "migrations", "packs", "audit", "statistics", "votes", "api", "watching", "media",
                   "bundles"}  # fmt: skip
    folders = {
        path.relative_to(ROOT).parts[1] for path in python_files("server") if len(path.relative_to(ROOT).parts) > 2
    }
    shared = {path.stem for path in (ROOT / "shared").iterdir() if not path.name.startswith("_")}
    assert folders - shared - office_only == set()


def test_actions_never_commit_and_never_ask_the_request() -> None:
    found = [
        _short(path)
        for path in python_files("server")
        if path.name in ("actions.py", "queries.py", "project.py")
        and re.search(r"\.commit\(\)|\bcurrent_app\b", path.read_text(encoding="utf-8"))
    ]
    assert not found


def _swallows(handler: ast.ExceptHandler) -> bool:
    """Whether the handler takes every exception and does not pass it on after tidying up."""
    wide = handler.type is None or (
        isinstance(handler.type, ast.Name) and handler.type.id in ("Exception", "BaseException")
    )
    last = handler.body[-1]
    return wide and not (isinstance(last, ast.Raise) and last.exc is None)


def test_wide_exceptions_are_swallowed_in_few_places_only() -> None:
    """The worker's loop, the projector and the office's last handler log them; the window hands them from a thread to
    its own."""
    wide = {
        _short(path)
        for path in python_files("shared", "server", "field_app")
        for node in ast.walk(tree(path))
        if isinstance(node, ast.ExceptHandler) and _swallows(node)
    }
    allowed = {"field_app/sync/worker.py", "field_app/going.py", "server/errors.py", "server/ledger/projecting.py"}
    assert wide <= allowed


LAWFUL = re.compile(
    r"\b(quorum|majority|term_years|working_days|notice_days|term|deadline_days|min_age)\w*\s*(?::\s*\w+\s*)?=\s*(?:Fraction\()?\d"
)


def test_no_legal_number_stands_in_code() -> None:
    """They live in shared/law/rules.toml with article, confidence and date."""
    found = [
        (_short(path), line.strip())
        for path in python_files("shared", "server", "field_app")
        if "law/" not in _short(path) and "data/" not in _short(path)
        for line in path.read_text(encoding="utf-8").splitlines()
        if LAWFUL.search(line) and not re.search(r"=\s*0\b", line)
    ]
    assert not found


# ── what must never be committed ────────────────────────────────────────────────────────────────────────────────────

SECRET = re.compile(rb"-----BEGIN [A-Z ]*PRIVATE KEY-----")
# Put together here, so that this file does not hold what it looks for.
MACHINE = re.compile(
    "|".join(
        [
            "/wo" + "rk/",
            "/ro" + "ot/",
            "/ho" + "me/[a-z]",
            "file" + ":///opt",
            "--extra-index" + "-url",
            "py" + r"pi\.org",
        ]
    ).encode()
)
UNFINISHED = re.compile(r"\b(TO" + r"DO|FIX" + r"ME|XX" + r"X|lorem ip" + r"sum)\b|raise NotImplemented" + "Error")


def test_no_path_of_a_machine_no_index_address_no_secret() -> None:
    found = [
        _short(path)
        for path in tracked()
        if path.suffix != ".svg" and (MACHINE.search(data := path.read_bytes()) or SECRET.search(data))
    ]
    assert not found


def test_nothing_is_left_unfinished() -> None:
    text = (".py", ".kv", ".html", ".md", ".toml", ".po", ".css")
    assert not [
        _short(path)
        for path in tracked()
        if path.suffix in text and UNFINISHED.search(path.read_text(encoding="utf-8"))
    ]


def test_no_heavy_file_is_committed() -> None:
    assert not {_short(path): path.stat().st_size for path in tracked() if path.stat().st_size > 1024 * 1024}


def test_no_test_is_skipped_by_mark() -> None:
    marks = re.compile(r"pytest\.mark\.(skip|xfail)|pytest\.skip" + r"\(|pytest\.importorskip")
    assert not [
        _short(path)
        for path in python_files("tests")
        if marks.search(path.read_text(encoding="utf-8")) and path != Path(__file__)
    ]


# ── packages and the system ─────────────────────────────────────────────────────────────────────────────────────────


def test_every_locked_package_has_hashes() -> None:
    entries = re.split(r"\n(?=[a-z0-9])", (ROOT / "requirements.lock").read_text(encoding="utf-8").strip())
    assert len(entries) > 50
    assert not [entry.splitlines()[0] for entry in entries if "--hash=sha256:" not in entry]


def test_everything_declared_is_locked() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    declared = [
        *project["dependencies"],
        *(one for extra in project["optional-dependencies"].values() for one in extra),
    ]
    names = {re.split(r"[\[<>=!~ ]", one)[0].lower().replace("_", "-") for one in declared}
    locked = set(
        re.findall(
            r"^([a-z0-9-]+)(?:\[[^]]*\])?==",
            (ROOT / "requirements.lock").read_text(encoding="utf-8").replace("_", "-"),
            re.M,
        )
    )
    assert names <= locked


def test_system_packages_are_listed_in_one_file_only() -> None:
    packages = [
        line.split()
        for line in (ROOT / "system-packages.txt").read_text(encoding="utf-8").splitlines()
        if line and line[0] != "#"
    ]
    assert all(one[1] in ("run", "demo", "test") and ":" in one[2] and len(one) > 3 for one in packages)
    others = [path for path in tracked() if path.name in ("Makefile", "run") or path.parent.name == "tools"]
    for name in (one[0] for one in packages if "-" in one[0]):
        assert not [_short(path) for path in others if name in path.read_text(encoding="utf-8")], name
