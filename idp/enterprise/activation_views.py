"""账号激活: 确认企业信息 → 手机短信验证 → 设置企业账号和密码 → 激活成功 (C01–C05).

====================  ==========================================================================
/activate             all that the record says of the company and its representative (C03)
/activate/phone       a code to the phone that came with the record, and to no other (C04)
/activate/password    the account's name, its password, the two texts (C04)
/activate/done        it is active; 前往登录 (C05)
====================  ==========================================================================
"""

from __future__ import annotations

import math
from functools import partial
from typing import Any
from uuid import UUID

from flask import redirect, request, url_for

from idp.accounts import credentials
from idp.accounts.company_claims import Claim
from idp.accounts.directory import AlreadyTaken
from idp.db import pause
from idp.enterprise import activation
from idp.enterprise.activation import (
    AlreadyActive,
    CannotBeChecked,
    Chosen,
    Closed,
    NoPhone,
    NotFound,
    NotThePerson,
    Pending,
    Tools,
)
from idp.enterprise.activation_forms import AccountForm, CompanyForm
from idp.enterprise.room import blueprint
from idp.proof.journeys import Journey
from idp.proof.sms_codes import Purpose
from idp.proof.throttle import Throttled
from idp.web import captcha, code_step, signin, ways
from idp.web.code_step import CodeStep
from idp.web.errors import Stop
from idp.web.platform import db, now, platform, settings
from idp.web.render import page
from idp.web.security import allow_scripts
from idp.web.steps import Step, Walk, carried

ACTIVATION = Walk(
    "activation",
    "账号激活",
    (
        Step("company", "确认企业信息", "enterprise.activate"),
        Step("phone", "手机短信验证", "enterprise.activate_phone", needs=("account",)),
        Step("password", "设置企业账号和密码", "enterprise.activate_password", needs=("phone_proved",)),
        Step("done", "激活成功", "enterprise.activate_done"),
    ),
)
_CAPTCHA = "activate"
# One sentence for every mismatch: a stranger may not learn which part of it was right.
_NOT_FOUND = "未找到与所填信息一致的待激活企业账号，请对照营业执照和证件逐项核对"
_NOT_THE_PERSON = "身份信息核验未通过，请对照证件核对姓名、号码和有效期；留存的手机号码也要是法定代表人本人的"
_NO_ANSWER = "现在无法核验身份信息，没有做任何更改。填写的内容都还在，请过几分钟再提交"
_BEGUN_ANEW = "这个页面打开太久，没有提交成功。填写的内容都还在，请填写图形验证码后重新提交"


@blueprint.route("/activate", methods=["GET", "POST"])
def activate() -> Any:
    """确认企业信息."""
    journey = ACTIVATION.start()
    form, refusal = CompanyForm(request.form, data=_told_before(journey)), None
    if led := ACTIVATION.anew(journey, form.typed):
        return led
    if ACTIVATION.is_anew(journey):
        form.form_errors.append(_BEGUN_ANEW)
    if request.method == "POST":
        # Whoever loads the page anew, or comes back to it, finds what he typed.
        ACTIVATION.note(journey, typed=form.typed)
    if request.method == "POST" and _may_be_compared(form):
        try:
            return _confirmed(form)
        except (NotFound, NotThePerson, CannotBeChecked, Throttled) as refused:
            form.form_errors.append(_sentence(refused))
            refusal = refused
    allow_scripts()
    is_another = isinstance(refusal, NotFound | NotThePerson)
    # Nothing in particular is to be changed where the whole was refused.
    refused_title = "没有核验通过" if is_another else "没有提交成功"
    shown = page(
        "enterprise/activation/company.html",
        form=form,
        captcha=captcha.fresh(_CAPTCHA),
        action=ACTIVATION.address("company", journey),
        refused_title=refused_title if form.form_errors else "",
        ways=ways.when_a_company_fails() if is_another else (),
        **ACTIVATION.frame("company"),
    )
    if isinstance(refusal, Throttled):
        return shown, 429, {"Retry-After": str(math.ceil(refusal.wait.total_seconds()))}
    return shown


