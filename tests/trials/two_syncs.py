"""Button and timer start a sync at the same moment, or another process opens the store meanwhile: no page is skipped.

Two workers run over one store in threads, as a window and a timer would; each reply moves the cursor and takes in its
page in one transaction. A second process is told who has the folder.
"""

from __future__ import annotations

import os
import threading
from random import Random

import pytest

from field_app.store.errors import StoreBusy
from field_app.store.store import Store
from field_app.sync.worker import Round, Worker
from tests.ground import PIN, Tablet
from tests.network.group import Group, at_work
from tests.simulator.limits import small_pages
from tests.trials.trial import Ground, Trial

STARTS = 3


def run(seed: int, ground: Ground) -> None:
    """Raises AssertionError when a page was skipped, or two processes had one store."""
    chance = Random(seed)
    with at_work(ground.folder, ("leader", "other")) as group, small_pages(chance):
        writer, reader = group.world.tablets["leader"], group.world.tablets["other"]
        for _ in range(STARTS):
            for _ in range(chance.randint(2, 6)):
                group.answer(writer)
                if chance.random() < 0.5:
                    group.answer(reader)
                if chance.random() < 0.6:
                    _stepped(group, writer)
            _doubled(chance, group, reader)
        group.settle()
        group.check()


def _stepped(group: Group, tablet: Tablet) -> None:
    group.world.clock.pass_(seconds=40)
    assert tablet.sync().trouble == ""


def _doubled(chance: Random, group: Group, tablet: Tablet) -> None:
    """Both begin at once: the same worker twice, or two workers over one store."""
    group.world.clock.pass_(seconds=61)
    store = tablet.store
    one_worker = chance.random() < 0.4
    workers = [tablet.worker, tablet.worker if one_worker else Worker(store, tablet.clock, lambda: 0.5)]
    gate, rounds = threading.Barrier(2), []

    def start(worker: Worker) -> None:
        gate.wait(60)
        rounds.append(worker.run_once())

    threads = [threading.Thread(target=start, args=(worker,)) for worker in workers]
    for thread in threads:
        thread.start()
    with pytest.raises(StoreBusy) as busy:
        Store.open(tablet.folder, PIN, tablet.keystore, tablet.clock())
    assert busy.value.owner == os.getpid()
    for thread in threads:
        thread.join()
    _went_well(rounds)


def _went_well(rounds: list[Round]) -> None:
    assert len(rounds) == 2
    troubles = sorted(each.trouble for each in rounds)
    assert troubles in (["", ""], ["", "busy"]), rounds


TRIAL = Trial(
    "two_syncs",
    traps=("B.24",),
    says="Two syncs begun at once over one store skip no page, and a second process is told who has it.",
    per_commit=12,
    release=1_000,
    run=run,
)
