"""A cheap world for seeded proofs: a founded office, real tablets and a virtual line between them, one copy a seed.

`World.open(folder)` is a copy of what was founded once in this process. Only the wire is not real: bytes go from the
tablet's own client into the office's WSGI application without a socket, and may be lost, doubled, cut or held back.
"""

from tests.ground.clock import Clock
from tests.ground.line import Fault, Line
from tests.ground.tablet import PIN, Tablet, TabletKeystore
from tests.ground.world import World

__all__ = ["PIN", "Clock", "Fault", "Line", "Tablet", "TabletKeystore", "World"]
