"""What is counted, and how it is told: the OpenMetrics text.

Counts of requests are kept by `numbers`, over all processes of this machine; what the database knows is asked when
somebody reads. Devices carry short names of the log, never ids; nothing here says what anybody wrote.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from datetime import datetime
from typing import Any, get_args

import msgspec
from flask import Flask, Response, g, request
from sqlmodel import Session

from server.console.web import office
from server.db import Database
from server.ledger.kinds import kinds_of
from server.watching import queries
from server.watching.logs import seconds, short_name
from server.watching.numbers import Numbers
from shared.ledger.messages import FrameReceipt, FrameStatus, Reason
from shared.registry import FOLDS

CONTENT_TYPE = "application/openmetrics-text; version=1.0.0; charset=utf-8"
BUCKETS = ("0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1.0", "2.5", "5.0", "10.0", "+Inf")
"""Upper bounds of a request's time in seconds."""
_BOUNDS = tuple(map(float, BUCKETS))
_WITHIN = "qorgan_request_seconds_within"
GROUPS = {"sync": "sync", "media": "media", "packs": "packs", "static": "static", "watching": "watching"}
"""Blueprint → group of routes; every other route is a page, or `api` below /api."""
CODES = ("2xx", "3xx", "4xx", "5xx")

_LABELS = {group: [f'group="{group}",code="{code}"' for code in CODES] for group in (*sorted(GROUPS), "api", "pages")}
_FRAMES = [f'status="{status}",reason="{reason}"' for status in get_args(FrameStatus) for reason in get_args(Reason)]
_KINDS = [f'subject="{kind}"' for kind in (*FOLDS, "unknown")]
NAMES = (
    *(f"qorgan_requests_total{{{label}}}" for labels in _LABELS.values() for label in labels),
    *(f'{_WITHIN}{{group="{group}",le="{bound}"}}' for group in _LABELS for bound in BUCKETS),
    *(f'qorgan_request_seconds_sum{{group="{group}"}}' for group in _LABELS),
    "qorgan_exchanges_total",
    *(f"qorgan_frames_total{{{label}}}" for label in _FRAMES),
    *(f"qorgan_operations_total{{{label}}}" for label in _KINDS),
)
"""Every number that is counted, as its sample is written; of buckets only the one a request falls into."""

HELP = {
    "qorgan_requests": ("counter", "Requests answered, by group of routes and class of status."),
    "qorgan_request_seconds": ("histogram", "Time of a request in seconds, by group of routes."),
    "qorgan_exchanges": ("counter", "Exchanges with tablets that were answered in full."),
    "qorgan_frames": ("counter", "Frames by the status they were answered; an answer given again counts again."),
    "qorgan_operations": ("counter", "Operations answered as accepted, by kind of subject."),
    "qorgan_ledger_position": ("gauge", "Position of the ledger."),
    "qorgan_subjects_behind": ("gauge", "Subjects accepted and not projected yet."),
    "qorgan_held_frames": ("gauge", "Frames that wait or are kept aside now."),
    "qorgan_read_log_lines": ("gauge", "Lines of the read log."),
    "qorgan_media_bytes": ("gauge", "Bytes of whole media files."),
    "qorgan_media_unfinished": ("gauge", "Media files announced and not whole yet."),
    "qorgan_disk_free_bytes": ("gauge", "Room left on the disk of the data folder."),
    "qorgan_backup_age_seconds": ("gauge", "Age of the last proven backup; absent before the first."),
    "qorgan_device_contact_age_seconds": ("gauge", "Time since a tablet was heard of."),
    "qorgan_device_undelivered_operations": ("gauge", "Operations a tablet said it has not delivered."),
    "qorgan_device_undelivered_age_seconds": ("gauge", "Age of the oldest of them: by the tablet's clock, and since."),
}


def register_metrics(app: Flask, numbers: Numbers) -> None:
    """Counts every request."""
    app.extensions["qorgan_numbers"] = numbers

    def count(reply: Response) -> Response:
        counted: list[tuple[str, float]] = []
        if "exchanged" in g and reply.status_code == 200:
            counted += of_exchange(office().database, g.exchanged)
        group = group_of(request.blueprint, request.endpoint, request.path)
        took = seconds()
        numbers.add(
            *counted,
            (f'qorgan_requests_total{{group="{group}",code="{reply.status_code // 100}xx"}}', 1),
            (f'{_WITHIN}{{group="{group}",le="{BUCKETS[bisect_left(_BOUNDS, took)]}"}}', 1),
            (f'qorgan_request_seconds_sum{{group="{group}"}}', took),
        )
        return reply

    app.after_request(count)


