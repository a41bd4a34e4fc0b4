"""Making and reading the two tokens we sign: access tokens (RFC 9068) and ID tokens.

The `typ` header keeps the kinds apart: an access token is never an ID token hint, nor the other
way round. Keys are chosen by `kid` among our own only; nothing in a token is ever fetched.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from joserfc.errors import JoseError

from idp.access.clients import RegisteredClient
from idp.access.grants import LiveGrant
from idp.access.keys import ACCESS_TOKEN_ALG, ALGORITHMS, KeyRing
from idp.access.subjects import subject
from idp.crypto import b64url, from_b64url, new_token

ACCESS_TYP = "at+jwt"
ID_TYP = "JWT"
LONGEST_TOKEN = 8192


@dataclass(frozen=True, slots=True)
class AccessToken:
    """An access token that was verified: what it says, and the grant it stands for.

    Without a grant it is the client's own (RFC 6749 §4.4).
    """

    claims: dict[str, Any]
    grant_id: UUID | None

    @property
    def jti(self) -> str:
        """Its own id."""
        return str(self.claims["jti"])

    @property
    def scope(self) -> tuple[str, ...]:
        """What it allows."""
        return tuple(str(self.claims["scope"]).split())

    @property
    def audience(self) -> tuple[str, ...]:
        """The resources it is for; the issuer stands for this provider's own."""
        aud = self.claims["aud"]
        return (aud,) if isinstance(aud, str) else tuple(aud)

    @property
    def dpop_jkt(self) -> str | None:
        """The thumbprint of the key it is bound to (RFC 9449 §6.1); None for a bearer token."""
        found = self.claims.get("cnf", {}).get("jkt")
        return str(found) if found else None


def make_access_token(
    keys: KeyRing,
    live: LiveGrant | None,
    client: RegisteredClient,
    scope: str,
    *,
    audience: tuple[str, ...],
    dpop_jkt: str | None,
    issuer: str,
    until: datetime,
    now: datetime,
) -> str:
    """A signed access token for the resources in `audience` (RFC 9068 §2.2), valid to `until`.

    Without a live grant it is the client's own, and its subject the client (§2.2). `dpop_jkt` binds it
    to a key (RFC 9449 §6.1).
    """
    claims: dict[str, Any] = {
        "iss": issuer,
        "aud": audience[0] if len(audience) == 1 else list(audience),
        "sub": subject(live.person, client) if live else client.client_id,
        "client_id": client.client_id,
        "scope": scope,
        "iat": int(now.timestamp()),
        "exp": int(until.timestamp()),
        "jti": new_token(16),
    }
    if live:
        claims["gid"] = str(live.grant.id)
        claims["auth_time"] = int(live.session.auth_time.timestamp())
        claims["acr"] = live.acr
    if dpop_jkt:
        claims["cnf"] = {"jkt": dpop_jkt}
    return keys.sign(claims, alg=ACCESS_TOKEN_ALG, typ=ACCESS_TYP)


def read_access_token(keys: KeyRing, supplied: str, *, issuer: str, now: datetime) -> AccessToken | None:
    """What an unexpired access token of ours says.

    Whether its grant lives, its audience fits and its key is proved, is asked elsewhere.
    """
    claims = _verified(keys, supplied, typ=ACCESS_TYP, algorithms=(ACCESS_TOKEN_ALG,))
    if claims is None or claims.get("iss") != issuer:
        return None
    if now.timestamp() >= claims["exp"]:
        return None
    return AccessToken(claims, UUID(claims["gid"]) if "gid" in claims else None)


def make_id_token(keys: KeyRing, claims: dict[str, Any], *, alg: str, access_token: str) -> str:
    """A signed ID token with `at_hash` over the access token it comes with (OIDC Core §3.1.3.6)."""
    # The hash of the signature's own algorithm; Ed25519 is built on SHA-512 (RFC 8032 §5.1).
    digest = hashlib.new("sha512" if alg == "EdDSA" else "sha256", access_token.encode()).digest()
    return keys.sign({**claims, "at_hash": b64url(digest[: len(digest) // 2])}, alg=alg, typ=ID_TYP)


def read_id_token(keys: KeyRing, supplied: str, *, issuer: str) -> dict[str, Any] | None:
    """The claims of an ID token of ours, expired or not; None for anything else, logout tokens too."""
    claims = _verified(keys, supplied, typ=ID_TYP, algorithms=ALGORITHMS)
    if claims is None or claims.get("iss") != issuer or "events" in claims or "sid" not in claims:
        return None
    return claims


def token_type(dpop_jkt: str | None) -> str:
    """How an access token is to be sent: with a proof (RFC 9449 §5) or alone (RFC 6750)."""
    return "DPoP" if dpop_jkt else "Bearer"


def lifetime(live: LiveGrant, *, longest: timedelta, now: datetime) -> datetime:
    """When a token minted now ends: never after its sign-in or its mandate."""
    return live.ends_by(now + longest)


def _verified(
    keys: KeyRing, supplied: str, *, typ: str, algorithms: tuple[str, ...]
) -> dict[str, Any] | None:
    if len(supplied) > LONGEST_TOKEN or not supplied.isascii() or _typ_of(supplied) != typ:
        return None
    try:
        return keys.read(supplied, algorithms=algorithms)
    except (JoseError, ValueError, TypeError, KeyError):
        return None


def _typ_of(supplied: str) -> str | None:
    head = supplied.partition(".")[0]
    try:
        header = json.loads(from_b64url(head))
    except (ValueError, RecursionError):
        return None
    return header.get("typ") if isinstance(header, dict) and isinstance(header.get("kid"), str) else None
