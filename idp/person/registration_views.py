"""个人注册: 填写信息 → 实名核验 → 注册完成 (B22, X9); before it, which registration is whose (B01)."""

from __future__ import annotations

from functools import partial
from typing import Any
from uuid import UUID

from flask import current_app, redirect, request, url_for

from idp.accounts import registering
from idp.accounts.identifiers import mask_id_number, mask_name, mask_phone
from idp.accounts.passwords import TooBusy
from idp.accounts.registering import Taken
from idp.person import registration
from idp.person.joining import (
    account_facts,
    busy,
    by,
    check_offered,
    chosen_facts,
    chosen_of,
    closed,
    has_account_already,
    leading_to,
    refused_title,
    said_with,
    tools,
)
from idp.person.registration import CannotBeChecked, NotThePerson, Told
from idp.person.registration_forms import FaceForm, RegistrationForm, told_before
from idp.person.room import blueprint
from idp.proof.face_record import Check, Purpose
from idp.proof.journeys import Journey
from idp.proof.sms_codes import Purpose as CodePurpose
from idp.proof.throttle import Throttled
from idp.web import code_step, face_step, faces, ways
from idp.web.errors import Stop
from idp.web.face_step import FaceStep, FaceWords
from idp.web.platform import db, now, platform, settings
from idp.web.render import page
from idp.web.security import allow_scripts
from idp.web.sms import PhoneCode
from idp.web.steps import Step, Walk, carried

_FORM = Step("form", "填写信息", "person.register")
_FACE = Step("face", "实名核验", "person.register_face", needs=("told",))
_DONE = Step("done", "注册完成", "person.register_done")
_WITH_FACE = Walk("register_person", "个人注册", (_FORM, _FACE, _DONE))
_WITHOUT_FACE = Walk("register_person", "个人注册", (_FORM, _DONE))  # X9 is a setting

_NOT_THE_PERSON = "身份信息核验未通过，请对照证件核对姓名、证件和有效期；手机号码要是本人实名办理的"
_NO_ANSWER = (
    "现在无法核验身份信息，没有建立账号。请过几分钟再提交："
    "填写的内容都还在，短信验证码不用重填，密码请再填一次"
)
_BEGUN_ANEW = "这个页面打开太久，短信验证码已失效。填写的内容都还在，请重新获取短信验证码并设置密码"
_TAKEN = {
    "phone": "这个手机号已有个人账号。是您本人的，请直接登录，忘记密码可以重置；不是您的，请换一个手机号码",
    "account": "这个账号已被使用，请换一个",
    "valid_until": "证件已到期，请换领新证件后再办理",
}
"""What is said at a field once the phone is proved (SECURITY 3)."""


@blueprint.get("/register")
def register_choice() -> str:
    """Which registration is whose (B01, B22, B23)."""
    check_offered()
    return page("person/register/choice.html", **_beside())


@blueprint.route("/register/person", methods=["GET", "POST"])
def register() -> Any:
    """填写信息."""
    check_offered()
    journey = walk().start()
    form, refusal = RegistrationForm(request.form, data=told_before(dict(journey.facts))), None
    if led := walk().anew(journey, form.typed):
        return led
    code = PhoneCode(
        CodePurpose.REGISTER_PERSON, form.phone_number, journey=journey.id, captcha="register-person"
    )
    if code.is_asked_for():
        return code_step.send(walk(), journey, form, code, lambda: _form_page(form, journey, code))
    if request.method == "POST":
        is_right = form.is_right(form.about)
        journey = code_step.prove_phone(walk(), journey, form, code)
        try:
            if is_right and not form.code.errors and (answer := _submitted(form, journey)):
                return answer
        except (NotThePerson, CannotBeChecked, Throttled, TooBusy) as refused:
            form.form_errors.append(_sentence(refused))
            refusal = refused
    elif walk().is_anew(journey):
        form.form_errors.append(_BEGUN_ANEW)
    elif field := journey.facts.get("conflict"):
        form[field].errors = [_TAKEN[field]]
    return said_with(_form_page(form, journey, code, refusal), refusal)


