"""Looks at the console, written down once for each sign-in and thing looked at, not at every page."""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from functools import partial
from typing import Final

from idp.accounts.audit import Event
from idp.adapters.ephemeral import StoreUnavailable
from idp.web import staff
from idp.web.platform import after_commit, platform

_NOTED_FOR: Final = 600
"""Seconds in which the same look is written down once."""


def note(looked: Event) -> None:
    """Write down that whoever is signed in looked at this, unless he did so a moment ago."""
    what = json.dumps([looked.action, looked.target, looked.detail], sort_keys=True)
    store = platform().store
    name = f"staff-looked:{staff.required().session.id}:{hashlib.sha256(what.encode()).hexdigest()}"
    with suppress(StoreUnavailable):  # a line too many is better than none
        if store.get(name) is not None:
            return
    staff.record(looked)
    after_commit(partial(_mark, name))


def _mark(name: str) -> None:
    # Only now: a mark beside a line that was never written would let the next look pass without one.
    with suppress(StoreUnavailable):
        platform().store.put(name, b"1", ttl=_NOTED_FOR)
