"""通行密钥登录."""

from __future__ import annotations

from typing import Any

from flask import redirect, request

from idp.login import entry, forms, journey, passkey
from idp.login.views import factors, room
from idp.login.views.room import blueprint
from idp.web import signin
from idp.web.errors import Stop
from idp.web.platform import db, now
from idp.web.render import page


@blueprint.route("/login/passkey", methods=["GET", "POST"], endpoint="passkey")
def by_passkey() -> Any:
    """A passkey alone, which says itself whose it is."""
    asked = journey.asked_for()
    repeated = journey.again(asked)
    only_same = repeated.only_same if repeated else None
    if not factors.possible():
        raise Stop(
            "这里不能用通行密钥登录",
            "这个地址不支持通行密钥，账号没有受到影响。请用密码登录。",
            status=404,
            ways=(("用密码登录", journey.here("login.start")),),
        )
    if not factors.offered(asked, repeated):
        return redirect(journey.here("login.start"))
    form, refusal = forms.PasskeyForm(request.form), None
    if request.method == "POST":
        try:
            return room.enter(
                passkey.sign_in(db(), room.tools(), factors.answered(), room.browser(only_same), now=now())
            )
        except entry.AnotherIdentity:
            return redirect(journey.here("login.identity"), 303)
        except Exception as refused:  # noqa: BLE001 - unknown ones are raised again
            form.form_errors.append(room.sentence(refused))
            refusal = refused
    others = journey.tabs(asked, repeated, "login.passkey")
    shown = page(
        "login/passkey.html",
        form=form,
        asked=factors.ask_anybody(),
        again=journey.explained(repeated),
        ended=request.method == "GET" and signin.has_ended(),
        **journey.frame(asked),
        links=[(other["label"], other["href"]) for other in others]
        + ([("换一个账号登录", journey.here("login.identity"))] if only_same else []),
    )
    return shown, *room.said_with(refusal)
