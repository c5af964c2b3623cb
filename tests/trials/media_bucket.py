"""Photos in a bucket: the running office puts whole files into a store that speaks S3 and hands them out from there.

The store is `moto_server`, a process of its own; its path stands in QORGAN_MOTO_SERVER or it lies on the PATH. Where it
is missing the trial fails and says so: it is not part of the environment of this repository.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

from benchmarks.photos import founded
from field_app.sync import client
from server.demo.processes import free_port
from server.media.bucket import bucket_at
from tests.server.served import SIZE, Served, promised
from tests.trials.trial import Ground, Trial


def run(seed: int, ground: Ground) -> None:
    """Uploads with a kill in the middle; what the bucket holds is the file, byte for byte."""
    program = os.environ.get("QORGAN_MOTO_SERVER") or shutil.which("moto_server")
    assert program, "moto_server is not installed: pip install 'moto[s3,server]' into an environment of its own"
    port = free_port()
    store = subprocess.Popen([program, "-p", str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        endpoint = f"http://127.0.0.1:{port}"
        _until_up(endpoint, store)
        urllib.request.urlopen(urllib.request.Request(f"{endpoint}/photos", method="PUT"), timeout=60)
        _upload(ground.folder, endpoint)
    finally:
        store.terminate()
        store.wait()


def _until_up(endpoint: str, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 120
    while time.monotonic() < until and process.poll() is None:
        try:
            urllib.request.urlopen(endpoint, timeout=5)
            return
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.2)
    raise AssertionError("the S3 server does not answer")


def _upload(folder: Path, endpoint: str) -> None:
    secrets = folder / "credentials"
    secrets.write_text("[default]\naws_access_key_id = trial\naws_secret_access_key = trial\n", encoding="utf-8")
    address = f"s3://photos/office?endpoint={endpoint}&credentials={secrets}"
    office, device, token = founded(folder)
    served = Served(folder, office, device, token, settings={"QORGAN_MEDIA": address})
    served.start()
    try:
        bucket = bucket_at(address)
        for _ in range(3):
            name, data = served.file(announced=False)
            promised(served, name)
            line = client.Office(served.address)
            client.media_begin(line, token, name, SIZE)
            assert client.media_piece(line, token, name, 0, data[:100_000]) == 100_000
            assert bucket.size(name) is None, "half a file is in the bucket"
            served.kill()
            served.start()
            assert client.media_offset(line, token, name) == 100_000
            assert client.media_piece(line, token, name, 100_000, data[100_000:]) == SIZE
            assert b"".join(bucket.read(name)) == data
            assert b"".join(bucket.read(name, 5, 9)) == data[5:10]
            assert client.media_bytes(line, token, name) == data
            assert client.media_offset(line, token, name) == SIZE
            assert not list((folder / "media" / "parts").iterdir())
        assert len(list(bucket.names())) == 3
        bucket.remove(name)
        assert bucket.size(name) is None
    finally:
        served.kill()
        office.database.engine.dispose()


TRIAL = Trial(
    name="media_bucket",
    traps=("B.16",),
    says="With a bucket as the place of photos an upload survives a kill and the bucket holds the file byte for byte",
    per_commit=0,
    release=1,
    run=run,
)
