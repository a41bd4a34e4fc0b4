"""Adding a second factor: an authenticator app, a passkey, and the codes that come with the first (Y)."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from urllib.parse import quote

import pyotp
import pytest
import time_machine
from sqlalchemy import select

from idp.accounts.audit import Action, AuditEvent
from idp.accounts.calendar import civil_day
from idp.accounts.factors import RecoveryCode, TotpSecret, list_factors
from idp.accounts.notices import Notice
from idp.accounts.sessions import SigninSession
from tests.authenticator import AnAuthenticator
from tests.entering import enter
from tests.login.acting import sign_in
from tests.pages import error_sentences
from tests.security.acting import (
    PASSKEY,
    ROOM,
    TOTP,
    adds_passkey,
    adds_totp,
    codes_on,
    options_on,
    secret_on,
    signed_in,
)
from tests.world import APerson, World

ON_WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/130.0.0.0 Safari/537.36"


def key_of(person: APerson) -> str:
    return f"person:{person.row.id}"


def held(world: World, person: APerson) -> list[tuple[str, str]]:
    """Kind and name of each factor of a person."""
    with world.reading() as db:
        return [(one.kind.value, one.name) for one in list_factors(db, key_of(person))]


def test_an_authenticator_app_is_added_by_its_first_code(world: World) -> None:
    person, browser = signed_in(world)
    page = browser.open(TOTP)
    secret = secret_on(page)
    assert "<svg" in page.html
    assert f"secret={secret}" in page.html
    assert person.account in page.text
    assert person.phone not in page.html
    page = browser.submit({"code": pyotp.TOTP(secret).at(world.now()), "name": "我的手机"}, number=1)
    assert len(codes_on(page)) == 10
    assert held(world, person) == [("totp", "我的手机")]
    assert "我的手机" in browser.open(ROOM).text


def test_what_was_given_no_name_is_called_by_where_it_was_made_and_the_day(world: World) -> None:
    person, browser = world.a_person(), world.browser(user_agent=ON_WINDOWS)
    enter(browser, person)
    adds_totp(world, browser, name=" ")
    adds_passkey(browser, name=" ")
    day = civil_day(world.now())
    assert held(world, person) == [
        ("totp", f"验证器 App · {day}"),
        ("passkey", f"Windows，Chrome 130 · {day}"),
    ]


def test_a_label_tells_two_operators_and_ones_accounts_apart(world: World) -> None:
    """One computer may hold passkeys of many: each is filed under a name that is his, and masked."""
    company = world.a_company()
    person = world.a_person(name="李思远")
    operator = world.an_operator(company, person)
    labels = {}
    for centre, known in (("person", person), ("enterprise", company), ("operator", operator)):
        browser = world.browser()
        sign_in(browser, known)
        page = browser.open(f"/center/{centre}/security/passkey")
        user = json.loads(options_on(page))["user"]
        assert user["name"] == user["displayName"]
        labels[centre] = user["name"]
        assert labels[centre] in browser.open(f"/center/{centre}/security/totp").text
    assert labels == {
        "person": person.account,
        "enterprise": company.name,
        "operator": f"经办人 李*远 · {company.name}",
    }


def test_adding_one_is_audited_and_told_to_the_phone_of_record(world: World) -> None:
    person, browser = signed_in(world)
    adds_totp(world, browser)
    with world.reading() as db:
        added = db.scalars(select(AuditEvent).where(AuditEvent.action == Action.FACTOR_ADDED.value)).one()
        notice = db.scalars(select(Notice).where(Notice.account == key_of(person))).one()
    assert (added.target, added.actor) == (key_of(person), key_of(person))
    assert notice.kind == "factor_added"
    assert notice.what.startswith("验证器 App")


def test_a_wrong_code_keeps_the_secret_that_was_scanned(world: World) -> None:
    person, browser = signed_in(world)
    secret = secret_on(browser.open(TOTP))
    page = browser.submit({"code": "000000", "name": "我的手机"}, number=1)
    assert error_sentences(page)[0].startswith("动态口令不正确")
    assert "错误：" in page.html.partition("</title>")[0]
    assert secret_on(page) == secret
    assert held(world, person) == []
    page = browser.submit({"code": pyotp.TOTP(secret).at(world.now())}, number=1)
    assert len(codes_on(page)) == 10
    assert held(world, person) == [("totp", "我的手机")]


def test_loading_the_page_again_keeps_the_secret(world: World) -> None:
    _, browser = signed_in(world)
    page = browser.open(TOTP)
    assert secret_on(browser.open(page.url)) == secret_on(page)


def test_a_setup_that_waited_too_long_starts_again_with_a_sentence(world: World) -> None:
    person, browser = signed_in(world)
    with time_machine.travel(world.now(), tick=False) as clock:
        adds_totp(world, browser)
        browser.open(TOTP)
        browser.submit({"code": "000000"}, number=1)
        spent = browser.open(TOTP)
        assert spent.status == 200
        clock.shift(timedelta(seconds=30))
        secret = secret_on(spent)
        assert (
            "验证器 App 已添加" in browser.submit({"code": pyotp.TOTP(secret).at(world.now())}, number=1).text
        )
        page = browser.post(spent.url, {**spent.form(1)["fields"], "code": "000000"})
    assert "等待太久，或已经用过" in page.text
    assert secret_on(page) != secret
    assert len(held(world, person)) == 2


def test_a_setup_of_another_browser_is_nobodys_here(world: World) -> None:
    person, browser = signed_in(world)
    begun = browser.open(TOTP)
    _, other = signed_in(world, person)
    assert secret_on(other.open(begun.url)) != secret_on(begun)


def test_ten_wrong_codes_end_the_setup(world: World) -> None:
    person, browser = signed_in(world)
    secret = secret_on(browser.open(TOTP))
    for _ in range(10):
        assert secret_on(browser.submit({"code": "000000"}, number=1)) == secret
    page = browser.submit({"code": pyotp.TOTP(secret).at(world.now())}, number=1)
    assert secret_on(page) != secret
    assert held(world, person) == []


def test_the_first_factor_raises_the_sign_in_under_a_new_id(world: World) -> None:
    person, browser = signed_in(world)
    before = browser.cookie("idp_session")
    adds_totp(world, browser)
    assert browser.cookie("idp_session") != before
    with world.reading() as db:
        session = db.scalars(
            select(SigninSession).where(
                SigninSession.person_id == person.row.id, SigninSession.ended_at.is_(None)
            )
        ).one()
    assert (session.acr, session.amr) == ("urn:idp:loa:2", "pwd otp")


def test_recovery_codes_come_with_the_first_factor_only_and_are_kept_as_digests(world: World) -> None:
    person, browser = signed_in(world)
    _, page = adds_totp(world, browser)
    codes = codes_on(page)
    assert page.response.headers["Cache-Control"] == "no-store"
    page = adds_passkey(browser)
    assert codes_on(page) == []
    assert "通行密钥已添加" in page.text
    assert "10 / 10 个" in page.text
    with world.reading() as db:
        kept = db.scalars(select(RecoveryCode).where(RecoveryCode.account == key_of(person))).all()
    assert len(kept) == 10
    assert not any(code.replace("-", "").encode() in row.code_index for code in codes for row in kept)


def test_a_passkey_is_added_by_what_the_browser_answers(world: World) -> None:
    person, browser = signed_in(world)
    key = AnAuthenticator()
    page = browser.open(PASSKEY)
    assert "script-src 'self'" in page.response.headers["Content-Security-Policy"]
    page = adds_passkey(browser, key)
    assert len(codes_on(page)) == 10
    assert held(world, person) == [("passkey", "办公电脑")]
    assert "excludeCredentials" in options_on(browser.open(PASSKEY))


@pytest.mark.parametrize(
    "bent",
    [
        {"origin": "https://evil.example"},
        {"verified": False},
        {"host": "evil.example"},
        {"challenge": "AAAA"},
        {"cross_origin": True},
        {"type": "webauthn.get"},
    ],
    ids=lambda bent: next(iter(bent)),
)
def test_a_passkey_of_another_origin_or_ceremony_is_refused(world: World, bent: dict[str, object]) -> None:
    person, browser = signed_in(world)
    options = options_on(browser.open(PASSKEY))
    page = browser.submit({"answer": AnAuthenticator().create(options, **bent)}, number=1)
    assert error_sentences(page) == ["通行密钥验证没有通过，请再试一次，或换一种方式"]
    assert held(world, person) == []


@pytest.mark.parametrize("answer", ["", "x", "[]", "{}", '{"rawId": 1}', "x" * 30_000])
def test_what_no_authenticator_says_is_refused_with_a_sentence(world: World, answer: str) -> None:
    person, browser = signed_in(world)
    browser.open(PASSKEY)
    page = browser.submit({"answer": answer}, number=1)
    assert page.status == 200
    assert len(error_sentences(page)) == 1
    assert held(world, person) == []


def test_an_answer_is_good_once_and_in_its_own_browser(world: World) -> None:
    person, browser = signed_in(world)
    page = browser.open(PASSKEY)
    answer, fields = AnAuthenticator().create(options_on(page)), page.form(1)["fields"]
    _, other = signed_in(world, person)
    own = other.open(PASSKEY).form(1)["fields"]
    mixed = {**own, "challenge_id": fields["challenge_id"], "answer": answer}
    refused = other.post(PASSKEY, mixed)
    assert error_sentences(refused) == ["等待太久，或这一步已经完成过。请再试一次"]
    again = browser.post(PASSKEY, {**fields, "answer": answer})
    assert error_sentences(again) == ["等待太久，或这一步已经完成过。请再试一次"]
    assert held(world, person) == []


def test_another_persons_credential_is_not_added_twice(world: World) -> None:
    _, first = signed_in(world)
    key = AnAuthenticator()
    adds_passkey(first, key)
    person, second = signed_in(world)
    answer = AnAuthenticator().create(options_on(second.open(PASSKEY)), id=key.credentials[0].id)
    page = second.submit({"answer": answer}, number=1)
    assert error_sentences(page) == ["这个通行密钥已经添加过了"]
    assert held(world, person) == []


@pytest.mark.parametrize(
    ("name", "sentence"),
    [("名" * 41, "名称最多 40 个字符，目前是 41 个"), ("a\u202eb", "名称里有不能显示的字符，请重新填写")],
)
def test_a_name_that_cannot_be_shown_is_refused_at_its_field(world: World, name: str, sentence: str) -> None:
    person, browser = signed_in(world)
    secret, page = adds_totp(world, browser, name=name)
    assert error_sentences(page) == [sentence]
    assert 'href="#name"' in page.html
    assert secret_on(page) == secret
    assert held(world, person) == []


def test_a_name_is_text_and_nothing_else(world: World) -> None:
    _, browser = signed_in(world)
    adds_totp(world, browser, name="<b>手机</b>")
    page = browser.open(ROOM)
    assert "<b>手机</b>" in page.text
    assert "<b>" not in page.html


def test_five_of_a_kind_are_enough(world: World) -> None:
    person, browser = signed_in(world)
    adds_passkey(browser)
    for number in range(5):
        world.a_totp(key_of(person), name=f"手机 {number}")
    assert TOTP not in browser.open(ROOM).html
    page = browser.open(TOTP)
    assert page.status == 409
    assert "每种方式最多添加 5 个" in page.text


def test_whoever_was_sent_here_is_led_back(world: World) -> None:
    person, browser = signed_in(world)
    waiting = "/oauth/authorize?tx=abc"
    page = browser.open(f"{ROOM}?next={quote(waiting)}")
    assert "刚才的业务需要第二步验证" in page.text
    link = re.search(rf'href="({TOTP}\?next=[^"]+)"', page.html)
    assert link
    adds_totp(world, browser, at=link.group(1))
    assert browser.submit(number=1, follow=False).location == waiting
    assert held(world, person) != []


@pytest.mark.parametrize(
    "evil", ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:1"]
)
def test_nobody_is_led_to_another_site(world: World, evil: str) -> None:
    _, browser = signed_in(world)
    assert "刚才的业务" not in browser.open(f"{ROOM}?next={quote(evil)}").text
    _, page = adds_totp(world, browser, at=f"{TOTP}?next={quote(evil)}")
    assert len(codes_on(page)) == 10
    links = re.findall(r'href="([^"]*)"', page.html)
    assert [link for link in links if "evil" in link or "javascript" in link] == []
    assert browser.submit(number=1).url.startswith(f"{ROOM}?done=")


def test_new_recovery_codes_take_the_place_of_the_old(world: World) -> None:
    person, browser = signed_in(world)
    _, page = adds_totp(world, browser)
    old = codes_on(page)
    browser.open(f"{ROOM}/recovery-codes")
    page = browser.submit(number=1)
    assert len(set(codes_on(page)) | set(old)) == 20
    with world.reading() as db:
        assert len(db.scalars(select(RecoveryCode).where(RecoveryCode.account == key_of(person))).all()) == 10
        kinds = db.scalars(select(Notice.kind).where(Notice.account == key_of(person))).all()
    assert "recovery_codes_made" in kinds


def test_without_a_factor_there_are_no_recovery_codes_to_make(world: World) -> None:
    _, browser = signed_in(world)
    assert browser.open(f"{ROOM}/recovery-codes").url == ROOM
    assert "恢复码" not in browser.open(ROOM).text


def test_a_secret_stands_nowhere_in_clear(world: World) -> None:
    person, browser = signed_in(world)
    secret, _ = adds_totp(world, browser)
    with world.reading() as db:
        row = db.scalars(select(TotpSecret).where(TotpSecret.account == key_of(person))).one()
    assert secret.encode() not in row.secret_sealed
    assert secret not in browser.open(ROOM).html
