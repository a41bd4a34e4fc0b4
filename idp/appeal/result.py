"""How an appeal stands, by its number and a code to a phone that was proved in it (X21, SECURITY 4).

========================  ==========================================================================
/appeal/result            number, phone, captcha: answered alike whether there is such an appeal or not
/appeal/result/code       a code, which reaches the phone only if it is one of that appeal
/appeal/result/standing   its state, the reason, what is asked for, what can be done: nothing else
/appeal/result/continue   on with a draft, or to what is asked for
/appeal/result/withdraw   taking it back; its papers are deleted
/appeal/result/link       the link that sets the password, once more
========================  ==========================================================================
"""

from __future__ import annotations

import math
from datetime import timedelta
from typing import Any
from uuid import UUID

from flask import redirect, request, url_for

from idp.accounts.calendar import civil_day
from idp.appeal import filing, password
from idp.appeal.filing import WITH_THE_APPLICANT
from idp.appeal.journey import RESULT, resumed, tools
from idp.appeal.models import KINDS, OPEN, STATES, Appeal, AppealKind, State
from idp.appeal.papers import BY_SLOT
from idp.appeal.result_forms import ResultForm
from idp.appeal.room import blueprint
from idp.appeal.states import Moved
from idp.proof import throttle
from idp.proof.journeys import Journey
from idp.proof.sms_codes import Purpose
from idp.proof.throttle import Ceiling, Throttled, neighbourhood
from idp.web import captcha, signin, ways
from idp.web.code_step import CodeStep
from idp.web.errors import Stop
from idp.web.platform import db, now, platform, roll_back, settings
from idp.web.render import day, minute, page
from idp.web.sms import CodeForm, PhoneCode
from idp.web.steps import carried

_CAPTCHA = "appeal-result"
_A_NUMBER, _AN_ADDRESS, _WAIT = 20, 60, 60
"""Questions in an hour that are looked up: about one number, from one address; then one a minute."""
_LINKS_A_DAY = 3
_DAY = 86400
_TONES = {
    State.APPROVED: "ok",
    State.REFUSED: "bad",
    State.MORE: "wait",
    State.DRAFT: "wait",
    State.WITHDRAWN: "",
}
_TOO_MANY = "查询次数过多，请过 {minutes} 分钟再试"


@blueprint.route("/appeal/result", methods=["GET", "POST"])
def result() -> Any:
    """Which appeal, and which phone."""
    form = ResultForm(request.form, data={"number": request.args.get("number", "")[:40]})
    slowed = None
    if request.method == "POST" and _may_be_tried(form):
        try:
            return _asked(form)
        except Throttled as throttled:
            slowed = throttled
            minutes = max(1, math.ceil(slowed.wait.total_seconds() / 60))
            form.form_errors.append(_TOO_MANY.format(minutes=minutes))
    shown = page(
        "appeal/result.html",
        form=form,
        captcha=captcha.fresh(_CAPTCHA),
        ways=(("没有编号？发起申诉", url_for("appeal.choice", **_carried())), *ways.when_proof_fails()),
        **RESULT.frame("find"),
    )
    if slowed is None:
        return shown
    return shown, 429, {"Retry-After": str(math.ceil(slowed.wait.total_seconds()))}


@blueprint.route("/appeal/result/code", methods=["GET", "POST"])
def result_code() -> Any:
    """The code. Whether anything was sent is said to nobody, and then no code is right."""
    journey = RESULT.at("code")
    facts, form = journey.facts, CodeForm(request.form)
    code = PhoneCode(
        Purpose.APPEAL_RESULT,
        facts["phone"],
        account=f"appeal:{facts['appeal'] or journey.subject}",
        journey=journey.id,
        captcha="appeal-result-code",
        first_free=True,
        only_if=bool(facts["appeal"]),
    )

    def shown() -> str:
        return _code_page(form, code, journey)

    if code.is_asked_for():
        return code.answer(form, shown)
    if request.method == "GET" or not form.validate():
        return shown()
    problem = code.problem(form.code.data)
    if problem is None and facts["appeal"]:
        ended = RESULT.end(journey, appeal=facts["appeal"], phone=facts["phone"], proved_at=now().timestamp())
        return redirect(RESULT.address("standing", ended), 303)
    # The same form sent twice: the first one spent the code, and led on.
    RESULT.at("code")
    form.code.errors = [problem or ""]
    return shown()


