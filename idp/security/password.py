"""修改密码: the old password, the new one twice, and the sign-in goes on under a new cookie (F11, H04)."""

from __future__ import annotations

import math
from typing import Any

from flask import request

from idp.access import assurance
from idp.accounts.passwords import PasswordRefused
from idp.proof.throttle import Throttled
from idp.security import password_change, room, service
from idp.security.forms import PasswordForm
from idp.security.password_change import Asked, WrongPassword
from idp.web import cookies, signin
from idp.web.platform import db, now, platform


@room.own_account_only
@room.fresh_factor_required
def password() -> Any:
    """Another password for the account that opened this sign-in."""
    form, refusal = PasswordForm(request.form), None
    if room.sent() and form.validate():
        try:
            return _changed(form)
        except WrongPassword:
            form.old_password.errors = ["旧密码不正确，请重新填写"]
        except PasswordRefused as refused:
            form.new_password.errors = [str(refused)]
        except Throttled as throttled:
            form.form_errors.append(_wait(throttled))
            refusal = throttled
    answer = room.show("password", form=form, username=service.username(db(), room.visit().signed_in))
    if refusal is None:
        return answer
    return answer, 429, {"Retry-After": str(math.ceil(refusal.wait.total_seconds()))}


def _changed(form: PasswordForm) -> Any:
    """Set it; this browser stays signed in and known. Raises as :func:`password_change.change`, and Stop."""
    asked = Asked(
        form.old_password.data or "",
        form.new_password.data or "",
        signin.required().session.id,
        cookies.known_browser().tags,
    )
    tag = password_change.change(db(), room.tools(), platform().hasher, room.owner(), asked, now=now())
    answer = room.changed("overview", done="password-changed")
    # Whoever had copied the cookie has nothing of the new one; the proof was given in this very request.
    signin.raise_to(amr=("pwd",), acr=assurance.PASSWORD)
    signin.remember_account(tag)
    return answer


def _wait(throttled: Throttled) -> str:
    minutes = max(1, math.ceil(throttled.wait.total_seconds() / 60))
    return f"旧密码尝试次数过多，请过 {minutes} 分钟再试。密码没有修改，账号没有被锁定"
