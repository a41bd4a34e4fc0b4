"""短信验证 of a reset: a code for one purpose, account, phone, browser and journey, with few tries (D04)."""

from __future__ import annotations

import logging

import pytest
from sqlalchemy import select, update

from idp.accounts.models import Credential, LegalAccount, Person
from idp.accounts.outbox import OutboxMessage
from idp.proof import captcha
from tests.login.acting import later, same_browser, trail_of
from tests.login.resetting import (
    KINDS,
    a_minute_goes_by,
    asks_for_a_code,
    identity_of,
    journey_of,
    phone_of,
    somebody,
    tells,
)
from tests.messages import last_code, waiting
from tests.oauth.asking import at_once
from tests.world import APerson, Browser, Page, World, error_sentences

WRONG_CODE = "短信验证码不正确，还可以再试 {left} 次"
GONE = "短信验证码已过期或已使用，请重新获取"
TOO_OFTEN = "短信验证码错误次数过多，请重新获取"


@pytest.fixture
def person(world: World) -> APerson:
    return world.a_person()


def before_the_code(world: World, person: APerson, browser: Browser | None = None) -> Browser:
    """A browser on the page of 短信验证 to whose person a code was sent."""
    browser = browser or world.browser()
    page = tells(browser, *identity_of(person))
    assert page.url.startswith("/reset/phone?"), page.text
    asks_for_a_code(browser)
    return browser


def other_than(code: str) -> str:
    """Six digits that are not the code."""
    return f"{(int(code) + 1) % 1_000_000:06d}"


def is_through(page: Page) -> bool:
    return page.url.startswith("/reset/password?")


def test_nothing_is_sent_before_it_is_asked_for_and_the_first_message_needs_no_second_captcha(
    world: World, person: APerson
) -> None:
    browser = world.browser()
    page = tells(browser, *identity_of(person))
    assert waiting(world, person.phone) == []
    assert page.form()["fields"]["captcha_id"] == ""
    page = asks_for_a_code(browser)
    (message,) = waiting(world, person.phone)
    assert message["purpose"] == "reset"
    assert "用于重置密码" in message["text"]
    assert message["code"] not in page.html
    assert page.form()["fields"]["captcha_id"], "the next one wants one"


def test_a_further_message_waits_a_minute_and_wants_a_captcha(world: World, person: APerson) -> None:
    browser = before_the_code(world, person)
    page = browser.submit_with_captcha({"send": "1"})
    assert "秒后再获取验证码" in error_sentences(page)[0]
    with later(seconds=61):
        page = browser.submit({"send": "1", "captcha": "0000"})
        assert error_sentences(page) == ["图形验证码不正确，请填写新的一张"]
    assert len(waiting(world, person.phone)) == 1


def test_a_new_code_takes_the_place_of_the_one_before(world: World, person: APerson) -> None:
    browser = before_the_code(world, person)
    first = last_code(world, person.phone)
    a_minute_goes_by(world, person.phone)
    browser.submit_with_captcha({"send": "1"})
    second = last_code(world, person.phone)
    assert len(waiting(world, person.phone)) == 2
    if first != second:
        assert error_sentences(browser.submit({"code": first})) == [WRONG_CODE.format(left=4)]
    assert is_through(browser.submit({"code": second}))


@pytest.mark.parametrize("written", ["{} ", "{:.3} {:.0}", "full-width"])
def test_a_code_may_be_typed_as_a_keyboard_has_it(world: World, person: APerson, written: str) -> None:
    browser = before_the_code(world, person)
    code = last_code(world, person.phone)
    typed = {
        "{} ": f" {code} ",
        "{:.3} {:.0}": f"{code[:3]} {code[3:]}",
        "full-width": code.translate({ord("0") + digit: ord("０") + digit for digit in range(10)}),
    }[written]
    assert is_through(browser.submit({"code": typed}))


def test_five_wrong_codes_end_it_and_the_owner_sees_that_somebody_guessed(
    world: World, person: APerson
) -> None:
    browser = before_the_code(world, person)
    code = last_code(world, person.phone)
    said = [error_sentences(browser.submit({"code": other_than(code)}))[0] for _ in range(5)]
    assert said == [*(WRONG_CODE.format(left=left) for left in (4, 3, 2, 1)), TOO_OFTEN]
    assert error_sentences(browser.submit({"code": code})) == [TOO_OFTEN]
    trail = trail_of(world, f"person:{person.row.id}")
    guesses = [detail for action, detail in trail if action == "proof_refused"]
    assert guesses == [{"why": "sms_code"}] * 6