@blueprint.get("/appeal/result/standing")
def standing() -> str:
    """How it stands."""
    journey, appeal = _proved()
    state, settled = State(appeal.state), settings()
    draft_until = appeal.created_at + timedelta(days=settled.appeal_draft_days)
    return page(
        "appeal/standing.html",
        facts=_facts(appeal, state),
        state=state.value,
        state_words=STATES[State.IN_HAND if state is State.SECOND else state],
        tone=_TONES.get(state, "info"),
        why=_why(appeal, state),
        papers=[BY_SLOT[slot].label for slot in appeal.asked_for if slot in BY_SLOT],
        until=minute(appeal.answer_until) if appeal.answer_until else "",
        draft_until=day(draft_until),
        link=_link_words(appeal, journey),
        is_sent="sent" in request.args,
        addresses={name: _address(f"appeal.{name}", journey) for name in ("go_on", "withdraw", "send_link")},
        may_withdraw=state is State.DRAFT or state in OPEN,
        sign_in=url_for("login.legal", **_carried()),
        choice=url_for("appeal.choice", **_carried()),
        ways=ways.when_proof_fails(),
        **RESULT.frame("standing"),
    )


@blueprint.get("/appeal/result/continue")
def go_on() -> Any:
    """On with a draft, or to what is asked for."""
    journey, appeal = _proved()
    if State(appeal.state) not in WITH_THE_APPLICANT:
        return redirect(RESULT.address("standing", journey), 303)
    return redirect(resumed(appeal), 303)


@blueprint.route("/appeal/result/withdraw", methods=["GET", "POST"])
def withdraw() -> Any:
    """What taking it back means, and the yes to it."""
    journey, appeal = _proved()
    if State(appeal.state) not in {State.DRAFT, *OPEN}:
        return redirect(RESULT.address("standing", journey), 303)
    if request.method == "GET":
        return page(
            "appeal/withdraw.html",
            facts=_facts(appeal, State(appeal.state)),
            back=RESULT.address("standing", journey),
            **RESULT.frame("standing"),
        )
    try:
        filing.withdraw(db(), tools(), appeal, signin.origin(actor=""), now=now())
    except Moved:
        # Decided meanwhile, or withdrawn by the same form: the page says which.
        roll_back()
    return redirect(RESULT.address("standing", journey), 303)


@blueprint.post("/appeal/result/link")
def send_link() -> Any:
    """The link that sets the password, once more; the one before opens nothing any more."""
    journey, appeal = _proved()
    link = _link_words(appeal, journey)
    if link is None or not link["may_send"]:
        return redirect(RESULT.address("standing", journey), 303)
    counted = platform().store.increment(f"appeal-link:{appeal.id}:{civil_day(now())}", ttl=_DAY)
    if counted > _LINKS_A_DAY:
        raise Stop(
            "今天不能再发送链接",
            f"一件申诉一天最多重新发送 {_LINKS_A_DAY} 次链接，没有再发送。请查看已收到的短信，或者明天再试。",
            status=429,
            ways=(("返回", RESULT.address("standing", journey)), *ways.when_proof_fails()),
        )
    try:
        password.send_again(db(), tools(), appeal, signin.origin(actor=""), now=now())
    except password.LinkGone:
        # Used or overtaken meanwhile: the page says so.
        roll_back()
        return redirect(RESULT.address("standing", journey), 303)
    return redirect(RESULT.address("standing", journey, sent="1"), 303)


def _may_be_tried(form: ResultForm) -> bool:
    """Whether the form is complete and its captcha right; a captcha is spent with whatever it was sent."""
    problem = captcha.check(request.form.get("captcha_id", ""), form.captcha.data or "", purpose=_CAPTCHA)
    if "again" in request.form or not form.validate():
        return False
    if problem:
        form.captcha.errors = [problem]
    return problem is None


