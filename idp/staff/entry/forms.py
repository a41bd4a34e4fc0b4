"""Parsing what the pages of one's own account at the console send. Sentences are for whoever reads them."""

from __future__ import annotations

from typing import Any

from wtforms import Form, HiddenField, PasswordField, StringField
from wtforms.validators import InputRequired, Length

_TOO_LONG = "密码太长"


def _password(missing: str) -> PasswordField:
    return PasswordField(validators=[InputRequired(missing), Length(max=4096, message=_TOO_LONG)])


def _name() -> StringField:
    return StringField(validators=[Length(max=400, message="名称最多 40 个字符")])


# The order of the fields is that of the page: an error summary lists them so.


class SignInForm(Form):
    """Account, password, captcha."""

    account = StringField(
        validators=[InputRequired("请填写工作账号"), Length(max=64, message="工作账号太长")]
    )
    password = _password("请填写密码")
    captcha = StringField(
        validators=[InputRequired("请填写图形验证码"), Length(max=20, message="图形验证码是 4 位数字")]
    )


class CodeForm(Form):
    """A code of an authenticator app, or a recovery code."""

    code = StringField(
        validators=[
            InputRequired("请填写动态口令，或一个恢复码"),
            Length(max=60, message="动态口令是 6 位数字，恢复码是 10 位"),
        ]
    )


class PasskeyForm(Form):
    """What the browser answered to a challenge."""

    challenge_id = HiddenField(validators=[Length(max=100)])
    answer = HiddenField(validators=[Length(max=40_000)])


class NewPasswordForm(Form):
    """A password for the first time."""

    new_password = _password("请填写新密码")
    confirm_password = _password("请再次输入新密码")


class ChangePasswordForm(Form):
    """The password one has, and the new one."""

    old_password = _password("请填写目前的密码")
    new_password = _password("请填写新密码")
    confirm_password = _password("请再次输入新密码")


class NewAppForm(Form):
    """An authenticator app: what it is called, and the first code it shows."""

    name = _name()
    code = StringField(
        validators=[
            InputRequired("请填写验证器 App 里显示的 6 位数字"),
            Length(max=40, message="动态口令是 6 位数字"),
        ]
    )


class NewPasskeyForm(PasskeyForm):
    """A passkey: what it is called, and what the browser answered."""

    name = _name()


class NameForm(Form):
    """Another name for a factor."""

    name = _name()


def confirmed(form: Any) -> bool:
    """Whether the new password was typed twice alike; otherwise the form says so."""
    if form.new_password.data == form.confirm_password.data:
        return True
    form.confirm_password.errors = ["两次填写的密码不一样"]
    return False
