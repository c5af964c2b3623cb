"""The command `qorgan-tablet`: every way it ends has its code and one plain sentence."""

from __future__ import annotations

import json

import pytest

from field_app import main as command
from shared.ledger.crypto import new_id
from tests.field_app.tablets import PIN, office

__all__ = ["office"]


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("TABLET_PIN", PIN)

    def run_(*arguments: str, language: str = "en") -> tuple[int, str, str]:
        with_pin = [*arguments, "--pin-env", "TABLET_PIN"]
        code = command.main(["--home", str(tmp_path / "home"), "--language", language, *with_pin])
        said = capsys.readouterr()
        return code, said.out, said.err

    return run_


def acts(tmp_path, *lines: dict) -> str:
    path = tmp_path / "acts.jsonl"
    path.write_text("\n".join(json.dumps(line) for line in lines), encoding="utf-8")
    return str(path)


def test_enrol_record_sync_show(office, run, tmp_path):
    code, out, _ = run("enrol", office.url, office.code_for(new_id(7)))
    assert code == command.DONE
    digits = out.split("Compare with the office: ")[1].split("\n")[0]
    assert len(digits.replace(" ", "")) == 24
    path = acts(
        tmp_path,
        {"act": "plan_on_the_spot", "institution": "syn-1", "reason": "a call", "as": "visit"},
        {"act": "start", "visit": "$visit", "institution": "syn-1"},
        {"act": "answer", "item": "/mc/beds", "value": 6},
        {"act": "non_answer", "item": "/mc/water", "code": "refused", "by": "staff", "reason": "no key"},
        {"act": "add_row", "of": "/mc/cell", "as": "row"},
        {"act": "note", "text": "Су жоқ", "as": "note"},
        {"act": "finding", "severity": "high", "saw": "9 people, 6 beds", "evidence": ["/mc/beds", "$note"]},
    )
    code, out, err = run("record", path)
    assert (code, len(out.splitlines())) == (command.DONE, 7), err
    assert err.strip() == "7 acts done"
    code, out, err = run("sync", "--until-empty")
    assert code == command.DONE, err
    assert "left on the tablet: 0" in out
    code, out, _ = run("show", "answers", "--json")
    assert {each["item"]: each["state"] for each in json.loads(out)} == {"/mc/beds": "one", "/mc/water": "one"}
    code, out, _ = run("show", "findings", "--json")
    assert json.loads(out)[0]["saw"] == "9 people, 6 beds"
    for view in command.show.VIEWS:
        assert run("show", view)[0] == command.DONE, view


@pytest.mark.parametrize(
    ("line", "word"),
    [
        ('{"act": "fly"}', "unknown act"), ("{", "line 1"), ("[]", "line 1"), ('{"act": "answer"}', "visit"),
        ('{"act": "loose_note"}', "loose_note"), ('{"act": "note", "text": "$gone"}', "gone"),
    ],
)  # fmt: skip
def test_a_wrong_line_is_named(office, run, tmp_path, line, word):
    run("enrol", office.url, office.code_for(new_id(7)))
    path = tmp_path / "acts.jsonl"
    path.write_text(line, encoding="utf-8")
    code, _, err = run("record", str(path))
    assert code == command.WRONG_INPUT
    assert word in err


def test_wrong_pin_wrong_code_no_network_missing_store(office, run, monkeypatch):
    assert run("show")[0] == command.WRONG_INPUT
    code, _, err = run("enrol", office.url, "WRONG-CODE")
    assert (code, err.strip()) == (command.NOT_ALLOWED, "code_wrong")
    assert run("enrol", "http://example.org", "x")[0] == command.WRONG_INPUT
    assert run("enrol", office.url, office.code_for(new_id(7)))[0] == command.DONE
    office.close()
    code, _, err = run("sync")
    assert code == command.NO_NETWORK
    assert "safe on the tablet" in err
    monkeypatch.setenv("TABLET_PIN", "00000000")
    code, _, err = run("show", language="ru")
    assert code == command.LOCKED
    assert "Осталось попыток: 9" in err


def test_every_error_has_its_sentence_in_three_languages():
    from field_app.store import errors
    from shared.texts import LANGUAGES, texts

    codes = {each.code for each in vars(errors).values() if isinstance(each, type) and hasattr(each, "code")}
    for language in LANGUAGES:
        for code in codes:
            assert texts(language).has(f"tablet.{code}"), (language, code)
