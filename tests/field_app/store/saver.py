"""A process that saves answers for ever and says each one saved; killed by its test."""

from __future__ import annotations

import sys
from pathlib import Path

from field_app.store.store import Store
from shared.observations.answers import AnswerRecorded
from shared.values import SubjectId
from tests.field_app.tablets import NOW, PIN, KeystoreDouble


def main(folder: str, subject: str) -> None:
    store = Store.open(Path(folder), PIN, KeystoreDouble(), NOW)
    state = store.state(SubjectId(subject))
    number = len(state.answers.items) if state else 0
    print("ready", flush=True)
    while True:
        store.draft("field", f"text {number}", 3)
        saved = store.save(
            SubjectId(subject), AnswerRecorded(item=f"/a/b{number}", value=number), now=NOW, drop="field"
        )
        print(saved.ids[0], flush=True)
        number += 1


if __name__ == "__main__":
    main(*sys.argv[1:])
