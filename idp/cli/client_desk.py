"""What the commands about relying parties share: finding one, the audit trail, telling running processes."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from idp.access.clients import Client, announce_change
from idp.accounts.audit import Action, Event
from idp.adapters.ephemeral import StoreUnavailable
from idp.cli.desk import Desk, Failed, Refused
from idp.config import Mode


def found(db: Session, client_id: str) -> Client:
    """The client somebody typed. Raises Refused."""
    client = db.get(Client, client_id) if client_id.isprintable() else None
    if client is None:
        raise Refused(f"There is no client {client_id[:80]!r}.")
    return client


def record(desk: Desk, db: Session, action: Action, client: Client, **detail: Any) -> None:
    """Write to the audit trail what was done to `client`."""
    db.flush()
    desk.record(db, Event(action, target=f"client:{client.client_id}", detail=detail))


def announce(desk: Desk) -> None:
    """Make running processes use the change at once; called after its commit. Raises Failed."""
    try:
        announce_change(desk.backends.store)
    except StoreUnavailable:
        raise Failed("Saved, but running processes could not be told: restart them.") from None


def is_production(desk: Desk) -> bool:
    """Whether the strict rules for addresses hold."""
    return desk.settings.mode is Mode.PRODUCTION
