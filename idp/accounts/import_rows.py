"""One row of an imported table: cells to typed values, or what is wrong with which cell.

The sentences are Chinese: they go back, in the report, to whoever prepared the file.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from datetime import date
from typing import Any, NamedTuple, Self

from idp.accounts.documents import NAMES, parse_number
from idp.accounts.identifiers import company_name, is_like_a_document, parse_account, parse_phone, parse_uscc
from idp.accounts.models import EnterpriseStatus, EnterpriseType, IdType, Person
from idp.crypto import plain

COMPANY_COLUMNS = {
    "uscc": ("统一社会信用代码", "信用代码"),
    "name": ("企业名称", "单位名称", "法人名称"),
    "type": ("法人类型",),
    "status": ("企业状态", "法人状态"),
    "representative_name": ("法定代表人姓名", "法定代表人"),
    "representative_id_type": ("证件类型", "法定代表人证件类型"),
    "representative_id_number": ("法定代表人证件号码", "证件号码"),
    "id_valid_from": ("身份证有效开始日期", "证件有效期开始日期"),
    "id_valid_until": ("身份证有效结束日期", "证件有效期结束日期"),
    "phone": ("手机号码", "手机号"),
}
"""Column to the headings it may have beside its own name; the first one is the guides'."""
COMPANY_REQUIRED = ("uscc", "name", "representative_name", "representative_id_number")
PERSON_COLUMNS = {
    "account": ("账号", "账号名"),
    "name": ("姓名",),
    "id_type": ("证件类型",),
    "id_number": ("证件号码",),
    "phone": ("手机号码", "手机号"),
    "id_valid_from": COMPANY_COLUMNS["id_valid_from"],
    "id_valid_until": COMPANY_COLUMNS["id_valid_until"],
}
PERSON_REQUIRED = ("name", "id_number", "phone")

_ID_TYPES = {
    **{name: kind for kind, name in NAMES.items()},
    "身份证": IdType.RESIDENT,
    **{kind.value: kind for kind in IdType},
}
_STATUSES = {
    "正常": EnterpriseStatus.NORMAL,
    "吊销": EnterpriseStatus.REVOKED,
    "注销": EnterpriseStatus.DEREGISTERED,
    **{status.value: status for status in EnterpriseStatus},
}
# 长期有效: a document without a last day; registries write it as the last day there is, too.
_FOR_EVER = {"长期", "长期有效", "9999-12-31", "99991231"}
# ISO 8601, and what spreadsheets of our locale make of it. The year stands first, so that no day is guessed.
_DAYS = (
    re.compile(r"([0-9]{4})([-/.])([0-9]{1,2})\2([0-9]{1,2})\Z"),
    re.compile(r"([0-9]{4})()([0-9]{2})([0-9]{2})\Z"),
    re.compile(r"([0-9]{4})(年)([0-9]{1,2})月([0-9]{1,2})日\Z"),
)
# 9.90E+17: a spreadsheet has taken a long number for a quantity, and its last digits are gone.
_ROUNDED = re.compile(r"[0-9](?:\.[0-9]+)?E\+[0-9]+\Z")


class Fault(NamedTuple):
    """What is wrong with a row: our name of the column ("" for the row as a whole), and a sentence."""

    column: str
    sentence: str


class CellRefused(Exception):
    """A cell does not hold what its column is for; the message is the sentence."""


class DocumentKey(NamedTuple):
    """Kind and number of an identity document, by which a person is known."""

    type: IdType
    number: str


@dataclass(frozen=True, slots=True)
class Validity:
    """When a document is valid: `until` None beside a first day is 长期, both None unknown."""

    first: date | None
    until: date | None

    def is_news_of(self, person: Person) -> bool:
        """Whether it says something else than is known of the person's document."""
        return self.first is not None and self != Validity(person.id_valid_from, person.id_valid_until)

    @property
    def columns(self) -> dict[str, date | None]:
        """How a person's row keeps it."""
        return {"id_valid_from": self.first, "id_valid_until": self.until}

    def put_on(self, person: Person) -> None:
        """Write it to the person's row."""
        person.id_valid_from, person.id_valid_until = self.first, self.until


