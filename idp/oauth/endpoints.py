"""The addresses programs call: discovery, keys, tokens, userinfo. Every answer is JSON, errors too.

No cookie counts here and none is set; who calls is proved by the request itself.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from authlib.oauth2.rfc6749 import OAuth2Error
from flask import Blueprint, Flask, Response, current_app, jsonify, request

from idp.access.grants import find_grant
from idp.access.keys import JWKS_MAX_AGE
from idp.config import Settings
from idp.oauth import discovery, par, registration, step_up
from idp.oauth.claims import userinfo as userinfo_claims
from idp.oauth.device_authorization import DeviceAuthorization
from idp.oauth.grants.authorization_code import S256, AuthorizationCodeGrant
from idp.oauth.grants.client_credentials import ClientCredentialsGrant
from idp.oauth.grants.device_code import DeviceCodeGrant
from idp.oauth.grants.refresh_token import RefreshTokenGrant
from idp.oauth.server import Server, check_form
from idp.oauth.token_state import Introspection, Revocation
from idp.web import dpop, errors
from idp.web.platform import db, now, platform
from idp.web.presented_token import challenge, presented_token
from idp.web.refusals import Refused, anywhere
from idp.web.refusals import resources as refusals
from idp.web.security import PROGRAMS, csrf

blueprint = Blueprint(PROGRAMS, __name__)
csrf.exempt(blueprint)
blueprint.after_request(dpop.offer_nonce)

_DISCOVERY = "oauth-discovery"
_SERVER = "oauth-server"


def install(app: Flask, configured: Settings) -> None:
    """Register the endpoints, and make what does not change while the process lives."""
    server = Server(app.extensions["idp-platform"].clients, configured.issuer, now)
    server.register_grant(AuthorizationCodeGrant, [S256()])
    server.register_grant(RefreshTokenGrant)
    server.register_grant(ClientCredentialsGrant)
    server.register_grant(DeviceCodeGrant)
    server.register_endpoint(DeviceAuthorization)
    server.register_endpoint(Introspection)
    server.register_endpoint(Revocation)
    app.extensions[_SERVER] = server
    app.extensions[_DISCOVERY] = discovery.document(configured)
    errors.tell_programs(app, anywhere.told_by_status(configured.issuer))
    app.register_blueprint(blueprint)


@blueprint.get("/.well-known/openid-configuration")
@blueprint.get("/.well-known/oauth-authorization-server", endpoint="discovery_rfc8414")
def discovery_document() -> Response:
    """What this provider offers."""
    made: discovery.Document = current_app.extensions[_DISCOVERY]
    return _public(made.body, made.etag)


@blueprint.get("/oauth/jwks")
def jwks() -> Response:
    """The keys that verify our tokens."""
    keys = platform().keys
    return _public(keys.jwks, keys.etag)


@blueprint.post("/oauth/token")
def token() -> Any:
    """Codes, refresh tokens, device codes and a client's own credentials for tokens."""
    return _answer_form(lambda server: server.create_token_response(request))


@blueprint.post("/oauth/device")
def device() -> Any:
    """A device without a browser begins (RFC 8628)."""
    return _answer_form(lambda server: _endpoint(server, DeviceAuthorization.ENDPOINT_NAME))


@blueprint.post("/oauth/introspect")
def introspect() -> Any:
    """Whether a token counts now (RFC 7662)."""
    return _answer_form(lambda server: _endpoint(server, Introspection.ENDPOINT_NAME))


@blueprint.post("/oauth/revoke")
def revoke() -> Any:
    """End a token (RFC 7009)."""
    return _answer_form(lambda server: _endpoint(server, Revocation.ENDPOINT_NAME))


@blueprint.post("/oauth/par")
def push() -> Any:
    """An authorization request, pushed by its client (RFC 9126)."""
    return _answer_form(par.answer)


@blueprint.post("/oauth/register")
def register() -> Response:
    """A new client, by an initial access token (RFC 7591)."""
    return registration.answer(request)


@blueprint.route("/oauth/userinfo", methods=["GET", "POST"])
def userinfo() -> Any:
    """Claims about the human, the company and the mandate (OIDC Core §5.3)."""
    try:
        presented = presented_token(request)
    except Refused as refused:
        return challenge(request, refused.refusal)
    if presented is None:
        return challenge(request, None)
    access, client = presented.access, presented.client
    live = find_grant(db(), access.grant_id, jti=access.jti, now=now()) if access.grant_id else None
    if live is None:
        return challenge(request, refusals.TOKEN_REFUSED)
    # A scope taken from the client since the token was made no longer opens anything.
    scope = tuple(name for name in access.scope if name in client.scopes)
    if "openid" not in scope:
        return challenge(request, refusals.INSUFFICIENT_SCOPE, scope="openid")
    asked_for = step_up.insufficient(client, live, now=now())
    if asked_for is not None:
        return challenge(request, refusals.STEP_UP, **asked_for)
    response = jsonify(userinfo_claims(platform().vault, live, client, scope))
    response.headers["Cache-Control"] = "no-store"
    return response


def _answer_form(answer: Callable[[Server], Any]) -> Any:
    """What `answer` makes of the request, once its body is a form without doubled parameters."""
    server: Server = current_app.extensions[_SERVER]
    try:
        check_form(request)
    except OAuth2Error as refused:
        return server.handle_error_response(server.create_oauth2_request(request), refused)
    return answer(server)


def _endpoint(server: Server, name: str) -> Any:
    return server.create_endpoint_response(name, request)  # type: ignore[no-untyped-call]  # Authlib's


def _public(body: bytes, etag: str) -> Response:
    response = Response(body, content_type="application/json")
    response.set_etag(etag)
    response.headers["Cache-Control"] = f"public, max-age={JWKS_MAX_AGE}"
    response.headers["Access-Control-Allow-Origin"] = "*"
    return response.make_conditional(request)  # type: ignore[return-value]  # werkzeug's base class
