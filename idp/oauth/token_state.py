"""Asking about a token and ending it: introspection (RFC 7662) and revocation (RFC 7009).

A client may ask about, and end, its own tokens. A resource server may ask about access tokens that
are for it (its registration says what it `serves`), and is told by what right their bearer acts as
the rows have it at that instant. The hint only says where to look first.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from authlib.oauth2.rfc7009 import RevocationEndpoint
from authlib.oauth2.rfc7662 import IntrospectionEndpoint

from idp.access.clients import RegisteredClient
from idp.access.grants import (
    LiveGrant,
    end_access_token,
    end_grant,
    find_grant,
    find_refresh_token,
    is_ended,
)
from idp.access.profiles import AUTH_METHODS
from idp.access.subjects import subject
from idp.oauth.claims import entity_claim, mandate_claim
from idp.oauth.grants.client_credentials import still_given
from idp.oauth.refusals import Refused
from idp.oauth.refusals import resources as refusals
from idp.oauth.tokens import AccessToken, read_access_token, token_type
from idp.web.platform import db, platform


@dataclass(frozen=True, slots=True)
class KnownToken:
    """A token that was found, of either kind, with the questions Authlib asks.

    A client's own token rests on no grant.
    """

    client_id: str
    grant_id: UUID | None
    access: AccessToken | None = None
    spent: bool = False

    def check_client(self, client: Any) -> bool:
        """Whether it is this client's token."""
        return bool(self.client_id == client.client_id)

    def may_be_shown_to(self, asker: RegisteredClient, *, issuer: str) -> bool:
        """Whether it is the asker's, or an access token for a resource that the asker serves.

        What this provider serves itself is nobody else's, whatever a registration says.
        """
        served = set(self.access.audience) & (asker.serves - {issuer}) if self.access else set()
        return self.check_client(asker) or bool(served)


@dataclass(frozen=True, slots=True)
class CountingToken:
    """A token that counts at this instant, the client it was issued to, and the grant it rests on, if any."""

    token: KnownToken
    client: RegisteredClient
    live: LiveGrant | None


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
        raise Refused(refusals.NO_TOKEN)
    return str(request.form["token"])


class Introspection(IntrospectionEndpoint):
    """Whether a token counts at this instant: asked of the rows it rests on, never of a cache."""

    CLIENT_AUTH_METHODS = AUTH_METHODS

    def authenticate_token(self, request: Any, client: Any) -> CountingToken | None:
        """The token if it counts and may be shown to whoever asks."""
        now, issuer = self.server.now(), platform().settings.issuer
        token = find_token(_supplied(request), now=now)
        if token is None or token.spent or not token.may_be_shown_to(client.registered, issuer=issuer):
            return None
        return _counting(token, issuer=issuer, now=now)

    def create_introspection_payload(self, token: CountingToken | None) -> dict[str, Any]:
        """`active`, and what the token stands for (RFC 7662 §2.2)."""
        if token is None:
            return {"active": False}
        told = (
            _of_refresh_token(token) if token.token.access is None else _of_access_token(token.token.access)
        )
        scope = [name for name in told["scope"].split() if name in token.client.scopes]
        return {
            "active": True,
            "iss": platform().settings.issuer,
            "client_id": token.client.client_id,
            **told,
            "scope": " ".join(scope),
            **(_of_person(token.live, scope) if token.live else {}),
        }


def _counting(token: KnownToken, *, issuer: str, now: datetime) -> CountingToken | None:
    client = platform().clients.find(token.client_id)
    if client is None:
        return None
    if token.grant_id is not None:
        live = find_grant(db(), token.grant_id, jti=token.access.jti if token.access else None, now=now)
        return CountingToken(token, client, live) if live else None
    own = token.access
    counts = own is not None and still_given(own, client, issuer=issuer) and not is_ended(db(), own.jti)
    return CountingToken(token, client, None) if counts else None


def _of_access_token(access: AccessToken) -> dict[str, Any]:
    """What the token says itself; its subject too, so that a resource knows a person by one name."""
    claims = access.claims
    told = {name: claims[name] for name in ("sub", "aud", "exp", "iat", "jti", "scope")}
    told["token_type"] = token_type(access.dpop_jkt)
    if access.dpop_jkt:
        told["cnf"] = {"jkt": access.dpop_jkt}
    return told


def _of_refresh_token(token: CountingToken) -> dict[str, Any]:
    live = token.live
    if live is None:
        raise RuntimeError("a refresh token without a grant")
    told: dict[str, Any] = {
        "sub": subject(live.person, token.client),
        "scope": live.grant.scope,
        "exp": int(live.ends_by(live.session.expires_at).timestamp()),
    }
    if live.grant.dpop_jkt:
        told["cnf"] = {"jkt": live.grant.dpop_jkt}
    return told


def _of_person(live: LiveGrant, scope: list[str]) -> dict[str, Any]:
    """How the human proved himself, and with scope `entity` for which company and by what right he acts."""
    told: dict[str, Any] = {
        "role": live.session.role,
        "acr": live.session.acr,
        "auth_time": int(live.session.auth_time.timestamp()),
    }
    if live.enterprise and "entity" in scope:
        told["entity"] = entity_claim(live.enterprise)
        if live.mandate:
            told["mandate"] = mandate_claim(live.mandate)
    return told


class Revocation(RevocationEndpoint):
    """Ending a token: an access token by itself, a refresh token with everything under its grant."""

    CLIENT_AUTH_METHODS = AUTH_METHODS

    def authenticate_token(self, request: Any, client: Any) -> KnownToken | None:
        """The token if it is this client's; another client's is as if unknown."""
        token = find_token(_supplied(request), now=self.server.now())
        return token if token and token.check_client(client) else None

    def revoke_token(self, token: KnownToken, request: Any) -> None:  # noqa: ARG002 - Authlib's signature
        """Now and for good."""
        if token.access:
            expires_at = datetime.fromtimestamp(token.access.claims["exp"], UTC)
            end_access_token(db(), token.access.jti, expires_at=expires_at)
        elif token.grant_id:
            end_grant(db(), token.grant_id, now=self.server.now())
