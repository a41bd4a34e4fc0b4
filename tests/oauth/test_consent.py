"""A third-party portal is allowed once by each person in each capacity, and only what was shown."""

from __future__ import annotations

from sqlalchemy import select

from idp.access import consents
from idp.access.consents import Consent
from idp.accounts.audit import AuditEvent
from idp.accounts.identity import Identity, Role
from tests.entering import enter
from tests.oauth.asking import a_signed_in_person, at_once, refused_with
from tests.portals import Authorization
from tests.world import ISSUER, AClient, Browser, Page, World


def a_third_party(world: World) -> AClient:
    return world.a_client(first_party=False, name="外部网站")


def ask(browser: Browser, client: AClient, scope: str = "openid profile", **more: str) -> Page:
    return browser.open(Authorization(client).address(scope, **more))


def asks(page: Page) -> bool:
    return page.status == 200 and page.url.startswith("/oauth/consent")


def test_allowing_is_remembered_and_told(world: World) -> None:
    browser, client = a_signed_in_person(world), a_third_party(world)
    page = ask(browser, client)
    assert asks(page)
    assert "外部网站" in page.text
    assert "portal.example" in page.text
    page = browser.submit({"decision": "allow"})
    assert set(page.query) == {"code", "state", "iss"}
    assert "code" in ask(browser, client).query
    assert "code" in ask(browser, client, prompt="none").query
    with world.reading() as db:
        event = db.scalars(select(AuditEvent).where(AuditEvent.action == "consent_given")).one()
    assert event.detail == {"scope": ["openid", "profile"]}


def test_denying_goes_back_as_access_denied_and_is_not_remembered(world: World) -> None:
    browser, client = a_signed_in_person(world), a_third_party(world)
    waiting = ask(browser, client, state="kept").url
    page = browser.submit({"decision": "deny"})
    assert refused_with(page) == ("access_denied", True)
    assert page.query["state"] == "kept"
    assert "code" not in browser.open(waiting).query, "the request is over"
    assert asks(ask(browser, client))


def test_more_is_asked_for_again_and_less_is_not(world: World) -> None:
    browser, client = a_signed_in_person(world), a_third_party(world)
    ask(browser, client)
    browser.submit({"decision": "allow"})
    assert "code" in ask(browser, client, "openid").query
    assert refused_with(ask(browser, client, "openid phone", prompt="none")) == ("consent_required", True)
    assert asks(ask(browser, client, "openid phone"))
    browser.submit({"decision": "allow"})
    assert "code" in ask(browser, client, "openid profile phone").query
    assert asks(ask(browser, client, prompt="consent"))


def test_it_is_remembered_for_this_person_capacity_and_client_alone(world: World) -> None:
    operator, client, other = world.an_operator(), a_third_party(world), a_third_party(world)
    browser = world.browser()
    enter(browser, operator.person)
    ask(browser, client)
    browser.submit({"decision": "allow"})
    assert asks(ask(browser, other))
    assert asks(ask(a_signed_in_person(world), client))
    acting = world.browser()
    enter(acting, operator)
    assert asks(ask(acting, client, "openid entity"))
    acting.submit({"decision": "allow"})
    with world.reading() as db:
        assert len({consent.identity_key for consent in db.scalars(select(Consent))}) == 2


def test_a_first_party_portal_never_asks(world: World) -> None:
    assert "code" in ask(a_signed_in_person(world), world.a_client(first_party=True)).query


def test_nobody_consents_by_a_forged_form(world: World) -> None:
    browser, client = a_signed_in_person(world), a_third_party(world)
    page = ask(browser, client)
    url, token = page.url, page.form()["fields"]["csrf_token"]
    assert browser.post(url, {"decision": "allow"}).status == 400
    assert browser.post(url, {"decision": "allow", "csrf_token": "x"}).status == 400
    crossing = {"Origin": "https://portal.example", "Sec-Fetch-Site": "cross-site"}
    assert browser.post(url, {"decision": "allow", "csrf_token": token}, headers=crossing).status == 403
    for decision in ("", "ALLOW", "yes", "allow "):
        page = browser.post(url, {"decision": decision, "csrf_token": token}, follow=False)
        assert not page.location, decision
    assert asks(ask(browser, client))


def test_what_is_added_to_the_consent_form_changes_nothing(world: World) -> None:
    browser, client = a_signed_in_person(world), a_third_party(world)
    asked = Authorization(client)
    browser.open(asked.address("openid", state="kept"))
    more = {
        "scope": "openid identity",
        "redirect_uri": "https://evil.example/",
        "state": "x",
        "client_id": "x",
    }
    page = browser.submit({"decision": "allow", **more})
    assert page.location.startswith(client.redirect_uri + "?")
    assert page.query["state"] == "kept"
    assert asked.redeem(browser, page.query["code"]).get_json()["scope"] == "openid"


def test_the_page_may_lead_to_the_portal(world: World) -> None:
    page = ask(a_signed_in_person(world), a_third_party(world))
    policy = page.response.headers["Content-Security-Policy"]
    assert "form-action 'self' https://portal.example;" in policy
    assert ISSUER not in policy


def test_a_double_click_gives_one_code(world: World) -> None:
    browser, client = a_signed_in_person(world), a_third_party(world)
    page = ask(browser, client)
    form, url = page.form()["fields"], page.url
    first = browser.post(url, {**form, "decision": "allow"}, follow=False)
    second = browser.post(url, {**form, "decision": "allow"}, follow=False)
    assert "code" in first.query
    assert "code" not in second.query


def test_a_sign_in_that_ran_out_at_the_question_goes_on_afterwards(world: World) -> None:
    person, browser, client = world.a_person(), world.browser(), world.a_client(first_party=False)
    enter(browser, person)
    asked = browser.open(Authorization(client).address("openid")).url
    browser.client.delete_cookie("idp_session", domain="localhost")
    page = browser.sign_in_person(person, at=asked)
    assert page.url.startswith("/oauth/consent")


def test_two_first_answers_at_once_are_both_remembered(world: World) -> None:
    person, client = world.a_person(), a_third_party(world)
    himself = Identity(person.row.id, Role.NATURAL_PERSON)

    def allow(number: int) -> None:
        scope = (("openid", "phone"), ("openid", "profile"))[number]
        with world.write() as db:
            consents.give(db, himself, client.client_id, scope, now=world.now())

    at_once(2, allow)
    with world.reading() as db:
        assert consents.find_given(db, himself, client.client_id, ("openid", "phone", "profile"))
