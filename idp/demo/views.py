"""What a tool needs to drive the demo; the routes exist in demo mode only.

========================  =================================================================
/demo/manifest.json       addresses, client ids, accounts; 503 until every application answers
/demo/outbox.json         the SMS sent to a phone, newest first
/demo/captcha/<id>.json   the answer to a captcha
========================  =================================================================
"""

from __future__ import annotations

import json
from datetime import UTC
from typing import Any

import httpx2
from flask import Blueprint, Response, abort, jsonify, request
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from idp.accounts.identifiers import parse_phone
from idp.accounts.outbox import OutboxMessage
from idp.demo import addresses, manifest
from idp.proof import captcha
from idp.web.platform import db, platform, settings

blueprint = Blueprint("demo", __name__, url_prefix="/demo")

_ANSWER_SECONDS = 2.0
_NEWEST = 200


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
    """The SMS in the outbox, newest first; `phone` keeps those to one number."""
    wanted = parse_phone(request.args.get("phone", ""))
    if request.args.get("phone") and wanted is None:
        return jsonify([])
    rows = db().scalars(
        select(OutboxMessage)
        .where(OutboxMessage.kind == "sms", OutboxMessage.payload_sealed.is_not(None))
        .order_by(OutboxMessage.created_at.desc(), OutboxMessage.id.desc())
        .limit(_NEWEST)
    )
    sent = [_message(row) for row in rows]
    return jsonify([message for message in sent if wanted in {None, message["phone"]}])


@blueprint.get("/captcha/<captcha_id>.json")
def show_captcha(captcha_id: str) -> Response:
    """The answer to a captcha that waits."""
    answer = captcha.answer(platform().store, captcha_id)
    if answer is None:
        abort(404)
    return jsonify(answer=answer)


def _message(row: OutboxMessage) -> dict[str, Any]:
    payload = json.loads(platform().vault.open("outbox.payload", row.id, row.payload_sealed or b""))
    told = {name: payload.get(name) for name in ("phone", "text", "code", "purpose")}
    return {**told, "at": row.created_at.astimezone(UTC).isoformat()}


def _answers(name: str, url: str) -> bool:
    # Whoever reads this is being answered by the provider itself.
    if name == "idp":
        return True
    try:
        return httpx2.get(url + "/", timeout=_ANSWER_SECONDS, trust_env=False).status_code == 200
    except httpx2.HTTPError:
        return False
