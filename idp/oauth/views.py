"""The provider's addresses: parse, call one function, answer."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from authlib.oauth2.rfc6749 import OAuth2Error
from flask import Blueprint, Flask, Response, current_app, jsonify, redirect, request, url_for
from flask_wtf.csrf import validate_csrf
from werkzeug.wrappers import Response as BaseResponse
from wtforms import ValidationError

from idp.access import consents, pending
from idp.access.clients import origin_of
from idp.access.grants import find_grant
from idp.access.pending import PendingRequest
from idp.accounts.audit import Action, Event
from idp.accounts.sessions import SignedIn
from idp.config import Settings
from idp.oauth import authorize as dispatcher
from idp.oauth import discovery, rules
from idp.oauth import logout as logouts
from idp.oauth.authorize import Answering, Step
from idp.oauth.claims import userinfo as userinfo_claims
from idp.oauth.grants.authorization_code import S256, AuthorizationCodeGrant
from idp.oauth.grants.refresh_token import RefreshTokenGrant
from idp.oauth.server import Server, check_form
from idp.oauth.token_state import Introspection, Revocation
from idp.oauth.tokens import read_access_token
from idp.web import cookies, signin
from idp.web.errors import Stop
from idp.web.platform import db, now, platform, settings
from idp.web.render import minute, page
from idp.web.security import allow_form_to, csrf
from idp.web.signin import sign_in_required
from idp.web.words import who

blueprint = Blueprint("oauth", __name__)

_PUBLIC_FOR = 300
_DISCOVERY = "oauth-discovery"
_SERVER = "oauth-server"
_SEES = {
    "openid": "一个只用于该网站的编号，用来认出您",
    "profile": "您的姓名和登录名",
    "phone": "您的手机号码",
    "identity": "您的证件类型和证件号码",
    "entity": "您代表的企业、您的身份和权限",
    "offline_access": "在您离开后继续读取以上信息，直到这次登录结束",
}


def install(app: Flask, configured: Settings) -> None:
    """Register the endpoints, and make what does not change while the process lives."""
    server = Server(app.extensions["idp-platform"].clients, now)
    server.register_grant(AuthorizationCodeGrant, [S256()])
    server.register_grant(RefreshTokenGrant)
    server.register_endpoint(Introspection)
    server.register_endpoint(Revocation)
    app.extensions[_SERVER] = server
    app.extensions[_DISCOVERY] = discovery.document(configured)
    for view in (authorize, token, introspect, revoke, userinfo, logout):
        csrf.exempt(view)
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


@blueprint.route("/oauth/authorize", methods=["GET", "POST"])
def authorize() -> Any:
    """Begin an authorization, or go on with the one the browser carries."""
    if request.method == "POST":
        # Cookies do not come with another site's POST (SameSite=Lax); they do with the GET after it.
        again = [(name, value) for name, value in request.form.items(multi=True) if name != "tx"]
        return redirect(url_for("oauth.authorize") + "?" + urlencode(again), 303)
    transaction = request.args.get("tx")
    if transaction is not None:
        return _proceed(_resumed(transaction), transaction)
    values = request.args.to_dict(flat=False)
    client = platform().clients.find(request.args.get("client_id", ""))
    try:
        redirect_uri = rules.trusted_redirect(values, client)
    except rules.UntrustedRequest:
        raise _untrusted() from None
    try:
        begun = dispatcher.validate(values, client, platform().keys, issuer=settings().issuer, now=now())  # type: ignore[arg-type]  # trusted_redirect refuses None
        return _proceed(Answering(begun, client), None)  # type: ignore[arg-type]  # likewise
    except rules.AuthorizationError as refused:
        return _error_to_client(refused, redirect_uri, values.get("state", []))


@blueprint.route("/oauth/consent", methods=["GET", "POST"])
@sign_in_required
def consent() -> Any:
    """A third-party portal asks for the first time, or asked to be asked about."""
    transaction = request.args.get("tx", "")
    asked, signed_in = _resumed(transaction), signin.required()
    if dispatcher.next_step(db(), asked, signed_in) not in {Step.CONSENT, Step.ANSWER}:
        return redirect(url_for("oauth.authorize", tx=transaction))
    decision = request.form.get("decision") if request.method == "POST" else None
    if decision == "allow":
        consents.give(db(), signed_in.identity, asked.client.client_id, asked.request.scope, now=now())
        event = Event(
            Action.CONSENT_GIVEN,
            entity=str(signed_in.identity.enterprise_id or ""),
            target=f"client:{asked.client.client_id}",
            detail={"scope": list(asked.request.scope)},
        )
        platform().trail.record(db(), event, signin.origin(), now=now())
        return _answer(asked.request, signed_in, transaction)
    if decision == "deny":
        pending.take(platform().store, transaction, browser=cookies.browser_id())
        denied = rules.AuthorizationError("access_denied", "The person refused.")
        return _error_to_client(denied, asked.request.redirect_uri, [asked.request.params.get("state", "")])
    allow_form_to(asked.request.form_origins)
    return page(
        "oauth/consent.html",
        portal_name=asked.client.name,
        portal_site=asked.request.redirect_uri.split("/")[2],
        sees=[_SEES[scope] for scope in asked.request.scope],
        who=who(signed_in, platform().vault),
    )


@blueprint.post("/oauth/token")
def token() -> Any:
    """Codes and refresh tokens for tokens."""
    server = _server()
    try:
        check_form(request)
    except OAuth2Error as refused:
        return server.handle_response(*refused())
    return server.create_token_response(request)


@blueprint.post("/oauth/introspect")
def introspect() -> Any:
    """Whether a token counts now (RFC 7662)."""
    return _token_endpoint(Introspection.ENDPOINT_NAME)


@blueprint.post("/oauth/revoke")
def revoke() -> Any:
    """End a token (RFC 7009)."""
    return _token_endpoint(Revocation.ENDPOINT_NAME)


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


@blueprint.route("/oauth/logout", methods=["GET", "POST"])
def logout() -> Any:
    """Sign out at the wish of a relying party (I07)."""
    if request.method == "POST" and "confirm" not in request.form:
        # Another site's POST comes without cookies, as with `authorize`.
        again = [
            (name, value) for name, value in request.values.items(multi=True) if name in logouts.PARAMETERS
        ]
        return redirect(url_for("oauth.logout") + "?" + urlencode(again), 303)
    values = request.values.to_dict(flat=False)
    try:
        asked = logouts.parse(values, platform().clients, platform().keys, issuer=settings().issuer)
    except logouts.LogoutRefused:
        raise Stop(
            "没有退出登录",
            "退出请求不完整，或要返回的地址没有登记过，没有做任何更改。您可以在这里直接退出。",
            ways=(("回到首页", url_for("web.home")),),
        ) from None
    signed_in = signin.current()
    if signed_in is None:
        _end_idle(asked)
        return redirect(asked.return_to or url_for("login.signed_out"), 303)
    if asked.is_of(signed_in) or _confirmed():
        signin.sign_out(by="client")
        return redirect(asked.return_to or url_for("login.signed_out"), 303)
    if asked.return_to:
        allow_form_to([origin_of(asked.return_to)])
    return page(
        "login/confirm_sign_out.html",
        who=who(signed_in, platform().vault),
        signed_in_at=minute(signed_in.session.auth_time),
        action=url_for("oauth.logout"),
        hidden=[(name, values[name][0]) for name in logouts.PARAMETERS if name in values]
        + [("confirm", "1")],
        ways=[("保留登录", signin.home_of(signed_in.identity.role))],
    )


def _proceed(asked: Answering, transaction: str | None) -> BaseResponse:
    signed_in = signin.current()
    step = dispatcher.next_step(db(), asked, signed_in)
    if step is Step.ANSWER and signed_in is not None:
        return _answer(asked.request, signed_in, transaction)
    if "none" in asked.request.prompts:
        raise dispatcher.refuse_silently(step)
    if transaction is None:
        transaction = pending.keep(
            platform().store, asked.request, browser=cookies.browser_id(), ttl=settings().pending_lifetime
        )
    view = {
        Step.SIGN_IN: "login.start",
        Step.COMPANY: "login.company",
        Step.OTHER_IDENTITY: "login.identity",
        Step.CONSENT: "oauth.consent",
    }[step]
    return redirect(url_for(view, tx=transaction), 303)


def _answer(asked: PendingRequest, signed_in: SignedIn, transaction: str | None) -> BaseResponse:
    if transaction is not None:
        taken = pending.take(platform().store, transaction, browser=cookies.browser_id())
        if taken is None:
            raise _gone()
        asked = taken
    return redirect(dispatcher.answer(platform().store, settings(), asked, signed_in, now=now()), 303)


def _resumed(transaction: str) -> Answering:
    found = pending.find(platform().store, transaction, browser=cookies.browser_id())
    client = platform().clients.find(found.client_id) if found else None
    if found is None or client is None or found.redirect_uri not in client.redirect_uris:
        raise _gone()
    return Answering(found, client)


def _end_idle(asked: logouts.LogoutRequest) -> None:
    """End the sign-in of a browser unused for too long: its portals may still hold tokens of it."""
    idle = logouts.find_unended(db(), cookies.session_token(), asked.sid)
    if idle is None:
        return
    signin.end(idle.id, reason="signed_out")
    event = Event(Action.SIGNED_OUT, entity=str(idle.enterprise_id or ""), detail={"by": "client"})
    platform().trail.record(db(), event, signin.origin(actor=f"person:{idle.person_id}"), now=now())
    signin.forget()


def _confirmed() -> bool:
    if request.method != "POST" or request.form.get("confirm") != "1":
        return False
    try:
        validate_csrf(request.form.get("csrf_token"))
    except ValidationError:
        return False
    return request.headers.get("Origin") in {None, settings().issuer}


def _error_to_client(refused: rules.AuthorizationError, redirect_uri: str, states: list[str]) -> BaseResponse:
    state = states[0] if len(states) == 1 and states[0] and len(states[0]) <= 2048 else None
    values = {"error": refused.error, "error_description": refused.description}
    return redirect(
        dispatcher.back_to_client(redirect_uri, values, state=state, issuer=settings().issuer), 303
    )


def _untrusted() -> Stop:
    return Stop(
        "这个登录请求不能继续",
        "发起登录的网站没有在本平台登记，或登记的返回地址与请求不一致。为保护账号安全已停止，没有做任何更改。"
        "请从办事网站的首页重新进入；如果仍然出现，请告知该网站。",
        ways=(("登录通行", url_for("login.start")), ("回到首页", url_for("web.home"))),
    )


def _gone() -> Stop:
    return Stop(
        "登录没有完成",
        "这次登录已经完成、等待太久，或是在另一个浏览器里开始的。账号没有受到影响，请回到原来的网站重新登录。",
        ways=(("登录通行", url_for("login.start")), ("回到首页", url_for("web.home"))),
    )


def _token_endpoint(name: str) -> Any:
    server = _server()
    try:
        check_form(request)
    except OAuth2Error as refused:
        return server.handle_response(*refused())
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


def _server() -> Server:
    server: Server = current_app.extensions[_SERVER]
    return server