def _asked(form: ResultForm) -> Any:
    """On to the code, whether there is such an appeal or not. Raises Throttled."""
    here, number, phone = platform(), form.appeal_number, form.phone_number
    for name, most in (
        (f"from:{neighbourhood(request.remote_addr or '')}", _AN_ADDRESS),
        (number, _A_NUMBER),
    ):
        throttle.count_below(here.store, Ceiling(f"appeal-result:{name}", most, _WAIT), now=now())
    found = filing.find_by_number(db(), here.vault, number, phone)
    journey = RESULT.begin(number=number, phone=phone, appeal=str(found.id) if found else "")
    return redirect(RESULT.address("code", journey), 303)


def _code_page(form: CodeForm, code: PhoneCode, journey: Journey) -> str:
    step = CodeStep(
        purpose=Purpose.APPEAL_RESULT,
        phone=journey.facts["phone"],
        account="",
        journey=journey,
        captcha="",
        lead="编号和手机号码都正确的，才会收到短信验证码。手机号码是申诉时验证过的企业手机或经办人手机。",
        onward="查看进度",
        frame={},
        ways=ways.when_proof_fails(),
        gone_on=lambda: None,
        guessed=lambda: None,
        back=("重新填写", RESULT.address("find", number=journey.facts["number"])),
        lost="请先核对编号和手机号码，编号在上传材料的页面、提交成功的页面和短信里。没有提交的申诉，"
        "没有记下编号的，用同样的企业和手机重新发起，会接着原来的草稿。仍然收不到，或者手机号码已经不用了，可以选择：",
    )
    return page("web/walk_code.html", form=form, sms=code.shown(), code_step=step, **RESULT.frame("code"))


def _proved() -> tuple[Journey, Appeal]:
    """The journey whose phone was proved not long ago, and the appeal. Raises Stop."""
    journey = RESULT.at("standing")
    facts = journey.facts
    if now().timestamp() - facts["proved_at"] > settings().journey_lifetime:
        raise RESULT.gone()
    appeal = db().get(Appeal, UUID(facts["appeal"]))
    if appeal is None:
        # A draft that was kept as long as drafts are.
        raise RESULT.gone()
    return journey, appeal


def _facts(appeal: Appeal, state: State) -> list[tuple[str, str]]:
    """What the page tells of an appeal: nobody's name, nobody's number."""
    facts = [("申诉编号", appeal.number), ("申诉类型", KINDS[AppealKind(appeal.kind)])]
    if appeal.submitted_at:
        facts.append(("提交时间", minute(appeal.submitted_at)))
    if appeal.due_at and state in OPEN - {State.MORE}:
        facts.append(("预计办结", f"{minute(appeal.due_at)} 前"))
    if appeal.decided_at:
        facts.append(("办结时间", minute(appeal.decided_at)))
    return facts


def _why(appeal: Appeal, state: State) -> str:
    """What staff asked for, or why it was refused; empty where there is nothing to say."""
    if appeal.is_lapsed:
        return "逾期没有补充材料，申诉已结束，账号没有任何更改。"
    return appeal.answer(platform().vault) if state in {State.MORE, State.REFUSED} else ""


def _link_words(appeal: Appeal, journey: Journey) -> dict[str, Any] | None:
    """How the link of an approved appeal stands, and whether whoever looks may have it sent once more."""
    if appeal.state != State.APPROVED:
        return None
    is_used = appeal.link_used_at is not None
    is_void = not is_used and not password.stands(db(), platform().vault, appeal)
    runs_until = appeal.link_expires_at
    is_companys = appeal.phone_index in platform().vault.indexes("phone", journey.facts["phone"])
    return {
        "is_used": is_used,
        "is_void": is_void,
        "is_companys": is_companys,
        "until": minute(runs_until) if runs_until and runs_until > now() else "",
        "may_send": is_companys and not is_used and not is_void,
    }


def _address(endpoint: str, journey: Journey) -> str:
    return url_for(endpoint, **_carried(), j=journey.id)


def _carried() -> dict[str, Any]:
    return {**carried()}
