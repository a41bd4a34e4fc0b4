"""Whom one signs in as: the company one acts for, another identity, and the way out."""

from __future__ import annotations

from typing import Any

from flask import redirect, request, url_for
from werkzeug.wrappers import Response

from idp.accounts.audit import Action, Event
from idp.accounts.sessions import SignedIn
from idp.login import forms, journey, service
from idp.login.views import room
from idp.login.views.room import blueprint
from idp.web import shown, signin
from idp.web.errors import Stop
from idp.web.platform import db, now, platform
from idp.web.render import page
from idp.web.signin import sign_in_required
from idp.web.words import mandate_words, who


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
    return page(
        "login/company.html",
        form=form,
        who=who(signed_in, platform().vault),
        companies=[mandate_words(mandate) for mandate in mandates],
        changed=changed,
        hidden=[shown.field(transaction)],
        **journey.frame(asked),
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
    keep = ("保留目前的登录", room.centre_of(signed_in.identity.role))
    if only_same:
        keep = ("用目前的账号重新登录", journey.here("login.start"))
    return page(
        "login/other_identity.html",
        who=who(signed_in, platform().vault),
        wanted=journey.wanted(asked, repeated, signed_in),
        same_again=only_same is not None,
        changed=changed,
        hidden=[shown.field(transaction)],
        **journey.frame(asked),
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


def _switch(mandate: Any, signed_in: SignedIn) -> Response:
    switched, proof = service.switch_to(db(), mandate, signed_in)
    signin.start(switched, proof)
    event = Event(
        Action.IDENTITY_SWITCHED, entity=str(switched.enterprise_id), target=f"mandate:{mandate.id}"
    )
    platform().trail.record(db(), event, signin.origin(), now=now())
    return room.go_on(switched.role)
