"""R5: a line of 20 kbit/s up, 800 ms each way, one request in twenty broken off: text is there within a minute, always.

Time is virtual: each request costs the seconds its bytes take at that rate, counted from the first byte of the request
line to the last of the answer, and the clocks of office and tablet move by as much. `SlowLine` serves `cut_photo` too.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import msgspec
import requests

from field_app.acts import records, visits
from field_app.store.store import Store
from field_app.sync import schedule
from field_app.sync.worker import Worker
from shared.ledger.crypto import sha256
from shared.observations.record import MediaFile, MediaRole, PhotoTaken
from shared.values import SubjectId
from tests.ground.founding import INSTITUTION, port_of
from tests.ground.line import Answer, Line, laid
from tests.ground.world import World
from tests.trials.trial import Ground, Trial

TEXT_SECONDS = 60.0
PHOTO_BYTES = 2_500_000
PHOTOGRAPHS = 12
FEW = 2
"""Photos of the seed that `make test` plays."""


@dataclass
class SlowLine(Line):
    """A line that is slow and breaks. `cuts`: bytes of the way up after which it breaks, counted from the beginning.

    breaks   called for each request with its bytes: after how many of them the line breaks, or None
    pass_    moves the clocks by so many seconds
    """

    up: float = 20_000.0
    down: float = 50_000.0
    delay: float = 0.8
    cuts: list[int] = field(default_factory=list)
    breaks: Callable[[int], int | None] = lambda size: None
    pass_: Callable[[float], Any] = lambda seconds: None
    wire: int = 0
    seconds: float = 0.0
    log: list[tuple[float, str, str]] = field(default_factory=list)

    def spend(self, seconds: float) -> None:
        """Time goes by."""
        self.seconds += seconds
        self.pass_(seconds)

    def send(self, request: requests.PreparedRequest) -> Answer:
        body = request.body if isinstance(request.body, bytes) else (request.body or "").encode()
        head = _head_bytes(request)
        whole, cut = head + len(body), self._cut(head + len(body))
        gone = whole if cut is None else cut
        self.wire += gone
        self.spend(2 * self.delay + gone * 8 / self.up)
        path = urlsplit(str(request.url)).path
        self.log.append((self.seconds, str(request.method), path))
        asked = {"request": request, "body": body[: max(0, gone - head)], "length": len(body)}
        if cut is not None:
            if gone > head:
                self._ask(asked)
            raise requests.ConnectionError("the line broke")
        answer = self._ask(asked)
        self.spend((len(answer[2]) + 300) * 8 / self.down)
        return answer

    def _cut(self, size: int) -> int | None:
        if self.cuts and self.cuts[0] < self.wire + size:
            return max(0, self.cuts.pop(0) - self.wire)
        return self.breaks(size)


def _head_bytes(request: requests.PreparedRequest) -> int:
    """Bytes of the request line and the headers, with the two the connection adds by itself."""
    line = len(f"{request.method} {urlsplit(str(request.url)).path} HTTP/1.1\r\n")
    fields = sum(len(f"{name}: {value}\r\n") for name, value in request.headers.items())
    return line + fields + len("Host: 127.0.0.1:18001\r\nAccept-Encoding: identity\r\n\r\n")


def begun(world: World) -> tuple[Store, SubjectId]:
    """The leader's store with the visit started; the office knows it."""
    tablet = world.tablets["leader"]
    record = visits.start(tablet.store, world.visit, INSTITUTION, tablet.clock())
    assert tablet.sync().trouble == ""
    return tablet.store, record


def with_photo(store: Store, record: SubjectId, now: Any, **files: bytes) -> list[str]:
    """Files of these roles laid down and named by one photo; their hashes."""
    roles: dict[MediaRole, bytes] = dict(files)  # type: ignore[arg-type]
    kept = [store.keep_file(data, role, record) for role, data in roles.items()]
    named = tuple(MediaFile(role=role, sha256=each.sha256, size=each.size)
                  for role, each in zip(roles, kept, strict=True))  # fmt: skip
    photo = store.save(record, PhotoTaken(files=named, key="", sealed=""), now=now).ids[0]
    for each in kept:
        store.change_file(msgspec.structs.replace(each, operation=photo))
    return [each.sha256 for each in kept]


