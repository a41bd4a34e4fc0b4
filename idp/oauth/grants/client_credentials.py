"""grant_type=client_credentials (RFC 6749 §4.4): a client's own token, for the resources of others.

No person stands behind it, so it opens nothing that says something of a person: no ID token, no
refresh token, no userinfo, only scopes that resources define. Its subject is the client
(RFC 9068 §2.2). Nothing is stored for it: while it lives, it counts as long as the registration
still gives what it says (:func:`still_given`).
"""

from __future__ import annotations

from typing import Any

from authlib.oauth2.rfc6749 import grants
from flask import request as request_in_hand

from idp.access import tokens
from idp.access.clients import RegisteredClient
from idp.access.profiles import AUTH_METHODS
from idp.access.registration import RESOURCE_SCOPE
from idp.access.tokens import AccessToken
from idp.oauth.resource_indicators import audience
from idp.web.dpop import bound_key
from idp.web.platform import platform
from idp.web.refusals import Refused
from idp.web.refusals import grants as refusals


class ClientCredentialsGrant(grants.ClientCredentialsGrant):
    """A client's own credentials for a token."""

    TOKEN_ENDPOINT_AUTH_METHODS = AUTH_METHODS

    def create_token_response(self) -> Any:
        """A token for the resources the client named, or for all it is registered for."""
        request: Any = self.request
        client, here, now = request.client.registered, platform(), self.server.now()
        if client.auth_method == "none":
            raise Refused(refusals.PUBLIC_CLIENT)
        jkt = bound_key(request_in_hand, client)
        scope = _scope(client, request.payload.scope or "")
        issuer, until = here.settings.issuer, now + here.settings.seconds("token_lifetime")
        intended_for = audience(request.payload.datalist["resource"], client.resources, issuer=issuer)
        access = tokens.make_access_token(
            here.keys,
            None,
            client,
            scope,
            audience=intended_for,
            dpop_jkt=jkt,
            issuer=issuer,
            until=until,
            now=now,
        )
        answer: dict[str, Any] = {
            "access_token": access,
            "token_type": tokens.token_type(jkt),
            "expires_in": int(until.timestamp()) - int(now.timestamp()),
        }
        if scope:
            answer["scope"] = scope
        return 200, answer, self.TOKEN_RESPONSE_HEADER


def still_given(access: AccessToken, client: RegisteredClient, *, issuer: str) -> bool:
    """Whether the client could still get this token: its registration is all that the token rests on."""
    return (
        "client_credentials" in client.grant_types
        # A token says its second alone.
        and not client.was_registered_after(access.claims["iat"] + 1)
        and set(access.scope) <= _own_scopes(client)
        and set(access.audience) <= {*client.resources, issuer}
    )


def _scope(client: RegisteredClient, asked: str) -> str:
    """What was asked for, or without a wish everything the client itself may have. Raises Refused."""
    own, wanted = _own_scopes(client), set(asked.split())
    if not wanted <= own:
        raise Refused(refusals.CLIENT_SCOPE_REFUSED)
    return " ".join(sorted(wanted or own))


def _own_scopes(client: RegisteredClient) -> set[str]:
    return {scope for scope in client.scopes if RESOURCE_SCOPE.fullmatch(scope)}
