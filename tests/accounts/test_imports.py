"""Reading tables of companies and people, whatever encoding, spreadsheet or slip of the pen they saw."""

from __future__ import annotations

import csv
import io
from contextlib import suppress
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.accounts.import_rows import (
    COMPANY_COLUMNS,
    COMPANY_REQUIRED,
    CompanyRow,
    Parsed,
    PersonRow,
    Validity,
    parse_company,
    parse_person,
)
from idp.accounts.import_tables import Table, TableRefused, read_table, write_report
from idp.accounts.models import EnterpriseStatus, EnterpriseType, IdType
from tests.inhabitants import a_credit_code, a_resident_number

CODE, NUMBER = a_credit_code(1), a_resident_number(1)
COMPANY = {
    "uscc": CODE,
    "name": "示例有限公司",
    "representative_name": "林小满",
    "representative_id_number": NUMBER,
}
PERSON = {"name": "林小满", "id_number": NUMBER, "phone": "13912345678"}
CHINESE = "统一社会信用代码,企业名称,法定代表人姓名,法定代表人证件号码"
ROW = f"{CODE},示例有限公司,林小满,{NUMBER}"


def companies(data: bytes) -> Table:
    """The table of companies in `data`."""
    return read_table(data, COMPANY_COLUMNS, required=COMPANY_REQUIRED)


def a_company_row(**changes: str) -> Parsed:
    return parse_company(2, {**COMPANY, **changes})


def a_person_row(**changes: str) -> Parsed:
    return parse_person(2, {**PERSON, **changes}, shortest=6, longest=20)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "gb18030"])
@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"], ids=repr)
def test_any_encoding_and_line_ending_reads_the_same(encoding: str, ending: str) -> None:
    table = companies(ending.join([CHINESE, ROW, "", ",,,", ""]).encode(encoding))
    assert [(line.number, table.named(line)) for line in table.lines] == [(2, COMPANY)]


def test_a_file_in_neither_encoding_is_refused_with_its_first_bad_line() -> None:
    with pytest.raises(TableRefused, match=r"Line 3 is neither UTF-8 nor GBK"):
        companies(f"{CHINESE}\r\n{ROW}\r\n".encode("gbk") + b"\xff\xff,x\n")


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_utf8_with_one_wrong_byte_does_not_become_other_characters(mark: bytes) -> None:
    whole = f"uscc,name,representative_name,representative_id_number\n{ROW}\n{ROW}\n".encode()
    place = whole.rindex("有限".encode())
    with pytest.raises(TableRefused, match=r"Line 3 is not UTF-8"):
        companies(mark + whole[:place] + whole[place + 1 :])


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "missing: uscc (统一社会信用代码), name (企业名称)"),
        ("name,uscc\n", "missing: representative_name (法定代表人姓名)"),
        (CHINESE.replace(",", ";"), "separated by commas"),
        (CHINESE.replace(",", "\t"), "separated by commas"),
        (f"{CHINESE},单位名称\n", "Two columns are name"),
        (f'{CHINESE}\n{ROW}\n"{ROW}\n{ROW}\n', "Line 3 is not CSV"),
        (f'{CHINESE}\n"a"b,{ROW}\n', "Line 2 is not CSV"),
        (f"{CHINESE}\n{'x' * 200_000}\n", "Line 2 is not CSV"),
    ],
)
def test_what_is_no_table_of_ours_is_refused_with_the_reason(text: str, told: str) -> None:
    with pytest.raises(TableRefused) as refused:
        companies(text.encode())
    assert told in str(refused.value)


def test_headings_are_read_as_forms_write_them_and_unknown_columns_are_told() -> None:
    table = companies(f"*{CHINESE.replace(',', ' , * ')},序号,,原因\n{ROW},1,,旧的原因\n".encode())
    assert table.named(table.lines[0]) == COMPANY
    assert table.passed_over == ["序号"]
    assert table.heading("uscc") == "*统一社会信用代码"
    assert table.heading("phone") == "phone"