@blueprint.route("/register/person/face", methods=["GET", "POST"])
def register_face() -> Any:
    """实名核验: whose face, and the yes that nobody presumes (X9, SECURITY 56)."""
    check_offered()
    journey = walk().at("face")
    form, refusal = FaceForm(request.form), None
    if request.method == "POST" and form.validate():
        try:
            step = _face(journey)
            return redirect(step.finish(check=face_step.begin(step).id), 303)
        except Throttled as refused:
            form.form_errors.append(busy(refused))
            refusal = refused
    applicant = Told.of(journey.facts["told"]).applicant
    shown = page(
        "person/register/face.html",
        form=form,
        facts=[
            ("姓名", mask_name(applicant.name)),
            ("证件号码", mask_id_number(applicant.document.id_number)),
            ("手机号码", mask_phone(applicant.phone)),
        ],
        back=walk().address("form", journey),
        ways=ways.when_proof_fails(),
        **walk().frame("face"),
    )
    return said_with(shown, refusal)


@blueprint.route("/register/person/face/finish", methods=["GET", "POST"])
def register_face_finish() -> Any:
    """How far the check is; sent by the form, one that has passed gives the account."""
    with face_step.ended_if_elsewhere():
        journey = walk().at("face")
    try:
        return face_step.finish(_face(journey), partial(_face_passed, journey))
    except Stop:
        # The same form sent twice: the first one spent the face and came to the end.
        walk().at("face")
        raise


@blueprint.post("/register/person/face/here")
def register_face_here() -> Any:
    """在本机刷脸: the face service's page in this very browser."""
    return face_step.begin_here(_face(walk().at("face")))


@blueprint.get("/register/person/done")
def register_done() -> Any:
    """注册完成: he has his account, as its row says; 前往登录 (B18)."""
    journey = walk().at("done")
    if not registering.has_account(db(), UUID(journey.facts["person"])):
        return walk().not_kept(journey)
    return page(
        "person/register/done.html",
        lead="个人账号已注册，现在可以登录。",
        facts=account_facts(journey),
        sign_in=leading_to("login.person"),
        **walk().frame("done"),
    )


def walk() -> Walk:
    """The steps of this installation."""
    return _WITH_FACE if settings().face_at_registration else _WITHOUT_FACE


def _submitted(form: RegistrationForm, journey: Journey) -> Any:
    """Where a form leads that is right and whose phone is proved; None where a field has a problem now.

    Raises NotThePerson, CannotBeChecked, idp.proof.throttle.Throttled,
    idp.accounts.passwords.TooBusy.
    """
    told, here, address = form.told, platform(), request.remote_addr or ""
    registration.count_try(here.store, here.vault, told.applicant.phone, address=address, now=now())
    registration.check_four_elements(db(), here.population, told.applicant)
    try:
        # What is his already is none of somebody else's: whose it is hears nobody but himself.
        registering.check_free(db(), here.vault, told.applicant, told.account)
    except Taken as taken:
        # The same form sent twice: what the first one has come to is his own.
        walk().begun()
        form[taken.field].errors = [_TAKEN[taken.field]]
        return None
    chosen, facts = chosen_facts(form.new_password.data or ""), told.as_facts()
    journey = walk().learn(
        journey,
        lambda found: found.facts.get("told") == facts and found.has_new("password_hash", journey),
        told=facts,
        term=form.term.data,
        typed=None,
        conflict=None,
        face=_same_face(journey, told),
        **chosen,
    )
    if settings().face_at_registration and not journey.has("face"):
        return redirect(walk().address("face", journey), 303)
    return _registered(journey)


def _same_face(journey: Journey, told: Told) -> Any:
    """The face that was shown already, if it is that of whom the form tells now."""
    face = journey.facts.get("face")
    return face if face and Told.of(journey.facts["told"]).whom == told.whom else None


def _face_passed(journey: Journey, check: Check) -> Any:
    # Kept before anything can be in the way: whoever corrects his account name shows no face again.
    return _registered(walk().learn(journey, face=check.reference))


