"""A form whose code is right, sent twice at once: both lead on, and the phone stays proved."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest

from idp.enterprise import registration
from idp.proof import sms_codes
from tests.enterprise.applying import START, Applicant, Office
from tests.enterprise.test_registration_steps import pressed_at_once
from tests.messages import last_code
from tests.person.registering import RegistrationWorld, a_newcomer
from tests.world import Page, error_sentences


def pressed_twice(here: Office) -> list[tuple[str, list[str]]]:
    """Forms of both registrations, each pressed twice at once: where that led, and what was said."""
    said = []
    for number in range(6):
        browser = here.world.browser(address=f"10.7.{number}.1")
        if number % 2:
            applicant = Applicant(here)
            applicant.asks_for_a_code(browser)
            told = applicant.told()
        else:
            newcomer = a_newcomer(RegistrationWorld(here.world, here.simulators))
            newcomer.browser = browser
            newcomer.asks_for_a_code()
            told = newcomer.told()
        pages = pressed_at_once(here, browser, 2, **told, code=last_code(here.world, told["phone"]))
        said += [(page.url.partition("?")[0].rpartition("/")[2], error_sentences(page)) for page in pages]
    return said


def test_of_a_form_pressed_twice_both_lead_on(here: Office) -> None:
    """The same form sent twice acts once, and nobody is told that his code was used."""
    assert pressed_twice(here) == [("face", [])] * 12


def test_where_no_face_is_asked_for_both_come_to_the_end(unseen: Office) -> None:
    """X9: nobody hears of his own account that the phone is taken, or is asked for a face."""
    assert pressed_twice(unseen) == [("done", [])] * 12


def overtaken(here: Office, monkeypatch: pytest.MonkeyPatch, module: ModuleType, name: str) -> list[Page]:
    """A company's form and its twin; the whole of the twin happens once the other has done `name`."""
    applicant, browser = Applicant(here), here.world.browser()
    applicant.asks_for_a_code(browser)
    sent = {**applicant.told(), "code": last_code(here.world, applicant.phone)}
    step, twins = getattr(module, name), list[Page]()
    waiting = ["the twin"]

    def then_the_twin(*given: Any, **more: Any) -> None:
        step(*given, **more)
        if waiting:
            waiting.clear()
            twins.extend(pressed_at_once(here, browser, 1, **sent))

    monkeypatch.setattr(module, name, then_the_twin)
    return [*pressed_at_once(here, browser, 1, **sent), *twins]


def test_a_code_that_was_spent_is_proved_whatever_another_request_writes_meanwhile(
    here: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the spent code and the note of it the whole of a twin may happen."""
    first, twin = overtaken(here, monkeypatch, sms_codes, "check")
    assert first.url == twin.url, (error_sentences(first), error_sentences(twin))
    assert first.url.startswith(f"{START}/face?")


def test_a_password_that_is_told_anew_is_the_one_that_counts(
    here: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the page of another tab notes meanwhile, the form before stands for no later one."""
    applicant, browser = Applicant(here), here.world.browser()
    started = applicant.asks_for_a_code(browser).url
    applicant.sends_again(browser, code=last_code(here.world, applicant.phone))
    browser.open(started)
    count, waiting = registration.count, ["the other tab"]

    def then_another_tab(*given: Any, **more: Any) -> None:
        count(*given, **more)
        waiting.clear()
        [page] = pressed_at_once(here, browser, 1, **applicant.told(new_password="1"))
        assert error_sentences(page)

    monkeypatch.setattr(registration, "count", then_another_tab)
    own = "Stone-bridge 55"
    assert applicant.sends_again(browser, new_password=own, confirm_password=own).url.startswith(
        f"{START}/face?"
    )
    assert not waiting
    applicant.shows_face(browser)
    assert applicant.goes_on(browser).url.startswith(f"{START}/done?")
    browser.open("/login/legal")
    page = browser.submit_with_captcha({"account": applicant.uscc, "password": own})
    assert page.url == "/center/enterprise", page.text


def test_nobody_hears_of_the_company_that_his_own_twin_has_just_registered(
    unseen: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, twin = overtaken(unseen, monkeypatch, registration, "count")
    assert first.url == twin.url, (first.text, error_sentences(twin))
    assert first.url.startswith(f"{START}/done?")