def test_a_line_number_is_that_of_the_file_where_a_cell_has_several_lines() -> None:
    table = companies(f'{CHINESE}\r\n"{CODE}","两\r\n行",林小满,{NUMBER}\r\n{ROW},,多\r\n'.encode())
    assert [line.number for line in table.lines] == [2, 4]
    assert [table.overflows(line) for line in table.lines] == [False, True]


@pytest.mark.parametrize("cell", [f"'{NUMBER}", f'="{NUMBER}"', f"\t{NUMBER} ", f"' {NUMBER}"])
def test_what_keeps_a_number_a_text_in_a_spreadsheet_is_taken_off(cell: str) -> None:
    written = io.StringIO()
    csv.writer(written).writerow([CODE, "示例有限公司", "林小满", cell])
    table = companies(f"{CHINESE}\n{written.getvalue()}".encode())
    assert table.named(table.lines[0]) == COMPANY


@given(st.binary(max_size=400), st.sampled_from([b"", f"{CHINESE}\n".encode(), f"{CHINESE}\r".encode("gbk")]))
def test_no_file_makes_the_reader_stumble(data: bytes, before: bytes) -> None:
    with suppress(TableRefused):
        table = companies(before + data)
        for line in table.lines:
            parse_company(line.number, table.named(line))
        assert companies(write_report(table, [(line, "没有") for line in table.lines])).columns


@given(st.dictionaries(st.sampled_from(sorted(COMPANY_COLUMNS)), st.text(max_size=60)))
def test_no_cell_makes_a_row_stumble(cells: dict[str, str]) -> None:
    parsed = parse_company(2, cells)
    assert parsed.faults or CompanyRow.of(parsed)


@given(st.lists(st.lists(st.text("'=\"+-@,;019 \t\n＝A名", max_size=6), min_size=4, max_size=4), max_size=4))
def test_a_report_reads_back_as_what_was_refused(rows: list[list[str]]) -> None:
    """Whatever the cells hold: what a spreadsheet would run or round is only made harmless."""
    written = io.StringIO()
    csv.writer(written).writerows([CHINESE.split(","), *rows])
    table = companies(written.getvalue().encode())
    again = companies(write_report(table, [(line, "证件号码：不正确") for line in table.lines]))
    assert [again.named(line) for line in again.lines] == [table.named(line) for line in table.lines]


@pytest.mark.parametrize("cell", ["=HYPERLINK(1)", "+1", "-1", "@SUM(A1)", "＝1+1", NUMBER, "13912345678901"])
def test_a_report_holds_nothing_that_a_spreadsheet_runs_or_rounds(cell: str) -> None:
    table = companies(f"{CHINESE},原因\n{CODE},{cell},林小满,{NUMBER},旧\n".encode())
    report = write_report(table, [(table.lines[0], "=1+1")]).decode("utf-8-sig")
    assert list(csv.reader(io.StringIO(report))) == [
        [*CHINESE.split(","), "原因"],
        [CODE, f"'{cell}", "林小满", f"'{NUMBER}", "'=1+1"],
    ]


def test_a_company_may_leave_cells_empty() -> None:
    row = CompanyRow.of(a_company_row())
    assert (row.uscc, row.name, row.representative_name) == (CODE, "示例有限公司", "林小满")
    assert (row.type, row.status) == (None, None)
    assert row.document == (IdType.RESIDENT, NUMBER)
    assert (row.validity, row.phone) == (Validity(None, None), None)


def test_everything_a_row_can_say_is_read() -> None:
    said = {
        "uscc": f" {CODE.lower()} ",
        "type": "个体工商户",
        "status": "吊销",
        "representative_id_type": "护照",
        "representative_id_number": "e1234 5678",
        "id_valid_from": "2020-01-31",
        "id_valid_until": "2030-01-31",
        "phone": "+86 139-1234-5678",
    }
    row = CompanyRow.of(a_company_row(**said))
    assert (row.uscc, row.type, row.status) == (CODE, EnterpriseType.SOLE_TRADER, EnterpriseStatus.REVOKED)
    assert row.document == (IdType.PASSPORT, "E12345678")
    assert row.validity == Validity(date(2020, 1, 31), date(2030, 1, 31))
    assert row.phone == "13912345678"


