"""Authorization requests that a client pushed (RFC 9126), and the address of each.

A pushed request may be opened again, by a reload or the way back, until it is answered: the answer
takes it, and of many answers one does. It is kept for as long as the last one who opened it in time
may sit before the sign-in page, and opened only in its first minutes.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta

from idp.access.pending import PendingRequest, packed, unpacked
from idp.adapters.ephemeral import EphemeralStore
from idp.crypto import new_token

PREFIX = "urn:ietf:params:oauth:request_uri:"
LIFETIME = 300
"""Seconds in which a pushed request can be opened."""
_CLOCK_SKEW = timedelta(seconds=8)


def push(store: EphemeralStore, request: PendingRequest, *, pending_lifetime: int) -> str:
    """Keep a validated request and return its request_uri."""
    reference = new_token()
    store.put(_key(reference), json.dumps(packed(request)).encode(), ttl=LIFETIME + pending_lifetime)
    return PREFIX + reference


def find(store: EphemeralStore, request_uri: str, *, client_id: str, now: datetime) -> PendingRequest | None:
    """The request that `client_id` pushed, as if it came `now`; None once it is answered or expired."""
    reference = request_uri.removeprefix(PREFIX)[:64]
    kept = store.get(_key(reference))
    if kept is None:
        return None
    request = unpacked(json.loads(kept))
    # As with codes: a clock that was set back opens nothing.
    in_its_time = request.created_at - _CLOCK_SKEW <= now < request.created_at + timedelta(seconds=LIFETIME)
    if request.client_id != client_id or not in_its_time:
        return None
    # How fresh the sign-in must be is measured from when the browser comes.
    return replace(request, params={**request.params, "request_uri": reference}, created_at=now)


def spend(store: EphemeralStore, request: PendingRequest) -> bool:
    """Take the pushed request that is being answered; False if somebody else answered it."""
    reference = request.params.get("request_uri")
    return reference is None or store.take(_key(reference)) is not None


def _key(reference: str) -> str:
    return f"pushed:{reference}"
