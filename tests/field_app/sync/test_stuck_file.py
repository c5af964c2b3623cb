"""A file that cannot be delivered holds no other: refused, failing at the office, damaged or cut each time."""

from __future__ import annotations

import base64

import pytest

from server.media.folder import part_path
from server.media.queries import whole
from server.media.tables import AnnouncedRow, UploadRow
from tests.ground.world import World
from tests.trials.two_g_line import begun, with_photo


@pytest.mark.parametrize("fate", ["fails", "cuts", "refused", "damaged"])
def test_the_others_arrive_in_the_same_round(tmp_path, fate: str) -> None:
    import requests

    with World.open(tmp_path, tablets=("leader",)) as world:
        store, record = begun(world)
        tablet = world.tablets["leader"]
        data = {number: bytes([number]) * (20_000 + number) for number in range(4)}
        names = [with_photo(store, record, tablet.clock(), thumbnail=each)[0] for each in data.values()]
        stuck = names[0]
        in_metadata = base64.b64encode(stuck.encode()).decode()
        real, line = tablet.line._ask, tablet.line

        def ask(asked):
            request = asked["request"]
            named = request.url + request.headers.get("Upload-Metadata", "")
            if asked["body"] and request.method in ("PATCH", "POST") and (stuck in named or in_metadata in named):
                if fate == "cuts":
                    raise requests.ConnectionError("cut")
                if fate == "damaged":
                    return real(asked | {"body": b"\xff" + asked["body"][1:]})
                return (500 if fate == "fails" else 403), [("Content-Type", "application/json")], b"{}"
            return real(asked)

        line._ask = ask
        done = tablet.sync()
        assert done.files == 3
        assert all(whole(world.office, name) for name in names[1:])
        assert whole(world.office, stuck) is None
        assert store.unsent() == 1
        line._ask = real
        assert tablet.sync().trouble == ""
        assert whole(world.office, stuck)
        assert store.unsent() == 0


@pytest.mark.parametrize("came", [100, 30_000])
def test_a_file_that_another_announced_with_another_size_arrives(tmp_path, came: int) -> None:
    with World.open(tmp_path, tablets=("leader",)) as world:
        store, record = begun(world)
        tablet, office = world.tablets["leader"], world.office
        name = with_photo(store, record, tablet.clock(), thumbnail=bytes(20_000))[0]
        with office.database.write() as session:
            session.add(UploadRow(sha256=name, size=50_000, device=office.keys.device, began_at=tablet.clock()))
            session.add(AnnouncedRow(sha256=name, device=office.keys.device, size=50_000))
        part = part_path(office.media, name, office.keys.device)
        part.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(bytes([1]) * came)
        for _ in range(3):
            tablet.sync()
        assert whole(office, name)
        assert store.unsent() == 0
