"""Making a tablet known to an office: the one-time code, the keys of the office, the digits two people compare.

Resumable: the keys are made once with the store, so showing the code again after a cut names the same tablet.
Source: UX T1, SETTLED decisions 37 and 63.
"""

from __future__ import annotations

from typing import Any

import msgspec

from field_app.store.store import Store
from field_app.sync import client
from shared.accounts import fingerprint
from shared.errors import RuleBroken


class AnswerWrong(Exception):
    """What the office answered is no enrolment: `reason` names the field."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def own_fingerprint(store: Store) -> str:
    """Six groups of four digits over this tablet's keys, to be compared with the console's."""
    return fingerprint(*store.public_keys())


def enrol(store: Store, url: str, code: str, label: str, pin: str = "") -> str:
    """Shows the code; the fingerprint to compare. A second officer still confirms before the first exchange.

    pin  SHA-256 of the office's TLS public key (hex), several with commas; empty on loopback

    Raises client.NoNetwork, client.Refused, client.AddressRefused, AnswerWrong, NotSaved; RuleBroken("tablet_enrolled")
    for a tablet that holds entries: under another number they would belong to nobody. Source: SECURITY B.26.
    """
    if store.is_enrolled and store.reading(lambda opened: any(opened.numbers.values())):
        raise RuleBroken("tablet_enrolled", "SECURITY B.26")
    sign_key, box_key = store.public_keys()
    office = client.Office(client.checked_address(url), pin)
    answer = client.enrol(office, code.strip(), sign_key, box_key, label)
    if answer.get("fingerprint", own_fingerprint(store)) != own_fingerprint(store):
        raise AnswerWrong("fingerprint")
    store.enrol(_identity(store, office, answer))
    return own_fingerprint(store)


def _identity(store: Store, office: client.Office, answer: dict[str, Any]) -> Any:
    try:
        holders = {int(each["number"]): str(each["key"]) for each in answer["keyholders"]}
        return msgspec.structs.replace(
            store.identity, device=str(answer["device"]), person=str(answer["person"]), name=str(answer["name"]),
            language=str(answer.get("language", "ru")), server_url=office.url, server_pin=office.pin,
            server_device=str(answer["server_device"]), server_key=_key(answer["server_key"]),
            review_key=_key(answer["review_key"]), keyholders={number: _key(key) for number, key in holders.items()},
            office_names=dict(answer.get("office_names") or answer.get("office") or {}),
        )  # fmt: skip
    except (KeyError, TypeError, ValueError) as error:
        raise AnswerWrong(str(error)) from error


def _key(text: Any) -> str:
    if not isinstance(text, str) or len(bytes.fromhex(text)) != 32:
        raise ValueError("key")
    return text
