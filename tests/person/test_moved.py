"""迁移原有账号: who had an account in the older app takes it over by its phone (B23)."""

from __future__ import annotations

from dataclasses import dataclass
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import delete, select

from idp.accounts.agreements import CURRENT, Acceptance
from idp.accounts.audit import Action, AuditEvent
from idp.accounts.calendar import civil_day
from idp.accounts.models import Credential, LoginName, Person
from idp.person import registration
from idp.person.moved import TRIES
from tests.inhabitants import APerson
from tests.login.acting import same_browser
from tests.messages import last_code, waiting
from tests.oauth.asking import at_once, later
from tests.person.registering import NEW_PASSWORD, another_message_may_go, journey_of
from tests.world import Browser, Page, World, error_sentences

NOBODY = "没有找到可以迁移的账号"


@dataclass
class Former:
    """Somebody who had an account in the older app, at a browser."""

    world: World
    person: APerson
    browser: Browser

    def asks_for_a_code(self, phone: str = "") -> Page:
        """Open the first page, and press 获取验证码."""
        self.browser.open("/register/moved")
        return self.browser.submit_with_captcha({"phone": phone or self.person.phone, "send": "1"})

    def proves_the_phone(self) -> Page:
        """The same, and type the code that came."""
        self.asks_for_a_code()
        code = last_code(self.world, self.person.phone)
        return self.browser.submit({"phone": self.person.phone, "code": code})

    def tells_his_number(self, number: str = "", **more: str) -> Page:
        """On the second page."""
        typed = {"id_type": "resident_id", "id_number": number or self.person.id_number}
        return self.browser.submit({**typed, **more})

    def chooses(self, **changed: str) -> Page:
        """On the third page."""
        right = {"new_password": NEW_PASSWORD, "confirm_password": NEW_PASSWORD, "agreed": "y"}
        return self.browser.submit({**right, **changed})

    def moves(self) -> Page:
        """All of it."""
        self.proves_the_phone()
        self.tells_his_number()
        return self.chooses()

    @property
    def has_account(self) -> bool:
        """Whether he has a password of his own."""
        mine = select(Credential).where(Credential.person_id == self.person.row.id)
        with self.world.reading() as db:
            return db.scalars(mine).first() is not None


def a_former_user(world: World, *, account: str | None = None, brought_from: str = "e-zhangtong") -> Former:
    """Somebody who was brought over."""
    person = world.a_person(password=None, name="白云飞", account=account)
    with world.write() as db:
        db.get_one(Person, person.row.id).brought_from = brought_from
    return Former(world, person, world.browser())


def test_who_had_an_account_in_the_older_app_takes_it_over(there: World) -> None:
    """B23."""
    former = a_former_user(there, account="bai_yunfei")
    page = former.proves_the_phone()
    assert page.url.startswith("/register/moved/identity?j=")
    assert "白*飞" in page.text
    assert former.person.id_number not in page.html
    page = former.tells_his_number()
    assert page.url.startswith("/register/moved/password?j=")
    assert "bai_yunfei" in page.text
    assert not former.has_account
    page = former.chooses()
    assert page.url.startswith("/register/moved/done?j="), page.text
    assert 'href="/login/person"' in page.html
    for typed in ("bai_yunfei", former.person.phone, former.person.id_number):
        browser = there.browser()
        browser.open("/login/person")
        page = browser.submit_with_captcha({"account": typed, "password": NEW_PASSWORD})
        assert page.url == "/center/person", page.text


def test_he_stays_the_same_person_and_what_happened_is_remembered(there: World) -> None:
    former = a_former_user(there)
    former.moves()
    key = f"person:{former.person.row.id}"
    with there.reading() as db:
        row = db.get_one(Person, former.person.row.id)
        [line] = db.scalars(select(AuditEvent).where(AuditEvent.action == Action.PERSON_REGISTERED))
        kept = db.scalars(select(Acceptance).where(Acceptance.account == key)).all()
    assert row.subject_salt == former.person.row.subject_salt
    assert (line.target, line.detail) == (key, {"taken_over": True})
    assert {each.document: each.version for each in kept} == CURRENT
    assert "您的个人账号已注册" in waiting(there, former.person.phone)[-1]["text"]


