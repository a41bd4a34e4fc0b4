"""The pages of a device authorization (RFC 8628 §3.3): type the code, sign in, decide.

==================  ==================================================================
/device             the code that the device shows; also where its QR code leads
/device/confirm     which client asks, for what, as whom: allowed or not
/device/allowed     the device goes on by itself
/device/denied      nothing was allowed
==================  ==================================================================

Between the first two stands the ordinary sign-in (:mod:`idp.oauth.authorize`). A code proves nothing
about who reads it: anybody can send one to anybody (RFC 8628 §5.4, RFC 10027), so the decision is
asked each time, of first-party clients too, whatever was allowed before. What a third party's device was
allowed is written down like any consent, so that its owner sees it and can take it back.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from flask import Blueprint, redirect, request, url_for
from wtforms import Form, StringField

from idp.access import assurance, consents, devices, pending, user_codes
from idp.access.devices import DeviceAuthorization, NotToAnswer, TypedElsewhere, UserCodeRefused
from idp.access.profiles import DEVICE_GRANT
from idp.accounts.audit import Action, Event
from idp.db import pause
from idp.oauth import authorize as dispatcher
from idp.oauth.authorize import Answering, Step
from idp.oauth.device_authorization import as_request
from idp.proof.throttle import Throttled
from idp.web import cookies, shown, signin
from idp.web.errors import Stop
from idp.web.platform import db, now, platform, settings
from idp.web.refusals import AuthorizationError
from idp.web.render import minute, page
from idp.web.scope_words import what_it_sees
from idp.web.signin import sign_in_required
from idp.web.words import who

blueprint = Blueprint("device", __name__)

_NOT_A_CODE = "代码是 8 个字母，其中没有 A、E、I、O、U、Y，请照设备上显示的填写"
_UNKNOWN = "没有设备在等待这个代码。请核对后重新填写；超过 10 分钟的，请在设备上重新获取"
_ELSEWHERE = "这个代码已经在另一个浏览器里填写过。请回到那里继续，或在设备上重新获取代码"


class UserCodeForm(Form):
    """The code a device shows."""

    user_code = StringField()


@blueprint.route("/device", methods=["GET", "POST"])
def start() -> Any:
    """Type the code. A code in the address is only filled in: it still has to be sent (§3.3.1)."""
    form, status, headers = UserCodeForm(request.form), 200, {}
    if request.method == "POST":
        try:
            return redirect(url_for("oauth.authorize", tx=_enter(form.user_code.data or "")), 303)
        except Throttled as refused:
            status, headers = 429, {"Retry-After": str(math.ceil(refused.wait.total_seconds()))}
            form.form_errors.append(_wait(refused))
        except (UserCodeRefused, TypedElsewhere) as refused:
            form.user_code.errors = [_ELSEWHERE if isinstance(refused, TypedElsewhere) else str(refused)]
    else:
        brought = user_codes.parse_user_code(request.args.get("user_code", ""))
        form.user_code.data = user_codes.shown(brought) if brought else ""
    shown = page("oauth/device.html", form=form, brought=request.method == "GET" and form.user_code.data)
    return shown, status, headers


@blueprint.route("/device/confirm", methods=["GET", "POST"])
@sign_in_required
def confirm() -> Any:
    """Decide, knowing who asks, for what, and as whom one answers."""
    transaction = request.args.get("tx", "")
    asked, authorization = _asked(transaction)
    signed_in = signin.required()
    decision = request.form.get("decision") if request.method == "POST" else None
    if decision == "deny":
        return _decide(asked, transaction, allowed=False)
    if dispatcher.next_step(db(), asked, signed_in, assurance.offered(settings())).step is not Step.DEVICE:
        return redirect(url_for("oauth.authorize", tx=transaction), 303)
    changed = shown.changed_since(transaction)
    if decision == "allow" and not changed:
        return _decide(asked, transaction, allowed=True)
    return page(
        "oauth/device_confirm.html",
        portal_name=asked.client.name,
        self_registered=asked.client.self_registered,
        user_code=asked.request.params["user_code"],
        begun_at=minute(datetime.fromtimestamp(authorization.created_at, UTC)),
        sees=what_it_sees(asked.request.scope),
        who=who(signed_in, platform().vault),
        changed=changed,
        hidden=[shown.field(transaction)],
        other_account=url_for("login.identity", tx=transaction),
    )


@blueprint.get("/device/allowed")
def allowed() -> str:
    """Said once it is allowed."""
    return page("oauth/device_done.html", allowed=True, ways=_ways())


@blueprint.get("/device/denied")
def denied() -> str:
    """Said once it is refused."""
    return page("oauth/device_done.html", allowed=False, ways=_ways())


def _enter(typed: str) -> str:
    """The transaction id of the request whose code was typed.

    Raises UserCodeRefused, TypedElsewhere, Throttled.
    """
    user_code = user_codes.parse_user_code(typed)
    if user_code is None:
        raise UserCodeRefused(_NOT_A_CODE)
    store, browser, signed_in = platform().store, cookies.browser_id(), signin.current()
    user_codes.count_try(
        store,
        browser=browser,
        address=request.remote_addr or "",
        person=str(signed_in.person.id) if signed_in else None,
    )
    try:
        entered = devices.enter(store, user_code, browser=browser, now=now())
    except UserCodeRefused:
        raise UserCodeRefused(_UNKNOWN) from None
    found = entered.authorization
    client = platform().clients.find(found.client_id)
    if client is None or DEVICE_GRANT not in client.grant_types:
        raise UserCodeRefused(_UNKNOWN)
    user_codes.forgive(store, browser=browser)
    params = {**found.params, "device": entered.id, "user_code": user_codes.shown(user_code)}
    begun = as_request(client, found.scopes, params, now=now())
    return pending.keep(store, begun, browser=browser, ttl=settings().pending_lifetime)


def _asked(transaction: str) -> tuple[Answering, DeviceAuthorization]:
    """What this browser is asked to decide. Raises Stop when there is nothing any more."""
    browser, store = cookies.browser_id(), platform().store
    found = pending.find(store, transaction, browser=browser)
    client = platform().clients.find(found.client_id) if found else None
    if found is None or found.device is None or client is None or DEVICE_GRANT not in client.grant_types:
        raise _gone()
    try:
        asked = dispatcher.as_registered(Answering(found, client), issuer=settings().issuer)
        return asked, devices.to_answer(store, found.device, browser=browser, now=now())
    except (AuthorizationError, NotToAnswer):
        raise _gone() from None


def _decide(asked: Answering, transaction: str, *, allowed: bool) -> Any:
    store, browser = platform().store, cookies.browser_id()
    consent = _agree(asked) if allowed else None
    try:
        devices.answer(
            store,
            asked.request.device or "",
            allowed_in=signin.required().session if allowed else None,
            consent=consent,
            browser=browser,
            now=now(),
        )
    except NotToAnswer:
        raise _gone() from None
    pending.take(store, transaction, browser=browser)
    return redirect(url_for("device.allowed" if allowed else "device.denied"), 303)


def _agree(asked: Answering) -> UUID | None:
    """Note that it is allowed; the consent of a third party's device."""
    identity, client, scope = signin.required().identity, asked.client, asked.request.scope
    event = Event(
        Action.CONSENT_GIVEN,
        entity=str(identity.enterprise_id or ""),
        target=f"client:{client.client_id}",
        detail={"scope": list(scope), "device": True},
    )
    platform().trail.record(db(), event, signin.origin(), now=now())
    if client.first_party:
        return None
    consent = consents.give(db(), identity, client.client_id, scope, now=now())
    # The device may poll as soon as it is answered, and must find what its tokens rest on. Of yes and no at
    # once the yes stays written down although the no may count: it was said, and can be taken back.
    pause(db())
    return consent


def _wait(refused: Throttled) -> str:
    minutes = max(1, math.ceil(refused.wait.total_seconds() / 60))
    if isinstance(refused, user_codes.TooManyStrangers):
        return f"现在填写代码的人太多。请先登录，再打开本页填写；或过 {minutes} 分钟再试"
    return f"填写次数过多，请过 {minutes} 分钟，在设备上重新获取代码后再填写"


def _ways() -> list[tuple[str, str]]:
    return [("查看登录记录", _sign_ins()), ("回到首页", url_for("web.home"))]


def _sign_ins() -> str:
    signed_in = signin.current()
    return signin.sign_ins_of(signed_in.identity.role) if signed_in else url_for("login.start")


def _gone() -> Stop:
    return Stop(
        "这个代码已经失效",
        "它已经用过、超过了 10 分钟，或是在另一个浏览器里填写的。如果您刚才点了「允许」，设备已经可以继续；"
        "不是您操作的，请到登录记录里退出登录。要再登录一台设备，请在设备上重新获取代码。",
        ways=(("填写新的代码", url_for("device.start")), ("查看登录记录", _sign_ins())),
    )
