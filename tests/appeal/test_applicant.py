"""Filing an appeal: which kind, who one is, two proved phones, and then there is a draft (E01–E06, X26)."""

from __future__ import annotations

import re

import pytest

from idp.appeal.models import State
from tests.appeal.applicants import Applicant, acts, only, rows
from tests.appeal.builders import an_appeal
from tests.login.acting import later
from tests.messages import last_code, waiting
from tests.oauth.asking import at_once
from tests.person.registering import another_message_may_go
from tests.world import Browser, World, error_sentences

_FIELDS = re.compile(r'<(?:input|select)[^>]*\bname="(\w+)"')
_STEPS = re.compile(r'<ol class="tx-steps".*?</ol>', re.DOTALL)


def journey_of(browser: Browser) -> str:
    """The journey whose page is open in `browser`."""
    assert browser.page
    return browser.page.url.partition("j=")[2].partition("&")[0]


def fields_of(browser: Browser) -> list[str]:
    """The names of the fields of the page's form, as they stand there."""
    assert browser.page
    main = browser.page.html.partition('id="main"')[2].partition("</main>")[0]
    shown = dict.fromkeys(_FIELDS.findall(main))
    return [name for name in shown if name not in {"csrf_token", "captcha_id", "sms_ref"}]


def test_the_choice_says_when_which_kind_is_right_and_what_to_have_ready(world: World) -> None:
    """E01, E02, E03."""
    with world.rewired(hotline="0431 80767550") as there:
        page = there.browser().open("/appeal")
    for words in (
        *("未注册", "辅助企业注册申诉", "法定代表人信息不匹配", "已注册", "修改企业信息申诉", "密码无法找回"),
        *(
            "企业营业执照原件",
            "申诉授权书",
            "法定代表人身份证",
            "经办人身份证",
            "手持自己身份证",
            "3 个工作日",
        ),
        *("拨打服务热线", "查询进度或继续未提交的申诉"),
    ):
        assert words in page.text, words
    for href in (
        '/appeal/identity?kind=unregistered"',
        '/appeal/identity?kind=registered"',
        '/appeal/result"',
    ):
        assert f'href="{href}' in page.html, href
    assert re.search(r'href="/theme/appeal/authorisation\.docx', page.html)
    assert re.search(r'href="/theme/appeal/authorisation\.pdf', page.html)


def test_who_cannot_help_himself_is_led_to_an_appeal(world: World) -> None:
    """A07, E16: from the company's sign-in, from a reset that fails, from an activation that fails."""
    browser = world.browser()
    assert 'href="/appeal">账号申诉' in browser.open("/login/legal").html
    assert 'href="/appeal"' not in browser.open("/login/person").html
    for address in ("/reset/legal", "/help"):
        assert 'href="/appeal"' in browser.open(address).html, address
    assert 'href="/appeal"' not in browser.open("/reset/person").html


def test_the_fields_stand_in_the_order_of_the_guide_and_the_steps_are_three(world: World) -> None:
    """E04, E05, X26."""
    browser = world.browser()
    page = browser.open("/appeal/identity?kind=unregistered")
    guide = ["type", "name", "uscc", "representative_name", "id_type", "id_number", "term", "valid_from"]
    assert fields_of(browser) == [*guide, "valid_until", "account", "phone", "captcha", "code"]
    [steps] = _STEPS.findall(page.html)
    assert re.findall(r"<li[^>]*>(.*?)</li>", steps) == ["身份验证", "材料上传", "完成"]
    assert 'value="5" checked' in re.sub(r"\s+", " ", page.html)


def test_an_address_without_a_kind_leads_to_the_choice(world: World) -> None:
    for query in ("", "?kind=", "?kind=%3Cb%3E", "?j=AAAAAAAAAAAAAAAAAAAAAA"):
        assert world.browser().open(f"/appeal/identity{query}").url == "/appeal", query
    for step in ("operator", "materials", "done"):
        page = world.browser().open(f"/appeal/{step}?j=AAAAAAAAAAAAAAAAAAAAAA")
        assert page.status == 400, step
    # Among the papers there is a draft, and nobody is told to begin anew.
    assert "已经上传的材料和填写的备注都还在" in page.text
    assert 'href="/appeal/result"' in page.html


def test_two_proved_phones_make_a_draft_whose_number_is_told_at_once(world: World) -> None:
    """E04, E06."""
    him, browser = Applicant(world), world.browser()
    assert him.tells(browser).url.startswith("/appeal/operator?j=")
    assert rows(world) == []
    page = him.proves_own_phone(browser)
    appeal = only(world, him.told()["uscc"])
    assert re.fullmatch(r"SS-\d{8}-\d{6}", appeal.number)
    assert appeal.number in page.text
    assert "7 天内" in page.text
    row = appeal.row(world)
    assert (row.state, row.kind, row.name) == ("draft", "unregistered", him.told()["name"])
    assert (appeal.told.phone, appeal.told.operator_phone) == (him.phone, him.own_phone)
    assert appeal.told.claim.document.id_number == him.told()["id_number"]
    assert acts(world, appeal) == ["appeal_begun"]
    with world.reading() as db:
        kept = b"".join(bytes(cell) for cell in (db.merge(row).told_sealed, row.phone_index))
    assert him.phone.encode() not in kept


