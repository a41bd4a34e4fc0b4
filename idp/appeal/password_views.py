"""``/a/<token>``: the one-time link of an approved appeal, without a sign-in.

Opening it changes nothing, as a phone's preview opens it too. Its address is a secret as long as the link
lives: it stands in no log (:mod:`idp.web.logs` tells the rule alone), in no line of the trail, and in no
header that a browser sends on.
"""

from __future__ import annotations

from flask import Blueprint, redirect, request, url_for
from werkzeug.wrappers import Response

from idp.accounts.directory import AlreadyTaken
from idp.appeal import password
from idp.appeal.applying import Tools
from idp.appeal.password import Chosen, Closed, LinkGone, Opened
from idp.appeal.password_forms import LinkForm
from idp.db import pause
from idp.proof import throttle
from idp.proof.throttle import Try
from idp.web import signin, ways
from idp.web.errors import Stop
from idp.web.platform import after_commit, db, now, platform
from idp.web.render import page

blueprint = Blueprint("appeal_link", __name__, url_prefix="/a")


@blueprint.after_request
def _tell_no_referrer(response: Response) -> Response:
    # The origin alone. With `no-referrer` browsers send `Origin: null` along with the form, which is refused.
    response.headers["Referrer-Policy"] = "strict-origin"
    return response


@blueprint.route("/<token>", methods=["GET", "POST"])
def show(token: str) -> str | Response:
    """设置登录密码."""
    opened = _look(token)
    form = LinkForm(request.form, opened)
    about = password.words_about(db(), platform().vault, opened)
    if request.method == "POST" and form.is_right(about):
        try:
            return _saved(token, opened, form)
        except AlreadyTaken:
            # Its holder proved the phone of the appeal: he may know (SECURITY 3).
            form.account.errors = ["这个账号已被使用，请换一个"]
            opened = _look(token)
    known = opened.known
    return page(
        "appeal/password.html",
        form=form,
        is_new=opened.is_new,
        told=opened.told.account if opened.asks_name else "",
        company=known.company.name,
        uscc=known.company.uscc,
        account=known.login_name,
    )


@blueprint.get("/<token>/done")
def done(token: str) -> str:
    """完成, for whoever has just set it; 前往登录."""
    found = password.find_done(db(), token, now=now())
    if found is None:
        raise _gone()
    company, account = found
    facts = [("名称", company), ("法人账号", account)]
    return page("appeal/password_done.html", facts=facts, sign_in=url_for("login.legal"))


def _look(token: str) -> Opened:
    """What the link opens. Raises Stop."""
    try:
        return password.look(db(), platform().vault, token, now=now())
    except LinkGone:
        raise _gone() from None
    except Closed as closed:
        raise _closed(closed) from None


def _saved(token: str, opened: Opened, form: LinkForm) -> Response:
    """Set the password, and lead to the end. Raises AlreadyTaken, Stop."""
    here = platform()
    pause(db())
    chosen = Chosen(here.hasher.hash(form.new_password.data or ""), form.account_name)
    tools = Tools(here.vault, here.trail, here.notifier, here.settings)
    origin = signin.origin(actor=opened.appeal.key)
    try:
        password.set_password(db(), tools, token, chosen, origin, signin.device(), now=now())
    except LinkGone:
        raise _gone() from None
    except Closed as closed:
        raise _closed(closed) from None
    guesses = Try(opened.key, None, request.remote_addr or "")
    after_commit(lambda: throttle.forgive(here.store, guesses))
    return redirect(url_for("appeal_link.done", token=token), 303)


def _gone() -> Stop:
    return Stop(
        "链接已失效",
        "这个链接不完整、已经用过、已经过期、已被新的链接替换，或者账号在申诉通过之后又有变动。这次没有做任何更改。"
        "刚设置过密码的，请直接登录；没有设置过的，凭申诉编号和手机验证码查询申诉进度，可以重新发送链接。",
        status=404,
        ways=(("查询申诉进度", url_for("appeal.result")), *ways.when_proof_fails()),
    )


def _closed(closed: Closed) -> Stop:
    return Stop(
        "现在不能设置密码",
        f"{closed}链接没有用掉，这次没有做任何更改。",
        status=409,
        ways=ways.when_proof_fails(),
    )
