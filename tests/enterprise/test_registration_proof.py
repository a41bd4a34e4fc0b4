"""How the representative proves that he registers the company himself: his face, or his account beside it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from idp.accounts.audit import Action, AuditEvent
from idp.accounts.models import Credential, Enterprise, Person
from tests.enterprise.applying import START, Applicant, Office, journey_of
from tests.inhabitants import PASSWORD, APerson
from tests.login.acting import key_of, switch_sms_on
from tests.messages import last_code, waiting
from tests.scan.faces import check_of, ticket_of
from tests.world import Browser, Page, a_credit_code, a_resident_number, error_sentences

WRONG = "密码不正确，或者法定代表人在本平台还没有个人账号"


def tries(browser: Browser, password: str = PASSWORD) -> Page:
    """不方便刷脸: open the page beside the face, and type a password."""
    browser.open(f"{START}/representative?j={journey_of(browser)}")
    return browser.submit_with_captcha({"password": password})


def at_the_face(here: Office, person: APerson | None = None) -> tuple[Applicant, Browser]:
    """A journey on its second step, of a company whose representative is `person`, or nobody known."""
    applicant, browser = Applicant(here), here.world.browser()
    known = {"representative_name": person.name, "id_number": person.id_number} if person else {}
    assert applicant.sends(browser, **known).url.startswith(f"{START}/face")
    return applicant, browser


def test_a_face_is_asked_for_with_a_yes_of_its_own_and_another_way_beside_it(here: Office) -> None:
    """SECURITY 56, Y: separate consent, never the only way."""
    _, browser = at_the_face(here)
    page = browser.submit()
    assert error_sentences(page) == ["请阅读说明并勾选同意；不同意的话，可以用法定代表人的个人账号验证"]
    assert "不方便刷脸？用法定代表人的个人账号验证" in page.text
    page = browser.submit({"agreed": "y"})
    assert "不方便刷脸？用法定代表人的个人账号验证" in page.text
    assert "请使用「吉事办」App 扫描上方二维码，完成人脸认证" in page.text


def test_the_phone_says_for_which_company_the_face_is_asked(here: Office) -> None:
    applicant, browser = at_the_face(here)
    seen = here.phone().scan(ticket_of(applicant.agrees(browser))).get_json()
    assert applicant.told()["name"] in str(seen)
    assert "法定代表人" in str(seen)


def test_a_face_that_is_another_s_registers_nothing_and_may_be_shown_again(here: Office) -> None:
    applicant, browser = at_the_face(here)
    page = applicant.shows_face(browser, "another")
    assert (page.status, "没有注册法人账号" in page.text) == (403, True)
    assert here.rows(Enterprise) == 0
    browser.open(f"{START}/face?j={journey_of(browser)}")
    applicant.shows_face(browser)
    assert applicant.goes_on(browser).url.startswith(f"{START}/done")


def test_the_face_can_be_shown_in_the_same_browser(here: Office) -> None:
    """在本机刷脸."""
    applicant, browser = at_the_face(here)
    applicant.agrees(browser)
    leads_to = browser.submit(number=1, follow=False).location
    back = here.simulators.press(leads_to, "passed").headers["Location"]
    assert "人脸核验已通过" in browser.open(back).text
    assert browser.submit().url.startswith(f"{START}/done")
    assert here.company(applicant.uscc)


@pytest.mark.parametrize(
    "changed",
    [
        {"name": "向海别的示例有限公司"},
        {"uscc": a_credit_code(79_001)},
        {"representative_name": "田小麦"},
        {"id_number": a_resident_number(79_002)},
    ],
)
def test_a_face_shown_for_one_company_and_person_is_none_for_another(
    here: Office, changed: dict[str, str]
) -> None:
    """SECURITY 55: what was typed is changed in another tab after the face was shown."""
    applicant, browser = at_the_face(here)
    checked = applicant.shows_face(browser).url
    browser.open(f"{START}?j={journey_of(browser)}")
    assert applicant.sends_again(browser, **changed).url.startswith(f"{START}/face")
    page = browser.open(checked)
    assert "这次人脸核验已失效" in page.text
    assert here.rows(Enterprise) == 0


def test_a_face_shown_for_another_browser_s_journey_opens_nothing_there(here: Office) -> None:
    applicant, browser = at_the_face(here)
    check = check_of(applicant.shows_face(browser))
    _, thief = at_the_face(here)
    page = thief.open(f"{START}/face/finish?j={journey_of(thief)}&check={check}")
    assert page.status == 400
    page = here.world.browser().open(f"{START}/face/finish?j={journey_of(browser)}&check={check}")
    assert page.status == 400
    assert here.rows(Enterprise) == 0


def test_whoever_shows_no_face_proves_himself_by_his_own_account(here: Office) -> None:
    """Y, "face": the same page offers another way."""
    person = here.world.a_person(name="田小禾")
    applicant, browser = at_the_face(here, person)
    page = tries(browser)
    assert page.url.startswith(f"{START}/representative/code")
    assert person.phone not in page.html
    browser.submit({"send": "1"})
    page = browser.submit({"code": last_code(here.world, person.phone)})
    assert page.url.startswith(f"{START}/done")
    assert here.representative_of(applicant.uscc).id == person.row.id
    with here.world.reading() as db:
        [line] = db.scalars(select(AuditEvent).where(AuditEvent.action == Action.ENTERPRISE_REGISTERED)).all()
    assert line.detail == {"proved_by": "account"}


def test_a_stranger_learns_of_no_account_there(here: Office) -> None:
    """The same for a wrong password, nobody's account, and a person without a password of his own."""
    known = here.world.a_person(name="田小禾")
    without = here.world.a_person(name="田小禾", password=None, account=None)
    said = []
    for person in (known, without, None):
        _, browser = at_the_face(here, person)
        page = tries(browser, "Another kite 43")
        said.append((page.status, error_sentences(page), page.url.partition("?")[0]))
        assert waiting(here.world, known.phone) == []
    assert said == [(200, [WRONG], f"{START}/representative")] * 3


