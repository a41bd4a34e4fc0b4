"""`idp person`: adding people."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer

from idp.accounts.audit import Action, Event
from idp.accounts.directory import AlreadyTaken, NewPerson, add_person
from idp.accounts.identifiers import (
    mask_id_number,
    mask_name,
    mask_phone,
    parse_account,
    parse_phone,
    parse_resident_id,
)
from idp.accounts.models import Person
from idp.accounts.passwords import PasswordHasher, check_new_password
from idp.cli.desk import Json, Refused, fields, opened, show
from idp.config import Mode, Settings
from idp.crypto import Vault, plain

group = typer.Typer(help="Natural persons.")

_LONGEST_NAME = 100


@group.callback()
def describe() -> None:
    """Natural persons."""


@group.command("add")
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
        told = {"id": str(row.id), "account": new.account, **masked(row, desk.backends.vault)}
    show(told, as_json=as_json, lines=fields(told))


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


def masked(person: Person, vault: Vault) -> dict[str, Any]:
    """What a command prints of a person."""
    return {
        "name": mask_name(person.name(vault)),
        "phone": mask_phone(person.phone(vault)),
        "id_number": mask_id_number(person.id_number(vault)),
    }
