"""The first use of a mandate's password: the company that set it knows it, so a new one comes first."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from idp.accounts import credentials
from idp.accounts.audit import Action, Event
from idp.accounts.notices import Kind as NoticeKind
from idp.accounts.notices import Told
from idp.accounts.passwords import PasswordRefused, check_new_password
from idp.crypto import new_token, same
from idp.db import pause
from idp.login import second
from idp.login.candidates import Candidate, StoredPassword, of_mandate
from idp.login.entry import Browser, NotAllowedIn, TicketGone, Tools, Welcome, check_may_enter

FIRST_USE_LIFE = 600
"""Seconds somebody has to choose the new password after giving the first one."""


class FirstUse(Exception):
    """The company set this password: a new one comes first. Carries the ticket for that step."""

    def __init__(self, ticket: str) -> None:
        super().__init__("a new password is needed")
        self.ticket = ticket


def ask(tools: Tools, candidate: Candidate, browser: Browser) -> FirstUse:
    """The refusal of a password that must be changed first, with a ticket of this browser."""
    ticket = new_token(16)
    mandate = candidate.identity.mandate_id if candidate.identity else None
    # The browser tag names the password: one that the company sets anew ends the step of the old one.
    kept = {"mandate": str(mandate), "browser": browser.id, "password": candidate.browser_tag}
    tools.store.put(_kept_at(ticket), json.dumps(kept).encode(), ttl=FIRST_USE_LIFE)
    return FirstUse(ticket)


def find(db: Session, tools: Tools, ticket: str, browser: Browser, *, now: datetime) -> Candidate:
    """Whose first password this step is about. Raises TicketGone, NotAllowedIn."""
    return _holder(db, tools, tools.store.get(_kept_at(ticket)), browser, now=now)[0]


def choose_password(
    db: Session, tools: Tools, ticket: str, password: str, browser: Browser, *, now: datetime
) -> Welcome:
    """Set the operator's own password and welcome him. The ticket is spent by the one who succeeds.

    Raises TicketGone, NotAllowedIn, AnotherIdentity, idp.login.second.SecondStep,
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
    changed = replace(credential, password_hash=fresh, must_change=False, changed_at=now)
    if not put_in_place(db, credential, changed):
        raise TicketGone
    candidate = replace(candidate, credential=changed)
    tools.trail.record(db, Event(Action.PASSWORD_CHANGED, target=candidate.key), browser.origin, now=now)
    told = Told(NoticeKind.PASSWORD_CHANGED, device=browser.device)
    tools.notifier.tell(db, candidate.key, told, now=now)
    check_may_enter(db, tools, candidate, browser, now=now)
    return second.after_password(db, tools, candidate, browser, now=now)


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
