"""实名核验: the face of the representative (B17), or his own account for whoever shows none (section Y).

===========================================  ===============================================================
/register/enterprise/face                    what is registered, what happens to the face, and that he agrees
/register/enterprise/face/finish             how far the check is; passed, it registers the company
/register/enterprise/face/here               在本机刷脸
/register/enterprise/representative          the password of the representative's personal account
/register/enterprise/representative/code     a code to the phone of that account
===========================================  ===============================================================
"""

from __future__ import annotations

import math
from functools import partial
from typing import Any

from flask import redirect, request, url_for

from idp.accounts.audit import Action, Event
from idp.accounts.companies import MayNotAct
from idp.accounts.identifiers import mask_id_number, mask_name, person_name
from idp.enterprise import registration_person as personal
from idp.enterprise.registration import Application, Proof, ProvedBy
from idp.enterprise.registration_forms import OTHERWISE, FaceForm, PasswordForm
from idp.enterprise.registration_journey import REGISTRATION, end, proof_of, proved, registries
from idp.enterprise.registration_person import (
    AnotherNow,
    Asking,
    Holder,
    NoPhone,
    StrongerFactor,
    WrongPassword,
)
from idp.enterprise.room import blueprint
from idp.proof.face_record import Check, Purpose, Whom
from idp.proof.journeys import Journey
from idp.proof.sms_codes import Purpose as CodePurpose
from idp.proof.throttle import Throttled
from idp.web import captcha, code_step, cookies, face_step, faces, signin, ways
from idp.web.code_step import CodeStep
from idp.web.errors import Stop, Way
from idp.web.face_step import FaceStep, FaceWords
from idp.web.platform import db, now, platform, settings
from idp.web.render import page
from idp.web.steps import carried

_WORDS = FaceWords("注册", "没有注册法人账号", OTHERWISE)
_CAPTCHA = "register-representative"
# One sentence, whether there is such an account or not.
_WRONG = "密码不正确，或者法定代表人在本平台还没有个人账号"


@blueprint.route("/register/enterprise/face", methods=["GET", "POST"])
def register_face() -> Any:
    """What is registered, and the yes to a face check."""
    journey, application = _at_proof()
    if proof := proof_of(journey, application):
        # Proved before, and something else stood in the way.
        return end(journey, application, proof) if request.method == "POST" else _proved_page(application)
    step, form = _step(journey, application), FaceForm(request.form)
    face_step.tools(step)
    refused = None
    if request.method == "POST" and form.validate():
        try:
            check = face_step.begin(step)
            return redirect(step.finish(check=check.id), 303)
        except Throttled as throttled:
            form.form_errors.append(_wait_words(throttled))
            refused = throttled
    shown = page(
        "enterprise/registration/face.html",
        form=form,
        facts=_facts(application),
        otherwise=OTHERWISE,
        links=[
            *step.ways,
            ("返回修改", REGISTRATION.address("form", journey)),
            *ways.when_a_company_fails(),
        ],
        **REGISTRATION.frame("face"),
    )
    return (shown, 429, _retry_after(refused)) if refused else shown


@blueprint.route("/register/enterprise/face/finish", methods=["GET", "POST"])
def register_face_finish() -> Any:
    """How far the check is; sent by the form, a check that has passed registers the company."""
    with face_step.ended_if_elsewhere():
        journey, application = _at_proof()

    def register(check: Check) -> Any:
        return proved(journey, application, Proof(ProvedBy.FACE, check.reference))

    return face_step.finish(_step(journey, application), register)


@blueprint.post("/register/enterprise/face/here")
def register_face_here() -> Any:
    """在本机刷脸."""
    return face_step.begin_here(_step(*_at_proof()))


@blueprint.route("/register/enterprise/representative", methods=["GET", "POST"])
def register_representative() -> Any:
    """The password of the representative's personal account."""
    journey, application = _at_proof()
    if proof_of(journey, application):
        return redirect(REGISTRATION.address("face", journey), 303)
    form, refused = PasswordForm(request.form), None
    if request.method == "POST" and _may_be_tried(form):
        try:
            return _password_proved(journey, application, form)
        except WrongPassword:
            form.form_errors.append(_WRONG)
        except Throttled as throttled:
            form.form_errors.append(_wait_words(throttled))
            refused = throttled
    claim = application.claim
    shown = page(
        "enterprise/registration/representative.html",
        form=form,
        captcha=captcha.fresh(_CAPTCHA),
        facts=[
            ("法定代表人", mask_name(claim.representative_name)),
            ("证件号码", mask_id_number(claim.document.id_number)),
        ],
        links=[("改用刷脸", REGISTRATION.address("face", journey)), *ways.when_a_company_fails()],
        **REGISTRATION.frame("face"),
    )
    return (shown, 429, _retry_after(refused)) if refused else shown


@blueprint.route("/register/enterprise/representative/code", methods=["GET", "POST"])
def register_representative_code() -> Any:
    """A code to the phone of the representative's own account."""
    journey, application = _at_proof()
    holder = _holder(journey, application)
    if holder is None or proof_of(journey, application):
        return redirect(_address("enterprise.register_representative", journey), 303)
    step = CodeStep(
        purpose=CodePurpose.REPRESENTATIVE,
        phone=holder.phone,
        account=holder.key,
        journey=journey,
        captcha="register-representative-sms",
        lead="密码正确。验证码发送到法定代表人个人账号的手机，验证后就注册好了。",
        onward="完成注册",
        frame=REGISTRATION.frame("face"),
        ways=(("改用刷脸", REGISTRATION.address("face", journey)), *ways.when_a_company_fails()),
        gone_on=_proved_meanwhile,
        guessed=partial(_note_refusal, application, "sms_code"),
    )
    return code_step.answer(step, partial(proved, journey, application, Proof(ProvedBy.ACCOUNT)))


