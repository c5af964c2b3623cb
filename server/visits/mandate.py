"""The text in the QR code of a mandate: signed by the office, checked by whoever stands at the gate.

Says number, names and dates, never the institution. Pure but for the keys it is given. Source: SETTLED decision 53,
domain E-1.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from shared.ledger.crypto import is_signed, sign
from shared.values import DeviceId
from shared.visits import mandate_text

PREFIX = "QORGAN1"
_ABOUT = b"qorgan/mandate/1\n"
LONGEST = 2_000
"""Signs a code may have; the largest QR code holds 2,331 of them at level M."""


@dataclass(frozen=True)
class Shown:
    """What the code says: number, names as printed, first and last day."""

    number: str
    names: tuple[str, ...]
    valid_from: date
    valid_until: date


def signed_code(
    number: str, names: list[str], valid_from: date, valid_until: date, device: DeviceId, secret: bytes
) -> str:
    """The text for the QR code. A bar in a name would part it in two and is shown as a stroke."""
    plain = [name.replace("|", "/") for name in names]
    payload = mandate_text(number, plain, valid_from.isoformat(), valid_until.isoformat(), device).encode()
    return f"{PREFIX}.{_text(payload)}.{_text(sign(secret, _ABOUT + payload))}"


def read_code(code: str, servers: Mapping[DeviceId, str]) -> Shown | None:
    """What a genuine code says; None for one that this office did not sign.

    servers  keys of the office's devices, 64 hex each: mandates outlive a restored server
    """
    parts = code.strip().split(".")
    if len(code) > LONGEST or len(parts) != 3 or parts[0] != PREFIX:
        return None
    try:
        payload, signature = _bytes(parts[1]), _bytes(parts[2])
        number, first, last, device, *names = payload.decode().split("|")
        key = servers.get(DeviceId(device))
        if key is None or not is_signed(bytes.fromhex(key), _ABOUT + payload, signature):
            return None
        return Shown(number, tuple(names), date.fromisoformat(first), date.fromisoformat(last))
    except (binascii.Error, ValueError):
        return None


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _bytes(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
