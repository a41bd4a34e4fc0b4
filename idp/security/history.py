"""Every sign-in that can still be seen, and the tries that failed."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import redirect, request, url_for

from idp.accounts.audit import Action, Event
from idp.security import room, service, tries
from idp.security.service import SignIn
from idp.security.tries import Tries
from idp.web import signin
from idp.web.platform import db, now, platform
from idp.web.render import minute
from idp.web.words import acts_as, browser_words, place_words, session_words

_NEAR = 2
"""How many pages before and after this one can be chosen."""
_ENDINGS = {
    "signed_out": "已退出",
    "signed_out_remotely": "在别处退出",
    "replaced": "已由新的登录取代",
    "mandate_ended": "授权结束",
    "suspended": "账号暂停",
    "browser_forgotten": "浏览器已忘记",
    "password_changed": "密码已修改",
    "password_reset": "密码已重置",
    "locked": "您报告不是本人操作",
    "factors_reset": "第二步验证已重置",
    "ended_by_staff": "由工作人员结束",
    "app_unused": "App 很久没有使用",
    "client_removed": "App 已停用",
}
_WHY = {
    "password": "密码不正确",
    "throttled": "尝试次数过多",
    "not allowed": "账号当时不能登录",
    "another identity": "不是当时要登录的人",
    "first use": "还没有设置自己的密码",
    "code": "动态口令或恢复码不正确",
    "sms_code": "短信验证码不正确",
}


def sign_ins() -> Any:
    """The history; a POST ends one of them."""
    if request.method == "POST":
        return _end(request.form.get("session", ""))
    here = room.visit()
    number = request.args.get("page", 1, type=int)
    found = service.history(db(), here.whose, number=min(number, 1_000_000), now=now())
    failed = tries.failed(db(), here.account, now=now()) if here.own else []
    return room.show(
        "sign_ins",
        sign_ins=[words(row) for row in found.rows],
        total=found.total,
        pages=_pages(found),
        tries=[_try_words(alike) for alike in failed],
        days=tries.SHOWN_FOR.days,
        own=here.own,
    )


def words(row: SignIn) -> dict[str, Any]:
    """One row of the history, for people."""
    session = row.session
    current = session.id == signin.required().session.id
    return {
        **session_words(session, current=current),
        "when": minute(session.created_at),
        "acts_as": acts_as(session, row.company),
        "live": row.live,
        "state": "" if row.live else _state(session.end_reason),
        "ended": minute(session.ended_at) if session.ended_at else "",
    }


def _state(reason: str | None) -> str:
    return _ENDINGS.get(reason, "已结束") if reason else "已到期"


def _try_words(alike: Tries) -> dict[str, str]:
    often = f"，共 {alike.times} 次" if alike.times > 1 else ""
    return {
        "when": minute(alike.at),
        "browser": browser_words(alike.device),
        "place": place_words(alike.address),
        "why": _why(alike) + often,
    }


def _why(alike: Tries) -> str:
    """Why a try failed; what it means that somebody came as far as the second step is said with it."""
    if alike.action == Action.SECOND_STEP_ASKED.value:
        return "密码正确，没有完成第二步验证"
    words = "通行密钥没有通过" if alike.why.startswith("passkey") else _WHY.get(alike.why, "验证没有通过")
    if alike.action == Action.PROOF_REFUSED.value:
        return f"确认本人时，{words}"
    return f"密码正确，{words}" if alike.knew_password else words


def _pages(found: service.History) -> list[dict[str, Any]]:
    near = range(found.number - _NEAR, found.number + _NEAR + 1)
    numbers = sorted({1, found.pages, *(one for one in near if 1 <= one <= found.pages)})
    return [
        {"label": one, "href": room.onward("sign_ins", page=one), "current": one == found.number}
        for one in numbers
    ]


def _end(asked: str) -> Any:
    """End one of the sign-ins that are shown; nothing happens for another's, or one that has ended."""
    here = room.visit()
    try:
        found = service.find_live(db(), here.whose, UUID(asked), now=now())
    except ValueError:
        found = None
    if found is None:
        return redirect(request.full_path.rstrip("?"), 303)
    signin.end(found.id, reason="signed_out_remotely")
    event = Event(Action.SIGNED_OUT, entity=str(found.enterprise_id or ""), detail={"remotely": True})
    platform().trail.record(db(), event, signin.origin(), now=now())
    if found.id != here.signed_in.session.id:
        return redirect(request.full_path.rstrip("?"), 303)
    signin.forget()
    return redirect(url_for("login.signed_out"), 303)
