"""`idp staff`: who works at the console. A first sign-in begins with a one-time link that is printed once."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from idp.accounts import staff_roster
from idp.accounts.audit import Action, Event
from idp.accounts.factors import kinds_of
from idp.accounts.identifiers import mask_name, parse_account
from idp.accounts.staff import (
    StaffInvitation,
    StaffMember,
    StaffRole,
    find_staff,
    list_live_staff_sessions,
)
from idp.accounts.staff_invitations import invite as make_link
from idp.accounts.staff_roster import NewStaff
from idp.cli.desk import Desk, Json, Reason, Refused, check_reason, fields, opened, show, table
from idp.config import Settings, described
from idp.crypto import plain

group = typer.Typer(help="The people who work at the console.")

# What makes it wrong input raises idp.accounts.staff_roster.RosterRefused, which becomes exit code 2.
Account = Annotated[str, typer.Argument(metavar="ACCOUNT", help="The account name at the console.")]
_ROLES = "|".join(StaffRole)
RoleName = Annotated[str, typer.Option(metavar=_ROLES, help="What the staff member may do at the console.")]
_SHORTEST, _LONGEST = (described(Settings)[name].default for name in ("account_min", "account_max"))
_LONGEST_NAME = 60
_ACCOUNT_HELP = (
    f"Account name: {_SHORTEST} to {_LONGEST} characters unless the settings say otherwise; "
    "a letter, then letters, digits, _."
)


@group.callback()
def describe() -> None:
    """The people who work at the console."""


@group.command("add")
def add(
    *,
    account: Annotated[str, typer.Option(help=_ACCOUNT_HELP)],
    name: Annotated[str, typer.Option(help="Full name.")],
    role: RoleName,
    as_json: Json = False,
) -> None:
    """Add a staff member and print the link of his first sign-in, this once."""
    given = _role(role)
    with opened() as desk:
        new = NewStaff(_account(desk, account), _full_name(name), given)
        with desk.transaction() as db:
            row = staff_roster.add_staff(db, desk.backends.vault, new, now=desk.now)
            _record(desk, db, Action.STAFF_ADDED, row, role=given.value)
            told = _invited(desk, db, row)
        show(told, as_json=as_json, lines=fields(told))


@group.command("list")
def list_all(*, as_json: Json = False) -> None:
    """List who works at the console."""
    with opened() as desk, desk.transaction() as db:
        told = [_told(desk, db, row) for row in staff_roster.list_staff(db)]
    heads = ("account", "name", "role", "state")
    rows = [tuple(str(each[head]) for head in heads) for each in told]
    show(told, as_json=as_json, lines=table(heads, rows))


@group.command("show")
def show_member(account: Account, *, as_json: Json = False) -> None:
    """Show a staff member, the name masked."""
    with opened() as desk, desk.transaction() as db:
        row = _found(db, account)
        told = {**_told(desk, db, row), **_details(desk, db, row)}
    show(told, as_json=as_json, lines=fields(told))


@group.command("invite")
def invite(
    account: Account,
    *,
    reset: Annotated[
        bool, typer.Option("--reset", help="Take password, factors and sign-ins from him first.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Print a new link for a first sign-in, this once; the one before ends."""
    with opened() as desk:
        with desk.transaction() as db:
            row = _found(db, account)
            if row.suspended_at is not None:
                raise Refused("The staff member is suspended. Run `idp staff resume` first.")
            if row.enrolled_at is not None and not reset:
                raise Refused(
                    "The staff member has begun already. With --reset his password, factors and sign-ins "
                    "are removed, and the new link begins anew."
                )
            if reset:
                staff_roster.begin_anew(db, row, now=desk.now)
            told = _invited(desk, db, row, reset=reset)
        show(told, as_json=as_json, lines=fields(told))


@group.command("role")
def change_role(
    account: Account,
    role: Annotated[str, typer.Argument(metavar=_ROLES, help="What the staff member may do from now on.")],
    *,
    as_json: Json = False,
) -> None:
    """Give a staff member another role; his sign-ins end at once."""
    given = _role(role)
    with opened() as desk, desk.transaction() as db:
        row = _found(db, account)
        before = staff_roster.change_role(db, row, given, now=desk.now)
        _record(desk, db, Action.STAFF_CHANGED, row, before=before.value, after=given.value)
        told = _told(desk, db, row)
    show(told, as_json=as_json, lines=fields(told))


