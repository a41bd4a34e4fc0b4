"""``/n/<token>``: the link of a notice, without a sign-in: what happened, and 不是我.

Opening it changes nothing, as a phone's preview opens it too; the button does.
"""

from __future__ import annotations

from datetime import datetime

from flask import Blueprint, redirect, request, url_for
from werkzeug.wrappers import Response

from idp.accounts import notices
from idp.accounts.calendar import SHANGHAI
from idp.security import denial
from idp.web import signin
from idp.web.errors import Stop
from idp.web.platform import db, now, platform, settings
from idp.web.render import minute, page
from idp.web.words import browser_words, place_words

blueprint = Blueprint("notice", __name__, url_prefix="/n")


@blueprint.get("/<token>")
def show(token: str) -> str:
    """What happened; or, once 不是我 was said, what was done."""
    try:
        notice = denial.find(db(), token, now=now())
    except denial.NoSuchNotice:
        raise _gone() from None
    facts = [
        ("账号", denial.whose(db(), platform().vault, notice.account)),
        ("发生了什么", notices.said(notice)),
        ("时间", minute(notice.created_at)),
        ("浏览器", browser_words(notice.browser) if notice.browser else "未知"),
        ("网络地址", place_words(notice.address)),
    ]
    reset = denial.reset_of(db(), platform().vault, notice.account)
    return page(
        "security/notice.html",
        facts=facts,
        denied_at=_in_prose(notice.denied_at),
        reset=url_for(reset) if reset else "",
        appeal=url_for("appeal.choice") if denial.has_appeal(db(), platform().vault, notice.account) else "",
        is_of_a_name=notice.kind == notices.Kind.REPRESENTATIVE_RENAMED.value,
    )


@blueprint.post("/<token>")
def deny(token: str) -> Response:
    """不是我: the account is locked, and the page says so."""
    here = platform()
    try:
        denial.deny(db(), here.vault, here.trail, here.notifier, token, signin.origin(""), now=now())
    except denial.NoSuchNotice:
        raise _gone() from None
    return redirect(request.path, 303)


def _in_prose(instant: datetime | None) -> str:
    if instant is None:
        return ""
    at = instant.astimezone(SHANGHAI)
    return f"{at.year} 年 {at.month} 月 {at.day} 日 {at:%H:%M}"


def _gone() -> Stop:
    hotline = settings().hotline
    call = f"拨打服务热线 {hotline} " if hotline else "联系您办理业务的单位"
    return Stop(
        "链接已失效",
        "这个链接不完整，或已经过期，没有做任何更改。"
        f"怀疑有人在用您的账号时，请登录后查看登录记录、退出不认识的登录，或{call}暂停账号。",
        status=404,
    )
