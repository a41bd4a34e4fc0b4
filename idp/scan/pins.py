"""Setting the PIN: with the agreement and a young sign-in, or by the old PIN (B24)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from idp.accounts import app_pins, sessions
from idp.accounts.app_pins import AppPin
from idp.accounts.audit import Action, Event
from idp.accounts.notices import Kind as NoticeKind
from idp.accounts.notices import Told
from idp.accounts.pin_rules import PinRefused, check_new_pin
from idp.db import pause
from idp.scan import agreement, unlocking
from idp.scan.caller import Caller, Tools
from idp.web.refusals import scan as refusals
from idp.web.refusals.to_phones import PhoneRefused


@dataclass(frozen=True, slots=True)
class NewPin:
    """What the person typed, and the version of the agreement he gave; `current` is the PIN he has."""

    pin: str
    agreement: str
    current: str = ""


def set_pin(db: Session, tools: Tools, caller: Caller, new: NewPin, *, now: datetime) -> None:
    """Set the person's PIN, and tell him.

    Raises PhoneRefused, idp.accounts.passwords.TooBusy. What it wrote must not be kept then.
    """
    if new.agreement != agreement.VERSION:
        raise PhoneRefused(refusals.AGREEMENT_OUTDATED)
    _check_rules(tools, caller, new)
    before = _allowed(db, tools, caller, new, now=now)
    pause(db)
    fresh = tools.hasher.hash(new.pin)
    old_hash = before.pin_hash if before else None
    if not app_pins.put_pin(
        db, caller.person.id, old_hash=old_hash, new_hash=fresh, agreement=new.agreement, now=now
    ):
        raise PhoneRefused(refusals.PIN_CHANGED_MEANWHILE)
    if not sessions.hold(db, caller.session.id):
        raise PhoneRefused(refusals.SIGN_IN_ENDED)
    event = Event(Action.APP_PIN_SET, target=caller.account, detail={"channel": caller.channel.key})
    tools.trail.record(db, event, caller.origin, now=now)
    kind = NoticeKind.APP_PIN_CHANGED if before else NoticeKind.APP_PIN_SET
    tools.notifier.tell(db, caller.account, Told(kind, device=caller.device), now=now)


def _check_rules(tools: Tools, caller: Caller, new: NewPin) -> None:
    about = (caller.person.phone(tools.vault) or "", caller.person.id_number(tools.vault) or "")
    try:
        check_new_pin(new.pin, about=about)
    except PinRefused as refused:
        raise PhoneRefused(refusals.WEAK_PIN, str(refused)) from None
    if new.pin == new.current:
        raise PhoneRefused(refusals.WEAK_PIN, "新口令不能与原来的相同。请换一个。")


def _allowed(db: Session, tools: Tools, caller: Caller, new: NewPin, *, now: datetime) -> AppPin | None:
    """The PIN that may be replaced, None where there is none. Raises PhoneRefused."""
    before = app_pins.find_pin(db, caller.person.id)
    if before and new.current:
        return unlocking.check_pin(db, tools, caller, new.current, now=now)
    # The first one, or forgotten: whoever has just signed in to this app has proved himself by more than
    # the PIN does. An old sign-in would make a second proof out of a token.
    if now - caller.session.auth_time > tools.settings.seconds("fresh_proof"):
        raise PhoneRefused(refusals.CURRENT_NEEDED if before else refusals.SIGN_IN_NOT_YOUNG)
    return before
