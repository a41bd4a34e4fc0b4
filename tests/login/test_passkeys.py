"""A passkey is a whole sign-in, with user verification and for one site alone (section Y, S31)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from idp.accounts.models import Credential, Enterprise, Mandate
from tests.adapters.arrange import at_once
from tests.authenticator import AnAuthenticator
from tests.login.acting import (
    CENTRES,
    a_passkey,
    key_of,
    last_session,
    later,
    options_on,
    same_browser,
    send,
    sign_in,
    told,
    touch,
    trail_of,
)
from tests.oauth.asking import claims_of
from tests.portals import Authorization
from tests.world import ACompany, AnOperator, APerson, Browser, Page, World, error_sentences

WRONG = "通行密钥验证没有通过，请再试一次，或换一种方式"
EXPIRED = "等待太久，或这一步已经完成过。请再试一次"
UNKNOWN = "这个通行密钥没有登记，或已被移除。请换一个通行密钥，或换一种方式"
NOT_YOURS = "这个通行密钥属于另一个账号。请使用本账号的通行密钥，或换一种方式"
CLONED = "这个通行密钥可能被复制过，为保护账号已拒绝。请换一种方式登录，再移除它"


def a_person_with_a_passkey(world: World) -> tuple[APerson, AnAuthenticator]:
    person = world.a_person()
    return person, a_passkey(world, key_of(world, person))


def at_the_page(world: World, address: str = "/login/passkey") -> Browser:
    browser = world.browser()
    browser.open(address)
    return browser


def is_refused(browser: Browser, page: Page, sentence: str) -> bool:
    return error_sentences(page) == [sentence] and browser.cookie("idp_session") is None


def test_each_kind_of_account_signs_in_by_its_passkey_alone(world: World) -> None:
    everybody: list[APerson | ACompany | AnOperator] = [
        world.a_person(),
        world.a_company(),
        world.an_operator(),
    ]
    for known in everybody:
        account = key_of(world, known)
        device, browser = a_passkey(world, account), at_the_page(world)
        page = touch(browser, device)
        assert page.status == 303
        assert page.location in CENTRES
        assert browser.cookie("idp_known")
        session = last_session(world, account)
        assert (session.amr, session.acr, session.account) == ("hwk", "urn:idp:loa:2", account)
        action, detail = trail_of(world, account)[-1]
        assert (action, detail["amr"]) == ("signed_in", ["hwk"])


def test_the_page_says_nothing_of_anybody_and_runs_our_script_alone(world: World) -> None:
    a_person_with_a_passkey(world)
    page = world.browser().open("/login/passkey")
    assert '"allowCredentials": []' in options_on(page)
    assert '"userVerification": "required"' in options_on(page)
    assert "script-src 'self'" in page.response.headers["Content-Security-Policy"]
    for way in ("法人登录", "经办人登录", "个人登录"):
        assert way in page.text


def test_the_password_pages_lead_to_it(world: World) -> None:
    for way in ("legal", "operator", "person"):
        page = world.browser().open(f"/login/{way}")
        assert 'href="/login/passkey"' in page.html


def test_where_an_address_can_have_no_passkeys_none_are_offered(world: World) -> None:
    with world.rewired(issuer="http://127.0.0.1:8000") as by_address:
        browser = by_address.browser()
        assert "通行密钥" not in browser.open("/login/person").text
        page = browser.open("/login/passkey")
        assert page.status == 404
        assert "用密码登录" in page.text


def test_a_portal_gets_the_level_and_the_way(world: World) -> None:
    person, device = a_person_with_a_passkey(world)
    asked, browser = Authorization(world.a_client()), world.browser()
    page = browser.open(asked.address("openid", acr_values="urn:idp:loa:2"))
    transaction = page.url.partition("tx=")[2]
    browser.open(f"/login/passkey?tx={transaction}")
    page = touch(browser, device, follow=True)
    claims = claims_of(world, asked.redeem(browser, page.query["code"]).get_json()["id_token"])
    assert (claims["acr"], claims["amr"]) == ("urn:idp:loa:2", ["hwk"])
    assert last_session(world, key_of(world, person)).acr == "urn:idp:loa:2"


def test_somebody_elses_passkey_opens_nothing_in_the_middle_of_ones_business(world: World) -> None:
    person, mine = a_person_with_a_passkey(world)
    _other, theirs = a_person_with_a_passkey(world)
    browser = at_the_page(world)
    touch(browser, mine)
    cookie = browser.cookie("idp_session")
    with later(minutes=5):
        page = browser.open(Authorization(world.a_client()).address("openid", max_age="60"))
        address = page.url.replace("/login/person", "/login/passkey")
        assert "请本人登录" in browser.open(address).text
        page = touch(browser, theirs, follow=True)
        assert "要换一个账号登录吗" in page.text
        assert browser.cookie("idp_session") == cookie
        browser.open(address)
        assert "code" in touch(browser, mine, follow=True).query
    assert last_session(world, key_of(world, person)).amr == "hwk"


@pytest.mark.parametrize(
    ("bent", "sentence"),
    [
        ({"origin": "https://phisher.example"}, WRONG),
        ({"origin": "http://localhost:8000.phisher.example"}, WRONG),
        ({"host": "phisher.example"}, WRONG),
        ({"verified": False}, WRONG),
        ({"cross_origin": True}, WRONG),
        ({"type": "webauthn.create"}, WRONG),
        ({"challenge": "AAAAAAAAAAAAAAAAAAAAAA"}, WRONG),
        ({"user_handle": b"somebody else"}, NOT_YOURS),
    ],
)
def test_a_bent_answer_proves_nothing(world: World, bent: dict[str, Any], sentence: str) -> None:
    _person, device = a_person_with_a_passkey(world)
    browser = at_the_page(world)
    assert is_refused(browser, touch(browser, device, **bent), sentence)
    assert touch(browser, device).status == 303, "the new page's challenge is good"


@pytest.mark.parametrize("answer", ["", "x", "[]", "{}", "null", '{"rawId": 7}', "[" * 9000, "{" * 30_000])
def test_rubbish_is_refused_with_a_sentence(world: World, answer: str) -> None:
    browser = at_the_page(world)
    page = send(browser, answer)
    assert page.status == 200
    assert len(error_sentences(page)) == 1
    assert browser.cookie("idp_session") is None


def test_a_passkey_nobody_has_is_refused_and_written_down(world: World) -> None:
    person, device = a_person_with_a_passkey(world)
    stranger = device.cloned()
    stranger.credentials[0].id = b"x" * 32
    browser = at_the_page(world)
    assert is_refused(browser, touch(browser, stranger), UNKNOWN)
    assert ("sign_in_refused", {"why": "passkey unknown"}) in trail_of(world, "nobody")
    assert trail_of(world, key_of(world, person)) == []


def test_another_key_under_somebodys_name_is_refused(world: World) -> None:
    person, mine = a_person_with_a_passkey(world)
    _other, theirs = a_person_with_a_passkey(world)
    theirs.credentials[0].id = mine.credentials[0].id
    browser = at_the_page(world)
    page = touch(browser, theirs, user_handle=mine.credentials[0].user_handle)
    assert is_refused(browser, page, WRONG)
    assert trail_of(world, key_of(world, person))[-1] == ("sign_in_refused", {"why": "passkey wrong"})


def test_a_cloned_authenticator_is_refused_and_its_owner_told(world: World) -> None:
    person, device = a_person_with_a_passkey(world)
    twin, browser = device.cloned(), at_the_page(world)
    assert touch(browser, device).status == 303
    other = at_the_page(world)
    assert is_refused(other, touch(other, twin), CLONED)
    account = key_of(world, person)
    assert told(world, account) == [("passkey_refused", "")]
    assert trail_of(world, account)[-1] == ("sign_in_refused", {"why": "passkey cloned"})


def test_an_answer_works_once_and_for_its_own_browser(world: World) -> None:
    _person, device = a_person_with_a_passkey(world)
    first, second = at_the_page(world), at_the_page(world)
    assert first.page
    assert second.page
    fields = first.page.form()["fields"]
    answer = device.get(options_on(first.page))
    stolen = {**second.page.form()["fields"], "challenge_id": fields["challenge_id"], "answer": answer}
    assert is_refused(second, second.post("/login/passkey", stolen), EXPIRED)
    # What came from elsewhere ended the challenge: nobody's answer to it counts any more.
    assert is_refused(first, send(first, answer), EXPIRED)


def test_of_ten_that_send_one_answer_one_comes_in(world: World) -> None:
    _person, device = a_person_with_a_passkey(world)
    browser = at_the_page(world)
    assert browser.page
    fields = {**browser.page.form()["fields"], "answer": device.get(options_on(browser.page))}

    def answered(_number: int) -> int:
        twin = same_browser(world, browser)
        return twin.post("/login/passkey", fields, follow=False).status

    assert sorted(at_once(10, answered)) == [200] * 9 + [303]


def test_the_answer_to_a_second_step_is_none_to_a_sign_in(world: World) -> None:
    person, device = a_person_with_a_passkey(world)
    browser = world.browser()
    sign_in(browser, person)
    assert browser.page
    there = next(
        browser.page.form(number)["fields"]
        for number in range(browser.page.form_count)
        if "answer" in browser.page.form(number)["fields"]
    )
    answer = {**there, "answer": device.get(options_on(browser.page))}
    assert is_refused(browser, browser.post("/login/passkey", answer), EXPIRED)


def test_a_passkey_of_the_staff_opens_no_account(world: World) -> None:
    member = world.a_staff_member()
    device, browser = a_passkey(world, member.row.key), at_the_page(world)
    assert is_refused(browser, touch(browser, device), NOT_YOURS)


def test_what_stands_in_the_way_of_a_password_stands_in_the_way_of_a_passkey(world: World) -> None:
    company, operator, locked = world.a_company(), world.an_operator(), world.a_person()
    devices = [a_passkey(world, key_of(world, known)) for known in (company, operator, locked)]
    yesterday = world.now().date() - timedelta(days=2)
    with world.write() as db:
        db.execute(update(Enterprise).where(Enterprise.id == company.row.id).values(suspended_at=world.now()))
        mandate = update(Mandate).where(Mandate.id == operator.mandate.id)
        db.execute(mandate.values(first_day=yesterday, last_day=yesterday))
        mine = update(Credential).where(Credential.person_id == locked.row.id)
        db.execute(mine.values(locked_at=world.now()))
    for device, said in zip(devices, ("该企业的账号已停用", "到期", "账号已暂停"), strict=True):
        browser = at_the_page(world)
        page = touch(browser, device)
        assert said in error_sentences(page)[0]
        assert browser.cookie("idp_session") is None


def test_a_passkey_does_not_go_round_the_first_use_of_a_password(world: World) -> None:
    operator = world.an_operator(must_change=True)
    device, browser = a_passkey(world, key_of(world, operator)), at_the_page(world)
    assert "请先用这个密码登录" in error_sentences(touch(browser, device))[0]
    assert browser.cookie("idp_session") is None


def test_without_a_script_the_page_says_so(world: World) -> None:
    page = world.browser().open("/login/passkey")
    assert "通行密钥需要浏览器允许运行脚本" in page.text
    assert "<noscript>" in page.html
