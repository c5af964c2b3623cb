"""Tablets that write at once, in threads or in processes of their own, with a pause before each commit.

    python -m tests.network.writing FILE

FILE is a pickled `Orders`; FILE.begun appears when it begins, FILE.done holds what was accepted.
"""

from __future__ import annotations

import pickle
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from random import Random
from typing import Any, cast
from unittest.mock import patch

from flask import Flask
from sqlalchemy import event
from sqlmodel import Session

from server.accounts.actions import Founded
from server.config import Config
from server.db import Database
from server.keys import Keys
from server.office import Office, new_subject
from shared.deadlines import read_calendar
from shared.law.law import read_rules
from shared.ledger.frame import Frame
from shared.values import SubjectId
from tests.network.offices import Direct, Enrolled, Scene, answers, record_of
from tests.server.conftest import Clock, World

Place = tuple[str, str, int]


def place(frame: Frame) -> Place:
    """What names a frame: device, subject, seq of its first operation."""
    return frame.header.device, frame.header.subject, frame.header.first


@dataclass(frozen=True)
class Task:
    """What one writer does: `count` frames onto a record of its own of this visit."""

    tablet: Enrolled
    visit: SubjectId
    record: SubjectId
    count: int
    seed: int


@dataclass(frozen=True)
class Orders:
    """The tasks of one process: one thread each."""

    url: str
    keys: Keys
    now: datetime
    tasks: tuple[Task, ...]


def write(world: World, task: Task) -> list[Place]:
    """Does it; the frames a receipt accepted. Raises AssertionError for another answer."""
    chance = Random(task.seed)
    one = task.tablet
    tablet = Direct(world, one.person, one.secret, one.box_secret, one.device)
    accepted = []
    for number in range(task.count):
        if number == 0:
            frame = record_of(tablet, task.visit, task.record)
        else:
            frame = tablet.write(task.record, *answers(chance.randint(1, 4), number * 10))
        said = tablet.sync(frame).receipt.frames
        assert [each.status for each in said] == ["accepted"], said
        accepted.append(place(frame))
    return accepted


def write_all(world: World, tasks: tuple[Task, ...]) -> list[Place]:
    """All tasks at once, a thread each. Raises the first thing that went wrong."""
    accepted: list[Place] = []
    wrong: list[BaseException] = []

    def work(task: Task) -> None:
        try:
            accepted.extend(write(world, task))
        except BaseException as error:
            wrong.append(error)

    threads = [threading.Thread(target=work, args=(task,)) for task in tasks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if wrong:
        raise wrong[0]
    return accepted


@contextmanager
def pauses(seed: int, longest: float = 0.025) -> Iterator[None]:
    """While this lasts every commit of this process waits a little: that opens the gap a bare number falls into."""
    chance, push = Random(seed), Database.push

    def pause(*_: object) -> None:
        time.sleep(chance.random() * longest)

    @contextmanager
    def slow_push(self: Database, connection: Any) -> Iterator[None]:
        with push(self, connection):
            yield
            pause()

    event.listen(Session, "before_commit", pause)
    try:
        with patch.object(Database, "push", slow_push):
            yield
    finally:
        event.remove(Session, "before_commit", pause)


def tasks_of(chance: Random, scene: Scene, count: int) -> tuple[Task, ...]:
    """One for each visit, so that none waits for another; the tablets that are left read."""
    return tuple(
        Task(
            Enrolled(tablet.id, tablet.person, tablet.secret, tablet.box_secret), visit,
            new_subject(scene.world.now), count, chance.getrandbits(32),
        )
        for tablet, visit in zip(scene.tablets, scene.visits, strict=False)
    )  # fmt: skip


def main(file: Path) -> None:
    """A process of writers."""
    orders: Orders = pickle.loads(file.read_bytes())
    config = Config(data=file.parent, database=orders.url, key_passphrase="unused")
    office = Office(config, Database(orders.url), orders.keys, read_rules(), read_calendar())
    world = World(office, Clock(orders.now), cast(Founded, None), cast(Flask, None))
    file.with_suffix(".begun").touch()
    with pauses(orders.tasks[0].seed):
        accepted = write_all(world, orders.tasks)
    part = file.with_suffix(".part")
    part.write_bytes(pickle.dumps(accepted))
    part.replace(file.with_suffix(".done"))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