def arrived(world: World, name: str) -> bytes:
    """What the office holds of a whole file."""
    from server.media.queries import whole

    found = whole(world.office, name)
    assert found is not None, f"{name} is not whole"
    return found


def run(seed: int, ground: Ground) -> None:
    """40 answers saved beside 12 photos, then answers one by one while the photos go."""
    luck = random.Random(seed)
    with World.open(ground.folder, tablets=("leader",)) as world:
        store, record = begun(world)
        tablet = world.tablets["leader"]
        line = SlowLine(world.application, pass_=lambda seconds: world.clock.pass_(seconds=seconds))
        line.breaks = lambda size: luck.randrange(size) if luck.random() < 0.05 else None
        names = []
        photographs = FEW if seed == 1 else PHOTOGRAPHS
        for _ in range(photographs):
            files = {"thumbnail": luck.randbytes(38_000), "original": luck.randbytes(PHOTO_BYTES)}
            names += with_photo(store, record, tablet.clock(), **files)
        saved: dict[str, float] = {}
        waits: list[float] = []

        def save(count: int) -> None:
            for _ in range(count):
                item = f"/mc/q{len(saved)}"
                records.answer(store, record, item, len(saved), tablet.clock())
                saved[item] = line.seconds

        def look() -> None:
            """After every step: what is received now, and now and then somebody taps an answer."""
            if store.reading(lambda opened: not any(not cut.is_received for cut in opened.cuts)) and not _uncut(store):
                waits.extend(line.seconds - at for at in saved.values() if at >= 0)
                saved.update(dict.fromkeys(saved, -1.0))
            if len(saved) < 80 and line.seconds > 90 and luck.random() < 0.02:
                save(luck.randint(1, 3))

        save(40)
        with laid({port_of("leader"): line}):
            worker = Worker(store, tablet.clock, luck.random, look, lambda: line.seconds)
            _until_sent(worker, store, line, luck)
        look()
        assert len(waits) >= 40, f"{len(waits)} answers were seen received"
        assert max(waits) <= TEXT_SECONDS, f"an answer waited {max(waits):.0f} s"
        _no_photo_before_text(line)
        for name in names:
            assert sha256(arrived(world, name)).hex() == name
        sizes = sum(kept.size for kept in store.files())
        assert line.wire <= 1.10 * sizes + 60_000, f"{line.wire} bytes for {sizes}"
        assert timedelta(seconds=line.seconds) < photographs * timedelta(minutes=40), f"{line.seconds:.0f} s"


def _uncut(store: Store) -> bool:
    from field_app.store import outgoing

    return outgoing.has_uncut(store)


def _until_sent(worker: Worker, store: Store, line: SlowLine, luck: random.Random) -> None:
    """Rounds as the loop of the worker makes them, waiting as it waits."""
    failures = 0
    for _ in range(2000):
        done = worker.run_once()
        failures = failures + 1 if done.trouble and not done.moved else 0
        if store.unsent() == 0:
            return
        if not (done.more and not done.trouble):
            line.spend(schedule.wait_after(failures, luck.random()) if failures else 0.5)
    raise AssertionError(f"{store.unsent()} still unsent")


def _no_photo_before_text(line: SlowLine) -> None:
    """The first thing on the line is an exchange; files begin behind it."""
    kinds = [path.split("/")[2] for _, _, path in line.log]
    assert kinds[0] == "sync", kinds[:5]


TRIAL = Trial(
    name="two_g_line",
    traps=("B.16", "R5"),
    says="On 20 kbit/s with 800 ms and one request in twenty broken off, no answer waits a minute and no photo is lost",
    per_commit=1,
    release=20,
    run=run,
)
