"""The captcha of the sign-in: spent with whatever it was sent, and nobody else's (SECURITY 24, 25)."""

from __future__ import annotations

import pytest

from idp.proof import captcha
from tests.login.acting import is_in, later, type_in
from tests.world import PASSWORD, APerson, Browser, Page, World, error_sentences


def solved(browser: Browser) -> dict[str, str]:
    """The id of the page's captcha and its answer."""
    assert browser.page
    captcha_id = browser.page.form()["fields"]["captcha_id"]
    return {
        "captcha_id": captcha_id,
        "captcha": captcha.answer(browser.world.backends.store, captcha_id) or "gone",
    }


def send(browser: Browser, person: APerson, **fields: str) -> Page:
    """Send the form of the page with the right password and `fields`."""
    return browser.submit({"account": person.phone, "password": PASSWORD, **fields}, follow=False)


@pytest.fixture
def person(world: World) -> APerson:
    return world.a_person()


@pytest.fixture
def browser(world: World) -> Browser:
    browser = world.browser()
    browser.open("/login/person")
    return browser


def test_a_captcha_opens_one_form(person: APerson, browser: Browser) -> None:
    answered = solved(browser)
    assert is_in(send(browser, person, **answered))
    browser.client.delete_cookie("idp_session")
    browser.open("/login/person")
    page = send(browser, person, **answered)
    assert error_sentences(page) == ["图形验证码已过期，请填写新的一张"]


@pytest.mark.parametrize(
    ("spoilt", "sentence"),
    [
        ({"captcha": "0000"}, "图形验证码不正确，请填写新的一张"),
        ({"captcha": ""}, "请填写图形验证码"),
        ({"password": ""}, "请填写密码"),
        ({"account": ""}, "请填写账号、手机号或身份证号"),
        ({"again": "1"}, ""),
    ],
    ids=["wrong", "missing", "no password", "no account", "another picture"],
)
def test_a_captcha_is_spent_by_whatever_form_brought_it(
    person: APerson, browser: Browser, spoilt: dict[str, str], sentence: str
) -> None:
    answered = solved(browser)
    page = send(browser, person, **{**answered, **spoilt})
    assert error_sentences(page) == ([sentence] if sentence else [])
    assert page.form()["fields"]["captcha_id"] != answered["captcha_id"]
    assert not is_in(send(browser, person, **answered))


def test_another_picture_keeps_what_was_typed_but_not_the_password(browser: Browser) -> None:
    page = browser.submit({"account": "zhao_xl", "password": "secret-in-flight 1", "again": "1"})
    assert page.form()["fields"]["account"] == "zhao_xl"
    assert page.form()["fields"]["password"] == ""
    assert "secret-in-flight" not in page.html
    assert not error_sentences(page)


def test_a_refused_form_keeps_what_was_typed_but_not_the_password(world: World) -> None:
    page = type_in(world.browser(), "operator", "secret-in-flight 1", enterprise="<b>one", account="two")
    fields = page.form()["fields"]
    assert (fields["enterprise"], fields["account"], fields["password"]) == ("<b>one", "two", "")
    assert "secret-in-flight" not in page.html
    assert "<b>one" not in page.html


def test_a_captcha_expires(person: APerson, browser: Browser) -> None:
    answered = solved(browser)
    with later(seconds=121):
        page = send(browser, person, **answered)
    assert error_sentences(page) == ["图形验证码已过期，请填写新的一张"]


def test_its_life_is_a_setting(world: World, person: APerson) -> None:
    with world.rewired(captcha_lifetime=30) as strict:
        browser = strict.browser()
        browser.open("/login/person")
        answered = solved(browser)
        with later(seconds=31):
            assert not is_in(send(browser, person, **answered))


def test_a_captcha_of_another_browser_opens_nothing(world: World, person: APerson, browser: Browser) -> None:
    other = world.browser()
    other.open("/login/person")
    page = send(other, person, **solved(browser))
    assert error_sentences(page) == ["图形验证码不正确，请填写新的一张"]


@pytest.mark.parametrize("missing", ["captcha", "captcha_id"])
def test_a_form_without_a_captcha_opens_nothing(person: APerson, browser: Browser, missing: str) -> None:
    assert browser.page
    fields = {**browser.page.form()["fields"], **solved(browser)}
    fields |= {"account": person.phone, "password": PASSWORD}
    del fields[missing]
    assert not is_in(browser.post("/login/person", fields, follow=False))


@pytest.mark.parametrize(
    "form", [{"captcha_id": "\u4e00" * 22}, {"captcha": "9" * 5000}, {"captcha_id": "../x"}]
)
def test_odd_captchas_are_wrong_ones(person: APerson, browser: Browser, form: dict[str, str]) -> None:
    page = send(browser, person, **{**solved(browser), **form})
    assert page.status == 200
    assert not is_in(page)


def test_the_page_does_not_hold_the_answer(world: World, browser: Browser) -> None:
    assert browser.page
    page, answered = browser.page, solved(browser)
    without_id = page.html.replace(answered["captcha_id"], "").replace(
        page.form()["fields"]["csrf_token"], ""
    )
    assert f'"{answered["captcha"]}"' not in without_id
    picture = browser.open(f"/captcha/{answered['captcha_id']}.png")
    voice = browser.open(f"/captcha/{answered['captcha_id']}.wav")
    assert (picture.response.mimetype, voice.response.mimetype) == ("image/png", "audio/wav")
    assert picture.response.headers["Cache-Control"] == "no-store"
    assert browser.open("/captcha/nothing.png").status == 404


def test_an_address_hears_only_so_many_voices_a_minute(world: World) -> None:
    browser = world.browser()
    page = browser.open("/login/legal")
    captcha_id = page.form()["fields"]["captcha_id"]
    # Whoever asks for a voice that is not there has asked; to speak is dear, here as well.
    for _time in range(59):
        assert browser.open("/captcha/nothing.wav").status == 404
    assert [browser.open(f"/captcha/{captcha_id}.wav").status for _time in range(2)] == [200, 429]
    elsewhere = world.browser(address="203.0.113.9")
    assert elsewhere.open(f"/captcha/{captcha_id}.wav").status == 200
