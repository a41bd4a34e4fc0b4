"""A click counts for the sign-in its page showed, and for no other that another tab began since."""

from __future__ import annotations

from sqlalchemy import select

from idp.access.consents import Consent
from tests.oauth.asking import a_signed_in_person, payload_of
from tests.oauth.devices import ALLOWED, ASKS, a_device, type_code
from tests.portals import Authorization
from tests.world import AnOperator, Browser, Page, World

CHANGED = "同一个浏览器里换过登录"
TWO = "林甲甲", "王乙乙"


def two_capacities(world: World) -> tuple[AnOperator, AnOperator]:
    """One human who acts for two companies."""
    person = world.a_person()
    return world.an_operator(person=person), world.an_operator(person=person)


def back_in_the_first_tab(browser: Browser, shown: Page, values: dict[str, str], *, number: int = 0) -> Page:
    """Send the form of a page opened before, whatever happened since."""
    browser.page = shown
    return browser.submit(values, number=number)


def nothing_is_remembered(world: World) -> bool:
    with world.reading() as db:
        return db.scalars(select(Consent)).all() == []


def test_consent_shown_for_one_company_is_not_given_for_another(world: World) -> None:
    (first, second), client = two_capacities(world), world.a_client(first_party=False)
    asked, browser = Authorization(client), world.browser()
    browser.sign_in_operator(first)
    shown = browser.open(asked.address("openid entity"))
    assert first.company.name in shown.text
    assert CHANGED not in shown.text
    browser.sign_in_operator(second)
    page = back_in_the_first_tab(browser, shown, {"decision": "allow"})
    assert "code" not in page.query
    assert CHANGED in page.text
    assert second.company.name in page.text
    assert nothing_is_remembered(world)
    page = browser.submit({"decision": "allow"})
    token = asked.redeem(browser, page.query["code"]).get_json()["id_token"]
    assert payload_of(token)["entity"]["uscc"] == second.company.uscc


def test_consent_is_not_given_for_another_human(world: World) -> None:
    browser, client = world.browser(), world.a_client(first_party=False)
    browser.sign_in_person(world.a_person(name=TWO[0]))
    shown = browser.open(Authorization(client).address("openid profile"))
    browser.sign_in_person(world.a_person(name=TWO[1]))
    page = back_in_the_first_tab(browser, shown, {"decision": "allow"})
    assert (page.location, CHANGED in page.text) == ("", True)
    assert nothing_is_remembered(world)


def test_a_consent_the_other_one_gave_before_does_not_answer_either(world: World) -> None:
    browser, client, other = world.browser(), world.a_client(first_party=False), world.a_person()
    browser.sign_in_person(other)
    browser.open(Authorization(client).address("openid profile"))
    assert "code" in browser.submit({"decision": "allow"}).query
    browser.sign_in_person(world.a_person())
    shown = browser.open(Authorization(client).address("openid profile"))
    browser.sign_in_person(other)
    assert CHANGED in back_in_the_first_tab(browser, shown, {"decision": "allow"}).text


def test_a_form_of_one_request_does_not_answer_another(world: World) -> None:
    browser = a_signed_in_person(world)
    pages = [
        browser.open(Authorization(world.a_client(first_party=False)).address("openid")) for _each in range(2)
    ]
    fields = {**pages[0].form()["fields"], "decision": "allow"}
    assert "code" not in browser.post(pages[1].url, fields).query
    del fields["shown_for"]
    assert "code" not in browser.post(pages[0].url, fields).query


def test_a_refusal_is_taken_whoever_is_signed_in(world: World) -> None:
    browser, client, device = world.browser(), world.a_client(first_party=False), a_device(world)
    browser.sign_in_person(world.a_person())
    shown = browser.open(Authorization(client).address("openid"))
    question = type_code(browser, device.user_code)
    browser.sign_in_operator(world.an_operator())
    page = back_in_the_first_tab(browser, shown, {"decision": "deny"})
    assert page.query["error"] == "access_denied"
    back_in_the_first_tab(browser, question, {"decision": "deny"})
    assert device.polls().get_json()["error"] == "access_denied"


def test_a_device_shown_one_company_does_not_get_another(world: World) -> None:
    (first, second), device = two_capacities(world), a_device(world, "openid entity")
    browser = world.browser()
    browser.sign_in_operator(first)
    shown = type_code(browser, device.user_code)
    assert first.company.name in shown.text
    browser.sign_in_operator(second)
    page = back_in_the_first_tab(browser, shown, {"decision": "allow"})
    assert ASKS in page.text
    assert CHANGED in page.text
    assert second.company.name in page.text
    assert device.polls().get_json()["error"] == "authorization_pending"
    assert ALLOWED in browser.submit({"decision": "allow"}).text


def test_a_choice_of_company_is_not_made_for_another_human(world: World) -> None:
    (first, _second), other = two_capacities(world), world.an_operator()
    asked, browser = Authorization(world.a_client()), world.browser()
    browser.sign_in_person(first.person)
    shown = browser.open(asked.address("openid entity"))
    assert shown.url.startswith("/login/company")
    browser.sign_in_person(other.person)
    page = back_in_the_first_tab(browser, shown, {"enterprise": str(first.mandate.id)})
    assert (page.location, CHANGED in page.text) == ("", True)
    assert "code" in browser.submit({"enterprise": str(other.mandate.id)}).query


def test_a_change_of_identity_signs_nobody_else_out(world: World) -> None:
    browser, device = world.browser(), a_device(world)
    asked = Authorization(world.a_client())
    browser.sign_in_operator(world.an_operator())
    told = browser.open(asked.address("openid profile"))
    assert told.url.startswith("/login/identity")
    browser.sign_in_person(world.a_person())
    question = type_code(browser, device.user_code)
    browser.sign_in_person(world.a_person(name=TWO[1]))
    for shown, number in ((told, 0), (question, 1)):
        assert CHANGED in back_in_the_first_tab(browser, shown, {}, number=number).text
        assert browser.open("/center/person").url == "/center/person"


def test_a_confirmed_sign_out_signs_nobody_else_out(world: World) -> None:
    browser = a_signed_in_person(world)
    shown = browser.open("/oauth/logout")
    browser.sign_in_person(world.a_person(name=TWO[1]))
    page = back_in_the_first_tab(browser, shown, {})
    assert CHANGED in page.text
    assert browser.open("/center/person").url == "/center/person"
    browser.page = page
    browser.submit()
    assert browser.open("/center/person").url != "/center/person"
