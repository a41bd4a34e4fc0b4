"""Making and reading the two tokens we sign: access tokens (RFC 9068) and ID tokens.

The `typ` header keeps the kinds apart: an access token is never an ID token hint, nor the other
way round. Keys are chosen by `kid` among our own only; nothing in a token is ever fetched.
"""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from joserfc import jwt
from joserfc.errors import JoseError

from idp.access.clients import RegisteredClient
from idp.access.grants import LiveGrant
from idp.access.keys import ACCESS_TOKEN_ALG, ALGORITHMS, KeyRing
from idp.access.subjects import subject
from idp.crypto import b64url, new_token

ACCESS_TYP = "at+jwt"
ID_TYP = "JWT"
_LONGEST = 8192


@dataclass(frozen=True, slots=True)
class AccessToken:
    """An access token that was verified: what it says, and the grant it stands for."""

    claims: dict[str, Any]
    grant_id: UUID

    @property
    def jti(self) -> str:
        """Its own id."""
        return str(self.claims["jti"])

    @property
    def scope(self) -> tuple[str, ...]:
        """What it allows."""
        return tuple(str(self.claims["scope"]).split())


def make_access_token(
    keys: KeyRing,
    live: LiveGrant,
    client: RegisteredClient,
    scope: str,
    *,
    issuer: str,
    until: datetime,
    now: datetime,
) -> str:
    """A signed access token for the resources of this provider (RFC 9068 §2.2), valid to `until`."""
    claims = {
        "iss": issuer,
        "aud": issuer,
        "sub": subject(live.person, client),
        "client_id": client.client_id,
        "scope": scope,
        "iat": int(now.timestamp()),
        "exp": int(until.timestamp()),
        "jti": new_token(16),
        "gid": str(live.grant.id),
        "auth_time": int(live.session.auth_time.timestamp()),
        "acr": live.session.acr,
    }
    return keys.sign(claims, alg=ACCESS_TOKEN_ALG, typ=ACCESS_TYP)


def read_access_token(keys: KeyRing, supplied: str, *, issuer: str, now: datetime) -> AccessToken | None:
    """What an unexpired access token of ours says; whether its grant lives is asked elsewhere."""
    claims = _verified(keys, supplied, typ=ACCESS_TYP, algorithms=(ACCESS_TOKEN_ALG,))
    if claims is None or claims.get("iss") != issuer or claims.get("aud") != issuer:
        return None
    if now.timestamp() >= claims["exp"]:
        return None
    return AccessToken(claims, UUID(claims["gid"]))


def make_id_token(keys: KeyRing, claims: dict[str, Any], *, alg: str, access_token: str) -> str:
    """A signed ID token with `at_hash` over the access token it comes with (OIDC Core §3.1.3.6)."""
    digest = hashlib.sha256(access_token.encode()).digest()
    return keys.sign({**claims, "at_hash": b64url(digest[:16])}, alg=alg, typ=ID_TYP)


def read_id_token(keys: KeyRing, supplied: str, *, issuer: str) -> dict[str, Any] | None:
    """The claims of an ID token of ours, expired or not; None for anything else, logout tokens too."""
    claims = _verified(keys, supplied, typ=ID_TYP, algorithms=ALGORITHMS)
    if claims is None or claims.get("iss") != issuer or "events" in claims or "sid" not in claims:
        return None
    return claims


def lifetime(live: LiveGrant, *, longest: timedelta, now: datetime) -> datetime:
    """When a token minted now ends: never after its sign-in or its mandate."""
    return live.ends_by(now + longest)


def _verified(
    keys: KeyRing, supplied: str, *, typ: str, algorithms: tuple[str, ...]
) -> dict[str, Any] | None:
    if len(supplied) > _LONGEST or not supplied.isascii() or _typ_of(supplied) != typ:
        return None
    try:
        return dict(jwt.decode(supplied, keys.verifying, algorithms=list(algorithms)).claims)
    except (JoseError, ValueError, TypeError, KeyError):
        return None


def _typ_of(supplied: str) -> str | None:
    head = supplied.partition(".")[0]
    try:
        header = json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))
    except (ValueError, RecursionError):
        return None
    return header.get("typ") if isinstance(header, dict) and isinstance(header.get("kid"), str) else None
