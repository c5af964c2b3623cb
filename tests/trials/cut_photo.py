"""B.16: a photo of 3 MB over 20 kbit/s, the line cut fifty times at any byte, both ends killed on the way.

Time is virtual (`two_g_line`), so twenty minutes of sending take seconds; bytes are counted on the wire, headers and
all. The office keeps what came of a cut piece, so that a cut costs a request and no more.
"""

from __future__ import annotations

import random

from field_app.sync.schedule import LEAST_PIECE
from field_app.sync.worker import Worker
from shared.ledger.crypto import sha256
from tests.ground.founding import port_of
from tests.ground.line import laid
from tests.ground.world import World
from tests.trials.trial import Ground, Trial
from tests.trials.two_g_line import SlowLine, arrived, begun, with_photo

CUTS = 50
SIZE = 3_000_000
MOST = 1.10


def run(seed: int, ground: Ground) -> None:
    """One photo, fifty cuts, a kill of each side; every byte counted."""
    luck = random.Random(seed)
    with World.open(ground.folder, tablets=("leader",)) as world:
        _, record = begun(world)
        tablet = world.tablets["leader"]
        (name,) = with_photo(tablet.store, record, tablet.clock(), original=luck.randbytes(SIZE))
        line = SlowLine(world.application, pass_=lambda seconds: world.clock.pass_(seconds=seconds))
        line.cuts = sorted(luck.sample(range(2_000, SIZE), CUTS))
        kills = sorted(luck.sample(range(5, 60), 2))
        with laid({port_of("leader"): line}):
            worker = Worker(tablet.store, tablet.clock, luck.random, elapsed=lambda: line.seconds)
            rounds = 0
            while tablet.store.unsent():
                rounds += 1
                assert rounds < 400, f"{tablet.store.unsent()} unsent, {len(line.cuts)} cuts left"
                worker.run_once()
                line.spend(2.0)
                if kills and rounds == kills[0]:
                    kills.pop(0)
                    tablet.abandon()
                    world.restart_office()
                    worker = Worker(tablet.store, tablet.clock, luck.random, elapsed=lambda: line.seconds)
        assert not line.cuts, f"{len(line.cuts)} cuts never came"
        assert sha256(arrived(world, name)).hex() == name
        share = line.wire / SIZE
        assert share <= MOST, f"{share:.3f} times the photo's bytes were sent"
        assert worker._files._piece >= LEAST_PIECE
        assert not list((world.office.media / "parts").iterdir()), "something of the upload is left"


TRIAL = Trial(
    name="cut_photo",
    traps=("B.6", "B.16", "R5"),
    says="A photo of 3 MB cut fifty times on a slow line arrives whole, for at most 1.10 times its bytes",
    per_commit=4,
    release=60,
    run=run,
)
