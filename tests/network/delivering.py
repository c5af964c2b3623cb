"""Tablets that push until a receipt names each frame, whatever dies behind the office, and what they then know."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Protocol

from server.office import new_subject
from shared.ledger.messages import read_reply
from tests.network.offices import answers, record_of
from tests.server.conftest import Tablet

PATIENCE = 300.0
"""Seconds until all must be delivered; it takes a few."""
FRAMES = 8
"""Of each tablet."""
Place = tuple[str, str, int, str]


class Saying(Protocol):
    """One try: the reply as it came, or None when the office or the way to it could not just now."""

    def __call__(self, tablet: Tablet, body: bytes, chance: Random) -> bytes | None: ...


@dataclass
class Delivery:
    """Tablets that push side by side, and what they know outside the system.

    sign_key      of the office, as 32 bytes
    due           so much was acknowledged that the time for trouble has come
    sent          where each frame belongs: device, subject, first number, id of its last operation
    """

    say: Saying
    sign_key: bytes
    due_after: int
    sent: set[Place] = field(default_factory=set)
    acknowledged: set[Place] = field(default_factory=set)
    wrong: list[BaseException] = field(default_factory=list)
    due: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def begin(self, tablets: Sequence[tuple[Tablet, str]], chance: Random) -> None:
        """Each tablet, with a visit of its own or shared, pushes in a thread. Returns when trouble is due."""
        for each in tablets:
            self._threads.append(threading.Thread(target=self._work, args=(*each, Random(chance.getrandbits(32)))))
        for thread in self._threads:
            thread.start()
        assert self.due.wait(PATIENCE), "the tablets never got so far"

    def end(self, tail: Callable[[], str] = str) -> None:
        """Returns when all is delivered. Raises AssertionError with what a tablet met, and the tail of a log."""
        for thread in self._threads:
            thread.join(PATIENCE)
        assert not self.wrong, (self.wrong, tail())

    def _work(self, tablet: Tablet, visit: str, chance: Random) -> None:
        until = time.monotonic() + PATIENCE
        record = new_subject(tablet.world.now)
        try:
            for number in range(FRAMES):
                frame = record_of(tablet, visit, record) if number == 0 else tablet.write(
                    record, *answers(chance.randint(1, 5), 10 * number)
                )  # fmt: skip
                place = (tablet.id, record, frame.header.first, frame.ids()[-1].hex())
                self.sent.add(place)
                body = tablet.request(frame)
                while place not in self.acknowledged:
                    assert time.monotonic() < until, f"{tablet.id}: not delivered"
                    self._try(tablet, body, place, chance)
        except BaseException as error:
            self.wrong.append(error)
            self.due.set()

    def _try(self, tablet: Tablet, body: bytes, place: Place, chance: Random) -> None:
        answer = self.say(tablet, body, chance)
        if answer is None:
            threading.Event().wait(0.02)
            return
        reply = read_reply(answer, self.sign_key)
        tablet.nonce = reply.page.next_nonce
        assert {each.status for each in reply.receipt.frames} <= {"accepted", "already"}, reply.receipt.frames
        self.acknowledged.add(place)
        if len(self.acknowledged) >= self.due_after:
            self.due.set()
