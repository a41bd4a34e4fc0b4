"""What somebody tells of a company and of its representative, wherever it is asked (B03–B10, C03, E05)."""

from __future__ import annotations

from typing import Any, ClassVar

from wtforms import StringField
from wtforms.validators import ValidationError

from idp.accounts.identifiers import company_name, parse_uscc
from idp.accounts.models import EnterpriseType
from idp.crypto import plain
from idp.web.document_fields import DocumentFields, trimmed

_LONGEST_COMPANY = 200
_LONGEST_PERSON = 100


def name_label(type_: str | None) -> str:
    """What the name of a company of this 法人类型 is called (X10)."""
    return "企业名称" if type_ == EnterpriseType.COMPANY.value else "单位名称"


def one_name(typed: str | None, *, longest: int) -> str | None:
    """A name in one line of at most `longest` characters, None if it is none."""
    name = company_name((typed or "")[: longest * 4])
    return name if 0 < len(name) <= longest and name.isprintable() else None


class CompanyFields(DocumentFields):
    """法人信息 and 法定代表人信息 (B03–B10, C03)."""

    number_label = "法定代表人证件号码"
    types: ClassVar = tuple((kind.value, kind.value) for kind in EnterpriseType)
    company_order: ClassVar = (
        "type",
        "name",
        "uscc",
        "representative_name",
        "id_type",
        "id_number",
        "term",
        "valid_from",
        "valid_until",
    )

    type = StringField(default=EnterpriseType.COMPANY.value)
    name = StringField()
    uscc = StringField()
    representative_name = StringField()

    def validate_type(self, typed: StringField) -> None:
        """One of the kinds. Raises ValidationError."""
        if typed.data not in {kind.value for kind in EnterpriseType}:
            raise ValidationError("请选择法人类型")

    def validate_name(self, typed: StringField) -> None:
        """A name in one line. Raises ValidationError."""
        if not plain(typed.data or ""):
            raise ValidationError(f"请填写{self.name_label}")
        if one_name(typed.data, longest=_LONGEST_COMPANY) is None:
            raise ValidationError(f"{self.name_label}最多 {_LONGEST_COMPANY} 个字，不能换行")

    def validate_uscc(self, typed: StringField) -> None:
        """A credit code whose check character is right. Raises ValidationError."""
        given = "".join(trimmed(typed.data).split())
        if not given:
            raise ValidationError("请填写统一社会信用代码")
        if self.credit_code:
            return
        if len(given) != 18:
            raise ValidationError(f"统一社会信用代码应为 18 位，目前填写了 {len(given)} 位")
        raise ValidationError("统一社会信用代码不正确，请对照营业执照或登记证书核对")

    def validate_representative_name(self, typed: StringField) -> None:
        """A name of at least two characters. Raises ValidationError."""
        if not plain(typed.data or ""):
            raise ValidationError("请填写法定代表人姓名")
        name = one_name(typed.data, longest=_LONGEST_PERSON)
        if name is None:
            raise ValidationError(f"姓名最多 {_LONGEST_PERSON} 个字，不能换行")
        if len(name) < 2:
            raise ValidationError("请填写法定代表人的完整姓名")

    @property
    def name_label(self) -> str:
        """企业名称 or 单位名称, as the kind that is chosen has it (X10)."""
        return name_label(self.type.data)

    @property
    def credit_code(self) -> str:
        """The credit code in canonical form, the same that was looked at; empty if it is none."""
        return parse_uscc(trimmed(self.uscc.data)) or ""

    @property
    def told(self) -> dict[str, Any]:
        """What the fields say of company and representative in canonical form, once they are valid."""
        return {
            "type": self.type.data,
            "name": one_name(self.name.data, longest=_LONGEST_COMPANY),
            "uscc": self.credit_code,
            "representative_name": one_name(self.representative_name.data, longest=_LONGEST_PERSON),
        }
