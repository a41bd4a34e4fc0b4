"""One's own account at the console: factors, recovery codes, password, sign-ins.

Every change asks for a fresh proof first, and so does the page that leads to it, so that nobody types for
nothing. The last factor stays: without one there would be no way in.
"""

from __future__ import annotations

import math
from typing import Any
from uuid import UUID

from flask import Blueprint, abort, redirect, request, url_for
from werkzeug.wrappers import Response

from idp.accounts import factors
from idp.accounts.audit import Action, Event
from idp.accounts.factors import Factor, Kind
from idp.accounts.passwords import PasswordRefused
from idp.accounts.staff import end_staff_sessions, list_live_staff_sessions
from idp.proof import enrolment, recovery_codes, recovery_shown
from idp.proof.enrolment import Added
from idp.proof.throttle import Throttled
from idp.staff.entry import forms, proving, service
from idp.staff.entry.forms import confirmed
from idp.staff.me import setting_up, words
from idp.web import signin, staff
from idp.web.errors import Stop
from idp.web.platform import db, now, settings

blueprint = Blueprint("staff_me", __name__, url_prefix="/staff/me")

_FACTOR = "/security/<any(totp, passkey):kind>/<uuid:factor_id>"


@blueprint.get("/security")
def security() -> str:
    """What one comes in with, and where one is signed in."""
    signed_in = staff.required()
    member = signed_in.member
    idle = settings().seconds("staff_idle")
    live = list_live_staff_sessions(db(), member.id, idle=idle, now=now())
    return staff.page(
        "staff/me_security.html",
        account=member.account,
        password_changed_at=member.password_changed_at,
        factors=[words.factor_words(factor) for factor in factors.list_factors(db(), member.key)],
        codes_left=recovery_codes.left(db(), member.key),
        codes_of=recovery_codes.HOW_MANY,
        sessions=[words.session_words(row, signed_in.session) for row in live],
    )


@blueprint.route("/security/app", methods=["GET", "POST"])
def add_app() -> Any:
    """Add an authenticator app."""
    if (elsewhere := staff.proof_first(url_for("staff_me.add_app"))) is not None:
        return elsewhere
    member, ticket = staff.required().member, request.args.get("setup", "")
    form = setting_up.sent(forms.NewAppForm)
    try:
        added = setting_up.finish_app(member, ticket, form) if request.method == "POST" else None
        setup = None if added else setting_up.setup(member, ticket)
    except enrolment.SetupGone:
        if request.method == "GET":
            return redirect(url_for("staff_me.add_app", setup=setting_up.begin_app(member)))
        raise Stop(
            "这一步已经失效",
            "添加验证器 App 的时间已过，或已经在别处完成。没有做任何更改，请重新开始。",
            ways=(
                ("重新开始", url_for("staff_me.add_app")),
                ("返回我的账号", url_for("staff_me.security")),
            ),
        ) from None
    return _added(added) if added else staff.page("staff/me_add_app.html", form=form, setup=setup)


@blueprint.route("/security/passkey", methods=["GET", "POST"])
def add_passkey() -> Any:
    """Add a passkey."""
    if (elsewhere := staff.proof_first(url_for("staff_me.add_passkey"))) is not None:
        return elsewhere
    member, form = staff.required().member, setting_up.sent(forms.NewPasskeyForm)
    added = setting_up.finish_passkey(member, form) if request.method == "POST" else None
    if added:
        return _added(added)
    return staff.page("staff/me_add_passkey.html", form=form, asked=setting_up.ask_passkey(member))


@blueprint.route(_FACTOR + "/name", methods=["GET", "POST"])
def rename(kind: str, factor_id: UUID) -> Any:
    """Give a factor another name."""
    factor = _own(kind, factor_id)
    here = url_for("staff_me.rename", kind=kind, factor_id=factor_id)
    if (elsewhere := staff.proof_first(here)) is not None:
        return elsewhere
    form = setting_up.sent(forms.NameForm)
    if request.method == "GET":
        form.name.data = factor.name
    elif form.validate():
        tools, owner = setting_up.tools(), setting_up.owner(staff.required().member)
        try:
            enrolment.rename(db(), tools, owner, factor.kind, factor.id, form.name.data or "", now=now())
            return redirect(url_for("staff_me.security"), 303)
        except enrolment.EnrolmentRefused as refused:
            form.name.errors = [str(refused)]
    return staff.page("staff/me_rename.html", form=form, factor=words.factor_words(factor))


@blueprint.route(_FACTOR + "/remove", methods=["GET", "POST"])
def remove(kind: str, factor_id: UUID) -> Any:
    """Remove a factor, never the last one."""
    factor = _own(kind, factor_id)
    here = url_for("staff_me.remove", kind=kind, factor_id=factor_id)
    if (elsewhere := staff.proof_first(here)) is not None:
        return elsewhere
    member, problem = staff.required().member, ""
    if request.method == "POST":
        tools, owner = setting_up.tools(), setting_up.owner(member)
        try:
            enrolment.remove(db(), tools, owner, factor.kind, factor.id, keep_one=True, now=now())
            return redirect(url_for("staff_me.security"), 303)
        except enrolment.EnrolmentRefused as refused:
            problem = str(refused)
    is_last = len(factors.list_factors(db(), member.key)) == 1
    return staff.page(
        "staff/me_remove.html", factor=words.factor_words(factor), is_last=is_last, problem=problem
    )


