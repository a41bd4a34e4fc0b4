"""Coming in and going out: a password, then a second factor; before it there is no sign-in (SECURITY 74)."""

from __future__ import annotations

import math
from typing import Any

from flask import Blueprint, redirect, request, url_for
from werkzeug.wrappers import Response

from idp.accounts.audit import Action, Event
from idp.accounts.staff import end_staff_sessions
from idp.proof.throttle import Throttled
from idp.staff.entry import forms, proving, service
from idp.web import captcha, staff
from idp.web.errors import Stop
from idp.web.platform import db, now, platform
from idp.web.render import page

blueprint = Blueprint("staff_entry", __name__, url_prefix="/staff")

_PURPOSE = "staff-sign-in"
# Deliberately vague: a stranger may not learn whether the account exists.
_WRONG = "账号或密码不正确，请核对后重新填写"


@blueprint.route("/sign-in", methods=["GET", "POST"])
def sign_in() -> Any:
    """Password first."""
    onwards = staff.path_within(request.args.get("next", ""))
    if staff.current() is not None:
        return redirect(onwards or url_for("staff_overview.index"))
    form: Any = forms.SignInForm(request.form)
    status, headers = 200, {}
    if request.method == "POST" and _may_be_tried(form):
        account, password = form.account.data, form.password.data
        try:
            ticket = service.check_password(
                db(), proving.tools(), account, password, proving.browser(), now=now()
            )
            return redirect(url_for("staff_entry.second", ticket=ticket, next=onwards), 303)
        except service.WrongPassword:
            form.form_errors.append(_WRONG)
        except Throttled as slowed:
            form.form_errors.append(proving.waiting(slowed))
            status, headers = 429, {"Retry-After": str(math.ceil(slowed.wait.total_seconds()))}
    return page("staff/sign_in.html", form=form, captcha=captcha.fresh(_PURPOSE)), status, headers


@blueprint.route("/sign-in/second", methods=["GET", "POST"])
def second() -> Any:
    """The second step; the sign-in begins with it."""
    ticket, tools, browser = request.args.get("ticket", ""), proving.tools(), proving.browser()

    def judge(answer: service.Answer) -> Any:
        member, proven = service.second_step(db(), tools, ticket, answer, browser, now=now())
        amr = ("pwd", proven.amr)
        detail = {"amr": " ".join(amr), "session": str(staff.start(member, amr))}
        if proven.codes_left is not None:
            detail["recovery_codes_left"] = str(proven.codes_left)
        event = Event(Action.STAFF_SIGNED_IN, target=member.key, detail=detail)
        platform().trail.record(db(), event, staff.origin(member), now=now())
        onwards = staff.path_within(request.args.get("next", ""))
        return redirect(onwards or url_for("staff_overview.index"), 303)

    try:
        member = service.find_waiting(db(), tools, ticket, browser, now=now())
        done, shown = proving.handle(member, judge)
    except service.StepGone:
        raise Stop(
            "这一步已经失效",
            "第二步验证的时间已过、尝试次数已满，或已经在别处完成。没有登录，请重新填写账号和密码。",
            ways=(("重新登录工作台", url_for("staff_entry.sign_in")),),
        ) from None
    return done or (page("staff/second.html", form=shown.form, shown=shown), shown.status, shown.headers)


@blueprint.route("/confirm", methods=["GET", "POST"])
def confirm() -> Any:
    """Proving oneself once more, before something that a browser left open must not do."""
    member, tools, browser = staff.required().member, proving.tools(), proving.browser()
    onwards = staff.path_within(request.args.get("next", "")) or url_for("staff_me.security")

    def judge(answer: service.Answer) -> Any:
        try:
            proven = service.prove(db(), tools, member, answer, browser, now=now())
        except (service.SecondRefused, Throttled):
            staff.record(Event(Action.PROOF_REFUSED, target=member.key))
            raise
        staff.raise_to(amr=(proven.amr,))
        staff.record(Event(Action.PROVED_AGAIN, target=member.key, detail={"amr": proven.amr}))
        return redirect(onwards, 303)

    done, shown = proving.handle(member, judge)
    return done or (
        staff.page("staff/confirm.html", form=shown.form, shown=shown),
        shown.status,
        shown.headers,
    )


@blueprint.post("/sign-out")
def sign_out() -> Response:
    """End this sign-in."""
    signed_in = staff.required()
    end_staff_sessions(db(), signed_in.member.id, reason="signed_out", now=now(), only=signed_in.session.id)
    detail = {"session": str(signed_in.session.id)}
    staff.record(Event(Action.STAFF_SIGNED_OUT, target=signed_in.member.key, detail=detail))
    staff.forget()
    return redirect(url_for("staff_entry.sign_in"), 303)


def _may_be_tried(form: Any) -> bool:
    """Whether the form is complete and its captcha right; a captcha is spent with whatever it was sent."""
    problem = captcha.check(request.form.get("captcha_id", ""), form.captcha.data, purpose=_PURPOSE)
    if "again" in request.form or not form.validate():
        return False
    if problem:
        form.captcha.errors = [problem]
    return problem is None
