"""Unlocking the app: the PIN or a passkey, both checked here and counted before they are looked at.

The phone is never believed: what it says of a fingerprint or a face of its own proves nothing to us.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy.orm import Session

from idp.access import assurance
from idp.access.clients import origin_of
from idp.accounts import app_pins, factors
from idp.accounts.app_pins import AppPin
from idp.accounts.audit import Action, Event
from idp.accounts.notices import Kind as NoticeKind
from idp.accounts.notices import Told
from idp.db import pause
from idp.proof import throttle
from idp.proof.passkeys import CHALLENGE_LIFE, Ceremony, PasskeyRefused, Why
from idp.proof.throttle import Ceiling, Throttled, Try
from idp.proof.ticket_record import Asked
from idp.scan import trail
from idp.scan.caller import Caller, Tools
from idp.web.refusals import scan as refusals
from idp.web.refusals.to_phones import PhoneRefused, throttled

PIN, PASSKEY = "pin", "hwk"
"""The values of `amr` (RFC 8176 §2)."""


@dataclass(frozen=True, slots=True)
class Given:
    """What a person unlocks the app with: his PIN, or what his authenticator answered."""

    pin: str = ""
    passkey: dict[str, Any] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        """Whether he unlocked nothing."""
        return not self.pin and not self.passkey


@dataclass(frozen=True, slots=True)
class Ways:
    """How the app can be unlocked; `options` for a passkey as WebAuthn has them."""

    pin: bool
    options: dict[str, Any] | None


def is_required(asked: Asked) -> bool:
    """Whether none of the levels that are wanted is reached by a scan alone."""
    wanted = asked.acr_values
    return bool(wanted) and not any(assurance.satisfies(assurance.PASSWORD, level) for level in wanted)


def offer(db: Session, tools: Tools, caller: Caller, ticket_id: str) -> Ways:
    """How this person can unlock the app for this ticket."""
    pin = app_pins.find_pin(db, caller.person.id) is not None
    if not has_passkey(db, tools, caller):
        return Ways(pin, None)
    present = factors.passkeys_of(db, caller.account)
    asked = _ceremony(tools, caller, ticket_id).ask_to_prove(caller.account, present)
    tools.store.put(_kept_at(caller, ticket_id), asked.id.encode(), ttl=CHALLENGE_LIFE)
    return Ways(pin, json.loads(asked.options))


def has_passkey(db: Session, tools: Tools, caller: Caller) -> bool:
    """Whether he has a passkey that the page of this app can use: those belong to a host."""
    ceremony = _ceremony(tools, caller, "")
    return ceremony.possible and bool(ceremony.origins and factors.passkeys_of(db, caller.account))


def prove(db: Session, tools: Tools, caller: Caller, ticket_id: str, given: Given, *, now: datetime) -> str:
    """The `amr` value of what `given` proves. Raises PhoneRefused, idp.accounts.passwords.TooBusy."""
    if given.pin:
        check_pin(db, tools, caller, given.pin, now=now)
        return PIN
    _check_passkey(db, tools, caller, ticket_id, given.passkey, now=now)
    return PASSKEY


def check_pin(db: Session, tools: Tools, caller: Caller, supplied: str, *, now: datetime) -> AppPin:
    """The person's PIN, if it is `supplied`; the session holds no connection meanwhile.

    All phones of a person are counted together, and no address is: what is tried here needs his sign-in
    first. Raises PhoneRefused, idp.accounts.passwords.TooBusy.
    """
    kept = app_pins.find_pin(db, caller.person.id)
    if kept is None:
        raise PhoneRefused(refusals.NO_PIN)
    attempt = Try(f"pin:{caller.person.id}", "app", caller.phone.seen.address)
    tools.hasher.expect_room()
    try:
        throttle.admit(tools.store, tools.settings, attempt, now=now)
    except Throttled as slowed:
        raise _slowed(db, tools, caller, "pin", slowed, now=now) from None
    pause(db)
    if not tools.hasher.verify(kept.pin_hash, supplied).right:
        _note_refused(db, tools, caller, refusals.WRONG_PIN.error, now=now)
        raise PhoneRefused(refusals.WRONG_PIN)
    throttle.succeeded(tools.store, attempt, at_home=True)
    return kept


def _check_passkey(
    db: Session, tools: Tools, caller: Caller, ticket_id: str, answer: dict[str, Any], *, now: datetime
) -> None:
    wait = tools.settings.throttle_wait
    ceiling = Ceiling(f"app-passkey:{caller.person.id}", most=tools.settings.throttle_spray, wait=wait)
    try:
        throttle.check_below(tools.store, ceiling, now=now)
    except Throttled as slowed:
        raise _slowed(db, tools, caller, "passkey", slowed, now=now) from None
    asked = tools.store.take(_kept_at(caller, ticket_id)) or b""
    try:
        _ceremony(tools, caller, ticket_id).check_proof(
            db, asked.decode(), json.dumps(answer), caller.account, now=now
        )
    except PasskeyRefused as refused:
        # An answer to no challenge, or no answer, says nothing of anybody.
        if refused.why not in {Why.EXPIRED, Why.UNREADABLE}:
            throttle.count_failure(tools.store, ceiling, now=now)
            _note_refused(db, tools, caller, f"passkey {refused.why.name.lower()}", now=now)
        if refused.why is Why.CLONED and refused.passkey:
            told = Told(NoticeKind.PASSKEY_REFUSED, device=caller.device)
            tools.notifier.tell(db, refused.passkey.account, told, now=now)
        raise PhoneRefused(refusals.PASSKEY_REFUSED, f"{refused.why.value}。") from None


def _ceremony(tools: Tools, caller: Caller, ticket_id: str) -> Ceremony:
    """Passkeys of this phone for this ticket, on those pages of its app that share our host."""
    ours = urlsplit(tools.settings.issuer).hostname or ""
    origins = dict.fromkeys(origin_of(uri) for uri in caller.client.redirect_uris if _shares(uri, ours))
    bound_to = f"app:{caller.phone.jkt}:{ticket_id}"
    return Ceremony(tools.store, tools.settings, tools.vault, bound_to, tuple(origins))


def _shares(uri: str, host: str) -> bool:
    """Whether a page there may use a passkey of `host`: on it or below it (WebAuthn §5.1.3, RP ID)."""
    theirs = urlsplit(uri).hostname or ""
    return theirs == host or theirs.endswith(f".{host}")


def _kept_at(caller: Caller, ticket_id: str) -> str:
    return f"unlock:{caller.phone.jkt}:{ticket_id}"


def _slowed(
    db: Session, tools: Tools, caller: Caller, way: str, slowed: Throttled, *, now: datetime
) -> PhoneRefused:
    if trail.is_first(tools, caller, f"{way} throttled", slowed.wait, now=now):
        _note_refused(db, tools, caller, "throttled", now=now)
    return throttled(refusals.TOO_MANY_TRIES, slowed.wait)


def _note_refused(db: Session, tools: Tools, caller: Caller, why: str, *, now: datetime) -> None:
    refused = Event(Action.APP_PIN_REFUSED, target=caller.account, detail={"why": why})
    tools.trail.record(db, refused, caller.origin, now=now)
