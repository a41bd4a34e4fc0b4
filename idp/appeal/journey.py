"""The two journeys of an applicant: filing an appeal (E04), and looking up how it stands.

Both end in a browser that proved a phone of the appeal, and what is done there is done to the row. Uploading
takes longer than a journey lives, so that each file that is sent prolongs it, and a draft outlives it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

from flask import request, url_for

from idp.appeal.filing import WITH_THE_APPLICANT, Tools
from idp.appeal.models import Appeal, State
from idp.proof.journeys import Journey
from idp.web import ways
from idp.web.errors import Stop, Way
from idp.web.platform import db, now, platform, settings
from idp.web.steps import Step, Walk, carried

OPERATOR_PROVED = "operator_proved"
"""The fact of a journey that says which phone of the operator was proved in it."""
_OF_PAPERS = {"appeal.materials", "appeal.send_materials", "appeal.own_paper", "appeal.done"}


class Filing(Walk):
    """The journey of filing. Whoever loses it among the papers has a draft, and no reason to begin anew."""

    def gone(self) -> Stop:
        """What is said where it cannot go on."""
        if request.endpoint not in _OF_PAPERS:
            return super().gone()
        return Stop(
            "请重新验证后继续",
            "这个页面打开太久，或者是在另一个浏览器里开始的。已经上传的材料和填写的备注都还在，"
            "凭申诉编号和手机验证码就可以继续，不用重新填写。",
            ways=(("凭编号继续", result_address()), *ways.when_proof_fails()),
        )


APPEAL = Filing(
    "appeal",
    "账号申诉",
    (
        Step("identity", "身份验证", "appeal.identity"),
        Step("operator", "身份验证", "appeal.operator", needs=("claim", "phone_proved")),
        Step("materials", "材料上传", "appeal.materials", needs=("appeal",)),
        Step("done", "完成", "appeal.done"),
    ),
)
RESULT = Walk(
    "appeal-result",
    "查询申诉进度",
    (
        Step("find", "填写编号", "appeal.result"),
        Step("code", "短信验证", "appeal.result_code", needs=("number",)),
        Step("standing", "查看进度", "appeal.standing"),
    ),
)
"""It ends when the phone is proved."""


def tools() -> Tools:
    """What an appeal is written with."""
    here = platform()
    return Tools(here.vault, here.trail, here.settings)


def result_address(number: str = "") -> str:
    """Where one asks how an appeal stands, its number filled in if it is known."""
    values: dict[str, Any] = {**carried()}
    if number:
        values["number"] = number
    return url_for("appeal.result", **values)


def to_result(number: str) -> tuple[Way, ...]:
    """The way to how this appeal stands, and the others."""
    return (("查询申诉进度", result_address(number)), *ways.when_proof_fails())


def with_papers(journey: Journey) -> Appeal:
    """The appeal of a journey among its papers, which its applicant may still change. Raises Stop."""
    appeal = db().get(Appeal, UUID(journey.facts["appeal"]))
    if appeal is None:
        # Its draft was rolled back, or it has been kept as long as drafts are.
        raise Stop(
            "没有找到这份草稿",
            f"没有提交的申诉保存 {settings().appeal_draft_days} 天，之后会连同材料一起删除。请重新填写申诉。",
            status=404,
            ways=(("重新填写", url_for("appeal.choice")), *ways.when_proof_fails()),
        )
    if State(appeal.state) not in WITH_THE_APPLICANT:
        raise sent_in(appeal)
    return appeal


def sent_in(appeal: Appeal) -> Stop:
    """What is said where papers cannot change any more; whoever just sent it in is led to the end."""
    APPEAL.at("materials")
    onward = to_result(appeal.number)
    if appeal.state == State.WITHDRAWN:
        why = "这件申诉已经撤回，上传的材料已删除。需要的话，可以重新申诉。"
        onward = (("重新申诉", url_for("appeal.choice")), *onward)
    elif State(appeal.state) in {State.APPROVED, State.REFUSED}:
        why = "这件申诉已经办结，不能再修改材料，这一次没有做任何更改。请查询申诉进度，查看办理结果。"
    else:
        why = "这件申诉已经提交，现在不能修改材料，这一次没有做任何更改。需要补充时，工作人员会发短信通知您。"
    return Stop("申诉已经不能修改", why, status=409, ways=onward)


def prolonged(journey: Journey, **facts: Any) -> Journey:
    """The journey with its whole time before it, as somebody is at work in it; `facts` are noted with it."""
    until = (now() + settings().seconds("journey_lifetime")).timestamp()
    return APPEAL.note(replace(journey, expires_at=until), **facts)


def resumed(appeal: Appeal) -> str:
    """The address of the papers of an appeal, for whoever proved a phone of it."""
    return APPEAL.address("materials", APPEAL.begin(kind=appeal.kind, appeal=str(appeal.id)))
