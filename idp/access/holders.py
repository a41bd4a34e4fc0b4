"""Who holds a company's account, and by which phone: replaced with all that rested on it (SECURITY 64, 73).

Each change is made in the caller's transaction, under the lock of the account's row (:func:`hold`): notices
to the phone before, the change itself, the sign-ins it ends, its line in the trail.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from idp.access.ended_sessions import end_every
from idp.accounts import credentials, factors
from idp.accounts.audit import Action, Event, Origin, Trail
from idp.accounts.identity import Role
from idp.accounts.models import Credential, Enterprise, LegalAccount, Person
from idp.accounts.notices import Kind, Notifier, Told
from idp.accounts.sessions import SigninSession
from idp.accounts.whose_sign_ins import opened_with
from idp.crypto import Vault


@dataclass(frozen=True, slots=True)
class Tools:
    """What a change is written with, and from where it is made."""

    vault: Vault
    trail: Trail
    notifier: Notifier
    origin: Origin


@dataclass(frozen=True, slots=True)
class Held:
    """A company and its account, whose rows nobody else changes before the transaction ends."""

    company: Enterprise
    account: LegalAccount

    @property
    def key(self) -> str:
        """The account, as the trail and notices name it."""
        return f"legal:{self.account.id}"


def hold(db: Session, uscc: str) -> Held | None:
    """The company with this credit code, locked: its account first, as everywhere, then itself."""
    fresh = {"populate_existing": True}
    of_company = LegalAccount.enterprise_id == (
        select(Enterprise.id).where(Enterprise.uscc == uscc).scalar_subquery()
    )
    account = db.scalars(
        select(LegalAccount).where(of_company).with_for_update(), execution_options=fresh
    ).first()
    if account is None:
        return None
    company = db.scalars(
        select(Enterprise).where(Enterprise.id == account.enterprise_id).with_for_update(),
        execution_options=fresh,
    ).one()
    return Held(company, account)


def hold_people(db: Session, *ids: UUID) -> None:
    """Lock these people, in the order of all who lock several.

    No key of theirs is changed: an import that adds a company of one of them need not wait, nor this for it.
    """
    these = select(Person.id).where(Person.id.in_(ids)).order_by(Person.id)
    db.execute(these.with_for_update(key_share=True))


def hold_password(db: Session, held: Held) -> Credential | None:
    """The account's credential as it is now, locked; None where no password was ever set."""
    mine = select(Credential).where(credentials.owned_by(held.key)).with_for_update()
    return db.scalars(mine, execution_options={"populate_existing": True}).first()


def remove_factors(db: Session, tools: Tools, held: Held, *, now: datetime) -> None:
    """Take every second factor and recovery code from the account; its phone hears of what it had."""
    went = factors.remove_all(db, held.key)
    if not went:
        return
    event = Event(Action.FACTOR_REMOVED, target=held.key, detail={"kind": "all", "factors": went})
    tools.trail.record(db, event, tools.origin, now=now)
    tools.notifier.tell(db, held.key, Told(Kind.FACTOR_REMOVED, "全部第二步验证和恢复码"), now=now)


def replace_phone(db: Session, tools: Tools, held: Held, phone: str, *, now: datetime) -> None:
    """Put `phone` in the place of the reserved one, which hears of it first and may say 不是我.

    Where there is none, as after a 不是我, whoever represents the company hears it by his own phone.
    What was sent to the old phone or set up with it opens nothing more: every second factor goes.
    """
    remove_factors(db, tools, held, now=now)
    if held.account.phone_sealed is None:
        representative = db.get_one(Person, held.company.representative_id)
        _tell_by_own_phone(db, tools, held, representative, Kind.PHONE_CHANGED, now=now)
    else:
        tools.notifier.tell(db, held.key, Told(Kind.PHONE_CHANGED), now=now)
    held.account.set_phone(tools.vault, phone)
    db.flush()
    _record(db, tools, Action.PHONE_CHANGED, held, held.key, now=now)


