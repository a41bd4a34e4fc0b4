"""What a tool needs to drive the demo; the routes exist in demo mode only.

========================  =================================================================
/demo/manifest.json       addresses, client ids, accounts; 503 until every application answers
/demo/outbox.json         the SMS to a phone, newest first: what waits and what was delivered
/demo/captcha/<id>.json   the answer to a captcha
========================  =================================================================
"""

from __future__ import annotations

from typing import Any

import httpx2
from flask import Blueprint, Response, abort, jsonify, request
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from idp.accounts.identifiers import parse_phone
from idp.accounts.notices import SMS
from idp.accounts.outbox import OutboxMessage
from idp.adapters.sms import DemoSmsGateway
from idp.demo import addresses, manifest
from idp.proof import captcha
from idp.web.platform import db, platform, settings

blueprint = Blueprint("demo", __name__, url_prefix="/demo")

_ANSWER_SECONDS = 2.0
_NEWEST = 200
_TOLD = ("phone", "text", "code", "purpose", "at")


@blueprint.get("/manifest.json")
def show_manifest() -> ResponseReturnValue:
    """Everything a tool needs, once every application answers at its root."""
    base = settings().demo_port_base
    silent = [name for name, url in addresses.app_urls(base).items() if not _answers(name, url)]
    if silent:
        waiting = jsonify(error="starting", waiting_for=silent)
        waiting.headers["Retry-After"] = "1"
        return waiting, 503
    return jsonify(manifest.manifest(issuer=settings().issuer, port_base=base))


@blueprint.get("/outbox.json")
def show_outbox() -> Response:
    """The SMS that wait for the worker and those it delivered, newest first; `phone` keeps one number's."""
    wanted = parse_phone(request.args.get("phone", ""))
    if request.args.get("phone") and wanted is None:
        return jsonify([])
    # By id, which begins with the time of its making; one being delivered just now stands in both places.
    found = {sms["id"]: sms for sms in [*_waiting(), *DemoSmsGateway(settings().var_dir).delivered()]}
    newest = [found[message_id] for message_id in sorted(found, reverse=True)]
    told = [{name: sms.get(name) for name in _TOLD} for sms in newest if wanted in {None, sms["phone"]}]
    return jsonify(told[:_NEWEST])


@blueprint.get("/captcha/<captcha_id>.json")
def show_captcha(captcha_id: str) -> Response:
    """The answer to a captcha that waits."""
    answer = captcha.answer(platform().store, captcha_id)
    if answer is None:
        abort(404)
    return jsonify(answer=answer)


def _waiting() -> list[dict[str, Any]]:
    waiting = (
        select(OutboxMessage)
        .where(OutboxMessage.kind == SMS, OutboxMessage.payload_sealed.is_not(None))
        .order_by(OutboxMessage.id.desc())
        .limit(_NEWEST)
    )
    return [row.payload(platform().vault) for row in db().scalars(waiting)]


def _answers(name: str, url: str) -> bool:
    # Whoever reads this is being answered by the provider itself.
    if name == "idp":
        return True
    try:
        return httpx2.get(url + "/", timeout=_ANSWER_SECONDS, trust_env=False).status_code == 200
    except httpx2.HTTPError:
        return False
