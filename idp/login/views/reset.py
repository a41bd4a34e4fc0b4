"""忘记密码: who one is, a code sent to the phone of record, the new password, and the way back (D01–D06)."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Any

from flask import redirect, request, url_for
from werkzeug.wrappers import Response

from idp.accounts.passwords import PasswordRefused
from idp.login import journey, reset
from idp.login.candidates import PendingActivation
from idp.login.reset import Kind, Lost
from idp.login.reset_forms import FORMS, NewPasswordForm
from idp.login.views import room
from idp.login.views.room import blueprint
from idp.proof.journeys import Journey
from idp.proof.sms_codes import Purpose
from idp.proof.throttle import Throttled
from idp.web import captcha, code_step, ways
from idp.web.code_step import CodeStep
from idp.web.errors import Stop, Way
from idp.web.platform import after_commit, db, now, platform, settings
from idp.web.render import page
from idp.web.steps import Step, Walk

WALK = Walk(
    "reset",
    "重置密码",
    (
        Step("identity", "身份验证", "login.reset"),
        Step("phone", "短信验证", "login.reset_phone", needs=("account",)),
        Step("password", "设置新密码", "login.reset_password", needs=("account", "phone_proved")),
        Step("done", "完成", "login.reset_done"),
    ),
)
_ACCOUNTS = {Kind.LEGAL: "企业账号", Kind.OPERATOR: "经办人账号", Kind.PERSON: "个人账号"}
_TABS = {Kind.LEGAL: "法人账号", Kind.OPERATOR: "经办人账号", Kind.PERSON: "个人账号"}


@blueprint.get("/reset", endpoint="reset")
def begin() -> Response:
    """The first of the three; its tabs lead to the others."""
    return redirect(_page_of(Kind.LEGAL), 303)


@blueprint.route("/reset/legal", methods=["GET", "POST"])
def reset_legal() -> Any:
    """身份验证 of a company's own account (D02, X11)."""
    return _identity(Kind.LEGAL)


@blueprint.route("/reset/operator", methods=["GET", "POST"])
def reset_operator() -> Any:
    """身份验证 of an operator, for one company."""
    return _identity(Kind.OPERATOR)


@blueprint.route("/reset/person", methods=["GET", "POST"])
def reset_person() -> Any:
    """身份验证 of a person for himself."""
    return _identity(Kind.PERSON)


@blueprint.route("/reset/phone", methods=["GET", "POST"])
def reset_phone() -> Any:
    """短信验证: a code sent to the phone of record, which is shown masked (D04)."""
    walked = WALK.at("phone")
    lost = _unchanged(walked, "phone")
    if further := WALK.gone_on("phone"):
        return further
    step = CodeStep(
        purpose=Purpose.RESET,
        phone=lost.phone,
        account=lost.account,
        journey=walked,
        captcha="reset-phone",
        lead="验证码发送到账号预留的手机号码，由您本人接收。",
        onward="下一步",
        frame=WALK.frame("phone"),
        ways=_ways(Kind(walked.facts["kind"])),
        gone_on=partial(WALK.gone_on, "phone"),
        guessed=partial(_note_guess, lost),
        phone_label="预留手机号码",
        back=("重新填写身份信息", _page_of(Kind(walked.facts["kind"]))),
        lost="为了保护账号，验证码只发到预留的手机号码，工作人员也不会向您索要。号码停用或不在身边时，可以选择：",
    )
    return code_step.answer(step, partial(_phone_proved, walked, lost.phone))


@blueprint.route("/reset/password", methods=["GET", "POST"])
def reset_password() -> Any:
    """设置新密码 (D05, X20)."""
    walked = WALK.at("password")
    lost = _unchanged(walked, "password")
    form = NewPasswordForm(request.form)
    if request.method == "POST" and form.validate():
        try:
            return _saved(walked, lost, form.new_password.data or "")
        except PasswordRefused as refused:
            form.new_password.errors = [str(refused)]
        except reset.Changed:
            raise _changed("password") from None
    return page("login/reset_password.html", form=form, hint=_rule(), **WALK.frame("password"))


@blueprint.get("/reset/done")
def reset_done() -> str:
    """完成: that the new password is there, as the account itself says, and 前往登录 (D06)."""
    walked = WALK.at("done")
    kind, at = Kind(walked.facts["kind"]), datetime.fromisoformat(walked.facts["at"])
    if not reset.was_set(db(), walked.facts["account"], at):
        raise Stop(
            "重置密码没有完成",
            "保存新密码时中断了，原来的密码没有变。请重新开始。",
            ways=(("重新开始", _page_of(kind)), ("回到登录页", url_for("login.start"))),
        )
    return page("login/reset_done.html", sign_in=journey.here(f"login.{kind}"), **WALK.frame("done"))


