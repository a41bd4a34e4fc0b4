"""企业 at the console: found by name or code, their mandates a page at a time, changed for a reason."""

from __future__ import annotations

import pytest
from sqlalchemy import insert, update

from idp.accounts.audit import Action
from idp.accounts.models import Credential, Enterprise, EnterpriseStatus
from idp.accounts.staff import StaffRole
from idp.db import uuid7
from tests.entering import enter
from tests.pages import error_sentences
from tests.staff.deciding import REASON, TOO_LATE, is_dead, send, signed_on, trail, with_reason
from tests.world import ACompany, Browser, World


def renamed(world: World, company: ACompany, name: str) -> None:
    """Give a company the name a test looks for."""
    with world.write() as db:
        db.execute(update(Enterprise).where(Enterprise.id == company.row.id).values(name=name))


def many_companies(world: World, number: int) -> None:
    """Companies with nothing but a name."""
    holder = world.a_person().row.id
    rows = [
        {
            "id": uuid7(),
            "uscc": f"{uuid7().hex[:2]}{uuid7().hex[-16:]}",
            "name": f"批量{one}号",
            "representative_id": holder,
            "created_at": world.now(),
        }
        for one in range(number)
    ]
    with world.write() as db:
        db.execute(insert(Enterprise), rows)


def listed(browser: Browser, **asked: str) -> str:
    """What the list says to a search."""
    page = browser.open("/staff/companies", query_string=asked)
    assert page.status == 200
    return page.text


def test_companies_are_found_by_part_of_the_name_or_by_code(world: World) -> None:
    company, other, console = world.a_company(), world.a_company(), world.at_the_console()
    renamed(world, company, "吉林（集团）ABC 有限公司")
    for typed in (
        "吉林（集团）",
        "吉林(集团)",
        "林(集",
        "abc",
        "ＡＢＣ",
        company.uscc,
        f" {company.uscc.lower()} ",
    ):
        text = listed(console, typed=typed)
        assert company.uscc in text, typed
        assert other.uscc not in text, typed
    assert "没有符合的企业" in listed(console, typed="没有这个名称")


def test_wildcards_and_quotes_are_letters_like_others(world: World) -> None:
    for typed in ["%", "_", "100%", "\\", "'", "/", '"><script>', "a_b"]:
        plain, special, console = world.a_company(), world.a_company(), world.at_the_console()
        renamed(world, special, f"甲 {typed} 乙")
        text = listed(console, typed=typed)
        assert special.uscc in text
        assert plain.uscc not in text
        assert "<script>" not in console.open("/staff/companies", query_string={"typed": typed}).html


@pytest.mark.parametrize("installation", ["sqlite"], indirect=True)
def test_what_can_be_no_name_is_refused_politely(world: World) -> None:
    for typed, sentence in [
        ("甲" * 101, "查找内容最多 100 个字符，请写短一些再查"),
        ("甲" * 1_000, "查找内容最多 100 个字符，请写短一些再查"),
        ("甲\u202e乙", "查找内容里有不能显示的字符，请重新填写"),
        ("甲\x07乙", "查找内容里有不能显示的字符，请重新填写"),
    ]:
        page = world.at_the_console().open("/staff/companies", query_string={"typed": typed})
        assert page.status == 200
        assert error_sentences(page) == [sentence]


@pytest.mark.parametrize("typed", ["\0", "甲" * 10_000])
def test_a_nul_and_an_endless_address_are_refused_at_the_door(world: World, typed: str) -> None:
    assert world.at_the_console().open("/staff/companies", query_string={"typed": typed}).status in {400, 414}


