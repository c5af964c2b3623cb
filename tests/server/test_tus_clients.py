"""Stock tus clients against the running office, as they are; and an office killed in the middle of an upload."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tusclient.client import TusClient
from tusclient.fingerprint import fingerprint
from tusclient.storage import filestorage

from benchmarks.photos import founded
from field_app.sync import client
from server.media import queries
from tests.server.served import SIZE, Served, promised


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("served")
    office, device, token = founded(folder)
    running = Served(folder, office, device, token)
    running.start()
    yield running
    running.kill()
    office.database.engine.dispose()


def test_tuspy_as_it_is_creates_sends_with_sums_and_goes_on(served: Served, tmp_path: Path) -> None:
    name, data = served.file(announced=False)
    promised(served, name)
    path = tmp_path / "photo"
    path.write_bytes(data)
    kept = filestorage.FileStorage(str(tmp_path / "urls"))
    arguments = {"chunk_size": 100_000, "metadata": {"sha256": name}, "store_url": True, "url_storage": kept,
                 "fingerprinter": fingerprint.Fingerprint(), "upload_checksum": True}  # fmt: skip
    tus = TusClient(f"{served.address}/api/media", headers=served.headers)
    first = tus.uploader(str(path), **arguments)
    first.upload_chunk()
    assert first.offset == 100_000
    served.kill()
    served.start()
    again = TusClient(f"{served.address}/api/media", headers=served.headers).uploader(str(path), **arguments)
    assert again.offset == 100_000, "it goes on where the killed office stood"
    again.upload()
    assert queries.whole(served.office, name) == data


def test_an_office_killed_in_the_middle_of_a_piece_loses_no_file(served: Served) -> None:
    name, data = served.file()
    office = client.Office(served.address)
    offset = client.media_piece(office, served.token, name, 0, data[:150_000])
    sending = subprocess.Popen(
        [sys.executable, "-c", _SLOW_PIECE, str(served.port), served.token, name, str(offset)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert sending.stdin is not None
    assert sending.stdout is not None
    sending.stdin.write(data[offset:])
    sending.stdin.close()
    sending.stdout.readline()
    served.kill()
    sending.kill()
    sending.wait()
    served.start()
    reached = client.media_offset(office, served.token, name)
    assert reached is not None
    assert reached >= 150_000
    while reached < SIZE:
        reached = client.media_piece(office, served.token, name, reached, data[reached : reached + 100_000])
    assert queries.whole(served.office, name) == data


_SLOW_PIECE = """
import socket, sys
port, token, name, offset = sys.argv[1:]
data = sys.stdin.buffer.read()
line = socket.create_connection(("127.0.0.1", int(port)))
head = [f"PATCH /api/media/{name} HTTP/1.1", "Host: x", f"Authorization: Bearer {token}", "Tus-Resumable: 1.0.0",
        f"Upload-Offset: {offset}", "Content-Type: application/offset+octet-stream", f"Content-Length: {len(data)}"]
line.sendall("\\r\\n".join([*head, "", ""]).encode() + data[: len(data) // 2])
print("half", flush=True)
sys.stdin.close()
line.recv(1)
"""
