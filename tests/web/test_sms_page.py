"""A phone's code on a page: 获取验证码 with a script and without, its captcha, its state (B12, B13).

The page is the second step of an activation; every page with a code is made of the same parts.
"""

from __future__ import annotations

import logging
import re
from typing import Any

import pytest
from sqlalchemy import select, text

from idp.accounts.outbox import OutboxMessage
from idp.proof import captcha, sms_bounds
from tests.adapters.arrange import at_once
from tests.enterprise.pending import PHONE, Waiting, a_waiting_company
from tests.messages import last_code, waiting
from tests.proof.sending import another, wait_a_minute
from tests.web.test_logs import lines_of
from tests.world import Browser, Page, World, error_sentences

JSON = {"Accept": "application/json"}


@pytest.fixture
def company(world: World) -> Waiting:
    return a_waiting_company(world)


@pytest.fixture
def browser(world: World, company: Waiting) -> Browser:
    """On the page that sends a code; the step before was opened by a captcha."""
    made = world.browser()
    company.tells(made)
    return made


def fields_of(browser: Browser) -> dict[str, str]:
    assert browser.page
    fields: dict[str, str] = browser.page.form()["fields"]
    return fields


def asks(browser: Browser, **typed: str) -> dict[str, Any]:
    """Press 获取验证码 as sms.js does; what it is told. The page stays what it was."""
    page = browser.page
    assert page
    sent = {"csrf_token": fields_of(browser)["csrf_token"], "send": "1", **typed}
    answer = browser.post(page.url, sent, headers=JSON)
    browser.page = page
    assert "Accept" in answer.response.headers["Vary"]
    told: dict[str, Any] = answer.response.get_json()
    return told


def solved(browser: Browser, told: dict[str, Any]) -> dict[str, str]:
    """The fields of the captcha that came with an answer."""
    captcha_id = told["captcha"]["id"]
    answer = captcha.answer(browser.world.backends.store, captcha_id) or ""
    return {"captcha_id": captcha_id, "captcha": answer}


def sent(world: World) -> int:
    return len(waiting(world, PHONE))


def button_of(page: Page) -> str:
    found = re.search(r'name="send".*?>(.*?)</button>', page.html, re.DOTALL)
    assert found
    return found[1].strip()


def test_without_a_script_the_button_brings_the_page_back_and_says_what_happens(
    world: World, browser: Browser
) -> None:
    """B12, A21."""
    assert browser.page
    assert button_of(browser.page) == "获取验证码"
    page = browser.submit({"send": "1", "code": "12"})
    assert page.status == 200
    assert "验证码正在发送到 137****0001" in page.text
    assert button_of(page) == "重新获取"
    assert "captcha_id" in fields_of(browser), "the next message wants a captcha"
    assert error_sentences(page) == []
    page = browser.submit({"code": last_code(world, PHONE)})
    assert page.url.startswith("/activate/password")


def test_with_a_script_the_page_is_told_in_json(world: World, browser: Browser) -> None:
    told = asks(browser)
    assert (told["sent"], told["field"], told["wait"]) == (True, "", 60)
    assert told["sentence"] == "验证码正在发送到 137****0001"
    assert told["state"] == f"/sms/{told['ref']}"
    assert told["captcha"]["image"].endswith(f"{told['captcha']['id']}.png")
    assert browser.submit({"code": last_code(world, PHONE)}).url.startswith("/activate/password")


def test_every_message_but_the_first_wants_a_captcha_that_is_good_for_one(
    world: World, browser: Browser
) -> None:
    """SECURITY 17."""
    told = asks(browser)
    wait_a_minute(world, PHONE)
    refused = asks(browser)
    assert (refused["sent"], refused["field"], refused["sentence"]) == (False, "captcha", "请填写图形验证码")
    typed = solved(browser, told)
    assert asks(browser, **typed)["sent"]
    wait_a_minute(world, PHONE)
    again = asks(browser, **typed)
    assert (again["field"], again["sentence"]) == ("captcha", "图形验证码已过期，请填写新的一张")
    assert sent(world) == 2


def test_a_wrong_captcha_is_spent_and_so_is_the_one_of_a_message_that_is_refused(
    world: World, browser: Browser
) -> None:
    """SECURITY 17, 24."""
    typed = solved(browser, asks(browser))
    refused = asks(browser, **{**typed, "captcha": "xxxx"})
    assert refused["sentence"] == "图形验证码不正确，请填写新的一张"
    assert asks(browser, **typed)["field"] == "captcha"
    # Asked too early with the right one.
    typed = solved(browser, refused)
    early = asks(browser, **typed)
    assert (early["sent"], early["field"]) == (False, "code")
    assert 50 < early["wait"] <= 60
    assert early["sentence"] == f"请 {early['wait']} 秒后再获取验证码"
    assert asks(browser, **typed)["field"] == "captcha"
    assert sent(world) == 1