def group_of(blueprint: str | None, endpoint: str | None, path: str) -> str:
    """The group a request counts in."""
    if endpoint == "static":
        return "static"
    return GROUPS.get(blueprint or "", "api" if path.startswith("/api") else "pages")


class _Told(msgspec.Struct):
    """What of a receipt is counted, and whose it is."""

    device: str
    frames: tuple[FrameReceipt, ...]


_told = msgspec.json.Decoder(_Told)


def of_exchange(database: Database, reply: bytes) -> Iterable[tuple[str, float]]:
    """What an exchange counts for, by its reply's first line, the receipt."""
    yield "qorgan_exchanges_total", 1
    told = _told.decode(reply[: reply.index(b"\n")])
    g.device = told.device
    accepted = [said for said in told.frames if said.status == "accepted"]
    kinds = kinds_of(database, (said.subject for said in accepted))
    for said in told.frames:
        yield f'qorgan_frames_total{{status="{said.status}",reason="{said.reason}"}}', 1
    for said in accepted:
        yield f'qorgan_operations_total{{subject="{kinds.get(said.subject, "unknown")}"}}', said.count


def text(numbers: Numbers, session: Session, now: datetime) -> str:
    """All samples, in families, as OpenMetrics wants them."""
    families: dict[str, list[str]] = {name: [] for name in HELP}
    for name, value in _told_of(numbers.sums()):
        families[_family(name)].append(f"{name} {_number(value)}")
    for name, value in _gauges(session, now):
        families[_family(name)].append(f"{name} {_number(value)}")
    lines = []
    for family, (kind, about) in HELP.items():
        if families[family]:
            lines += [f"# TYPE {family} {kind}", f"# HELP {family} {about}", *_in_order(kind, families[family])]
    return "\n".join([*lines, "# EOF", ""])


def _told_of(sums: dict[str, float]) -> Iterable[tuple[str, float]]:
    """Samples as they are told: a bucket counts those of every shorter one too, and the last one all."""
    for group in _LABELS:
        total = 0.0
        for bound in BUCKETS:
            total += sums.pop(f'{_WITHIN}{{group="{group}",le="{bound}"}}')
            yield f'qorgan_request_seconds_bucket{{group="{group}",le="{bound}"}}', total
        yield f'qorgan_request_seconds_count{{group="{group}"}}', total
    yield from sums.items()


def _in_order(kind: str, samples: list[str]) -> list[str]:
    """A histogram's samples stand by group: buckets, count, sum."""
    if kind != "histogram":
        return samples
    return [sample for group in _LABELS for sample in samples if f'group="{group}"' in sample]


def _family(sample: str) -> str:
    name = sample.partition("{")[0]
    for end in ("_total", "_bucket", "_count", "_sum"):
        if name.endswith(end) and name.removesuffix(end) in HELP:
            return name.removesuffix(end)
    return name


def _number(value: float) -> str:
    return str(int(value)) if float(value).is_integer() else repr(float(value))


def _gauges(session: Session, now: datetime) -> Iterable[tuple[str, Any]]:
    seen = queries.seen(session, office(), now)
    yield "qorgan_ledger_position", seen.position
    yield "qorgan_subjects_behind", seen.behind
    for (status, reason), count in sorted(seen.held.items()):
        yield f'qorgan_held_frames{{status="{status}",reason="{reason}"}}', count
    yield "qorgan_read_log_lines", seen.read_log_lines
    yield "qorgan_media_bytes", seen.media_bytes
    yield "qorgan_media_unfinished", seen.media_unfinished
    yield "qorgan_disk_free_bytes", seen.disk_free_bytes
    if seen.backup_age_seconds is not None:
        yield "qorgan_backup_age_seconds", seen.backup_age_seconds
    for device in seen.devices:
        label = f'{{device="{short_name(device.id)}"}}'
        yield f"qorgan_device_contact_age_seconds{label}", device.contact_age_seconds
        yield f"qorgan_device_undelivered_operations{label}", device.undelivered
        if device.undelivered:
            yield f"qorgan_device_undelivered_age_seconds{label}", device.undelivered_age_seconds