def replace_representative(db: Session, tools: Tools, held: Held, person: Person, *, now: datetime) -> None:
    """Let `person` represent the company; whoever did loses what he could do for it at once (SECURITY 64).

    Operators keep their mandates. The reserved phone of this moment is told, and who is replaced if he is
    known here by another one: he may stop it.
    """
    remove_factors(db, tools, held, now=now)
    before = held.company.representative_id
    tools.notifier.tell(db, held.key, Told(Kind.REPRESENTATIVE_CHANGED), now=now)
    _tell_by_own_phone(db, tools, held, db.get_one(Person, before), Kind.REPRESENTATIVE_REPLACED, now=now)
    held.company.representative_id = person.id
    db.flush()
    # Whatever opened them: the company's password, his own, his phone.
    legal = and_(
        SigninSession.enterprise_id == held.company.id,
        SigninSession.role == Role.LEGAL_REPRESENTATIVE.value,
    )
    end_every(db, tools.vault, legal, reason="representative_changed", now=now)
    detail = {
        side: {"representative": f"person:{who}"} for side, who in (("before", before), ("after", person.id))
    }
    _record(db, tools, Action.REPRESENTATIVE_CHANGED, held, f"enterprise:{held.company.id}", detail, now=now)


def tell_named(db: Session, tools: Tools, held: Held, person: Person, *, now: datetime) -> None:
    """Tell who represents the company now, by his own phone if that is another: he may stop it."""
    _tell_by_own_phone(db, tools, held, person, Kind.REPRESENTATIVE_NAMED, now=now)


def correct_name(db: Session, tools: Tools, person: Person, name: str, *, now: datetime) -> None:
    """Call a person, who is known by his document, by another name."""
    person.set_name(tools.vault, name)
    db.flush()
    corrected = Event(Action.NAME_CORRECTED, target=f"person:{person.id}")
    tools.trail.record(db, corrected, tools.origin, now=now)


def rename_company(db: Session, tools: Tools, held: Held, name: str, *, now: datetime) -> None:
    """Call a company by another name, which is public registry data."""
    detail = {"before": {"name": held.company.name}, "after": {"name": name}}
    held.company.name = name
    db.flush()
    _record(db, tools, Action.COMPANY_RENAMED, held, f"enterprise:{held.company.id}", detail, now=now)


def close(db: Session, tools: Tools, held: Held, *, reason: str, now: datetime) -> None:
    """Let the account open to nobody until its password is set anew: locked, and the old one is no more.

    Whoever lifts the lock does not revive it. Every sign-in that its secrets opened ends.
    """
    credential = hold_password(db, held)
    if credential:
        credential.password_hash = credentials.unknowable(credential.password_hash)
        credential.locked_at = credential.changed_at = now
        # Written before the sign-ins end: one that is being opened meanwhile waits for it, and does not open.
        db.flush()
    secrets = or_(opened_with(held.key), SigninSession.legal_account_id == held.account.id)
    end_every(db, tools.vault, secrets, reason=reason, now=now)


def dispute(
    db: Session, trail: Trail, account_id: UUID, origin: Origin, *, is_elsewhere: bool, now: datetime
) -> None:
    """Note under its lock that somebody said 不是我 of a company's account: what waits to open it waits.

    Where he reads another phone than the account has (`is_elsewhere`), the account has none afterwards:
    neither an activation nor a reset goes by it then, and what is left is a human who decides.
    """
    mine = select(LegalAccount).where(LegalAccount.id == account_id).with_for_update()
    account = db.scalars(mine, execution_options={"populate_existing": True}).one()
    if not is_elsewhere or account.phone_sealed is None:
        return
    account.phone_sealed = None
    db.flush()
    gone = Event(Action.PHONE_GIVEN_UP, entity=str(account.enterprise_id), target=f"legal:{account.id}")
    trail.record(db, gone, origin, now=now)


def _tell_by_own_phone(
    db: Session, tools: Tools, held: Held, person: Person, kind: Kind, *, now: datetime
) -> None:
    phone = person.phone(tools.vault)
    if phone and phone != held.account.phone(tools.vault):
        tools.notifier.tell(db, held.key, Told(kind), to=f"person:{person.id}", now=now)


def _record(
    db: Session,
    tools: Tools,
    action: Action,
    held: Held,
    target: str,
    detail: dict[str, Any] | None = None,
    *,
    now: datetime,
) -> None:
    event = Event(action, entity=str(held.company.id), target=target, detail=detail or {})
    tools.trail.record(db, event, tools.origin, now=now)
