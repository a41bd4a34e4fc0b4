"""Deciding whether somebody is who he claims to be.

The order matters: the captcha is spent, the try is counted, then the password is looked at with no
database connection in hand, and only a right password hears why it still does not open.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.orm import Session

from idp.access import assurance
from idp.accounts.audit import Action, Event, Origin, Trail
from idp.accounts.directory import live_mandates
from idp.accounts.identity import Identity, Role
from idp.accounts.models import Credential, Mandate
from idp.accounts.passwords import PasswordHasher, PasswordRefused, check_new_password
from idp.accounts.sessions import Proof, SignedIn
from idp.adapters.ephemeral import EphemeralStore
from idp.config import Settings
from idp.crypto import Vault, new_token, same
from idp.db import pause
from idp.login.again import is_same
from idp.login.candidates import Candidate, Finder, StoredPassword, of_mandate
from idp.proof import throttle

FIRST_USE_LIFE = 600
"""Seconds somebody has to choose the new password after giving the first one."""


class WrongPassword(Exception):
    """No such account, or another password: the two are never told apart."""


class NotAllowedIn(Exception):
    """The password was right, but the account, company or mandate does not open now; the message says why."""


class AnotherIdentity(Exception):
    """The password was right, but somebody else is asked to prove himself again in this browser."""


class FirstUse(Exception):
    """The company set this password: a new one comes first. Carries the ticket for that step."""

    def __init__(self, ticket: str) -> None:
        super().__init__("a new password is needed")
        self.ticket = ticket


class TicketGone(Exception):
    """The step was already done, waited too long, or belongs to another browser."""


@dataclass(frozen=True, slots=True)
class Tools:
    """What signing in works with."""

    settings: Settings
    store: EphemeralStore
    vault: Vault
    hasher: PasswordHasher
    trail: Trail


@dataclass(frozen=True, slots=True)
class Browser:
    """The browser as far as throttling and tickets care; `only_same` is who alone may sign in in it now."""

    id: str
    known_id: str
    known_tags: tuple[str, ...]
    origin: Origin
    only_same: Identity | None = None


@dataclass(frozen=True, slots=True)
class Welcome:
    """Somebody proved who he is."""

    identity: Identity
    proof: Proof
    browser_tag: str


def check_password(
    db: Session, tools: Tools, find: Finder, password: str, browser: Browser, *, now: datetime
) -> Welcome:
    """Welcome whoever `find` means if `password` is his.

    Raises WrongPassword, NotAllowedIn, AnotherIdentity, FirstUse, idp.proof.throttle.Throttled,
    idp.accounts.passwords.TooBusy, idp.login.candidates.PendingActivation.
    """
    candidate = find(db, tools.vault, now)
    attempt = throttle.Try(
        account=candidate.key,
        known_browser=browser.known_id if candidate.browser_tag in browser.known_tags else None,
        address=browser.origin.address,
    )
    tools.hasher.expect_room()
    at_home = throttle.admit(tools.store, tools.settings, attempt, now=now)
    stored = candidate.credential.password_hash if candidate.credential else None
    pause(db)
    verdict = tools.hasher.verify(stored, password)
    if not verdict.right:
        throttle.failed(tools.store, attempt)
        _refuse(db, tools, candidate, browser, "password", now=now)
        raise WrongPassword
    throttle.succeeded(tools.store, attempt, at_home=at_home)
    candidate = _read_again(db, find, tools, now=now)
    if candidate.credential is None or candidate.credential.password_hash != stored:
        raise WrongPassword
    if verdict.rehashed:
        _replace(db, candidate.credential, replace(candidate.credential, password_hash=verdict.rehashed))
    return _welcome(db, tools, candidate, browser, now=now)


def choose_first_password(
    db: Session, tools: Tools, ticket: str, password: str, browser: Browser, *, now: datetime
) -> Welcome:
    """Set the operator's own password and welcome him. The ticket is spent by the one who succeeds.

    Raises TicketGone, NotAllowedIn, idp.accounts.passwords.PasswordRefused, TooBusy.
    """
    candidate, credential = _ticket_holder(db, tools, tools.store.get(_kept_at(ticket)), browser, now=now)
    check_new_password(password, settings=tools.settings, about=candidate.about)
    given_out = credential.password_hash
    pause(db)
    if tools.hasher.verify(given_out, password).right:
        raise PasswordRefused("新密码不能与单位设置的密码相同")
    fresh = tools.hasher.hash(password)
    db.expire_all()
    candidate, credential = _ticket_holder(db, tools, tools.store.take(_kept_at(ticket)), browser, now=now)
    changed = replace(credential, password_hash=fresh, must_change=False, changed_at=now)
    if not _replace(db, credential, changed):
        raise TicketGone
    candidate = replace(candidate, credential=changed)
    tools.trail.record(db, Event(Action.PASSWORD_CHANGED, target=candidate.key), browser.origin, now=now)
    return _welcome(db, tools, candidate, browser, now=now)


def find_first_use(db: Session, tools: Tools, ticket: str, browser: Browser, *, now: datetime) -> Candidate:
    """Whose first password this step is about. Raises TicketGone, NotAllowedIn."""
    return _ticket_holder(db, tools, tools.store.get(_kept_at(ticket)), browser, now=now)[0]


def mandates_to_choose(db: Session, signed_in: SignedIn, *, now: datetime) -> list[Mandate]:
    """The mandates a person signed in as himself may go on with; none for any other sign-in.

    A session opened with a company's or a mandate's password never becomes another identity.
    """
    if signed_in.identity.role is not Role.NATURAL_PERSON:
        return []
    return live_mandates(db, signed_in.person.id, now=now)


def switch_to(mandate: Mandate, signed_in: SignedIn) -> tuple[Identity, Proof]:
    """The identity of acting under `mandate`, on the proof the person gave as himself."""
    session = signed_in.session
    identity = Identity(signed_in.person.id, Role.OPERATOR, mandate.enterprise_id, mandate.id)
    return identity, Proof(tuple(session.amr.split()), session.acr, session.auth_time, session.account_key)


def _read_again(db: Session, find: Finder, tools: Tools, *, now: datetime) -> Candidate:
    # The hash took its time, and the session would hand out what it loaded before it.
    db.expire_all()
    return find(db, tools.vault, now)


def _welcome(db: Session, tools: Tools, candidate: Candidate, browser: Browser, *, now: datetime) -> Welcome:
    if candidate.obstacle or candidate.identity is None or candidate.credential is None:
        _refuse(db, tools, candidate, browser, "not allowed", now=now)
        raise NotAllowedIn(candidate.obstacle)
    if browser.only_same and not is_same(browser.only_same, candidate.identity):
        _refuse(db, tools, candidate, browser, "another identity", now=now)
        raise AnotherIdentity
    if candidate.credential.must_change:
        raise FirstUse(_first_use_ticket(tools, candidate, browser))
    event = Event(
        Action.SIGNED_IN,
        entity=str(candidate.identity.enterprise_id or ""),
        target=candidate.key,
        detail={"role": candidate.identity.role.value, "amr": ["pwd"]},
    )
    origin = Origin(
        f"person:{candidate.identity.person_id}",
        browser.origin.address,
        browser.origin.device,
        browser.origin.request_id,
    )
    tools.trail.record(db, event, origin, now=now)
    proof = Proof(("pwd",), assurance.PASSWORD, now, candidate.key)
    return Welcome(candidate.identity, proof, candidate.browser_tag)


def _refuse(
    db: Session, tools: Tools, candidate: Candidate, browser: Browser, why: str, *, now: datetime
) -> None:
    target = candidate.key if candidate.identity else "nobody"
    event = Event(Action.SIGN_IN_REFUSED, target=target, detail={"why": why})
    tools.trail.record(db, event, browser.origin, now=now)


def _replace(db: Session, old: StoredPassword, new: StoredPassword) -> bool:
    """Put `new` in the place of exactly `old`; False if somebody else changed the password meanwhile."""
    replaced = db.execute(
        update(Credential)
        .where(Credential.id == old.id, Credential.password_hash == old.password_hash)
        .values(password_hash=new.password_hash, must_change=new.must_change, changed_at=new.changed_at)
        .execution_options(synchronize_session=False)
    )
    return bool(replaced.rowcount)  # type: ignore[attr-defined]  # an UPDATE's result has it


def _first_use_ticket(tools: Tools, candidate: Candidate, browser: Browser) -> str:
    ticket = new_token(16)
    mandate = candidate.identity.mandate_id if candidate.identity else None
    # The browser tag names the password: one that the company sets anew ends the step of the old one.
    kept = {"mandate": str(mandate), "browser": browser.id, "password": candidate.browser_tag}
    tools.store.put(_kept_at(ticket), json.dumps(kept).encode(), ttl=FIRST_USE_LIFE)
    return ticket


def _kept_at(ticket: str) -> str:
    return f"first-use:{ticket[:64]}"


def _ticket_holder(
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
