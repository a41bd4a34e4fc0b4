"""法人登录, 经办人登录, 个人登录, and the first use of a mandate's password."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import redirect, request
from werkzeug.wrappers import Response
from wtforms import Form

from idp.access.pending import PendingRequest
from idp.accounts.passwords import PasswordRefused
from idp.login import candidates, entry, first_use, forms, journey, service
from idp.login.again import Again
from idp.login.second import SecondStep
from idp.login.views import factors, room
from idp.login.views.room import blueprint
from idp.web import captcha, signin
from idp.web.errors import Stop
from idp.web.platform import db, now, platform
from idp.web.render import page
from idp.web.words import company_facts


@blueprint.get("/login")
def start() -> Response:
    """The first way that can answer; whoever is signed in already goes to his centre."""
    asked = journey.asked_for()
    signed_in = signin.current()
    if asked is None and signed_in is not None:
        return redirect(room.centre_of(signed_in.identity.role))
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


@blueprint.route("/login/first-password", methods=["GET", "POST"])
def first_password() -> Any:
    """The first use of a mandate's password: a new one that only the operator knows."""
    asked, ticket = journey.asked_for(), request.args.get("ticket", "")
    form = forms.FirstPasswordForm(request.form)
    again = ("重新登录", journey.here("login.operator"))
    try:
        candidate = first_use.find(db(), room.tools(), ticket, room.browser(), now=now())
        if request.method == "POST" and form.validate() and _confirmed(form):
            try:
                return room.enter(
                    first_use.choose_password(
                        db(),
                        room.tools(),
                        ticket,
                        form.new_password.data or "",
                        room.browser(),
                        now=now(),
                    )
                )
            except PasswordRefused as refused:
                form.new_password.errors = [str(refused)]
            except SecondStep as second:
                return redirect(journey.here("login.second", ticket=second.ticket), 303)
    except entry.TicketGone:
        raise Stop(
            "这一步已经失效",
            "设置密码的时间已过，或已经在别处完成。请用经办人密码重新登录。",
            ways=(again,),
        ) from None
    except entry.NotAllowedIn as refused:
        raise Stop("现在不能登录", str(refused), status=403, ways=(again,)) from None
    return page(
        "login/new_password.html",
        form=form,
        who=company_facts(db(), platform().vault, candidate.identity),
        **journey.frame(asked),
        ways=[("返回登录", journey.here("login.operator"))],
    )


def _password_page(name: str, form_class: type[Form], finder: Callable[[Any], candidates.Finder]) -> Any:
    asked = journey.asked_for()
    repeated = journey.again(asked)
    only_same = repeated.only_same if repeated else None
    form: Any = form_class(request.form)
    refusal: Exception | None = None
    if request.method == "POST" and _may_be_tried(name, form):
        try:
            return room.enter(
                service.check_password(
                    db(), room.tools(), finder(form), form.password.data, room.browser(only_same), now=now()
                )
            )
        except entry.AnotherIdentity:
            return redirect(journey.here("login.identity"), 303)
        except first_use.FirstUse as first:
            return redirect(journey.here("login.first_password", ticket=first.ticket), 303)
        except SecondStep as second:
            return redirect(journey.here("login.second", ticket=second.ticket), 303)
        except Exception as refused:  # noqa: BLE001 - unknown ones are raised again
            form.form_errors.append(room.sentence(refused))
            refusal = refused
    elif request.method == "GET" and asked and asked.login_hint:
        form.account.data = asked.login_hint[:64]
    shown = page(
        f"login/{name}.html",
        form=form,
        captcha=captcha.fresh(f"login-{name}"),
        halves=journey.switch(asked, repeated),
        tabs=journey.tabs(asked, repeated, f"login.{name}"),
        again=journey.explained(repeated),
        ended=request.method == "GET" and signin.has_ended(),
        passkey=journey.here("login.passkey") if factors.offered(asked, repeated) else "",
        face=journey.here("login.face") if _leads_to_face(name, asked, repeated) else "",
        links=[("换一个账号登录", journey.here("login.identity"))] if only_same else [],
        **journey.frame(asked),
    )
    return shown, *room.said_with(refusal)


def _leads_to_face(name: str, asked: PendingRequest | None, repeated: Again | None) -> bool:
    """Whether the page offers 刷脸登录: for oneself alone, as a face is nobody's company."""
    return name == "person" and journey.offers("face", asked, repeated)


def _may_be_tried(name: str, form: Any) -> bool:
    """Whether the form is complete and its captcha right; a captcha is spent with whatever it was sent."""
    captcha_id = request.form.get("captcha_id", "")
    problem = captcha.check(captcha_id, form.captcha.data, purpose=f"login-{name}")
    if "again" in request.form or not form.validate():
        return False
    if problem:
        form.captcha.errors = [problem]
    return problem is None


def _confirmed(form: Any) -> bool:
    if form.new_password.data == form.confirm_password.data:
        return True
    form.confirm_password.errors = ["两次填写的密码不一样"]
    return False