@blueprint.route("/activate/phone", methods=["GET", "POST"])
def activate_phone() -> Any:
    """手机短信验证."""
    journey = ACTIVATION.at("phone")
    if further := ACTIVATION.gone_on("phone"):
        return further
    _, pending = _as_confirmed(journey, "phone")
    step = CodeStep(
        purpose=Purpose.ACTIVATE,
        phone=pending.phone,
        account=pending.key,
        journey=journey,
        captcha="activate-sms",
        lead="企业信息核对一致。请用登记时留存的手机接收短信验证码。",
        onward="下一步，设置账号和密码",
        frame=ACTIVATION.frame("phone"),
        ways=ways.when_a_company_fails(),
        gone_on=partial(ACTIVATION.gone_on, "phone"),
        guessed=partial(_note_guess, pending),
        phone_label="留存的手机号码",
        back=("返回修改", ACTIVATION.address("company", journey)),
        lost="为了保护企业账号，验证码只发到登记时留存的手机。号码停用或不在身边时，可以选择：",
    )
    return code_step.answer(step, partial(_phone_proved, journey, pending.phone))


@blueprint.route("/activate/password", methods=["GET", "POST"])
def activate_password() -> Any:
    """设置企业账号和密码."""
    journey = ACTIVATION.at("password")
    claim, pending = _as_confirmed(journey, "password")
    form = AccountForm(request.form)
    if request.method == "POST" and form.is_right(
        credentials.words_about(db(), platform().vault, pending.key)
    ):
        try:
            return _activated(journey, claim, pending, form)
        except AlreadyTaken:
            # Said only here: the phone of the record was proved before.
            form.account.errors = ["这个账号已被使用，请换一个"]
    return page(
        "enterprise/activation/password.html",
        form=form,
        company=claim.name,
        uscc=claim.uscc,
        **ACTIVATION.frame("password"),
    )


@blueprint.get("/activate/done")
def activate_done() -> Any:
    """激活成功."""
    journey = ACTIVATION.at("done")
    facts = journey.facts
    if not activation.is_active(db(), UUID(facts["account_id"]), facts["account"]):
        # It was noted, and the process died before its rows were kept.
        raise ACTIVATION.gone()
    return page(
        "enterprise/activation/done.html",
        facts=[
            ("名称", facts["company"]),
            ("统一社会信用代码", facts["uscc"]),
            ("法人账号", facts["account"]),
        ],
        sign_in=_sign_in(),
        **ACTIVATION.frame("done"),
    )


def _phone_proved(journey: Journey, phone: str) -> Any:
    journey = ACTIVATION.learn(journey, **{code_step.PROVED: phone})
    return redirect(ACTIVATION.address("password", journey), 303)


def _note_guess(pending: Pending) -> None:
    here, origin = platform(), signin.origin(actor="")
    activation.note_refused_code(db(), here.trail, pending, origin, now=now())


def _may_be_compared(form: CompanyForm) -> bool:
    """Whether the form is complete and its captcha right; a captcha is spent with whatever it was sent."""
    typed = form.captcha.data or ""
    problem = captcha.check(request.form.get("captcha_id", ""), typed, purpose=_CAPTCHA)
    if "again" in request.form:
        return False
    is_valid = form.validate()
    if problem:
        form.captcha.errors = [problem]
    return is_valid and problem is None


def _confirmed(form: CompanyForm) -> Any:
    """Begin the journey of the company that was told. Raises as :func:`idp.enterprise.activation.confirm`."""
    claim = form.claim
    try:
        pending = activation.confirm(db(), _tools(), claim, address=request.remote_addr or "", now=now())
    except AlreadyActive:
        raise _already_active() from None
    except Closed as closed:
        raise _closed(closed) from None
    except NoPhone:
        raise Stop(
            "这个企业账号没有留存手机号码",
            "填写的信息与登记一致，但是没有留存可以接收验证码的手机号码，不能在线激活。"
            f"请{_call_us()}，核实身份后补充手机号码。账号没有变化。",
            status=409,
            ways=ways.when_a_company_fails(),
        ) from None
    journey = ACTIVATION.begin(
        account=pending.key,
        phone=pending.phone,
        claim=claim.as_facts(),
        term=form.term.data,
        days_confirmed=pending.days_confirmed,
    )
    return redirect(ACTIVATION.address("phone", journey), 303)