def test_guesses_there_are_counted_with_those_of_the_sign_in(here: Office) -> None:
    """Y, "throttling": no second place to guess at a password."""
    person = here.world.a_person(name="田小禾")
    _, browser = at_the_face(here, person)
    most = here.world.settings.throttle_failures
    statuses = [tries(browser, "Another kite 43").status for _ in range(most + 1)]
    assert statuses == [200] * most + [429]
    other = here.world.browser(address="10.9.8.7")
    page = other.sign_in_person(person)
    assert "/center" not in page.url
    with here.world.reading() as db:
        lines = db.scalars(select(AuditEvent).where(AuditEvent.action == Action.PROOF_REFUSED)).all()
    assert {line.detail["why"] for line in lines} == {"password", "throttled"}
    assert {line.target for line in lines} == {f"person:{person.row.id}"}


def test_a_captcha_is_asked_for_there(here: Office) -> None:
    person = here.world.a_person(name="田小禾")
    _, browser = at_the_face(here, person)
    browser.open(f"{START}/representative?j={journey_of(browser)}")
    page = browser.submit({"password": PASSWORD, "captcha": "0000"})
    assert error_sentences(page) == ["图形验证码不正确，请填写新的一张"]


def test_the_code_wants_the_password_before_it(here: Office) -> None:
    person = here.world.a_person(name="田小禾")
    _, browser = at_the_face(here, person)
    page = browser.open(f"{START}/representative/code?j={journey_of(browser)}")
    assert page.url.startswith(f"{START}/representative?")
    assert here.rows(Enterprise) == 0


@pytest.mark.parametrize("change", ["password", "suspended", "locked"])
def test_an_account_that_changed_after_its_password_was_proved_proves_nothing(
    here: Office, change: str
) -> None:
    person = here.world.a_person(name="田小禾")
    _, browser = at_the_face(here, person)
    tries(browser)
    browser.submit({"send": "1"})
    with here.world.write() as db:
        credential = db.scalars(select(Credential).where(Credential.person_id == person.row.id)).one()
        if change == "password":
            credential.changed_at += timedelta(seconds=1)
        elif change == "locked":
            credential.locked_at = here.world.now()
        else:
            db.get_one(Person, person.row.id).suspended_at = here.world.now()
    page = browser.submit({"code": last_code(here.world, person.phone)})
    assert page.status == (200 if change == "password" else 403)
    assert here.rows(Enterprise) == 0


def test_an_account_without_a_phone_is_told_so_after_its_password(here: Office) -> None:
    person = here.world.a_person(name="田小禾", phone=None)
    _, browser = at_the_face(here, person)
    assert error_sentences(tries(browser, "Another kite 43")) == [WRONG]
    page = tries(browser)
    assert (page.status, "个人账号没有手机号码" in page.text) == (409, True)


def test_an_account_with_a_stronger_factor_is_not_opened_by_password_and_phone(here: Office) -> None:
    """0017: a phone does not go round an app. Told to nobody who has not its password."""
    person = here.world.a_person(name="田小禾")
    here.world.a_totp(key_of(here.world, person))
    _, browser = at_the_face(here, person)
    assert error_sentences(tries(browser, "Another kite 43")) == [WRONG]
    page = tries(browser)
    assert (page.status, "更安全的第二步验证" in page.text) == (409, True)
    assert "改用刷脸" in page.text
    assert waiting(here.world, person.phone) == []


def test_one_that_was_added_after_the_password_counts_too(here: Office) -> None:
    person = here.world.a_person(name="田小禾")
    _, browser = at_the_face(here, person)
    tries(browser)
    browser.submit({"send": "1"})
    code = last_code(here.world, person.phone)
    here.world.a_totp(key_of(here.world, person))
    assert browser.submit({"code": code}).status == 409
    assert here.rows(Enterprise) == 0


def test_codes_to_the_phone_are_no_stronger_factor(here: Office) -> None:
    person = here.world.a_person(name="田小禾")
    switch_sms_on(here.world, key_of(here.world, person))
    _, browser = at_the_face(here, person)
    assert tries(browser).url.startswith(f"{START}/representative/code")


def test_the_account_of_one_representative_is_none_for_another(here: Office) -> None:
    """What was typed is changed in another tab after the password was right."""
    person, other = here.world.a_person(name="田小禾"), here.world.a_person(name="田小禾")
    applicant, browser = at_the_face(here, person)
    code_page = tries(browser).url
    browser.open(f"{START}?j={journey_of(browser)}")
    applicant.sends_again(browser, id_number=other.id_number)
    assert browser.open(code_page).url.startswith(f"{START}/representative?")
