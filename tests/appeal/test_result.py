"""How an appeal stands: its number and a phone's code show it, and nobody else hears a thing (X21)."""

from __future__ import annotations

import re
from typing import Any

import pytest

from idp.accounts.staff import StaffRole
from idp.appeal import links
from idp.appeal.filing import Tools
from idp.appeal.messages import SENTENCES, Message, tell
from idp.appeal.models import Appeal, State
from idp.appeal.result_forms import parse_number
from tests.appeal.applicants import Applicant, acts, asks, looks, rows
from tests.appeal.approving import approved, link_of, not_me, sets, told_anew
from tests.appeal.builders import REMARK, AnAppeal, an_appeal, told_of
from tests.login.acting import later, what_a_stranger_sees
from tests.messages import last_code, waiting
from tests.person.registering import another_message_may_go
from tests.world import Browser, Page, World, error_sentences


def buttons(page: Page) -> list[str]:
    """What can be done on the page."""
    main = page.html.partition('id="main"')[2].partition("</main>")[0]
    found = re.findall(
        r'<(?:a|button)[^>]*class="govuk-button[^>]*>(?:<svg.*?</svg>)?([^<]+)<', main, re.DOTALL
    )
    return [each.strip() for each in found]


def answered(world: World, state: State, words: str, **fields: Any) -> AnAppeal:
    """An appeal in `state` with words of staff."""
    appeal = an_appeal(world, state, **fields)
    with world.write() as db:
        db.get_one(Appeal, appeal.id).set_answer(world.backends.vault, words)
    return appeal


def sent_to(world: World, phone: str, purpose: str) -> list[str]:
    """What this phone was told for a purpose."""
    return [each["text"] for each in waiting(world, phone) if each["purpose"] == purpose]


def test_each_state_is_told_with_its_reason_and_what_can_be_done_and_nothing_else(world: World) -> None:
    """Issue 7.4: nobody's name, nobody's number; how far within the desk it has come is not told."""
    now, agent = world.now(), world.a_staff_member(StaffRole.SERVICE).row.id
    for appeal, words, can in (
        (an_appeal(world, State.DRAFT), ("未提交", "草稿保存到"), ["继续填写", "撤回申诉"]),
        (an_appeal(world, State.WAITING), ("待处理", "预计办结", "等待工作人员领取"), ["撤回申诉"]),
        (an_appeal(world, State.IN_HAND), ("处理中", "预计办结"), ["撤回申诉"]),
        (an_appeal(world, State.SECOND), ("处理中", "预计办结"), ["撤回申诉"]),
        (
            answered(world, State.MORE, "印章<b>不清楚\n第二行", asked_for=["licence"]),
            ("待补充材料", "印章<b>不清楚", "企业营业执照原件", "逾期申诉会结束"),
            ["补充材料", "撤回申诉"],
        ),
        (
            answered(world, State.REFUSED, "授权书没有盖章", decided_by=agent),
            ("不通过", "授权书没有盖章"),
            ["重新申诉"],
        ),
        (
            answered(world, State.REFUSED, "印章不清楚", decided_by=None),
            ("不通过", "逾期没有补充材料"),
            ["重新申诉"],
        ),
        (an_appeal(world, State.WITHDRAWN), ("已撤回", "上传的材料已删除"), ["重新申诉"]),
        (approved(world, told_of()), ("通过", "请在"), ["重新发送设置密码链接"]),
        (an_appeal(world, State.APPROVED, link_used_at=now), ("通过", "密码已设置"), ["前往登录"]),
        (an_appeal(world, State.APPROVED), ("通过", "链接已经失效"), ["重新申诉"]),
    ):
        page = looks(world, appeal).page
        assert page
        state = State(appeal.row(world).state)
        for told in (appeal.number, *words):
            assert told in page.text, (state, told)
        assert buttons(page) == can, state
        # What staff wrote keeps its lines.
        if state in {State.MORE, State.REFUSED}:
            assert '<p class="tx-said">' in page.html
        assert "待复核" not in page.text
        claim = appeal.told.claim
        for secret in (
            *(claim.name, claim.representative_name, claim.document.id_number, claim.uscc, REMARK),
            *(appeal.told.phone, appeal.told.operator_phone, appeal.told.account),
        ):
            assert secret not in page.html, (state, secret)


