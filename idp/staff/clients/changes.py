"""What an administrator does to relying parties: add, change, give a new secret, remove.

A page carries the version of the client it was made from. Under a lock it is compared with what is stored
now: of two administrators who change one client at once, the later one is told what the other one did, and
nothing of either is lost in silence. The trail gets the names of the changed fields and their values, never a
secret; whoever calls announces the change once it is committed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from idp.access.client_metadata import metadata, recorded
from idp.access.client_rules import NewClient, check_redirects_leave
from idp.access.clients import Client, find_client, lock_client
from idp.access.endings import end_client_grants
from idp.access.registration import add_client, change_client, registration_of, rotate_secret
from idp.accounts.audit import Action, AuditEvent, Event, Origin, Trail
from idp.crypto import Vault

_OF_CLIENTS = (Action.CLIENT_ADDED, Action.CLIENT_CHANGED, Action.CLIENT_SECRET_ROTATED)
_MOST_TOLD = 10


@dataclass(frozen=True, slots=True)
class Desk:
    """Who changes clients: with what he records, from where, when, and under which rules for addresses."""

    db: Session
    vault: Vault
    trail: Trail
    origin: Origin
    now: datetime
    production: bool
    issuer: str

    def record(self, action: Action, client: Client, **detail: Any) -> None:
        """Write to the trail what was done to `client`."""
        self.db.flush()
        event = Event(action, target=_target(client), detail=detail)
        self.trail.record(self.db, event, self.origin, now=self.now)


@dataclass(frozen=True, slots=True)
class Meanwhile:
    """What somebody did to the client: when, who, what, and to which fields (in the names of RFC 7591)."""

    at: datetime
    actor: str
    action: str
    fields: tuple[str, ...]


class ChangedMeanwhile(Exception):
    """Somebody else changed the client since the page was opened: the client now, and what was done to it."""

    def __init__(self, client: Client, done: Sequence[Meanwhile]) -> None:
        super().__init__(client.client_id)
        self.client = client
        self.done = done


class Gone(Exception):
    """There is no such client, or no longer."""


def version_of(client: Client) -> str:
    """What a page carries to say from which state of the client it was made."""
    return client.changed_at.isoformat()


def found(db: Session, client_id: str) -> Client:
    """The client. Raises Gone."""
    client = find_client(db, client_id)
    if client is None:
        raise Gone
    return client


def add(desk: Desk, new: NewClient) -> tuple[Client, str | None]:
    """Register a client; it and its secret, to be shown once. Raises ClientRefused."""
    check_redirects_leave(new, desk.issuer)
    client, secret = add_client(desk.db, new, production=desk.production, now=desk.now)
    desk.record(Action.CLIENT_ADDED, client, after=recorded(client))
    return client, secret


def change(desk: Desk, client_id: str, new: NewClient, *, version: str) -> tuple[Client, str | None]:
    """Write what was typed; the client, and a secret to be shown once if it needs one now and had none.

    Raises ClientRefused, ChangedMeanwhile, Gone.
    """
    client = _locked(desk, client_id, version)
    if new == registration_of(client):
        return client, None
    check_redirects_leave(new, desk.issuer)
    was, kept = metadata(client), recorded(client)
    secret = change_client(client, new, production=desk.production, now=desk.now)
    fields = changed_fields(was, metadata(client))
    now_kept = recorded(client)
    desk.record(
        Action.CLIENT_CHANGED,
        client,
        fields=list(fields),
        before={name: kept[name] for name in fields if name in kept},
        after={name: now_kept[name] for name in fields if name in kept},
    )
    if secret:
        # A line of its own, as for every other secret: what it was made with is the change of this field.
        desk.record(Action.CLIENT_SECRET_ROTATED, client, fields=["token_endpoint_auth_method"])
    return client, secret


def renew_secret(desk: Desk, client_id: str, *, version: str) -> tuple[Client, str]:
    """Give the client a new secret, to be shown once. Raises ClientRefused, ChangedMeanwhile, Gone."""
    client = _locked(desk, client_id, version)
    secret = rotate_secret(client, now=desk.now)
    desk.record(Action.CLIENT_SECRET_ROTATED, client)
    return client, secret


def remove(desk: Desk, client_id: str, *, reason: str) -> str:
    """Remove the client and end all it was granted; its name. Raises Gone."""
    client = lock_client(desk.db, client_id)
    if client is None:
        raise Gone
    end_client_grants(desk.db, desk.vault, client_id, now=desk.now)
    desk.record(Action.CLIENT_REMOVED, client, reason=reason, before=recorded(client))
    desk.db.delete(client)
    return client.name


def changed_fields(before: dict[str, Any], after: dict[str, Any]) -> tuple[str, ...]:
    """The names of what differs."""
    return tuple(name for name in after if before.get(name) != after[name])


def _locked(desk: Desk, client_id: str, version: str) -> Client:
    client = lock_client(desk.db, client_id)
    if client is None:
        raise Gone
    if version_of(client) != version:
        raise ChangedMeanwhile(client, _done_since(desk.db, client, version))
    return client


def _done_since(db: Session, client: Client, version: str) -> list[Meanwhile]:
    since = _instant(version)
    if since is None:
        return []
    events = select(AuditEvent).where(
        AuditEvent.target == _target(client), AuditEvent.at > since, AuditEvent.action.in_(_OF_CLIENTS)
    )
    latest_first = events.order_by(AuditEvent.id.desc()).limit(_MOST_TOLD)
    return [_meanwhile(event) for event in db.scalars(latest_first)]


def _meanwhile(event: AuditEvent) -> Meanwhile:
    told = event.detail
    # Commands and imports record all of before and after.
    fields = told.get("fields") or changed_fields(told.get("before") or {}, told.get("after") or {})
    return Meanwhile(event.at, event.actor, event.action, tuple(fields))


def _instant(version: str) -> datetime | None:
    try:
        instant = datetime.fromisoformat(version)
    except ValueError:
        return None
    return instant if instant.tzinfo else None


def _target(client: Client) -> str:
    return f"client:{client.client_id}"
