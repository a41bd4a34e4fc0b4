"""`idp client`: registering relying parties, and moving them here from another provider.

Every change is announced after its commit, so that running processes use it at once.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from sqlalchemy.orm import Session

from idp.access.clients import (
    DEFAULT_SCOPES,
    SECRET_OVERLAP,
    Client,
    ClientRefused,
    NewClient,
    add_client,
    announce_change,
    apply_registration,
    check_client,
    list_clients,
    rotate_secret,
)
from idp.access.endings import end_client_grants
from idp.accounts.audit import Action, Event
from idp.adapters.ephemeral import StoreUnavailable
from idp.cli.client_metadata import (
    Registration,
    check_texts,
    metadata,
    read_registrations,
    split_scopes,
    with_secret,
)
from idp.cli.desk import Desk, Failed, Json, Refused, fields, opened, show, table
from idp.config import Mode
from idp.crypto import hash_token

group = typer.Typer(help="Relying parties.")
ClientId = Annotated[str, typer.Argument(metavar="CLIENT_ID")]


@group.command("add")
def add(  # noqa: PLR0913 - an option is an argument
    *,
    name: Annotated[str, typer.Option(help="What people read on the consent page.")],
    redirect_uri: Annotated[list[str], typer.Option(help="Exact address; repeat for several.")],
    post_logout_redirect_uri: Annotated[list[str] | None, typer.Option(help="Repeat for several.")] = None,
    backchannel_logout_uri: Annotated[str | None, typer.Option(help="Told when a sign-in ends.")] = None,
    auth_method: Annotated[
        str, typer.Option(help="client_secret_basic, client_secret_post or none.")
    ] = "client_secret_basic",
    grant: Annotated[
        list[str] | None, typer.Option(help="authorization_code (default), refresh_token; repeat for both.")
    ] = None,
    scope: Annotated[list[str] | None, typer.Option(help="Repeat, or separate by spaces.")] = None,
    id_token_alg: Annotated[str, typer.Option(help="RS256 or ES256.")] = "RS256",  # noqa: S107 - an algorithm's name
    subject_type: Annotated[str, typer.Option(help="pairwise or public.")] = "pairwise",
    sector: Annotated[
        str, typer.Option(help="Clients of one sector see one sub; by default the redirect host.")
    ] = "",
    full_phone: Annotated[bool, typer.Option("--full-phone", help="May see the whole number.")] = False,
    first_party: Annotated[bool, typer.Option("--first-party", help="Nobody is asked for consent.")] = False,
    client_id: Annotated[str, typer.Option(help="By default a random one.")] = "",
    as_json: Json = False,
) -> None:
    """Register a relying party; its secret is printed once and never again."""
    new = NewClient(
        name=name,
        redirect_uris=tuple(redirect_uri),
        client_id=client_id,
        post_logout_redirect_uris=tuple(post_logout_redirect_uri or ()),
        backchannel_logout_uri=backchannel_logout_uri,
        auth_method=auth_method,
        grant_types=tuple(dict.fromkeys(grant or ("authorization_code",))),
        scopes=split_scopes(scope) if scope else DEFAULT_SCOPES,
        id_token_alg=id_token_alg,
        sector=sector,
        subject_type=subject_type,
        full_phone=full_phone,
        first_party=first_party,
    )
    check_texts(new)
    with opened() as desk:
        with desk.transaction() as db:
            client, secret = add_client(db, new, production=_is_production(desk), now=desk.now)
            _record(desk, db, Action.CLIENT_ADDED, client, after=metadata(client))
        told = with_secret(metadata(client), secret)
        show(told, as_json=as_json, lines=fields(told))
        _announce(desk)


@group.command("import")
def import_file(
    file: Annotated[Path, typer.Argument(metavar="FILE.json", exists=True, dir_okay=False, readable=True)],
    *,
    as_json: Json = False,
) -> None:
    """Register all clients of a JSON array of RFC 7591 metadata, or none; those known are updated."""
    registrations = read_registrations(file)
    told: dict[str, Any] = {"added": [], "updated": [], "passed_over": {}}
    with opened() as desk:
        with desk.transaction() as db:
            for registration in registrations:
                known = _import(desk, db, registration)
                told["updated" if known else "added"].append(registration.client_id)
                if registration.passed_over:
                    told["passed_over"][registration.client_id] = registration.passed_over
        lines = [f"{len(told['added'])} added, {len(told['updated'])} updated."]
        lines += [f"{key}: passed over {', '.join(names)}" for key, names in told["passed_over"].items()]
        show(told, as_json=as_json, lines=lines)
        _announce(desk)


@group.command("list")
def list_all(*, as_json: Json = False) -> None:
    """List the clients by name."""
    with opened() as desk, desk.transaction() as db:
        clients = [metadata(client) for client in list_clients(db)]
    rows = [(c["client_id"], c["client_name"], c["token_endpoint_auth_method"], c["scope"]) for c in clients]
    show(clients, as_json=as_json, lines=table(("client id", "name", "method", "scope"), rows))


@group.command("show")
def show_one(client_id: ClientId, *, as_json: Json = False) -> None:
    """Show one client; its secret is known to nobody."""
    with opened() as desk, desk.transaction() as db:
        told = metadata(_found(db, client_id))
    show(told, as_json=as_json, lines=fields(told))


@group.command("remove")
def remove(client_id: ClientId, *, as_json: Json = False) -> None:
    """Remove a client and end everything it was granted."""
    with opened() as desk:
        with desk.transaction() as db:
            client = _found(db, client_id)
            end_client_grants(db, client_id, now=desk.now)
            _record(desk, db, Action.CLIENT_REMOVED, client, before=metadata(client))
            db.delete(client)
        show({"client_id": client_id, "removed": True}, as_json=as_json, lines=[f"{client_id} is removed."])
        _announce(desk)


@group.command("rotate-secret")
def rotate(client_id: ClientId, *, as_json: Json = False) -> None:
    """Give a client a new secret, printed once; the old one keeps working for a day."""
    with opened() as desk:
        with desk.transaction() as db:
            client = _found(db, client_id)
            secret = rotate_secret(client, now=desk.now)
            _record(desk, db, Action.CLIENT_SECRET_ROTATED, client)
        until = (desk.now + SECRET_OVERLAP).isoformat(timespec="seconds")
        told = {"client_id": client_id, "client_secret": secret, "old_secret_valid_until": until}
        show(told, as_json=as_json, lines=fields(told))
        _announce(desk)


def _import(desk: Desk, db: Session, registration: Registration) -> bool:
    """Add or update one client; whether it was known. Raises Refused."""
    before = db.get(Client, registration.client_id)
    new = registration.as_new(before)
    try:
        _check_import(desk, new, before)
        if before is None:
            client, _secret = add_client(db, new, production=_is_production(desk), now=desk.now)
            _record(desk, db, Action.CLIENT_ADDED, client, after=metadata(client))
            return False
    except (ClientRefused, Refused) as refused:
        raise Refused(f"Nothing was imported.\n{registration.client_id!r:.70}: {refused}") from None
    was = metadata(before)
    apply_registration(before, new, now=desk.now)
    _replace_secret(before, new)
    _record(desk, db, Action.CLIENT_CHANGED, before, before=was, after=metadata(before))
    return True


def _check_import(desk: Desk, new: NewClient, before: Client | None) -> None:
    check_texts(new)
    check_client(new, production=_is_production(desk))
    if _has_secret(new) and not new.secret and (before is None or before.secret_hash is None):
        raise Refused(f"{new.auth_method} needs a client_secret.")


def _has_secret(new: NewClient) -> bool:
    return new.auth_method.startswith("client_secret")


def _replace_secret(client: Client, new: NewClient) -> None:
    if not _has_secret(new):
        client.secret_hash = client.old_secret_hash = client.old_secret_until = None
    elif new.secret and hash_token(new.secret) != client.secret_hash:
        client.secret_hash = hash_token(new.secret)
        client.old_secret_hash = client.old_secret_until = None


def _found(db: Session, client_id: str) -> Client:
    client = db.get(Client, client_id) if client_id.isprintable() else None
    if client is None:
        raise Refused(f"There is no client {client_id[:80]!r}.")
    return client


def _record(desk: Desk, db: Session, action: Action, client: Client, **detail: Any) -> None:
    db.flush()
    desk.record(db, Event(action, target=f"client:{client.client_id}", detail=detail))


def _announce(desk: Desk) -> None:
    try:
        announce_change(desk.backends.store)
    except StoreUnavailable:
        raise Failed("Saved, but running processes could not be told: restart them.") from None


def _is_production(desk: Desk) -> bool:
    return desk.settings.mode is Mode.PRODUCTION