def test_what_was_no_guess_at_a_code_fills_no_trail(world: World, person: APerson) -> None:
    """Whoever types digits where no code was sent, or an expired one, is written down nowhere."""
    browser = world.browser()
    tells(browser, *identity_of(person))
    for _ in range(3):
        assert error_sentences(browser.submit({"code": "000000"})) == [GONE]
    asks_for_a_code(browser)
    with later(seconds=301):
        assert error_sentences(browser.submit({"code": last_code(world, person.phone)})) == [GONE]
    assert trail_of(world, f"person:{person.row.id}") == []


def test_of_forty_guesses_at_once_five_are_looked_at(world: World, person: APerson) -> None:
    """SECURITY 18."""
    browser = before_the_code(world, person)
    code = last_code(world, person.phone)
    windows = [same_browser(world, browser) for _ in range(20)]
    for window in windows:
        window.page = browser.page
    guesses = [f"{(int(code) + 1 + number) % 1_000_000:06d}" for number in range(20)]
    pages = at_once(20, lambda number: windows[number].submit({"code": guesses[number]}))
    wrong = [page for page in pages if "还可以再试" in error_sentences(page)[0]]
    assert len(wrong) == 4
    assert not is_through(browser.submit({"code": code}))


def test_a_code_is_good_for_five_minutes(world: World, person: APerson) -> None:
    browser = before_the_code(world, person)
    code = last_code(world, person.phone)
    with later(seconds=301):
        assert error_sentences(browser.submit({"code": code})) == [GONE]


def test_a_code_is_good_for_one_journey_of_one_browser(world: World, person: APerson) -> None:
    """SECURITY 19."""
    mine = before_the_code(world, person)
    code = last_code(world, person.phone)
    assert mine.page
    address = mine.page.url
    thief = world.browser()
    tells(thief, *identity_of(person))
    assert error_sentences(thief.submit({"code": code})) == [GONE]
    # Whoever has the address of another's journey has nothing of it.
    page = thief.open(address)
    assert "重置密码没有完成" in page.text
    assert person.phone[-4:] not in page.text
    second = same_browser(world, mine)
    tells(second, *identity_of(person))
    assert second.page
    assert journey_of(second.page) != journey_of(mine.page)
    assert error_sentences(second.submit({"code": code})) == [GONE]
    assert is_through(mine.submit({"code": code}))


def test_a_code_of_another_account_or_purpose_opens_nothing(world: World, person: APerson) -> None:
    operator = world.an_operator(person=person)
    browser = before_the_code(world, person)
    code = last_code(world, person.phone)
    tells(browser, *identity_of(operator))
    assert error_sentences(browser.submit({"code": code})) == [GONE]
    stranger = world.a_person()
    tells(browser, *identity_of(stranger))
    assert error_sentences(browser.submit({"code": code})) == [GONE]


def test_the_right_code_sent_eight_times_at_once_leads_on_and_is_spent(world: World, person: APerson) -> None:
    browser = before_the_code(world, person)
    code, form = last_code(world, person.phone), browser.page
    windows = [same_browser(world, browser) for _ in range(8)]
    for window in windows:
        window.page = form
    pages = at_once(8, lambda number: windows[number].submit({"code": code}))
    assert all(is_through(page) or error_sentences(page)[0] in {GONE, TOO_OFTEN} for page in pages)
    # They are one browser's, so that all of it goes on from where the one that spent it led.
    assert is_through(browser.open(f"/reset/phone?j={journey_of(pages[0])}"))
    tells(browser, *identity_of(person))
    assert error_sentences(browser.submit({"code": code})) == [GONE], "another journey has nothing of it"


@pytest.mark.parametrize("typed", ["", " ", "12345", "abcdef", "1" * 41, "１２３４５", "٠١٢٣٤٥"])
def test_what_is_no_code_is_refused_with_a_sentence(world: World, person: APerson, typed: str) -> None:
    browser = before_the_code(world, person)
    page = browser.submit({"code": typed})
    assert page.status == 200
    assert len(error_sentences(page)) == 1


