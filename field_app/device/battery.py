"""The charge of the battery in per cent, or None where nobody knows."""

from __future__ import annotations

from pathlib import Path

from field_app.device.platform import on_android

SUPPLIES = Path("/sys/class/power_supply")


def charge(supplies: Path = SUPPLIES) -> int | None:
    """Charge 0..100, or None."""
    return _android_charge() if on_android() else _linux_charge(supplies)


def _linux_charge(supplies: Path) -> int | None:
    for capacity in sorted(supplies.glob("BAT*/capacity")):
        try:
            percent = int(capacity.read_text())
        except (OSError, ValueError):
            continue
        return min(100, max(0, percent))
    return None


def _android_charge() -> int | None:
    from plyer import battery

    percentage = battery.status.get("percentage")
    return None if percentage is None else round(percentage)
