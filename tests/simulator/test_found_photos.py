"""What schedules found about photos, each as the smallest case that shows it."""

from __future__ import annotations

import pytest

from field_app.acts import photos
from field_app.store.errors import NotSaved
from field_app.sync.status import rows
from tests.ground import World
from tests.simulator.acts import jpegs
from tests.simulator.disk import Disk, watched
from tests.simulator.found import begun


@pytest.mark.parametrize("writes", [2, 500])
def test_a_photo_the_disk_did_not_take_whole_leaves_nothing_that_waits(tmp_path, writes):
    """Seed 793: its thumbnail lay there already, no operation named it, and the tablet called it unsent for ever."""
    with watched(Disk()) as disk, World.open(tmp_path / "world", ("leader",)) as world:
        tablet, record = begun(world)
        assert tablet.sync().trouble == ""
        refused = 0
        for first in range(1, 16):
            disk.arm_full(tablet.folder, first, writes)
            try:
                photos.take(tablet.store, record, jpegs()[first % 4], tablet.clock())
            except NotSaved:
                refused += 1
                assert [
                    row for row in rows(tablet.store) if row.kind.startswith("file") and row.state != "received"
                ] == []
            disk.calm()
            assert tablet.sync().trouble == ""
            assert tablet.store.unsent() == 0
        assert refused >= 3
        taken = len(tablet.store.state(record).photos)
        if writes == 2:
            assert len(tablet.store.files()) == 3 * taken, "where there was room again they went at once"
        tablet.reopen()
        assert len(list((tablet.folder / "media").iterdir())) == 3 * taken, "a refused one is gone after a start"
