"""Folding never falls over, whatever operations say, and says the same in whatever order they came."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.accounts import Role
from shared.ledger.operation import NotCanonical, decode_line, encode_line
from shared.ledger.subject import Subject, folded
from shared.observations.answers import effective
from shared.observations.record import Record
from shared.permissions import MATRIX, may, readers, writers
from shared.registry import BODIES, FOLDS, PARENT_FIELD, kind_of_subject, parent_of, subject_kind_of
from shared.visits import VISIT
from tests.examples import examples
from tests.make import AT, PERSON, an_id, an_operation
from tests.shared.bodies import PEOPLE, SUBJECTS, histories, of_struct

KINDS = sorted(FOLDS)


def _parent(draw: st.DataObject, kind: str) -> Subject | None:
    if kind not in PARENT_FIELD or not draw.draw(st.booleans()):
        return None
    visit: Subject = folded(VISIT, SUBJECTS[1], draw.draw(histories(VISIT)))
    return visit


@pytest.mark.parametrize("kind", KINDS)
@examples(60)
@given(st.data())
def test_a_fold_takes_whatever_operations_say(kind: str, data: st.DataObject) -> None:
    operations = data.draw(histories(FOLDS[kind]))
    parent = _parent(data, kind)
    state = folded(FOLDS[kind], SUBJECTS[0], operations, parent)
    mixed = data.draw(st.permutations(operations))
    assert folded(FOLDS[kind], SUBJECTS[0], mixed, parent) == state
    assert kind_of_subject(mixed) == kind_of_subject(operations)
    assert parent_of(mixed) == parent_of(operations)
    _ask_everything(state)


def _ask_everything(state: Subject) -> None:
    """Whatever was folded, its plain questions have an answer."""
    readers(state)
    writers(state)
    for person in PEOPLE[:2]:
        for verb in MATRIX:
            for role in Role:
                may(person, role, verb, state)
    for name, attribute in vars(type(state)).items():
        if isinstance(attribute, property):
            getattr(state, name)
    if isinstance(state, Record):
        for item in state.answers.items.values():
            effective(item, state.leader)
        state.answers.differing(state.leader)
        for said in [*state.notes.values(), *state.findings.values()]:
            assert said.current.operation in said.heads


@pytest.mark.parametrize("kind", sorted(BODIES))
@examples(40)
@given(st.data())
def test_every_body_travels_and_comes_back_the_same(kind: str, data: st.DataObject) -> None:
    body = data.draw(of_struct(BODIES[kind]))
    try:
        line = encode_line(body, PERSON, AT, 1)
    except NotCanonical:
        return
    assert decode_line(line, BODIES)[1] == body
    assert b"null" not in line or "null" in repr(body)


@pytest.mark.parametrize("kind", sorted(BODIES))
def test_every_kind_is_a_past_fact_of_one_kind_of_subject(kind: str) -> None:
    body = BODIES[kind]
    assert kind == body.KIND
    assert body.__doc__
    of = [fold.kind for fold in FOLDS.values() if body in fold.handlers]
    assert len(of) == (0 if subject_kind_of(kind) is None else 1)
    assert msgspec.structs.fields(body) is not None


def test_a_kind_of_another_subject_is_not_counted_and_says_why() -> None:
    stray = BODIES["vote_cast"]
    body = msgspec.convert(
        {field.name: _any(field) for field in msgspec.structs.fields(stray) if field.required}, stray
    )
    state = folded(FOLDS["record"], an_id(1), [an_operation(body=body)])
    assert [(entry.code, entry.kind) for entry in state.not_counted] == [("kind_wrong_subject", "vote_cast")]


def _any(field: msgspec.structs.FieldInfo) -> object:
    return {"choice": "for"}.get(field.name, an_id(5))
