"""法人注册: 填写信息 → 实名核验 → 注册完成 (B01–B21).

=====================================  =====================================================================
/register/enterprise                   the company, its representative, his phone, the account (B02–B16)
/register/enterprise/done              it is registered; 前往登录 (B18)
=====================================  =====================================================================

The steps between stand in :mod:`idp.enterprise.registration_proof`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import partial
from typing import Any

from flask import redirect, request

from idp.accounts import agreements
from idp.accounts.companies import AccountTaken, CompanyKnown, MayNotAct, check_free
from idp.accounts.identity import Role
from idp.accounts.models import Enterprise
from idp.db import pause
from idp.enterprise import registration
from idp.enterprise.registration import Application, CannotBeChecked, Closed, Mismatch, Registries
from idp.enterprise.registration_forms import RegistrationForm
from idp.enterprise.registration_journey import (
    REGISTRATION,
    company_known,
    end,
    leading_to,
    other_ways,
    proof_of,
    refusal,
    registries,
)
from idp.enterprise.room import blueprint
from idp.proof.journeys import Journey
from idp.proof.sms_codes import Purpose
from idp.proof.throttle import Throttled
from idp.web import code_step, signin
from idp.web.document_fields import DocumentFields
from idp.web.platform import db, now, platform, settings
from idp.web.render import page
from idp.web.security import allow_scripts
from idp.web.sms import PhoneCode

_TAKEN = "这个账号已被使用，请换一个"
_NO_ANSWER = (
    "现在无法核验企业和身份信息，没有注册。请过几分钟再提交："
    "填写的内容都还在，短信验证码不用重填，密码请再填一次"
)
_BEGUN_ANEW = "这个页面打开太久，短信验证码已失效。填写的内容都还在，请重新获取短信验证码并设置密码"
_TOO_MANY = "尝试次数过多，请过 {minutes} 分钟再试。填写的内容都还在，密码请再填一次"


@blueprint.route("/register/enterprise", methods=["GET", "POST"])
def register() -> Any:
    """填写信息."""
    asked, journey = registries(), REGISTRATION.start()
    form = RegistrationForm(request.form, data=_told_before(journey))
    if led := REGISTRATION.anew(journey, form.typed):
        return led
    if request.method == "GET" and form.account_name and journey.facts.get("taken") == form.account_name:
        form.account.errors = [_TAKEN]
    if REGISTRATION.is_anew(journey):
        form.form_errors.append(_BEGUN_ANEW)
    code = _code(form, journey)

    def shown() -> str:
        return _form_page(form, code, journey)

    if code.is_asked_for():
        return code_step.send(REGISTRATION, journey, form, code, shown)
    if request.method == "POST":
        is_right = form.is_right(form.about)
        journey = code_step.prove_phone(REGISTRATION, journey, form, code)
        if is_right and not form.code.errors:
            return _submitted(asked, form, journey)
    return shown()


@blueprint.get("/register/enterprise/done")
def register_done() -> Any:
    """注册完成."""
    journey = REGISTRATION.at("done")
    if db().get(Enterprise, journey.subject) is None:
        return REGISTRATION.not_kept(journey)
    facts = journey.facts
    return page(
        "enterprise/registration/done.html",
        facts=[
            ("名称", facts["company"]),
            ("统一社会信用代码", facts["uscc"]),
            ("法人账号", facts["account"]),
        ],
        sign_in=leading_to("login.legal"),
        **REGISTRATION.frame("done"),
    )


def _submitted(asked: Registries, form: RegistrationForm, journey: Journey) -> Any:
    """What becomes of a form in which nothing is wrong by itself, and whose phone is proved. Raises Stop."""
    application = form.application
    told = {**application.as_facts(), "term": form.term.data}
    journey = _with_what_was_told(journey, told)
    try:
        _check(asked, application)
    except (Throttled, AccountTaken, CannotBeChecked) as refused:
        _led_to_its_end()
        return _to_be_sent_again(refused, form, _code(form, journey), journey)
    except CompanyKnown as known:
        _led_to_its_end()
        raise company_known(known, journey) from None
    except (Mismatch, Closed, MayNotAct) as refused:
        raise refusal(refused, journey) from None
    pause(db())
    kept = REGISTRATION.learn(
        journey,
        lambda found: _tells(found, told) and found.has_new("password_hash", journey),
        password_hash=platform().hasher.hash(form.new_password.data or ""),
        agreements=dict(agreements.CURRENT),
        agreed_at=now().isoformat(),
    )
    proof = proof_of(kept, application)
    return end(kept, application, proof) if proof else redirect(REGISTRATION.address("face", kept), 303)


def _check(asked: Registries, application: Application) -> None:
    """Return if the company may be registered so, as far as anybody knows before the face.

    Raises Throttled, CompanyKnown, AccountTaken, Mismatch, MayNotAct, Closed, CannotBeChecked.
    """
    here = platform()
    phone_key = here.vault.index("register_phone", application.phone).hex()
    registration.count(here.store, application, phone_key, now=now())
    check_free(db(), uscc=application.claim.uscc, account=application.account)
    registration.check_on_record(db(), asked, application)
    registration.check_person_here(db(), here.vault, application)


def _with_what_was_told(journey: Journey, told: Mapping[str, Any]) -> Journey:
    """The journey with what the form says in it."""
    if _tells(journey, told) and not journey.has("typed"):
        return journey
    is_told = partial(_tells, told=told)
    # What was checked before was something else.
    return REGISTRATION.learn(journey, is_told, **told, typed=None, password_hash=None, taken=None)


def _tells(journey: Journey, told: Mapping[str, Any]) -> bool:
    return all(journey.facts.get(name) == value for name, value in told.items())


def _led_to_its_end() -> None:
    """Return where the journey has not come to its end: of a form sent twice, what is taken is its own."""
    REGISTRATION.begun()


def _to_be_sent_again(refused: Exception, form: RegistrationForm, code: PhoneCode, journey: Journey) -> Any:
    """The page with its sentence; what was typed and proved is kept."""
    if isinstance(refused, AccountTaken):
        form.account.errors = [_TAKEN]
        return _form_page(form, code, journey), 409
    if isinstance(refused, Throttled):
        seconds = math.ceil(refused.wait.total_seconds())
        form.form_errors.append(_TOO_MANY.format(minutes=max(1, math.ceil(seconds / 60))))
        return _form_page(form, code, journey), 429, {"Retry-After": str(seconds)}
    form.form_errors.append(_NO_ANSWER)
    return _form_page(form, code, journey), 503


def _form_page(form: RegistrationForm, code: PhoneCode, journey: Journey) -> str:
    allow_scripts()
    if request.method == "POST":
        # Whoever loads the page anew, or comes back to it, finds what he typed.
        REGISTRATION.note(journey, typed=form.typed)
    return page(
        "enterprise/registration/form.html",
        form=form,
        action=REGISTRATION.address("form", journey),
        sms=None if code_step.is_proved(journey, form.phone_number) else code.shown(),
        # Nothing is to be changed where only the whole was refused.
        refused_title="没有提交成功" if form.form_errors else "",
        asks_for_face=settings().face_at_registration,
        others=other_ways(),
        **REGISTRATION.frame("form"),
    )


def _code(form: RegistrationForm, journey: Journey) -> PhoneCode:
    phone = form.phone_number
    return PhoneCode(Purpose.REGISTER_ENTERPRISE, phone, journey=journey.id, captcha="register-enterprise")


def _told_before(journey: Journey) -> dict[str, Any]:
    """The fields' values for somebody who comes back, or who is signed in as himself (B25)."""
    facts = journey.facts
    if "typed" in facts:
        return dict(facts["typed"])
    if "claim" not in facts:
        signed_in = signin.current()
        if signed_in is None or signed_in.identity.role is not Role.NATURAL_PERSON:
            return {}
        return {"representative_name": signed_in.person.name(platform().vault)}
    application = Application.of(facts)
    claim = application.claim
    return {
        **claim.as_facts(),
        **DocumentFields.prefilled(claim.document, facts["term"]),
        "phone": application.phone,
        "account": application.account,
    }