@pytest.mark.parametrize(
    "day", ["2020-01-31", "2020/1/31", "2020.1.31", "20200131", "2020年1月31日", "２０２０-01-31"]
)
@pytest.mark.parametrize("end", ["长期", "长期有效", "9999-12-31"])
def test_days_are_read_as_spreadsheets_write_them(day: str, end: str) -> None:
    row = CompanyRow.of(a_company_row(id_valid_from=day, id_valid_until=end))
    assert row.validity == Validity(date(2020, 1, 31), None)


@pytest.mark.parametrize(
    ("column", "cell", "told"),
    [
        ("uscc", "", "请填写统一社会信用代码"),
        ("uscc", CODE[:-1] + "O", "请核对 18 位代码"),
        ("uscc", "9.19E+17", "科学计数法"),
        ("name", " ", "请填写企业名称"),
        ("name", "名" * 201, "最多 200 个字"),
        ("name", "示例\n有限公司", "控制字符"),
        ("type", "有限责任公司", "法人类型应为：企业法人、个体工商户"),
        ("status", "存续", "正常、吊销、注销"),
        ("representative_name", "", "请填写姓名"),
        ("representative_name", "林\x00小满", "控制字符"),
        ("representative_id_type", "驾驶证", "证件类型应为：居民身份证、港澳居民来往内地通行证"),
        ("representative_id_number", "", "请填写证件号码"),
        ("representative_id_number", "9.90E+17", "科学计数法"),
        ("representative_id_number", "９.９Ｅ+17", "科学计数法"),
        ("representative_id_number", a_resident_number(2)[:15] + "000", "末三位可能被表格软件改成了 0"),
        ("representative_id_number", NUMBER[:-1], "请核对 18 位号码"),
        ("phone", "0431-80767550", "11 位"),
        ("phone", "1.39E+10", "科学计数法"),
        ("id_valid_from", "31/01/2020", "2020-01-31 的样子"),
        ("id_valid_from", "43861", "2020-01-31 的样子"),
        ("id_valid_from", "2021-02-29", "没有这一天"),
        ("id_valid_until", "2030-01-31", "也要填开始日期"),
    ],
)
def test_what_is_wrong_with_a_company_is_said_of_its_cell(column: str, cell: str, told: str) -> None:
    (fault,) = a_company_row(**{column: cell}).faults
    assert fault.column == ("id_valid_from" if "开始日期" in told else column)
    assert told in fault.sentence


@pytest.mark.parametrize("until", ["", "2019-12-31"])
def test_a_document_that_begins_also_ends_and_later(until: str) -> None:
    (fault,) = a_company_row(id_valid_from="2020-01-31", id_valid_until=until).faults
    assert fault.column == "id_valid_until"


def test_every_wrong_cell_of_a_row_is_told_at_once() -> None:
    faults = a_company_row(uscc="1", phone="2", id_valid_from="3").faults
    assert [fault.column for fault in faults] == ["uscc", "id_valid_from", "phone"]


@pytest.mark.parametrize("kind", list(IdType), ids=lambda kind: kind.value)
def test_check_digits_are_asked_for_where_the_document_has_them(kind: IdType) -> None:
    parsed = a_person_row(id_type=kind.value, id_number="h12345678")
    assert bool(parsed.faults) == (kind is IdType.RESIDENT)


def test_a_person_may_have_an_account_name_and_needs_a_phone() -> None:
    assert PersonRow.of(a_person_row()).account is None
    assert PersonRow.of(a_person_row(account="Lin_Xiaoman")).account == "lin_xiaoman"
    (short,) = a_person_row(account="lin").faults
    assert short.column == "account"
    assert "6-20 位" in short.sentence
    (missing,) = a_person_row(phone="").faults
    assert missing == ("phone", "请填写手机号码")


def test_an_account_name_that_looks_like_the_number_of_a_document_is_refused() -> None:
    [fault] = a_person_row(account="E87654321").faults
    assert fault.column == "account"
    assert "不能是证件号码的样子" in fault.sentence
