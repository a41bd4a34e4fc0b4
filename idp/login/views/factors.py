"""What a page needs to ask for a second factor, and what it sent back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import request
from wtforms import Form

from idp.access.pending import PendingRequest
from idp.accounts import factors
from idp.accounts.factors import Kind
from idp.login import factor_proof, forms, journey
from idp.login.again import Again
from idp.login.factor_proof import Given
from idp.login.views import room
from idp.proof.passkeys import Asked
from idp.proof.sms_codes import Purpose
from idp.web.platform import db
from idp.web.security import allow_scripts
from idp.web.sms import PhoneCode


def possible() -> bool:
    """Whether this installation's address can have passkeys."""
    return factor_proof.ceremony(room.tools(), room.browser()).possible


def offered(asked: PendingRequest | None, repeated: Again | None) -> bool:
    """Whether a passkey may begin the sign-in the browser came for."""
    return possible() and journey.offers("passkey", asked, repeated)


def ask_anybody() -> Asked:
    """A challenge for whoever has a passkey here."""
    allow_scripts()
    return factor_proof.ceremony(room.tools(), room.browser()).ask_to_prove()


class Asking:
    """One page that asks the account with a key to prove itself by what it has.

    `step` is what a code sent to its phone is bound to: a ticket, or the id of the sign-in; `raising` as for
    :func:`idp.login.factor_proof.phone_for_codes`.
    """

    def __init__(self, account: str, step: str, *, raising: bool = False) -> None:
        self._account, self._step = account, step
        self._kinds = factors.kinds_of(db(), account)
        has_app = Kind.TOTP in self._kinds
        self._code_form = (forms.CodeForm if has_app else forms.RecoveryCodeForm)(request.form)
        self._phone_form = forms.PhoneCodeForm(request.form)
        phone = factor_proof.phone_for_codes(db(), room.tools(), account, self._kinds, raising=raising)
        self._phone = _code_of(phone, account, step) if phone else None

    @property
    def has_factor(self) -> bool:
        """Whether the account has a factor of its own."""
        return bool(self._kinds)

    @property
    def form(self) -> Form:
        """The form that was sent, for what is said of it."""
        return self._phone_form if self._by_phone() else self._code_form

    def sends(self) -> bool:
        """Whether 获取验证码 was pressed, or 换一张 of its captcha."""
        return self._phone is not None and self._phone.is_asked_for()

    def sent(self, shown: Callable[[], Any]) -> Any:
        """The answer to that: JSON for the script, else the page `shown` makes."""
        return self._phone.answer(self._phone_form, shown) if self._phone else shown()

    def given(self) -> Given | None:
        """What was sent to prove a factor; None if nothing was, or what was sent cannot be a code."""
        if request.method != "POST":
            return None
        if "answer" in request.form:
            return answered()
        if not self.form.validate():
            return None
        typed = self.form["code"].data or ""
        return Given(sms=typed, step=self._step) if self._by_phone() else Given(code=typed)

    def words(self) -> dict[str, Any]:
        """What the templates of `theme/proof.html` need to ask for what the account has."""
        asked, ceremony = None, factor_proof.ceremony(room.tools(), room.browser())
        if Kind.PASSKEY in self._kinds and ceremony.possible:
            asked = ceremony.ask_to_prove(self._account, factors.passkeys_of(db(), self._account))
            allow_scripts()
        return {
            "form": self._code_form,
            "has_app": Kind.TOTP in self._kinds,
            "asked": asked,
            "sms": self._phone.shown() if self._phone else None,
            "sms_form": self._phone_form,
            "has_codes": self.has_factor,
        }

    def _by_phone(self) -> bool:
        return self._phone is not None and ("sms_code" in request.form or self.sends())


def _code_of(phone: str, account: str, step: str) -> PhoneCode:
    # The first message is free: a captcha stood before the password.
    return PhoneCode(
        Purpose.SECOND_STEP, phone, account=account, journey=step, captcha="second-step", first_free=True
    )


def answered() -> Given:
    """What an authenticator answered."""
    return Given(challenge_id=request.form.get("challenge_id", ""), answer=request.form.get("answer", ""))
