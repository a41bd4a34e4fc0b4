"""What a company's form makes of odd requests: padded values, names of others, a journey that is gone."""

from __future__ import annotations

from idp.proof import captcha
from tests.enterprise.applying import START, Applicant, Office, journey_of
from tests.messages import waiting
from tests.world import error_sentences


def test_blanks_at_the_ends_of_code_and_number_are_none_of_it(unseen: Office) -> None:
    applicant, browser = Applicant(unseen), unseen.world.browser()
    padded = {"uscc": applicant.uscc + " " * 150, "id_number": applicant.id_number + " " * 150}
    page = applicant.sends(browser, **padded)
    assert page.url.startswith("/register/enterprise/done"), page.text
    assert unseen.company(applicant.uscc) is not None


def test_a_password_holds_no_code_or_number_however_padded(unseen: Office) -> None:
    """X2."""
    applicant, browser = Applicant(unseen), unseen.world.browser()
    browser.open(START)
    password = f"x {applicant.uscc} 9"
    page = applicant.sends_again(
        browser, uscc=applicant.uscc + " " * 70, new_password=password, confirm_password=password
    )
    assert "密码里不能包含账号、手机号或证件号码" in error_sentences(page)


def test_an_account_name_never_looks_like_the_number_of_a_document(unseen: Office) -> None:
    """A09, X1: both are typed into one field, and somebody else may hold that document."""
    applicant, browser = Applicant(unseen), unseen.world.browser()
    browser.open(START)
    for account in ("E87654321", "ea1234567", "h1234567890", "usa110012345678"):
        page = applicant.sends_again(browser, account=account)
        assert "账号不能是证件号码的样子，请换一个" in error_sentences(page), account


def test_a_page_that_does_not_know_its_journey_gets_no_message(unseen: Office) -> None:
    """A code for another journey would open nothing; the page's script loads it anew."""
    applicant, browser = Applicant(unseen), unseen.world.browser()
    for query in ("", "?j=AAAAAAAAAAAAAAAAAAAAAA"):
        fields = browser.open(START).form()["fields"]
        right = captcha.answer(unseen.world.backends.store, fields["captcha_id"])
        sent = {**fields, **applicant.told(), "captcha": right, "send": "1"}
        page = browser.post(START + query, sent, headers={"Accept": "application/json"})
        assert (page.status, "法人注册没有完成" in page.text) == (400, True), query
    assert waiting(unseen.world, applicant.phone) == []


def test_a_step_that_is_not_asked_for_leads_to_the_one_that_is_open(unseen: Office) -> None:
    applicant, browser = Applicant(unseen), unseen.world.browser()
    applicant.asks_for_a_code(browser)
    journey = journey_of(browser)
    for step in ("face", "face/finish", "representative", "representative/code"):
        assert browser.open(f"{START}/{step}?j={journey}").url == f"{START}?j={journey}"
