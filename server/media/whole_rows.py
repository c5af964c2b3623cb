"""What taking in a whole file asks of the database and notes there: one method a statement, through the driver.

Only a plain yes is said here: whatever is not plain is decided in full by `server.media.actions`. Every method takes
the driver's connection (`server.db.Database.lent`). Source: SETTLED decision 61, decisions 0009 and 0016.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlmodel import SQLModel

from server.db import Database
from server.ledger.plain_rows import PlainTable, Statements
from server.ledger.queries import audiences
from server.media.tables import UploadRow
from shared.ledger.operation import id_bytes, id_text
from shared.values import DeviceId, PersonId

_WELCOME = (
    "SELECT 1 FROM media_promised p WHERE p.sha256 = ? AND p.size = ? AND ("
    "EXISTS (SELECT 1 FROM chains c WHERE c.device = ? AND c.subject = p.subject) OR "
    "EXISTS (SELECT 1 FROM access a WHERE a.subject = p.subject AND a.audience IN (?, ?))) "
    "AND NOT EXISTS (SELECT 1 FROM media_uploads u WHERE u.sha256 = p.sha256) "
    "AND NOT EXISTS (SELECT 1 FROM subjects WHERE projected < accepted) LIMIT 1"
)
_NOTE = (
    " ON CONFLICT (sha256) DO UPDATE SET"
    " device = excluded.device, size = excluded.size, done_at = excluded.done_at WHERE media_uploads.done_at IS NULL"
)
"""Of a file that was announced before the moment of that stands; one that is whole already stays as it is."""


class WholeRows:
    """The statements of one database. One for all: `database.kept(WholeRows)`."""

    def __init__(self, database: Database) -> None:
        say = Statements(database.engine.dialect)
        self._uploads = PlainTable(SQLModel.metadata.tables[UploadRow.__tablename__], say)
        self._welcome, self._note = say.spelled(_WELCOME), self._uploads.insert + _NOTE
        self._announced = say.spelled("SELECT device FROM media_announced WHERE sha256 = ?")

    def is_plainly_welcome(
        self, connection: Any, device: DeviceId, person: PersonId, sha256: str, size: int
    ) -> bool:  # fmt: skip
        """Whether nobody announced the file before, the tables are as new as the ledger, and a subject the tablet wrote
        in or may hold names the file with this size."""
        values = (bytes.fromhex(sha256), size, id_bytes(device), *audiences(person))
        return connection.execute(self._welcome, values).fetchone() is not None

    def note_whole(
        self, connection: Any, device: DeviceId, sha256: str, size: int, began: datetime, done: datetime
    ) -> None:  # fmt: skip
        """The file is in the store and its hash was right: announcement and end in one row."""
        row = {"sha256": sha256, "size": size, "device": device, "began_at": began, "done_at": done}
        connection.execute(self._note, self._uploads.values(row))

    def announced_by(self, connection: Any, sha256: str) -> list[DeviceId]:
        """The tablets that announced the file: what they sent of it may lie in parts."""
        found = connection.execute(self._announced, (bytes.fromhex(sha256),)).fetchall()
        return [DeviceId(id_text(bytes(device))) for (device,) in found]
