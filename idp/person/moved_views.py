"""迁移原有账号: 手机验证 → 确认身份 → 设置密码 → 完成, for who had an account in the older app (B23)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import redirect, request

from idp.accounts import registering
from idp.accounts.identifiers import mask_name, mask_phone
from idp.accounts.models import Person
from idp.accounts.passwords import TooBusy
from idp.accounts.registering import ActsForOthers, Closed, HasAccount, NotBroughtOver, Taken
from idp.person import moved, registration
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
    said_with,
    tools,
)
from idp.person.moved import NotHisNumber
from idp.person.moved_forms import IdentityForm, NamedPasswordForm, PasswordForm, PhoneForm
from idp.person.room import blueprint
from idp.proof.journeys import Journey
from idp.proof.sms_codes import Purpose
from idp.proof.throttle import Throttled
from idp.web import code_step, ways
from idp.web.errors import Stop
from idp.web.platform import db, now, platform
from idp.web.render import page
from idp.web.sms import PhoneCode
from idp.web.steps import Step, Walk

_WALK = Walk(
    "register_moved",
    "迁移原有账号",
    (
        Step("phone", "手机验证", "person.register_moved"),
        Step("identity", "确认身份", "person.register_moved_identity", needs=("phone_proved",)),
        Step("password", "设置密码", "person.register_moved_password", needs=("person",)),
        Step("done", "完成", "person.register_moved_done"),
    ),
)
_BEGUN_ANEW = "这个页面打开太久，短信验证码已失效。请重新获取短信验证码"
_NOT_HIS = "证件号码与原有账号登记的不一致，请对照证件核对"
_ACCOUNT_TAKEN = "这个账号已被使用，请换一个"


@blueprint.route("/register/moved", methods=["GET", "POST"])
def register_moved() -> Any:
    """手机验证: any phone is sent a code, and only who reads it hears whether an account came with it."""
    check_offered()
    journey = _WALK.start()
    if journey.has("phone_proved"):
        return redirect(_WALK.address("identity", journey), 303)
    form = PhoneForm(request.form, data=journey.facts.get("typed"))
    if led := _WALK.anew(journey, form.typed):
        return led
    if _WALK.is_anew(journey):
        form.form_errors.append(_BEGUN_ANEW)
    code = PhoneCode(Purpose.BRING_OVER, form.phone_number, journey=journey.id, captcha="register-moved")

    def shown() -> str:
        if request.method == "POST":
            # Whoever loads the page anew, or comes back to it, finds what he typed.
            _WALK.note(journey, typed=form.typed)
        return page(
            "person/register/moved_phone.html",
            form=form,
            refused_title="没有提交成功" if form.form_errors else "",
            sms=code.shown(),
            action=_WALK.address("phone", journey),
            **_WALK.frame("phone"),
        )

    if code.is_asked_for():
        return code_step.send(_WALK, journey, form, code, shown)
    if request.method == "GET":
        return shown()
    is_right = form.validate()
    journey = code_step.prove_phone(_WALK, journey, form, code)
    if is_right and not form.code.errors:
        return redirect(_WALK.address("identity", journey), 303)
    return shown()


@blueprint.route("/register/moved/identity", methods=["GET", "POST"])
def register_moved_identity() -> Any:
    """确认身份: the number of the document that the account was brought over with."""
    check_offered()
    journey = _WALK.at("identity")
    if journey.has("person"):
        return redirect(_WALK.address("password", journey), 303)
    person = _whose(journey)
    form, refusal = IdentityForm(request.form), None
    if request.method == "POST" and form.validate():
        here = platform()
        try:
            moved.check_number(here.store, here.vault, person, form.kind, form.number, now=now())
            registering.check_acts_for_himself(db(), person.id, now=now())
            journey = _WALK.learn(journey, person=str(person.id))
            return redirect(_WALK.address("password", journey), 303)
        except ActsForOthers as refused:
            raise _refused(refused) from None
        except NotHisNumber:
            form.id_number.errors = [_NOT_HIS]
        except Throttled as refused:
            form.form_errors.append(busy(refused))
            refusal = refused
    shown = page(
        "person/register/moved_identity.html",
        form=form,
        facts=[
            ("姓名", mask_name(person.name(platform().vault))),
            ("手机号码", mask_phone(journey.facts["phone_proved"])),
        ],
        restart=_WALK.address("phone"),
        ways=ways.when_proof_fails(),
        **_WALK.frame("identity"),
    )
    return said_with(shown, refusal)


@blueprint.route("/register/moved/password", methods=["GET", "POST"])
def register_moved_password() -> Any:
    """设置密码, an account name for somebody who has none, and the yes to both texts."""
    check_offered()
    journey = _WALK.at("password")
    person = _whose(journey)
    name = registering.login_name(db(), person.id)
    form, refusal = (NamedPasswordForm if name else PasswordForm)(request.form), None
    if request.method == "POST" and form.is_right(_about(person, name)):
        account = form.account_name
        try:
            return _taken_over(journey, account or name, form.new_password.data or "")
        except Taken:
            form.account.errors = [_ACCOUNT_TAKEN]
        except (Throttled, TooBusy) as refused:
            form.form_errors.append(busy(refused))
            refusal = refused
    shown = page("person/register/moved_password.html", form=form, name=name, **_WALK.frame("password"))
    return said_with(shown, refusal)


@blueprint.get("/register/moved/done")
def register_moved_done() -> Any:
    """完成: he has a password, as its row says; 前往登录."""
    journey = _WALK.at("done")
    if not registering.has_account(db(), UUID(journey.facts["person"])):
        return _WALK.not_kept(journey)
    return page(
        "person/register/done.html",
        lead="原有账号已迁移，现在可以用新密码登录。",
        facts=account_facts(journey),
        sign_in=leading_to("login.person"),
        **_WALK.frame("done"),
    )


def _whose(journey: Journey) -> Person:
    """Who was brought over with the phone that was proved, the same in every step. Raises Stop."""
    try:
        person = registering.find_brought_over(db(), platform().vault, journey.facts["phone_proved"])
    except (NotBroughtOver, HasAccount, Closed) as refused:
        raise _refused(refused) from None
    if journey.facts.get("person", str(person.id)) != str(person.id):
        raise _refused(NotBroughtOver())
    return person


def _taken_over(journey: Journey, account: str, password: str) -> Any:
    """Write the password and lead to the end. Raises Taken, idp.proof.throttle.Throttled, TooBusy, Stop."""
    phone, person_id = journey.facts["phone_proved"], UUID(journey.facts["person"])
    here = platform()
    # Whether a name is somebody's is looked at as often as at 个人注册, and before anything is hashed.
    registration.count_try(here.store, here.vault, phone, address=request.remote_addr or "", now=now())
    registering.check_account_free(db(), account, person_id)
    journey = _WALK.learn(
        journey, lambda found: found.has_new("password_hash", journey), **chosen_facts(password)
    )
    try:
        registering.open_brought_over(
            db(), tools(), person_id, phone, chosen_of(journey, account), by=by(), now=now()
        )
    except (NotBroughtOver, HasAccount, ActsForOthers, Closed) as refused:
        # The same form sent twice: who comes second is led to the end.
        _WALK.begun()
        raise _refused(refused) from None
    ended = _WALK.end(journey, person=str(person_id), account=account, phone=phone)
    return redirect(_WALK.address("done", ended), 303)


def _refused(refused: Exception) -> Stop:
    if isinstance(refused, HasAccount):
        return has_account_already()
    if isinstance(refused, ActsForOthers):
        return Stop(
            "请通过个人注册办理",
            "您是企业的法定代表人或经办人，登录后可以代表企业办理业务，设置密码前要核验是您本人。"
            "请通过个人注册办理，原有的信息和授权都会保留。这里没有做任何更改。",
            status=403,
            ways=(("去个人注册", leading_to("person.register")), *ways.when_proof_fails()),
        )
    if isinstance(refused, Closed):
        return closed(refused)
    return Stop(
        "没有找到可以迁移的账号",
        "这个手机号码没有随原有账号一起迁移过来，没有做任何更改。"
        "如果原来用的是另一个手机号码，可以换一个再试；也可以直接注册个人账号。",
        status=404,
        ways=(
            ("注册个人账号", leading_to("person.register")),
            ("换一个手机号码", _WALK.address("phone")),
            *ways.when_proof_fails(),
        ),
    )


def _about(person: Person, name: str) -> tuple[str, ...]:
    vault = platform().vault
    return tuple(word for word in (name, person.phone(vault), person.id_number(vault)) if word)
