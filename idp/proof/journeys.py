"""A journey in several steps: what somebody has told and proved so far, until its end makes it count.

A record in the ephemeral store under an id of its own, so that two tabs are two journeys; bound to one
browser, sealed, since it holds what people tell of themselves. Steps only add to it by compare-and-set, so
that the same form sent twice acts once. Its end is noted in the request that writes what it was for, after
the rows are flushed and before they are committed: of two ends one counts, and where the process dies
between the two, whoever asks looks for the rows and not for the note.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from idp.adapters.ephemeral import EphemeralStore
from idp.crypto import SealBroken, Vault, hash_token, new_token, same
from idp.db import uuid7

_SEALED: Final = "journeys.facts"
_ID = re.compile(r"[A-Za-z0-9_-]{22}\Z")
_KEEP: Final = 3600  # seconds an ended journey is remembered, so that a repeated form finds its end


class JourneyGone(Exception):
    """No such journey of this kind in this browser: unknown, too old, or begun elsewhere."""


class JourneyMoved(Exception):
    """The journey has gone on since it was read: the same form was sent twice, or another tab was faster."""


@dataclass(frozen=True, slots=True)
class Tools:
    """What journeys are kept with."""

    store: EphemeralStore
    vault: Vault
    lifetime: timedelta


@dataclass(frozen=True, slots=True)
class Journey:
    """A journey as it stands. `subject` is the id that what it makes will have; `facts` is what is known."""

    id: str
    kind: str
    binding: str
    subject: UUID
    expires_at: float
    facts: Mapping[str, Any] = field(repr=False)
    is_done: bool = False
    packed: bytes = field(default=b"", repr=False, compare=False)

    def has(self, *names: str) -> bool:
        """Whether all these facts are known."""
        return all(self.facts.get(name) for name in names)

    def has_new(self, name: str, since: Journey) -> bool:
        """Whether this fact is known, and is another one than it was in `since`."""
        return self.has(name) and self.facts[name] != since.facts.get(name)


def begin(
    tools: Tools, kind: str, *, browser: str, now: datetime, facts: Mapping[str, Any] | None = None
) -> Journey:
    """A new journey of `browser`, with what it begins with."""
    until = (now + tools.lifetime).timestamp()
    begun = Journey(new_token(16), kind, hash_token(browser).hex(), uuid7(), until, _known(facts or {}))
    packed = _packed(tools, begun)
    tools.store.put(_key(begun.id), packed, ttl=tools.lifetime.total_seconds() + _KEEP)
    return replace(begun, packed=packed)


def find(tools: Tools, kind: str, journey_id: str, *, browser: str, now: datetime) -> Journey:
    """The journey with this id, done or under way. Raises JourneyGone."""
    packed = tools.store.get(_key(journey_id)) if _ID.match(journey_id) else None
    if packed is None:
        raise JourneyGone
    try:
        found = _read(tools, journey_id, packed)
    except SealBroken:
        # Its data key was taken out of use.
        raise JourneyGone from None
    if found.kind != kind or not same(found.binding, hash_token(browser).hex()):
        raise JourneyGone
    if not found.is_done and now.timestamp() >= found.expires_at:
        raise JourneyGone
    return found


def learn(tools: Tools, journey: Journey, *, now: datetime, **facts: Any) -> Journey:
    """Add to what is known; a fact that is None is forgotten. Raises JourneyMoved."""
    return _moved(tools, journey, replace(journey, facts=_known({**journey.facts, **facts})), now=now)


def end(tools: Tools, journey: Journey, *, now: datetime, **facts: Any) -> Journey:
    """Note that it has come to its end, for one caller, and keep `facts` alone. Raises JourneyMoved."""
    return _moved(tools, journey, replace(journey, facts=_known(facts), is_done=True), now=now)


def _moved(tools: Tools, journey: Journey, changed: Journey, *, now: datetime) -> Journey:
    if journey.is_done:
        raise JourneyMoved
    packed = _packed(tools, changed)
    left = max(journey.expires_at - now.timestamp(), 0)
    if not tools.store.compare_and_set(_key(journey.id), journey.packed, packed, ttl=left + _KEEP):
        raise JourneyMoved
    return replace(changed, packed=packed)


def _known(facts: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in facts.items() if value is not None}


def _packed(tools: Tools, journey: Journey) -> bytes:
    told = json.dumps(
        {
            "kind": journey.kind,
            "binding": journey.binding,
            "subject": str(journey.subject),
            "expires_at": journey.expires_at,
            "facts": journey.facts,
            "is_done": journey.is_done,
        }
    )
    return tools.vault.seal(_SEALED, _row(journey.id), told)


def _read(tools: Tools, journey_id: str, packed: bytes) -> Journey:
    told = json.loads(tools.vault.open(_SEALED, _row(journey_id), packed))
    subject = UUID(told.pop("subject"))
    return Journey(journey_id, subject=subject, packed=packed, **told)


def _row(journey_id: str) -> UUID:
    return UUID(bytes=hash_token(journey_id)[:16])


def _key(journey_id: str) -> str:
    return f"journey:{journey_id}"