def test_the_captcha_of_another_form_or_browser_sends_nothing(world: World, browser: Browser) -> None:
    """SECURITY 24, 25."""
    typed = solved(browser, asks(browser))
    wait_a_minute(world, PHONE)
    page = browser.page
    browser.open("/login/legal")
    elsewhere = {"captcha_id": fields_of(browser)["captcha_id"]}
    elsewhere["captcha"] = captcha.answer(world.backends.store, elsewhere["captcha_id"]) or ""
    browser.page = page
    assert asks(browser, **elsewhere)["field"] == "captcha"
    stranger = world.browser()
    a_waiting_company(world).tells(stranger)
    asks(stranger)
    assert asks(stranger, **typed)["field"] == "captcha"
    assert sent(world) == 2, "the first one of each"


def test_the_first_message_is_free_once_however_many_ask_at_once(world: World, browser: Browser) -> None:
    """SECURITY 17."""
    page = browser.page
    assert page
    form = {"csrf_token": fields_of(browser)["csrf_token"], "send": "1"}
    host = "localhost"
    cookie = browser.client.get_cookie("idp_browser", domain=host)
    assert cookie

    def ask(_number: int) -> str:
        client = world.app.test_client()
        client.set_cookie("idp_browser", cookie.value, domain=host)
        answer = client.post(page.url, base_url=world.settings.issuer, data=form, headers=JSON)
        return str(answer.get_json()["field"])

    assert sorted(at_once(6, ask)) == ["", *["captcha"] * 5]
    assert sent(world) == 1


def test_another_picture_is_shown_where_one_is_asked_for_and_nothing_is_sent(
    world: World, browser: Browser
) -> None:
    """B13."""
    told = asks(browser)
    page = browser.submit({"again": "1", "code": "12"})
    first = fields_of(browser)["captcha_id"]
    assert first != told["captcha"]["id"]
    assert error_sentences(page) == []
    token = fields_of(browser)["csrf_token"]
    renewed = browser.post(page.url, {"csrf_token": token, "again": "1"}, headers=JSON).response.get_json()
    assert (renewed["sent"], renewed["sentence"], renewed["ref"]) == (False, "", "")
    assert renewed["captcha"]["id"] not in {first, told["captcha"]["id"]}
    assert sent(world) == 1


def test_what_is_no_code_costs_no_try_and_what_is_wrong_does(world: World, browser: Browser) -> None:
    """SECURITY 18."""
    browser.submit({"send": "1"})
    code = last_code(world, PHONE)
    for typed, sentence in (
        ("", "请填写短信验证码"),
        (" ", "请填写短信验证码"),
        ("12345", "短信验证码是 6 位数字"),
    ):
        assert error_sentences(browser.submit({"code": typed})) == [sentence]
    for left in (4, 3, 2, 1):
        sentence = f"短信验证码不正确，还可以再试 {left} 次"
        assert error_sentences(browser.submit({"code": another(code)})) == [sentence]
    for typed in (another(code), code):
        assert error_sentences(browser.submit({"code": typed})) == ["短信验证码错误次数过多，请重新获取"]


def test_a_code_that_was_never_sent_or_is_used_is_to_be_sent_anew(world: World, browser: Browser) -> None:
    assert error_sentences(browser.submit({"code": "123456"})) == ["短信验证码已过期或已使用，请重新获取"]


def test_a_code_of_another_journey_of_the_same_browser_opens_nothing(
    world: World, company: Waiting, browser: Browser
) -> None:
    """SECURITY 19: two tabs are two journeys."""
    browser.submit({"send": "1"})
    code = last_code(world, PHONE)
    first = browser.page
    company.tells(browser)
    assert error_sentences(browser.submit({"code": code})) == ["短信验证码已过期或已使用，请重新获取"]
    browser.page = first
    assert browser.submit({"code": code}).url.startswith("/activate/password")


@pytest.mark.parametrize(
    ("bound", "sentence"),
    [
        ({"sms_a_day": 1}, "这个手机号今天获取验证码的次数已用完，请明天再试"),
        ({"sms_an_address": 1}, r"您所在的网络获取验证码太频繁，请过 \d+ 分钟再试"),
        ({"sms_an_hour": 1}, r"现在获取验证码的人较多，请过 \d+ 分钟再试"),
    ],
)
def test_a_bound_that_is_reached_is_said_with_what_to_do(
    world: World, bound: dict[str, Any], sentence: str
) -> None:
    """SECURITY 16."""
    with world.rewired(**bound) as here:
        browser = here.browser()
        a_waiting_company(here).tells(browser)
        browser.submit({"send": "1"})
        wait_a_minute(here, PHONE)
        page = browser.submit_with_captcha({"send": "1"})
        (said,) = error_sentences(page)
        assert re.fullmatch(sentence, said)
        told = asks(browser, **solved(browser, asks(browser)))
        assert re.fullmatch(sentence, told["sentence"])
        assert (told["sent"], told["wait"]) == (False, 0)
        assert sent(here) == 1


