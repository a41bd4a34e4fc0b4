"""What the page after a change says: once, and only of what was done.

It stands in no address: a link could otherwise say of any account that it was suspended.
"""

from __future__ import annotations

from contextlib import suppress

from flask import request

from idp.adapters.ephemeral import StoreUnavailable
from idp.web import staff
from idp.web.platform import after_commit, platform

_KEPT_FOR = 60
"""Seconds; the page follows at once."""


def leave(address: str, sentence: str) -> None:
    """Have the page at `address` say `sentence` once what this request did is committed."""
    kept, place, store = f"{address} {sentence}".encode(), _place(), platform().store

    def keep() -> None:
        # It is done and the page shows it: where the store is away, only the sentence is missing.
        with suppress(StoreUnavailable):
            store.put(place, kept, ttl=_KEPT_FOR)

    after_commit(keep)


def take() -> str:
    """What this page was left to say; empty for most."""
    try:
        kept = platform().store.take(_place()) or b""
    except StoreUnavailable:
        return ""
    address, _, sentence = kept.decode().partition(" ")
    return sentence if address == request.full_path.rstrip("?") else ""


def _place() -> str:
    return f"staff-news:{staff.required().session.id}"
