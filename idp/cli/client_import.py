"""`idp client import`: moving relying parties here from another provider, all of a file or none."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from sqlalchemy.orm import Session

from idp.access.client_metadata import Decided, Registration, read_metadata, recorded
from idp.access.clients import Client, ClientRefused
from idp.access.registration import (
    SHORT_SECRET,
    NewClient,
    add_client,
    apply_registration,
    check_client,
    check_redirects_leave,
)
from idp.accounts.audit import Action
from idp.cli.client_desk import announce, is_production, record
from idp.cli.desk import Desk, Json, Refused, opened, show
from idp.crypto import hash_token


def import_file(
    file: Annotated[Path, typer.Argument(metavar="FILE.json", exists=True, dir_okay=False, readable=True)],
    *,
    as_json: Json = False,
) -> None:
    """Register all clients of a JSON array of RFC 7591 metadata, or none; those known are updated."""
    registrations = read_registrations(file)
    told: dict[str, Any] = {"added": [], "updated": [], "passed_over": {}, "short_secrets": []}
    with opened() as desk:
        with desk.transaction() as db:
            for registration in registrations:
                client_id = registration.client_id or ""
                known = _import(desk, db, registration)
                told["updated" if known else "added"].append(client_id)
                if registration.passed_over:
                    told["passed_over"][client_id] = registration.passed_over
                # A move must stay possible with the secret there is: it is taken, and said to be weak.
                if 0 < len(registration.client_secret or "") < SHORT_SECRET:
                    told["short_secrets"].append(client_id)
        show(told, as_json=as_json, lines=_lines(told))
        announce(desk)


def read_registrations(file: Path) -> list[Registration]:
    """The entries of a file to import.

    Raises Refused with every problem found; nothing that stands in the file is repeated, as it holds secrets.
    """
    entries = read_json(file)
    if not isinstance(entries, list):
        raise Refused("The file must hold a JSON array of client metadata (RFC 7591).")
    read, problems = [], []
    for number, entry in enumerate(entries, 1):
        try:
            read.append(_read(entry))
        except ClientRefused as refused:
            problems.append(f"Client {number}: {refused}")
    ids = [registration.client_id or "" for registration in read]
    problems += [
        f"The client_id {name} stands there twice." for name in sorted(set(ids)) if ids.count(name) > 1
    ]
    if problems:
        raise Refused("\n".join(["Nothing was imported.", *problems]))
    return read


def read_json(file: Path) -> Any:
    """What a JSON file holds. Raises Refused."""
    try:
        return json.loads(file.read_bytes())
    except (ValueError, RecursionError):
        raise Refused("The file is not JSON in UTF-8.") from None
    except OSError as unreadable:
        raise Refused(f"The file cannot be read: {unreadable.strerror}.") from None


def _read(entry: Any) -> Registration:
    registration = read_metadata(entry)
    if registration.client_id is None:
        raise ClientRefused("client_id is missing.")
    return registration


def _lines(told: dict[str, Any]) -> list[str]:
    lines = [f"{len(told['added'])} added, {len(told['updated'])} updated."]
    lines += [f"{key}: passed over {', '.join(names)}" for key, names in told["passed_over"].items()]
    return lines + [
        f"{key}: its secret has fewer than {SHORT_SECRET} characters; replace it soon "
        f"(idp client rotate-secret {key})"
        for key in told["short_secrets"]
    ]


def _import(desk: Desk, db: Session, registration: Registration) -> bool:
    """Add or update one client; whether it was known. Raises Refused."""
    before = db.get(Client, registration.client_id)
    new = registration.as_new(Decided.before(before))
    try:
        check_redirects_leave(new, desk.settings.issuer)
        check_client(new, production=is_production(desk))
        _check_secret(new, before)
        if before is None:
            client, _secret = add_client(db, new, production=is_production(desk), now=desk.now)
            record(desk, db, Action.CLIENT_ADDED, client, after=recorded(client))
            return False
    except (ClientRefused, Refused) as refused:
        raise Refused(f"Nothing was imported.\n{registration.client_id!r:.70}: {refused}") from None
    was = recorded(before)
    apply_registration(before, new, now=desk.now)
    _replace_secret(before, new)
    record(desk, db, Action.CLIENT_CHANGED, before, before=was, after=recorded(before))
    return True


def _check_secret(new: NewClient, before: Client | None) -> None:
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
