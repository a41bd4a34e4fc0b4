"""A phone's code as pages use it: 获取验证码, the six digits, and what has become of the message (section Y).

A view declares the code of its page, lets it answer the button, and checks what was typed::

    code = PhoneCode(Purpose.RESET, phone, account=key, journey=journey.id, captcha="reset", first_free=True)
    if code.is_asked_for():
        return code.answer(form, lambda: _page(form, code))
    if form.validate() and not (problem := code.problem(form.code.data)): …

The button works without a script: the whole form is sent, and the page comes back with what was typed. With
``sms.js`` the page stays, and is told in JSON. 换一张 of the captcha asks in the same way.

Whoever is not signed in solves a captcha for every message; `first_free` where the step before was opened by
one already. Where a stranger may not learn whether the phone is the right one, `only_if` says whether it is:
nothing leaves otherwise, and the page says the same.

=====================  ==========================================================================
/sms/<ref>             what has become of a message, for the page that asked for it: JSON
=====================  ==========================================================================
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, jsonify, request, url_for
from wtforms import Form, StringField
from wtforms.validators import InputRequired, Length

from idp.accounts.identifiers import mask_phone
from idp.crypto import new_token, plain
from idp.proof import sms_bounds, sms_codes
from idp.proof.sms_bounds import Limit, SmsLimited, Tools
from idp.proof.sms_codes import CodeRefused, Fate, Purpose, Wanted, Why
from idp.web import captcha, cookies
from idp.web.platform import db, now, platform, settings
from idp.web.security import allow_scripts

blueprint = Blueprint("sms", __name__, url_prefix="/sms")

BUTTON = "send"
"""The name of the button 获取验证码."""
OTHER = "other"
"""The value of the same button where one phone was proved already: 验证其他号码."""
_ANOTHER_PICTURE = "again"
_REF = "sms_ref"
_FATES = {
    Fate.QUEUED: "短信正在发送",
    Fate.SENT: "短信已发出，一般在一分钟内收到",
    Fate.ARRIVED: "短信已送达",
    Fate.FAILED: "短信没有发出，不计入发送次数。请稍后重新获取，或者核对手机号码",
    Fate.LOST: "短信没有送达。请确认手机没有关机、停机或拦截短信，再重新获取",
    Fate.UNSURE: "短信可能已经发出，收到后可以照常填写。没有收到的话，请重新获取",
}
_LIMITS = {
    Limit.GAP: "请 {seconds} 秒后再获取验证码",
    Limit.PHONE: "这个手机号今天获取验证码的次数已用完，请明天再试",
    Limit.ADDRESS: "您所在的网络获取验证码太频繁，请过 {minutes} 分钟再试",
    Limit.ALL: "现在获取验证码的人较多，请过 {minutes} 分钟再试",
}
_REFUSALS = {
    Why.WRONG: "短信验证码不正确，还可以再试 {left} 次",
    Why.EXPIRED: "短信验证码已过期或已使用，请重新获取",
    Why.SPENT: "短信验证码已过期或已使用，请重新获取",
    Why.TOO_MANY_TRIES: "短信验证码错误次数过多，请重新获取",
}


@dataclass(frozen=True, slots=True)
class ShownCode:
    """What the macro of `theme/sms.html` needs. `captcha` is None where the next message needs none."""

    masked: str
    captcha: captcha.ShownCaptcha | None
    may_need_captcha: bool
    ref: str
    fate: str
    sentence: str
    wait: int
    minutes: int


class CodeForm(Form):
    """What a page asks that wants a code and nothing else; the captcha only from the second message on."""

    captcha = StringField()
    code = StringField(
        validators=[InputRequired("请填写短信验证码"), Length(max=40, message="短信验证码是 6 位数字")]
    )


class PhoneCode:
    """The code of one page. `phone` is empty where the form has yet to say it."""

    def __init__(
        self,
        purpose: Purpose,
        phone: str,
        *,
        account: str = "",
        journey: str,
        captcha: str = "",
        first_free: bool = False,
        only_if: bool | None = None,
    ) -> None:
        self._wanted = Wanted(purpose, phone, account, cookies.browser_id(), journey)
        self._captcha = captcha
        self._grant = f"sms-free:{purpose}:{journey}" if first_free else ""
        self._ref = request.form.get(_REF, "")[:64]
        self._said = ""
        self._is_discreet, self._is_heard = only_if is not None, only_if is not False
        self.was_guessed = self.was_spent = False

    @property
    def was_sent(self) -> bool:
        """Whether this request has sent one, as far as its page tells."""
        return bool(self._said)

    def is_asked_for(self) -> bool:
        """Whether 获取验证码 was pressed, or 换一张."""
        return request.method == "POST" and (BUTTON in request.form or _ANOTHER_PICTURE in request.form)

    def answer(self, form: Form, shown: Callable[[], Any]) -> Any:
        """Send a code, if that was asked for, and answer: JSON for the script, else the page `shown` makes.

        A problem stands at its field of `form`: `captcha`, `phone` or `code`.
        """
        field, sentence, wait = self._press(form) if BUTTON in request.form else ("", "", 0)
        # Both kinds of answer stand beside each other in a cache only if it is told.
        if request.accept_mimetypes.best == "application/json":
            return self._told(field, sentence, wait)
        if sentence:
            entry = form[field] if field in form else form["code"]
            entry.errors = [sentence]
        return shown()

    def problem(self, supplied: str | None) -> str | None:
        """None if `supplied` is the code, which is then spent; else the sentence to show at its field.

        What is no code at all costs no try; `was_guessed` says afterwards whether it was a wrong one, and
        `was_spent` whether it is the right one, which another request of this very journey spent just now.
        """
        typed = "".join(plain((supplied or "")[:40]).split())
        if not typed:
            return "请填写短信验证码"
        if len(typed) != sms_codes.LENGTH:
            return f"短信验证码是 {sms_codes.LENGTH} 位数字"
        try:
            sms_codes.check(platform().store, self._wanted, typed, now=now())
        except CodeRefused as refused:
            self.was_spent = refused.why is Why.SPENT
            self.was_guessed = not self.was_spent and refused.why is not Why.EXPIRED
            return refusal(refused)
        return None

    def shown(self) -> ShownCode:
        """What the page says of it; its script may ask for more."""
        allow_scripts(asking=True)
        phone = self._wanted.phone
        if phone:
            # A form beside this one does not say which message was sent, nor does a page that is loaded anew.
            self._ref = sms_codes.last_sent(platform().store, self._wanted) or self._ref
        if self._ref and self._is_discreet:
            self._ref = new_token(16)
        found = self._fate()
        is_sent = bool(found or (self._is_discreet and self._ref))
        return ShownCode(
            masked=mask_phone(phone) if phone else "",
            captcha=captcha.fresh(self._captcha) if self._needs_captcha() else None,
            may_need_captcha=bool(self._captcha),
            ref=self._ref if is_sent else "",
            fate=found.value if found else "",
            sentence=self._said or (_FATES[found] if found else ""),
            # Only whoever asked here is told how long the phone has to wait.
            wait=self._wait() if phone and (is_sent or self._said) else 0,
            minutes=settings().sms_code_lifetime // 60,
        )

    def _press(self, form: Form) -> tuple[str, str, int]:
        """Which field has a problem, the problem in words, how long to wait; no words if a code was sent."""
        if not self._wanted.phone:
            return "phone", "请填写 11 位手机号码", 0
        if not self._is_free():
            typed = form["captcha"].data if "captcha" in form else ""
            spent = captcha.check(request.form.get("captcha_id", ""), typed or "", purpose=self._captcha)
            if spent:
                return "captcha", spent, 0
        try:
            ref = sms_codes.send(
                db(),
                _tools(),
                self._wanted,
                address=request.remote_addr or "",
                now=now(),
                heard=self._is_heard,
            )
        except SmsLimited as limited:
            seconds = math.ceil(limited.wait.total_seconds())
            words = _LIMITS[limited.limit].format(seconds=seconds, minutes=math.ceil(seconds / 60))
            return "code", words, seconds if limited.limit is Limit.GAP else 0
        # A reference that nobody knows: what has become of the message would tell whether there is one.
        self._ref = new_token(16) if self._is_discreet else ref
        self._said = _sending(mask_phone(self._wanted.phone), is_discreet=self._is_discreet)
        return "", "", settings().sms_resend

    def _told(self, field: str, sentence: str, wait: int) -> Any:
        fresh = captcha.fresh(self._captcha) if self._needs_captcha() else None
        told = {
            "sent": bool(self._said),
            "field": field,
            "sentence": sentence or self._said,
            "wait": wait,
            "ref": self._ref if self._said else "",
            "state": url_for("sms.state", ref=self._ref) if self._said else "",
            "captcha": {"id": fresh.id, "image": fresh.image_url, "audio": fresh.audio_url}
            if fresh
            else None,
        }
        return jsonify(told), 200, {"Vary": "Accept"}

    def _needs_captcha(self) -> bool:
        """Whether the next message wants one."""
        if not self._captcha:
            return False
        return not self._grant or platform().store.get(self._grant) is not None

    def _is_free(self) -> bool:
        """Whether this message wants none: spent by whoever comes first."""
        if not self._captcha:
            return True
        lifetime = settings().journey_lifetime
        return bool(self._grant) and platform().store.put_if_absent(self._grant, b"1", ttl=lifetime)

    def _fate(self) -> Fate | None:
        if not self._ref or self._said:
            return Fate.QUEUED if self._said else None
        return sms_codes.fate(db(), platform().store, self._ref, browser=self._wanted.browser, now=now())

    def _wait(self) -> int:
        here = platform()
        return sms_bounds.seconds_until_next(here.store, here.vault, self._wanted.phone)


def _sending(phone: str, *, is_discreet: bool) -> str:
    if is_discreet:
        return f"填写的信息都正确的话，验证码已发往 {phone}"
    return f"验证码正在发送到 {phone}"


def refusal(refused: CodeRefused) -> str:
    """The sentence for a code that opens nothing."""
    return _REFUSALS[refused.why].format(left=refused.left)


@blueprint.get("/<ref>")
def state(ref: str) -> Any:
    """What has become of a message of this browser's."""
    found = sms_codes.fate(db(), platform().store, ref, browser=cookies.browser_id(), now=now())
    if found is None:
        return jsonify(state="unknown", sentence=""), 404
    return jsonify(state=found.value, sentence=_FATES[found])


def _tools() -> Tools:
    here = platform()
    return Tools(here.store, here.vault, here.settings)