def test_an_unknown_number_and_anothers_phone_are_answered_alike_and_nothing_is_sent(world: World) -> None:
    """SECURITY 4: the same pages, the same sentences, no message, and no code is right."""
    appeal, other = an_appeal(world), an_appeal(world)
    right = (appeal.number, appeal.told.phone)
    wrong = (
        ("SS-20260101-000001", appeal.told.operator_phone),
        (appeal.number, other.told.phone),
        (other.number, "13300000009"),
    )
    seen = []
    for number, phone in (right, *wrong):
        browser = world.browser()
        pages = [asks(browser, number, phone), browser.submit({"send": "1"})]
        pages += [browser.submit({"code": "000000"}) for _ in range(6)]
        pages.append(browser.open(pages[-1].url))
        masked = f"{phone[:3]}****{phone[-4:]}"
        seen.append([neutral(page, number, masked) for page in pages])
        assert len(waiting(world, phone)) == (1 if (number, phone) == right else 0), number
    for each in seen[1:]:
        assert each == seen[0]
    assert "填写的信息都正确的话，验证码已发往" in seen[0][1]
    assert "还可以再试 4 次" in seen[0][2]
    assert "错误次数过多" in seen[0][7]
    # Limits are the same as well: a phone that hears nothing waits as long.
    browser = world.browser()
    asks(browser, *wrong[1])
    assert "秒后再获取验证码" in browser.submit({"send": "1"}).text


def neutral(page: Page, number: str, masked: str) -> str:
    """A page without what is made anew, what was typed, and how long is left to wait."""
    _, _, html = what_a_stranger_sees(page, number, masked)
    html = re.sub(r"[?&](?:amp;)?j=[\w-]+", "j", html)
    html = re.sub(r'data-wait="\d+"', "wait", html)
    return re.sub(r'(?:name="sms_ref" value|data-state)="[^"]+"', "ref", html)


def test_what_became_of_its_message_is_told_to_nobody(world: World) -> None:
    appeal, browser = an_appeal(world), world.browser()
    asks(browser, appeal.number, appeal.told.phone)
    page = browser.submit({"send": "1"})
    [state] = re.findall(r'data-state="([^"]+)"', page.html)
    assert browser.open(state).status == 404


def test_a_code_for_one_appeal_opens_no_other_and_no_other_browser(world: World) -> None:
    """SECURITY 19, 55."""
    phone = "13300000011"
    first, second = (an_appeal(world, told=told_of(phone=phone)) for _ in range(2))
    browser = world.browser()
    asks(browser, first.number, phone)
    browser.submit({"send": "1"})
    address, code = browser.page.url if browser.page else "", last_code(world, phone)
    asks(browser, second.number, phone)
    assert "请重新获取" in browser.submit({"code": code}).text
    stranger = world.browser()
    for step in (address, address.replace("/code", "/standing"), address.replace("/code", "/withdraw")):
        assert stranger.open(step).status == 400
    # Nobody is on a later page before the code was right.
    for step in ("standing", "withdraw", "continue"):
        page = browser.open(address.replace("/code", f"/{step}"))
        assert page.url == address, step
    browser.open(address)
    assert browser.submit({"code": code}).url.startswith("/appeal/result/standing")
    assert second.number not in (browser.page.text if browser.page else "")


def test_a_form_sent_twice_leads_to_the_same_page(world: World) -> None:
    appeal, browser = an_appeal(world), world.browser()
    asks(browser, appeal.number, appeal.told.phone)
    form = browser.submit({"send": "1"})
    first = browser.submit({"code": last_code(world, appeal.told.phone)})
    browser.page = form
    assert browser.submit({"code": "123456"}).url == first.url


