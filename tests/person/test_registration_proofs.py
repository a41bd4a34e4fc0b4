"""What a registration rests on: phone, people registry and face; and what a stranger never learns."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, time, timedelta

import pytest
import time_machine

from idp.accounts.calendar import SHANGHAI, civil_day
from idp.proof.face import CHECKS_A_PERSON
from idp.proof.sms_codes import TRIES
from tests.adapters.answering import answering
from tests.messages import last_code, waiting
from tests.person.registering import (
    RegistrationWorld,
    a_newcomer,
    another_message_may_go,
)
from tests.world import error_sentences

NOT_THE_PERSON = "身份信息核验未通过，请对照证件核对姓名、证件和有效期；手机号码要是本人实名办理的"
PHONE_TAKEN = "这个手机号已有个人账号。是您本人的，请直接登录，忘记密码可以重置；不是您的，请换一个手机号码"
ACCOUNT_TAKEN = "这个账号已被使用，请换一个"


def test_a_message_wants_a_captcha_each_time(here: RegistrationWorld) -> None:
    """SECURITY 17."""
    person = a_newcomer(here)
    person.browser.open("/register/person")
    page = person.browser.submit({**person.told(), "send": "1"})
    assert error_sentences(page) == ["请填写图形验证码"]
    assert waiting(here.world, person.phone) == []
    person.asks_for_a_code()
    another_message_may_go(here.world, person.phone)
    page = person.browser.submit({**person.told(), "send": "1", "captcha": ""})
    assert error_sentences(page) == ["请填写图形验证码"]
    assert len(waiting(here.world, person.phone)) == 1


def test_a_code_can_be_guessed_at_so_often_and_no_more(here: RegistrationWorld) -> None:
    """SECURITY 18."""
    person = a_newcomer(here)
    person.asks_for_a_code()
    code = last_code(here.world, person.phone)
    wrong = "000000" if code != "000000" else "111111"
    for _ in range(TRIES):
        page = person.browser.submit(person.told(code=wrong))
        assert "短信验证码" in error_sentences(page)[0]
    page = person.browser.submit(person.told(code=code))
    assert error_sentences(page) == ["短信验证码错误次数过多，请重新获取"]


def test_strangers_at_the_sign_in_by_face_stop_nobodys_registration(here: RegistrationWorld) -> None:
    """They know a name and a number; behind the registration stand a phone and the registry."""
    person = a_newcomer(here)
    typed = {"name": person.name, "id_number": person.id_number, "agreed": "y"}
    for number in range(CHECKS_A_PERSON + 2):
        stranger = here.world.browser(address=f"198.51.100.{number}")
        stranger.open("/login/face")
        page = stranger.submit_with_captcha(typed)
    assert page.status == 429
    person.sends()
    assert "check=" in person.agrees().url


def test_a_code_is_looked_at_before_the_other_fields_and_typed_once(here: RegistrationWorld) -> None:
    """Nobody is sent a second message for a password that may not be set."""
    person = a_newcomer(here)
    person.asks_for_a_code()
    code = last_code(here.world, person.phone)
    wrong = "000000" if code != "000000" else "111111"
    bad = {"new_password": "short", "confirm_password": "short", "valid_from": ""}
    page = person.browser.submit(person.told(code=wrong, **bad))
    assert [sentence[:14] for sentence in error_sentences(page)] == [
        "请选择身份证有效开始日期",
        "短信验证码不正确，还可以再试",
        "密码至少 8 个字符，目前是",
    ]
    page = person.browser.submit(person.told(code=code, **bad))
    assert [sentence[:14] for sentence in error_sentences(page)] == [
        "请选择身份证有效开始日期",
        "密码至少 8 个字符，目前是",
    ]
    assert "手机号码已验证" in page.text
    assert "code" not in page.form()["fields"]
    assert person.browser.submit(person.told()).url.startswith("/register/person/face")


def test_a_code_beside_a_phone_that_is_none_costs_no_guess(here: RegistrationWorld) -> None:
    person = a_newcomer(here)
    person.asks_for_a_code()
    code = last_code(here.world, person.phone)
    for _ in range(TRIES + 1):
        page = person.browser.submit(person.told(code="000000", phone="1370000000"))
        assert error_sentences(page) == ["手机号码不正确，应为 11 位的内地手机号码"]
    assert person.browser.submit(person.told(code=code)).url.startswith("/register/person/face")


def test_a_code_is_good_for_its_phone_its_journey_and_its_browser_alone(here: RegistrationWorld) -> None:
    """SECURITY 19."""
    person, other = a_newcomer(here), a_newcomer(here)
    person.asks_for_a_code()
    code = last_code(here.world, person.phone)
    said = ["短信验证码已过期或已使用，请重新获取"]
    assert error_sentences(person.browser.submit(person.told(code=code, phone=other.phone))) == said
    tab = replace(person, browser=person.browser)
    tab.browser.open("/register/person")
    assert error_sentences(tab.browser.submit(person.told(code=code))) == said
    other.browser.open("/register/person")
    assert error_sentences(other.browser.submit(person.told(code=code))) == said


def test_a_phone_that_was_proved_stays_so_until_it_is_another(here: RegistrationWorld) -> None:
    person, other = a_newcomer(here, name="白不符"), a_newcomer(here)
    page = person.sends()
    assert error_sentences(page) == [NOT_THE_PERSON]
    assert "手机号码已验证" in page.text
    page = person.browser.submit(person.told(phone=other.phone))
    assert error_sentences(page) == ["请填写短信验证码"]
    page = person.browser.submit(person.told(name="白云飞"))
    assert page.url.startswith("/register/person/face")


def test_before_the_phone_is_proved_nobody_hears_whose_a_name_or_a_phone_is(here: RegistrationWorld) -> None:
    """SECURITY 3."""
    known = here.world.a_person()
    seen = []
    for phone, account in ((known.phone, known.account), ("13700009999", "nobody_has_it")):
        person = a_newcomer(here)
        page = person.asks_for_a_code(phone=phone, account=account)
        pages = [page, person.browser.submit(person.told(phone=phone, account=account, code="000000"))]
        seen.append([(each.status, error_sentences(each)) for each in pages])
    assert seen[0] == seen[1]


def test_who_registers_again_with_his_phone_hears_what_anybody_hears_of_it(here: RegistrationWorld) -> None:
    """SECURITY 3: that the account is his own he hears after his face alone."""
    known = here.world.a_person(name="白云飞")
    page = a_newcomer(here, id_number=known.id_number, phone=known.phone).sends()
    assert error_sentences(page) == [PHONE_TAKEN]
    assert 'href="/login/person"' in page.html


def test_whose_phone_is_another_accounts_hears_it_once_it_is_proved(here: RegistrationWorld) -> None:
    known, person = here.world.a_person(), a_newcomer(here)
    page = person.sends(phone=known.phone)
    assert error_sentences(page) == [PHONE_TAKEN]
    assert 'href="/reset/person"' in page.html
    assert person.row() is None


def test_an_account_name_that_somebody_has_is_refused_at_its_field(here: RegistrationWorld) -> None:
    """X1: unique over people and companies, whatever the capitals."""
    known, company, person = here.world.a_person(), here.world.a_company(), a_newcomer(here)
    assert error_sentences(person.sends(account=known.account.upper())) == [ACCOUNT_TAKEN]
    page = person.browser.submit(person.told(account=company.account))
    assert error_sentences(page) == [ACCOUNT_TAKEN]
    page = person.browser.submit(person.told(account="nobody_has_it"))
    assert page.url.startswith("/register/person/face")


def test_whose_an_account_name_is_hears_nobody_who_is_not_known_by_his_elements(
    here: RegistrationWorld,
) -> None:
    """SECURITY 3: the name of somebody brought over says nothing of who has his document."""
    known = here.world.a_person(password=None, name="白云飞", account="bai_yunfei")
    seen = []
    for more in ({"id_number": known.id_number}, {}):
        for account in ("bai_yunfei", "nobody_has_it"):
            page = a_newcomer(here, name="白不符").sends(account=account, **more)
            seen.append((page.status, error_sentences(page)))
    assert seen == [(403, [NOT_THE_PERSON])] * 4


def test_that_a_number_has_an_account_is_said_after_the_face_alone(here: RegistrationWorld) -> None:
    """SECURITY 3."""
    known = here.world.a_person(name="白云飞")
    person = a_newcomer(here, id_number=known.id_number)
    page = person.sends()
    assert page.url.startswith("/register/person/face")
    person.agrees()
    person.shows_his_face()
    page = person.browser.submit()
    assert (page.status, "您已有个人账号" in page.text) == (409, True)
    assert 'href="/login/person"' in page.html
    assert 'href="/reset/person"' in page.html
    row = person.row()
    assert row
    assert row.phone(here.world.backends.vault) == known.phone


def test_who_the_registry_does_not_know_hears_one_sentence_and_the_ways_out(here: RegistrationWorld) -> None:
    """B22: whichever of the four elements it is; 赵晓岚 is on record there, and has no account here."""
    for field, typed in (("name", "赵小岚"), ("valid_from", "2021-01-01"), ("phone", "13700008888")):
        person = a_newcomer(here, name="赵晓岚", id_number="990100197804120240", phone="13800000001")
        another_message_may_go(here.world, person.phone)
        page = person.sends(**{field: typed})
        assert (page.status, error_sentences(page)) == (403, [NOT_THE_PERSON]), field
        assert "没有核验通过" in page.text
        assert "处需要修改" not in page.text
        assert "拨打服务热线" in page.text
        assert page.form()["fields"]["id_number"] == person.id_number
        assert person.row() is None


def test_without_an_answer_of_the_registry_nothing_is_lost(here: RegistrationWorld) -> None:
    """No answer is neither yes nor no, and the code is not asked for again."""
    person = a_newcomer(here, name="白故障")
    page = person.sends(account="bai_yunfei")
    assert page.status == 503
    [said] = error_sentences(page)
    assert "现在无法核验身份信息" in said
    assert "密码请再填一次" in said
    assert "没有提交成功" in page.text
    assert page.form()["fields"]["account"] == "bai_yunfei"
    assert "手机号码已验证" in page.text
    assert person.row() is None
    assert person.browser.submit(person.told(name="白云飞")).url.startswith("/register/person/face")


def test_the_registry_is_told_the_four_elements_and_nothing_else(here: RegistrationWorld) -> None:
    """G10: and only once the phone is proved and nothing else is in the way."""
    heard: list[bytes] = []
    with (
        answering(200, b'{"matches": true}', heard) as address,
        here.world.rewired(population_url=address) as there,
    ):
        person = a_newcomer(RegistrationWorld(there, here.simulators))
        person.asks_for_a_code()
        person.browser.submit(person.told(code="000000"))
        assert heard == []
        person.browser.submit(person.told(code=last_code(there, person.phone), term="long"))
    assert [json.loads(question) for question in heard] == [
        {
            "name": person.name,
            "id_type": "resident_id",
            "id_number": person.id_number,
            "valid_from": "2020-01-01",
            "valid_until": None,
            "phone": person.phone,
        }
    ]


def test_who_tries_too_often_waits(here: RegistrationWorld) -> None:
    person = a_newcomer(here, name="白不符")
    person.sends()
    pages = [person.browser.submit(person.told()) for _ in range(25)]
    assert pages[-1].status == 429
    assert int(pages[-1].response.headers["Retry-After"]) > 0
    assert "尝试次数过多" in error_sentences(pages[-1])[0]
    # Somebody else at the same address goes on.
    assert a_newcomer(here).sends().url.startswith("/register/person/face")


def test_nobodys_face_is_looked_at_without_his_yes(here: RegistrationWorld) -> None:
    """SECURITY 56."""
    person = a_newcomer(here)
    page = person.sends()
    assert "不刷脸也能拨打服务热线办理" in page.text
    page = person.browser.submit({})
    assert error_sentences(page) == ["请阅读说明并勾选同意；不同意的话，可以拨打服务热线办理"]


@pytest.mark.parametrize("verdict", ["another", "low"])
def test_a_face_that_is_not_his_makes_no_account_and_he_may_try_again(
    here: RegistrationWorld, verdict: str
) -> None:
    person = a_newcomer(here)
    person.sends()
    person.agrees()
    page = person.shows_his_face(verdict)
    assert (page.status, "人脸核验没有通过" in page.text) == (403, True)
    assert "没有建立账号" in page.text
    assert "拨打服务热线" in page.text
    assert not person.has_account
    journey = journey_of_link(page.html)
    person.browser.open(f"/register/person/face?j={journey}")
    person.agrees()
    person.shows_his_face()
    assert person.browser.submit().url.startswith("/register/person/done")


def journey_of_link(html: str) -> str:
    """The journey that the page's link back names."""
    return html.partition("/register/person/face?j=")[2][:22]


