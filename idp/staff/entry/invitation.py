"""The first sign-in: a one-time link that ends with a second factor.

===================================  =====================================================
/staff/invitation/<link>             whose it is; looking takes nothing up, the button does
/staff/invitation/<link>/password    a password, which alone opens nothing
/staff/invitation/<link>/factor      a second factor; the link is spent, the console is open
===================================  =====================================================
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flask import Blueprint, redirect, request, url_for
from werkzeug.wrappers import Response

from idp.accounts import staff_invitations as links
from idp.accounts.audit import Action, Event
from idp.accounts.identifiers import mask_name
from idp.accounts.passwords import PasswordRefused
from idp.accounts.staff import StaffRole
from idp.accounts.staff_invitations import InvitationRefused, Invited, Why
from idp.db import pause
from idp.proof import enrolment
from idp.proof.enrolment import Added
from idp.staff.entry import forms, proving, service
from idp.staff.entry.forms import confirmed
from idp.staff.me import setting_up
from idp.web import cookies, staff
from idp.web.errors import Stop
from idp.web.platform import db, now, platform, roll_back
from idp.web.render import minute, page

blueprint = Blueprint("staff_invitation", __name__, url_prefix="/staff/invitation")

_REFUSALS = {
    Why.EXPIRED: ("链接已过期", "这个链接不存在或已经过期，没有做任何更改。请联系管理员，重新发一个链接。"),
    Why.USED: (
        "链接已用过",
        "这个链接已经用过，或已被新的链接代替。完成过设置就请直接登录；否则请联系管理员，重新发一个链接。",
    ),
    Why.ELSEWHERE: (
        "链接已在另一个浏览器打开",
        "这个链接只能在开始设置的那个浏览器里继续。如果不是您本人开始的，请立即联系管理员重新发一个链接。",
    ),
}
STEPS = ("确认身份", "设置密码", "第二步验证")


@blueprint.route("/<link>", methods=["GET", "POST"])
def start(link: str) -> Any:
    """Whose link it is; the button takes it up for this browser."""
    with _refusals():
        invited = links.find_invited(db(), link, cookies.browser_id(), now=now())
        if request.method == "POST":
            links.claim(db(), link, cookies.browser_id(), now=now())
            if invited.invitation.claimed_at is None:
                _record(invited, Action.STAFF_LINK_TAKEN)
            return redirect(url_for("staff_invitation.password", link=link), 303)
    member = invited.member
    facts = [
        ("姓名", mask_name(member.name(platform().vault))),
        ("工作账号", member.account),
        ("岗位", staff.ROLES[StaffRole(member.role)]),
        ("链接有效期至", minute(invited.invitation.expires_at)),
    ]
    return page("staff/invitation.html", facts=facts, steps=STEPS)


@blueprint.route("/<link>/password", methods=["GET", "POST"])
def password(link: str) -> Any:
    """A password, which alone opens nothing."""
    form = setting_up.sent(forms.NewPasswordForm)
    with _refusals():
        member = _claimed(link).member
        if request.method == "POST" and form.validate() and confirmed(form):
            pause(db())
            try:
                hashed = service.hash_new_password(proving.tools(), member, form.new_password.data)
                invited = _claimed(link)
                links.keep_password(db(), invited, hashed, now=now())
                _record(invited, Action.PASSWORD_CHANGED)
                return redirect(url_for("staff_invitation.factor", link=link), 303)
            except PasswordRefused as refused:
                form.new_password.errors = [str(refused)]
    return page("staff/invitation_password.html", form=form, account=member.account, steps=STEPS)


@blueprint.route("/<link>/factor", methods=["GET", "POST"])
def factor(link: str) -> Any:
    """A second factor: with it the link is spent, and the console is open."""
    ticket, way = request.args.get("setup", ""), request.form.get("way")
    app = forms.NewAppForm(request.form if way == "app" else None)
    passkey = forms.NewPasskeyForm(request.form if way == "passkey" else None)
    with _refusals():
        invited, added = _claimed(link), None
        if not links.has_password(invited):
            return redirect(url_for("staff_invitation.password", link=link), 303)
        try:
            if way == "app":
                added = setting_up.finish_app(invited.member, ticket, app)
            elif way == "passkey":
                added = setting_up.finish_passkey(invited.member, passkey)
            if added:
                return _enter(invited, added, "otp" if way == "app" else "hwk")
            setup = setting_up.setup(invited.member, ticket)
        except enrolment.SetupGone:
            begun = setting_up.begin_app(invited.member)
            return redirect(url_for("staff_invitation.factor", link=link, setup=begun), 303)
    return page(
        "staff/invitation_factor.html",
        form=passkey if way == "passkey" else app,
        app=app,
        made=passkey,
        setup=setup,
        asked=setting_up.ask_passkey(invited.member),
        steps=STEPS,
    )


def _claimed(link: str) -> Invited:
    return links.find_claimed(db(), link, cookies.browser_id(), now=now())


def _record(invited: Invited, action: Action) -> None:
    """Write down what was done with the link, as nobody yet: its holder has proved nothing else."""
    detail = {"invitation": str(invited.invitation.id)}
    staff.record(Event(action, target=invited.member.key, detail=detail))


def _enter(invited: Invited, added: Added, how: str) -> Response:
    """Spend the link, open the console, and show the recovery codes there."""
    links.finish(db(), invited, now=now())
    member, amr = invited.member, ("pwd", how)
    opened = staff.start(member, amr)
    for action, detail in (
        (Action.STAFF_ENROLLED, {"invitation": str(invited.invitation.id)}),
        (Action.STAFF_SIGNED_IN, {"amr": " ".join(amr), "session": str(opened)}),
    ):
        event = Event(action, target=member.key, detail=detail)
        platform().trail.record(db(), event, staff.origin(member), now=now())
    return setting_up.show_codes(member, str(opened), added.recovery_codes, begun=True)


@contextmanager
def _refusals() -> Iterator[None]:
    """A link that opens nothing becomes a page, and nothing that was begun with it stays."""
    try:
        yield
    except InvitationRefused as refused:
        roll_back()
        title, sentence = _REFUSALS[refused.why]
        ways = (("登录工作台", url_for("staff_entry.sign_in")),)
        raise Stop(title, sentence, ways=ways) from None