def test_each_field_that_is_wrong_says_so_and_the_phone_stays_proved(world: World) -> None:
    him, browser = Applicant(world), world.browser()
    him.asks_for_a_code(browser)
    wrong = {
        "name": "",
        "uscc": "91990100MA0TX00119",
        "representative_name": "田",
        "id_number": "990100197804120241",
        "valid_from": "2050-01-01",
        "account": "1",
    }
    page = browser.submit({**him.told(**wrong), "code": last_code(world, him.phone)})
    said = error_sentences(page)
    assert len(said) == len(wrong), said
    assert "请填写企业名称" in said
    assert "手机号码已验证" in page.text
    assert page.form()["fields"]["account"] == "1"
    # Coming back by the address shows what was typed; another phone wants a code of its own.
    assert browser.open(page.url).form()["fields"]["uscc"] == wrong["uscc"]
    same = browser.submit({**him.told(), "send": "other"})
    assert [one[:9] for one in error_sentences(same)] == ["这个号码已经验证过"]
    elsewhere = browser.submit({**him.told(phone="13300000001"), "send": "other"})
    assert error_sentences(elsewhere) == ["请填写图形验证码"]
    other = browser.submit(him.told(phone="13300000001"))
    assert error_sentences(other) == ["请填写短信验证码"]
    assert browser.submit(him.told()).url.startswith("/appeal/operator")


def test_every_message_to_the_companys_phone_wants_a_captcha(world: World) -> None:
    him, browser = Applicant(world), world.browser()
    browser.open("/appeal/identity?kind=unregistered")
    assert error_sentences(browser.submit({**him.told(), "send": "1"})) == ["请填写图形验证码"]
    him.tells(browser)
    browser.submit({"phone": him.own_phone, "send": "1"})
    another_message_may_go(world, him.own_phone)
    assert error_sentences(browser.submit({"phone": him.own_phone, "send": "1"})) == ["请填写图形验证码"]
    assert len(waiting(world, him.own_phone)) == 1


def test_a_phone_is_proved_by_its_own_code_and_one_for_both_is_proved_once(world: World) -> None:
    """E06: what proves the company's phone proves no other one; who is both needs no second code."""
    him, browser = Applicant(world), world.browser()
    him.asks_for_a_code(browser)
    code = last_code(world, him.phone)
    browser.submit({**him.told(), "code": code})
    page = browser.submit({"phone": him.own_phone, "code": code})
    assert error_sentences(page) == ["短信验证码已过期或已使用，请重新获取"]
    assert rows(world) == []
    page = browser.submit({"phone": him.phone, "send": "1"})
    assert "手机号码已验证" in page.text
    assert len(waiting(world, him.phone)) == 1
    # Whoever changes his mind is given a code for the other one, and may change it back.
    assert re.search(r'name="send"\s+value="other"\s+formnovalidate>验证其他号码', page.html)
    page = browser.submit({"phone": him.phone, "send": "other"})
    assert [one[:9] for one in error_sentences(page)] == ["这个号码已经验证过"]
    other = "13400000009"
    page = browser.submit({"phone": other, "send": "other"})
    assert "手机号码已验证" not in page.text
    assert last_code(world, other)
    assert browser.submit({"phone": him.phone}).url.startswith("/appeal/materials")
    assert only(world, him.told()["uscc"]).told.operator_phone == him.phone


def test_whoever_chose_the_wrong_kind_goes_on_with_all_he_typed_and_proved(world: World) -> None:
    company, pending = world.a_company(), world.a_company(active=False)
    for known, kind, title, way in (
        (company, "unregistered", "该企业已注册", "/reset/legal"),
        (pending, "unregistered", "该企业账号待激活", "/activate"),
        (None, "registered", "没有找到这个企业的账号", "/help"),
    ):
        him, browser = Applicant(world), world.browser()
        changed = {"uscc": known.uscc} if known else {}
        him.tells(browser, kind=kind, **changed)
        page = him.proves_own_phone(browser)
        assert (page.status, title in page.text) == (409, True), title
        assert f'href="{way}"' in page.html
        before = len(rows(world))
        [other] = [
            href
            for href in re.findall(r'href="([^"]+)"', page.html)
            if "/appeal/identity" in href and f"kind={kind}" not in href
        ]
        page = browser.open(other.replace("&amp;", "&"))
        assert page.form()["fields"]["phone"] == him.phone
        assert "手机号码已验证" in page.text
        browser.submit(him.told(**changed))
        assert browser.submit({"phone": him.own_phone}).url.startswith("/appeal/materials"), title
        assert len(rows(world)) == before + 1
    assert {row.kind for row in rows(world)} == {"registered", "unregistered"}
    assert {row.enterprise_id for row in rows(world)} == {company.row.id, pending.row.id, None}


