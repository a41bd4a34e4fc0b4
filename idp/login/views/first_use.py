"""The first use of a mandate's password: a code to the operator's phone, and a new one that only he knows."""

from __future__ import annotations

from typing import Any

from flask import redirect, request

from idp.accounts.identifiers import mask_phone
from idp.accounts.passwords import PasswordRefused
from idp.login import entry, first_use, forms, journey
from idp.login.first_use import Step
from idp.login.second import SecondStep
from idp.login.views import room
from idp.login.views.room import blueprint
from idp.proof.sms_codes import Purpose
from idp.web import ways
from idp.web.errors import Stop
from idp.web.platform import db, now, platform
from idp.web.render import page
from idp.web.sms import PhoneCode
from idp.web.words import company_facts


@blueprint.route("/login/first-password", methods=["GET", "POST"])
def first_password() -> Any:
    """The code and the new password on one page; they may be answered in two goes, the code first."""
    asked, ticket = journey.asked_for(), request.args.get("ticket", "")
    again = ("重新登录", journey.here("login.operator"))
    try:
        return _first_password(ticket, frame=journey.frame(asked))
    except SecondStep as second:
        return redirect(journey.here("login.second", ticket=second.ticket), 303)
    except entry.TicketGone:
        raise Stop(
            "这一步已经失效",
            "设置密码的时间已过，或已经在别处完成。请用经办人密码重新登录。",
            ways=(again,),
        ) from None
    except entry.NotAllowedIn as refused:
        raise Stop("现在不能登录", str(refused), status=403, ways=(again,)) from None


def _first_password(ticket: str, *, frame: dict[str, Any]) -> Any:
    step, form = _find(ticket), forms.FirstPasswordForm(request.form)
    code = _code(step, ticket)

    def shown() -> str:
        return page(
            "login/new_password.html",
            form=form,
            sms=None if step.is_proved else code.shown(),
            phone=mask_phone(step.phone or ""),
            who=company_facts(db(), platform().vault, step.candidate.identity),
            **frame,
            ways=[("返回登录", journey.here("login.operator"))],
        )

    if not step.is_proved and code.is_asked_for():
        return code.answer(form, shown)
    if request.method != "POST":
        return shown()
    is_right = form.validate()
    if not step.is_proved:
        # Looked at whatever else is wrong: nobody needs a second message for another password.
        step = _looked_at(step, ticket, form, code)
    if not is_right or not step.is_proved:
        return shown()
    try:
        password = form.new_password.data or ""
        return room.enter(
            first_use.choose_password(db(), room.tools(), ticket, password, room.browser(), now=now())
        )
    except PasswordRefused as refused:
        form.new_password.errors = [str(refused)]
    return shown()


def _find(ticket: str) -> Step:
    """The step of this ticket, and the phone its code goes to. Raises TicketGone, NotAllowedIn, Stop."""
    step = first_use.find(db(), room.tools(), ticket, room.browser(), now=now())
    if step.phone is None:
        raise Stop(
            "没有预留手机号码",
            "第一次使用经办人密码，要用您本人手机收到的验证码确认，但还没有登记您的手机号码。"
            "请联系单位的管理员补充登记，再重新登录。",
            status=409,
            ways=ways.when_proof_fails(),
        )
    return step


def _looked_at(step: Step, ticket: str, form: forms.FirstPasswordForm, code: PhoneCode) -> Step:
    """The step as it stands once its code was looked at; a problem stands at the form's `code`."""
    problem = code.problem(form.code.data)
    # The same form sent twice: whichever spent the code, it was this browser's for this ticket.
    if problem is None or code.was_spent:
        first_use.note_proved(room.tools(), ticket, step.phone or "")
    # One sent so often that nobody looks at its code any more finds what the first one has proved.
    step = _find(ticket)
    if not step.is_proved:
        if code.was_guessed:
            first_use.note_refused_code(db(), room.tools(), step, room.browser(), now=now())
        form.code.errors = [problem or ""]
    return step


def _code(step: Step, ticket: str) -> PhoneCode:
    # The first message is free: the password was given with a captcha.
    return PhoneCode(
        Purpose.FIRST_USE,
        step.phone or "",
        account=step.candidate.key,
        journey=ticket,
        captcha="first-use",
        first_free=True,
    )
