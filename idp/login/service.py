"""Deciding whether somebody is who he claims to be, by his password.

The order matters: the captcha is spent, the try is counted, then the password is looked at with no
database connection in hand, and only a right password hears why it still does not open.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from sqlalchemy.orm import Session

from idp.accounts import credentials
from idp.accounts.audit import Action
from idp.accounts.directory import live_mandates
from idp.accounts.identity import Identity, Role
from idp.accounts.models import Mandate
from idp.accounts.sessions import Proof, SignedIn
from idp.login import first_use, second
from idp.login.candidates import Candidate, Finder
from idp.login.entry import Browser, Tools, Welcome, check_may_enter, refuse
from idp.proof import password as password_proof
from idp.proof import throttle
from idp.proof.throttle import Throttled


class WrongPassword(Exception):
    """No such account, or another password: the two are never told apart."""


def check_password(
    db: Session, tools: Tools, find: Finder, password: str, browser: Browser, *, now: datetime
) -> Welcome:
    """Welcome whoever `find` means if `password` is his, and is all that his account asks for.

    Raises WrongPassword, idp.login.entry.NotAllowedIn, AnotherIdentity, idp.login.first_use.FirstUse,
    idp.login.second.SecondStep, idp.proof.throttle.Throttled, idp.accounts.passwords.TooBusy,
    idp.login.candidates.PendingActivation.
    """
    candidate = prove_password(db, tools, find, password, browser, refused_as=Action.SIGN_IN_REFUSED, now=now)
    if check_may_enter(db, tools, candidate, browser, now=now).must_change:
        raise first_use.ask(tools, candidate, browser)
    return second.after_password(db, tools, candidate, browser, now=now)


def prove_password(
    db: Session,
    tools: Tools,
    find: Finder,
    password: str,
    browser: Browser,
    *,
    refused_as: Action,
    now: datetime,
) -> Candidate:
    """Whom `find` means, read again after `password` proved to be his; an obstacle may still be there.

    A refusal is written down as `refused_as`. Raises WrongPassword, Throttled, TooBusy, PendingActivation.
    """
    candidate = find(db, tools.vault, now)
    attempt = throttle.Try(
        account=candidate.key, known_browser=browser.known_to(candidate), address=browser.origin.address
    )
    stored = candidate.credential.password_hash if candidate.credential else None
    try:
        verdict = password_proof.check(
            db, tools.store, tools.settings, tools.hasher, attempt, password, stored=stored, now=now
        )
    except Throttled:
        refuse(db, tools, candidate.key, browser, "throttled", action=refused_as, now=now)
        raise
    if not verdict.right:
        refuse(db, tools, candidate.key, browser, "password", action=refused_as, now=now)
        raise WrongPassword
    # The hash took its time, and the session would hand out what it loaded before it.
    db.expire_all()
    candidate = find(db, tools.vault, now)
    if candidate.credential is None or candidate.credential.password_hash != stored:
        raise WrongPassword
    if verdict.rehashed:
        renewed = replace(candidate.credential, password_hash=verdict.rehashed)
        first_use.put_in_place(db, candidate.credential, renewed)
    return candidate


def mandates_to_choose(db: Session, signed_in: SignedIn, *, now: datetime) -> list[Mandate]:
    """The mandates a person signed in as himself may go on with; none for any other sign-in.

    A session opened with a company's or a mandate's password never becomes another identity.
    """
    if signed_in.identity.role is not Role.NATURAL_PERSON:
        return []
    return live_mandates(db, signed_in.person.id, now=now)


def switch_to(db: Session, mandate: Mandate, signed_in: SignedIn) -> tuple[Identity, Proof]:
    """The identity of acting under `mandate`, on the proof the person gave as himself."""
    session = signed_in.session
    identity = Identity(signed_in.person.id, Role.OPERATOR, mandate.enterprise_id, mandate.id)
    credential = credentials.find(db, session.account_key)
    proof = Proof(
        tuple(session.amr.split()),
        session.acr,
        session.auth_time,
        session.account_key,
        rests_on=(credential.id, credential.changed_at) if credential else None,
        handed_on=True,
        opened_by=session.opened_by,
    )
    return identity, proof
