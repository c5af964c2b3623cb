"""`tus-js-client` as it is against the running office, where Node finds it (NODE_PATH)."""

from __future__ import annotations

import shutil
import subprocess
import sys

from benchmarks.photos import founded
from server.media import queries
from tests.server.served import SIZE, Served, promised
from tests.trials.trial import Ground, Trial


def run(seed: int, ground: Ground) -> None:
    """One upload in pieces. Where the client is missing that is said aloud, and nothing is claimed."""
    node = shutil.which("node")
    if (
        not node
        or subprocess.run([node, "-e", "require('tus-js-client')"], capture_output=True, check=False).returncode
    ):
        print("tus-js-client was NOT tried: Node does not find it (NODE_PATH)", file=sys.stderr, flush=True)
        return
    office, device, token = founded(ground.folder)
    served = Served(ground.folder, office, device, token)
    served.start()
    try:
        name, data = served.file(announced=False)
        promised(served, name)
        path = ground.folder / "photo"
        path.write_bytes(data)
        script = f"""
          const tus = require('tus-js-client'), fs = require('fs');
          new tus.Upload(fs.createReadStream('{path}'), {{
            endpoint: '{served.address}/api/media', uploadSize: {SIZE}, chunkSize: 90000, retryDelays: [0, 200],
            headers: {{Authorization: 'Bearer {token}'}}, metadata: {{sha256: '{name}'}},
            onError: e => {{ console.error(String(e)); process.exit(1); }}, onSuccess: () => process.exit(0),
          }}).start();"""
        done = subprocess.run([node, "-e", script], capture_output=True, text=True, timeout=300, check=False)
        assert done.returncode == 0, done.stderr
        assert queries.whole(office, name) == data
    finally:
        served.kill()
        office.database.engine.dispose()


TRIAL = Trial(
    name="tus_js_client",
    traps=("B.16",),
    says="A stock JavaScript client uploads in pieces to the office as it is",
    per_commit=0,
    release=1,
    run=run,
)