@dataclass(slots=True)
class Parsed:
    """The values of a row that could be read, and what is wrong with the others."""

    line: int
    values: dict[str, Any] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)

    def read(self, column: str, cell: str, parse: Callable[[str], Any]) -> None:
        """Keep the value of one cell, or what is wrong with it."""
        try:
            self.values[column] = parse(cell)
        except CellRefused as refused:
            self.faults.append(Fault(column, str(refused)))

    def refuse(self, column: str, sentence: str) -> None:
        """Note what is wrong."""
        self.faults.append(Fault(column, sentence))


@dataclass(frozen=True, slots=True)
class Row:
    """What every row tells, in canonical form; `line` is where it stands in the file."""

    line: int
    document: DocumentKey
    validity: Validity

    @classmethod
    def of(cls, parsed: Parsed) -> Self:
        """The row in which nothing is wrong."""
        told = {column.name: parsed.values[column.name] for column in fields(cls) if column.name != "line"}
        return cls(line=parsed.line, **told)


@dataclass(frozen=True, slots=True)
class CompanyRow(Row):
    """A company as its row tells it, None where a cell says nothing; the document is its representative's."""

    uscc: str
    name: str
    type: EnterpriseType | None
    status: EnterpriseStatus | None
    representative_name: str
    phone: str | None


@dataclass(frozen=True, slots=True)
class PersonRow(Row):
    """A person as his row tells it."""

    account: str | None
    name: str
    phone: str


def parse_company(line: int, cells: Mapping[str, str]) -> Parsed:
    """Read the cells of a company; without faults, :class:`CompanyRow` is made of them."""
    parsed = Parsed(line)
    parsed.read("uscc", cells.get("uscc", ""), _uscc)
    parsed.read("name", cells.get("name", ""), _company_name)
    parsed.read("type", cells.get("type", ""), lambda cell: _enterprise_type(cell) if cell else None)
    parsed.read("status", cells.get("status", ""), lambda cell: _status(cell) if cell else None)
    parsed.read("representative_name", cells.get("representative_name", ""), _person_name)
    _read_document(parsed, cells, "representative_id_type", "representative_id_number")
    _read_validity(parsed, cells)
    parsed.read("phone", cells.get("phone", ""), lambda cell: _phone(cell) if cell else None)
    return parsed


def parse_person(line: int, cells: Mapping[str, str], *, shortest: int, longest: int) -> Parsed:
    """Read the cells of a person; an account name has `shortest` to `longest` characters (X1)."""

    def account(cell: str) -> str | None:
        found = parse_account(cell, shortest=shortest, longest=longest)
        if cell and (found is None or is_like_a_document(found)):
            raise CellRefused(
                f"账号应为 {shortest}-{longest} 位，以字母开头，只含字母、数字和下划线，"
                "不能是证件号码的样子；不符合的可以留空"
            )
        return found

    parsed = Parsed(line)
    parsed.read("account", cells.get("account", ""), account)
    parsed.read("name", cells.get("name", ""), _person_name)
    _read_document(parsed, cells, "id_type", "id_number")
    _read_validity(parsed, cells)
    parsed.read("phone", cells.get("phone", ""), _phone)
    return parsed


def _read_document(parsed: Parsed, cells: Mapping[str, str], type_column: str, number_column: str) -> None:
    parsed.read(type_column, cells.get(type_column, IdType.RESIDENT.value), _id_type)
    kind = parsed.values.get(type_column)
    if kind is None:
        return
    parsed.read(number_column, cells.get(number_column, ""), lambda cell: _id_number(kind, cell))
    if number := parsed.values.get(number_column):
        parsed.values["document"] = DocumentKey(kind, number)