def test_who_brought_no_account_name_along_may_choose_one(there: World) -> None:
    former, known = a_former_user(there), there.a_person()
    former.proves_the_phone()
    former.tells_his_number()
    page = former.chooses(account=known.account)
    assert error_sentences(page) == ["这个账号已被使用，请换一个"]
    assert former.chooses(account="Bai_Yunfei").url.startswith("/register/moved/done")
    with there.reading() as db:
        mine = select(LoginName.name).where(LoginName.person_id == former.person.row.id)
        assert db.scalars(mine).all() == ["bai_yunfei"]


def test_a_name_that_was_brought_along_is_not_changed_by_a_form(there: World) -> None:
    """SECURITY 59."""
    former = a_former_user(there, account="bai_yunfei")
    former.proves_the_phone()
    former.tells_his_number()
    page = former.chooses(account="another_name", role="administrator", brought_from="", status="active")
    assert page.url.startswith("/register/moved/done")
    with there.reading() as db:
        mine = select(LoginName.name).where(LoginName.person_id == former.person.row.id)
        assert db.scalars(mine).all() == ["bai_yunfei"]


def test_nothing_tells_a_stranger_whose_phone_was_brought_over(there: World) -> None:
    """SECURITY 6: the message, its fate, its limits and what is said of a wrong code are the same."""
    former, known = a_former_user(there), there.a_person()
    seen = []
    for phone in (former.person.phone, known.phone, "13700009999"):
        stranger = Former(there, former.person, there.browser())
        page = stranger.asks_for_a_code(phone)
        told: list[object] = [page.status, page.text.replace(phone[:3] + "****" + phone[-4:], "")]
        ref = page.form()["fields"]["sms_ref"]
        told.append(stranger.browser.open(f"/sms/{ref}").response.get_json())
        told.append(len(waiting(there, phone)))
        stranger.browser.page = page
        again = stranger.browser.submit_with_captcha({"phone": phone, "send": "1"})
        told.append(error_sentences(again)[0].startswith("请 "))
        wrong = "000000" if last_code(there, phone) != "000000" else "111111"
        told.append(error_sentences(stranger.browser.submit({"phone": phone, "code": wrong})))
        seen.append(told)
    assert seen[0] == seen[1] == seen[2]


def test_whose_phone_came_with_no_account_hears_it_once_it_is_proved(there: World) -> None:
    former = a_former_user(there, brought_from="")
    page = former.proves_the_phone()
    assert (page.status, NOBODY in page.text) == (404, True)
    assert 'href="/register/person"' in page.html
    assert 'href="/register/moved"' in page.html


def test_a_refused_phone_is_there_when_the_page_is_loaded_again(there: World) -> None:
    """So is one whose journey was gone."""
    browser = there.browser()
    browser.open("/register/moved")
    page = browser.submit({"phone": "13700000009", "code": "12"})
    assert browser.open(page.url).form()["fields"]["phone"] == "13700000009"
    with later(seconds=there.settings.journey_lifetime + 1):
        page = browser.submit({"phone": "13700000008", "code": "123456"})
        assert error_sentences(page) == ["这个页面打开太久，短信验证码已失效。请重新获取短信验证码"]
        assert browser.open(page.url).form()["fields"]["phone"] == "13700000008"


def test_who_has_a_password_already_is_led_to_the_login(there: World) -> None:
    known = there.a_person()
    page = Former(there, known, there.browser()).proves_the_phone()
    assert (page.status, "您已有个人账号" in page.text) == (409, True)
    assert 'href="/reset/person"' in page.html


def test_who_was_suspended_takes_nothing_over(there: World) -> None:
    former = a_former_user(there)
    former.proves_the_phone()
    former.tells_his_number()
    with there.write() as db:
        db.get_one(Person, former.person.row.id).suspended_at = there.now()
    page = former.chooses()
    assert (page.status, "您的账号已停用" in page.text) == (403, True)
    assert not former.has_account


