"""The form that asks how an appeal stands: its number, a phone that was proved in it, a captcha."""

from __future__ import annotations

import re
from typing import ClassVar

from wtforms import StringField
from wtforms.validators import InputRequired, Length, ValidationError

from idp.crypto import plain
from idp.web.account_fields import InOrder, PhoneFields

# However its parts are parted, with its letters or without.
_NUMBER = re.compile(r"(?:SS)?[\W_]*(\d{8})[\W_]*(\d{6})\Z", re.ASCII | re.IGNORECASE)
_LONGEST_TYPED = 64


def parse_number(typed: str) -> str | None:
    """The number of an appeal in canonical form; None if it is none."""
    found = _NUMBER.match(plain(typed[:_LONGEST_TYPED]))
    return f"SS-{found[1]}-{found[2]}" if found else None


class ResultForm(InOrder, PhoneFields):
    """Number, phone and captcha; the code comes on a page of its own."""

    order: ClassVar[tuple[str, ...]] = ("number", "phone", "captcha")

    number = StringField()
    captcha = StringField(
        validators=[InputRequired("请填写图形验证码"), Length(max=20, message="图形验证码是 4 位数字")]
    )
    code = None  # type: ignore[assignment]  # WTForms leaves out a field that a form sets to None

    def validate_number(self, typed: StringField) -> None:
        """A number of an appeal. Raises ValidationError."""
        if not plain((typed.data or "")[:_LONGEST_TYPED]):
            raise ValidationError("请填写申诉编号")
        if not self.appeal_number:
            raise ValidationError("申诉编号不正确，应为 SS 加 8 位日期和 6 位数字，例如 SS-20260302-123456")

    @property
    def appeal_number(self) -> str:
        """The number in canonical form; empty if it is none."""
        return parse_number(self.number.data or "") or ""
