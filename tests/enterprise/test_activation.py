"""Activating a company's account that was brought in: the four steps as one meets them (C01–C05)."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from sqlalchemy import select

from idp.accounts.agreements import CURRENT, Acceptance
from idp.accounts.audit import Action, AuditEvent
from idp.accounts.documents import Term, end_of
from idp.accounts.models import Enterprise, EnterpriseStatus, LegalAccount, Person
from tests.enterprise.pending import FIRST_DAY, NEW_PASSWORD, NOBODY, PHONE, a_waiting_company
from tests.messages import last_code, waiting
from tests.oauth.asking import later
from tests.portals import Authorization
from tests.world import World, a_credit_code, a_resident_number, error_sentences


def test_a_company_is_activated_in_four_steps_and_signs_in_by_both_names(world: World) -> None:
    """C02, C03, C04, C05."""
    company, browser = a_waiting_company(world), world.browser()
    page = company.tells(browser)
    assert page.url.startswith("/activate/phone?j=")
    assert "137****0001" in page.text
    browser.submit({"send": "1"})
    page = browser.submit({"code": last_code(world, PHONE)})
    assert page.url.startswith("/activate/password?j=")
    page = company.chooses(browser, account="Yunshan_Build")
    assert page.url.startswith("/activate/done?j=")
    assert "yunshan_build" in page.text
    assert 'href="/login/legal"' in page.html
    for typed in ("yunshan_build", company.company.uscc):
        other = world.browser()
        other.open("/login/legal")
        page = other.submit_with_captcha({"account": typed, "password": NEW_PASSWORD})
        assert page.url == "/center/enterprise", page.text


def test_the_fields_stand_in_the_order_of_the_guide(world: World) -> None:
    """C03: from 法人类型 to 图片验证码; the summary lists them in the same order."""
    browser = world.browser()
    page = browser.open("/activate")
    order = ["法人类型", "企业名称", "统一社会信用代码", "法定代表人姓名", "证件类型", "法定代表人证件号码"]
    order += ["证件有效期", "身份证有效开始日期", "身份证有效结束日期", "图形验证码"]
    places = [page.html.index(f">{label}<") for label in order]
    assert places == sorted(places)
    page = browser.submit_with_captcha({"captcha": ""})
    assert error_sentences(browser.submit({}))[:4] == [
        "请填写企业名称",
        "请填写统一社会信用代码",
        "请填写法定代表人姓名",
        "请填写法定代表人证件号码",
    ]


WRONG = (
    ("type", "公司", "请选择法人类型"),
    ("name", "", "请填写企业名称"),
    ("name", "第" * 201, "企业名称最多 200 个字，不能换行"),
    ("uscc", "", "请填写统一社会信用代码"),
    ("uscc", "9199010", "统一社会信用代码应为 18 位，目前填写了 7 位"),
    ("uscc", a_credit_code(1)[:-1] + "0", "统一社会信用代码不正确，请对照营业执照或登记证书核对"),
    ("representative_name", "", "请填写法定代表人姓名"),
    ("representative_name", "林", "请填写法定代表人的完整姓名"),
    ("representative_name", "林" * 101, "姓名最多 100 个字，不能换行"),
    ("id_type", "licence", "请选择证件类型"),
    ("id_number", "", "请填写法定代表人证件号码"),
    ("id_number", "99010019", "居民身份证号码应为 18 位，目前填写了 8 位"),
    ("term", "7", "请选择证件有效期"),
    ("valid_from", "", "请选择身份证有效开始日期"),
    ("valid_from", "2021-02-30", "有效开始日期不正确，请按证件填写，例如 2019-03-08"),
    ("valid_until", "2041-03-05", "按 20 年计算，结束日期应为 2041-03-04，请核对有效期"),
)
"""Field, what is typed there, what is said of it."""


def test_each_field_that_is_wrong_says_so_and_what_was_typed_is_kept(world: World) -> None:
    company, browser = a_waiting_company(world), world.browser()
    for field, typed, sentence in WRONG:
        page = company.tells(browser, **{field: typed})
        assert error_sentences(page) == [sentence], (field, typed)
        assert page.html.count(sentence) == 2
        kept = page.form()["fields"]
        assert kept["uscc"] == company.told(**{field: typed})["uscc"]
        assert kept["captcha"] == ""
    assert waiting(world, PHONE) == []


def test_a_document_that_is_over_is_refused_by_the_form(world: World) -> None:
    company, browser = a_waiting_company(world), world.browser()
    page = company.tells(browser, term="5", valid_from="2011-03-04")
    assert error_sentences(page) == [
        "按 5 年计算，证件已于 2016-03-04 到期。请核对有效期；确实到期的，请换领新证件后再办理"
    ]


def test_a_captcha_is_asked_for_and_good_for_one_try(world: World) -> None:
    company, browser = a_waiting_company(world), world.browser()
    browser.open("/activate")
    page = browser.submit({**company.told(), "captcha": "0000"})
    assert error_sentences(page) == ["图形验证码不正确，请填写新的一张"]
    browser.submit_with_captcha(company.told(name="别的公司"))
    assert browser.page
    used = browser.page.form()["fields"]["captcha_id"]
    company.tells(browser, name="别的公司")
    page = browser.post("/activate", {**company.told(), "captcha_id": used, "captcha": "1234"})
    assert page.url == "/activate"
    assert waiting(world, PHONE) == []


@pytest.mark.parametrize(
    "changed",
    [
        {"type": "其他组织"},
        {"name": "第零示例有限公司"},
        {"uscc": a_credit_code(999_999)},
        {"representative_name": "林大满"},
        {"id_type": "passport", "id_number": "E12345678"},
        {"id_number": a_resident_number(999_999)},
        {"term": "10"},
        {"valid_from": "2021-03-05"},
        {"term": "long"},
    ],
)
def test_one_sentence_for_whatever_is_not_as_in_the_record(world: World, changed: dict[str, str]) -> None:
    """C03, Y: which part was another, nobody is told."""
    company, browser = a_waiting_company(world), world.browser()
    company.knows_days(FIRST_DAY)
    page = company.tells(browser, **changed)
    assert (page.status, error_sentences(page)) == (200, [NOBODY])
    assert "没有核验通过" in page.text
    assert "处需要修改" not in page.text
    assert "查看帮助" in page.text


@pytest.mark.parametrize(
    ("on_record", "typed"),
    [
        ("松原（示例）ABC 有限公司", "松原(示例)abc有限公司"),
        ("松原(示例)有限公司", " 松原（ 示例 ）有限公司 "),
    ],
)
def test_a_name_may_be_typed_with_other_brackets_and_spaces(world: World, on_record: str, typed: str) -> None:
    company, browser = a_waiting_company(world), world.browser()
    company.changes(name=on_record)
    assert company.tells(browser, name=typed).url.startswith("/activate/phone")


def test_the_name_of_what_is_no_company_is_called_another(world: World) -> None:
    """X10: without a script the server says it, once the kind was sent."""
    browser = world.browser()
    browser.open("/activate")
    page = browser.submit({"type": "事业单位法人", "again": "1"})
    assert "单位名称" in page.text
    assert "企业名称" not in page.text


def test_a_company_that_is_active_is_told_so_after_a_full_match_alone(world: World) -> None:
    active, browser = a_waiting_company(world), world.browser()
    active.proves_the_phone(browser)
    active.chooses(browser)
    other = world.browser()
    assert error_sentences(active.tells(other, representative_name="林大满")) == [NOBODY]
    page = active.tells(other)
    assert "这个企业账号已经激活" in page.text
    assert {"前往登录", "忘记密码"} <= set(page.text.split())


@pytest.mark.parametrize(
    ("column", "value", "sentence"),
    [
        ("status", EnterpriseStatus.REVOKED.value, "该企业的营业执照已被吊销，不能激活"),
        ("status", EnterpriseStatus.DEREGISTERED.value, "该企业已注销，不能激活"),
        ("suspended_at", "now", "该企业的账号已停用"),
    ],
)
def test_a_company_that_is_closed_is_told_so_after_a_full_match_alone(
    world: World, column: str, value: Any, sentence: str
) -> None:
    company, browser = a_waiting_company(world), world.browser()
    company.changes(**{column: world.now() if value == "now" else value})
    assert error_sentences(company.tells(browser, representative_name="林大满")) == [NOBODY]
    page = company.tells(browser)
    assert page.status == 403
    assert sentence in page.text


def test_a_representative_who_is_suspended_activates_nothing(world: World) -> None:
    company, browser = a_waiting_company(world), world.browser()
    with world.write() as db:
        db.get_one(Person, company.company.representative.row.id).suspended_at = world.now()
    assert company.tells(browser).status == 403


def test_a_company_without_a_phone_on_record_hears_of_the_ways_out(world: World) -> None:
    """Y: the code goes only to the phone of the record."""
    company, browser = a_waiting_company(world), world.browser()
    company.has_phone(None)
    assert error_sentences(company.tells(browser, name="别的公司")) == [NOBODY]
    page = company.tells(browser)
    assert "没有留存手机号码" in page.text
    assert world.settings.hotline in page.text


def test_days_that_are_not_on_record_are_kept_at_the_end(world: World) -> None:
    company, browser = a_waiting_company(world), world.browser()
    company.proves_the_phone(browser)
    with world.reading() as db:
        assert db.get_one(Person, company.company.representative.row.id).id_valid_from is None
    company.chooses(browser)
    with world.reading() as db:
        person = db.get_one(Person, company.company.representative.row.id)
        assert (person.id_valid_from, person.id_valid_until) == (FIRST_DAY, end_of(FIRST_DAY, Term.TWENTY))


def test_days_that_are_on_record_stay_and_long_ones_are_compared(world: World) -> None:
    company, browser = a_waiting_company(world), world.browser()
    company.knows_days(FIRST_DAY, Term.LONG)
    assert error_sentences(company.tells(browser)) == [NOBODY]
    assert company.tells(browser, term="long").url.startswith("/activate/phone")


def test_of_a_leap_day_both_ends_are_right(world: World) -> None:
    company, browser = a_waiting_company(world), world.browser()
    with world.write() as db:
        person = db.get_one(Person, company.company.representative.row.id)
        person.id_valid_from, person.id_valid_until = date(2024, 2, 29), date(2034, 3, 1)
    page = company.tells(browser, term="10", valid_from="2024-02-29", valid_until="2034-02-28")
    assert page.url.startswith("/activate/phone")


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"account": ""}, "请填写账号"),
        ({"account": "abc"}, "账号应为 6-20 位字符，以字母开头，"),
        ({"account": "1abcdef"}, "账号应为 6-20 位字符，以字母开头，"),
        ({"account": "a" * 21}, "账号应为 6-20 位字符，以字母开头，"),
        ({"account": "云杉建筑公司"}, "账号应为 6-20 位字符，以字母开头，"),
        ({"new_password": ""}, "请设置密码"),
        ({"confirm_password": ""}, "请再次输入密码"),
        ({"confirm_password": "Paper-lantern 78"}, "两次填写的密码不一样"),
        ({"new_password": "short1", "confirm_password": "short1"}, "密码至少 8 个字符，目前是 6 个"),
        ({"new_password": "a" * 9 + PHONE, "confirm_password": "a" * 9 + PHONE}, "密码里不能包含账号、"),
        (
            {"new_password": "x yunshan_build 9", "confirm_password": "x yunshan_build 9"},
            "密码里不能包含账号、",
        ),
        ({"agreed": ""}, "请阅读并勾选同意《注册协议》与《隐私政策》"),
    ],
)
def test_each_choice_that_is_wrong_says_so_and_no_password_comes_back(
    world: World, changed: dict[str, str], sentence: str
) -> None:
    """C04, X1, X2, B16."""
    company, browser = a_waiting_company(world), world.browser()
    company.proves_the_phone(browser)
    page = company.chooses(browser, **changed)
    [said] = error_sentences(page)
    assert said.startswith(sentence)
    assert page.form()["fields"]["account"] == changed.get("account", "yunshan_build")
    assert NEW_PASSWORD not in page.html
    assert not company.is_active
    assert company.chooses(browser).url.startswith("/activate/done")


def test_an_account_name_that_somebody_has_is_told_beside_its_field(world: World) -> None:
    company, browser, taken = a_waiting_company(world), world.browser(), world.a_person()
    company.proves_the_phone(browser)
    page = company.chooses(browser, account=taken.account)
    assert error_sentences(page) == ["这个账号已被使用，请换一个"]
    assert not company.is_active
    assert company.chooses(browser).url.startswith("/activate/done")


def test_both_texts_are_linked_and_the_versions_that_were_accepted_are_kept(world: World) -> None:
    company, browser = a_waiting_company(world), world.browser()
    page = company.proves_the_phone(browser)
    for text in ("terms", "privacy"):
        assert f'href="/pages/{text}"' in page.html
    company.chooses(browser)
    with world.reading() as db:
        accepted = db.scalars(select(Acceptance).where(Acceptance.account == company.key)).all()
    assert {each.document: each.version for each in accepted} == CURRENT


def test_the_phone_is_told_and_the_trail_knows(world: World) -> None:
    company, browser = a_waiting_company(world), world.browser()
    company.proves_the_phone(browser)
    company.chooses(browser)
    assert "您的企业账号已激活" in waiting(world, PHONE)[-1]["text"]
    with world.reading() as db:
        [line] = db.scalars(select(AuditEvent).where(AuditEvent.action == Action.ACCOUNT_ACTIVATED)).all()
    assert (line.target, line.entity) == (company.key, str(company.company.row.id))
    assert line.actor == f"person:{company.company.representative.row.id}"


def test_what_the_form_did_not_ask_for_is_not_taken(world: World) -> None:
    """SECURITY 59: role, status, verified and the like."""
    company, browser = a_waiting_company(world), world.browser()
    more = {
        "role": "administrator",
        "status": "revoked",
        "verified": "1",
        "is_staff": "1",
        "phone": "13811111111",
    }
    browser.open("/activate")
    browser.submit_with_captcha({**company.told(), **more})
    browser.submit({"send": "1", **more})
    browser.submit({"code": last_code(world, PHONE), **more})
    company.chooses(browser, **more)
    with world.reading() as db:
        row = db.get_one(Enterprise, company.company.row.id)
        account = db.get_one(LegalAccount, company.account_id)
        assert row.status == EnterpriseStatus.NORMAL
        assert account.phone(world.backends.vault) == PHONE


def test_what_the_browser_came_for_is_carried_to_the_sign_in(world: World) -> None:
    company, browser = a_waiting_company(world), world.browser()
    asked = browser.open(Authorization(world.a_client()).address(), follow=False)
    transaction = asked.query["tx"]
    company.tells(browser, at=f"/activate?tx={transaction}")
    browser.submit({"send": "1"})
    browser.submit({"code": last_code(world, PHONE)})
    page = company.chooses(browser)
    assert f'href="/login/legal?tx={transaction}"' in page.html


def test_a_refused_first_step_shows_what_was_typed_when_it_is_loaded_again(world: World) -> None:
    """For 后退 and 刷新; so does one whose journey was gone. What was corrected is what is shown then."""
    company, browser = a_waiting_company(world), world.browser()
    first = company.tells(browser, uscc="91990100MA0000000X").url
    fields = browser.open(first).form()["fields"]
    assert (fields["name"], fields["uscc"]) == (company.company.name, "91990100MA0000000X")
    assert browser.submit_with_captcha(company.told()).url.startswith("/activate/phone?j=")
    page = browser.open(first)
    assert page.form()["fields"]["uscc"] == company.company.uscc
    with later(seconds=world.settings.journey_lifetime + 1):
        page = browser.submit_with_captcha(company.told())
        assert error_sentences(page)[0].startswith("这个页面打开太久")
        assert page.url != first
        assert browser.open(page.url).form()["fields"]["uscc"] == company.company.uscc
        assert browser.submit_with_captcha(company.told()).url.startswith("/activate/phone?j=")
