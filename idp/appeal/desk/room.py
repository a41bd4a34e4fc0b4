"""The desk's one blueprint, and what each of its pages begins with: which appeal, by whom, with what."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, request, url_for

from idp.accounts.audit import Action, Event
from idp.accounts.staff import StaffMember
from idp.appeal.applying import Tools
from idp.appeal.deciding import may_read
from idp.appeal.models import Appeal, State
from idp.web import staff
from idp.web.errors import Stop
from idp.web.platform import db, platform

blueprint = Blueprint("staff_appeals", __name__, url_prefix="/staff/appeals")


def member() -> StaffMember:
    """Who is signed in."""
    return staff.required().member


def tools() -> Tools:
    """What an appeal is decided with."""
    here = platform()
    return Tools(here.vault, here.trail, here.notifier, here.settings)


def found(appeal_id: UUID) -> Appeal:
    """The appeal, as it is now. Raises Stop for nobody's, and for a draft, which nobody has sent in."""
    appeal = db().get(Appeal, appeal_id, populate_existing=True)
    if appeal is None or appeal.state == State.DRAFT.value or appeal.submitted_at is None:
        raise _missing()
    return appeal


def readable(appeal_id: UUID) -> Appeal:
    """The same, for whoever may read its papers and numbers.

    Anybody else is told what he is told of nobody's, and it is written down (SECURITY 69). Raises Stop.
    """
    appeal = found(appeal_id)
    if not may_read(appeal, member()):
        raise denied(appeal)
    return appeal


def denied(appeal: Appeal) -> Stop:
    """The refusal of what is another's, with its line in the trail."""
    detail = {"address": request.endpoint, "method": request.method, "role": member().role}
    staff.record(Event(Action.ACCESS_DENIED, target=appeal.key, detail=detail))
    return _missing()


def address_of(appeal: Appeal) -> str:
    """Its page."""
    return url_for("staff_appeals.appeal", appeal_id=appeal.id)


def _missing() -> Stop:
    ways = (("返回账号申诉", url_for("staff_appeals.index")),)
    return Stop(
        "没有这件申诉或材料",
        "地址里的编号不属于您现在可以查看的申诉，可能已经转给别人、被撤回，或者材料已经删除。请从列表进入。",
        status=404,
        ways=ways,
    )