@blueprint.route("/security/recovery-codes", methods=["GET", "POST"])
def recovery() -> Any:
    """Ten new recovery codes in place of the old ones."""
    if (elsewhere := staff.proof_first(url_for("staff_me.recovery"))) is not None:
        return elsewhere
    if request.method == "GET":
        return staff.page("staff/me_recovery.html")
    member = staff.required().member
    owner = setting_up.owner(member)
    try:
        made = enrolment.renew_recovery_codes(db(), setting_up.tools(), owner, now=now())
    except enrolment.EnrolmentRefused as refused:
        ways = (("返回我的账号", url_for("staff_me.security")),)
        raise Stop("没有生成恢复码", str(refused), ways=ways) from None
    return setting_up.show_codes(member, _here(), made)


@blueprint.route("/security/recovery-codes/new", methods=["GET", "POST"])
def codes() -> Any:
    """The codes that were just made; a POST says that they are saved, and they are shown no more."""
    if (elsewhere := staff.proof_first(url_for("staff_me.codes"))) is not None:
        return elsewhere
    owner, begun = setting_up.owner(staff.required().member), "begun" in request.args
    onwards = url_for("staff_overview.index" if begun else "staff_me.security")
    if request.method == "POST":
        recovery_shown.put_out_of_sight(setting_up.tools(), owner, _here())
        return redirect(onwards, 303)
    found = recovery_shown.codes_in_sight(db(), setting_up.tools(), owner, _here())
    if not found:
        return redirect(onwards, 303)
    done = "我已保存，进入工作台" if begun else "我已保存，返回我的账号"
    return staff.page("staff/me_codes.html", codes=found, done=done)


@blueprint.route("/security/password", methods=["GET", "POST"])
def password() -> Any:
    """Another password; the sign-ins in other browsers end."""
    if (elsewhere := staff.proof_first(url_for("staff_me.password"))) is not None:
        return elsewhere
    signed_in, form = staff.required(), setting_up.sent(forms.ChangePasswordForm)
    status, headers = 200, {}
    if request.method == "POST" and form.validate() and confirmed(form):
        member, old, new = signed_in.member, form.old_password.data, form.new_password.data
        try:
            service.change_password(db(), proving.tools(), member, old, new, proving.browser(), now=now())
            signin.remember_account(member.browser_tag)
            end_staff_sessions(
                db(), member.id, reason="password_changed", now=now(), keep=signed_in.session.id
            )
            return redirect(url_for("staff_me.security"), 303)
        except service.WrongPassword:
            form.old_password.errors = ["目前的密码不正确，请重新填写"]
        except PasswordRefused as refused:
            form.new_password.errors = [str(refused)]
        except Throttled as slowed:
            form.form_errors.append(proving.waiting(slowed))
            status, headers = 429, {"Retry-After": str(math.ceil(slowed.wait.total_seconds()))}
    shown = staff.page("staff/me_password.html", form=form, account=signed_in.member.account)
    return shown, status, headers


@blueprint.post("/sign-ins/end")
def end_sign_in() -> Response:
    """End one of one's own sign-ins, or all but this."""
    signed_in = staff.required()
    member, here = signed_in.member, signed_in.session.id
    typed = request.form.get("session", "")
    only, keep = (None, here) if typed == "others" else (_parsed(typed), None)
    ended: list[UUID] = []
    idle = settings().seconds("staff_idle")
    live = {row.id for row in list_live_staff_sessions(db(), member.id, idle=idle, now=now())}
    if only or keep:
        reason = "signed_out" if only == here else "signed_out_remotely"
        ended = end_staff_sessions(db(), member.id, reason=reason, now=now(), only=only, keep=keep)
    # One that was idle for too long counted no more: its end is nothing that happened.
    for session in live.intersection(ended):
        detail = {"session": str(session), **({} if session == here else {"remotely": True})}
        staff.record(Event(Action.STAFF_SIGNED_OUT, target=member.key, detail=detail))
    return redirect(url_for("staff_me.security"), 303)


def _parsed(typed: str) -> UUID | None:
    try:
        return UUID(typed)
    except ValueError:
        return None


def _own(kind: str, factor_id: UUID) -> Factor:
    """The factor of this address, if it is one's own."""
    held = factors.list_factors(db(), staff.required().member.key)
    found = next((one for one in held if (one.kind, one.id) == (Kind(kind), factor_id)), None)
    return found or abort(404)


def _added(added: Added) -> Any:
    if added.recovery_codes:
        return setting_up.show_codes(staff.required().member, _here(), added.recovery_codes)
    return redirect(url_for("staff_me.security"), 303)


def _here() -> str:
    """The sign-in that new codes are shown in; a further proof does not change its id."""
    return str(staff.required().session.id)