def test_the_proof_of_a_phone_does_not_last(world: World) -> None:
    appeal = an_appeal(world)
    browser = looks(world, appeal)
    with later(minutes=31):
        assert browser.open(browser.page.url if browser.page else "").status == 400


@pytest.mark.parametrize(
    ("typed", "number"),
    [
        ("SS-20260302-012345", "SS-20260302-012345"),
        (" ss20260302012345 ", "SS-20260302-012345"),
        ("ＳＳ－２０２６０３０２－０１２３４５", "SS-20260302-012345"),
        ("20260302 012345", "SS-20260302-012345"),
        ("SS—20260302—012345", "SS-20260302-012345"),
        ("SS-20260302-01234", None),
        ("SS-20260302-0123456", None),
        ("x" * 5000, None),
        ("", None),
    ],
)
def test_a_number_is_one_however_it_is_typed(typed: str, number: str | None) -> None:
    assert parse_number(typed) == number


def test_what_is_no_number_or_no_phone_says_so_and_stays(world: World) -> None:
    browser = world.browser()
    # A draft's number is in no message.
    assert "会接着原来的草稿" in browser.open("/appeal/result?number=SS-20260302-012345").text
    assert browser.page
    assert browser.page.form()["fields"]["number"] == "SS-20260302-012345"
    page = browser.submit_with_captcha({"number": "SS-1", "phone": "123"})
    assert [sentence[:8] for sentence in error_sentences(page)] == ["申诉编号不正确，", "手机号码不正确，"]
    page = browser.submit({"number": "", "phone": "", "captcha": ""})
    assert error_sentences(page) == ["请填写申诉编号", "请填写手机号码", "请填写图形验证码"]


def test_one_number_is_asked_about_so_often_and_then_once_a_minute(world: World) -> None:
    appeal, browser = an_appeal(world), world.browser()
    pages = [asks(browser, appeal.number, f"133000001{which:02d}") for which in range(22)]
    assert [page.status for page in pages[:20]] == [200] * 20
    assert pages[-1].status == 429
    assert "查询次数过多" in pages[-1].text


def test_a_draft_is_gone_on_with_in_another_browser_and_what_was_told_is_not_shown_again(
    world: World,
) -> None:
    him = Applicant(world)
    appeal = him.begins(world.browser())
    browser = looks(world, appeal, phone=him.own_phone)
    page = browser.open(next_to(browser, "continue"))
    assert page.url.startswith("/appeal/materials?j=")
    assert appeal.number in page.text
    journey = page.url.partition("j=")[2]
    for step in ("identity", "operator"):
        again = browser.open(f"/appeal/{step}?j={journey}")
        assert again.url == page.url, step
        assert him.told()["id_number"] not in again.html


def next_to(browser: Browser, what: str) -> str:
    """An address beside the page that is open, with its journey."""
    assert browser.page
    return f"/appeal/result/{what}?{browser.page.url.partition('?')[2]}"


def test_taking_it_back_wants_a_yes_deletes_the_papers_and_is_told_to_both_phones(world: World) -> None:
    for state in (State.DRAFT, State.WAITING, State.IN_HAND, State.SECOND, State.MORE):
        appeal = an_appeal(world, state, papers=("licence", "authorisation"))
        browser = looks(world, appeal)
        page = browser.open(next_to(browser, "withdraw"))
        assert "确认撤回" in page.text
        assert appeal.row(world).state == state.value
        end = browser.submit()
        assert "已撤回" in end.text
        row = appeal.row(world)
        assert (row.state, bool(row.papers_erased_at)) == ("withdrawn", True)
        assert appeal.papers(world) == {}
        browser.page = page
        assert browser.submit().url == end.url
        for phone in (appeal.told.phone, appeal.told.operator_phone):
            assert len(sent_to(world, phone, "appeal_withdrawn")) == 1, state
        assert acts(world, appeal) == ["appeal_withdrawn"]


