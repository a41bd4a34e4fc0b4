"""The three forms of an activation (C03, C04); the order of the fields is that of the page."""

from __future__ import annotations

from wtforms import StringField
from wtforms.validators import Length

from idp.accounts.company_claims import Claim
from idp.web.account_fields import AccountFields, InOrder
from idp.web.company_fields import CompanyFields


class CompanyForm(InOrder, CompanyFields):
    """确认企业信息."""

    order = (*CompanyFields.company_order, "captcha")

    captcha = StringField(validators=[Length(max=20, message="图形验证码是 4 位数字")])

    @property
    def claim(self) -> Claim:
        """What the fields say, once they are valid."""
        return Claim(**self.told, document=self.document)


class AccountForm(InOrder, AccountFields):
    """设置企业账号和密码."""

    order = AccountFields.account_order
