"""Which sign-ins are whose: those that speak for somebody, that his secrets opened, that he may end."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, and_, or_
from sqlalchemy.orm import Session

from idp.accounts.identity import Identity, Role, account_of
from idp.accounts.models import Enterprise, Person
from idp.accounts.sessions import SigninSession, live


def speaking_for(account: Person | Enterprise) -> ColumnElement[bool]:
    """Which sign-ins speak for this person, in any capacity, or for this company, whoever acts for it."""
    column = SigninSession.person_id if isinstance(account, Person) else SigninSession.enterprise_id
    return column == account.id


def opened_with(account: str, only: Identity | None = None) -> ColumnElement[bool]:
    """Which sign-ins the secrets of `account` (a key) opened; with `only`, those for this identity."""
    kind, _, account_id = account.partition(":")
    own = {
        "person": and_(
            SigninSession.person_id == UUID(account_id), SigninSession.role == Role.NATURAL_PERSON.value
        ),
        "legal": SigninSession.legal_account_id == UUID(account_id),
        "mandate": SigninSession.mandate_id == UUID(account_id),
    }[kind]
    # A sign-in of the version before does not say whose secrets opened it.
    which = or_(SigninSession.account == account, and_(SigninSession.account == "", own))
    if only is None:
        return which
    return and_(
        which,
        SigninSession.person_id == only.person_id,
        SigninSession.role == only.role.value,
        SigninSession.enterprise_id == only.enterprise_id,
    )


def seen_from(session: SigninSession) -> ColumnElement[bool]:
    """Which sign-ins its owner may see and end from this one: those the same secrets opened.

    Of somebody who went on from his own account to a mandate, those for it.
    """
    account = session.account_key
    return opened_with(account, None if account == account_of(session.identity) else session.identity)


def list_live(
    db: Session, which: ColumnElement[bool], *, now: datetime
) -> Sequence[tuple[SigninSession, str | None]]:
    """The live ones of these sign-ins, newest first, each with the name of the company it acts for."""
    mine = live(now).with_only_columns(SigninSession, Enterprise.name).where(which)
    newest = mine.order_by(SigninSession.created_at.desc()).limit(200)
    return [(row, company) for row, company in db.execute(newest)]
