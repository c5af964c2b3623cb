"""The register of institutions on this tablet, ready for searching; read once a version, then kept."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from field_app.store.store import Store
from shared.institutions import DamagedRegister, Register, decode_register
from shared.packs import Pack, RegisterSubject

RESULTS_LIMIT = 60


@lru_cache(maxsize=2)
def _read(path: Path, name: str) -> Register:
    return Register(decode_register(path.read_bytes(), name))


def register_pack(store: Store) -> Pack | None:
    """The register the office published last, None before the first exchange."""
    for subject in store.subjects("register"):
        state = store.state(subject)
        if isinstance(state, RegisterSubject) and "institutions" in state.packs:
            return state.packs["institutions"]
    return None


def register_of(store: Store) -> Register:
    """The register that lies here; an empty one when there is none or it is damaged."""
    pack = register_pack(store)
    if pack is None:
        return Register(())
    try:
        return _read(store.pack_path(pack.sha256), pack.sha256)
    except (FileNotFoundError, DamagedRegister):
        return Register(())


def name_of(store: Store, key: str, language: str) -> str:
    """The name of an institution in a language; its key when the register does not have it."""
    found = register_of(store).get(key)
    return found.name(language) if found else key
