"""Settings of the office from the environment: one frozen dataclass, no secret has a default.

| variable | meaning | default |
|---|---|---|
| QORGAN_DATA | folder for database, media, keys | var/office |
| QORGAN_DATABASE | SQLAlchemy address | sqlite in the data folder |
| QORGAN_KEY_PASSPHRASE or QORGAN_KEY_PASSPHRASE_FILE | opens the key files | none: needed to start |
| QORGAN_BACKUPS | folder backups go to; best on another disk | backups in the data folder |
| QORGAN_MEDIA | where whole photos and recordings lie: empty, or `s3://bucket/prefix?endpoint=…` | the data folder |
| QORGAN_LOG | form of the log on standard error: text or json | text |
| QORGAN_METRICS_TOKEN or QORGAN_METRICS_TOKEN_FILE | what readers of /api/metrics must show | none: this machine only |
| QORGAN_ADDRESS | what browsers and tablets call this office | http://127.0.0.1:8000 |
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


class SettingMissing(Exception):
    """A setting without a default is not set; the message names it."""


@dataclass(frozen=True)
class Config:
    """Everything the office is told from outside."""

    data: Path
    database: str
    key_passphrase: str
    address: str = "http://127.0.0.1:8000"
    media_store: str = ""
    backup_folder: str = ""
    log: str = "text"
    metrics_token: str = ""

    @property
    def media(self) -> Path:
        """Folder where ciphertexts come in; whole ones stay there too unless a bucket is set."""
        return self.data / "media"

    @property
    def keys(self) -> Path:
        """Folder of the passphrase-wrapped key files."""
        return self.data / "keys"

    @property
    def backups(self) -> Path:
        """Folder backups go to unless another is said."""
        return Path(self.backup_folder) if self.backup_folder else self.data / "backups"

    @property
    def is_loopback(self) -> bool:
        """Whether the office is reached on this machine only, where plain http is allowed. Source: SETTLED 64."""
        return self.address.startswith(("http://127.0.0.1", "http://localhost", "http://[::1]"))


def from_environment(environment: Mapping[str, str]) -> Config:
    """The settings. Raises SettingMissing when the passphrase of the keys is not given."""
    data = Path(environment.get("QORGAN_DATA", "var/office")).absolute()
    passphrase = _secret(environment, "QORGAN_KEY_PASSPHRASE", "QORGAN_KEY_PASSPHRASE_FILE")
    if not passphrase:
        raise SettingMissing("QORGAN_KEY_PASSPHRASE or QORGAN_KEY_PASSPHRASE_FILE")
    return Config(
        data=data,
        database=environment.get("QORGAN_DATABASE", f"sqlite:///{data / 'office.db'}"),
        key_passphrase=passphrase,
        address=environment.get("QORGAN_ADDRESS", "http://127.0.0.1:8000").rstrip("/"),
        media_store=environment.get("QORGAN_MEDIA", ""),
        backup_folder=environment.get("QORGAN_BACKUPS", ""),
        log="json" if environment.get("QORGAN_LOG", "text") == "json" else "text",
        metrics_token=_secret(environment, "QORGAN_METRICS_TOKEN", "QORGAN_METRICS_TOKEN_FILE"),
    )


def _secret(environment: Mapping[str, str], name: str, file_name: str) -> str:
    """A secret as it is given, else what stands in the file named; "" for neither."""
    given = environment.get(name, "")
    file = environment.get(file_name, "")
    return given or (Path(file).read_text(encoding="utf-8").strip() if file else "")
