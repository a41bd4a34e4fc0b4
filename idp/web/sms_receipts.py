"""What the SMS gateway says became of a message that it took (docs/sms.md).

=====================  ==========================================================================
/sms/receipts          JSON from the gateway, with the token of IDP_SMS_RECEIPT_TOKEN only
=====================  ==========================================================================
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, abort, jsonify, request
from werkzeug.exceptions import RequestEntityTooLarge

from idp.accounts.notices import SMS
from idp.accounts.outbox import note_report
from idp.crypto import same
from idp.web.platform import db, now, settings
from idp.web.security import GATEWAYS, csrf

gateways = Blueprint(GATEWAYS, __name__)
csrf.exempt(gateways)
_LONGEST = 4_000
_NO_REASON = "not arrived"


@dataclass(frozen=True, slots=True)
class _Receipt:
    """The message's id, or what the gateway called it; why it did not arrive, empty if it did."""

    name: str
    why: str


@gateways.post("/sms/receipts")
def receipt() -> Any:
    """Note whether a message arrived. Told again, the answer is the same."""
    token = settings().sms_receipt_token.get_secret_value()
    if not token:
        abort(404)
    if not same(request.headers.get("Authorization", ""), f"Bearer {token}"):
        answer, status = _ignored("the token is missing or wrong", 401)
        answer.headers["WWW-Authenticate"] = "Bearer"
        return answer, status
    raw_body = request.get_data()
    if len(raw_body) > _LONGEST:
        raise RequestEntityTooLarge
    told = _read(raw_body)
    if told is None:
        return _ignored("not a receipt", 400)
    if not note_report(db(), told.name, told.why, kind=SMS, now=now()):
        return _ignored("no such message", 404)
    return Response(status=204)


def _read(raw_body: bytes) -> _Receipt | None:
    try:
        told = json.loads(raw_body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(told, dict):
        return None
    name, has_arrived, why = told.get("id"), told.get("arrived"), told.get("why", "")
    if not (isinstance(name, str) and isinstance(has_arrived, bool) and isinstance(why, str)):
        return None
    return _Receipt(name, "" if has_arrived else why or _NO_REASON)


def _ignored(why: str, status: int) -> tuple[Response, int]:
    return jsonify(error="receipt_ignored", error_description=why), status
