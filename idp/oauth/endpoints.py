"""The addresses programs call: discovery, keys, tokens, userinfo. Every answer is JSON, errors too.

No cookie counts here and none is set; who calls is proved by the request itself.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from authlib.oauth2.rfc6749 import OAuth2Error
from flask import Blueprint, Flask, Response, current_app, jsonify, request

from idp.access.grants import find_grant
from idp.config import Settings
from idp.oauth import discovery
from idp.oauth.claims import userinfo as userinfo_claims
from idp.oauth.grants.authorization_code import S256, AuthorizationCodeGrant
from idp.oauth.grants.refresh_token import RefreshTokenGrant
from idp.oauth.server import Server, check_form
from idp.oauth.token_state import Introspection, Revocation
from idp.oauth.tokens import read_access_token
from idp.web.platform import db, now, platform
from idp.web.security import PROGRAMS, csrf

blueprint = Blueprint(PROGRAMS, __name__)
csrf.exempt(blueprint)

_PUBLIC_FOR = 300
_DISCOVERY = "oauth-discovery"
_SERVER = "oauth-server"


def install(app: Flask, configured: Settings) -> None:
    """Register the endpoints, and make what does not change while the process lives."""
    server = Server(app.extensions["idp-platform"].clients, now)
    server.register_grant(AuthorizationCodeGrant, [S256()])
    server.register_grant(RefreshTokenGrant)
    server.register_endpoint(Introspection)
    server.register_endpoint(Revocation)
    app.extensions[_SERVER] = server
    app.extensions[_DISCOVERY] = discovery.document(configured)
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
    """Codes and refresh tokens for tokens."""
    return _answer_form(lambda server: server.create_token_response(request))


@blueprint.post("/oauth/introspect")
def introspect() -> Any:
    """Whether a token counts now (RFC 7662)."""
    return _answer_form(lambda server: _endpoint(server, Introspection.ENDPOINT_NAME))


@blueprint.post("/oauth/revoke")
def revoke() -> Any:
    """End a token (RFC 7009)."""
    return _answer_form(lambda server: _endpoint(server, Revocation.ENDPOINT_NAME))


@blueprint.route("/oauth/userinfo", methods=["GET", "POST"])
def userinfo() -> Any:
    """Claims about the human, the company and the mandate (OIDC Core §5.3)."""
    here = platform()
    supplied = _bearer()
    if supplied is None:
        return _unauthorized(None)
    access = read_access_token(here.keys, supplied, issuer=here.settings.issuer, now=now())
    client = here.clients.find(access.claims["client_id"]) if access else None
    live = find_grant(db(), access.grant_id, jti=access.jti, now=now()) if access and client else None
    if access is None or client is None or live is None:
        return _unauthorized("The access token is expired, revoked or malformed.")
    # A scope taken from the client since the token was made no longer opens anything.
    scope = tuple(name for name in access.scope if name in client.scopes)
    response = jsonify(userinfo_claims(here.vault, live, client, scope))
    response.headers["Cache-Control"] = "no-store"
    return response


def _answer_form(answer: Callable[[Server], Any]) -> Any:
    """What `answer` makes of the request, once its body is a form without doubled parameters."""
    server: Server = current_app.extensions[_SERVER]
    try:
        check_form(request)
    except OAuth2Error as refused:
        return server.handle_response(*refused())
    return answer(server)


def _endpoint(server: Server, name: str) -> Any:
    return server.create_endpoint_response(name, request)  # type: ignore[no-untyped-call]  # Authlib's


def _bearer() -> str | None:
    """The access token, from the header, or from the body of a POST (RFC 6750 §2)."""
    header = request.headers.get("Authorization", "")
    scheme, _, supplied = header.partition(" ")
    if header:
        return supplied.strip() if scheme.lower() == "bearer" and supplied.strip() else None
    return request.form.get("access_token") if request.method == "POST" else None


def _unauthorized(description: str | None) -> Response:
    challenge = 'Bearer realm="userinfo"'
    body: dict[str, str] = {}
    if description:
        challenge += f', error="invalid_token", error_description="{description}"'
        body = {"error": "invalid_token", "error_description": description}
    response = jsonify(body)
    response.status_code = 401
    response.headers["WWW-Authenticate"] = challenge
    return response


def _public(body: bytes, etag: str) -> Response:
    response = Response(body, content_type="application/json")
    response.set_etag(etag)
    response.headers["Cache-Control"] = f"public, max-age={_PUBLIC_FOR}"
    response.headers["Access-Control-Allow-Origin"] = "*"
    return response.make_conditional(request)  # type: ignore[return-value]  # werkzeug's base class