def _identity(kind: Kind) -> Any:
    form, refusal = FORMS[kind](request.form), None
    if request.method == "POST" and room.may_be_tried(f"reset-{kind}", form):
        try:
            return _recognised(kind, form.claimed)
        except reset.NoSuchAccount:
            # One sentence for whatever was wrong: a stranger may not learn which accounts there are (X27).
            form.form_errors.append(_not_found(kind))
        except Throttled as throttled:
            form.form_errors.append(room.sentence(throttled))
            refusal = throttled
    shown = page(
        "login/reset_identity.html",
        form=form,
        kind=kind.value,
        captcha=captcha.fresh(f"reset-{kind}"),
        tabs=[
            {"href": _page_of(each), "label": label, "current": each is kind} for each, label in _TABS.items()
        ],
        ways=(*_registration(kind), *_ways(kind)),
        **WALK.frame("identity"),
    )
    return shown, *room.said_with(refusal)


def _recognised(kind: Kind, claimed: reset.Claimed) -> Response:
    """On to the phone of whom all of `claimed` describes. Raises NoSuchAccount, Throttled, Stop."""
    try:
        lost = reset.identify(db(), room.tools(), claimed, room.browser(), now=now())
    except PendingActivation:
        raise Stop(
            "企业账号待激活",
            "您填写的信息都正确，但这个企业账号还没有激活，没有密码可以重置。请先激活，激活时设置账号和密码。",
            status=409,
            ways=(("去激活", journey.here("enterprise.activate")), *_ways(kind)),
        ) from None
    except reset.NoPhone:
        raise Stop(
            "没有预留手机号码",
            "您填写的信息都正确，但这个账号没有预留手机号码，不能用短信验证码重置密码。密码没有变。",
            status=409,
            ways=_ways(kind),
        ) from None
    return redirect(WALK.address("phone", WALK.begin(kind=kind.value, **lost.facts)), 303)


def _not_found(kind: Kind) -> str:
    """The one sentence; a person who never had a password hears it too, so it says what he can do."""
    more = "。还没有账号的话，请先注册" if _registration(kind) else ""
    return f"未找到与所填信息一致的{_ACCOUNTS[kind]}{more}"


def _ways(kind: Kind) -> tuple[Way, ...]:
    """Where somebody goes on who has not the phone any more, or is not recognised (E16)."""
    return ways.when_a_company_fails() if kind is Kind.LEGAL else ways.when_proof_fails()


def _registration(kind: Kind) -> tuple[Way, ...]:
    """Where a person without an account gets one, if this installation offers it."""
    if kind is not Kind.PERSON or not ways.registration_offered(settings()):
        return ()
    return (("去注册", journey.here("person.register_choice")),)


def _unchanged(walked: Journey, step: str) -> Lost:
    """The account of the journey, as long as it is what it was when the journey began. Raises Stop."""
    lost = Lost.of(walked.facts)
    try:
        reset.check_unchanged(db(), platform().vault, lost, now=now())
    except reset.Changed:
        raise _changed(step) from None
    return lost


def _changed(step: str) -> Stop:
    """That the account is another one now; a form that was sent twice is led to where the first one led."""
    walked = WALK.at(step)
    return Stop(
        "重置密码没有完成",
        "办理期间，这个账号的密码或预留手机号码有变动，或者授权已经结束。这一次没有做任何更改，请重新开始。",
        status=409,
        ways=(("重新开始", _page_of(Kind(walked.facts["kind"]))), ("回到登录页", url_for("login.start"))),
    )


def _saved(walked: Journey, lost: Lost, password: str) -> Response:
    """Save the password and end the journey, once. Raises PasswordRefused, idp.login.reset.Changed."""
    browser, store = room.browser(), platform().store
    at = reset.save(db(), room.tools(), lost, password, browser, now=now())
    ended = WALK.end(walked, kind=walked.facts["kind"], account=lost.account, at=at.isoformat())
    after_commit(lambda: reset.forgive(store, lost, browser))
    return redirect(WALK.address("done", ended), 303)


def _phone_proved(walked: Journey, phone: str) -> Response:
    walked = WALK.learn(walked, **{code_step.PROVED: phone})
    return redirect(WALK.address("password", walked), 303)


def _note_guess(lost: Lost) -> None:
    reset.note_refused_code(db(), room.tools(), lost, room.browser(), now=now())


def _page_of(kind: Kind) -> str:
    """Where the identity of this kind is asked for; what the browser came for goes along."""
    return journey.here(f"login.reset_{kind}")


def _rule() -> str:
    """What the page says of a password (X2), as the settings have it."""
    configured = settings()
    kinds = {1: "", 2: "数字、字母、符号至少两种，", 3: "数字、字母、符号都要有，"}[configured.password_kinds]
    bounds = f"{configured.password_min} 到 {configured.password_max} 位"
    return f"{bounds}，{kinds}不要包含账号、手机号或证件号码"
