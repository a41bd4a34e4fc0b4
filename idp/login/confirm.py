"""Somebody signed in proves once more that it is he: before a change, or because a portal wants more.

Proved is the account whose secrets opened the sign-in: its password where that is all it has, a second
factor where it has one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy.orm import Session

from idp.access import assurance
from idp.accounts.audit import Action, Event
from idp.accounts.factors import Kind, kinds_of
from idp.accounts.sessions import SignedIn
from idp.login import factor_proof, service
from idp.login.candidates import Candidate, of_account
from idp.login.entry import Browser, NotAllowedIn, Tools, refuse
from idp.login.factor_proof import Given

_LOCKED_OUT = "这个账号现在不能使用。请退出后重新登录，或拨打服务热线了解原因。"


@dataclass(frozen=True, slots=True)
class Confirmed:
    """By what he proved himself, and the level that reaches.

    `renews`: it is a fresh proof for a change of his security, too.
    """

    amr: tuple[str, ...]
    acr: str
    renews: bool = True


def by_password(
    db: Session, tools: Tools, signed_in: SignedIn, password: str, browser: Browser, *, now: datetime
) -> Confirmed:
    """Confirm by the password of the account; its tries are counted with those of the sign-in.

    Raises idp.login.service.WrongPassword, NotAllowedIn, Throttled, TooBusy.
    """
    find = of_account(signed_in.session.account_key)
    candidate = service.prove_password(
        db, tools, find, password, browser, refused_as=Action.PROOF_REFUSED, now=now
    )
    _check_open(db, tools, candidate, browser, now=now)
    return _confirmed(
        db, tools, candidate, signed_in, browser, Confirmed(("pwd",), assurance.PASSWORD), now=now
    )


def by_factor(
    db: Session,
    tools: Tools,
    signed_in: SignedIn,
    given: Given,
    browser: Browser,
    *,
    raising: bool = False,
    now: datetime,
) -> Confirmed:
    """Confirm by a second factor of the account; `raising` as for :func:`factor_proof.phone_for_codes`.

    A code to a phone whose owner never switched codes on contents a portal, and changes no security: with
    the phone alone somebody at a sign-in left open would put a factor of his own in the owner's way.

    Raises NotAllowedIn, idp.proof.second_factor.CodeRefused, idp.proof.sms_codes.CodeRefused,
    idp.proof.passkeys.PasskeyRefused, idp.proof.throttle.Throttled.
    """
    candidate = of_account(signed_in.session.account_key)(db, tools.vault, now)
    _check_open(db, tools, candidate, browser, now=now)
    refused_as = Action.PROOF_REFUSED
    amr = factor_proof.prove(
        db, tools, candidate, given, browser, refused_as=refused_as, raising=raising, now=now
    )
    by_own_factor = amr != factor_proof.SMS or Kind.SMS in kinds_of(db, candidate.key)
    proved = Confirmed((amr,), assurance.SECOND_PROOF, renews=by_own_factor)
    return _confirmed(db, tools, candidate, signed_in, browser, proved, now=now)


def _check_open(db: Session, tools: Tools, candidate: Candidate, browser: Browser, *, now: datetime) -> None:
    """Return if the account opens now. Raises NotAllowedIn."""
    if candidate.obstacle or candidate.credential is None or candidate.credential.must_change:
        refuse(db, tools, candidate.key, browser, "not allowed", action=Action.PROOF_REFUSED, now=now)
        raise NotAllowedIn(candidate.obstacle or _LOCKED_OUT)


def _confirmed(
    db: Session,
    tools: Tools,
    candidate: Candidate,
    signed_in: SignedIn,
    browser: Browser,
    confirmed: Confirmed,
    *,
    now: datetime,
) -> Confirmed:
    event = Event(
        Action.PROVED_AGAIN,
        entity=str(signed_in.identity.enterprise_id or ""),
        target=candidate.key,
        detail={"amr": list(confirmed.amr)},
    )
    actor = replace(browser.origin, actor=f"person:{signed_in.person.id}")
    tools.trail.record(db, event, actor, now=now)
    return confirmed
