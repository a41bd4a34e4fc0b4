"""Asking about a token and ending it: introspection (RFC 7662) and revocation (RFC 7009).

A client may ask about, and end, its own tokens. The hint only says where to look first.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from authlib.oauth2.rfc6749 import InvalidRequestError
from authlib.oauth2.rfc7009 import RevocationEndpoint
from authlib.oauth2.rfc7662 import IntrospectionEndpoint

from idp.access.grants import (
    LiveGrant,
    end_access_token,
    end_grant,
    find_grant,
    find_refresh_token,
)
from idp.access.subjects import subject
from idp.oauth.claims import entity_claim
from idp.oauth.tokens import AccessToken, read_access_token
from idp.web.platform import db, platform

_METHODS = ("client_secret_basic", "client_secret_post", "none")


@dataclass(frozen=True, slots=True)
class KnownToken:
    """A token that was found, of either kind, with the questions Authlib asks."""

    client_id: str
    grant_id: UUID
    access: AccessToken | None = None
    spent: bool = False

    def check_client(self, client: Any) -> bool:
        """Whether it is this client's token."""
        return bool(self.client_id == client.client_id)


def find_token(supplied: str, *, now: datetime) -> KnownToken | None:
    """The token, looked for as either kind."""
    here = platform()
    access = read_access_token(here.keys, supplied, issuer=here.settings.issuer, now=now)
    if access:
        return KnownToken(access.claims["client_id"], access.grant_id, access)
    found = find_refresh_token(db(), supplied[:200])
    if found is None:
        return None
    token, grant = found
    return KnownToken(grant.client_id, grant.id, spent=token.used_at is not None)


def _supplied(request: Any) -> str:
    # Any hint is ignored: both kinds are looked for, and an unknown hint is no error (RFC 7009 §2.2).
    if "token" not in request.form:
        raise InvalidRequestError("The parameter token is missing.")
    return str(request.form["token"])


class Introspection(IntrospectionEndpoint):
    """Whether a token counts at this instant: asked of the rows it rests on, never of a cache."""

    CLIENT_AUTH_METHODS = _METHODS

    def authenticate_token(self, request: Any, client: Any) -> tuple[KnownToken, LiveGrant, Any] | None:
        """The token with its live grant, if it is this client's and counts."""
        now = self.server.now()
        token = find_token(_supplied(request), now=now)
        if token is None or token.spent or not token.check_client(client):
            return None
        live = find_grant(db(), token.grant_id, jti=token.access.jti if token.access else None, now=now)
        return (token, live, client.registered) if live else None

    def create_introspection_payload(self, token: tuple[KnownToken, LiveGrant, Any] | None) -> dict[str, Any]:
        """`active` and what the client knows of its token anyway."""
        if token is None:
            return {"active": False}
        known, live, client = token
        issuer = platform().settings.issuer
        answer: dict[str, Any] = {
            "active": True,
            "iss": issuer,
            "client_id": known.client_id,
            "sub": subject(live.person, client),
            "scope": live.grant.scope,
            "role": live.session.role,
            "acr": live.session.acr,
            "auth_time": int(live.session.auth_time.timestamp()),
        }
        if known.access:
            claims = known.access.claims
            answer |= {name: claims[name] for name in ("aud", "exp", "iat", "jti", "scope")}
            answer["token_type"] = "Bearer"  # noqa: S105 - a type's name
        else:
            answer["exp"] = int(live.ends_by(live.session.expires_at).timestamp())
        if live.enterprise and "entity" in answer["scope"].split():
            answer["entity"] = entity_claim(live.enterprise)
        return answer


class Revocation(RevocationEndpoint):
    """Ending a token: an access token by itself, a refresh token with everything under its grant."""

    CLIENT_AUTH_METHODS = _METHODS

    def authenticate_token(self, request: Any, client: Any) -> KnownToken | None:
        """The token if it is this client's; another client's is as if unknown."""
        token = find_token(_supplied(request), now=self.server.now())
        return token if token and token.check_client(client) else None

    def revoke_token(self, token: KnownToken, request: Any) -> None:  # noqa: ARG002 - Authlib's signature
        """Now and for good."""
        if token.access:
            expires_at = datetime.fromtimestamp(token.access.claims["exp"], UTC)
            end_access_token(db(), token.access.jti, expires_at=expires_at)
        else:
            end_grant(db(), token.grant_id, now=self.server.now())
