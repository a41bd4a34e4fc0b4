"""法人注册: 填写信息 → 实名核验 → 注册完成 (B01–B21).

=====================================  =====================================================================
/register/enterprise                   the company, its representative, his phone, the account (B02–B16)
/register/enterprise/done              it is registered; 前往登录 (B18)
=====================================  =====================================================================

The steps between stand in :mod:`idp.enterprise.registration_proof`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
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
from idp.web import signin
from idp.web.document_fields import DocumentFields
from idp.web.platform import db, now, platform, settings
from idp.web.render import page
from idp.web.sms import PhoneCode

_TAKEN = "这个账号已被使用，请换一个"
_NO_ANSWER = "现在无法核验企业和身份信息，没有注册。填写的内容都还在，请过几分钟再提交，短信验证码不用重填"
_BEGUN_ANEW = "这个页面打开太久，短信验证码已失效。填写的内容都还在，请重新获取短信验证码并设置密码"
_TOO_MANY = "尝试次数过多，请过 {minutes} 分钟再试。填写的内容都还在"


@blueprint.route("/register/enterprise", methods=["GET", "POST"])
def register() -> Any:
    """填写信息."""
    asked, journey = registries(), REGISTRATION.begun()
    is_new = journey is None
    if journey is None:
        if request.method == "POST" and request.accept_mimetypes.best == "application/json":
            # A code for a journey that the page does not know would open nothing: its script loads it anew.
            raise REGISTRATION.gone()
        journey = REGISTRATION.begin()
        if request.method == "GET" and "j" not in request.args:
            # A phone's code belongs to a journey. Whoever brings one that is gone keeps his page.
            return redirect(REGISTRATION.address("form", journey))
    form = RegistrationForm(request.form, data=_told_before(journey))
    if request.method == "GET" and _is_taken(journey):
        form.account.errors = [_TAKEN]
    code = _code(form, journey)

    def shown() -> str:
        return _form_page(form, code, journey)

    if code.is_asked_for():
        return code.answer(form, shown)
    if request.method == "POST" and is_new:
        form.form_errors.append(_BEGUN_ANEW)
    elif request.method == "POST" and _is_complete(form):
        return _submitted(asked, form, code, journey)
    return shown()


@blueprint.get("/register/enterprise/done")
def register_done() -> Any:
    """注册完成."""
    journey = REGISTRATION.at("done")
    if db().get(Enterprise, journey.subject) is None:
        # It was noted, and the process died before its rows were kept.
        raise REGISTRATION.gone()
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


def _submitted(asked: Registries, form: RegistrationForm, code: PhoneCode, journey: Journey) -> Any:
    """What becomes of a form in which nothing is wrong by itself. Raises Stop."""
    proved = _with_phone_proved(form, code, journey)
    if proved is None:
        return _form_page(form, code, journey)
    application = form.application
    try:
        _check(asked, application)
    except (Throttled, AccountTaken, CannotBeChecked) as refused:
        return _to_be_sent_again(refused, form, _code(form, proved), proved)
    except CompanyKnown as known:
        raise company_known(known, proved) from None
    except (Mismatch, Closed, MayNotAct) as refused:
        raise refusal(refused, proved) from None
    pause(db())
    hashed = platform().hasher.hash(form.new_password.data or "")
    kept = REGISTRATION.learn(proved, password_hash=hashed, agreements=dict(agreements.CURRENT))
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


def _with_phone_proved(form: RegistrationForm, code: PhoneCode, journey: Journey) -> Journey | None:
    """The journey with what was typed and a proved phone in it; None, and a sentence, if it is not proved."""
    phone = form.phone_number
    if journey.facts.get("phone_proved") != phone and (problem := code.problem(form.code.data)):
        # The same form sent twice: the first one spent the code.
        journey = REGISTRATION.begun() or journey
        if journey.facts.get("phone_proved") != phone:
            form.code.errors = [problem]
            return None
    typed = {**form.application.as_facts(), "term": form.term.data, "phone_proved": phone}
    if all(journey.facts.get(name) == value for name, value in typed.items()):
        return journey
    # What was checked before was something else.
    return REGISTRATION.learn(journey, **typed, password_hash=None, taken=None)


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


def _is_complete(form: RegistrationForm) -> bool:
    """Whether every field is right by itself, the password too (X2)."""
    is_valid = form.validate()
    if form.new_password.errors:
        return False
    about = (form.phone_number, form.credit_code, form.number)
    return form.fits_policy(tuple(word for word in about if word)) and is_valid


def _form_page(form: RegistrationForm, code: PhoneCode, journey: Journey) -> str:
    shown: Callable[[], Any] = code.shown
    return page(
        "enterprise/registration/form.html",
        form=form,
        action=REGISTRATION.address("form", journey),
        is_proved=bool(form.phone_number) and journey.facts.get("phone_proved") == form.phone_number,
        sms=shown(),
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


def _is_taken(journey: Journey) -> bool:
    """Whether the account that was typed was somebody else's when the registration was about to end."""
    taken = journey.facts.get("taken")
    return bool(taken) and taken == journey.facts.get("account")
