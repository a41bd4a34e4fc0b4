"""账号申诉, the applicant's pages: 身份验证 → 材料上传 → 完成 (E01–E13).

==================  ==========================================================================
/appeal             which kind of appeal, and what to have ready (E02, E03)
/appeal/identity    the company, its representative, the account, the company's phone (E05)
/appeal/operator    the phone of whoever files it (E06); from here on there is a draft
==================  ==========================================================================

The pages of the papers stand in :mod:`idp.appeal.materials`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from flask import abort, redirect, request, url_for
from sqlalchemy import select

from idp.accounts.calendar import civil_day
from idp.accounts.companies import AccountTaken, CompanyKnown, check_free
from idp.accounts.company_claims import Claim
from idp.accounts.models import Enterprise
from idp.appeal import filing
from idp.appeal.applicant_forms import IdentityForm, OperatorForm
from idp.appeal.journey import APPEAL, OPERATOR_PROVED, result_address, to_result, tools
from idp.appeal.models import KINDS, Appeal, AppealKind, Statement
from idp.appeal.room import blueprint
from idp.proof import journeys, throttle
from idp.proof.journeys import Journey, JourneyGone
from idp.proof.sms_codes import Purpose
from idp.proof.throttle import Ceiling, Throttled, neighbourhood
from idp.web import code_step, cookies, signin, steps, ways
from idp.web.document_fields import DocumentFields
from idp.web.errors import Stop, Way
from idp.web.platform import db, now, platform, roll_back, settings
from idp.web.render import page
from idp.web.security import allow_scripts
from idp.web.sms import BUTTON, OTHER, PhoneCode
from idp.web.steps import carried

_A_PHONE, _A_CODE, _AN_ADDRESS, _WAIT = 10, 30, 60, 60
"""Appeals looked at in an hour: of one phone, for one credit code, from one address; then one a minute."""
_DAY = 86400
_TOLD, _REGISTRATION = "told", "register-enterprise"
"""Where an address names the journey of a registration, and the kind of that journey."""
_TAKEN = "这个账号已被使用，请换一个"
_BEGUN_ANEW = "这个页面打开太久，短信验证码已失效。填写的内容都还在，请重新获取短信验证码"
_SAME = "这个号码已经验证过，不用再验证。要用其他号码，请先改成新的号码"
_TOO_MANY = "尝试次数过多，请过 {minutes} 分钟再试。填写的内容都还在"


SHORT = {AppealKind.UNREGISTERED: "未注册", AppealKind.REGISTERED: "已注册"}


class NoSuchCompany(Exception):
    """The appeal is about a company's account, and no company has this credit code."""


class TooManyToday(Exception):
    """As many appeals were begun with one of the phones today as may be."""


@blueprint.get("/appeal")
def choice() -> str:
    """未注册 or 已注册, and what to have ready (E02, E03)."""
    return page(
        "appeal/choice.html",
        unregistered=_beginning(AppealKind.UNREGISTERED),
        registered=_beginning(AppealKind.REGISTERED),
        result=result_address(),
        due_days=settings().appeal_due_days,
        draft_days=settings().appeal_draft_days,
        ways=ways.when_proof_fails(),
    )


@blueprint.route("/appeal/identity", methods=["GET", "POST"])
def identity() -> Any:
    """身份验证 of the company."""
    found = APPEAL.begun()
    if found is not None and found.has("appeal") and not found.has("claim"):
        # Taken up by its number: what was told then is shown to nobody again.
        return redirect(APPEAL.address("materials", found), 303)
    journey = _of_the_kind_in_address(found)
    form = IdentityForm(request.form, data=_told_before(journey))
    if led := APPEAL.anew(journey, form.typed):
        return led
    if APPEAL.is_anew(journey):
        form.form_errors.append(_BEGUN_ANEW)
    if request.method == "GET" and form.account_name and journey.facts.get("taken") == form.account_name:
        form.account.errors = [_TAKEN]
    code = _code(Purpose.APPEAL, form.phone_number, journey)

    def shown() -> str:
        return _identity_page(form, code, journey)

    if code.is_asked_for():
        if not code_step.is_proved(journey, form.phone_number):
            return code_step.send(APPEAL, journey, form, code, shown)
        _say_it_is_proved(form)
    elif request.method == "POST":
        is_right = form.validate()
        journey = code_step.prove_phone(APPEAL, journey, form, code)
        if is_right and not form.code.errors:
            return redirect(APPEAL.address("operator", _with_what_was_told(form, journey)), 303)
    return shown()


