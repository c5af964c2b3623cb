"""A bucket of any store that speaks S3 as the place of whole ciphertexts. Loaded only when the setting names one.

What is stored is ciphertext under its own hash: whoever runs the bucket sees sizes and times, no content. Credentials
come from the environment (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY) or from the file the address names, never from the
address itself. Source: SETTLED decision 70.
"""

from __future__ import annotations

import configparser
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from shared.values import is_hash

SETTINGS = frozenset({"endpoint", "region", "credentials"})
PART_BYTES = 8 * 1024 * 1024


def bucket_at(address: str) -> BucketStore:
    """The bucket behind `s3://bucket/prefix?endpoint=https://…&region=…&credentials=FILE`.

    credentials  an ini file with aws_access_key_id and aws_secret_access_key in its section [default]

    Raises ValueError for an address of another shape; FileNotFoundError, KeyError for the file of credentials.
    """
    parts = urlsplit(address)
    given = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    if parts.scheme != "s3" or not parts.hostname or parts.username or set(given) - SETTINGS:
        raise ValueError("QORGAN_MEDIA is no s3://bucket/prefix?endpoint=…")  # the address itself may hold a key
    from obstore.store import S3Store

    options: dict[str, Any] = {"region": given.get("region", "us-east-1")}
    if endpoint := given.get("endpoint"):
        options["endpoint"] = endpoint
        options["client_options"] = {"allow_http": endpoint.startswith("http://")}
    if file := given.get("credentials"):
        options |= _credentials(Path(file))
    return BucketStore(S3Store(parts.hostname, prefix=parts.path.strip("/") or None, **options))


def _credentials(file: Path) -> dict[str, str]:
    read = configparser.ConfigParser(interpolation=None)
    read.read_string(file.read_text(encoding="utf-8"))
    section = read["default"]
    return {"access_key_id": section["aws_access_key_id"], "secret_access_key": section["aws_secret_access_key"]}


class BucketStore:
    """Files as objects named by their hash. A put is whole or not at all; large ones go in parts."""

    def __init__(self, store: Any) -> None:
        self._store = store

    def size(self, sha256: str) -> int | None:
        try:
            return int(self._store.head(sha256)["size"])
        except FileNotFoundError:
            return None

    def take(self, sha256: str, part: Path) -> None:
        self._store.put(sha256, part, chunk_size=PART_BYTES)
        if self.size(sha256) != part.stat().st_size:
            raise OSError(f"the media store did not keep {sha256} whole")
        part.unlink()

    def settle(self, sha256: str) -> None:
        pass  # what a store of this kind lists it has kept

    def read(self, sha256: str, first: int = 0, last: int | None = None) -> Iterator[bytes]:
        options = {"range": (first, last + 1)} if last is not None else {"range": {"offset": first}} if first else None
        try:
            found = self._store.get(sha256, options=options)
        except FileNotFoundError:
            raise KeyError(sha256) from None
        return (bytes(piece) for piece in found.stream())

    def remove(self, sha256: str) -> None:
        try:
            self._store.delete(sha256)
        except FileNotFoundError:
            return

    def names(self) -> Iterator[str]:
        for page in self._store.list():
            yield from (each["path"] for each in page if is_hash(each["path"]))
