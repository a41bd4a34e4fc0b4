"""How a portal session ends: by 退出登录, by time, by the mandate it rests on (MISSION I07)."""

import time
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from sqlalchemy import select

from relying_parties.kit.portal import Portal
from relying_parties.kit.session import PortalSession
from tests.relying_parties.browser import BASE_URL, Browser, a_mandate, an_operator
from tests.relying_parties.stand_in import StandIn, parameters


def test_signing_out_ends_the_session_here_and_at_the_provider(browser: Browser, provider: StandIn) -> None:
    browser.sign_in(an_operator())
    key = browser.client.get_cookie("si_session")
    way = browser.sign_out()
    assert way.status_code == 303
    query = parameters(way.location)
    assert way.location.startswith(provider.issuer + "/logout?")
    assert query["post_logout_redirect_uri"] == BASE_URL + "/signed-out"
    assert query["id_token_hint"].count(".") == 2
    assert browser.client.get_cookie("si_session") is None
    assert key is not None
    browser.client.set_cookie("si_session", key.value)
    assert not browser.is_signed_in()


def test_after_both_have_ended_the_page_says_so(browser: Browser, provider: StandIn) -> None:
    browser.sign_in(an_operator())
    back = browser.at_provider(browser.sign_out().location)
    page = browser.get(back)
    assert page.status_code == 200
    assert "本网厅和统一认证平台都已退出" in page.text
    assert len(provider.signed_out) == 1


@pytest.mark.parametrize("state", ["", "?state=", "?state=x", "?state=a&state=b", "?state=%00"])
def test_the_page_claims_nothing_without_the_state_of_a_sign_out(browser: Browser, state: str) -> None:
    page = browser.get("/signed-out" + state)
    assert page.status_code == 400
    assert "都已退出" not in page.text


def test_the_state_of_a_sign_out_is_bound_to_its_browser_and_to_ten_minutes(
    browser: Browser, other_browser: Browser
) -> None:
    browser.sign_in(an_operator())
    back = browser.at_provider(browser.sign_out().location)
    other_browser.get("/login")
    assert other_browser.get(back).status_code == 400
    with time_machine.travel(time.time() + 601):
        assert browser.get(back).status_code == 400
    assert browser.get(back).status_code == 200


def test_the_page_never_says_signed_out_to_somebody_signed_in(browser: Browser) -> None:
    browser.sign_in(an_operator())
    back = browser.at_provider(browser.sign_out().location)
    browser.sign_in(an_operator())
    assert "仍处于登录状态" in browser.text(back)


def test_a_link_alone_signs_nobody_out(browser: Browser) -> None:
    browser.sign_in(an_operator())
    page = browser.get("/logout")
    assert page.status_code == 200
    assert '<form method="post" action="/logout">' in page.text
    assert browser.is_signed_in()


def test_the_sign_out_page_needs_somebody_to_sign_out(browser: Browser) -> None:
    assert browser.get("/logout").location == "/"


def test_the_confirmation_page_signs_out(browser: Browser) -> None:
    browser.sign_in(an_operator())
    browser.sign_out("/logout")
    assert not browser.is_signed_in()


def test_while_the_provider_is_away_one_is_signed_out_here_and_told_so(
    browser: Browser, portal: Portal, provider: StandIn
) -> None:
    browser.sign_in(an_operator())
    portal.relying_party.provider._metadata = None
    provider.faults.status = {"/.well-known/openid-configuration": 503}
    answer = browser.sign_out()
    assert answer.status_code == 503
    assert "已退出网厅" in answer.text
    assert not browser.is_signed_in()


@pytest.mark.parametrize(("minutes", "lives"), [(29, True), (31, False)])
def test_half_an_hour_without_a_request_ends_the_session(browser: Browser, minutes: int, lives: bool) -> None:
    browser.sign_in(an_operator())
    with time_machine.travel(time.time() + minutes * 60):
        assert browser.is_signed_in() is lives


def test_a_session_in_use_lives_on_but_not_beyond_eight_hours(browser: Browser) -> None:
    start = time.time()
    with time_machine.travel(start):
        browser.sign_in(an_operator())
    for minutes in range(20, 8 * 60, 20):
        with time_machine.travel(start + minutes * 60):
            assert browser.is_signed_in()
    with time_machine.travel(start + 8 * 3600 + 1):
        assert not browser.is_signed_in()


def test_an_idle_session_can_still_be_ended_at_the_provider(browser: Browser) -> None:
    browser.sign_in(an_operator())
    token = browser.text("/").split('name="csrf_token" value="')[1].split('"')[0]
    with time_machine.travel(time.time() + 3600):
        way = browser.post("/logout", {"csrf_token": token})
        assert "id_token_hint" in way.location


def test_no_session_outlives_the_mandate(browser: Browser) -> None:
    ends = datetime.now(UTC) + timedelta(minutes=10)
    browser.sign_in(an_operator(mandate=a_mandate(valid_until=ends.isoformat())))
    assert browser.is_signed_in()
    with time_machine.travel(ends + timedelta(seconds=1)):
        assert not browser.is_signed_in()


def test_a_session_is_kept_by_subject_and_company(browser: Browser, portal: Portal) -> None:
    browser.sign_in(an_operator())
    with portal.database.reading() as session:
        kept = session.scalars(select(PortalSession)).one()
    assert (kept.sub, kept.uscc) == ("sub-qianwb", "91990100MA0TX00115")