@blueprint.route("/appeal/operator", methods=["GET", "POST"])
def operator() -> Any:
    """身份验证 of the operator: his phone, which may be the company's; then the draft is there."""
    journey = APPEAL.at("operator")
    form = OperatorForm(request.form, data={"phone": journey.facts.get(OPERATOR_PROVED, "")})
    code = _code(Purpose.APPEAL_OPERATOR, form.phone_number, journey)
    if code.is_asked_for() and not _is_operator_proved(journey, form.phone_number):
        return code.answer(form, lambda: _operator_page(form, code, journey))
    if code.is_asked_for():
        _say_it_is_proved(form)
    if request.method == "POST" and not code.is_asked_for():
        is_right = form.validate()
        if code_step.is_proved(journey, form.phone_number):
            form.code.errors = []
        else:
            journey = code_step.prove_phone(APPEAL, journey, form, code, fact=OPERATOR_PROVED)
        if is_right and not form.code.errors:
            return _proved(form, code, journey)
    return _operator_page(form, code, journey)


def _say_it_is_proved(form: IdentityForm | OperatorForm) -> None:
    """What 验证其他号码 is answered where the phone is the same as before."""
    if request.form.get(BUTTON) == OTHER:
        form.phone.errors = [_SAME]


def _of_the_kind_in_address(found: Journey | None) -> Journey:
    """The journey, which is about the kind that its address names; a new one where there is none yet.

    Whoever chose the wrong kind goes on with all he typed and proved.
    """
    named = request.args.get("kind", "")
    kind = named if named in set(AppealKind) else ""
    if found is not None:
        is_other = kind and kind != found.facts["kind"]
        return APPEAL.learn(found, kind=kind, appeal=None) if is_other else found
    if request.method == "POST" and request.accept_mimetypes.best == "application/json":
        # A code for a journey that the page does not know would open nothing: its script loads it anew.
        raise APPEAL.gone()
    if not kind:
        abort(redirect(url_for("appeal.choice", **_carried()), 303))
    journey = APPEAL.begin(kind=kind, typed=_typed_at_registration())
    # A browser that keeps no cookies has brought one just now, and would be led in a circle.
    if request.method == "GET" and "j" not in request.args:
        abort(redirect(_address(journey), 303))
    return journey


def _with_what_was_told(form: IdentityForm, journey: Journey) -> Journey:
    told = {
        "claim": form.claim.as_facts(),
        "term": form.term.data,
        "account": form.account_name,
        "phone": form.phone_number,
    }
    # A draft is about what was told before: it is found again if it is about the same.
    return APPEAL.learn(journey, **told, typed=None, taken=None, appeal=None)


def _proved(form: OperatorForm, code: PhoneCode, journey: Journey) -> Any:
    """Both phones are proved: on to the papers of a draft, or to what stands in the way. Raises Stop."""
    facts = journey.facts
    statement = Statement(
        Claim.of(facts["claim"]), facts["term"], facts["account"], facts["phone"], form.phone_number
    )
    kind = AppealKind(facts["kind"])
    try:
        _check(kind, statement)
        appeal = filing.begin(db(), tools(), kind, statement, signin.origin(actor=""), now=now())
        _count_begun(appeal, statement)
    except Throttled as slowed:
        seconds = math.ceil(slowed.wait.total_seconds())
        form.form_errors.append(_TOO_MANY.format(minutes=max(1, math.ceil(seconds / 60))))
        return _operator_page(form, code, journey), 429, {"Retry-After": str(seconds)}
    except AccountTaken:
        taken = APPEAL.learn(journey, taken=statement.account)
        return redirect(_address(taken), 303)
    except (CompanyKnown, NoSuchCompany, TooManyToday) as refused:
        raise _refusal(refused, journey) from None
    if appeal.state not in filing.WITH_THE_APPLICANT:
        raise _under_way(appeal)
    journey = APPEAL.learn(journey, appeal=str(appeal.id), **{OPERATOR_PROVED: form.phone_number})
    return redirect(APPEAL.address("materials", journey), 303)


