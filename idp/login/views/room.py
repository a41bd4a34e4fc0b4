"""What the views of the room share: its tools, the browser, where one goes on, how a refusal is said."""

from __future__ import annotations

import math
from typing import Any

from flask import Blueprint, redirect, request, url_for
from werkzeug.wrappers import Response

from idp.accounts import obstacles
from idp.accounts.identity import Identity, Role
from idp.login import candidates, entry, journey, service
from idp.proof import sms_codes
from idp.proof.passkeys import PasskeyRefused
from idp.proof.second_factor import CodeRefused
from idp.proof.throttle import Throttled
from idp.web import captcha, cookies, signin, sms
from idp.web.errors import Way
from idp.web.platform import platform

blueprint = Blueprint("login", __name__)

# Deliberately vague: a stranger may not learn whether the account exists.
_WRONG = "账号或密码不正确，请核对后重新填写"


def tools() -> entry.Tools:
    """What the services of the room work with."""
    here = platform()
    return entry.Tools(here.settings, here.store, here.vault, here.hasher, here.trail, here.notifier)


def browser(only_same: Identity | None = None) -> entry.Browser:
    """The browser of this request; `only_same` is who alone may sign in in it now."""
    known = cookies.known_browser()
    return entry.Browser(cookies.browser_id(), known.id, known.tags, signin.origin(actor=""), only_same)


def enter(welcome: entry.Welcome) -> Response:
    """Open the sign-in, make the browser known, and go on where the journey began."""
    signin.start(welcome.identity, welcome.proof)
    signin.remember_account(welcome.browser_tag)
    return go_on(welcome.identity.role)


def go_on(role: Role) -> Response:
    """Back to the request or the page the browser came for, or to one's centre."""
    transaction = request.args.get("tx")
    if transaction:
        return redirect(url_for("oauth.authorize", tx=transaction), 303)
    return redirect(centre_of(role), 303)


def centre_of(role: Role) -> str:
    """Where a sign-in ends that no portal asked for."""
    return journey.back_to() or signin.home_of(role)


def sentence(refused: Exception) -> str:
    """What a person reads of a refusal; an exception that is none is raised again."""
    if isinstance(refused, service.WrongPassword):
        return _WRONG
    if isinstance(refused, entry.NotAllowedIn | CodeRefused | PasskeyRefused):
        return str(refused)
    if isinstance(refused, sms_codes.CodeRefused):
        return sms.refusal(refused)
    if isinstance(refused, Throttled):
        return _wait(refused)
    if isinstance(refused, candidates.PendingActivation):
        hotline = platform().settings.hotline
        help_too = f"。办理中有问题，请拨打服务热线 {hotline}" if hotline else ""
        by_link = "申诉刚通过的，用企业手机收到的短信里的链接设置密码"
        return f"该企业账号待激活，激活后才能登录；{by_link}{help_too}"
    raise refused


def remedies(refused: Exception | None, way: str) -> tuple[Way, ...]:
    """What opens an account that did not open to a proof by `way`, where its holder can see to it himself."""
    if isinstance(refused, candidates.PendingActivation):
        return (("去激活", journey.here("enterprise.activate")),)  # C01
    if isinstance(refused, entry.NotAllowedIn) and str(refused) == obstacles.LOCKED:
        return (("重置密码", journey.here(f"login.reset_{way}")),)
    return ()


def may_be_tried(purpose: str, form: Any) -> bool:
    """Whether the form is complete and its captcha right; a captcha is spent with whatever it was sent."""
    problem = captcha.check(request.form.get("captcha_id", ""), form.captcha.data or "", purpose=purpose)
    if "again" in request.form or not form.validate():
        return False
    if problem:
        form.captcha.errors = [problem]
    return problem is None


def second_step_sentence(refused: Exception) -> str:
    """The same at the second step of a sign-in, whose ticket may not last as long as one has to wait."""
    if not isinstance(refused, Throttled):
        return sentence(refused)
    return _wait(refused, lapses=refused.wait >= platform().settings.seconds("second_step_lifetime"))


def said_with(refused: Exception | None) -> tuple[int, dict[str, str]]:
    """Status and headers of a page that says a refusal."""
    if isinstance(refused, Throttled):
        return 429, {"Retry-After": str(math.ceil(refused.wait.total_seconds()))}
    return 200, {}


def _wait(refused: Throttled, *, lapses: bool = False) -> str:
    minutes = max(1, math.ceil(refused.wait.total_seconds() / 60))
    again = "重新登录再试" if lapses else "再试"
    spared = "曾经登录过的浏览器不受影响，" if refused.spares_known else ""
    return f"尝试次数过多，请过 {minutes} 分钟{again}。{spared}账号没有被锁定"
