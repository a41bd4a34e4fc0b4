"""请再次确认是您本人: a proof asked for before one's security is changed."""

from __future__ import annotations

from typing import Any

from flask import redirect, request

from idp.accounts.sessions import SignedIn
from idp.login import confirm, forms, journey, service
from idp.login.confirm import Confirmed
from idp.login.views import factors, room
from idp.login.views.room import blueprint
from idp.web import shown, signin
from idp.web.platform import db, now, platform
from idp.web.render import page
from idp.web.signin import sign_in_required
from idp.web.words import who


@blueprint.route("/login/confirm", methods=["GET", "POST"], endpoint="confirm")
@sign_in_required
def confirmed() -> Any:
    """By a second factor where the account has one, else by its password; then on to `next`."""
    signed_in = signin.required()
    asking = factors.Asking(signed_in.session.account_key, str(signed_in.session.id))
    form: Any = asking.form if asking.has_factor else forms.PasswordForm(request.form)
    changed, refusal = shown.changed_since(), None

    def shown_page() -> str:
        return page(
            "login/confirm.html",
            form=form,
            ways=asking.words() if asking.has_factor else None,
            who=who(signed_in, platform().vault),
            changed=changed,
            hidden=[shown.field()],
            links=[("返回", signin.home_of(signed_in.identity.role))],
        )

    if asking.sends() and not changed:
        return asking.sent(shown_page)
    leads_to = room.centre_of(signed_in.identity.role)
    if request.method == "POST" and not changed:
        try:
            proved = _prove(form, asking, signed_in)
            if proved and signin.raise_to(amr=proved.amr, acr=proved.acr, renews=proved.renews):
                return redirect(leads_to, 303)
            if proved:
                return redirect(journey.here("login.start"), 303)
        except Exception as refused:  # noqa: BLE001 - unknown ones are raised again
            form.form_errors.append(_sentence(refused))
            refusal = refused
    return shown_page(), *room.said_with(refusal)


def _prove(form: Any, asking: factors.Asking, signed_in: SignedIn) -> Confirmed | None:
    """By what he proved himself; None if the form is not complete."""
    if isinstance(form, forms.PasswordForm):
        if not form.validate():
            return None
        password = form.password.data or ""
        return confirm.by_password(db(), room.tools(), signed_in, password, room.browser(), now=now())
    given = asking.given()
    if given is None:
        return None
    return confirm.by_factor(db(), room.tools(), signed_in, given, room.browser(), now=now())


def _sentence(refused: Exception) -> str:
    if isinstance(refused, service.WrongPassword):
        return "密码不正确，请核对后重新填写"
    return room.sentence(refused)
