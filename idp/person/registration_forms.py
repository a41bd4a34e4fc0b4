"""The forms of 个人注册; the order of the fields is that of the page."""

from __future__ import annotations

import re
from typing import Any

from wtforms import Form, StringField
from wtforms.validators import Length, ValidationError

from idp.accounts.identifiers import parse_phone
from idp.accounts.registering import Applicant
from idp.crypto import plain
from idp.person.registration import Told
from idp.web import faces
from idp.web.account_fields import AccountFields, InOrder
from idp.web.document_fields import DocumentFields

_LONGEST_NAME = 100
# Blanks beside a Chinese character are the input method's; those between the words of another name stay.
_BLANK = re.compile(r"(?<=[^\x00-\x7f])\s+|\s+(?=[^\x00-\x7f])")
_DOT = re.compile(r"(?<=[^\x00-\x7f])[.•‧・･](?=[^\x00-\x7f])")


def phone_typed(typed: str | None) -> str:
    """The phone somebody typed; empty if it is none."""
    return parse_phone((typed or "")[:64]) or ""


class PhoneFields(Form):
    """手机号码、图片验证码、短信验证码."""

    phone = StringField()
    captcha = StringField(validators=[Length(max=20, message="图形验证码是 4 位数字")])
    code = StringField(validators=[Length(max=40, message="短信验证码是 6 位数字")])

    def validate_phone(self, typed: StringField) -> None:
        """A mobile number of the mainland. Raises ValidationError."""
        if not plain((typed.data or "")[:64]):
            raise ValidationError("请填写手机号码")
        if not self.phone_number:
            raise ValidationError("手机号码不正确，应为 11 位的内地手机号码")

    @property
    def phone_number(self) -> str:
        """The phone in canonical form; empty if it is none."""
        return phone_typed(self.phone.data)


class RegistrationForm(InOrder, DocumentFields, PhoneFields, AccountFields):
    """填写信息."""

    order = (
        *("name", "id_type", "id_number", "term", "valid_from", "valid_until"),
        *("phone", "captcha", "code"),
        *AccountFields.account_order,
    )
    account_is_optional = True

    name = StringField()

    def validate_name(self, typed: StringField) -> None:
        """A whole name in one line. Raises ValidationError."""
        if not plain((typed.data or "")[: _LONGEST_NAME * 4]):
            raise ValidationError("请填写姓名")
        name = self.person_name
        if len(name) > _LONGEST_NAME or not name.isprintable():
            raise ValidationError(f"姓名最多 {_LONGEST_NAME} 个字，不能换行")
        if len(name) < 2:
            raise ValidationError("请填写证件上的完整姓名")

    @property
    def person_name(self) -> str:
        """The name as it stands on the document."""
        return _DOT.sub("·", _BLANK.sub("", plain((self.name.data or "")[: _LONGEST_NAME * 4])))

    @property
    def about(self) -> tuple[str, ...]:
        """What the password may not hold, beside the account name."""
        return (self.phone_number, self.document.id_number)

    @property
    def told(self) -> Told:
        """What the fields say, once they are valid."""
        return Told(Applicant(self.person_name, self.document, self.phone_number), self.account_name)


def told_before(facts: dict[str, Any]) -> dict[str, Any]:
    """The fields' values for somebody who comes back: what a journey keeps, and the term he chose."""
    return {**facts["told"], "term": facts["term"]} if "told" in facts else {}


class FaceForm(Form):
    """实名核验: the yes to a face check."""

    agreed = faces.agreed("拨打服务热线办理")
