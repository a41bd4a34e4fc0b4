"""Telling relying parties that a sign-in has ended (OpenID Connect Back-Channel Logout 1.0).

Whoever was granted something in a session and registered an address is told when it ends, by an
outbox row written in the same transaction. A relying party that is down delays nobody; the worker
delivers (:mod:`idp.access.logout_delivery`).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from idp.access.clients import Client
from idp.access.grants import Grant
from idp.access.subjects import subject
from idp.accounts.models import Person
from idp.accounts.outbox import OutboxMessage, enqueue, last_messages
from idp.accounts.sessions import SigninSession
from idp.crypto import Vault

KIND = "logout"
TOKEN_LIFE = timedelta(minutes=2)
"""How long a logout token counts (Back-Channel Logout 1.0 §2.4: two minutes at most)."""


def tell(
    db: Session, vault: Vault, session_ids: Iterable[UUID], *, only: str | None = None, now: datetime
) -> int:
    """Queue a message to each client that shares one of these sign-ins, or `only` to this one; how many."""
    shares = (
        select(SigninSession.sid, Person, Client)
        .select_from(Grant)
        .join(SigninSession, SigninSession.id == Grant.session_id)
        .join(Person, Person.id == SigninSession.person_id)
        .join(Client, Client.client_id == Grant.client_id)
        .where(Grant.session_id.in_(list(session_ids)), Client.backchannel_logout_uri.is_not(None))
    )
    if only is not None:
        shares = shares.where(Client.client_id == only)
    told: set[tuple[str, str]] = set()
    for sid, person, client in db.execute(shares):
        if (sid, client.client_id) in told:
            continue
        told.add((sid, client.client_id))
        payload = {
            "client_id": client.client_id,
            "address": client.backchannel_logout_uri,
            "alg": client.id_token_alg,
            "sub": subject(person, client),
            "sid": sid,
        }
        enqueue(db, vault, kind=KIND, subject=_subject(client.client_id), payload=payload, now=now)
    return len(told)


def deliveries(db: Session, client_id: str, *, limit: int) -> list[OutboxMessage]:
    """The latest messages to a client, with their fate; what they said is sealed, or gone."""
    return last_messages(db, kind=KIND, subject=_subject(client_id), limit=limit)


def _subject(client_id: str) -> str:
    return f"client:{client_id}"
