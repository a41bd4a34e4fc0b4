"""Telling relying parties that a sign-in has ended (OpenID Connect Back-Channel Logout 1.0).

Whoever was granted something in a session and registered an address is told when it ends, by an
outbox row written in the same transaction. The logout token is made at delivery, so that each try
has a fresh `jti` and `exp`. A relying party that is down delays nobody.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from idp.access.clients import Client
from idp.access.grants import Grant
from idp.access.keys import KeyRing
from idp.access.subjects import subject
from idp.accounts.models import Person
from idp.accounts.outbox import NotDelivered, enqueue
from idp.accounts.sessions import SigninSession
from idp.adapters.relying_party import NotReached, RelyingParties
from idp.crypto import Vault, new_token

KIND = "logout"
EVENT = "http://schemas.openid.net/event/backchannel-logout"
TYP = "logout+jwt"
_LIFE = timedelta(minutes=2)


def tell(db: Session, vault: Vault, session_ids: Iterable[UUID], *, now: datetime) -> int:
    """Queue a message to each client that shares one of these sign-ins; how many."""
    shares = (
        select(SigninSession.sid, Person, Client)
        .select_from(Grant)
        .join(SigninSession, SigninSession.id == Grant.session_id)
        .join(Person, Person.id == SigninSession.person_id)
        .join(Client, Client.client_id == Grant.client_id)
        .where(Grant.session_id.in_(list(session_ids)), Client.backchannel_logout_uri.is_not(None))
    )
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
        enqueue(db, vault, kind=KIND, subject=f"client:{client.client_id}", payload=payload, now=now)
    return len(told)


def logout_token(keys: KeyRing, payload: dict[str, Any], *, issuer: str, alg: str, now: datetime) -> str:
    """The signed message (§2.4): whom it concerns, which sign-in, and that it has ended."""
    claims = {
        "iss": issuer,
        "aud": payload["client_id"],
        "sub": payload["sub"],
        "sid": payload["sid"],
        "iat": int(now.timestamp()),
        "exp": int((now + _LIFE).timestamp()),
        "jti": new_token(16),
        "events": {EVENT: {}},
    }
    return keys.sign(claims, alg=alg, typ=TYP)


def deliverer(
    keys: KeyRing, relying_parties: RelyingParties, *, issuer: str, clock: Callable[[], datetime]
) -> Callable[[dict[str, Any]], None]:
    """What the worker delivers rows of this kind with."""

    def deliver(payload: dict[str, Any]) -> None:
        token = logout_token(keys, payload, issuer=issuer, alg=payload["alg"], now=clock())
        try:
            relying_parties.post_logout_token(payload["address"], token)
        except NotReached as fault:
            raise NotDelivered(str(fault)) from None

    return deliver
