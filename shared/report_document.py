"""The document a report freezes: built from the operations of a visit and its record, the same bytes on every tablet.

Pure: given operations, the heads it covers and a way to open words. Each signer builds it again and, if the hash
differs, is told what is lacking instead of signing; the office builds it to verify. Notes and interviews never enter
it, only their number does. Source: SETTLED decisions 29, 45-47.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from shared.ledger.operation import Operation
from shared.ledger.subject import Words
from shared.observations.answers import Entry, effective
from shared.observations.record import RECORD, DraftWritten, Record
from shared.registry import state_of
from shared.values import PersonId, SubjectId
from shared.visits import VISIT, Visit

DOCUMENT_VERSION = 1
Covers = tuple[tuple[str, str, int, str], ...]
OpenWords = Callable[[SubjectId, Words], dict[str, Any] | None]


@dataclass
class Lacking(Exception):
    """What this side does not hold of what a document covers.

    chains  (subject, device, seq) of heads that are not held; words: operations whose words cannot be opened here
    """

    chains: list[tuple[str, str, int]] = field(default_factory=list)
    words: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return f"{len(self.chains)} chains, {len(self.words)} words"


def covers_of(operations: Iterable[Operation]) -> Covers:
    """The head of every chain: (subject, device, seq, id), sorted."""
    heads: dict[tuple[str, str], Operation] = {}
    for operation in operations:
        place = (operation.subject, operation.device)
        if place not in heads or operation.seq > heads[place].seq:
            heads[place] = operation
    return tuple(sorted((*place, head.seq, head.id) for place, head in heads.items()))


def covered(operations: Iterable[Operation], covers: Covers) -> list[Operation]:
    """The operations up to the heads. Raises Lacking when a head is not among them."""
    limits = {(subject, device): (seq, id_) for subject, device, seq, id_ in covers}
    held = list(operations)
    ids = {operation.id for operation in held}
    missing = [(subject, device, seq) for (subject, device), (seq, id_) in limits.items() if id_ not in ids]
    if missing:
        raise Lacking(chains=sorted(missing))
    return [
        operation
        for operation in held
        if operation.seq <= limits.get((operation.subject, operation.device), (0, ""))[0]
    ]


def document(visit_id: SubjectId, record_id: SubjectId, operations: Sequence[Operation], open_words: OpenWords,
             covers: Covers | None = None) -> dict[str, Any]:  # fmt: skip
    """The document, ready for `shared.reports.packed`.

    operations  of the visit and of its record, mixed; later ones than `covers` are left out
    covers      heads of a frozen version that is built again; None: everything held

    Raises Lacking.
    """
    covers = covers if covers is not None else covers_of(operations)
    used = covered(operations, covers)
    visit = state_of(VISIT.kind, visit_id, [each for each in used if each.subject == visit_id])
    record = state_of(RECORD.kind, record_id, [each for each in used if each.subject == record_id], visit)
    return _Builder(visit, record, used, open_words).built(covers)


class _Builder:
    """Puts the parts together and collects what cannot be opened."""

    def __init__(self, visit: Visit, record: Record, operations: Sequence[Operation], open_words: OpenWords) -> None:
        self.visit, self.record, self.operations = visit, record, operations
        self._open_words = open_words
        self._closed: list[str] = []

    def built(self, covers: Covers) -> dict[str, Any]:
        record = self.record
        whole = {
            "document": DOCUMENT_VERSION,
            "visit": self._visit(),
            "group": self._group(),
            "checklists": [list(each) for each in record.checklists],
            "rows": [
                {"of": of, "rows": [row.id for row in rows if not row.withdrawn]}
                for of, rows in sorted(record.rows.items())
            ],
            "items": self._items(),
            "findings": self._findings(),
            "texts": self._texts(),
            "photos": self._photos(),
            "interviews": len(record.interviews),
            "notes": sum(not note.withdrawn for note in record.notes.values()),
            "covers": [list(each) for each in covers],
        }  # fmt: skip
        if self._closed:
            raise Lacking(words=sorted(self._closed))
        return whole

    def _words(self, words: Words) -> dict[str, Any]:
        opened = self._open_words(self.record.id, words)
        if opened is None:
            self._closed.append(words.operation)
        return opened or {}

    def _visit(self) -> dict[str, Any]:
        visit = self.visit
        said: dict[str, Any] = {
            "id": visit.id, "kind": visit.visit_kind, "institution": visit.institution or "",
            "arrived_at": visit.started_at, "left_at": visit.closed_at,
        }  # fmt: skip
        if visit.entry:
            said["admitted_at"] = visit.entry.admitted_at
            said["held_count"] = visit.entry.held_count
            said["delay_minutes"] = visit.entry.delay_minutes
        if visit.mandate:
            said["mandate"] = visit.mandate.number
        return {name: value for name, value in said.items() if value != ""}

    def _group(self) -> list[dict[str, Any]]:
        visit = self.visit
        names = dict(visit.mandate.names) if visit.mandate else {}
        members = visit.members or (visit.planned_by,)
        return [
            {"person": person, "leader": person == (visit.leader or visit.planned_by)}
            | ({"name": names[person]} if person in names else {})
            for person in members
        ]

    def _items(self) -> list[dict[str, Any]]:
        found = []
        for path in sorted(self.record.answers.items):
            result = effective(self.record.answers.items[path], self.record.leader)
            if result.state == "blank":
                continue
            said = [result.entry] if result.entry else list(result.others)
            item: dict[str, Any] = {
                "item": path, "state": result.state, "values": [self._entry(entry) for entry in said]
            }  # fmt: skip
            if result.choice:
                item["chosen_by"] = result.choice.author
            found.append(item)
        return found

    def _entry(self, entry: Entry) -> dict[str, Any]:
        said: dict[str, Any] = {"author": entry.author, "at": entry.at, "operation": entry.operation}
        if entry.non_answer:
            said["non_answer"] = entry.non_answer
            if entry.refused_by:
                said["refused_by"] = entry.refused_by
            if entry.reason:
                said["reason"] = str(self._words(entry.reason).get("reason", ""))
        else:
            said["value"] = self._words(entry.words).get("value", "") if entry.words else entry.value
        return said

    def _findings(self) -> list[dict[str, Any]]:
        return [
            self._finding(id_, version.author, version.at, version.body, self._words(version.words), finding.differs)
            for id_, finding in self.record.findings.items()
            if not finding.withdrawn and (version := finding.current) and version.body is not None
        ]

    def _finding(
        self, id_: str, author: PersonId, at: str, body: Any, words: dict[str, Any], differs: bool
    ) -> dict[str, Any]:
        said: dict[str, Any] = {
            "id": id_, "author": author, "at": at, "severity": body.severity, "urgent": body.urgent,
            "standards": list(body.standards), "evidence": list(body.evidence),
        }  # fmt: skip
        names = ("saw", "told", "told_by", "concluded", "language", "recommendation")
        said |= {name: words[name] for name in names if words.get(name)}
        return said | ({"differs": True} if differs else {})

    def _texts(self) -> list[dict[str, Any]]:
        last = [each for each in self.operations if isinstance(each.body, DraftWritten)]
        last.sort(key=lambda each: each.order)
        order = {each.id: number for number, each in enumerate(last)}
        found = []
        for part, by_author in sorted(self.record.drafts.items()):
            author = max(
                by_author, key=lambda person: (person == self.record.leader, order[by_author[person].operation])
            )
            words = self._words(by_author[author])
            found.append({
                "part": part, "author": author, "text": str(words.get("text", "")),
                "language": str(words.get("language", "")),
            })  # fmt: skip
        return found

    def _photos(self) -> list[dict[str, Any]]:
        return [
            {
                "id": id_, "author": photo.author, "at": photo.at, "cleared": bool(photo.cleared),
                "files": [[role, photo.files[role].sha256] for role in sorted(photo.files)],
            }
            for id_, photo in self.record.photos.items()
            if not photo.withdrawn
        ]  # fmt: skip


__all__ = ["Covers", "Lacking", "OpenWords", "covered", "covers_of", "document"]