def _read_validity(parsed: Parsed, cells: Mapping[str, str]) -> None:
    parsed.read("id_valid_from", cells.get("id_valid_from", ""), _day)
    until = cells.get("id_valid_until", "")
    parsed.read("id_valid_until", until, lambda cell: None if plain(cell) in _FOR_EVER else _day(cell))
    if not {"id_valid_from", "id_valid_until"} <= parsed.values.keys():
        return
    found = Validity(parsed.values["id_valid_from"], parsed.values["id_valid_until"])
    if until and found.first is None:
        parsed.refuse("id_valid_from", "填了有效期的结束日期，也要填开始日期")
    elif found.first and not until:
        parsed.refuse("id_valid_until", "填了有效期的开始日期，也要填结束日期；没有结束日期的填「长期」")
    elif found.first and found.until and found.until < found.first:
        parsed.refuse("id_valid_until", "有效期的结束日期早于开始日期")
    else:
        parsed.values["validity"] = found


def _uscc(cell: str) -> str:
    code = parse_uscc(_whole(cell, "请填写统一社会信用代码"))
    if code is None:
        raise CellRefused("统一社会信用代码不正确，请核对 18 位代码")
    return code


def _company_name(cell: str) -> str:
    return company_name(_name(cell, "请填写企业名称", 200))


def _person_name(cell: str) -> str:
    return _name(cell, "请填写姓名", 100)


def _name(cell: str, missing: str, longest: int) -> str:
    name = plain(cell)
    if not name:
        raise CellRefused(missing)
    if len(name) > longest or not name.isprintable():
        raise CellRefused(f"名称或姓名最多 {longest} 个字，不能含有换行或控制字符")
    return name


def _enterprise_type(cell: str) -> EnterpriseType:
    try:
        return EnterpriseType(plain(cell))
    except ValueError:
        raise CellRefused(f"法人类型应为：{'、'.join(EnterpriseType)}") from None


def _status(cell: str) -> EnterpriseStatus:
    status = _STATUSES.get(plain(cell).lower())
    if status is None:
        raise CellRefused("企业状态应为：正常、吊销、注销")
    return status


def _id_type(cell: str) -> IdType:
    kind = _ID_TYPES.get(plain(cell).lower())
    if kind is None:
        raise CellRefused(f"证件类型应为：{'、'.join(NAMES.values())}")
    return kind


def _id_number(kind: IdType, cell: str) -> str:
    typed = _whole(cell, "请填写证件号码")
    if number := parse_number(kind, typed):
        return number
    if kind is not IdType.RESIDENT:
        raise CellRefused("证件号码应为 5-20 位字母或数字")
    if typed.endswith("000"):
        raise CellRefused("居民身份证号码不正确：末三位可能被表格软件改成了 0，请核对 18 位号码")
    raise CellRefused("居民身份证号码不正确，请核对 18 位号码")


def _phone(cell: str) -> str:
    phone = parse_phone(_whole(cell, "请填写手机号码"))
    if phone is None:
        raise CellRefused("手机号码应为 11 位的中国大陆手机号码")
    return phone


def _whole(cell: str, missing: str) -> str:
    """The cell, if it is there and no spreadsheet has rounded it."""
    typed = plain(cell)
    if not typed:
        raise CellRefused(missing)
    if _ROUNDED.match(typed.upper()):
        raise CellRefused("号码被表格软件改成了科学计数法，请把这一列设为文本，重新填写完整的号码")
    return typed


def _day(cell: str) -> date | None:
    typed = plain(cell)
    if not typed:
        return None
    found = next(filter(None, (form.match(typed) for form in _DAYS)), None)
    try:
        if found:
            return date(int(found[1]), int(found[3]), int(found[4]))
    except ValueError:
        raise CellRefused("没有这一天，请核对日期") from None
    raise CellRefused("日期应写成 2020-01-31 的样子")