def test_the_number_is_compared_so_often_and_no_more_whoever_tries(there: World) -> None:
    former, other = a_former_user(there), there.a_person()
    former.proves_the_phone()
    for _ in range(TRIES):
        page = former.tells_his_number(other.id_number)
        assert error_sentences(page) == ["证件号码与原有账号登记的不一致，请对照证件核对"]
    assert former.tells_his_number(other.id_number).url.startswith("/register/moved/identity")
    page = former.tells_his_number()
    assert page.status == 429
    assert int(page.response.headers["Retry-After"]) > 0
    another_message_may_go(there, former.person.phone)
    again = Former(there, former.person, there.browser(address="10.0.0.9"))
    again.proves_the_phone()
    assert again.tells_his_number().status == 429, "another journey and another address are no other tries"
    with later(minutes=11):
        assert again.tells_his_number().url.startswith("/register/moved/password")


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"id_number": ""}, "请填写证件号码"),
        ({"id_number": "99010019780412024"}, "居民身份证号码应为 18 位，目前填写了 17 位"),
        ({"id_type": "card"}, "请选择证件类型"),
        ({"id_type": "passport"}, "证件号码与原有账号登记的不一致，请对照证件核对"),
    ],
)
def test_a_number_that_is_wrong_says_how(there: World, typed: dict[str, str], sentence: str) -> None:
    former = a_former_user(there)
    former.proves_the_phone()
    right = {"id_type": "resident_id", "id_number": former.person.id_number}
    assert error_sentences(former.browser.submit({**right, **typed})) == [sentence]


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"new_password": "", "confirm_password": ""}, "请设置密码"),
        ({"confirm_password": "Paper-lantern 78"}, "两次填写的密码不一样"),
        ({"agreed": ""}, "请阅读并勾选同意《注册协议》与《隐私政策》"),
        ({"account": "1_abcdef"}, "账号应为 6-20 位字符"),
    ],
)
def test_a_password_page_says_what_is_wrong(there: World, changed: dict[str, str], sentence: str) -> None:
    former = a_former_user(there)
    former.proves_the_phone()
    former.tells_his_number()
    page = former.chooses(**changed)
    assert any(sentence in said for said in error_sentences(page))
    assert not former.has_account


def test_the_password_holds_neither_phone_nor_number_nor_name(there: World) -> None:
    """X2."""
    former = a_former_user(there, account="bai_yunfei")
    former.proves_the_phone()
    former.tells_his_number()
    for word in ("bai_yunfei", former.person.phone, former.person.id_number):
        page = former.chooses(new_password=f"x{word}x", confirm_password=f"x{word}x")
        assert error_sentences(page) == ["密码里不能包含账号、手机号或证件号码"]


def test_nobody_is_on_a_step_before_its_time(there: World) -> None:
    former = a_former_user(there)
    page = former.asks_for_a_code()
    journey = journey_of(page)
    for step in ("identity", "password", "done"):
        assert former.browser.open(f"/register/moved/{step}?j={journey}").url == page.url
        assert there.browser().open(f"/register/moved/{step}?j={journey}").status == 400
    former = Former(there, former.person, there.browser())
    another_message_may_go(there, former.person.phone)
    page = former.proves_the_phone()
    assert former.browser.open(f"/register/moved/password?j={journey_of(page)}").url == page.url


def test_the_back_button_leads_to_where_the_journey_stands(there: World) -> None:
    former = a_former_user(there)
    former.proves_the_phone()
    page = former.tells_his_number()
    journey = journey_of(page)
    for step in ("", "/identity"):
        assert former.browser.open(f"/register/moved{step}?j={journey}").url == page.url
    end = former.chooses().url
    for step in ("", "/identity", "/password"):
        assert former.browser.open(f"/register/moved{step}?j={journey}").url == end


