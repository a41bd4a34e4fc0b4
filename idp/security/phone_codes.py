"""短信验证: asking for a code sent to the phone of record at every sign-in, once one has arrived there."""

from __future__ import annotations

from typing import Any

from flask import redirect, request
from wtforms import Form, StringField
from wtforms.validators import InputRequired

from idp.accounts import factors
from idp.accounts.factors import Kind
from idp.accounts.phones import phone_of_record
from idp.proof import enrolment
from idp.proof.enrolment import EnrolmentRefused
from idp.proof.sms_codes import Purpose
from idp.security import adding, room
from idp.web.errors import Stop
from idp.web.platform import db, now, platform
from idp.web.sms import PhoneCode


class PhoneCodeForm(Form):
    """A code that was sent to the phone, and the captcha of a further message."""

    captcha = StringField()
    code = StringField(validators=[InputRequired("请填写短信验证码")])


@room.own_account_only
@room.fresh_proof_required
def phone_codes() -> Any:
    """One code shows that the phone is at hand; from then on every sign-in by password asks for one."""
    here = room.visit()
    if Kind.SMS in factors.kinds_of(db(), here.account):
        return redirect(room.onward("overview"), 303)
    phone, form = _phone(here.account), PhoneCodeForm(request.form)
    code = PhoneCode(
        Purpose.ADD_FACTOR,
        phone,
        account=here.account,
        journey=str(here.signed_in.session.id),
        captcha="add-factor",
        # Whoever is signed in came by a captcha.
        first_free=True,
    )

    def shown() -> str:
        return room.show("sms", form=form, sms=code.shown())

    if not room.sent():
        return shown()
    if code.is_asked_for():
        return code.answer(form, shown)
    if form.validate():
        problem = code.problem(form.code.data)
        if problem is None:
            return _add()
        form.code.errors = [problem]
    return shown()


def _add() -> Any:
    try:
        added = enrolment.finish_sms(db(), room.tools(), room.owner(), now=now())
    except EnrolmentRefused:
        # Another window was quicker: what was wanted is there.
        return redirect(room.onward("overview", done="sms-added"), 303)
    return adding.to_the_codes(Kind.SMS, added)


def _phone(account: str) -> str:
    """The phone of record. Raises Stop."""
    phone = phone_of_record(db(), platform().vault, account)
    if phone is None:
        raise Stop(
            "不能开通短信验证",
            "这个账号没有预留手机号码。请添加验证器 App 或通行密钥。",
            status=409,
            ways=(("返回账号安全", room.onward("overview")),),
        )
    return phone
