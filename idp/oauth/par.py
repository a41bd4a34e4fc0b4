"""Pushed authorization requests (PAR, RFC 9126): a client sends its request itself, proving who it is.

Every rule of an authorization request is checked here, before a browser is involved, and answered as
JSON; what is kept is the checked request.
"""

from __future__ import annotations

from typing import Any

import flask
from authlib.oauth2.rfc6749 import OAuth2Error

from idp.access import assurance, pushed
from idp.access.clients import RegisteredClient
from idp.oauth import authorize, request_object, rules
from idp.oauth.rules import Asked
from idp.oauth.server import Server
from idp.web import dpop
from idp.web.platform import now, platform
from idp.web.refusals import AuthorizationError, Refused, pages, requests


def answer(server: Server) -> Any:
    """The request_uri of the request in hand, or why it is refused. Its body was checked by `check_form`."""
    request = server.create_oauth2_request(flask.request)
    try:
        client = server.authenticate_client(request, None).registered
        request_uri = _push(client, _proved_key(client))
    except AuthorizationError as refused:
        return server.handle_error_response(request, Refused(refused.refusal, **refused.facts))
    except OAuth2Error as refused:
        return server.handle_error_response(request, refused)
    return server.handle_response(201, {"request_uri": request_uri, "expires_in": pushed.LIFETIME}, [])


def _push(client: RegisteredClient, proved_key: str | None) -> str:
    here = platform()
    # Who authenticated is who asks: `client_id` beside that was compared with it.
    values = {**flask.request.form.to_dict(flat=False), "client_id": [client.client_id]}
    if any(values.get("request_uri", [])):
        raise Refused(requests.REQUEST_URI_PUSHED)
    signed = request_object.is_in(values)
    if signed:
        values = request_object.unfolded(values, client, here, now=now())
    try:
        rules.trusted_redirect(values, client)
    except rules.UntrustedRequest:
        raise Refused(pages.UNREGISTERED_REDIRECT) from None
    asked = Asked(
        _bound_to(values, proved_key), client, here.keys, here.settings.issuer, pushed=True, signed=signed
    )
    begun = authorize.validate(asked, assurance.offered(here.settings), now=now())
    return pushed.push(here.store, begun, pending_lifetime=here.settings.pending_lifetime)


def _proved_key(client: RegisteredClient) -> str | None:
    """The key of the DPoP header. None is needed here: the token endpoint asks for it (RFC 9449 §10.1)."""
    return dpop.bound_key(flask.request, client) if dpop.HEADER in flask.request.headers else None


def _bound_to(values: dict[str, list[str]], proved_key: str | None) -> dict[str, list[str]]:
    """The request with the key of its DPoP header, as if `dpop_jkt` said it (RFC 9449 §10.1)."""
    if proved_key is None:
        return values
    if any(given != proved_key for given in values.get("dpop_jkt", []) if given):
        raise Refused(requests.KEY_DIFFERS)
    return {**values, "dpop_jkt": [proved_key]}
