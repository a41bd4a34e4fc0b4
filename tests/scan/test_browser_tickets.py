"""A page of ours asks for its tickets: its own, and nobody else's (A04, SECURITY 39-47)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from idp.proof import tickets
from idp.proof.ticket_record import State
from tests.portals import Authorization
from tests.relying_parties.simulating import FACE_KEY
from tests.scan.phones import SCOPE, an_app
from tests.scan.waiting_pages import a_page, a_stranger, ask, call, kept, shown_address, with_an_app
from tests.world import World


@pytest.fixture
def offering(world: World) -> Iterator[World]:
    with with_an_app(world) as there:
        yield there


def test_a_new_ticket_comes_with_its_address_its_picture_and_its_time(offering: World) -> None:
    browser, _ = a_page(offering)
    told = call(browser, "/scan/tickets", purpose="login").get_json()
    assert told["url"] == shown_address(told["ticket"])
    assert told["image"] == f"/scan/qr/{told['ticket']}.svg"
    assert (told["expires_in"], told["interval"]) == (120, 2.0)
    assert ask(browser, told["ticket"]).get_json()["state"] == "waiting"


def test_the_ticket_before_ends_when_it_is_replaced(offering: World) -> None:
    browser, first = a_page(offering)
    second = call(browser, "/scan/tickets", purpose="login", replaces=first).get_json()["ticket"]
    assert ask(browser, first).get_json() == {"state": "denied", "ended": "replaced", "interval": 2.0}
    assert kept(offering, second).state is State.WAITING


def test_a_ticket_that_was_scanned_is_not_replaced(offering: World) -> None:
    browser, first = a_page(offering)
    tickets.scan(offering.platform.store, first, a_stranger(), now=offering.now())
    answer = call(browser, "/scan/tickets", purpose="login", replaces=first)
    assert (answer.status_code, answer.get_json()) == (409, {"state": "scanned"})
    assert kept(offering, first).state is State.SCANNED


def test_nobody_replaces_or_cancels_the_ticket_of_another_browser(offering: World) -> None:
    (_, theirs), (browser, _) = a_page(offering), a_page(offering)
    assert call(browser, "/scan/tickets", purpose="login", replaces=theirs).status_code == 200
    assert call(browser, f"/scan/tickets/{theirs}/cancel").status_code == 404
    assert kept(offering, theirs).state is State.WAITING


def test_a_page_gives_its_ticket_up(offering: World) -> None:
    browser, mine = a_page(offering)
    for _ in range(2):
        assert call(browser, f"/scan/tickets/{mine}/cancel").status_code == 204
    assert ask(browser, mine).get_json()["ended"] == "by_browser"


def test_several_tabs_wait_side_by_side(offering: World) -> None:
    browser, first = a_page(offering)
    second = call(browser, "/scan/tickets", purpose="login").get_json()["ticket"]
    assert [ask(browser, one).get_json()["state"] for one in (first, second)] == ["waiting"] * 2


def test_a_page_of_another_site_gets_no_ticket(offering: World) -> None:
    browser, _ = a_page(offering)
    foreign = {"Origin": "https://evil.example"}
    token = browser.page.form()["fields"]["csrf_token"] if browser.page else ""
    fields = {"csrf_token": token, "purpose": "login"}
    assert browser.post("/scan/tickets", fields, headers=foreign).status == 403
    assert browser.post("/scan/tickets", {"purpose": "login"}).status == 400


@pytest.mark.parametrize("purpose", ["face", "", "seal", "LOGIN"])
def test_only_a_sign_in_is_asked_for_here(offering: World, purpose: str) -> None:
    browser, _ = a_page(offering)
    answer = call(browser, "/scan/tickets", purpose=purpose)
    assert answer.status_code == 400
    assert "请回到登录页面" in answer.get_json()["message"]


def test_the_ticket_asks_for_what_the_portal_asked_for(offering: World) -> None:
    company = offering.a_company()
    asked = Authorization(offering.a_client(name="示例人社网厅"))
    browser = offering.browser()
    page = browser.open(asked.address(entity=company.uscc, acr_values="urn:idp:loa:2"))
    assert page.url.startswith("/login/qr?tx=")
    transaction = page.url.partition("tx=")[2]
    told = call(browser, "/scan/tickets", purpose="login", tx=transaction).get_json()
    for ticket in (page.form()["fields"]["ticket"], told["ticket"]):
        wanted = kept(offering, ticket).asked
        assert (wanted.portal, wanted.transaction) == ("示例人社网厅", transaction)
        assert (wanted.wants_entity, wanted.entity) == (True, company.uscc)
        assert wanted.acr_values == ("urn:idp:loa:2",)


def test_a_transaction_of_another_browser_gets_no_ticket(offering: World) -> None:
    asked = Authorization(offering.a_client())
    theirs = offering.browser().open(asked.address()).url.partition("tx=")[2]
    browser, _ = a_page(offering)
    answer = call(browser, "/scan/tickets", purpose="login", tx=theirs)
    assert answer.status_code == 400
    assert "重新登录" in answer.get_json()["message"]


def test_an_apps_own_sign_in_gets_no_ticket(offering: World) -> None:
    browser = offering.browser()
    page = browser.open(Authorization(an_app(offering)).address(SCOPE))
    transaction = page.url.partition("tx=")[2]
    browser.open(f"/login/person?tx={transaction}")
    answer = call(browser, "/scan/tickets", purpose="login", tx=transaction)
    assert answer.status_code == 404
    assert "选择其他登录方式" in answer.get_json()["message"]
    assert browser.cookie("idp_wait") is None


def test_a_request_that_a_scan_cannot_answer_gets_no_ticket(offering: World) -> None:
    with offering.rewired(face_url="https://face.example.gov.cn", face_key=FACE_KEY) as there:
        browser = there.browser()
        asked = Authorization(there.a_client())
        page = browser.open(asked.address("openid", acr_values="urn:idp:loa:3"))
        transaction = page.url.partition("tx=")[2]
        assert transaction
        assert call(browser, "/scan/tickets", purpose="login", tx=transaction).status_code == 404


def test_an_address_gets_so_many_tickets_and_then_has_to_wait(world: World) -> None:
    with with_an_app(world, tickets_an_address=2) as offering:
        browser, first = a_page(offering)
        assert call(browser, "/scan/tickets", purpose="login").status_code == 200
        refused = call(browser, "/scan/tickets", purpose="login", replaces=first)
        assert refused.status_code == 429
        assert refused.headers["Retry-After"] == "600"
        assert kept(offering, first).state is State.WAITING, "what the page shows is not lost"
        page = offering.browser().open("/login/qr")
        assert (page.status, page.response.headers["Retry-After"]) == (429, "600")
        assert "/login/legal" in page.html
        assert offering.browser(address="192.0.2.9").open("/login/qr").status == 200


def test_without_an_app_there_are_no_tickets(world: World) -> None:
    browser = world.browser()
    browser.open("/login/person")
    assert call(browser, "/scan/tickets", purpose="login").status_code == 404