def state(browser: Browser, ref: str) -> tuple[int, dict[str, Any]]:
    page = browser.page
    answer = browser.open(f"/sms/{ref}").response
    browser.page = page
    return answer.status_code, answer.get_json()


def test_the_page_is_told_what_has_become_of_its_message(world: World, browser: Browser) -> None:
    """SECURITY 23."""
    ref = asks(browser)["ref"]
    assert state(browser, ref) == (200, {"state": "queued", "sentence": "短信正在发送"})

    def becomes(**columns: Any) -> dict[str, Any]:
        with world.write() as db:
            for name, value in columns.items():
                setattr(db.query(OutboxMessage).one(), name, value)
        return state(browser, ref)[1]

    assert becomes(delivered_at=world.now())["sentence"] == "短信已发出，一般在一分钟内收到"
    assert becomes(reported_at=world.now()) == {"state": "arrived", "sentence": "短信已送达"}
    assert becomes(report="UNDELIV")["sentence"].startswith("短信没有送达")
    assert becomes(failed_at=world.now())["sentence"].startswith("短信没有发出，不计入发送次数")
    unsure = becomes(perhaps_taken=True, delivered_at=None, reported_at=None, report="")
    assert (unsure["state"], unsure["sentence"][:8]) == ("unsure", "短信可能已经发出")


def test_nobody_else_is_told_what_has_become_of_it(world: World, browser: Browser) -> None:
    ref = asks(browser)["ref"]
    others = [(world.browser(), ref), *((browser, unknown) for unknown in ("x" * 22, "%00", "x" * 5000))]
    for other, known in others:
        assert state(other, known) == (404, {"state": "unknown", "sentence": ""})


def test_the_reference_of_another_browser_on_a_form_shows_nothing(world: World, browser: Browser) -> None:
    ref = asks(browser)["ref"]
    stranger = world.browser()
    a_waiting_company(world).tells(stranger)
    page = stranger.submit({"sms_ref": ref, "code": "123456"})
    assert ref not in page.html
    assert "短信正在发送" not in page.text


def test_a_press_that_this_site_did_not_show_sends_nothing(world: World, browser: Browser) -> None:
    """SECURITY 37."""
    assert browser.page
    url = browser.page.url
    assert browser.post(url, {"send": "1"}, headers=JSON).status == 400
    elsewhere = {**JSON, "Origin": "https://evil.example"}
    form = {"send": "1", "csrf_token": "x"}
    assert browser.post(url, form, headers=elsewhere).status in {400, 403}
    assert sent(world) == 0


@pytest.fixture
def read(browser: Browser, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every answer this browser gets, and the address it came from."""
    found: list[str] = []
    opened = browser.client.open

    def reading(*args: Any, **kwargs: Any) -> Any:
        answer = opened(*args, **kwargs)
        found.append(f"{answer.request.url}\n{answer.headers}\n{answer.get_data(as_text=True)}")
        return answer

    monkeypatch.setattr(browser.client, "open", reading)
    return found


def test_a_code_stands_in_no_answer_no_address_no_log_and_no_row(
    world: World, browser: Browser, read: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    """SECURITY 22, 81."""
    caplog.set_level(logging.DEBUG)
    told = asks(browser)
    code = last_code(world, PHONE)
    state(browser, told["ref"])
    browser.submit({"code": another(code)})
    browser.submit({"code": code})
    assert len(read) >= 5
    with world.reading() as db:
        rows = [
            str(row)
            for table in ("audit_events", "outbox")
            for row in db.execute(select(text("*")).select_from(text(table)))
        ]
    for written in (*read, *rows, str(lines_of(caplog)), caplog.text):
        # Ids and times hold six digits in a row, too, but not between other marks.
        assert not re.search(rf"(?<![0-9A-Za-z_-]){code}(?![0-9A-Za-z_-])", written)
        assert PHONE not in written


def test_the_page_says_how_long_to_wait_only_to_who_asked(
    world: World, company: Waiting, browser: Browser
) -> None:
    """SECURITY 6: whether somebody else asked for a code is nobody's business."""
    assert browser.page
    url = browser.page.url
    for page in (browser.submit({"send": "1"}), browser.open(url)):
        found = re.search(r'data-wait="(\d+)"', page.html)
        assert found
        assert 50 < int(found[1]) <= 60
    other = world.browser()
    company.tells(other)
    assert other.page
    assert 'data-wait="0"' in other.page.html
    assert sms_bounds.seconds_until_next(world.backends.store, world.backends.vault, PHONE) > 0