def test_an_account_name_that_is_taken_is_asked_for_anew_and_all_else_stays(world: World) -> None:
    taken, him, browser = world.a_company(), Applicant(world), world.browser()
    him.tells(browser, account=taken.account)
    page = him.proves_own_phone(browser)
    assert error_sentences(page) == ["这个账号已被使用，请换一个"]
    assert page.form()["fields"]["name"] == him.told()["name"]
    browser.submit(him.told())
    assert browser.submit({"phone": him.own_phone}).url.startswith("/appeal/materials")


def test_whoever_begins_again_goes_on_with_his_draft_which_says_what_he_tells_now(world: World) -> None:
    """In another browser too; with another phone it is another one's, which nobody hears of."""
    him = Applicant(world)
    first = him.begins(world.browser())
    again = him.begins(world.browser(), name="改正后的申诉示例有限公司")
    assert again.number == first.number
    assert first.row(world).name == "改正后的申诉示例有限公司"
    stranger, browser = Applicant(world), world.browser()
    stranger.tells(browser, uscc=him.told()["uscc"])
    page = stranger.proves_own_phone(browser)
    assert first.number not in page.text
    assert len(rows(world)) == 2


def test_who_has_an_appeal_under_way_is_told_its_number_and_begins_no_second(world: World) -> None:
    him = Applicant(world)
    appeal, browser = him.submits(world.browser()), world.browser()
    him.tells(browser)
    page = him.proves_own_phone(browser)
    assert page.status == 409
    assert appeal.number in page.text
    assert f'href="/appeal/result?number={appeal.number}"' in page.html
    assert [row.state for row in rows(world)] == ["waiting"]
    # What lacks something is gone on with.
    with world.write() as db:
        row = db.merge(appeal.row(world))
        row.state, row.asked_for = State.MORE.value, ["licence"]
    him.tells(browser)
    assert him.proves_own_phone(browser).url.startswith("/appeal/materials")


def test_of_several_clicks_and_tabs_at_once_one_makes_the_draft(world: World) -> None:
    him, browser = Applicant(world), world.browser()
    him.tells(browser)
    browser.submit({"phone": him.phone, "send": "1"})
    page = browser.page
    assert page
    tabs = [Browser(world, browser.client, browser.address, browser.user_agent, page) for _ in range(4)]
    ends = at_once(4, lambda which: tabs[which].submit({"phone": him.phone}, follow=False))
    assert {end.status for end in ends} == {303}
    assert {end.location.partition("?")[0] for end in ends} == {"/appeal/materials"}
    assert len(rows(world)) == 1
    assert acts(world, only(world, him.told()["uscc"])) == ["appeal_begun"]


def test_a_phone_begins_so_many_appeals_a_day(world: World) -> None:
    with world.rewired(appeals_a_phone=1) as there:
        him, browser = Applicant(there), there.browser()
        him.begins(browser)
        second = Applicant(there, known={"phone": him.phone})
        second.tells(browser)
        page = second.proves_own_phone(browser)
        assert page.status == 429
        assert "今天的申诉次数已用完" in page.text
        assert len(rows(there)) == 1


def test_one_phone_asks_about_so_many_companies_and_then_one_a_minute(world: World) -> None:
    """Who proved two phones is told whether a company is here: not of one company after another."""
    him, browser = Applicant(world), world.browser()
    form = him.tells(browser, kind="registered")
    statuses = []
    for _ in range(12):
        browser.page = form
        statuses.append(browser.submit({"phone": him.phone}).status)
    assert statuses == [*[409] * 11, 429]
    assert browser.page
    assert "填写的内容都还在" in browser.page.text


def test_a_page_that_was_open_too_long_keeps_what_was_typed(world: World) -> None:
    him, browser = Applicant(world), world.browser()
    him.asks_for_a_code(browser)
    with later(hours=1):
        page = browser.submit({**him.told(), "code": "123456"})
        assert "短信验证码已失效。填写的内容都还在" in page.text
        assert page.form()["fields"]["uscc"] == him.told()["uscc"]
        him.tells(browser)
        assert him.proves_own_phone(browser).url.startswith("/appeal/materials")


def test_two_drafts_never_share_a_number(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    taken = an_appeal(world, State.WAITING)
    drawn = iter([int(taken.number[-6:]), 7, 8, 9])
    monkeypatch.setattr("idp.appeal.filing.secrets.randbelow", lambda _most: next(drawn))
    him = Applicant(world)
    assert him.begins(world.browser()).number.endswith("-000007")


def test_a_page_whose_journey_is_gone_keeps_what_was_typed_for_the_next_look_too(world: World) -> None:
    applicant, browser = Applicant(world), world.browser()
    page = browser.open("/appeal/identity?kind=unregistered")
    told, fields = applicant.told(), page.form()["fields"]
    browser.post(f"/appeal/identity?kind=unregistered&j={'A' * 22}", {**fields, **told, "code": "123456"})
    for _ in range(2):
        assert browser.page
        assert "这个页面打开太久" in error_sentences(browser.page)[0]
        assert browser.page.form()["fields"]["id_number"] == told["id_number"]
        browser.open(browser.page.url)
