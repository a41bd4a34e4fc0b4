"""The console's own sign-in, guard and frame: apart from everybody else's (SECURITY 74).

Every address under ``/staff`` passes :func:`_guard`, which asks one table who may come in. A refusal
is written to the audit trail. An address is no secret, so a role without it is told so with 403.
"""

from __future__ import annotations

from posixpath import normpath
from typing import Any
from urllib.parse import unquote, urlsplit
from uuid import UUID

from flask import Flask, Response, current_app, g, redirect, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from idp.accounts.audit import Action, Event, Origin
from idp.accounts.identifiers import mask_name
from idp.accounts.sessions import NotOpened
from idp.accounts.staff import (
    SignedInStaff,
    StaffMember,
    StaffRole,
    end_staff_sessions,
    find_live_staff,
    note_staff_seen,
    open_staff_session,
    raise_staff_session,
)
from idp.web import cookies, errors, signin
from idp.web.errors import Stop
from idp.web.platform import db, now, platform, roll_back, settings
from idp.web.redirects import own_path
from idp.web.render import page as render
from idp.web.staff_rights import MENU, granted

PREFIX = "/staff"
ROLES = {
    StaffRole.SERVICE: "客服",
    StaffRole.SUPERVISOR: "客服主管",
    StaffRole.ADMIN: "管理员",
    StaffRole.AUDITOR: "审计员",
}


def install(app: Flask) -> None:
    """Put the guard before every address of the console, and its frame around what is refused there."""
    app.before_request(_guard)
    app.after_request(_finish)
    errors.frame(app, PREFIX, "staff/base.html", ("回到今日概览", "staff_overview.index"))


def current() -> SignedInStaff | None:
    """Who is signed in at the console in this browser, or None."""
    if "signed_in_staff" not in g:
        g.signed_in_staff = _load()
    found: SignedInStaff | None = g.signed_in_staff
    return found


def required() -> SignedInStaff:
    """The same, behind the guard."""
    found = current()
    if found is None:
        msg = "a guarded view ran without a sign-in at the console"
        raise RuntimeError(msg)
    return found


def origin(member: StaffMember | None = None) -> Origin:
    """From where this request acts, for the audit trail; by `member` where nobody is signed in yet."""
    signed_in = current()
    actor = member or (signed_in.member if signed_in else None)
    return signin.origin(actor=actor.key if actor else "")


def member_words(member: StaffMember) -> str:
    """A colleague in words: account, masked name, role."""
    name = mask_name(member.name(platform().vault))
    return f"{member.account}（{name}，{ROLES[StaffRole(member.role)]}）"


def record(event: Event) -> None:
    """Write `event` to the audit trail as done by whoever is signed in at the console."""
    platform().trail.record(db(), event, origin(), now=now())


def start(member: StaffMember, amr: tuple[str, ...]) -> UUID:
    """Open a sign-in at the console for this browser under a new id, which it knows from then on; its id.

    The one it had ends. Raises Stop where the member was suspended, say, while he was on the way in.
    """
    try:
        opened, token = _opened(member, amr)
    except NotOpened:
        roll_back()
        refused = Event(Action.STAFF_SIGN_IN_REFUSED, target=member.key, detail={"why": "not allowed"})
        record(refused)
        raise Stop(
            "登录没有完成",
            "就在刚才，这个账号的密码或岗位被修改，或者账号被停用。请重新登录；还是不行的话，请联系管理员。",
            status=403,
            ways=(("重新登录工作台", url_for("staff_entry.sign_in")),),
        ) from None
    g.new_staff_token = token
    signin.remember_account(member.browser_tag)
    g.pop("signed_in_staff", None)
    return opened


def _opened(member: StaffMember, amr: tuple[str, ...]) -> tuple[UUID, str]:
    """The id and the token of a new sign-in in place of the one this browser had. Raises NotOpened."""
    before = current()
    if before is not None:
        end_staff_sessions(db(), before.member.id, reason="replaced", now=now(), only=before.session.id)
    life = settings().seconds("staff_lifetime")
    return open_staff_session(db(), member, amr, signin.device(), life=life, now=now())


