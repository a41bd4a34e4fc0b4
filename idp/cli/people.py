"""`idp person` and `idp account`: adding people, looking at accounts, suspending and resuming them."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer
from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from idp.access.endings import resume, suspend
from idp.accounts.audit import Action, Event
from idp.accounts.directory import AlreadyTaken, NewPerson, add_person, find_enterprise, find_person
from idp.accounts.identifiers import (
    mask_id_number,
    mask_name,
    mask_phone,
    parse_account,
    parse_phone,
    parse_resident_id,
)
from idp.accounts.models import Enterprise, LoginName, Mandate, Person
from idp.accounts.passwords import PasswordHasher, check_new_password
from idp.accounts.sessions import SigninSession, live
from idp.cli.desk import Desk, Json, Refused, fields, opened, show
from idp.config import Mode, Settings
from idp.crypto import Vault, plain

person_group = typer.Typer(help="Natural persons.")
account_group = typer.Typer(help="Accounts of companies and people.")

Name = Annotated[
    str, typer.Argument(metavar="NAME", help="An account name or a credit code; a person's phone or ID too.")
]
_LONGEST_NAME = 100


def _printable(text: str) -> str:
    if not text.isprintable():
        raise typer.BadParameter("must be printable text")
    return text


Reason = Annotated[str, typer.Option(help="Kept in the audit trail; no personal data.", callback=_printable)]


@person_group.callback()
def describe() -> None:
    """Natural persons."""


@person_group.command("add")
def add(
    *,
    account: Annotated[str, typer.Option(help="Account name: a letter, then letters, digits, _.")],
    name: Annotated[str, typer.Option(help="Full name.")],
    phone: Annotated[str, typer.Option(help="Mobile number.")],
    password: Annotated[str, typer.Option(help="- reads standard input; production takes only that.")],
    id_number: Annotated[str | None, typer.Option(help="Number of the resident identity card.")] = None,
    as_json: Json = False,
) -> None:
    """Add a natural person with an account."""
    with opened() as desk:
        new = _parsed(desk.settings, account=account, name=name, phone=phone, id_number=id_number)
        chosen = _password(desk.settings, password)
        about = tuple(filter(None, (new.account, new.phone, new.id_number)))
        check_new_password(chosen, settings=desk.settings, about=about)
        hashed = PasswordHasher(desk.settings).hash(chosen)
        new = NewPerson(new.name, new.phone, new.id_number, account=new.account, password_hash=hashed)
        with desk.transaction() as db:
            try:
                row = add_person(db, desk.backends.vault, new, now=desk.now)
            except AlreadyTaken:
                raise Refused("The account name, the phone or the ID number is somebody's already.") from None
            desk.record(db, Event(Action.PERSON_ADDED, target=f"person:{row.id}"))
        told = {"id": str(row.id), "account": new.account, **_masked(row, desk.backends.vault)}
    show(told, as_json=as_json, lines=fields(told))


@account_group.command("show")
def show_account(name: Name, *, as_json: Json = False) -> None:
    """Show an account, personal data masked."""
    with opened() as desk, desk.transaction() as db:
        told = _told(desk, db, _found(desk, db, name))
    show(told, as_json=as_json, lines=fields(told))


@account_group.command("suspend")
def suspend_account(name: Name, *, reason: Reason = "", as_json: Json = False) -> None:
    """Suspend a person, or a company with all who act for it; their sign-ins end at once."""
    with opened() as desk, desk.transaction() as db:
        account = _found(desk, db, name)
        if account.suspended_at:
            raise Refused("The account is suspended already.")
        backends = desk.backends
        suspend(db, backends.vault, backends.trail, account, desk.origin, reason=reason, now=desk.now)
        db.flush()
        told = _told(desk, db, account)
    show(told, as_json=as_json, lines=["The account is suspended.", *fields(told)])


@account_group.command("resume")
def resume_account(name: Name, *, reason: Reason = "", as_json: Json = False) -> None:
    """Lift a suspension; what ended with it stays ended."""
    with opened() as desk, desk.transaction() as db:
        account = _found(desk, db, name)
        if not account.suspended_at:
            raise Refused("The account is not suspended.")
        resume(db, desk.backends.trail, account, desk.origin, reason=reason, now=desk.now)
        db.flush()
        told = _told(desk, db, account)
    show(told, as_json=as_json, lines=["The account is resumed.", *fields(told)])


def _parsed(settings: Settings, *, account: str, name: str, phone: str, id_number: str | None) -> NewPerson:
    """What was typed, in canonical form. Raises Refused."""
    full_name = plain(name)
    if not full_name or len(full_name) > _LONGEST_NAME or not full_name.isprintable():
        raise Refused(f"--name must be 1 to {_LONGEST_NAME} printable characters.")
    account_name = parse_account(account, shortest=settings.account_min, longest=settings.account_max)
    if account_name is None:
        raise Refused(
            f"--account must be {settings.account_min} to {settings.account_max} characters: "
            "a letter, then letters, digits or _, and no credit code."
        )
    mobile = parse_phone(phone)
    if mobile is None:
        raise Refused("--phone must be a mobile number of mainland China, 11 digits.")
    number = parse_resident_id(id_number) if id_number is not None else None
    if id_number is not None and number is None:
        raise Refused("--id-number must be a resident identity number: 18 characters, check digit right.")
    return NewPerson(full_name, mobile, number, account=account_name)


def _password(settings: Settings, given: str) -> str:
    """The password: from standard input, or as typed where history and process lists do not matter."""
    if given == "-":
        return sys.stdin.readline().rstrip("\r\n")
    if settings.mode is Mode.PRODUCTION:
        raise Refused("In production the password is read from standard input: --password -")
    return given


def _found(desk: Desk, db: Session, name: str) -> Enterprise | Person:
    found = find_enterprise(db, name) or find_person(db, desk.backends.vault, name)
    if found is None:
        raise Refused("No account has this name, credit code, phone or ID number.")
    return found


def _told(desk: Desk, db: Session, account: Enterprise | Person) -> dict[str, Any]:
    vault = desk.backends.vault
    suspended = account.suspended_at.isoformat() if account.suspended_at else None
    if isinstance(account, Person):
        own = {"kind": "person", "id": str(account.id), **_masked(account, vault)}
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


def _masked(person: Person, vault: Vault) -> dict[str, Any]:
    return {
        "name": mask_name(person.name(vault)),
        "phone": mask_phone(person.phone(vault)),
        "id_number": mask_id_number(person.id_number(vault)),
    }


def _live_sign_ins(desk: Desk, db: Session, which: ColumnElement[bool]) -> int:
    counted = live(desk.now).where(which).with_only_columns(func.count(), maintain_column_froms=True)
    return db.scalar(counted) or 0
