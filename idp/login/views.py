"""The pages of the sign-in: parse, call one service function, answer."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from flask import Blueprint, abort, redirect, request, url_for
from werkzeug.wrappers import Response
from wtforms import Form

from idp.accounts.audit import Action, Event
from idp.accounts.identity import Identity, Role
from idp.accounts.passwords import PasswordRefused
from idp.accounts.sessions import SignedIn
from idp.login import candidates, forms, journey, service
from idp.proof.throttle import Throttled
from idp.web import captcha, cookies, shown, signin
from idp.web.errors import Stop
from idp.web.platform import db, now, platform
from idp.web.render import page
from idp.web.security import allow_form_to
from idp.web.signin import sign_in_required
from idp.web.words import company_facts, mandate_words, who

blueprint = Blueprint("login", __name__)

# Deliberately vague: a stranger may not learn whether the account exists.
_WRONG = "账号或密码不正确，请核对后重新填写"


@blueprint.get("/login")
def start() -> Response:
    """The first way that can answer; whoever is signed in already goes to his centre."""
    asked = journey.asked_for()
    signed_in = signin.current()
    if asked is None and signed_in is not None:
        return redirect(url_for(_sessions_page(signed_in)))
    offered = journey.ways(asked, journey.again(asked))
    if not offered:
        return redirect(journey.here("oauth.authorize"))
    view, _label = journey.PAGES[offered[0].name]
    return redirect(journey.here(view))


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


@blueprint.route("/login/passkey", methods=["GET", "POST"])
def passkey() -> Any:
    """By a passkey alone."""
    abort(404)


@blueprint.route("/login/second", methods=["GET", "POST"])
def second() -> Any:
    """The second step."""
    abort(404)


@blueprint.route("/login/first-password", methods=["GET", "POST"])
def first_password() -> Any:
    """The first use of a mandate's password: a new one that only the operator knows."""
    asked, ticket = journey.asked_for(), request.args.get("ticket", "")
    form = forms.FirstPasswordForm(request.form)
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
        ways = (("重新登录", journey.here("login.operator")),)
        raise Stop(
            "这一步已经失效", "设置密码的时间已过，或已经在别处完成。请用经办人密码重新登录。", ways=ways
        ) from None
    except service.NotAllowedIn as refused:
        raise Stop(
            "现在不能登录", str(refused), status=403, ways=(("重新登录", journey.here("login.operator")),)
        ) from None
    facts = company_facts(db(), platform().vault, candidate.identity)
    return page(
        "login/new_password.html",
        form=form,
        who=facts,
        portal_name=journey.portal_name(asked),
        ways=[("返回登录", journey.here("login.operator"))],
    )


@blueprint.route("/login/company", methods=["GET", "POST"])
@sign_in_required
def company() -> Any:
    """A person signed in as himself chooses the company he acts for."""
    asked, signed_in = journey.asked_for(), signin.required()
    mandates = service.mandates_to_choose(db(), signed_in, now=now())
    if asked and asked.entity:
        mandates = [mandate for mandate in mandates if mandate.enterprise.uscc == asked.entity]
    if not mandates:
        raise Stop(
            "没有可以代表的企业",
            "您目前没有任何企业的有效授权，不能代表企业登录。请联系企业的法定代表人添加，或换一个账号登录。",
            status=403,
            ways=(
                ("换一个账号登录", journey.here("login.identity")),
                ("回到个人中心", url_for("person.centre")),
            ),
        )
    transaction = request.args.get("tx", "")
    changed = shown.changed_since(transaction)
    if asked and len(mandates) == 1 and not changed:
        return _switch(mandates[0], signed_in)
    form = forms.CompanyForm([str(mandate.id) for mandate in mandates], request.form)
    if request.method == "POST" and not changed and form.validate():
        chosen = next(mandate for mandate in mandates if str(mandate.id) == form.enterprise.data)
        return _switch(chosen, signed_in)
    if asked:
        allow_form_to(asked.form_origins)
    return page(
        "login/company.html",
        form=form,
        who=who(signed_in, platform().vault),
        companies=[mandate_words(mandate) for mandate in mandates],
        changed=changed,
        hidden=[shown.field(transaction)],
        portal_name=journey.portal_name(asked),
        ways=[("换一个账号登录", journey.here("login.identity"))],
    )


@blueprint.route("/login/identity", methods=["GET", "POST"])
@sign_in_required
def identity() -> Any:
    """Signed in as a kind of identity the portal does not take: told so, and changed only when asked."""
    asked, signed_in = journey.asked_for(), signin.required()
    transaction = request.args.get("tx", "")
    changed = shown.changed_since(transaction)
    if request.method == "POST" and not changed:
        signin.sign_out()
        return redirect(journey.here("login.start"), 303)
    repeated = journey.again(asked)
    only_same = repeated.only_same if repeated else None
    keep = ("保留目前的登录", url_for(_sessions_page(signed_in)))
    if only_same:
        keep = ("用目前的账号重新登录", journey.here("login.start"))
    return page(
        "login/other_identity.html",
        who=who(signed_in, platform().vault),
        wanted=journey.wanted(asked, repeated, signed_in),
        same_again=only_same is not None,
        changed=changed,
        hidden=[shown.field(transaction)],
        portal_name=journey.portal_name(asked),
        ways=[keep],
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
    asked = journey.asked_for()
    repeated = journey.again(asked)
    only_same, explained = repeated.only_same if repeated else None, journey.explained(repeated)
    form: Any = form_class(request.form)
    status, headers = 200, {}
    if request.method == "POST" and _may_be_tried(name, form):
        try:
            return _enter(
                service.check_password(
                    db(), _tools(), finder(form), form.password.data, _browser(only_same), now=now()
                )
            )
        except service.AnotherIdentity:
            return redirect(journey.here("login.identity"), 303)
        except service.FirstUse as first:
            return redirect(journey.here("login.first_password", ticket=first.ticket), 303)
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
        tabs=journey.tabs(asked, repeated, f"login.{name}"),
        again=explained,
        portal_name=journey.portal_name(asked),
        links=[("换一个账号登录", journey.here("login.identity"))] if only_same else [],
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


def _tools() -> service.Tools:
    here = platform()
    return service.Tools(here.settings, here.store, here.vault, here.hasher, here.trail)


def _browser(only_same: Identity | None = None) -> service.Browser:
    known = cookies.known_browser()
    return service.Browser(cookies.browser_id(), known.id, known.tags, signin.origin(actor=""), only_same)
