"""Reading what happened to an account, and forgetting a browser."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from idp.access import endings
from idp.accounts import browsers
from idp.accounts.audit import Action, Event, Origin, Trail
from idp.accounts.identifiers import mask_name
from idp.accounts.identity import Identity, Role
from idp.accounts.models import Enterprise, LoginName
from idp.accounts.sessions import SignedIn, SigninSession, live
from idp.accounts.whose_sign_ins import opened_with
from idp.crypto import Vault

PAGE = 20
"""Sign-ins on a page of the history."""


@dataclass(frozen=True, slots=True)
class Whose:
    """Whose sign-ins are read: those of an account (a key), with `only` those for this identity."""

    account: str
    only: Identity | None = None

    @property
    def sign_ins(self) -> ColumnElement[bool]:
        """Which they are."""
        return opened_with(self.account, self.only)


@dataclass(frozen=True, slots=True)
class SignIn:
    """One sign-in; `company` is the name of the one it acts for, or empty."""

    session: SigninSession
    company: str
    live: bool


@dataclass(frozen=True, slots=True)
class History:
    """A page of the sign-ins, newest first, of so many pages."""

    rows: Sequence[SignIn]
    total: int
    number: int
    pages: int


def history(db: Session, whose: Whose, *, number: int = 1, size: int = PAGE, now: datetime) -> History:
    """The sign-ins that can still be seen; a number past the last page gives the last one."""
    total = db.scalar(select(func.count()).select_from(SigninSession).where(whose.sign_ins)) or 0
    pages = max(1, -(-total // size))
    number = min(max(1, number), pages)
    query = (
        select(SigninSession, Enterprise.name)
        .outerjoin(Enterprise, Enterprise.id == SigninSession.enterprise_id)
        .where(whose.sign_ins)
        .order_by(SigninSession.created_at.desc(), SigninSession.id.desc())
        .offset((number - 1) * size)
        .limit(size)
    )
    found = db.execute(query).all()
    alive = _alive(db, [session.id for session, _ in found], now=now)
    rows = [SignIn(session, company or "", session.id in alive) for session, company in found]
    return History(rows, total, number, pages)


def find_live(db: Session, whose: Whose, session_id: UUID, *, now: datetime) -> SigninSession | None:
    """The live sign-in with this id if it is one of those that are shown."""
    query = live(now).with_only_columns(SigninSession).where(SigninSession.id == session_id, whose.sign_ins)
    return db.scalars(query).first()


def forget_browser(
    db: Session, vault: Vault, trail: Trail, account: str, key: str, origin: Origin, *, now: datetime
) -> bool:
    """Know a browser no longer, and end what is open in it; False if the account never knew it."""
    if not browsers.forget(db, account, key, now=now):
        return False
    for session_id in browsers.open_in(db, account, key):
        endings.end_session(db, vault, session_id, reason="browser_forgotten", now=now)
    trail.record(db, Event(Action.BROWSER_FORGOTTEN, target=account), origin, now=now)
    return True


def label(db: Session, vault: Vault, signed_in: SignedIn) -> str:
    """What an authenticator files the account under: told apart from others on one device, no name in full.

    Several operators of a company may share a computer; one human may have an account for each company.
    """
    identity, company = signed_in.identity, signed_in.enterprise
    if identity.role is Role.LEGAL_REPRESENTATIVE and company:
        return company.name
    masked = mask_name(signed_in.person.name(vault))
    if identity.role is Role.OPERATOR and company:
        return f"经办人 {masked} · {company.name}"
    mine = LoginName.person_id == identity.person_id
    return db.scalar(select(LoginName.name).where(mine)) or masked


def username(db: Session, signed_in: SignedIn) -> str:
    """By what a password manager finds the account: a name that is typed, never a phone or ID number."""
    identity = signed_in.identity
    if identity.role is Role.OPERATOR:
        return signed_in.enterprise.uscc if signed_in.enterprise else ""
    column, owner = LoginName.person_id, identity.person_id
    if identity.legal_account_id:
        column, owner = LoginName.legal_account_id, identity.legal_account_id
    return db.scalar(select(LoginName.name).where(column == owner)) or ""


def _alive(db: Session, ids: Sequence[UUID], *, now: datetime) -> set[UUID]:
    query = live(now).with_only_columns(SigninSession.id).where(SigninSession.id.in_(ids))
    return set(db.scalars(query))
