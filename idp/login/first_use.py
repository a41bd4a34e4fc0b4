"""The first use of a mandate's password: the company that set it knows it, so a new one comes first.

It is set by whoever also reads what is sent to the operator's own phone: the password alone shows only that
somebody has it from the company. What was proved so stays with the ticket, so that a password which may not
be set costs no second message; a phone that becomes another one meanwhile is proved anew.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from idp.accounts import credentials
from idp.accounts.audit import Action, Event
from idp.accounts.notices import Kind as NoticeKind
from idp.accounts.notices import Told
from idp.accounts.passwords import PasswordRefused, check_new_password
from idp.accounts.phones import own_phone, phone_of_record
from idp.crypto import new_token, same
from idp.db import pause
from idp.login import second
from idp.login.candidates import Candidate, StoredPassword, of_mandate
from idp.login.entry import Browser, NotAllowedIn, TicketGone, Tools, Welcome, check_may_enter, refuse

FIRST_USE_LIFE = 600
"""Seconds somebody has to choose the new password after giving the first one."""


class FirstUse(Exception):
    """The company set this password: a new one comes first. Carries the ticket for that step."""

    def __init__(self, ticket: str) -> None:
        super().__init__("a new password is needed")
        self.ticket = ticket


@dataclass(frozen=True, slots=True)
class Step:
    """Whose first password it is, the phone its code goes to (None without one), whether that was proved."""

    candidate: Candidate
    phone: str | None
    is_proved: bool


def ask(tools: Tools, candidate: Candidate, browser: Browser) -> FirstUse:
    """The refusal of a password that must be changed first, with a ticket of this browser."""
    ticket = new_token(16)
    mandate = candidate.identity.mandate_id if candidate.identity else None
    # The browser tag names the password: one that the company sets anew ends the step of the old one.
    kept = {"mandate": str(mandate), "browser": browser.id, "password": candidate.browser_tag}
    tools.store.put(_kept_at(ticket), json.dumps(kept).encode(), ttl=FIRST_USE_LIFE)
    return FirstUse(ticket)


def find(db: Session, tools: Tools, ticket: str, browser: Browser, *, now: datetime) -> Step:
    """What this step is about. Raises TicketGone, NotAllowedIn."""
    candidate, _ = _holder(db, tools, tools.store.get(_kept_at(ticket)), browser, now=now)
    phone = phone_of_record(db, tools.vault, candidate.key)
    return Step(candidate, phone, phone is not None and _is_proved(tools, ticket, phone))


def note_proved(tools: Tools, ticket: str, phone: str) -> None:
    """Keep with the ticket that a code sent to `phone` was right; the code itself is spent."""
    tools.store.put(_proved_at(ticket), tools.vault.index(_INDEX, phone), ttl=FIRST_USE_LIFE)


def note_refused_code(db: Session, tools: Tools, step: Step, browser: Browser, *, now: datetime) -> None:
    """Write down that a wrong code was tried by somebody who has the password that the company set."""
    refuse(db, tools, step.candidate.key, browser, "sms_code", after="pwd", now=now)


def choose_password(
    db: Session, tools: Tools, ticket: str, password: str, browser: Browser, *, now: datetime
) -> Welcome:
    """Set the operator's own password and welcome him, once his phone was proved (:func:`note_proved`).

    The ticket is spent by the one who succeeds; without that proof, or with one of another phone, it is as
    if there were none. Raises TicketGone, NotAllowedIn, AnotherIdentity, idp.login.second.SecondStep,
    idp.accounts.passwords.PasswordRefused, TooBusy.
    """
    candidate, credential = _holder(db, tools, tools.store.get(_kept_at(ticket)), browser, now=now)
    check_new_password(password, settings=tools.settings, about=candidate.about)
    given_out = credential.password_hash
    pause(db)
    if tools.hasher.verify(given_out, password).right:
        raise PasswordRefused("新密码不能与单位设置的密码相同")
    fresh = tools.hasher.hash(password)
    db.expire_all()
    candidate, credential = _holder(db, tools, tools.store.take(_kept_at(ticket)), browser, now=now)
    proved = _proved_by(db, tools, ticket, candidate)
    changed = replace(credential, password_hash=fresh, must_change=False, changed_at=now)
    if not put_in_place(db, credential, changed):
        raise TicketGone
    candidate = replace(candidate, credential=changed)
    tools.trail.record(db, Event(Action.PASSWORD_CHANGED, target=candidate.key), browser.origin, now=now)
    told = Told(NoticeKind.PASSWORD_CHANGED, device=browser.device)
    tools.notifier.tell(db, candidate.key, told, now=now)
    check_may_enter(db, tools, candidate, browser, now=now)
    return second.after_password(db, tools, candidate, browser, proved=proved, now=now)


def put_in_place(db: Session, old: StoredPassword, new: StoredPassword) -> bool:
    """Put `new` in the place of exactly `old`; False if somebody else changed the password meanwhile."""
    return credentials.put_in_place(
        db,
        old.id,
        old.password_hash,
        new.password_hash,
        must_change=new.must_change,
        changed_at=new.changed_at,
    )


def _kept_at(ticket: str) -> str:
    return f"first-use:{ticket[:64]}"


_INDEX = "first_use_phone"


def _proved_at(ticket: str) -> str:
    return f"first-use-phone:{ticket[:64]}"


def _is_proved(tools: Tools, ticket: str, phone: str) -> bool:
    return tools.store.get(_proved_at(ticket)) in tools.vault.indexes(_INDEX, phone)


def _proved_by(db: Session, tools: Tools, ticket: str, candidate: Candidate) -> tuple[str, ...]:
    """What he proved (`amr` values), if the phone of record, as it is now, was proved for this ticket.

    The company's phone lets in, and is no proof of him. Raises TicketGone.
    """
    phone = phone_of_record(db, tools.vault, candidate.key)
    if phone is None or not _is_proved(tools, ticket, phone):
        raise TicketGone
    return ("pwd", "sms") if own_phone(db, tools.vault, candidate.key) else ("pwd",)


def _holder(
    db: Session, tools: Tools, kept: bytes | None, browser: Browser, *, now: datetime
) -> tuple[Candidate, StoredPassword]:
    record = json.loads(kept) if kept else None
    if record is None or not same(record["browser"], browser.id):
        raise TicketGone
    candidate = of_mandate(UUID(record["mandate"]))(db, tools.vault, now)
    credential = candidate.credential
    if credential is None or not credential.must_change or candidate.browser_tag != record["password"]:
        raise TicketGone
    if candidate.obstacle:
        raise NotAllowedIn(candidate.obstacle)
    return candidate, credential
