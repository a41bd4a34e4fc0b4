"""The forms of 个人注册; the order of the fields is that of the page."""

from __future__ import annotations

import re
from typing import Any

from wtforms import Form, StringField
from wtforms.validators import ValidationError

from idp.accounts.registering import Applicant
from idp.crypto import plain
from idp.person.registration import Told
from idp.web import faces
from idp.web.account_fields import AccountFields, InOrder, PhoneFields
from idp.web.document_fields import DocumentFields

_LONGEST_NAME = 100
# Blanks beside a Chinese character are the input method's; those between the words of another name stay.
_BLANK = re.compile(r"(?<=[^\x00-\x7f])\s+|\s+(?=[^\x00-\x7f])")
_DOT = re.compile(r"(?<=[^\x00-\x7f])[.•‧・･](?=[^\x00-\x7f])")


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
        return (self.phone_number, self.number)

    @property
    def told(self) -> Told:
        """What the fields say, once they are valid."""
        return Told(Applicant(self.person_name, self.document, self.phone_number), self.account_name)


def told_before(facts: dict[str, Any]) -> dict[str, Any]:
    """The fields' values for somebody who comes back: what he typed last, else what was checked of it."""
    if "typed" in facts:
        return dict(facts["typed"])
    return {**facts["told"], "term": facts["term"]} if "told" in facts else {}


class FaceForm(Form):
    """实名核验: the yes to a face check."""

    agreed = faces.agreed("拨打服务热线办理")
