"""The pages of the sign-in: parse, call one service function, answer."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from flask import Blueprint, redirect, request, url_for
from werkzeug.wrappers import Response
from wtforms import Form

from idp.access import pending
from idp.access.pending import PendingRequest
from idp.accounts.audit import Action, Event
from idp.accounts.identity import Role
from idp.accounts.passwords import PasswordRefused
from idp.accounts.sessions import SignedIn
from idp.login import candidates, forms, service
from idp.proof.throttle import Throttled
from idp.web import captcha, cookies, signin
from idp.web.errors import Stop
from idp.web.platform import db, now, platform
from idp.web.render import page
from idp.web.security import allow_form_to
from idp.web.signin import sign_in_required
from idp.web.words import company_facts, mandate_words, who

blueprint = Blueprint("login", __name__)

_TABS = (
    (Role.LEGAL_REPRESENTATIVE, "login.legal", "法人登录"),
    (Role.OPERATOR, "login.operator", "经办人登录"),
    (Role.NATURAL_PERSON, "login.person", "个人登录"),
)
# Deliberately vague: a stranger may not learn whether the account exists.
_WRONG = "账号或密码不正确，请核对后重新填写"


@blueprint.get("/login")
def start() -> Response:
    """The first way that can answer; whoever is signed in already goes to his centre."""
    asked = _pending()
    signed_in = signin.current()
    if asked is None and signed_in is not None:
        return redirect(url_for(_sessions_page(signed_in)))
    first = next(view for role, view, _label in _TABS if asked is None or role in asked.answering_roles)
    return redirect(_here(first))


@blueprint.route("/login/legal", methods=["GET", "POST"])
def legal() -> Any:
    """法人登录 (A06)."""
    return _password_page("legal", forms.LegalForm, lambda form: candidates.legal(form.account.data))


@blueprint.route("/login/operator", methods=["GET", "POST"])
def operator() -> Any:
    """经办人登录 (A08)."""
    return _password_page(
        "operator",
        forms.OperatorForm,
        lambda form: candidates.operator(form.enterprise.data, form.account.data),
    )


@blueprint.route("/login/person", methods=["GET", "POST"])
def person() -> Any:
    """个人登录 (A09)."""
    return _password_page("person", forms.PersonForm, lambda form: candidates.person(form.account.data))


@blueprint.route("/login/first-password", methods=["GET", "POST"])
def first_password() -> Any:
    """The first use of a mandate's password: a new one that only the operator knows."""
    asked, ticket, form = _pending(), request.args.get("ticket", ""), forms.FirstPasswordForm(request.form)
    try:
        candidate = service.find_first_use(db(), _tools(), ticket, _browser(), now=now())
        if request.method == "POST" and form.validate() and _confirmed(form):
            try:
                welcome = service.choose_first_password(
                    db(), _tools(), ticket, form.new_password.data or "", _browser(), now=now()
                )
                return _enter(welcome)
            except PasswordRefused as refused:
                form.new_password.errors = [str(refused)]
    except service.TicketGone:
        ways = (("重新登录", _here("login.operator")),)
        raise Stop(
            "这一步已经失效", "设置密码的时间已过，或已经在别处完成。请用经办人密码重新登录。", ways=ways
        ) from None
    except service.NotAllowedIn as refused:
        raise Stop(
            "现在不能登录", str(refused), status=403, ways=(("重新登录", _here("login.operator")),)
        ) from None
    facts = company_facts(db(), platform().vault, candidate.identity)
    return page(
        "login/new_password.html",
        form=form,
        who=facts,
        portal_name=_name(asked),
        ways=[("返回登录", _here("login.operator"))],
    )