@group.command("suspend")
def suspend(account: Account, *, reason: Reason = "", as_json: Json = False) -> None:
    """Close the console to a staff member; his sign-ins and links end at once."""
    with opened() as desk, desk.transaction() as db:
        row = _found(db, account)
        check_reason(reason, about=(row.name(desk.backends.vault),))
        staff_roster.suspend_staff(db, row, now=desk.now)
        _record(desk, db, Action.STAFF_CHANGED, row, change="suspended", reason=reason)
        told = _told(desk, db, row)
    show(told, as_json=as_json, lines=["The staff member is suspended.", *fields(told)])


@group.command("resume")
def resume(account: Account, *, reason: Reason = "", as_json: Json = False) -> None:
    """Open the console to a staff member again; what ended stays ended."""
    with opened() as desk, desk.transaction() as db:
        row = _found(db, account)
        check_reason(reason, about=(row.name(desk.backends.vault),))
        staff_roster.resume_staff(row)
        _record(desk, db, Action.STAFF_CHANGED, row, change="resumed", reason=reason)
        told = _told(desk, db, row)
    show(told, as_json=as_json, lines=["The staff member is resumed.", *fields(told)])


def _account(desk: Desk, typed: str) -> str:
    """The account name in canonical form. Raises Refused."""
    shortest, longest = desk.settings.account_min, desk.settings.account_max
    account = parse_account(typed, shortest=shortest, longest=longest)
    if account is None:
        raise Refused(
            f"--account must be {shortest} to {longest} characters: "
            "a letter, then letters, digits or _, and no credit code."
        )
    return account


def _role(typed: str) -> StaffRole:
    """Raises Refused."""
    try:
        return StaffRole(typed)
    except ValueError:
        *others, last = StaffRole
        raise Refused(f"No role {typed[:40]!r}. The roles are {', '.join(others)} and {last}.") from None


def _full_name(typed: str) -> str:
    name = plain(typed)
    if not name or len(name) > _LONGEST_NAME or not name.isprintable():
        raise Refused(f"--name must be 1 to {_LONGEST_NAME} printable characters.")
    return name


def _found(db: Session, account: str) -> StaffMember:
    typed = plain(account)
    # What no terminal can show, no database can be asked for.
    row = find_staff(db, typed) if typed.isprintable() else None
    if row is None:
        raise Refused(f"No staff member has the account name {account[:60]!r}.")
    return row


def _invited(desk: Desk, db: Session, row: StaffMember, *, reset: bool = False) -> dict[str, Any]:
    life = desk.settings.seconds("invitation_lifetime")
    link, token = make_link(db, row, life=life, now=desk.now)
    detail = {"reset": "yes"} if reset else {}
    _record(desk, db, Action.STAFF_INVITED, row, **detail)
    address = f"{desk.settings.issuer}/staff/invitation/{token}"
    expires_at = link.expires_at.isoformat(timespec="seconds")
    return {**_told(desk, db, row), "link": address, "expires_at": expires_at}


def _told(desk: Desk, db: Session, row: StaffMember) -> dict[str, Any]:
    return {
        "id": str(row.id),
        "account": row.account,
        "name": mask_name(row.name(desk.backends.vault)),
        "role": row.role,
        "state": _state(desk, db, row),
    }


def _state(desk: Desk, db: Session, row: StaffMember) -> str:
    if row.suspended_at is not None:
        return "suspended"
    if row.enrolled_at is not None:
        return "active"
    waiting = select(func.count()).where(
        StaffInvitation.staff_id == row.id,
        StaffInvitation.ended_at.is_(None),
        StaffInvitation.expires_at > desk.now,
    )
    return "invited" if db.scalar(waiting) else "needs a link"


def _details(desk: Desk, db: Session, row: StaffMember) -> dict[str, Any]:
    idle = desk.settings.seconds("staff_idle")
    live = list_live_staff_sessions(db, row.id, idle=idle, now=desk.now)
    return {
        "factors": sorted(kind.value for kind in kinds_of(db, row.key)),
        "live_sign_ins": len(live),
        "enrolled_at": row.enrolled_at.isoformat(timespec="seconds") if row.enrolled_at else None,
        "suspended_at": row.suspended_at.isoformat(timespec="seconds") if row.suspended_at else None,
    }


def _record(desk: Desk, db: Session, action: Action, row: StaffMember, **detail: str) -> None:
    db.flush()
    told = {name: value for name, value in detail.items() if value}
    desk.record(db, Event(action, target=row.key, detail=told))
