"""The addresses a person's browser comes to: authorize, consent, decline, logout."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from flask import Blueprint, redirect, request, url_for
from flask_wtf.csrf import validate_csrf
from werkzeug.exceptions import RequestURITooLarge
from werkzeug.wrappers import Response as BaseResponse
from wtforms import ValidationError

from idp.access import assurance, consents, pending, pushed
from idp.access.clients import RegisteredClient, origin_of
from idp.access.pending import PendingRequest
from idp.access.profiles import DEVICE_GRANT
from idp.accounts.audit import Action, Event
from idp.accounts.sessions import SignedIn
from idp.oauth import authorize as dispatcher
from idp.oauth import logout as logouts
from idp.oauth import request_object, responses, rules
from idp.oauth.authorize import Answering, Step
from idp.oauth.responses import ReturnAddress
from idp.oauth.rules import Asked
from idp.web import cookies, shown, signin
from idp.web.errors import Stop
from idp.web.platform import db, now, platform, settings
from idp.web.refusals import AuthorizationError, Refusal, answers, pages, requests
from idp.web.render import minute, page
from idp.web.scope_words import what_it_sees
from idp.web.security import LONGEST_QUERY, allow_form_to, csrf
from idp.web.signin import sign_in_required
from idp.web.words import who

blueprint = Blueprint("oauth", __name__)


@blueprint.route("/oauth/authorize", methods=["GET", "POST"])
def authorize() -> Any:
    """Begin an authorization, or go on with the one the browser carries."""
    if request.method == "POST":
        # Cookies do not come with another site's POST (SameSite=Lax); they do with the GET after it.
        again = [(name, value) for name, value in request.form.items(multi=True) if name != "tx"]
        return _opened_again("oauth.authorize", again)
    transaction = request.args.get("tx")
    if transaction is not None:
        resumed = _resumed(transaction)
        try:
            return _proceed(_as_registered(resumed), transaction)
        except AuthorizationError as refused:
            return _refuse(resumed, transaction, refused)
    return _begin(request.args.to_dict(flat=False))


@blueprint.route("/oauth/consent", methods=["GET", "POST"])
@sign_in_required
def consent() -> Any:
    """A third-party portal asks for the first time, or asked to be asked about."""
    transaction = request.args.get("tx", "")
    resumed, signed_in = _resumed(transaction), signin.required()
    decision = request.form.get("decision") if request.method == "POST" else None
    if decision == "deny":
        return _refuse(resumed, transaction, AuthorizationError(answers.DENIED))
    try:
        asked = _as_registered(resumed)
    except AuthorizationError as refused:
        return _refuse(resumed, transaction, refused)
    if dispatcher.next_step(db(), asked, signed_in, assurance.offered(settings())).step not in {
        Step.CONSENT,
        Step.ANSWER,
    }:
        return redirect(url_for("oauth.authorize", tx=transaction))
    changed = shown.changed_since(transaction)
    if decision == "allow" and not changed:
        return _allow(asked, signed_in, transaction)
    allow_form_to(asked.request.form_origins)
    return page(
        "oauth/consent.html",
        portal_name=asked.client.name,
        portal_site=asked.request.redirect_uri.split("/")[2],
        self_registered=asked.client.self_registered,
        sees=what_it_sees(dispatcher.to_be_agreed(asked.request)),
        who=who(signed_in, platform().vault),
        changed=changed,
        hidden=[shown.field(transaction)],
    )


@blueprint.post("/oauth/decline")
def decline() -> Any:
    """Somebody goes back to the portal without signing in, or without what it asked for besides."""
    transaction = request.args.get("tx", "")
    return _refuse(_resumed(transaction), transaction, AuthorizationError(answers.DENIED))


@blueprint.route("/oauth/logout", methods=["GET", "POST"])
def logout() -> Any:
    """Sign out at the wish of a relying party (I07)."""
    if request.method == "POST" and "confirm" not in request.form:
        # Another site's POST comes without cookies, as with `authorize`.
        again = [
            (name, value) for name, value in request.values.items(multi=True) if name in logouts.PARAMETERS
        ]
        return _opened_again("oauth.logout", again)
    values = request.values.to_dict(flat=False)
    try:
        asked = logouts.parse(values, platform().clients, platform().keys, issuer=settings().issuer)
    except logouts.LogoutRefused:
        raise Stop(
            "没有退出登录",
            "退出请求不完整，或要返回的地址没有登记过，没有做任何更改。您可以在这里直接退出。",
            ways=(("去退出", url_for("oauth.logout")), ("回到首页", url_for("web.home"))),
            explained=pages.LOGOUT_REFUSED.uri(settings().issuer),
        ) from None
    signed_in = signin.current()
    if signed_in is None:
        _end_idle(asked)
        return redirect(asked.return_to or url_for("login.signed_out"), 303)
    changed = shown.changed_since()
    if asked.is_of(signed_in) or (_confirmed() and not changed):
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
        + [("confirm", "1"), shown.field()],
        changed=changed,
        ways=[("保留登录", signin.home_of(signed_in.identity.role))],
    )


def _begin(values: dict[str, list[str]]) -> BaseResponse:
    """A request as a portal's user brings it: pushed before, in a request object, or in the query."""
    here = platform()
    client = here.clients.find(values.get("client_id", [""])[0])
    if client is None:
        raise _untrusted(pages.UNKNOWN_CLIENT)
    if any(given.startswith(pushed.PREFIX) for given in values.get("request_uri", [])):
        return _begin_answering(_pushed(values, client))
    signed = request_object.is_in(values)
    asked = values
    if signed:
        try:
            asked = request_object.unfolded(values, client, here, now=now())
        except AuthorizationError as refused:
            # Nothing in the object is proved, so only a registered address beside it will do.
            return responses.send_error(refused, _way_back(values, client))
    way_back = _way_back(asked, client)
    try:
        came = Asked(asked, client, here.keys, settings().issuer, signed=signed)
        begun = dispatcher.validate(came, assurance.offered(settings()), now=now())
    except AuthorizationError as refused:
        return responses.send_error(refused, way_back)
    return _begin_answering(Answering(begun, client))


