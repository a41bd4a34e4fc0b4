"""`idp mandate`: who may act for a company, and ending it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import typer
from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from idp.access.endings import end_mandate
from idp.accounts.calendar import civil_day
from idp.accounts.directory import find_enterprise
from idp.accounts.identifiers import mask_name, mask_phone
from idp.accounts.models import Enterprise, Mandate
from idp.cli.desk import Json, Refused, opened, parsed_uuid, show, table
from idp.crypto import Vault

group = typer.Typer(help="Mandates of operators.")


@group.command("list")
def list_all(
    company: Annotated[str, typer.Argument(metavar="USCC|ACCOUNT", help="The company.")],
    *,
    as_json: Json = False,
) -> None:
    """List a company's mandates, the newest first, personal data masked."""
    with opened() as desk, desk.transaction() as db:
        enterprise = find_enterprise(db, company)
        if enterprise is None:
            raise Refused("No company has this credit code or account name.")
        found = [_told(row, desk.backends.vault, desk.now) for row in _mandates(db, enterprise)]
    columns = ("id", "name", "phone", "first_day", "last_day", "state")
    rows = [tuple(str(mandate[column]) for column in columns) for mandate in found]
    show(found, as_json=as_json, lines=table(columns, rows))


@group.command("end")
def end(
    mandate_id: Annotated[str, typer.Argument(metavar="ID", help="As `idp mandate list` prints it.")],
    *,
    as_json: Json = False,
) -> None:
    """End a mandate for good: its sign-ins and every token that rests on it die with it."""
    wanted = parsed_uuid(mandate_id, "mandate")
    with opened() as desk, desk.transaction() as db:
        mandate = db.get(Mandate, wanted)
        if mandate is None:
            raise Refused("There is no such mandate.")
        if mandate.ended_at:
            raise Refused("The mandate has ended already.")
        end_mandate(db, desk.backends.vault, desk.backends.trail, mandate, desk.origin, now=desk.now)
    told = {"id": str(wanted), "state": "ended", "ended_at": desk.now.isoformat()}
    show(told, as_json=as_json, lines=[f"Mandate {wanted} has ended."])


def _mandates(db: Session, enterprise: Enterprise) -> list[Mandate]:
    query = select(Mandate).options(joinedload(Mandate.person)).where(Mandate.enterprise_id == enterprise.id)
    return list(db.scalars(query.order_by(Mandate.created_at.desc(), Mandate.id)))


def _told(mandate: Mandate, vault: Vault, now: datetime) -> dict[str, Any]:
    return {
        "id": str(mandate.id),
        "name": mask_name(mandate.person.name(vault)),
        "phone": mask_phone(mandate.person.phone(vault)),
        "first_day": mandate.first_day.isoformat(),
        "last_day": mandate.last_day.isoformat(),
        "state": _state(mandate, now),
        "manage_operators": mandate.manage_operators,
        "manage_seals": mandate.manage_seals,
        "department": mandate.department,
    }


def _state(mandate: Mandate, now: datetime) -> str:
    if mandate.ended_at:
        return "ended"
    if mandate.is_live(now):
        return "live"
    return "future" if civil_day(now) < mandate.first_day else "expired"