def test_the_list_is_narrowed_by_state(world: World) -> None:
    """MISSION A19 待激活, section Y 吊销/注销."""
    companies = {
        "normal": world.a_company(),
        "pending": world.a_company(active=False),
        "suspended": world.a_company(),
        "revoked": world.a_company(status=EnterpriseStatus.REVOKED),
        "deregistered": world.a_company(status=EnterpriseStatus.DEREGISTERED),
    }
    console = world.at_the_console()
    with_reason(console, f"/staff/companies/{companies['suspended'].row.id}/suspend")
    for state in companies:
        text = listed(console, state=state)
        shown = {name for name, company in companies.items() if company.uscc in text}
        assert shown == {state}
        assert "共 1 家" in text
    for state in ("", "no-such-state"):
        assert all(company.uscc in listed(console, state=state) for company in companies.values())


def test_the_list_has_twenty_a_page_and_says_when_there_are_too_many(world: World) -> None:
    console = world.at_the_console()
    many_companies(world, 45)
    page = console.open("/staff/companies?typed=批量")
    assert page.html.count("/staff/companies/") == 20
    assert "共 45 家" in page.text
    assert "1 / 3" in page.text
    assert "上一页" not in page.text
    page = console.open("/staff/companies?typed=批量&page=3")
    assert page.html.count("/staff/companies/") == 5
    assert "下一页" not in page.text
    for number in ("0", "-1", "x", "9" * 100, "9" * 5000):
        assert console.open(f"/staff/companies?typed=批量&page={number}").status == 200
    many_companies(world, 956)
    page = console.open("/staff/companies?typed=批量&page=51")
    assert "超过 1000 家" in page.text
    assert "50 / 50" in page.text


def test_the_page_shows_a_company_with_its_people_masked(world: World) -> None:
    operator, console = world.an_operator(department="财务部", manage_operators=True), world.at_the_console()
    company = operator.company
    browser = world.browser(address="127.0.0.7")
    enter(browser, company)
    page = console.open(f"/staff/companies/{company.row.id}")
    for person in (company.representative, operator.person):
        assert person.name not in page.html
        assert person.phone not in page.html
        assert f"/staff/accounts/{person.row.id}" in page.html
    phone = company.representative.phone
    for expected in (company.name, company.uscc, company.account, f"{phone[:3]}****{phone[-4:]}", "企业法人"):
        assert expected in page.text
    for expected in ("127.0.0.7", "法定代表人", "林*满", "财务部", "可管理经办人", "生效 1", "全部 1"):
        assert expected in page.text
    assert page.response.headers["Cache-Control"] == "no-store"


def test_a_suspended_company_is_out_with_all_who_act_for_it(world: World) -> None:
    operator, console = world.an_operator(), world.at_the_console()
    company = operator.company
    acting, leading, private = world.browser(), world.browser(), world.browser()
    enter(acting, operator)
    client, tokens = signed_on(world, acting, "openid entity offline_access")
    enter(leading, company)
    enter(private, operator.person)
    page = with_reason(console, f"/staff/companies/{company.row.id}/suspend")
    assert "账号已停用，全部登录已退出。" in page.text
    assert "现在没有生效的登录" in page.text
    assert is_dead(world, acting, client, tokens)
    assert leading.open("/center/enterprise", follow=False).status == 302
    assert private.open("/center/person", follow=False).status == 200, "his own account is not the company's"
    assert "该企业的账号已停用" in leading.sign_in_legal(company).text
    line = trail(world, Action.ACCOUNT_SUSPENDED)[0]
    assert (line.target, line.detail) == (f"enterprise:{company.row.id}", {"reason": REASON})
    assert "账号已恢复" in with_reason(console, f"/staff/companies/{company.row.id}/resume").text
    leading.sign_in_legal(company)
    assert leading.open("/center/enterprise", follow=False).status == 200


def test_resuming_lifts_what_the_representative_locked(world: World) -> None:
    company, console = world.a_company(), world.at_the_console()
    assert company.row.account is not None
    with world.write() as db:
        own = update(Credential).where(Credential.legal_account_id == company.row.account.id)
        db.execute(own.values(locked_at=world.now()))
    page = f"/staff/companies/{company.row.id}"
    assert "已锁定" in console.open(page).text
    assert "由法定代表人点「不是我」锁定" in console.open(f"{page}/resume").text
    assert "正常" in with_reason(console, f"{page}/resume").text
    assert [line.target for line in trail(world, Action.ACCOUNT_UNLOCKED)] == [
        f"legal:{company.row.account.id}"
    ]