def test_the_forms_sent_twice_act_once_and_lead_to_the_same_pages(there: World) -> None:
    former = a_former_user(there)
    page = former.asks_for_a_code()
    code = last_code(there, former.person.phone)
    sent = {**page.form()["fields"], "phone": former.person.phone, "code": code}
    first = former.browser.post(page.url, sent).url
    assert first.startswith("/register/moved/identity")
    assert former.browser.post(page.url, sent).url == first
    page = former.tells_his_number()
    sent = {**page.form()["fields"], "new_password": NEW_PASSWORD, "confirm_password": NEW_PASSWORD}
    end = former.chooses().url
    assert former.browser.post(page.url, {**sent, "agreed": "y"}).url == end
    with there.reading() as db:
        assert len(db.scalars(select(Credential)).all()) == 1


def test_of_a_password_page_pressed_twice_at_once_both_lead_to_the_end(
    there: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither has written when the other looks at the journey."""
    former = a_former_user(there)
    former.proves_the_phone()
    page = former.tells_his_number()
    chosen = {"new_password": NEW_PASSWORD, "confirm_password": NEW_PASSWORD, "agreed": "y"}
    sent = {**page.form()["fields"], **chosen}
    count_try, both = registration.count_try, Barrier(2)

    def then_wait_for_the_twin(*given: Any, **more: Any) -> None:
        count_try(*given, **more)
        both.wait(timeout=20)

    monkeypatch.setattr(registration, "count_try", then_wait_for_the_twin)
    pages = at_once(2, lambda _: same_browser(there, former.browser).post(page.url, sent))
    ends = [page.url.partition("?")[0] for page in pages]
    assert ends == ["/register/moved/done"] * 2, [page.text for page in pages]


def test_an_end_whose_rows_were_never_kept_is_none(there: World) -> None:
    former = a_former_user(there)
    page = former.moves()
    with there.write() as db:
        db.execute(delete(Credential))
    with later(seconds=20):
        page = former.browser.open(page.url)
    assert (page.status, "迁移原有账号没有完成" in page.text) == (400, True)


@pytest.mark.parametrize("change", ["phone", "credential"])
def test_a_record_that_changes_between_steps_ends_the_journey(there: World, change: str) -> None:
    former = a_former_user(there)
    former.proves_the_phone()
    former.tells_his_number()
    with there.write() as db:
        row = db.get_one(Person, former.person.row.id)
        if change == "phone":
            row.set_phone(there.backends.vault, "13700006666")
        else:
            hashed = there.hash(NEW_PASSWORD)
            db.add(Credential(person_id=row.id, password_hash=hashed, changed_at=there.now()))
    page = former.chooses()
    assert page.status == {"phone": 404, "credential": 409}[change]


def test_of_ten_at_once_one_takes_the_account_over(there: World) -> None:
    """SECURITY 57."""
    first = a_former_user(there)
    formers = [Former(there, first.person, there.browser()) for _ in range(10)]
    for former in formers:
        number = there.backends.vault.index("sms_phone", first.person.phone).hex()
        another_message_may_go(there, first.person.phone)
        today = civil_day(there.now())
        there.backends.store.delete(f"sms-day:{number}:{today}", f"sms-open:{number}:{today}")
        there.backends.store.delete(*ceilings(there, first.person))
        former.proves_the_phone()
        assert former.tells_his_number().url.startswith("/register/moved/password")
    pages = at_once(10, lambda which: formers[which].chooses(account=f"bai_yunfei_{which}"))
    ends = [page.url.partition("?")[0] for page in pages]
    assert ends.count("/register/moved/done") == 1, [page.text for page in pages]
    assert {page.status for page in pages} <= {200, 409, 503}
    with there.reading() as db:
        assert len(db.scalars(select(Credential)).all()) == len(db.scalars(select(LoginName)).all()) == 1


def ceilings(world: World, person: APerson) -> tuple[str, str]:
    """Where the tries of a number are counted."""
    name = f"moved:{person.row.id}"
    return f"ceiling:{name}:{int(world.now().timestamp()) // 3600}", f"ceiling-wait:{name}"
