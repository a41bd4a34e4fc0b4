"""Making the answer of the token endpoint from a live grant."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from idp.access import tokens
from idp.access.clients import RegisteredClient
from idp.access.grants import LiveGrant
from idp.access.keys import KeyRing
from idp.config import Settings
from idp.crypto import Vault
from idp.oauth.claims import asked_in_id_token, id_token_claims
from idp.oauth.resource_indicators import audience
from idp.web.refusals import Refused
from idp.web.refusals import grants as refusals


@dataclass(frozen=True, slots=True)
class Issuer:
    """What tokens are made with."""

    settings: Settings
    keys: KeyRing
    vault: Vault


def scope_held(client: RegisteredClient, granted: str) -> str:
    """Of a scope that was granted, what the client's registration has still.

    The rest is as if it had never been asked for. Raises Refused when nothing is left.
    """
    has = client.scopes if client.may_refresh else client.scopes - {"offline_access"}
    held = [name for name in granted.split() if name in has]
    if not held:
        raise Refused(refusals.SCOPE_WITHDRAWN)
    return " ".join(held)


def audience_held(
    client: RegisteredClient, granted: Collection[str], requested: Sequence[str], *, issuer: str
) -> tuple[str, ...]:
    """For whom a token is to be: of the resources that were granted, those the client has still.

    Raises Refused when what was requested is not among them, or none is left: a grant for a resource
    that was withdrawn does not become one for this provider.
    """
    held = client.resources_held(granted, issuer=issuer)
    if granted and not held and not any(requested):
        raise Refused(refusals.INVALID_TARGET)
    return audience(requested, held, issuer=issuer)


def token_answer(
    issuer: Issuer,
    live: LiveGrant,
    client: RegisteredClient,
    scope: str,
    *,
    audience: tuple[str, ...],
    dpop_jkt: str | None,
    nonce: str | None,
    refresh_token: str | None,
    now: datetime,
) -> dict[str, Any]:
    """Access token, ID token and what belongs to them (RFC 6749 §5.1, OIDC Core §3.1.3.3).

    `audience` is whom the access token is for, `dpop_jkt` the key it is bound to (RFC 9449 §5).
    """
    settings = issuer.settings
    until = tokens.lifetime(live, longest=settings.seconds("token_lifetime"), now=now)
    access = tokens.make_access_token(
        issuer.keys,
        live,
        client,
        scope,
        audience=audience,
        dpop_jkt=dpop_jkt,
        issuer=settings.issuer,
        until=until,
        now=now,
    )
    scopes = tuple(scope.split())
    claims = id_token_claims(
        live, client, scopes, issuer=settings.issuer, nonce=nonce, until=until, now=now
    ) | asked_in_id_token(issuer.vault, live, client, scopes)
    answer: dict[str, Any] = {
        "access_token": access,
        "token_type": tokens.token_type(dpop_jkt),
        "expires_in": max(0, int(until.timestamp()) - int(now.timestamp())),
        "scope": scope,
    }
    # A refresh may narrow the scope until no identity is asked for (OIDC Core §12.2).
    if "openid" in scopes:
        answer["id_token"] = tokens.make_id_token(
            issuer.keys, claims, alg=client.id_token_alg, access_token=access
        )
    if refresh_token:
        answer["refresh_token"] = refresh_token
    return answer
