"""`idp client`: registering relying parties, and looking after them.

Every change is announced after its commit, so that running processes use it at once.
"""

from __future__ import annotations

from typing import Annotated, Any

import typer

from idp.access.client_metadata import metadata, recorded
from idp.access.clients import list_clients
from idp.access.endings import end_client_grants
from idp.access.logouts import deliveries
from idp.access.profiles import PROFILES
from idp.access.registration import SECRET_OVERLAP, attach_profile, rotate_secret
from idp.accounts.audit import Action
from idp.accounts.outbox import OutboxMessage
from idp.cli import client_add, client_import, invitations
from idp.cli.client_desk import announce, found, is_production, record
from idp.cli.desk import Json, fields, opened, show, table

group = typer.Typer(help="Relying parties.")
group.command("add")(client_add.add)
group.command("import")(client_import.import_file)
group.command("invite")(invitations.invite)
group.command("invitations")(invitations.list_all)
group.command("uninvite")(invitations.uninvite)

ClientId = Annotated[str, typer.Argument(metavar="CLIENT_ID")]
_DELIVERIES_SHOWN = 20


@group.command("list")
def list_all(*, as_json: Json = False) -> None:
    """List the clients by name."""
    with opened() as desk, desk.transaction() as db:
        clients = [metadata(client) for client in list_clients(db)]
    columns = ("client_id", "client_name", "token_endpoint_auth_method", "profile", "scope")
    rows = [tuple(client[column] for column in columns) for client in clients]
    show(clients, as_json=as_json, lines=table(("client id", "name", "method", "profile", "scope"), rows))


@group.command("show")
def show_one(client_id: ClientId, *, as_json: Json = False) -> None:
    """Show one client and its last logout messages; its secret is known to nobody."""
    with opened() as desk, desk.transaction() as db:
        client = metadata(found(db, client_id))
        sent = [_delivery(message) for message in deliveries(db, client_id, limit=_DELIVERIES_SHOWN)]
    lines = list(fields(client))
    if sent:
        heads = ("queued", "state", "tries", "next try", "last error")
        columns = ("queued_at", "state", "tries", "next_try_at", "last_error")
        rows = [tuple(str(message[column] or "") for column in columns) for message in sent]
        lines += ["", "back-channel logout:", *table(heads, rows)]
    show({**client, "logout_deliveries": sent}, as_json=as_json, lines=lines)


@group.command("profile")
def profile(
    client_id: ClientId,
    name: Annotated[str, typer.Argument(metavar="|".join(PROFILES))],
    *,
    as_json: Json = False,
) -> None:
    """Attach a security profile; refused, with every reason, while the registration does not fit."""
    with opened() as desk:
        with desk.transaction() as db:
            client = found(db, client_id)
            was = recorded(client)
            attach_profile(client, name, production=is_production(desk), now=desk.now)
            record(desk, db, Action.CLIENT_CHANGED, client, before=was, after=recorded(client))
        told = {"client_id": client_id, "profile": name}
        show(told, as_json=as_json, lines=[f"{client_id} is held to the profile {name}."])
        announce(desk)


@group.command("remove")
def remove(client_id: ClientId, *, as_json: Json = False) -> None:
    """Remove a client and end everything it was granted."""
    with opened() as desk:
        with desk.transaction() as db:
            client = found(db, client_id)
            end_client_grants(db, desk.backends.vault, client_id, now=desk.now)
            record(desk, db, Action.CLIENT_REMOVED, client, before=recorded(client))
            db.delete(client)
        show({"client_id": client_id, "removed": True}, as_json=as_json, lines=[f"{client_id} is removed."])
        announce(desk)


@group.command("rotate-secret")
def rotate(client_id: ClientId, *, as_json: Json = False) -> None:
    """Give a client a new secret, printed once; the old one keeps working for a day."""
    with opened() as desk:
        with desk.transaction() as db:
            client = found(db, client_id)
            secret = rotate_secret(client, now=desk.now)
            record(desk, db, Action.CLIENT_SECRET_ROTATED, client)
        until = (desk.now + SECRET_OVERLAP).isoformat(timespec="seconds")
        told = {"client_id": client_id, "client_secret": secret, "old_secret_valid_until": until}
        show(told, as_json=as_json, lines=fields(told))
        announce(desk)


def _delivery(message: OutboxMessage) -> dict[str, Any]:
    """What became of one logout message; what it said is sealed, and wiped once it is settled."""
    settled = message.delivered_at or message.failed_at
    return {
        "queued_at": message.created_at.isoformat(timespec="seconds"),
        "state": _state(message),
        "tries": message.tries,
        "next_try_at": message.next_try_at.isoformat(timespec="seconds") if message.next_try_at else None,
        "settled_at": settled.isoformat(timespec="seconds") if settled else None,
        "last_error": message.last_error,
    }


def _state(message: OutboxMessage) -> str:
    if message.delivered_at:
        return "delivered"
    return "given up" if message.failed_at else "waiting"