def _begin_answering(asked: Answering) -> BaseResponse:
    try:
        return _proceed(_as_registered(asked), None)
    except AuthorizationError as refused:
        return responses.send_error(refused, responses.of_request(asked.request))


def _pushed(values: dict[str, list[str]], client: RegisteredClient) -> Answering:
    """What the client pushed; anything else in the address is ignored (RFC 9126 §4)."""
    given = values["request_uri"]
    found = pushed.find(platform().store, given[0], client_id=client.client_id, now=now())
    doubled = len(given) > 1 or len(values["client_id"]) > 1
    if found is None or doubled or not _is_still_registered(found, client):
        raise _gone(requests.REQUEST_URI_GONE)
    return Answering(found, client)


def _way_back(values: dict[str, list[str]], client: RegisteredClient) -> ReturnAddress:
    """Where a refusal may go. Raises Stop when no address is proved."""
    try:
        redirect_uri = rules.trusted_redirect(values, client)
    except rules.UntrustedRequest:
        raise _untrusted(pages.UNREGISTERED_REDIRECT) from None
    return responses.of_refused(redirect_uri, client.name, values)


def _proceed(asked: Answering, transaction: str | None) -> BaseResponse:
    signed_in = signin.current()
    found = dispatcher.next_step(db(), asked, signed_in, assurance.offered(settings()))
    step = found.step
    if step is Step.ANSWER and signed_in is not None:
        _take(asked, transaction)
        return _send_code(asked, signed_in, found.consent)
    if step is Step.UNMET or "none" in asked.request.prompts:
        raise dispatcher.refuse_silently(step)
    if transaction is None:
        transaction = pending.keep(
            platform().store, asked.request, browser=cookies.browser_id(), ttl=settings().pending_lifetime
        )
    view = {
        Step.SIGN_IN: "login.start",
        Step.PROVE: "login.second",
        Step.COMPANY: "login.company",
        Step.OTHER_IDENTITY: "login.identity",
        Step.CONSENT: "oauth.consent",
        Step.DEVICE: "device.confirm",
    }[step]
    return redirect(url_for(view, tx=transaction), 303)


