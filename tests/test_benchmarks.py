"""What `make bench` prints and when it fails."""

from __future__ import annotations

import sys
import types

import pytest

from benchmarks import run
from benchmarks.figures import Figure


@pytest.mark.parametrize(
    ("figure", "line"),
    [
        (Figure("pull", 3.456, "x", 4, aim=2), "pull\t3.46 x\t≤ 4 x\t≤ 2 x\tok"),
        (Figure("  push", 0.7, "x", 0.8, less=False, aim=1.8), "push\t0.7 x\t≥ 0.8 x\t≥ 1.8 x\tshort"),
        (Figure("memory", 181.4, "MB", 180, aim=110), "memory\t181 MB\t≤ 180 MB\t≤ 110 MB\tshort"),
        (Figure("a tap", 0.0123, "ms"), "a tap\t0.0123 ms\t-\t-\tok"),
    ],
)
def test_a_row_is_one_line_with_tabs_between(figure: Figure, line: str) -> None:
    assert figure.line() == line


@pytest.mark.parametrize(
    ("figure", "code"),
    [
        (Figure("a", 2.1, "x", 2), 1),
        (Figure("a", 41, "kB", 40), 1),
        (Figure("a", 181, "MB", 180), 1),
        (Figure("a", 2.0, "x", 2, aim=1), 0),
        (Figure("a", 900, "ms", 40), 0),
        (Figure("a", 9, "s"), 0),
    ],
)
def test_a_missed_must_fails_the_run_but_a_time_or_an_aim_does_not(
    figure: Figure, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    made = types.ModuleType("benchmarks.made")
    made.figures = lambda: [figure, Figure("good", 1, "x", 2)]  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "benchmarks.made", made)
    monkeypatch.setattr(run, "names", lambda: ["made"])
    assert run.main(["--no-write"]) == code
    assert capsys.readouterr().out.splitlines() == [figure.line(), Figure("good", 1, "x", 2).line()]


def test_every_module_with_figures_is_a_benchmark() -> None:
    assert {"limits", "ledger", "push", "pull", "save_answer", "window"} <= set(run.names())
    assert run.names()[0] == "limits"
    assert not {"run", "figures", "payload"} & set(run.names())