def _registered(journey: Journey) -> Any:
    """Write the account and lead to the end, or back to what was taken meanwhile. Raises Stop."""
    told = Told.of(journey.facts["told"])
    chosen, made_by = chosen_of(journey, told.account), by(journey.facts.get("face", ""))
    try:
        person_id = registering.register_person(
            db(), tools(), told.applicant, chosen, journey.subject, by=made_by, now=now()
        )
    except Taken as taken:
        return _back_to_the_form(journey, taken.field)
    except registering.Expired:
        return _back_to_the_form(journey, "valid_until")
    except registering.HasAccount:
        # The same form sent twice: who comes second is led to the end.
        walk().begun()
        raise has_account_already() from None
    except registering.AnotherName:
        raise Stop(
            "身份信息核验未通过",
            "平台上这个证件号码登记的姓名与您填写的不一致，没有建立账号。请联系我们核对。",
            status=409,
            ways=ways.when_proof_fails(),
        ) from None
    except registering.Closed as refused:
        raise closed(refused) from None
    ended = walk().end(journey, person=str(person_id), account=told.account, phone=told.applicant.phone)
    return redirect(walk().address("done", ended), 303)


def _back_to_the_form(journey: Journey, field: str) -> Any:
    return redirect(walk().address("form", walk().learn(journey, conflict=field)), 303)


def _form_page(
    form: RegistrationForm, journey: Journey, code: PhoneCode, refusal: Exception | None = None
) -> str:
    allow_scripts()
    if request.method == "POST":
        # Whoever loads the page anew, or comes back to it, finds what he typed.
        walk().note(journey, typed=form.typed, conflict=None)
    # A phone that is somebody else's is about to be replaced, and wants a code again.
    proved = code_step.is_proved(journey, form.phone_number) and not form.phone.errors
    return page(
        "person/register/form.html",
        form=form,
        sms=None if proved else code.shown(),
        action=walk().address("form", journey),
        onward="提交，去实名核验" if settings().face_at_registration else "注册",
        phone_is_taken=bool(form.phone.errors) and form.phone.errors[0] == _TAKEN["phone"],
        refused_title=refused_title(refusal) or ("没有提交成功" if form.form_errors else ""),
        ways=ways.when_proof_fails() if isinstance(refusal, NotThePerson) else (),
        **_beside(),
        **walk().frame("form"),
    )


def _beside() -> dict[str, Any]:
    """Where the pages lead beside their own way; `others` are the other registrations."""
    has_companies = "enterprise.register" in current_app.view_functions
    enterprise = leading_to("enterprise.register") if has_companies else ""
    moved = leading_to("person.register_moved")
    return {
        "sign_in": leading_to("login.person"),
        "reset": leading_to("login.reset_person"),
        "person": leading_to("person.register"),
        "moved": moved,
        "enterprise": enterprise,
        "others": [*([("前往法人注册", enterprise)] if enterprise else []), ("我用过 E章通 App", moved)],
    }


def _face(journey: Journey) -> FaceStep:
    values: dict[str, Any] = {"j": journey.id, **carried()}
    return FaceStep(
        purpose=Purpose.REGISTER_PERSON,
        whom=Told.of(journey.facts["told"]).whom,
        binding=f"{faces.binding()} {journey.id}",
        finish=partial(url_for, "person.register_face_finish", **values),
        here=partial(url_for, "person.register_face_here", **values),
        restart=walk().address("face", journey),
        portal=f"{settings().site_name} 统一身份认证平台",
        reason="请求核验是您本人，用于个人注册",
        words=FaceWords("注册", "没有建立账号", "拨打服务热线办理"),
        ways=ways.when_proof_fails(),
        frame=partial(walk().frame, "face"),
    )


def _sentence(refused: Exception) -> str:
    if isinstance(refused, NotThePerson):
        return _NOT_THE_PERSON
    if isinstance(refused, Throttled | TooBusy):
        return f"{busy(refused)}。填写的内容都还在，密码请再填一次"
    return _NO_ANSWER