def test_what_is_decided_is_not_taken_back(world: World) -> None:
    appeal = an_appeal(world, State.WAITING, papers=("licence",))
    browser = looks(world, appeal)
    page = browser.open(next_to(browser, "withdraw"))
    with world.write() as db:
        db.get_one(Appeal, appeal.id).state = State.REFUSED.value
    browser.page = page
    assert "不通过" in browser.submit().text
    assert set(appeal.papers(world)) == {"licence"}
    assert sent_to(world, appeal.told.phone, "appeal_withdrawn") == []


def test_the_link_is_sent_again_to_the_companys_phone_alone_and_so_often_a_day(world: World) -> None:
    """SECURITY 73: a new one makes the old one void; the operator's phone gets none."""
    appeal = approved(world, told_of())
    before = appeal.row(world).link_hash
    browser = looks(world, appeal, phone=appeal.told.operator_phone)
    assert browser.page
    assert "请用企业手机的号码查询" in browser.page.text
    token = browser.page.html.partition('name="csrf_token" value="')[2].partition('"')[0]
    assert buttons(browser.page) == []
    browser.post(next_to(browser, "link"), {"csrf_token": token})
    assert appeal.row(world).link_hash == before
    browser = looks(world, appeal)
    form = browser.page
    for times in range(1, 5):
        browser.page = form
        page = browser.submit()
        sent = sent_to(world, appeal.told.phone, "appeal_approved_link")
        # The first one came with the approval.
        assert (page.status, len(sent)) == ((200, times + 1) if times < 4 else (429, 4))
    assert acts(world, appeal)[-3:] == ["appeal_link_sent"] * 3
    assert sent_to(world, appeal.told.operator_phone, "appeal_approved_link") == []
    token = re.findall(r"/a/([\w-]+) ", sent[-1])[0]
    with world.write() as db:
        assert links.find(db, token, now=world.now())
        assert links.find(db, re.findall(r"/a/([\w-]+) ", sent[0])[0], now=world.now()) is None


def test_a_link_that_was_used_or_taken_away_is_not_sent_again(world: World) -> None:
    """Neither from a page that was open before: it says what happened since."""
    company = world.a_company()
    for said, taken_away in (("密码已设置", False), ("链接已经失效", True)):
        told = told_anew(company) if taken_away else told_of()
        appeal = approved(world, told, company if taken_away else None)
        browser = looks(world, appeal)
        form = browser.page
        if taken_away:
            not_me(world, company.representative.phone, "phone_changed")
        else:
            sets(world.browser(), link_of(world, appeal), agreed="y")
        browser.page = form
        page = browser.submit()
        assert (page.status, said in page.text) == (200, True), page.text
        assert len(sent_to(world, appeal.told.phone, "appeal_approved_link")) == 1, said


def test_every_sms_of_an_appeal_fits_in_two_parts_and_names_nobody(world: World) -> None:
    """docs/sms.md: at most 140 characters with the longest name and address a platform has."""
    appeal = an_appeal(world)
    with (
        world.rewired(site_name="示例省政务服务", issuer="http://localhost:8000") as there,
        there.write() as db,
    ):
        tools = Tools(there.backends.vault, there.backends.trail, there.settings)
        row = db.get_one(Appeal, appeal.id)
        for message in Message:
            link = "x" * 22 if "{link}" in SENTENCES[message] else ""
            tell(db, tools, row, message, appeal.told.phone, now=there.now(), what=there.now(), link=link)
    texts = [each["text"] for each in waiting(world, appeal.told.phone)]
    assert len(texts) == len(Message)
    assert [text for text in texts if len(text) > 140] == []
    claim = appeal.told.claim
    assert not any(secret in text for text in texts for secret in (claim.name, claim.representative_name))
    assert len(rows(world)) == 1


def test_another_message_wants_a_captcha(world: World) -> None:
    appeal, browser = an_appeal(world), world.browser()
    asks(browser, appeal.number, appeal.told.phone)
    browser.submit({"send": "1"})
    another_message_may_go(world, appeal.told.phone)
    assert error_sentences(browser.submit({"send": "1"})) == ["请填写图形验证码"]
