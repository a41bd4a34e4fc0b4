"""One's own account at the console: factors, recovery codes, password, sign-ins.

Every change asks for a fresh proof first, and so does the page that leads to it, so that nobody types for
nothing. The last factor stays: without one there would be no way in.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, abort, redirect, request, url_for
from werkzeug.wrappers import Response

from idp.accounts import factors
from idp.accounts.audit import Action, Event
from idp.accounts.factors import Factor, Kind
from idp.accounts.passwords import PasswordRefused
from idp.accounts.staff import StaffSession, end_staff_sessions, list_live_staff_sessions
from idp.proof import enrolment, recovery_codes
from idp.proof.enrolment import KINDS, Added
from idp.proof.throttle import Throttled
from idp.staff import factor_pages, forms, proving, service
from idp.web import staff
from idp.web.errors import Stop
from idp.web.platform import db, now, settings
from idp.web.render import minute
from idp.web.words import browser_words

blueprint = Blueprint("staff_me", __name__, url_prefix="/staff/me")

_WAYS = {"pwd": "密码", "otp": "动态口令", "hwk": "通行密钥"}
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
        factors=[_factor_words(factor) for factor in factors.list_factors(db(), member.key)],
        codes_left=recovery_codes.left(db(), member.key),
        codes_of=recovery_codes.HOW_MANY,
        sessions=[_session_words(row, signed_in.session) for row in live],
    )


@blueprint.route("/security/app", methods=["GET", "POST"])
def add_app() -> Any:
    """Add an authenticator app."""
    if (elsewhere := staff.proof_first(url_for("staff_me.add_app"))) is not None:
        return elsewhere
    member, ticket = staff.required().member, request.args.get("setup", "")
    form = factor_pages.sent(forms.NewAppForm)
    try:
        added = factor_pages.finish_app(member, ticket, form) if request.method == "POST" else None
        setup = None if added else factor_pages.setup(member, ticket)
    except enrolment.SetupGone:
        if request.method == "GET":
            return redirect(url_for("staff_me.add_app", setup=factor_pages.begin_app(member)))
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
    member, form = staff.required().member, factor_pages.sent(forms.NewPasskeyForm)
    added = factor_pages.finish_passkey(member, form) if request.method == "POST" else None
    if added:
        return _added(added)
    return staff.page("staff/me_add_passkey.html", form=form, asked=factor_pages.ask_passkey(member))


@blueprint.route(_FACTOR + "/name", methods=["GET", "POST"])
def rename(kind: str, factor_id: UUID) -> Any:
    """Give a factor another name."""
    factor = _own(kind, factor_id)
    here = url_for("staff_me.rename", kind=kind, factor_id=factor_id)
    if (elsewhere := staff.proof_first(here)) is not None:
        return elsewhere
    form = factor_pages.sent(forms.NameForm)
    if request.method == "GET":
        form.name.data = factor.name
    elif form.validate():
        tools, owner = factor_pages.tools(), factor_pages.owner(staff.required().member)
        try:
            enrolment.rename(db(), tools, owner, factor.kind, factor.id, form.name.data or "", now=now())
            return redirect(url_for("staff_me.security"), 303)
        except enrolment.EnrolmentRefused as refused:
            form.name.errors = [str(refused)]
    return staff.page("staff/me_rename.html", form=form, factor=_factor_words(factor))


@blueprint.route(_FACTOR + "/remove", methods=["GET", "POST"])
def remove(kind: str, factor_id: UUID) -> Any:
    """Remove a factor, never the last one."""
    factor = _own(kind, factor_id)
    here = url_for("staff_me.remove", kind=kind, factor_id=factor_id)
    if (elsewhere := staff.proof_first(here)) is not None:
        return elsewhere
    member, problem = staff.required().member, ""
    if request.method == "POST":
        tools, owner = factor_pages.tools(), factor_pages.owner(member)
        try:
            enrolment.remove(db(), tools, owner, factor.kind, factor.id, keep_one=True, now=now())
            return redirect(url_for("staff_me.security"), 303)
        except enrolment.EnrolmentRefused as refused:
            problem = str(refused)
    is_last = len(factors.list_factors(db(), member.key)) == 1
    return staff.page("staff/me_remove.html", factor=_factor_words(factor), is_last=is_last, problem=problem)


@blueprint.route("/security/recovery-codes", methods=["GET", "POST"])
def recovery() -> Any:
    """Ten new recovery codes in place of the old ones."""
    if (elsewhere := staff.proof_first(url_for("staff_me.recovery"))) is not None:
        return elsewhere
    if request.method == "GET":
        return staff.page("staff/me_recovery.html")
    owner = factor_pages.owner(staff.required().member)
    try:
        codes = enrolment.renew_recovery_codes(db(), factor_pages.tools(), owner, now=now())
    except enrolment.EnrolmentRefused as refused:
        ways = (("返回我的账号", url_for("staff_me.security")),)
        raise Stop("没有生成恢复码", str(refused), ways=ways) from None
    return staff.page("staff/me_codes.html", codes=codes, onwards=url_for("staff_me.security"))


@blueprint.route("/security/password", methods=["GET", "POST"])
def password() -> Any:
    """Another password; the sign-ins in other browsers end."""
    if (elsewhere := staff.proof_first(url_for("staff_me.password"))) is not None:
        return elsewhere
    signed_in, form = staff.required(), factor_pages.sent(forms.ChangePasswordForm)
    if request.method == "POST" and form.validate() and confirmed(form):
        member, old, new = signed_in.member, form.old_password.data, form.new_password.data
        try:
            service.change_password(db(), proving.tools(), member, old, new, staff.origin(), now=now())
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
    return staff.page("staff/me_password.html", form=form, account=signed_in.member.account)


@blueprint.post("/sign-ins/end")
def end_sign_in() -> Response:
    """End one of one's own sign-ins, or all but this."""
    signed_in = staff.required()
    member, here = signed_in.member, signed_in.session.id
    typed = request.form.get("session", "")
    only, keep = (None, here) if typed == "others" else (_parsed(typed), None)
    ended = 0
    if only or keep:
        ended = end_staff_sessions(
            db(), member.id, reason="signed_out_remotely", now=now(), only=only, keep=keep
        )
    if ended:
        staff.record(Event(Action.STAFF_SIGNED_OUT, target=member.key, detail={"remotely": True}))
    return redirect(url_for("staff_me.security"), 303)


def confirmed(form: Any) -> bool:
    """Whether the new password was typed twice alike; otherwise the form says so."""
    if form.new_password.data == form.confirm_password.data:
        return True
    form.confirm_password.errors = ["两次填写的密码不一样"]
    return False


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
        onwards = url_for("staff_me.security")
        return staff.page("staff/me_codes.html", codes=added.recovery_codes, onwards=onwards)
    return redirect(url_for("staff_me.security"), 303)


def _factor_words(factor: Factor) -> dict[str, Any]:
    return {
        "kind": factor.kind.value,
        "id": factor.id,
        "name": factor.name,
        "what": KINDS[factor.kind],
        "added": minute(factor.created_at),
        "used": minute(factor.last_used_at) if factor.last_used_at else "还没有用过",
    }


def _session_words(row: StaffSession, here: StaffSession) -> dict[str, Any]:
    return {
        "id": str(row.id),
        "browser": browser_words(row.browser),
        "place": row.address or "地址未知",
        "how": "、".join(_WAYS.get(way, way) for way in row.amr.split()),
        "when": minute(row.created_at),
        "current": row.id == here.id,
    }
