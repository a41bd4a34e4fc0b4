"""Parsing what the pages of a forgotten password send (D02–D05); sentences are for who reads them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from wtforms import Field, Form, PasswordField, StringField
from wtforms.validators import InputRequired, Length, ValidationError

from idp.accounts.identifiers import person_name
from idp.accounts.models import IdType
from idp.crypto import plain
from idp.login.reset import Claimed, Kind
from idp.proof.face_record import Whom
from idp.web.document_fields import NumberFields

_LONGEST_NAME = 100


def _named(missing: str, too_long: str) -> StringField:
    return StringField(validators=[InputRequired(missing), Length(max=64, message=too_long)])


class IdentityForm(NumberFields):
    """身份验证: which account, and whose it is. Each kind of account says what its fields are called."""

    kind: ClassVar[Kind]
    account_field: ClassVar[str]
    name_field: ClassVar[str]
    name_label: ClassVar[str]

    captcha = StringField(
        validators=[InputRequired("请填写图形验证码"), Length(max=20, message="图形验证码是 4 位数字")]
    )

    def __iter__(self) -> Iterator[Field]:
        # As they stand on the page: an error summary lists them so.
        names = (self.account_field, self.name_field, "id_type", "id_number", "captcha")
        return iter([self[name] for name in names])

    def check_name(self, typed: StringField) -> None:
        """A whole name. Raises ValidationError."""
        given = plain((typed.data or "")[: _LONGEST_NAME * 4])
        if not given:
            raise ValidationError(f"请填写{self.name_label}")
        if len(given) > _LONGEST_NAME:
            raise ValidationError(f"{self.name_label}最多 {_LONGEST_NAME} 个字")
        if not given.isprintable():
            raise ValidationError(f"{self.name_label}里有不能显示的字符，请重新填写")
        if len(person_name(given)) < 2:
            raise ValidationError(f"请填写证件上的完整{self.name_label}")

    @property
    def claimed(self) -> Claimed:
        """What the form says, once it is valid."""
        kind = IdType(self.id_type.data or "")
        whom = Whom(person_name(self[self.name_field].data or ""), self.number, kind.value)
        return Claimed(self.kind, self[self.account_field].data or "", whom)


class LegalIdentityForm(IdentityForm):
    """法人账号、法人姓名、证件 (D02, X11)."""

    kind = Kind.LEGAL
    account_field = "account"
    name_field = "representative_name"
    name_label = "法人姓名"

    account = _named("请填写法人账号或统一社会信用代码", "法人账号或统一社会信用代码太长")
    representative_name = StringField()

    def validate_representative_name(self, typed: StringField) -> None:
        """The name of the legal representative. Raises ValidationError."""
        self.check_name(typed)


class OperatorIdentityForm(IdentityForm):
    """单位、经办人姓名、证件."""

    kind = Kind.OPERATOR
    account_field = "enterprise"
    name_field = "name"
    name_label = "经办人姓名"

    enterprise = _named("请填写单位统一信用代码或法人账号", "单位统一信用代码或法人账号太长")
    name = StringField()

    def validate_name(self, typed: StringField) -> None:
        """The name of the operator. Raises ValidationError."""
        self.check_name(typed)


class PersonIdentityForm(IdentityForm):
    """账号、手机号码 or 证件号码, 姓名、证件."""

    kind = Kind.PERSON
    account_field = "account"
    name_field = "name"
    name_label = "姓名"

    account = _named("请填写账号、手机号码或证件号码", "账号、手机号码或证件号码太长")
    name = StringField()

    def validate_name(self, typed: StringField) -> None:
        """One's own name. Raises ValidationError."""
        self.check_name(typed)


class NewPasswordForm(Form):
    """设置新密码 (D05)."""

    new_password = PasswordField(
        validators=[InputRequired("请填写新密码"), Length(max=4096, message="密码太长")]
    )
    confirm_password = PasswordField(
        validators=[InputRequired("请再次输入新密码"), Length(max=4096, message="密码太长")]
    )

    def validate_confirm_password(self, typed: PasswordField) -> None:
        """The same twice. Raises ValidationError."""
        if typed.data and self.new_password.data and typed.data != self.new_password.data:
            raise ValidationError("两次填写的密码不一样")


FORMS: dict[Kind, type[IdentityForm]] = {
    form.kind: form for form in (LegalIdentityForm, OperatorIdentityForm, PersonIdentityForm)
}
