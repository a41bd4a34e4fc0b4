"""The fields of a new account wherever somebody gets one: phone, name, password, the yes to both texts.

A form is made of the parts it has and says their `order`, which is that of the page: an error summary lists
the fields as one meets them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from wtforms import BooleanField, Field, Form, PasswordField, StringField
from wtforms.validators import DataRequired, InputRequired, Length, ValidationError

from idp.accounts.identifiers import is_like_a_document, parse_account, parse_phone
from idp.accounts.passwords import PasswordRefused, check_new_password
from idp.crypto import plain
from idp.web.platform import settings

_LONGEST_TYPED = 64
_LONGEST_KEPT = 200
_NEVER_KEPT = {"captcha", "code"}


class InOrder(Form):
    """A form that gives its fields as they stand on the page, from whatever parts it has them."""

    order: ClassVar[tuple[str, ...]] = ()

    def __iter__(self) -> Iterator[Field]:
        return iter([self[name] for name in self.order])

    @property
    def typed(self) -> dict[str, Any]:
        """What was typed, right or wrong, for a journey to keep: no password, no code, no yes to anything."""
        kept = (entry for entry in self if type(entry) is StringField and entry.name not in _NEVER_KEPT)
        return {entry.name: (entry.data or "")[:_LONGEST_KEPT] for entry in kept}


class PhoneFields(Form):
    """手机号码、图片验证码、短信验证码 (B12, B13). `phone_label` is what sentences call the phone."""

    phone_label: ClassVar[str] = "手机号码"

    phone = StringField()
    captcha = StringField(validators=[Length(max=20, message="图形验证码是 4 位数字")])
    code = StringField()

    def validate_phone(self, typed: StringField) -> None:
        """A mobile number of the mainland. Raises ValidationError."""
        if not plain((typed.data or "")[:_LONGEST_TYPED]):
            raise ValidationError(f"请填写{self.phone_label}")
        if not self.phone_number:
            raise ValidationError("手机号码不正确，应为 11 位的内地手机号码")

    @property
    def phone_number(self) -> str:
        """The phone in canonical form; empty if it is none."""
        return parse_phone((self.phone.data or "")[:_LONGEST_TYPED]) or ""


class AccountFields(Form):
    """账号、密码 and the yes to both texts (B02, B14–B16, X1, X2)."""

    account_order: ClassVar[tuple[str, ...]] = ("account", "new_password", "confirm_password", "agreed")
    account_is_optional: ClassVar[bool] = False

    account = StringField()
    new_password = PasswordField(
        validators=[InputRequired("请设置密码"), Length(max=4096, message="密码太长")]
    )
    confirm_password = PasswordField(
        validators=[InputRequired("请再次输入密码"), Length(max=4096, message="密码太长")]
    )
    agreed = BooleanField(validators=[DataRequired("请阅读并勾选同意《注册协议》与《隐私政策》")])

    def validate_account(self, typed: StringField) -> None:
        """An account name (X1). Raises ValidationError."""
        if not plain((typed.data or "")[:_LONGEST_TYPED]):
            if self.account_is_optional:
                return
            raise ValidationError("请填写账号")
        if not self.account_name:
            configured = settings()
            bounds = f"{configured.account_min}-{configured.account_max}"
            raise ValidationError(
                f"账号应为 {bounds} 位字符，以字母开头，只能用字母、数字和下划线，也不能是信用代码的样子"
            )
        if is_like_a_document(self.account_name):
            raise ValidationError("账号不能是证件号码的样子，请换一个")

    def validate_confirm_password(self, typed: PasswordField) -> None:
        """The same as the first. Raises ValidationError."""
        if typed.data and self.new_password.data and typed.data != self.new_password.data:
            raise ValidationError("两次填写的密码不一样")

    def is_right(self, about: tuple[str, ...]) -> bool:
        """Whether every field is right by itself, the password too; `about` as in :meth:`fits_policy`."""
        is_valid = self.validate()
        # One sentence a field: a password that is missing is not called short as well.
        return not self.new_password.errors and self.fits_policy(about) and is_valid

    def fits_policy(self, about: tuple[str, ...]) -> bool:
        """Whether the password may be set (X2), the sentence beside it if not.

        `about` are the account's names, phones and numbers; the account that is typed is one of them.
        """
        words = (self.account_name, *about)
        try:
            check_new_password(self.new_password.data or "", settings=settings(), about=words)
        except PasswordRefused as refused:
            self.new_password.errors = [str(refused)]
            return False
        return True

    @property
    def account_name(self) -> str:
        """The account in canonical form; empty where there is none."""
        configured = settings()
        bounds = {"shortest": configured.account_min, "longest": configured.account_max}
        return parse_account(self.account.data or "", **bounds) or ""

    @property
    def hints(self) -> dict[str, str]:
        """What the page says beside the fields before anything is typed, as the settings have it."""
        configured = settings()
        kinds = {1: "", 2: "数字、字母、符号至少两种，", 3: "数字、字母、符号都要有，"}[
            configured.password_kinds
        ]
        return {
            "account": "字母开头，可以用字母、数字和下划线，"
            f"{configured.account_min} 到 {configured.account_max} 位",
            "new_password": f"{configured.password_min} 到 {configured.password_max} 位，{kinds}"
            "不要包含账号、手机号或证件号码",
        }