def test_what_the_way_back_says_proves_nothing(here: RegistrationWorld) -> None:
    """SECURITY 53."""
    person = a_newcomer(here)
    person.sends()
    page = person.agrees()
    page = person.browser.open(f"{page.url}&result=ok&passed=true")
    page = person.browser.post(page.url, {**page.form()["fields"], "result": "ok", "passed": "true"})
    assert "还没有收到人脸核验的结果" in page.text
    assert not person.has_account


def test_a_face_shown_for_one_person_is_worth_nothing_for_another(here: RegistrationWorld) -> None:
    """SECURITY 55: who corrects his number meanwhile shows his face for it."""
    person, other = a_newcomer(here), a_newcomer(here, name="林大满")
    person.sends()
    person.agrees()
    finish = person.shows_his_face().url
    journey = finish.partition("j=")[2][:22]
    person.browser.open(f"/register/person?j={journey}")
    page = person.browser.submit(person.told(name=other.name, id_number=other.id_number))
    assert page.url.startswith("/register/person/face?j=")
    page = person.browser.open(finish)
    assert "已失效" in page.text
    assert other.row() is None


def test_a_face_of_another_browser_makes_no_account(here: RegistrationWorld) -> None:
    person, thief = a_newcomer(here), a_newcomer(here)
    person.sends()
    person.agrees()
    finish = person.shows_his_face().url
    page = thief.browser.open(finish)
    assert page.status == 400
    assert person.name not in page.text
    assert "人脸核验已经取消" in person.browser.open(finish).text, "it ended with that"
    assert not person.has_account


def test_a_document_that_runs_out_meanwhile_is_refused_at_its_field(here: RegistrationWorld) -> None:
    """Y, "an expired ID document": the form looked, and so does the end."""
    today = civil_day(here.world.now())
    evening = datetime.combine(today, time(23, 58), tzinfo=SHANGHAI)
    first = today.replace(year=today.year - 5, day=min(today.day, 28))
    evening = evening.replace(day=first.day)
    person = a_newcomer(here)
    with time_machine.travel(evening, tick=True):
        page = person.sends(term="5", valid_from=first.isoformat())
        assert page.url.startswith("/register/person/face"), page.text
        person.agrees()
        finish = person.shows_his_face()
        assert "人脸核验已通过" in finish.text
    with time_machine.travel(evening + timedelta(minutes=3), tick=True):
        page = person.browser.submit()
    assert error_sentences(page) == ["证件已到期，请换领新证件后再办理"]
    assert page.url.startswith("/register/person?j=")
    assert not person.has_account
