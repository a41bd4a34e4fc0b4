"""One appeal: its page, whose hand it is in, and the registry asked anew.

=================================  ================================================================
/staff/appeals/<appeal>            the page; ?paper=…&page=…&turn=… chooses what is looked at
…/claim …/release (POST)           领取, 退回待处理
…/assign (POST)                    分派: supervisors, to a colleague or to themselves
…/compare (POST)                   重新查询登记库
=================================  ================================================================
"""

from __future__ import annotations

from uuid import UUID

from flask import redirect, request
from werkzeug.wrappers import Response

from idp.accounts.audit import Action, Event
from idp.accounts.reasons import ReasonRefused, parse_reason
from idp.appeal import comparison, deciding
from idp.appeal.comparison import Asked
from idp.appeal.deciding import NotYours, has_in_hand, may_confirm
from idp.appeal.desk import page
from idp.appeal.desk.room import address_of, blueprint, found, member, tools
from idp.appeal.models import Appeal
from idp.db import pause
from idp.web import staff
from idp.web.platform import db, now, platform

_ASKED = {
    Asked.FAILED: "登记库没有答复，比对没有更新。请稍后再查，或者先看材料。",
    Asked.NOBODY: "已经查询：登记库没有这家企业。",
    Asked.ANSWERED: "已经重新查询登记库，比对结果已更新。",
}


@blueprint.get("/<uuid:appeal_id>")
def appeal(appeal_id: UUID) -> Response:
    """What this member may know of it: all for whoever has it in hand, confirms or decided it."""
    return page.show(found(appeal_id))


@blueprint.post("/<uuid:appeal_id>/claim")
def claim(appeal_id: UUID) -> Response:
    """领取."""

    def do(row: Appeal) -> Response:
        deciding.claim(db(), tools(), row, member(), staff.origin(), now=now())
        return taken(row)

    return page.act(appeal_id, do)


@blueprint.post("/<uuid:appeal_id>/release")
def release(appeal_id: UUID) -> Response:
    """退回待处理, for a reason."""

    def do(row: Appeal) -> Response:
        reason = request.form.get("reason", "")
        try:
            told = parse_reason(reason, about=personal_of(row))
        except ReasonRefused as refused:
            errors, typed = {"reason": str(refused)}, {"reason": reason[:200]}
            return page.show(row, errors=errors, typed=typed, status=200)
        deciding.release(db(), tools(), row, member(), told, staff.origin(), now=now())
        return page.done(row, "这件申诉已退回待处理，其他同事可以领取。")

    return page.act(appeal_id, do)


@blueprint.post("/<uuid:appeal_id>/assign")
def assign(appeal_id: UUID) -> Response:
    """分派: a supervisor gives it to a colleague, or takes it over."""

    def do(row: Appeal) -> Response:
        to = page.member_by(request.form.get("to", ""))
        if to is None:
            return page.show(row, errors={"to": "请选择交给谁处理"})
        deciding.assign(db(), tools(), row, member(), to, staff.origin(), now=now())
        if to.id == member().id:
            return taken(row)
        return page.done(row, f"这件申诉已交给 {staff.member_words(to)} 处理。")

    return page.act(appeal_id, do)


@blueprint.post("/<uuid:appeal_id>/compare")
def compare(appeal_id: UUID) -> Response:
    """Ask the registry anew; whoever decides or confirms may."""

    def do(row: Appeal) -> Response:
        if not (has_in_hand(row, member()) or may_confirm(row, member())):
            raise NotYours
        answer = _ask_registry(row)
        if answer is None:
            return page.show(found(appeal_id), problems=[page.STALE], status=409)
        return page.done(row, _ASKED[answer])

    return page.act(appeal_id, do)


def taken(row: Appeal) -> Response:
    """Go on with an appeal that was just taken in hand: the registry is asked once it is."""
    if platform().registry is not None and _ask_registry(row) is None:
        return redirect(address_of(row), 303)
    return page.done(row, "已领取这件申诉，请核对信息和材料后作出决定。")


def personal_of(row: Appeal) -> tuple[str, ...]:
    """What no reason that stands in the trail may hold."""
    return comparison.personal(db(), platform().vault, row)


def _ask_registry(row: Appeal) -> Asked | None:
    """How the registry answered; None where the appeal is over by then."""
    # What was written so far is committed: the registry may take its time.
    pause(db())
    said = comparison.ask(platform().registry, row.uscc)
    is_open = comparison.keep(db(), platform().vault, row, said, now=now())
    answer = said if isinstance(said, Asked) else Asked.ANSWERED
    staff.record(Event(Action.APPEAL_COMPARED, target=row.key, detail={"registry": answer.value}))
    return answer if is_open else None
