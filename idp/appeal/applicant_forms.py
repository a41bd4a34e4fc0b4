"""The forms of filing an appeal (E05, E06, E12); the order of the fields is that of the page."""

from __future__ import annotations

from typing import ClassVar

from wtforms import Form, StringField
from wtforms.validators import ValidationError

from idp.accounts.company_claims import Claim
from idp.appeal.filing import LONGEST_KEPT, LONGEST_REMARK, remark_of
from idp.web.account_fields import AccountFields, InOrder, PhoneFields
from idp.web.company_fields import CompanyFields


class IdentityForm(InOrder, CompanyFields, PhoneFields, AccountFields):
    """身份验证: the company, its representative, the account, the company's phone (E05).

    Nobody sets a password here, nor agrees to anything: both come with the link that an approval sends.
    """

    order = (*CompanyFields.company_order, "account", "phone", "captcha", "code")

    # WTForms leaves out a field that a form sets to None.
    new_password = None  # type: ignore[assignment]
    confirm_password = None  # type: ignore[assignment]
    agreed = None  # type: ignore[assignment]

    @property
    def claim(self) -> Claim:
        """What the fields say of company and representative, once they are valid."""
        return Claim(**self.told, document=self.document)


class OperatorForm(InOrder, PhoneFields):
    """身份验证 of whoever files it: his phone and its code (E06)."""

    order = ("phone", "captcha", "code")
    phone_label: ClassVar[str] = "经办人手机号码"


class MaterialsForm(Form):
    """材料上传, beside the papers: 申诉备注 (E12). A draft needs one; what staff asked for may need none."""

    remark = StringField()
    remark_is_optional = False
    remark_label = "申诉备注"

    def validate_remark(self, _typed: StringField) -> None:
        """At most so many characters. Raises ValidationError."""
        if not self.said:
            if self.remark_is_optional:
                return
            raise ValidationError(f"请填写{self.remark_label}")
        if len(self.said) > LONGEST_REMARK:
            most = f"{self.remark_label}最多 {LONGEST_REMARK} 字"
            kept = f"，只保存前 {LONGEST_KEPT} 字，请缩短" if len(self.said) > LONGEST_KEPT else ""
            raise ValidationError(f"{most}，目前 {len(self.said)} 字{kept}")

    @property
    def said(self) -> str:
        """The remark as it is counted and kept."""
        return remark_of(self.remark.data or "")
