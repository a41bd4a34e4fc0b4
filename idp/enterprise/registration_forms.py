"""The forms of a company's registration (B02–B16); the order of the fields is that of the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from wtforms import Field, Form, PasswordField, StringField
from wtforms.validators import InputRequired, Length

from idp.accounts.company_claims import Claim
from idp.enterprise.registration import Application
from idp.web import faces
from idp.web.account_fields import AccountFields, InOrder, PhoneFields
from idp.web.company_fields import CompanyFields

OTHERWISE = "用法定代表人的个人账号验证"
"""The way for whoever shows no face (section Y)."""


class RegistrationForm(InOrder, CompanyFields, PhoneFields, AccountFields):
    """填写信息; whether `code` is right is looked at before anything else counts (idp.web.code_step)."""

    sections: ClassVar = (
        ("法人信息", ("account", "type", "name", "uscc")),
        (
            "法定代表人信息",
            (*CompanyFields.company_order[3:], "phone", "captcha", "code"),
        ),
        ("登录密码", ("new_password", "confirm_password")),
    )
    order = (*(name for _, names in sections for name in names), "agreed")

    phone_label = "法定代表人的手机号码"

    is_checked = False
    """Whether the fields were looked at: a form sent for a message alone was not."""

    def validate(self, extra_validators: Mapping[str, Sequence[Any]] | None = None) -> bool:
        """Whether every field is right by itself."""
        self.is_checked = True
        return bool(super().validate(extra_validators))

    @property
    def about(self) -> tuple[str, ...]:
        """What the password may not hold, beside the account name."""
        return (self.phone_number, self.credit_code, self.number)

    @property
    def application(self) -> Application:
        """What the fields say, once they are valid."""
        claim = Claim(**self.told, document=self.document)
        return Application(claim, self.phone_number, self.account_name)

    @property
    def progress(self) -> list[tuple[str, int, bool]]:
        """填写进度: each section, how many of its fields are to be changed, whether the others are kept."""
        return [
            (title, sum(bool(self._of(name).errors) for name in names), "new_password" not in names)
            for title, names in self.sections
        ]

    def _of(self, name: str) -> Field:
        return self[name]


class FaceForm(Form):
    """The yes before a face check."""

    agreed = faces.agreed(OTHERWISE)


class PasswordForm(Form):
    """The representative's own password."""

    captcha = StringField(validators=[Length(max=20, message="图形验证码是 4 位数字")])
    password = PasswordField(
        validators=[InputRequired("请填写个人账号的密码"), Length(max=4096, message="密码太长")]
    )
