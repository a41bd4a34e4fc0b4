"""完整号码: ID numbers and phones of an appeal, whole, for a reason (SECURITY 76)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import request

from idp.accounts.audit import Action, Event
from idp.accounts.reasons import LONGEST, ReasonRefused, parse_reason
from idp.appeal import comparison
from idp.appeal.desk.one import personal_of
from idp.appeal.desk.room import address_of, blueprint, readable
from idp.appeal.desk.showing import facts_of
from idp.appeal.models import Appeal
from idp.web import staff
from idp.web.platform import db, platform


@blueprint.route("/<uuid:appeal_id>/numbers", methods=["GET", "POST"])
def numbers(appeal_id: UUID) -> Any:
    """The whole numbers, once, in the answer to a reason; whoever asks proves first that it is still him."""
    row = readable(appeal_id)
    if (elsewhere := staff.proof_first(request.path)) is not None:
        return elsewhere
    values, error = None, ""
    if request.method == "POST":
        try:
            reason = parse_reason(request.form.get("reason", ""), about=personal_of(row))
            detail = {"fields": ["id_number", "phone", "operator_phone"], "reason": reason}
            staff.record(Event(Action.DATA_VIEWED, target=row.key, detail=detail))
            values = _whole(row)
        except ReasonRefused as refused:
            error = str(refused)
    return staff.page(
        "staff/appeals/numbers.html",
        number=row.number,
        facts=facts_of(row),
        back=address_of(row),
        values=values,
        error=error,
        reason=request.form.get("reason", "")[:LONGEST],
    )


def _whole(row: Appeal) -> list[tuple[str, str]]:
    vault = platform().vault
    told, known = row.statement(vault), comparison.numbers(db(), vault, row)
    return [
        ("法定代表人", told.claim.representative_name),
        ("填写的证件号码", told.claim.document.id_number),
        ("登记库的证件号码", known.registry or "没有记录"),
        ("本平台的证件号码", known.ours or "没有记录"),
        ("填写的企业手机号码", told.phone),
        ("本平台的预留手机号码", known.phone or "没有记录"),
        ("经办人手机号码", told.operator_phone),
    ]