def _proved_meanwhile() -> Any:
    """Where another request of this journey went on to, if it brought the proof; None if it did not."""
    journey, application = _at_proof()
    return redirect(REGISTRATION.address("face", journey), 303) if proof_of(journey, application) else None


def _at_proof() -> tuple[Journey, Application]:
    """The journey on its second step, and what is to be registered. Raises Stop."""
    registries()
    journey = REGISTRATION.at("face")
    return journey, Application.of(journey.facts)


def _step(journey: Journey, application: Application) -> FaceStep:
    claim = application.claim
    document = claim.document
    return FaceStep(
        purpose=Purpose.REGISTER_ENTERPRISE,
        whom=Whom(person_name(claim.representative_name), document.id_number, document.id_type.value),
        # One journey may come to be about another company.
        binding=f"{faces.binding()} {journey.id} {claim.uscc}",
        finish=partial(_address, "enterprise.register_face_finish", journey),
        here=partial(_address, "enterprise.register_face_here", journey),
        restart=REGISTRATION.address("face", journey),
        portal=f"{settings().site_name} 统一身份认证平台",
        reason=f"请求核验是您本人，用于以法定代表人身份注册「{claim.name}」的法人账号",
        words=_WORDS,
        ways=_ways(journey),
        frame=partial(REGISTRATION.frame, "face"),
    )


def _ways(journey: Journey) -> tuple[Way, ...]:
    """A face is never the only way (section Y)."""
    return ((f"不方便刷脸？{OTHERWISE}", _address("enterprise.register_representative", journey)),)


def _password_proved(journey: Journey, application: Application, form: PasswordForm) -> Any:
    """Note that the password was right, and go on to the code. Raises WrongPassword, Throttled, Stop."""
    here, claim, known = platform(), application.claim, cookies.known_browser()
    tools = personal.Tools(here.settings, here.store, here.vault, here.hasher)
    asking = Asking(known.id, known.tags, request.remote_addr or "")
    document, name, typed = claim.document, claim.representative_name, form.password.data or ""
    try:
        holder = personal.prove_password(db(), tools, document, name, typed, asking, now=now())
    except WrongPassword:
        _note_refusal(application, "password")
        raise
    except Throttled:
        _note_refusal(application, "throttled")
        raise
    except (NoPhone, StrongerFactor, MayNotAct) as refused:
        raise _no_use(refused, journey) from None
    kept = {"key": holder.key, "changed_at": holder.changed_at.isoformat()}
    journey = REGISTRATION.learn(journey, personal=kept)
    return redirect(_address("enterprise.register_representative_code", journey), 303)


def _holder(journey: Journey, application: Application) -> Holder | None:
    """The representative's account, as it is now, if its password was proved. Raises Stop."""
    kept = journey.facts.get("personal")
    if not kept:
        return None
    claim = application.claim
    try:
        return personal.still_holds(db(), platform().vault, claim.document, claim.representative_name, kept)
    except AnotherNow:
        return None
    except (NoPhone, StrongerFactor, MayNotAct) as refused:
        raise _no_use(refused, journey) from None


def _no_use(refused: Exception, journey: Journey) -> Stop:
    """What is said once the password was right, and the account is of no use here."""
    by_face = ("改用刷脸", REGISTRATION.address("face", journey))
    if isinstance(refused, MayNotAct):
        return Stop("现在不能用这个账号验证", str(refused), status=403, ways=ways.when_a_company_fails())
    if isinstance(refused, StrongerFactor):
        return Stop(
            "这个账号不能用短信验证码验证",
            "密码正确，但是这个账号设置了更安全的第二步验证，不能改用短信验证码代替，没有注册法人账号。请刷脸验证。",
            status=409,
            ways=(by_face, *ways.when_a_company_fails()),
        )
    return Stop(
        "个人账号没有手机号码",
        "密码正确，但是这个账号没有登记可以接收验证码的手机号码，没有注册法人账号。",
        status=409,
        ways=(by_face, *ways.when_a_company_fails()),
    )


def _note_refusal(application: Application, why: str) -> None:
    here = platform()
    target = personal.key_of(db(), here.vault, application.claim.document)
    event = Event(Action.PROOF_REFUSED, target=target, detail={"why": why})
    here.trail.record(db(), event, signin.origin(actor=""), now=now())


def _may_be_tried(form: PasswordForm) -> bool:
    """Whether the form is complete and its captcha right; a captcha is spent with whatever it was sent."""
    problem = captcha.check(request.form.get("captcha_id", ""), form.captcha.data or "", purpose=_CAPTCHA)
    if "again" in request.form:
        return False
    is_valid = form.validate()
    if problem:
        form.captcha.errors = [problem]
    return is_valid and problem is None


def _proved_page(application: Application) -> str:
    facts = _facts(application)
    return page("enterprise/registration/proved.html", facts=facts, **REGISTRATION.frame("face"))


def _facts(application: Application) -> list[tuple[str, str]]:
    claim = application.claim
    return [
        ("名称", claim.name),
        ("统一社会信用代码", claim.uscc),
        ("法定代表人", mask_name(claim.representative_name)),
        ("法人账号", application.account),
    ]


def _wait_words(throttled: Throttled) -> str:
    minutes = max(1, math.ceil(throttled.wait.total_seconds() / 60))
    return f"尝试次数过多，请过 {minutes} 分钟再试，或者选择其他办法"


def _retry_after(throttled: Throttled) -> dict[str, str]:
    return {"Retry-After": str(math.ceil(throttled.wait.total_seconds()))}


def _address(endpoint: str, journey: Journey, **more: Any) -> str:
    values: dict[str, Any] = {**carried(), "j": journey.id, **more}
    return url_for(endpoint, **values)