def test_all_sign_ins_of_a_company_end_and_its_account_stays_open(world: World) -> None:
    operator, console, acting = world.an_operator(), world.at_the_console(), world.browser()
    enter(acting, operator)
    client, tokens = signed_on(world, acting, "openid entity offline_access")
    page = with_reason(console, f"/staff/companies/{operator.company.row.id}/sign-out")
    assert "全部登录已退出，账号本身不受影响。" in page.text
    assert is_dead(world, acting, client, tokens)
    acting.sign_in_operator(operator)
    assert acting.open("/center/operator", follow=False).status == 200


@pytest.mark.parametrize("change", ["suspend", "resume", "sign-out"])
def test_of_two_administrators_the_later_one_is_told(world: World, change: str) -> None:
    company, first, second = world.a_company(), world.at_the_console(), world.at_the_console()
    address = f"/staff/companies/{company.row.id}"
    if change == "resume":
        with_reason(first, f"{address}/suspend")
    else:
        world.browser().sign_in_legal(company)
    for browser in (first, second):
        assert browser.open(f"{address}/{change}").status == 200
    assert send(first, {"reason": REASON}).status == 200
    before = len(trail(world, *Action))
    page = send(second, {"reason": REASON})
    assert page.status == 409
    assert TOO_LATE in page.text
    assert len(trail(world, *Action)) == before


def test_the_reserved_phone_is_shown_for_a_reason_on_record(world: World) -> None:
    """SECURITY 76."""
    company, console = world.a_company(), world.at_the_console()
    phone = company.representative.phone
    assert phone not in console.open(f"/staff/companies/{company.row.id}/view").html
    for refused in ("", f"{company.representative.name}来电", f"回拨 {phone}"):
        page = send(console, {"reason": refused})
        assert error_sentences(page)
        assert phone not in page.text.replace(refused, "")
    page = send(console, {"reason": REASON})
    assert phone in page.text
    assert company.representative.name not in page.text
    assert [(line.target, line.detail) for line in trail(world, Action.DATA_VIEWED)] == [
        (f"enterprise:{company.row.id}", {"fields": ["phone"], "reason": REASON})
    ]


def test_a_company_not_activated_has_a_page_too(world: World) -> None:
    company, console = world.a_company(active=False), world.at_the_console()
    text = console.open(f"/staff/companies/{company.row.id}").text
    for expected in ("待激活", "没有设置", "没有登记", "没有这种状态的授权"):
        assert expected in text
    assert "没有登记" in with_reason(console, f"/staff/companies/{company.row.id}/view").text


def test_an_id_of_nobodys_or_of_another_kind_is_not_found(world: World) -> None:
    for what in ["", "/view", "/suspend", "/resume", "/sign-out"]:
        company, console = world.a_company(), world.at_the_console()
        assert company.row.account is not None
        for wrong in (uuid7(), company.representative.row.id, company.row.account.id, "1", "%00", "no-uuid"):
            assert console.open(f"/staff/companies/{wrong}{what}").status == 404


@pytest.mark.parametrize("installation", ["sqlite"], indirect=True)
def test_only_an_administrator_may(world: World) -> None:
    for role in [StaffRole.SERVICE, StaffRole.SUPERVISOR, StaffRole.AUDITOR]:
        operator, console = world.an_operator(), world.at_the_console(role)
        company = f"/staff/companies/{operator.company.row.id}"
        ending = f"{company}/mandates/{operator.mandate.id}/end"
        for address in ("/staff/companies", company, f"{company}/view", f"{company}/suspend", ending):
            page = console.open(address)
            assert page.status == 403
            assert operator.company.name not in page.html
