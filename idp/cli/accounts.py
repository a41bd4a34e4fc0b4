"""`idp account`: looking at accounts, suspending and resuming them, taking away their second factors."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any

import typer
from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from idp.access import endings
from idp.accounts import factors, locks
from idp.accounts.directory import find_enterprise, find_mandate, find_person
from idp.accounts.identifiers import mask_name, mask_phone
from idp.accounts.models import Enterprise, LoginName, Mandate, Person
from idp.accounts.notices import Kind, notifier_of
from idp.accounts.sessions import SigninSession, live
from idp.cli.desk import Desk, Json, Reason, Refused, check_reason, fields, opened, show
from idp.cli.people import masked
from idp.crypto import Vault

group = typer.Typer(help="Accounts of companies and people.")

Account = Enterprise | Person | Mandate


Name = Annotated[
    str, typer.Argument(metavar="NAME", help="An account name or a credit code; a person's phone or ID too.")
]
Operator = Annotated[
    str,
    typer.Option(metavar="PHONE|ID", help="The account of this operator of the company, not the company's."),
]


@group.command("show")
def show_account(name: Name, *, operator: Operator = "", as_json: Json = False) -> None:
    """Show an account, personal data masked."""
    with opened() as desk, desk.transaction() as db:
        told = _told(desk, db, _found(desk, db, name, operator))
    show(told, as_json=as_json, lines=_lines(told))


@group.command("suspend")
def suspend_account(name: Name, *, reason: Reason = "", as_json: Json = False) -> None:
    """Suspend a person, or a company with all who act for it; their sign-ins end at once."""
    with opened() as desk, desk.transaction() as db:
        account = _named(desk, db, name)
        check_reason(reason, about=_personal(desk, account))
        if account.suspended_at:
            raise Refused("The account is suspended already.")
        backends = desk.backends
        endings.suspend(db, backends.vault, backends.trail, account, desk.origin, reason=reason, now=desk.now)
        _tell(desk, db, account, Kind.ACCOUNT_SUSPENDED)
        db.flush()
        told = _told(desk, db, account)
    show(told, as_json=as_json, lines=["The account is suspended.", *_lines(told)])


@group.command("resume")
def resume_account(
    name: Name, *, operator: Operator = "", reason: Reason = "", as_json: Json = False
) -> None:
    """Lift a suspension, and the lock that its owner set by 不是我; what ended with them stays ended."""
    with opened() as desk, desk.transaction() as db:
        account = _found(desk, db, name, operator)
        check_reason(reason, about=_personal(desk, account))
        key, trail = endings.key_of(db, account), desk.backends.trail
        suspended = None if isinstance(account, Mandate) else account.suspended_at
        locked = locks.locked_since(db, key) if key else None
        if not suspended and not locked:
            raise Refused("The account is not suspended and not locked.")
        if isinstance(account, Mandate):
            endings.unlock(db, trail, key, desk.origin, reason=reason, now=desk.now)
        else:
            endings.resume(db, trail, account, desk.origin, reason=reason, now=desk.now)
        _tell(desk, db, account, Kind.ACCOUNT_RESUMED)
        db.flush()
        told = _told(desk, db, account)
    # Whoever made the owner say 不是我 may still know it.
    warning = ["It opens with the password it had when it was locked."] if locked else []
    show(told, as_json=as_json, lines=["The account is resumed.", *warning, *_lines(told)])


@group.command("reset-factors")
def reset_factors(name: Name, *, reason: Reason, operator: Operator = "", as_json: Json = False) -> None:
    """Take every second factor and recovery code from an account; its sign-ins end, its phone is told."""
    if not reason.strip():
        raise Refused("--reason says why, for the audit trail.")
    with opened() as desk, desk.transaction() as db:
        account = _found(desk, db, name, operator)
        check_reason(reason, about=_personal(desk, account))
        key, backends = endings.key_of(db, account), desk.backends
        if not key or not factors.kinds_of(db, key):
            raise Refused("The account has no second factor.")
        notifier = notifier_of(desk.settings, backends.vault, backends.store)
        endings.reset_factors(
            db, backends.vault, backends.trail, notifier, key, desk.origin, reason=reason, now=desk.now
        )
        db.flush()
        told = _told(desk, db, account)
    show(told, as_json=as_json, lines=["Its password opens the account alone now.", *_lines(told)])


def _tell(desk: Desk, db: Session, account: Account, kind: Kind) -> None:
    notifier = notifier_of(desk.settings, desk.backends.vault, desk.backends.store)
    endings.tell_owner(db, notifier, account, kind, now=desk.now)


def _found(desk: Desk, db: Session, name: str, operator: str) -> Account:
    """The account somebody means. Raises Refused."""
    account = _named(desk, db, name)
    if not operator:
        return account
    mandate = (
        find_mandate(db, desk.backends.vault, account, operator) if isinstance(account, Enterprise) else None
    )
    if mandate is None:
        raise Refused("No company has this name or credit code and an operator with this phone or ID number.")
    return mandate


def _named(desk: Desk, db: Session, name: str) -> Enterprise | Person:
    found = find_enterprise(db, name) or find_person(db, desk.backends.vault, name)
    if found is None:
        raise Refused("No account has this name, credit code, phone or ID number.")
    return found


def _personal(desk: Desk, account: Account) -> tuple[str | None, ...]:
    """What no reason may hold: name, phone and ID number of whom it is about."""
    vault = desk.backends.vault
    if isinstance(account, Enterprise):
        legal, person = account.account, account.representative
        return person.name(vault), person.phone(vault), legal.phone(vault) if legal else None
    if isinstance(account, Mandate):
        person = account.person
        return person.name(vault), person.phone(vault), person.id_number(vault), account.phone(vault)
    return account.name(vault), account.phone(vault), account.id_number(vault)


def _told(desk: Desk, db: Session, account: Account) -> dict[str, Any]:
    vault, key = desk.backends.vault, endings.key_of(db, account)
    locked = locks.locked_since(db, key) if key else None
    held = [factor.kind.value for factor in factors.list_factors(db, key)] if key else []
    return {
        **_facts(desk, db, account, vault),
        "locked_at": locked.isoformat() if locked else None,
        "factors": {kind: held.count(kind) for kind in sorted(set(held))},
    }


def _facts(desk: Desk, db: Session, account: Account, vault: Vault) -> dict[str, Any]:
    if isinstance(account, Mandate):
        return {"kind": "mandate", "id": str(account.id), **_granted(desk, db, account, vault)}
    suspended = account.suspended_at.isoformat() if account.suspended_at else None
    if isinstance(account, Person):
        own = {"kind": "person", "id": str(account.id), **masked(account, vault)}
        owner, acts = LoginName.person_id == account.id, SigninSession.person_id == account.id
        mandates = Mandate.person_id == account.id
    else:
        own = {"kind": "enterprise", "id": str(account.id), **_registered(account, vault)}
        legal = account.account
        owner = LoginName.legal_account_id == (legal.id if legal else None)
        acts, mandates = SigninSession.enterprise_id == account.id, Mandate.enterprise_id == account.id
    name = db.scalars(select(LoginName.name).where(owner)).first()
    counts = {
        "live_sign_ins": _live_sign_ins(desk, db, acts),
        "mandates": db.scalar(select(func.count()).select_from(Mandate).where(mandates)),
    }
    return {**own, "account": name, "suspended_at": suspended, **counts}


def _granted(desk: Desk, db: Session, mandate: Mandate, vault: Vault) -> dict[str, Any]:
    person = db.get_one(Person, mandate.person_id)
    return {
        "uscc": db.get_one(Enterprise, mandate.enterprise_id).uscc,
        "name": mask_name(person.name(vault)),
        "phone": mask_phone(mandate.phone(vault)),
        "first_day": mandate.first_day.isoformat(),
        "last_day": mandate.last_day.isoformat(),
        "ended_at": mandate.ended_at.isoformat() if mandate.ended_at else None,
        "live_sign_ins": _live_sign_ins(desk, db, SigninSession.mandate_id == mandate.id),
    }


def _registered(company: Enterprise, vault: Vault) -> dict[str, Any]:
    account = company.account
    return {
        "uscc": company.uscc,
        "name": company.name,
        "type": company.type,
        "status": company.status,
        "state": "active" if account and account.activated_at else "pending",
        "representative": mask_name(company.representative.name(vault)),
        "phone": mask_phone(account.phone(vault) if account else None),
    }


def _live_sign_ins(desk: Desk, db: Session, which: ColumnElement[bool]) -> int:
    counted = live(desk.now).where(which).with_only_columns(func.count(), maintain_column_froms=True)
    return db.scalar(counted) or 0


def _lines(told: dict[str, Any]) -> Iterable[str]:
    held = ", ".join(f"{number} {kind}" for kind, number in told["factors"].items())
    return fields({**told, "factors": held})
