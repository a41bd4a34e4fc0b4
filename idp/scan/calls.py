"""How a phone calls: JSON in and out, a token and its key as proof, every refusal a sentence for the person.

The blueprint of all calls of phones; no cookie counts in it. Views are wrapped in :func:`answered`, which
answers a refusal and keeps what was recorded of it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import wraps
from typing import Any

from flask import Blueprint, Response, g, jsonify, request
from werkzeug.exceptions import RequestEntityTooLarge

from idp.access.app_rules import APP_SCOPE
from idp.access.channels import CHANNELS
from idp.access.grants import find_grant
from idp.accounts.audit import Origin
from idp.accounts.identity import Role
from idp.proof.ticket_record import Phone, Seen
from idp.scan.caller import Caller, Tools
from idp.web import dpop
from idp.web.platform import db, now, platform, settings
from idp.web.presented_token import challenge, presented_token
from idp.web.refusals import Refused
from idp.web.refusals import dpop as dpop_refusals
from idp.web.refusals import scan as refusals
from idp.web.refusals.to_phones import PhoneRefused
from idp.web.security import PHONES, csrf

blueprint = Blueprint(PHONES, __name__)
csrf.exempt(blueprint)
blueprint.after_request(dpop.offer_nonce)

_AGAIN = "请稍等一会儿再试，没有做任何更改。"
_BAD_PROOF = "手机没能证明这次操作是它发出的，没有做任何更改。请再试一次；还是不行的话，请更新 App 后再试。"
_UNREADABLE = "App 发来的内容无法识别，没有做任何更改。请更新 App 后再试。"


def answered(view: Callable[..., Any]) -> Callable[..., Any]:
    """A view whose refusals are answers: what it recorded before is kept, as with any other answer."""

    @wraps(view)
    def answering(**values: str) -> Any:
        try:
            return view(**values)
        except PhoneRefused as refused:
            return _refusal(refused)
        except Refused as refused:
            return _token_refusal(refused)

    return answering


@blueprint.after_request
def say_something(response: Response) -> Response:
    """Give what failed before or beside the views a sentence for the person, too."""
    if response.status_code < 400 or not response.is_json:
        return response
    told = response.get_json()
    if "message" not in told:
        sentence = _AGAIN if response.status_code in {429, 500, 503} else _UNREADABLE
        response.set_data(json.dumps({**told, "message": sentence}))
    return response


def tools() -> Tools:
    """What the rules work with."""
    here = platform()
    return Tools(
        here.settings,
        here.store,
        here.vault,
        here.hasher,
        here.trail,
        here.notifier,
        here.places,
        here.social_security,
    )


def seen() -> Seen:
    """The calling phone, as far as it shows itself."""
    return Seen((request.user_agent.string or "")[:200], request.remote_addr or "")


def caller() -> Caller:
    """The person at the phone that calls. Raises PhoneRefused, idp.web.refusals.Refused."""
    presented = presented_token(request)
    if presented is None:
        raise PhoneRefused(refusals.NO_TOKEN)
    access, client = presented.access, presented.client
    channel = CHANNELS.get(client.channel or "")
    if channel is None or not client.first_party or access.dpop_jkt is None:
        raise PhoneRefused(refusals.NOT_AN_APP)
    if APP_SCOPE not in access.scope or APP_SCOPE not in client.scopes:
        raise PhoneRefused(refusals.NO_APP_SCOPE)
    live = find_grant(db(), access.grant_id, jti=access.jti, now=now()) if access.grant_id else None
    if live is None:
        raise PhoneRefused(refusals.SIGN_IN_ENDED)
    if live.session.role != Role.NATURAL_PERSON.value:
        raise PhoneRefused(refusals.NOT_HIMSELF)
    here = seen()
    phone = Phone(here, str(live.session.id), str(live.person.id), client.client_id, access.dpop_jkt)
    return Caller(live.person, live.session, client, channel, phone, origin(f"person:{live.person.id}"))


def origin(actor: str = "") -> Origin:
    """From where this call acts, for the audit trail."""
    here = seen()
    return Origin(actor, here.address, here.agent, g.get("request_id", ""))


def body() -> dict[str, Any]:
    """The JSON object that was sent; every text in it can be written as UTF-8. Raises PhoneRefused."""
    try:
        told = json.loads(request.get_data())
        # Half of a surrogate pair is no character (RFC 8259 §8.2), and nothing below could encode it.
        json.dumps(told, ensure_ascii=False).encode()
    except (ValueError, RecursionError, RequestEntityTooLarge):
        told = None
    if not isinstance(told, dict):
        raise PhoneRefused(refusals.BODY_MALFORMED)
    return told


def member(told: dict[str, Any], name: str, kind: type[Any], default: Any = None) -> Any:
    """A member of the body, of this type; `default` where it is absent or null. Raises PhoneRefused."""
    value = told.get(name)
    if value is None:
        if default is None:
            raise PhoneRefused(refusals.BODY_MALFORMED)
        return default
    if not isinstance(value, kind):
        raise PhoneRefused(refusals.BODY_MALFORMED)
    return value


def _refusal(refused: PhoneRefused) -> Response:
    refusal = refused.refusal
    told: dict[str, Any] = {**refusal.told(settings().issuer, refusal.says), "message": refused.message}
    if refused.state:
        told["state"] = refused.state.value
    if refused.ended:
        told["ended"] = refused.ended.value
    answer = jsonify(told)
    answer.status_code = refused.status
    if refusal is refusals.NO_TOKEN:
        answer.headers["WWW-Authenticate"] = challenge(request, None, realm="scan").headers[
            "WWW-Authenticate"
        ]
    elif refused.status == 401 or refusal is refusals.NO_APP_SCOPE:
        challenged = challenge(request, refusal, realm="scan")
        answer.headers["WWW-Authenticate"] = challenged.headers["WWW-Authenticate"]
    if refused.wait:
        answer.headers["Retry-After"] = str(max(1, round(refused.wait.total_seconds())))
    return answer


def _token_refusal(refused: Refused) -> Response:
    """What is wrong with the token or its proof, as any resource says it (RFC 6750 §3, RFC 9449 §7)."""
    answer = challenge(request, refused.refusal, realm="scan")
    sentence = refusals.SIGN_IN_ENDED.zh
    if refused.refusal is dpop_refusals.NONCE_REQUIRED:
        sentence = _AGAIN
    elif refused.error == dpop_refusals.PROOF_TIME.error:
        sentence = refused.refusal.zh or _BAD_PROOF
    answer.set_data(json.dumps({**answer.get_json(), "message": sentence}))
    return answer
