"""法人登录, 经办人登录, 个人登录."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import redirect, request
from werkzeug.wrappers import Response
from wtforms import Form

from idp.access.pending import PendingRequest
from idp.login import candidates, entry, first_use, forms, journey, service
from idp.login.again import Again
from idp.login.second import SecondStep
from idp.login.views import factors, room
from idp.login.views.room import blueprint
from idp.web import captcha, signin, ways
from idp.web.platform import db, now, settings
from idp.web.render import page


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


def _password_page(name: str, form_class: type[Form], finder: Callable[[Any], candidates.Finder]) -> Any:
    asked = journey.asked_for()
    repeated = journey.again(asked)
    only_same = repeated.only_same if repeated else None
    form: Any = form_class(request.form)
    refusal: Exception | None = None
    if request.method == "POST" and room.may_be_tried(f"login-{name}", form):
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
        forgotten=journey.here(f"login.reset_{name}"),
        remedies=room.remedies(refusal, name),
        links=_services(name, only_same=only_same is not None),
        **journey.frame(asked),
    )
    return shown, *room.said_with(refusal)


def _services(name: str, *, only_same: bool) -> list[tuple[str, str]]:
    """Where somebody goes on who has no account that opens (A07), or signs in as another one."""
    if only_same:
        return [("换一个账号登录", journey.here("login.identity"))]
    offered = []
    if name == "legal":
        offered = [
            ("账号激活", journey.here("enterprise.activate")),
            ("账号申诉", journey.here("appeal.choice")),
        ]
    if ways.registration_offered(settings()):
        offered.append(("没有账号？立即注册", journey.here("person.register_choice")))
    return offered


def _leads_to_face(name: str, asked: PendingRequest | None, repeated: Again | None) -> bool:
    """Whether the page offers 刷脸登录: for oneself alone, as a face is nobody's company."""
    return name == "person" and journey.offers("face", asked, repeated)
