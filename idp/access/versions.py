"""Versions in the ephemeral store: how processes learn that what they keep in memory has changed.

A change is announced by another version, after its commit. A version that got lost looks like a
change, so losing it only means reading again.
"""

from __future__ import annotations

from idp.adapters.ephemeral import EphemeralStore
from idp.crypto import new_token

_LIFE = 30 * 86400


def current_version(store: EphemeralStore, name: str) -> bytes | None:
    """The version of what is called `name`, made if there is none. Raises StoreUnavailable."""
    key = f"version:{name}"
    version = store.get(key)
    if version is None:
        store.put_if_absent(key, _fresh(), ttl=_LIFE)
        version = store.get(key)
    return version


def announce_version(store: EphemeralStore, name: str) -> None:
    """Make every process read `name` again. Raises StoreUnavailable."""
    store.put(f"version:{name}", _fresh(), ttl=_LIFE)


def _fresh() -> bytes:
    return new_token(9).encode()
