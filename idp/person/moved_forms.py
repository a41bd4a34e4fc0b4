"""The three forms of 迁移原有账号 (B23); the order of the fields is that of the page."""

from __future__ import annotations

from wtforms import StringField

from idp.accounts.models import IdType
from idp.web.account_fields import AccountFields, InOrder, PhoneFields
from idp.web.document_fields import NumberFields


class PhoneForm(InOrder, PhoneFields):
    """手机验证."""

    order = ("phone", "captcha", "code")


class IdentityForm(InOrder, NumberFields):
    """确认身份."""

    order = ("id_type", "id_number")

    @property
    def kind(self) -> IdType:
        """The kind of the document, once the fields are valid."""
        return IdType(self.id_type.data or "")


class PasswordForm(InOrder, AccountFields):
    """设置密码, and an account name for somebody who has none."""

    order = AccountFields.account_order
    account_is_optional = True


class NamedPasswordForm(PasswordForm):
    """设置密码 of somebody who brought his account name along: one that is sent is not read."""

    order = AccountFields.account_order[1:]

    def validate_account(self, _typed: StringField) -> None:
        """Nothing is asked."""

    @property
    def account_name(self) -> str:
        """None is chosen."""
        return ""
