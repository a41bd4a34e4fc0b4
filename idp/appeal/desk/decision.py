"""What is decided: 通过, 退回补充 or 不予通过 by whoever has it in hand; 复核 by another one, a supervisor.

=================================  ================================================================
/staff/appeals/<appeal>/decide     the decision of whoever has it in hand (POST)
…/second                           the second approval, or the return to the first (POST)
=================================  ================================================================
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final
from uuid import UUID

from flask import request
from werkzeug.wrappers import Response

from idp.accounts.reasons import ReasonRefused, parse_reason
from idp.appeal import deciding
from idp.appeal.deciding import NeedsSecond, Wanted
from idp.appeal.desk import page
from idp.appeal.desk.one import personal_of
from idp.appeal.desk.room import blueprint, member, tools
from idp.appeal.models import Appeal
from idp.appeal.outcome import Seen
from idp.appeal.papers import BY_SLOT
from idp.crypto import plain
from idp.web import staff
from idp.web.platform import db, now

LONGEST: Final = 500
"""Characters of what is said to the applicant."""
_BLANK: Final = re.compile(r"[^\S\n]")
_APPROVED = "申诉已通过，更改已经生效。设置密码的链接已发往申诉时验证的企业手机号码。"


@blueprint.post("/<uuid:appeal_id>/decide")
def decide(appeal_id: UUID) -> Response:
    """The decision of whoever has it in hand."""
    return page.act(appeal_id, _decided)


@blueprint.post("/<uuid:appeal_id>/second")
def second(appeal_id: UUID) -> Response:
    """The second approval, by another one than the first."""
    return page.act(appeal_id, _seconded)


def _decided(row: Appeal) -> Response:
    chosen = _DECISIONS.get(request.form.get("decision", ""))
    if chosen is None:
        return _again(row, {"decision": "请选择审核结论"})
    return chosen(row)


def _approve(row: Appeal) -> Response:
    changes = [change for change in request.form.get("expected", "")[:LONGEST].split(",") if change]
    seen = Seen(changes, request.form.get("basis", "")[:LONGEST])
    by, when = (member(), seen, staff.origin()), now()
    try:
        deciding.approve(db(), tools(), row, *by, now=when)
    except NeedsSecond:
        deciding.propose(db(), tools(), row, *by, now=when)
        return page.done(row, "初审通过，已提交复核。另一位客服主管复核通过后才会生效。")
    return page.done(row, _APPROVED)


def _ask_for_more(row: Appeal) -> Response:
    slots = [slot for slot in BY_SLOT if slot in request.form.getlist("papers")]
    words, error = _words("需要补充的内容")
    # In the order of the page.
    errors = {} if slots else {"papers": "请选择需要重新上传的材料"}
    if error:
        errors["words"] = error
    if errors:
        return _again(row, errors)
    wanted = Wanted(slots, words)
    deciding.ask_for_more(db(), tools(), row, member(), wanted, staff.origin(), now=now())
    return page.done(row, "已通知申请人补充材料。材料补齐后，这件申诉回到待处理，重新计算办理期限。")


def _refuse(row: Appeal) -> Response:
    words, error = _words("不予通过的原因")
    if error:
        return _again(row, {"words": error})
    deciding.refuse(db(), tools(), row, member(), words, staff.origin(), now=now())
    return page.done(row, "这件申诉不予通过，已用短信通知申请人。账号没有任何更改。")


_DECISIONS: Final[dict[str, Callable[[Appeal], Response]]] = {
    "approve": _approve,
    "more": _ask_for_more,
    "refuse": _refuse,
}


def _seconded(row: Appeal) -> Response:
    chosen = request.form.get("decision", "")
    if chosen == "confirm":
        deciding.confirm(db(), tools(), row, member(), staff.origin(), now=now())
        return page.done(row, _APPROVED)
    if chosen != "return":
        return _again(row, {"decision": "请选择复核结论"})
    try:
        reason = parse_reason(request.form.get("reason", ""), about=personal_of(row))
    except ReasonRefused as refused:
        return _again(row, {"reason": str(refused)})
    deciding.give_back(db(), tools(), row, member(), reason, staff.origin(), now=now())
    return page.done(row, "已退回初审的同事重新处理。")


def _words(what: str) -> tuple[str, str]:
    """What is said to the applicant, or the sentence that says what is wrong with it."""
    # A wide space, a tab or one that does not break stands among words like any other blank.
    typed = _BLANK.sub(" ", request.form.get("words", "").replace("\r\n", "\n")).strip()
    if len(typed) > LONGEST:
        return "", f"{what}最多 {LONGEST} 个字，目前 {len(typed)} 个字"
    if not plain(typed):
        return "", f"请填写{what}"
    if not all(mark == "\n" or mark.isprintable() for mark in typed):
        return "", f"{what}里有不能显示的字符，请重新填写"
    return typed, ""


def _again(row: Appeal, errors: dict[str, str]) -> Response:
    typed = {
        "decision": request.form.get("decision", ""),
        "words": request.form.get("words", "")[: 2 * LONGEST],
        "papers": request.form.getlist("papers"),
        "reason": request.form.get("reason", "")[:LONGEST],
    }
    return page.show(row, errors=errors, typed=typed)