def proved_lately() -> bool:
    """Whether what asks for a fresh proof may be done without another one."""
    return now() - required().session.proved_at <= settings().seconds("fresh_proof")


def proof_first(onwards: str) -> BaseResponse | None:
    """Where to send somebody whose proof is old, to come back to `onwards`; None if it is fresh."""
    return None if proved_lately() else redirect(url_for("staff_entry.confirm", next=onwards), 303)


def raise_to(*, amr: tuple[str, ...]) -> None:
    """Note a further proof in this sign-in at the console, under a new id."""
    token = raise_staff_session(db(), required().session, amr=amr, now=now())
    if token is None:
        raise _ended()
    g.new_staff_token = token


def path_within(claimed: str) -> str | None:
    """`claimed` if it is a path of the console, whatever dots and escapes it has; else None."""
    path = own_path(claimed)
    if path is None:
        return None
    leads_to = normpath(unquote(urlsplit(path).path))
    return path if leads_to == PREFIX or leads_to.startswith(PREFIX + "/") else None


def forget() -> None:
    """Take the console's cookie from this browser with the answer."""
    g.new_staff_token = ""


def _finish(response: Response) -> Response:
    """Write what the view decided about the console's cookie."""
    token = g.get("new_staff_token")
    if token:
        cookies.set_staff_token(response, token)
    elif token == "":
        cookies.clear_staff_token(response)
    return response


def page(template: str, **values: Any) -> str:
    """Render a page of the console in its frame: who is signed in, and the menu of his role."""
    signed_in = required()
    member = signed_in.member
    menu = [
        {"label": label, "href": url_for(endpoint), "current": _room(endpoint) == _room()}
        for label, endpoint in MENU
        if endpoint in current_app.view_functions and signed_in.role in (granted(endpoint, "GET") or ())
    ]
    who = {"name": mask_name(member.name(platform().vault)), "role": ROLES[signed_in.role]}
    return render(template, staff_who=who, staff_menu=menu, **values)


def may(endpoint: str, method: str = "GET") -> bool:
    """Whether whoever is signed in may call `endpoint`: a page offers only what is granted."""
    roles = granted(endpoint, method)
    return roles is None or required().role in roles


def _room(endpoint: str | None = None) -> str:
    return (endpoint or request.endpoint or "").partition(".")[0]


def _load() -> SignedInStaff | None:
    token = cookies.staff_token()
    if token is None:
        return None
    found = find_live_staff(db(), token, idle=settings().seconds("staff_idle"), now=now())
    if found is not None:
        note_staff_seen(db(), found.session, now=now())
    return found


def _guard() -> BaseResponse | None:
    if not (request.path == PREFIX or request.path.startswith(PREFIX + "/")) or request.endpoint is None:
        return None
    roles = granted(request.endpoint, request.method)
    if roles is None:
        return None
    signed_in = current()
    if signed_in is None:
        return _to_sign_in()
    if signed_in.role in roles:
        return None
    detail = {"address": request.endpoint, "method": request.method, "role": signed_in.role.value}
    record(Event(Action.ACCESS_DENIED, target=signed_in.member.key, detail=detail))
    raise Stop(
        "没有这项权限",
        f"您的岗位是{ROLES[signed_in.role]}，不能使用这项功能。这次访问已经记录。如果工作需要，请联系管理员。",
        status=403,
    )


def _to_sign_in() -> BaseResponse:
    if request.method in {"GET", "HEAD"}:
        return redirect(url_for("staff_entry.sign_in", next=request.full_path.rstrip("?")))
    raise _ended()


def _ended() -> Stop:
    return Stop(
        "需要重新登录",
        "工作台的登录已经失效，这次操作没有完成，没有做任何更改。请重新登录后再试。",
        status=403,
        ways=(("登录工作台", url_for("staff_entry.sign_in")),),
    )
