"""Parsing what the sign-in pages send. Sentences are for the person who reads them."""

from __future__ import annotations

from typing import Any

from wtforms import Form, PasswordField, RadioField, StringField
from wtforms.validators import InputRequired, Length, ValidationError


class _Password(Form):
    password = PasswordField(validators=[InputRequired("请填写密码"), Length(max=4096, message="密码太长")])
    captcha = StringField(
        validators=[InputRequired("请填写图形验证码"), Length(max=20, message="图形验证码是 4 位数字")]
    )


class LegalForm(_Password):
    """法人登录 (A06)."""

    account = StringField(
        validators=[
            InputRequired("请填写账号或统一社会信用代码"),
            Length(max=64, message="账号或统一社会信用代码太长"),
        ]
    )


class OperatorForm(_Password):
    """经办人登录 (A08)."""

    enterprise = StringField(
        validators=[
            InputRequired("请填写单位统一信用代码或法人账号"),
            Length(max=64, message="单位信用代码或账号太长"),
        ]
    )
    account = StringField(
        validators=[
            InputRequired("请填写经办人手机号或身份证号"),
            Length(max=64, message="手机号或身份证号太长"),
        ]
    )
    password = PasswordField(
        validators=[InputRequired("请填写经办人密码"), Length(max=4096, message="密码太长")]
    )


class PersonForm(_Password):
    """个人登录 (A09)."""

    account = StringField(
        validators=[
            InputRequired("请填写账号、手机号或身份证号"),
            Length(max=64, message="账号、手机号或身份证号太长"),
        ]
    )


class CompanyForm(Form):
    """Choosing the company one acts for; the choices are the person's live mandates."""

    # WTForms' own check of the choice speaks English.
    enterprise = RadioField(validate_choice=False)

    def __init__(self, choices: list[str], formdata: Any = None) -> None:
        super().__init__(formdata)
        self.enterprise.choices = [(choice, choice) for choice in choices]

    def validate_enterprise(self, chosen: RadioField) -> None:
        """One of the choices. Raises ValidationError."""
        if (chosen.data, chosen.data) not in (chosen.choices or []):
            raise ValidationError("请选择要代表的企业")


class FirstPasswordForm(Form):
    """A new password at the first use of a mandate's."""

    new_password = PasswordField(
        validators=[InputRequired("请填写新密码"), Length(max=4096, message="密码太长")]
    )
    confirm_password = PasswordField(
        validators=[InputRequired("请再次输入新密码"), Length(max=4096, message="密码太长")]
    )
