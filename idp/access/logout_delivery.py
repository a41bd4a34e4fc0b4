"""Delivering the messages of :mod:`idp.access.logouts`: what the worker does, and no request.

The logout token is made at delivery, so that each try has a fresh `jti` and `exp`.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from idp.access.keys import KeyRing
from idp.access.logouts import TOKEN_LIFE
from idp.accounts.outbox import NotDelivered
from idp.adapters.relying_party import NotReached, RelyingParties
from idp.crypto import new_token

EVENT = "http://schemas.openid.net/event/backchannel-logout"
TYP = "logout+jwt"


def logout_token(keys: KeyRing, payload: dict[str, Any], *, issuer: str, alg: str, now: datetime) -> str:
    """The signed message (§2.4): whom it concerns, which sign-in, and that it has ended."""
    claims = {
        "iss": issuer,
        "aud": payload["client_id"],
        "sub": payload["sub"],
        "sid": payload["sid"],
        "iat": int(now.timestamp()),
        "exp": int((now + TOKEN_LIFE).timestamp()),
        "jti": new_token(16),
        "events": {EVENT: {}},
    }
    return keys.sign(claims, alg=alg, typ=TYP)


def deliverer(
    keys: Callable[[], KeyRing],
    relying_parties: RelyingParties,
    *,
    issuer: str,
    clock: Callable[[], datetime],
) -> Callable[[dict[str, Any]], None]:
    """What the worker delivers rows of this kind with; `keys` and `clock` are asked for each message."""

    def deliver(payload: dict[str, Any]) -> None:
        token = logout_token(keys(), payload, issuer=issuer, alg=payload["alg"], now=clock())
        try:
            relying_parties.post_logout_token(payload["address"], token)
        except NotReached as fault:
            raise NotDelivered(str(fault)) from None

    return deliver