def _allow(asked: Answering, signed_in: SignedIn, transaction: str) -> BaseResponse:
    """Remember what a person agreed to, once the answer is his to give, and give it."""
    _take(asked, transaction)
    client_id, agreed = asked.client.client_id, dispatcher.to_be_agreed(asked.request)
    consent = consents.give(db(), signed_in.identity, client_id, agreed, now=now())
    event = Event(
        Action.CONSENT_GIVEN,
        entity=str(signed_in.identity.enterprise_id or ""),
        target=f"client:{client_id}",
        detail={"scope": list(agreed)},
    )
    platform().trail.record(db(), event, signin.origin(), now=now())
    return _send_code(asked, signed_in, consent)


def _send_code(asked: Answering, signed_in: SignedIn, consent: UUID | None) -> BaseResponse:
    code = dispatcher.answer(platform().store, settings(), asked, signed_in, consent=consent, now=now())
    return responses.send(responses.of_request(asked.request), {"code": code})


def _refuse(asked: Answering, transaction: str, refused: AuthorizationError) -> BaseResponse:
    """Answer a waiting request with an error; it waits no longer. A device asks anew by itself."""
    if asked.request.device is not None:
        raise _gone() from refused
    _take(asked, transaction)
    return responses.send_error(refused, responses.of_request(asked.request))


def _take(asked: Answering, transaction: str | None) -> None:
    """From here on the request is nobody else's to answer. Raises Stop if somebody was faster."""
    store = platform().store
    if transaction is not None and not pending.take(store, transaction, browser=cookies.browser_id()):
        raise _gone()
    if not pushed.spend(store, asked.request):
        raise _gone()


def _resumed(transaction: str) -> Answering:
    found = pending.find(platform().store, transaction, browser=cookies.browser_id())
    client = platform().clients.find(found.client_id) if found else None
    if found is None or client is None or not _is_still_registered(found, client):
        raise _gone()
    return Answering(found, client)


def _as_registered(asked: Answering) -> Answering:
    """What may be answered by the registration as it is now. Raises AuthorizationError."""
    return dispatcher.as_registered(asked, issuer=settings().issuer)


def _is_still_registered(found: PendingRequest, client: RegisteredClient) -> bool:
    if found.device is not None:
        return DEVICE_GRANT in client.grant_types
    return found.redirect_uri in client.redirect_uris


def _opened_again(view: str, values: Sequence[tuple[str, Any]]) -> BaseResponse:
    """Send the browser to the same address by GET, unless no server would take one that long."""
    query = urlencode(values)
    if len(query) > LONGEST_QUERY:
        raise RequestURITooLarge
    return redirect(f"{url_for(view)}?{query}", 303)


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


def _untrusted(refusal: Refusal) -> Stop:
    return Stop(
        "这个登录请求不能继续",
        "发起登录的网站没有在本平台登记，或登记的返回地址与请求不一致。为保护账号安全已停止，没有做任何更改。"
        "请从办事网站的首页重新进入；如果仍然出现，请告知该网站。",
        ways=(("登录通行", url_for("login.start")), ("回到首页", url_for("web.home"))),
        explained=refusal.uri(settings().issuer),
    )


def _gone(refusal: Refusal | None = None) -> Stop:
    return Stop(
        "登录没有完成",
        "这次登录已经完成、等待太久，或是在另一个浏览器里开始的。账号没有受到影响，请回到原来的网站重新登录。",
        ways=(("登录通行", url_for("login.start")), ("回到首页", url_for("web.home"))),
        explained=refusal.uri(settings().issuer) if refusal else "",
    )


# Relying parties may send their user here by POST (OIDC Core §3.1.2.1, RP-Initiated Logout §2); what
# changes something behind these addresses checks the token itself.
for _open_to_other_sites in (authorize, logout):
    csrf.exempt(_open_to_other_sites)
