"""Parsing what the sign-in pages send. Sentences are for the person who reads them."""

from __future__ import annotations

from typing import Any

from wtforms import Form, PasswordField, RadioField, StringField
from wtforms.validators import InputRequired, Length, ValidationError

from idp.accounts.identifiers import parse_resident_id, person_name
from idp.crypto import plain
from idp.proof.face_record import Whom
from idp.proof.sms_codes import LENGTH
from idp.web import faces


def _password(missing: str = "请填写密码") -> PasswordField:
    return PasswordField(validators=[InputRequired(missing), Length(max=4096, message="密码太长")])


def _captcha() -> StringField:
    sentence = "图形验证码是 4 位数字"
    return StringField(validators=[InputRequired("请填写图形验证码"), Length(max=20, message=sentence)])


def _name(missing: str, too_long: str) -> StringField:
    return StringField(validators=[InputRequired(missing), Length(max=64, message=too_long)])


# The order of the fields is that of the page: an error summary lists them so.


class LegalForm(Form):
    """法人登录 (A06)."""

    account = _name("请填写账号或统一社会信用代码", "账号或统一社会信用代码太长")
    password = _password()
    captcha = _captcha()


class OperatorForm(Form):
    """经办人登录 (A08)."""

    enterprise = _name("请填写单位统一信用代码或法人账号", "单位信用代码或账号太长")
    account = _name("请填写经办人手机号或身份证号", "手机号或身份证号太长")
    password = _password("请填写经办人密码")
    captcha = _captcha()


class PersonForm(Form):
    """个人登录 (A09)."""

    account = _name("请填写账号、手机号或身份证号", "账号、手机号或身份证号太长")
    password = _password()
    captcha = _captcha()


class FaceForm(Form):
    """刷脸登录 (A17, A18): whom the face service is asked about, and that he agrees."""

    name = _name("请填写姓名", "姓名太长")
    id_number = _name("请填写居民身份证号码", "居民身份证号码是 18 位")
    captcha = _captcha()
    agreed = faces.agreed("用其他方式登录")

    def validate_name(self, typed: StringField) -> None:
        """A name of at least two characters. Raises ValidationError."""
        if len(person_name(typed.data or "")) < 2:
            raise ValidationError("请填写身份证上的姓名")

    def validate_id_number(self, typed: StringField) -> None:
        """A resident identity number. Raises ValidationError."""
        if parse_resident_id(typed.data or "") is None:
            raise ValidationError("居民身份证号码不正确，请核对 18 位号码")

    @property
    def whom(self) -> Whom:
        """Whom the form names, once it is valid."""
        return Whom(person_name(self.name.data or ""), parse_resident_id(self.id_number.data or "") or "")


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
    """A new password at the first use of a mandate's, with the code that was sent to the operator's phone."""

    # A captcha is asked for with the second message only, and is looked at by what sends it; the code by the
    # page, which asks for none once the phone was proved.
    captcha = StringField()
    code = StringField()
    new_password = PasswordField(
        validators=[InputRequired("请填写新密码"), Length(max=4096, message="密码太长")]
    )
    confirm_password = PasswordField(
        validators=[InputRequired("请再次输入新密码"), Length(max=4096, message="密码太长")]
    )

    def validate_confirm_password(self, typed: PasswordField) -> None:
        """The same once more. Raises ValidationError."""
        if typed.data != self.new_password.data:
            raise ValidationError("两次填写的密码不一样")


class CodeForm(Form):
    """A code of an authenticator app, or a recovery code."""

    code = StringField(
        validators=[
            InputRequired("请填写动态口令或恢复码"),
            Length(max=64, message="动态口令是 6 位数字，恢复码是 10 个字母和数字"),
        ]
    )


class RecoveryCodeForm(Form):
    """The same where there is no app: a recovery code is all there is to type."""

    code = StringField(
        validators=[
            InputRequired("请填写恢复码"),
            Length(max=64, message="恢复码是 10 个字母和数字"),
        ]
    )


class PhoneCodeForm(Form):
    """A code that was sent to the phone; the page may hold the field of another code beside it."""

    captcha = StringField()
    code = StringField(name="sms_code", validators=[InputRequired("请填写短信验证码")])

    def validate_code(self, typed: StringField) -> None:
        """Six digits: what is no code at all costs no try. Raises ValidationError."""
        if len("".join(plain((typed.data or "")[:40]).split())) != LENGTH:
            raise ValidationError(f"短信验证码是 {LENGTH} 位数字")


class PasskeyForm(Form):
    """What a passkey answers is no field of a person's: the form holds what is said of it."""


class PasswordForm(Form):
    """The password of whoever is signed in."""

    password = _password()