def _check(kind: AppealKind, statement: Statement) -> None:
    """Return if the kind fits the company. Whoever asks has proved two phones, and is counted.

    Raises Throttled, CompanyKnown, AccountTaken, NoSuchCompany.
    """
    here, uscc = platform(), statement.claim.uscc
    phone = here.vault.index("appeal_phone", statement.phone).hex()
    address = neighbourhood(request.remote_addr or "")
    for name, most in ((f"from:{address}", _AN_ADDRESS), (uscc, _A_CODE), (phone, _A_PHONE)):
        throttle.count_below(here.store, Ceiling(f"appeal:{name}", most, _WAIT), now=now())
    if kind is AppealKind.UNREGISTERED:
        check_free(db(), uscc=uscc, account=statement.account)
    elif db().scalar(select(Enterprise.id).where(Enterprise.uscc == uscc)) is None:
        raise NoSuchCompany


def _count_begun(appeal: Appeal, statement: Statement) -> None:
    """Count an appeal that was begun just now; nothing of one too many is kept. Raises TooManyToday."""
    if appeal.created_at != now():
        return
    here, day = platform(), civil_day(now())
    phones = {here.vault.index("appeal_phone", one) for one in (statement.phone, statement.operator_phone)}
    counted = [here.store.increment(f"appeals:{one.hex()}:{day}", ttl=_DAY) for one in phones]
    if max(counted) > settings().appeals_a_phone:
        roll_back()
        raise TooManyToday


def _refusal(refused: Exception, journey: Journey) -> Stop:
    """What is said where this kind of appeal is the wrong one, or one too many."""
    back = ("返回修改", _address(journey))
    other = AppealKind.REGISTERED if isinstance(refused, CompanyKnown) else AppealKind.UNREGISTERED
    instead = (f"改为「{SHORT[other]}」申诉", _address(journey, other))
    if isinstance(refused, TooManyToday):
        return Stop(
            "今天的申诉次数已用完",
            f"同一个手机号码一天最多发起 {settings().appeals_a_phone} 件申诉，没有保存这一件。请明天再办理，"
            "或者凭编号继续已有的申诉。",
            status=429,
            ways=(("查询申诉进度", result_address()), *ways.when_proof_fails()),
        )
    if isinstance(refused, NoSuchCompany):
        return Stop(
            "没有找到这个企业的账号",
            "这个统一社会信用代码在本平台还没有账号，没有发起申诉。请核对代码；确实没有注册过的，改为「未注册」申诉，"
            "填写的内容都还在。",
            status=409,
            ways=(instead, back, *ways.when_proof_fails()),
        )
    return _known(refused, (instead, back))


def _known(refused: Exception, others: tuple[Way, ...]) -> Stop:
    if isinstance(refused, CompanyKnown) and refused.is_active:
        return Stop(
            "该企业已注册",
            "这个统一社会信用代码已经有法人账号，没有发起申诉。请直接登录，忘记密码可以重置；"
            "手机号码、法定代表人有变动，或者这些办法都不行的，改为「已注册」申诉，填写的内容都还在。",
            status=409,
            ways=(
                ("前往登录", url_for("login.legal", **_carried())),
                ("忘记密码", url_for("login.reset_legal", **_carried())),
                *others,
            ),
        )
    return Stop(
        "该企业账号待激活",
        "这个企业的账号已经登记，不用申诉注册，没有发起申诉。请激活账号；申诉刚通过的，用企业手机收到的短信里的链接设置密码；信息不一致或者收不到短信、不能激活的，"
        "改为「已注册」申诉，填写的内容都还在。",
        status=409,
        ways=(("去激活", url_for("enterprise.activate", **_carried())), *others),
    )