@blueprint.route("/login/company", methods=["GET", "POST"])
@sign_in_required
def company() -> Any:
    """A person signed in as himself chooses the company he acts for."""
    asked, signed_in = _pending(), signin.required()
    mandates = service.mandates_to_choose(db(), signed_in, now=now())
    if asked and asked.entity:
        mandates = [mandate for mandate in mandates if mandate.enterprise.uscc == asked.entity]
    if not mandates:
        raise Stop(
            "没有可以代表的企业",
            "您目前没有任何企业的有效授权，不能代表企业登录。请联系企业的法定代表人添加，或换一个账号登录。",
            status=403,
            ways=(("换一个账号登录", _here("login.identity")), ("回到个人中心", url_for("person.centre"))),
        )
    if asked and len(mandates) == 1:
        return _switch(mandates[0], signed_in)
    form = forms.CompanyForm([str(mandate.id) for mandate in mandates], request.form)
    if request.method == "POST" and form.validate():
        chosen = next(mandate for mandate in mandates if str(mandate.id) == form.enterprise.data)
        return _switch(chosen, signed_in)
    if asked:
        allow_form_to(asked.form_origins)
    return page(
        "login/company.html",
        form=form,
        who=who(signed_in, platform().vault),
        companies=[mandate_words(mandate) for mandate in mandates],
        portal_name=_name(asked),
        ways=[("换一个账号登录", _here("login.identity"))],
    )


@blueprint.route("/login/identity", methods=["GET", "POST"])
@sign_in_required
def identity() -> Any:
    """Signed in as a kind of identity the portal does not take: told so, and changed only when asked."""
    asked, signed_in = _pending(), signin.required()
    if request.method == "POST":
        signin.sign_out()
        return redirect(_here("login.start"), 303)
    return page(
        "login/other_identity.html",
        who=who(signed_in, platform().vault),
        wanted=_wanted(asked, signed_in),
        portal_name=_name(asked),
        ways=[("保留目前的登录", url_for(_sessions_page(signed_in)))],
    )


@blueprint.post("/sign-out")
@sign_in_required
def sign_out() -> Response:
    """End this browser's sign-in and all that was granted in it (I07)."""
    signin.sign_out()
    return redirect(url_for("login.signed_out"), 303)


@blueprint.get("/signed-out")
def signed_out() -> str:
    """Said once it is done."""
    return page(
        "login/signed_out.html",
        ways=[("重新登录", url_for("login.start")), ("回到首页", url_for("web.home"))],
    )


def _password_page(name: str, form_class: type[Form], finder: Callable[[Any], candidates.Finder]) -> Any:
    asked = _pending()
    form: Any = form_class(request.form)
    status, headers = 200, {}
    if request.method == "POST" and _may_be_tried(name, form):
        try:
            return _enter(
                service.check_password(
                    db(), _tools(), finder(form), form.password.data, _browser(), now=now()
                )
            )
        except service.FirstUse as first:
            return redirect(_here("login.first_password", ticket=first.ticket), 303)
        except Exception as refused:  # noqa: BLE001 - unknown ones are raised again
            form.form_errors.append(_sentence(refused))
            if isinstance(refused, Throttled):
                status, headers = 429, {"Retry-After": str(math.ceil(refused.wait.total_seconds()))}
    elif request.method == "GET" and asked and asked.login_hint:
        form.account.data = asked.login_hint[:64]
    if asked:
        allow_form_to(asked.form_origins)
    shown = page(
        f"login/{name}.html",
        form=form,
        captcha=captcha.fresh(f"login-{name}"),
        tabs=_tabs(asked, f"login.{name}"),
        portal_name=_name(asked),
        links=[],
    )
    return shown, status, headers


def _may_be_tried(name: str, form: Any) -> bool:
    """Whether the form is complete and its captcha right; a captcha is spent with whatever it was sent."""
    captcha_id = request.form.get("captcha_id", "")
    problem = captcha.check(captcha_id, form.captcha.data, purpose=f"login-{name}")
    if "again" in request.form or not form.validate():
        return False
    if problem:
        form.captcha.errors = [problem]
    return problem is None


