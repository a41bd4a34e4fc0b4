"""The second step: a right password of an account with a second factor opens nothing by itself.

It is exchanged for a ticket of this browser, which waits a few minutes, allows a few tries, and is
taken by the one who succeeds. Until then nobody is signed in, and the browser is not known. That it was
asked for is written down, and told where the browser is new: somebody knows the password.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from idp.access import assurance
from idp.accounts.audit import Action, Event
from idp.accounts.factors import Kind, kinds_of
from idp.accounts.identity import Identity, Role
from idp.accounts.notices import Kind as NoticeKind
from idp.accounts.notices import Told
from idp.crypto import new_token, same
from idp.login import factor_proof
from idp.login.candidates import Candidate, of_account
from idp.login.entry import (
    Browser,
    TicketGone,
    Tools,
    Welcome,
    check_may_enter,
    welcome,
)
from idp.login.factor_proof import Given

TRIES = 5
"""What one right password allows; all tries of an account together are throttled beside it."""
_PASSWORD = ("pwd",)


class SecondStep(Exception):
    """The password was right, and a second factor comes next. Carries the ticket for that step."""

    def __init__(self, ticket: str) -> None:
        super().__init__("a second factor is needed")
        self.ticket = ticket


@dataclass(frozen=True, slots=True)
class _Waiting:
    """What a ticket stands for: whose password was right, which password it was, and in which browser."""

    account: str
    browser: str
    password: str
    only_same: Identity | None
    asked_in: str
    proved: tuple[str, ...] = _PASSWORD


def after_password(
    db: Session,
    tools: Tools,
    candidate: Candidate,
    browser: Browser,
    *,
    proved: tuple[str, ...] = _PASSWORD,
    now: datetime,
) -> Welcome:
    """Welcome `candidate`, who gave his password and may enter. Raises SecondStep if he has a factor.

    `proved` is what he gave (`amr` values): with the code of a phone he is not asked for another one.
    """
    by_phone = factor_proof.SMS in proved
    if candidate.has_factor and not (by_phone and Kind.SMS in kinds_of(db, candidate.key)):
        _note_asked(db, tools, candidate, browser, now=now)
        raise SecondStep(_ticket(tools, candidate, browser, proved))
    acr = assurance.SECOND_PROOF if by_phone else assurance.PASSWORD
    return welcome(db, tools, candidate, browser, amr=proved, acr=acr, now=now)


def find(db: Session, tools: Tools, ticket: str, browser: Browser, *, now: datetime) -> Candidate:
    """Whose second step this is. Raises TicketGone, NotAllowedIn, AnotherIdentity."""
    return _holder(db, tools, tools.store.get(_kept_at(ticket)), browser, now=now)[0]


def finish(
    db: Session, tools: Tools, ticket: str, given: Given, browser: Browser, *, now: datetime
) -> Welcome:
    """Welcome whoever proves a factor of the account the ticket waits for.

    Raises TicketGone, NotAllowedIn, AnotherIdentity, idp.proof.second_factor.CodeRefused,
    idp.proof.sms_codes.CodeRefused, idp.proof.passkeys.PasskeyRefused, idp.proof.throttle.Throttled.
    """
    candidate = find(db, tools, ticket, browser, now=now)
    tries = tools.store.increment(f"second-tries:{ticket[:64]}", ttl=tools.settings.second_step_lifetime)
    if tries > TRIES:
        tools.store.delete(_kept_at(ticket))
        raise TicketGone
    refused_as, (password,) = Action.SIGN_IN_REFUSED, _PASSWORD
    amr = factor_proof.prove(
        db, tools, candidate, given, browser, refused_as=refused_as, after=password, now=now
    )
    db.expire_all()
    candidate, waiting = _holder(db, tools, tools.store.take(_kept_at(ticket)), browser, now=now)
    return welcome(
        db,
        tools,
        candidate,
        browser,
        amr=tuple(dict.fromkeys((*waiting.proved, amr))),
        acr=assurance.SECOND_PROOF,
        asked_in=waiting.asked_in,
        now=now,
    )


def _note_asked(db: Session, tools: Tools, candidate: Candidate, browser: Browser, *, now: datetime) -> None:
    event = Event(Action.SECOND_STEP_ASKED, target=candidate.key)
    tools.trail.record(db, event, browser.origin, now=now)
    if browser.known_to(candidate) is None:
        told = Told(NoticeKind.SECOND_STEP_ASKED, device=browser.device)
        tools.notifier.tell(db, candidate.key, told, now=now)


def _ticket(tools: Tools, candidate: Candidate, browser: Browser, proved: tuple[str, ...]) -> str:
    ticket = new_token(16)
    # The browser tag names the password: one that is set anew ends the step of the old one.
    waiting = _Waiting(
        candidate.key, browser.id, candidate.browser_tag, browser.only_same, browser.origin.request_id, proved
    )
    kept = json.dumps(asdict(waiting), default=str).encode()
    tools.store.put(_kept_at(ticket), kept, ttl=tools.settings.second_step_lifetime)
    return ticket


def _kept_at(ticket: str) -> str:
    return f"second-step:{ticket[:64]}"


def _holder(
    db: Session, tools: Tools, kept: bytes | None, browser: Browser, *, now: datetime
) -> tuple[Candidate, _Waiting]:
    """Who waits, and what he waits with. Raises TicketGone, NotAllowedIn, AnotherIdentity."""
    waiting = _read(kept) if kept else None
    if waiting is None or not same(waiting.browser, browser.id):
        raise TicketGone
    candidate = of_account(waiting.account)(db, tools.vault, now)
    # A lock sets the password's day anew: whoever reported it himself hears that, not that he was too slow.
    is_over = candidate.browser_tag != waiting.password or not candidate.has_factor
    if is_over and not candidate.obstacle:
        raise TicketGone
    for only_same in {waiting.only_same, browser.only_same}:
        check_may_enter(db, tools, candidate, replace(browser, only_same=only_same), now=now)
    return candidate, waiting


def _read(kept: bytes) -> _Waiting:
    record = json.loads(kept)
    identity, proved = _identity(record["only_same"]), tuple(record.get("proved", _PASSWORD))
    return _Waiting(**{**record, "only_same": identity, "proved": proved})


def _identity(record: dict[str, Any] | None) -> Identity | None:
    if record is None:
        return None
    ids = {name: value and UUID(value) for name, value in record.items() if name != "role"}
    return Identity(role=Role(record["role"]), **ids)