def _activated(journey: Journey, claim: Claim, pending: Pending, form: AccountForm) -> Any:
    """Activate and lead to the end. Raises AlreadyTaken, and Stop where the record is another by now."""
    pause(db())
    chosen = Chosen(form.account_name, platform().hasher.hash(form.new_password.data or ""))
    origin = signin.origin(actor=f"person:{pending.representative_id}")
    try:
        activation.activate(
            db(), _tools(), pending, claim, chosen, origin=origin, device=signin.device(), now=now()
        )
    except (NotFound, NoPhone, AlreadyActive, Closed) as refused:
        raise _moved_on(refused, "password") from None
    ended = ACTIVATION.end(
        journey,
        account_id=str(pending.account_id),
        account=chosen.name,
        company=claim.name,
        uscc=claim.uscc,
    )
    return redirect(ACTIVATION.address("done", ended), 303)


def _as_confirmed(journey: Journey, step: str) -> tuple[Claim, Pending]:
    """What was told in the first step, and the record, if it is still the one it was then. Raises Stop."""
    claim, facts = Claim.of(journey.facts["claim"]), journey.facts
    # A journey begun by the version before does not know of confirmed days.
    confirmed = bool(facts.get("days_confirmed"))
    try:
        pending = activation.find(db(), platform().vault, claim, days_confirmed=confirmed)
    except (NotFound, NoPhone, AlreadyActive, Closed) as refused:
        raise _moved_on(refused, step) from None
    if (pending.key, pending.phone) != (facts["account"], facts["phone"]):
        raise _moved_on(NotFound(), step)
    return claim, pending


def _moved_on(refused: Exception, step: str) -> Stop:
    """What is said where the record became another; a form sent twice is led to where the first one led."""
    journey = ACTIVATION.at(step)
    if isinstance(refused, AlreadyActive):
        return _already_active()
    if isinstance(refused, Closed):
        return _closed(refused)
    return Stop(
        "账号激活没有完成",
        "企业或法定代表人的登记信息在您填写之后有变动，没有激活账号。请核对后重新填写。",
        status=409,
        ways=(("重新填写", ACTIVATION.address("company", journey)), ("回到登录页", url_for("login.start"))),
    )


def _already_active() -> Stop:
    return Stop(
        "这个企业账号已经激活",
        "不用再次激活，请用法人账号或统一社会信用代码登录。如果不是您或单位的人激活的，请"
        + _call_us()
        + "。",
        status=409,
        ways=(("前往登录", _sign_in()), ("忘记密码", _leading_to("login.reset_legal"))),
    )


def _closed(closed: Closed) -> Stop:
    why = str(closed).replace("登录", "激活")
    return Stop("这个企业账号不能激活", why, status=403, ways=ways.when_a_company_fails())


def _sentence(refused: Exception) -> str:
    if isinstance(refused, NotFound):
        return _NOT_FOUND
    if isinstance(refused, NotThePerson):
        return _NOT_THE_PERSON
    if isinstance(refused, Throttled):
        minutes = max(1, math.ceil(refused.wait.total_seconds() / 60))
        return f"尝试次数过多，请过 {minutes} 分钟再试。填写的内容都还在"
    return _NO_ANSWER


def _told_before(journey: Journey) -> dict[str, Any]:
    """The fields' values for somebody who comes back to the first step: what he typed last, or told."""
    facts = journey.facts
    if "typed" in facts:
        return dict(facts["typed"])
    return {**facts["claim"], "term": facts["term"]} if "claim" in facts else {}


def _tools() -> Tools:
    here = platform()
    return Tools(here.settings, here.store, here.vault, here.trail, here.notifier, here.population)


def _sign_in() -> str:
    return _leading_to("login.legal")


def _leading_to(endpoint: str) -> str:
    values: dict[str, Any] = {**carried()}
    return url_for(endpoint, **values)


def _call_us() -> str:
    hotline = settings().hotline
    return f"拨打服务热线 {hotline}" if hotline else "联系您办理业务的单位"