def _sentence(refused: Exception) -> str:
    if isinstance(refused, service.WrongPassword):
        return _WRONG
    if isinstance(refused, service.NotAllowedIn):
        return str(refused)
    if isinstance(refused, Throttled):
        minutes = max(1, math.ceil(refused.wait.total_seconds() / 60))
        return f"尝试次数过多，请过 {minutes} 分钟再试。曾经登录过的浏览器不受影响，账号没有被锁定"
    if isinstance(refused, candidates.PendingActivation):
        hotline = platform().settings.hotline
        return f"该企业账号待激活，激活后才能登录。请拨打服务热线 {hotline} 办理激活"
    raise refused


def _confirmed(form: Any) -> bool:
    if form.new_password.data == form.confirm_password.data:
        return True
    form.confirm_password.errors = ["两次填写的密码不一样"]
    return False


def _enter(welcome: service.Welcome) -> Response:
    """Open the sign-in, make the browser known, and go on where the journey began."""
    signin.start(welcome.identity, welcome.proof)
    signin.remember_account(welcome.browser_tag)
    return _continue(welcome.identity.role)


def _switch(mandate: Any, signed_in: SignedIn) -> Response:
    switched, proof = service.switch_to(mandate, signed_in)
    signin.start(switched, proof)
    event = Event(
        Action.IDENTITY_SWITCHED, entity=str(switched.enterprise_id), target=f"mandate:{mandate.id}"
    )
    platform().trail.record(db(), event, signin.origin(), now=now())
    return _continue(switched.role)


def _continue(role: Role) -> Response:
    transaction = request.args.get("tx")
    if transaction:
        return redirect(url_for("oauth.authorize", tx=transaction), 303)
    return redirect(url_for(_SESSIONS[role]), 303)


_SESSIONS = {
    Role.LEGAL_REPRESENTATIVE: "enterprise.sessions",
    Role.OPERATOR: "enterprise.operator_sessions",
    Role.NATURAL_PERSON: "person.sessions",
}


def _sessions_page(signed_in: SignedIn) -> str:
    return _SESSIONS[signed_in.identity.role]


def _pending() -> PendingRequest | None:
    """What the browser came for. A transaction that is gone stops here: nobody signs in for nothing."""
    transaction = request.args.get("tx")
    if transaction is None:
        return None
    found = pending.find(platform().store, transaction, browser=cookies.browser_id())
    if found is None:
        raise Stop(
            "登录没有完成",
            "这次登录已经完成、等待太久，或是在另一个浏览器里开始的。账号没有受到影响，请回到原来的网站重新登录。",
            ways=(("登录通行", url_for("login.start")), ("回到首页", url_for("web.home"))),
        )
    return found


def _wanted(asked: PendingRequest | None, signed_in: SignedIn) -> str:
    """As whom the portal wants somebody to come, beside who is signed in."""
    if asked is None or not asked.wants_entity:
        return "这里需要以个人身份登录，您目前代表的是企业。"
    if signed_in.identity.role is Role.NATURAL_PERSON:
        return "这里需要以法人或经办人身份登录，您目前是以个人身份登录的。"
    return "这里需要以另一家企业的身份登录，与您目前代表的企业不同。"


def _name(asked: PendingRequest | None) -> str:
    return asked.client_name if asked else ""


def _here(view: str, **more: Any) -> str:
    """The address of another step of the same journey."""
    transaction = request.args.get("tx")
    if transaction:
        more["tx"] = transaction
    return url_for(view, **more)


def _tabs(asked: PendingRequest | None, current: str) -> list[dict[str, Any]]:
    return [
        {"href": _here(view), "label": label, "current": view == current}
        for role, view, label in _TABS
        if asked is None or role in asked.answering_roles or view == current
    ]


def _tools() -> service.Tools:
    here = platform()
    return service.Tools(here.settings, here.store, here.vault, here.hasher, here.trail)


def _browser() -> service.Browser:
    known = cookies.known_browser()
    return service.Browser(cookies.browser_id(), known.id, known.tags, signin.origin(actor=""))
