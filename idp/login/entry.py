"""What every way of signing in ends with: whether the one who proved himself may come in, and its records."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from idp.access.retention import KEEP_SESSIONS
from idp.accounts.audit import Action, Event, Origin, Trail, first_id_at
from idp.accounts.identity import Identity
from idp.accounts.models import Credential
from idp.accounts.notices import Kind as NoticeKind
from idp.accounts.notices import Notifier, Told
from idp.accounts.passwords import PasswordHasher
from idp.accounts.sessions import Device, Proof
from idp.adapters.ephemeral import EphemeralStore
from idp.config import Settings
from idp.crypto import Vault
from idp.db import begin_write
from idp.login.again import is_same
from idp.login.candidates import Candidate, StoredPassword


class NotAllowedIn(Exception):
    """The proof was right, but the account, company or mandate does not open now; the message says why."""


class AnotherIdentity(Exception):
    """The proof was right, but somebody else is asked to prove himself again in this browser."""


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
    notifier: Notifier


@dataclass(frozen=True, slots=True)
class Browser:
    """The browser as far as throttling and tickets care; `only_same` is who alone may sign in in it now."""

    id: str
    known_id: str
    known_tags: tuple[str, ...]
    origin: Origin
    only_same: Identity | None = None

    @property
    def device(self) -> Device:
        """As a notice names it."""
        return Device(self.origin.device, self.origin.address, self.known_id)

    def known_to(self, candidate: Candidate) -> str | None:
        """The id by which `candidate` knows it: None before his first sign-in here, and once he forgot it."""
        return self.known_id if candidate.knows(self.known_id, self.known_tags) else None


@dataclass(frozen=True, slots=True)
class Welcome:
    """Somebody proved who he is."""

    identity: Identity
    proof: Proof
    browser_tag: str


def check_may_enter(
    db: Session, tools: Tools, candidate: Candidate, browser: Browser, *, now: datetime
) -> StoredPassword:
    """The credential of `candidate`, if he may come in here now. Raises NotAllowedIn, AnotherIdentity."""
    if candidate.obstacle or candidate.identity is None or candidate.credential is None:
        refuse(db, tools, candidate.key, browser, "not allowed", now=now)
        raise NotAllowedIn(candidate.obstacle or "这个账号现在不能登录。请拨打服务热线了解原因。")
    if browser.only_same and not is_same(browser.only_same, candidate.identity):
        refuse(db, tools, candidate.key, browser, "another identity", now=now)
        raise AnotherIdentity
    return candidate.credential


def welcome(
    db: Session,
    tools: Tools,
    candidate: Candidate,
    browser: Browser,
    *,
    amr: tuple[str, ...],
    acr: str,
    asked_in: str = "",
    now: datetime,
) -> Welcome:
    """Let in whoever :func:`check_may_enter` let pass: an audit line, and a notice from a new browser.

    `asked_in` is the id of the request that asked for the second step, if there was one.
    """
    identity = candidate.identity
    if identity is None:
        raise NotAllowedIn
    event = Event(
        Action.SIGNED_IN,
        entity=str(identity.enterprise_id or ""),
        target=candidate.key,
        detail={"role": identity.role.value, "amr": list(amr)} | ({"asked_in": asked_in} if asked_in else {}),
    )
    actor = replace(browser.origin, actor=f"person:{identity.person_id}")
    tools.trail.record(db, event, actor, now=now)
    if browser.known_to(candidate) is None:
        _get_to_know(db, tools, candidate, browser, now=now)
    credential = candidate.credential
    rests_on = (credential.id, credential.changed_at) if credential else None
    return Welcome(identity, Proof(amr, acr, now, candidate.key, rests_on), candidate.browser_tag)


def refuse(
    db: Session,
    tools: Tools,
    account: str,
    browser: Browser,
    why: str,
    *,
    action: Action = Action.SIGN_IN_REFUSED,
    after: str = "",
    now: datetime,
) -> None:
    """Write down that a proof of `account` (a key) was refused; `after` (an `amr` value) was right before."""
    detail = {"why": why, "after": after} if after else {"why": why}
    # The name somebody tried at random is nobody's, and so is its digest.
    target = "nobody" if account.startswith("nobody:") else account
    tools.trail.record(db, Event(action, target=target, detail=detail), browser.origin, now=now)


def _get_to_know(db: Session, tools: Tools, candidate: Candidate, browser: Browser, *, now: datetime) -> None:
    """Tell whoever has signed in before of a new browser; one that was forgotten is known again."""
    if _may_have_signed_in(candidate.credential, now=now):
        told = Told(NoticeKind.NEW_BROWSER, device=browser.device)
        tools.notifier.tell(db, candidate.key, told, now=now)
    if candidate.credential and candidate.is_forgotten(browser.known_id):
        _remember(db, candidate.credential, browser.known_id)


def _may_have_signed_in(credential: StoredPassword | None, *, now: datetime) -> bool:
    """Whether a sign-in is known, or the account is older than any that still would be."""
    if credential is None:
        return False
    return credential.has_signed_in or credential.id < first_id_at(now - KEEP_SESSIONS)


def _remember(db: Session, credential: StoredPassword, browser: str) -> None:
    begin_write(db)
    mine = Credential.id == credential.id
    forgotten = db.scalar(select(Credential.forgotten_browsers).where(mine).with_for_update()) or []
    db.execute(
        update(Credential)
        .where(mine)
        .values(forgotten_browsers=[other for other in forgotten if other != browser])
        .execution_options(synchronize_session=False)
    )