def _under_way(appeal: Appeal) -> Stop:
    return Stop(
        "已有一件正在办理的申诉",
        f"这个企业用这两个手机号码提交的申诉（编号 {appeal.number}）正在办理，没有再发起一件。"
        "可以查询进度；填写有误的，可以撤回后重新提交。",
        status=409,
        ways=to_result(appeal.number),
    )


def _identity_page(form: IdentityForm, code: PhoneCode, journey: Journey) -> str:
    allow_scripts()
    if request.method == "POST":
        # Whoever loads the page anew, or comes back to it, finds what he typed.
        APPEAL.note(journey, typed=form.typed)
    kind = AppealKind(journey.facts["kind"])
    return page(
        "appeal/identity.html",
        form=form,
        action=_address(journey),
        sms=None if code_step.is_proved(journey, form.phone_number) else code.shown(),
        refused_title="没有提交成功" if form.form_errors else "",
        kind=kind.value,
        kind_words=KINDS[kind],
        choice=url_for("appeal.choice", **_carried()),
        **APPEAL.frame("identity"),
    )


def _operator_page(form: OperatorForm, code: PhoneCode, journey: Journey) -> str:
    is_proved = _is_operator_proved(journey, form.phone_number)
    return page(
        "appeal/operator.html",
        form=form,
        sms=None if is_proved else code.shown(),
        refused_title="没有提交成功" if form.form_errors else "",
        company=journey.facts["claim"]["name"],
        phone=journey.facts["phone"],
        back=_address(journey),
        **APPEAL.frame("operator"),
    )


def _is_operator_proved(journey: Journey, phone: str) -> bool:
    """Whether this phone needs no code of its own: the company's is proved already."""
    return code_step.is_proved(journey, phone) or code_step.is_proved(journey, phone, fact=OPERATOR_PROVED)


def _code(purpose: Purpose, phone: str, journey: Journey) -> PhoneCode:
    # Who is on the operator's page has solved one for the company's phone.
    is_second = purpose is Purpose.APPEAL_OPERATOR
    return PhoneCode(
        purpose, phone, journey=journey.id, captcha=purpose.value.replace("_", "-"), first_free=is_second
    )


def _told_before(journey: Journey) -> dict[str, Any]:
    """The fields' values for somebody who comes back."""
    facts = journey.facts
    if "typed" in facts:
        return dict(facts["typed"])
    if "claim" not in facts:
        return {}
    return _fields_of(facts)


def _typed_at_registration() -> dict[str, Any] | None:
    """The fields of a registration that this browser was refused, if its address came along (`told`).

    Its phone is proved again: a proof holds for what it was asked for.
    """
    told = request.args.get(_TOLD, "")
    with suppress(JourneyGone):
        found = journeys.find(steps.tools(), _REGISTRATION, told, browser=cookies.browser_id(), now=now())
        return _fields_of(found.facts) if found.has("claim", "term") else None
    return None


def _fields_of(facts: Mapping[str, Any]) -> dict[str, Any]:
    """What the fields were told, from the facts of a journey."""
    claim = Claim.of(facts["claim"])
    return {
        **claim.as_facts(),
        **DocumentFields.prefilled(claim.document, facts["term"]),
        "phone": facts["phone"],
        "account": facts["account"],
    }


def _address(journey: Journey, kind: AppealKind | None = None) -> str:
    return APPEAL.address("identity", journey, kind=kind.value if kind else journey.facts["kind"])


def _beginning(kind: AppealKind) -> str:
    values = _carried()
    if told := request.args.get(_TOLD):
        values[_TOLD] = told
    values["kind"] = kind.value
    return url_for("appeal.identity", **values)


def _carried() -> dict[str, Any]:
    return {**carried()}
