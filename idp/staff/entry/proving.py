"""The page where staff prove themselves by what they have: a code, or a passkey.

The second step of a sign-in, and the same again before one's own account is changed.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from flask import request

from idp.accounts import factors
from idp.accounts.factors import Kind
from idp.accounts.staff import StaffMember
from idp.proof.passkeys import Asked, Ceremony
from idp.proof.throttle import Throttled
from idp.staff.entry import forms, service
from idp.web import cookies, staff
from idp.web.platform import db, platform
from idp.web.security import allow_scripts


@dataclass(frozen=True, slots=True)
class Shown:
    """What the templates of `theme/proof.html` need to ask for what the account has, and the status."""

    form: Any
    has_app: bool = False
    asked: Asked | None = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


def tools() -> service.Tools:
    """What signing in at the console works with."""
    here = platform()
    return service.Tools(here.settings, here.store, here.vault, here.hasher, here.trail)


def browser() -> service.Browser:
    """This browser, as nobody yet."""
    known = cookies.known_browser()
    return service.Browser(cookies.browser_id(), staff.origin(), known.id, known.tags)


def handle(member: StaffMember, act: Callable[[service.Answer], Any]) -> tuple[Any, Shown]:
    """Let `act` judge what was sent; its answer, or None and what to show (again)."""
    form: Any = forms.CodeForm(request.form)
    status, headers = 200, {}
    if request.method == "POST":
        try:
            answer = _answer(form)
            if answer is not None:
                return act(answer), Shown(form)
        except service.SecondRefused as refused:
            form.form_errors.append(str(refused))
        except Throttled as slowed:
            form.form_errors.append(waiting(slowed))
            status, headers = 429, {"Retry-After": str(math.ceil(slowed.wait.total_seconds()))}
    return None, _shown(member, form, status, headers)


def waiting(slowed: Throttled) -> str:
    """The sentence for somebody who must wait."""
    minutes = max(1, math.ceil(slowed.wait.total_seconds() / 60))
    return f"尝试次数过多，请过 {minutes} 分钟再试。账号没有被锁定"


def _answer(form: Any) -> service.Answer | None:
    """What was sent; None where a field must be mended first."""
    if "answer" not in request.form:
        return service.Answer(code=form.code.data) if form.validate() else None
    sent: Any = forms.PasskeyForm(request.form)
    if not sent.answer.data or not sent.validate():
        form.form_errors.append("没有收到通行密钥的回答，请再试一次")
        return None
    return service.Answer(challenge_id=sent.challenge_id.data, passkey=sent.answer.data)


def _shown(member: StaffMember, form: Any, status: int, headers: dict[str, str]) -> Shown:
    held, here = factors.kinds_of(db(), member.key), platform()
    ceremony = Ceremony(here.store, here.settings, here.vault, cookies.browser_id())
    asked = None
    if Kind.PASSKEY in held and ceremony.possible:
        allow_scripts()
        asked = ceremony.ask_to_prove(member.key, factors.passkeys_of(db(), member.key))
    return Shown(form, has_app=Kind.TOTP in held, asked=asked, status=status, headers=headers)
