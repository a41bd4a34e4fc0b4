"""Asking about a token and ending it: introspection (RFC 7662) and revocation (RFC 7009).

A client may ask about, and end, its own tokens. A resource server may ask about access tokens that
are for it (its registration says what it `serves`), and is told by what right their bearer acts as
the rows have it at that instant. The hint only says where to look first.

A public client proves nothing but its name, and RFC 7662 §2.1 wants some authorization of whoever asks: it
hears whether a token of its own counts, of a bound one only with a proof of its key, and nothing of the
person beside the token's own claims; userinfo tells the rest to whoever may hear it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from authlib.oauth2.rfc7009 import RevocationEndpoint
from authlib.oauth2.rfc7662 import IntrospectionEndpoint
from flask import request as request_in_hand

from idp.access.clients import RegisteredClient
from idp.access.ended_sessions import end_grant
from idp.access.grants import LiveGrant, end_access_token, find_grant, is_ended
from idp.access.profiles import AUTH_METHODS
from idp.access.refresh_tokens import find_refresh_token
from idp.access.subjects import subject
from idp.access.tokens import AccessToken, read_access_token, token_type
from idp.accounts.audit import Action, Event
from idp.oauth.claims import entity_claim, mandate_claim
from idp.oauth.grants.client_credentials import still_given
from idp.web import signin
from idp.web.dpop import HEADER, bound_key
from idp.web.platform import db, platform
from idp.web.refusals import Refused
from idp.web.refusals import resources as refusals


@dataclass(frozen=True, slots=True)
class KnownToken:
    """A token that was found, of either kind, with the questions Authlib asks.

    A client's own token rests on no grant.
    """

    client_id: str
    grant_id: UUID | None
    access: AccessToken | None = None
    spent: bool = False

    @property
    def audience(self) -> tuple[str, ...]:
        """The resources it was made for; a refresh token is for none."""
        return self.access.audience if self.access else ()

    def check_client(self, client: Any) -> bool:
        """Whether it is this client's token."""
        return bool(self.client_id == client.client_id)


@dataclass(frozen=True, slots=True)
class CountingToken:
    """A token that counts at this instant, the client it was issued to, and the grant it rests on, if any.

    `scope` and `audience` are what the client has still of those it was made with.
    """

    token: KnownToken
    client: RegisteredClient
    live: LiveGrant | None
    scope: tuple[str, ...]
    audience: tuple[str, ...]
    tells_of_person: bool = True

    @property
    def dpop_jkt(self) -> str | None:
        """The thumbprint of the key it is bound to."""
        if self.token.access:
            return self.token.access.dpop_jkt
        return self.live.grant.dpop_jkt if self.live else None


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
        now, issuer, asker = self.server.now(), platform().settings.issuer, client.registered
        token = find_token(_supplied(request), now=now)
        owner = platform().clients.find(token.client_id) if token else None
        if token is None or owner is None or not _may_hear(asker, token, owner, issuer=issuer):
            return None
        found = _counting(token, owner, issuer=issuer, now=now)
        if found is None or asker.auth_method != "none":
            return found
        proved = HEADER in request_in_hand.headers and bound_key(request_in_hand, asker) == found.dpop_jkt
        # Nothing of the person: see above.
        return replace(found, tells_of_person=False) if found.dpop_jkt is None or proved else None

    def create_introspection_payload(self, token: CountingToken | None) -> dict[str, Any]:
        """`active`, and what the token stands for (RFC 7662 §2.2)."""
        if token is None:
            return {"active": False}
        return {
            "active": True,
            "iss": platform().settings.issuer,
            "client_id": token.client.client_id,
            **(_of_access_token(token) if token.token.access else _of_refresh_token(token)),
            "scope": " ".join(token.scope),
            **({"cnf": {"jkt": token.dpop_jkt}} if token.dpop_jkt else {}),
            **(_of_person(token.live, token.scope) if token.tells_of_person and token.live else {}),
        }


def _may_hear(asker: RegisteredClient, token: KnownToken, owner: RegisteredClient, *, issuer: str) -> bool:
    """Whether the token is the asker's, or an access token for a resource that the asker serves.

    What this provider serves itself is nobody else's, whatever a registration says.
    """
    served = set(owner.resources_held(token.audience, issuer=issuer)) & (asker.serves - {issuer})
    return asker.client_id == owner.client_id or bool(served)


def _counting(
    token: KnownToken, client: RegisteredClient, *, issuer: str, now: datetime
) -> CountingToken | None:
    """The token, if its client could be given it still and what it rests on lives."""
    access = token.access
    audience = client.resources_held(token.audience, issuer=issuer)
    # Of a client that must prove its key, no token counts that anybody could use (RFC 9449 §5).
    lost = not audience or (client.dpop and access.dpop_jkt is None) if access else not client.may_refresh
    if lost or token.spent:
        return None
    if token.grant_id is None:
        counts = access and still_given(access, client, issuer=issuer) and not is_ended(db(), access.jti)
        return CountingToken(token, client, None, access.scope, audience) if access and counts else None
    live = find_grant(db(), token.grant_id, jti=access.jti if access else None, now=now)
    if live is None:
        return None
    granted = access.scope if access else tuple(live.grant.scope.split())
    held = tuple(name for name in granted if name in client.scopes)
    return CountingToken(token, client, live, held, audience) if held or not granted else None


def _of_access_token(token: CountingToken) -> dict[str, Any]:
    """What the token says itself; its subject too, so that a resource knows a person by one name."""
    access = token.token.access
    if access is None:
        raise RuntimeError("no access token")
    told = {name: access.claims[name] for name in ("sub", "exp", "iat", "jti")}
    aud = token.audience[0] if len(token.audience) == 1 else list(token.audience)
    return {**told, "aud": aud, "token_type": token_type(access.dpop_jkt)}


def _of_refresh_token(token: CountingToken) -> dict[str, Any]:
    live = token.live
    if live is None:
        raise RuntimeError("a refresh token without a grant")
    return {
        "sub": subject(live.person, token.client),
        "exp": int(live.ends_by(live.session.expires_at).timestamp()),
    }


def _of_person(live: LiveGrant, scope: tuple[str, ...]) -> dict[str, Any]:
    """How the human had proved himself when this was granted, and the right he acts by now.

    With scope `entity` also the company.
    """
    told: dict[str, Any] = {
        "role": live.session.role,
        "acr": live.acr,
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

    def revoke_token(self, token: KnownToken, request: Any) -> None:
        """Now and for good."""
        if token.access:
            expires_at = datetime.fromtimestamp(token.access.claims["exp"], UTC)
            end_access_token(db(), token.access.jti, expires_at=expires_at)
        elif token.grant_id:
            if request.client.registered.channel:
                _note_sign_out(token.grant_id, now=self.server.now())
            end_grant(db(), platform().vault, token.grant_id, now=self.server.now())


def _note_sign_out(grant_id: UUID, *, now: datetime) -> None:
    """A line in the trail: with its grant the sign-in of a phone ends (:mod:`idp.access.app_sessions`)."""
    live = find_grant(db(), grant_id, now=now)
    if live is None:
        return
    event = Event(
        Action.SIGNED_OUT,
        target=live.session.account_key,
        detail={"by": "person", "client": live.grant.client_id},
    )
    actor = signin.origin(actor=f"person:{live.person.id}")
    platform().trail.record(db(), event, actor, now=now)