@pytest.mark.parametrize("kind", KINDS)
def test_another_phone_of_record_ends_the_journey(world: World, kind: str) -> None:
    known, browser = somebody(world, kind), world.browser()
    tells(browser, *identity_of(known))
    asks_for_a_code(browser)
    code = last_code(world, phone_of(known))
    with world.write() as db:
        vault = world.backends.vault
        if kind == "legal":
            db.scalars(select(LegalAccount)).one().set_phone(vault, "13900009999")
        else:
            holder = known.row if isinstance(known, APerson) else known.person.row  # type: ignore[union-attr]
            db.get_one(Person, holder.id).set_phone(vault, "13900009999")
    page = browser.submit({"code": code})
    assert page.status == 409
    assert "重置密码没有完成" in page.text
    assert "13900009999"[-4:] not in page.text
    assert f'href="/reset/{kind}"' in page.html


def test_another_password_ends_the_journey_at_each_step(world: World, person: APerson) -> None:
    browser = before_the_code(world, person)
    code = last_code(world, person.phone)
    changed = update(Credential).where(Credential.person_id == person.row.id)
    with world.write() as db:
        db.execute(changed.values(changed_at=world.now()))
    assert browser.submit({"code": code}).status == 409
    assert browser.page
    other, browser = world.a_person(), world.browser()
    before_the_code(world, other, browser)
    page = browser.submit({"code": last_code(world, other.phone)})
    assert is_through(page)
    with world.write() as db:
        db.execute(update(Credential).values(changed_at=world.now()))
    page = browser.submit({"new_password": "Brand-new 2026", "confirm_password": "Brand-new 2026"})
    assert page.status == 409
    assert "没有做任何更改" in page.text


def test_a_step_is_open_only_after_the_one_before(world: World, person: APerson) -> None:
    browser = before_the_code(world, person)
    assert browser.page
    journey = journey_of(browser.page)
    for step in ("password", "done"):
        page = browser.open(f"/reset/{step}?j={journey}")
        assert page.url.startswith("/reset/phone?")
    new = {"new_password": "Brand-new 2026", "confirm_password": "Brand-new 2026"}
    values = {**browser.page.form()["fields"], **new}
    page = browser.post(f"/reset/password?j={journey}", values)
    assert page.url.startswith("/reset/phone?")
    for address in ("/reset/phone", "/reset/password?j=", f"/reset/done?j={'x' * 22}", "/reset/phone?j=%00"):
        page = browser.open(address)
        assert page.status == 400
        assert "重新开始" in page.text or "没有被受理" in page.text


def test_a_journey_lasts_half_an_hour(world: World, person: APerson) -> None:
    browser = before_the_code(world, person)
    with later(seconds=1801):
        page = browser.submit({"code": "123456"})
    assert "重置密码没有完成" in page.text
    assert 'href="/reset"' in page.html


def test_the_script_is_told_in_json_and_a_foreign_captcha_sends_nothing(
    world: World, person: APerson
) -> None:
    browser = world.browser()
    page = tells(browser, *identity_of(person))
    fields = {**page.form()["fields"], "send": "1"}
    told = browser.post(page.url, fields, headers={"Accept": "application/json"}).response.get_json()
    assert told["sent"] is True
    assert last_code(world, person.phone) not in str(told)
    other = world.browser()
    other.open("/login/person")
    foreign = other.page.form()["fields"]["captcha_id"] if other.page else ""
    answer = captcha.answer(world.backends.store, foreign) or ""
    fields |= {"captcha_id": foreign, "captcha": answer}
    told = browser.post(page.url, fields, headers={"Accept": "application/json"}).response.get_json()
    assert (told["sent"], told["field"]) == (False, "captcha")
    assert len(waiting(world, person.phone)) == 1


def test_no_code_and_no_phone_is_logged(
    world: World, person: APerson, caplog: pytest.LogCaptureFixture
) -> None:
    """SECURITY 22, 81."""
    caplog.set_level(logging.DEBUG)
    browser = before_the_code(world, person)
    code = last_code(world, person.phone)
    browser.submit({"code": other_than(code)})
    browser.submit({"code": code})
    logged = "".join(f"{record.getMessage()}{record.__dict__}" for record in caplog.records)
    assert not any(secret in logged for secret in (code, person.phone, person.id_number, person.name))
    with world.reading() as db:
        assert db.scalars(select(OutboxMessage.payload_sealed)).all()
