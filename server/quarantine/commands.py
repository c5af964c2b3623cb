"""`qorgan quarantine`, `qorgan tablets`, `qorgan status`: what was kept aside, stopped tablets, how the office stands.

For whoever runs the machine. The same queries and actions as the page, and the same rights are asked of the two people,
who are named by their sign-in names.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from sqlmodel import Session

from server.accounts import queries as people
from server.config import from_environment
from server.office import Office
from server.quarantine import actions, queries
from server.watching import queries as watching
from shared.errors import RuleBroken
from shared.quarantine import Outcome
from shared.texts import LANGUAGES, Texts, texts
from shared.values import DeviceId, PersonId, stamp


def add_commands(commands: Any) -> None:
    """Adds the commands to the parser of `qorgan`."""
    quarantine = _act(commands, "quarantine", "frames that were kept aside: list, show, accept, keep")
    acts = quarantine.add_subparsers(required=True, metavar="ACT")
    listed = _act(acts, "list", "what is to be decided, waits, or was decided", _listed)
    listed.add_argument("--show", choices=sorted(queries.SHOWS), default="open")
    _act(acts, "show", "one frame: who, when, why, what kinds; never a word of it", _shown).add_argument("id")
    for name, help_ in (("accept", "take a frame into the ledger; cannot be taken back"),
                        ("keep", "keep a frame aside; it may be accepted later")):  # fmt: skip
        one = _act(acts, name, help_, _decided("taken_in" if name == "accept" else "kept_aside"))
        one.add_argument("id", help="its number, at least six digits")
        _two(one)
    tablets = _act(commands, "tablets", "tablets whose reading was stopped: list, let one read again")
    acts = tablets.add_subparsers(required=True, metavar="ACT")
    _act(acts, "list", "tablets that were stopped, since when and why", _tablets)
    restore = _act(acts, "let-read", "let a stopped tablet read again", _restored)
    restore.add_argument("device", type=DeviceId, help="its number, as `tablets list` shows it")
    _two(restore)
    _act(commands, "status", "how the office stands, in words", _status)


def _act(
    commands: Any, name: str, help_: str, run: Callable[[argparse.Namespace], int] | None = None
) -> argparse.ArgumentParser:
    made: argparse.ArgumentParser = commands.add_parser(name, help=help_, description=help_)
    if run is not None:
        made.set_defaults(run=run)
        made.add_argument("--language", choices=LANGUAGES, default="en")
    return made


def _two(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--by", required=True, metavar="LOGIN", help="who decides")
    parser.add_argument("--with", required=True, metavar="LOGIN", dest="second", help="who stands behind it as second")
    parser.add_argument("--reason", required=True, help="is written down and stays")


def _office() -> Office:
    from server.app import open_checked

    return open_checked(from_environment(os.environ))


def _now() -> datetime:
    return datetime.now(UTC)


def _who(session: Session, login: str) -> PersonId:
    person = people.person_of_login(session, login)
    if person is None:
        raise RuleBroken("not_found")
    return person


def _line(row: queries.Kept, say: Texts) -> str:
    when = row.decided.at if row.decided else row.received_at
    state = f"quarantine.outcome.{row.decided.outcome}" if row.decided else f"quarantine.status.{row.status}"
    return "\t".join(
        (row.head[:12], stamp(when) if when else "", row.owner or say("quarantine.unknown"), row.label,
         say(f"quarantine.reason.{row.reason}"), say.plural("quarantine.entries", row.count), say(state))
    )  # fmt: skip


def _listed(given: argparse.Namespace) -> int:
    say = texts(given.language)
    with _office().database.read() as session:
        rows = queries.kept(session, None, given.show)
    for row in rows:
        print(_line(row, say))
    if not rows:
        print(say(f"quarantine.empty.{given.show}"))
    return 0


def _shown(given: argparse.Namespace) -> int:
    say = texts(given.language)
    with _office().database.read() as session:
        row = queries.one(session, queries.by_short_name(session, given.id))
    print(_line(row, say))
    print(say(f"quarantine.means.{row.reason}"))
    for told in (row.told, *row.others):
        if told is not None:
            kinds = [say.plural(f"quarantine.family.{family}", count) for family, count in told.families.items()]
            kinds += [say.plural("quarantine.unreadable", told.unreadable)] if told.unreadable else []
            print(f"{stamp(told.received_at)}\t{', '.join(kinds)}")
    if row.carrier:
        print(say("quarantine.carried", name=row.carrier))
    if row.refusal:
        print(say(f"error.{row.refusal}"))
    return 0


def _decided(outcome: Outcome) -> Callable[[argparse.Namespace], int]:
    def run(given: argparse.Namespace) -> int:
        office = _office()
        with office.database.write() as session:
            head = queries.by_short_name(session, given.id)
            by, second = _who(session, given.by), _who(session, given.second)
            number = actions.propose(session, by, head, outcome, given.reason, _now())
            actions.confirm(session, office, number, second, _now())
        print(texts(given.language)(f"quarantine.outcome.{outcome}"))
        return 0

    return run


def _tablets(given: argparse.Namespace) -> int:
    say = texts(given.language)
    with _office().database.read() as session:
        rows = queries.stopped_tablets(session)
    for row in rows:
        since = stamp(row.since) if row.since else ""
        print("\t".join((row.device, row.label, row.owner, since, say(f"quarantine.stopped.{row.why}"))))
    if not rows:
        print(say("quarantine.tablets.none"))
    return 0


def _restored(given: argparse.Namespace) -> int:
    office = _office()
    with office.database.write() as session:
        by, second = _who(session, given.by), _who(session, given.second)
        number = actions.propose_reading(session, by, given.device, given.reason, _now())
        actions.confirm(session, office, number, second, _now())
    print(texts(given.language)("quarantine.done.confirmed"))
    return 0


def _status(given: argparse.Namespace) -> int:
    say, office, now = texts(given.language), _office(), _now()
    with office.database.read(behind=True) as session:
        seen, lag = watching.seen(session, office, now), watching.lag(session)
    decide = sum(count for (status, _), count in seen.held.items() if status == "quarantined")
    waiting = sum(count for (status, _), count in seen.held.items() if status == "waiting")
    undelivered = [device for device in seen.devices if device.undelivered]
    print(say("watching.position", position=seen.position))
    print(say("watching.behind", count=seen.behind))
    print(say("watching.disk", free=f"{seen.disk_free_bytes / 2**30:.1f}"))
    age = seen.backup_age_seconds
    print(say("watching.backup_none") if age is None else say("watching.backup", hours=age // 3600))
    print(say("watching.held", decide=decide, waiting=waiting))
    print(say("watching.stopped", count=seen.stopped))
    print(say("watching.media", size=f"{seen.media_bytes / 2**30:.1f}", unfinished=seen.media_unfinished))
    oldest = max((device.undelivered_age_seconds for device in undelivered), default=0)
    print(say("watching.undelivered", devices=len(undelivered), count=sum(each.undelivered for each in undelivered),
              hours=oldest // 3600))  # fmt: skip
    well = seen.disk_free_bytes >= watching.LEAST_ROOM and lag <= watching.MOST_LAG
    print(say("watching.well" if well else "watching.unwell"))
    return 0 if well else 1
