"""A page asks how far its ticket is, and hears that and nothing else (A11, SECURITY 39, 40, 43, 45, 47)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import time_machine

from idp.accounts import standing
from idp.proof import tickets
from idp.proof.ticket_record import Answer, Ended
from tests.login.acting import later
from tests.scan.waiting_pages import a_page, a_phone, a_stranger, ask, confirmed, kept, with_an_app
from tests.world import World


@pytest.fixture
def offering(world: World) -> Iterator[World]:
    with with_an_app(world) as there:
        yield there


def test_it_hears_each_step_and_the_number_once_it_is_scanned(offering: World) -> None:
    browser, ticket = a_page(offering)
    store, phone = offering.platform.store, a_stranger()
    waiting = ask(browser, ticket).get_json()
    assert (waiting["state"], waiting["interval"]) == ("waiting", 2.0)
    assert "number" not in waiting
    tickets.scan(store, ticket, phone, now=offering.now())
    scanned = ask(browser, ticket).get_json()
    assert (scanned["state"], scanned["number"]) == ("scanned", kept(offering, ticket).number)
    answer = Answer(standing.HIMSELF, ("qr",), "urn:idp:loa:1", offering.now().timestamp())
    tickets.confirm(store, ticket, phone, answer, now=offering.now())
    assert ask(browser, ticket).get_json() == {"state": "confirmed", "interval": 2.0}


@pytest.mark.parametrize("why", [Ended.BY_PHONE, Ended.WRONG_NUMBER])
def test_it_hears_why_it_ended(offering: World, why: Ended) -> None:
    browser, ticket = a_page(offering)
    store, phone = offering.platform.store, a_stranger()
    tickets.scan(store, ticket, phone, now=offering.now())
    tickets.deny(store, ticket, phone, ended=why, now=offering.now())
    assert ask(browser, ticket).get_json() == {"state": "denied", "ended": why.value, "interval": 2.0}


def test_it_hears_that_the_time_is_up(offering: World) -> None:
    browser, ticket = a_page(offering)
    with later(seconds=125):
        assert ask(browser, ticket).get_json()["state"] == "waiting", "a few seconds after the clock"
    with later(seconds=131):
        assert ask(browser, ticket).get_json() == {"state": "expired", "interval": 2.0}


def test_nothing_is_told_of_who_scanned(offering: World) -> None:
    person = offering.a_person()
    phone = a_phone(offering, person)
    browser, ticket = a_page(offering)
    confirmed(phone, ticket)
    told = ask(browser, ticket)
    assert set(told.get_json()) == {"state", "interval"}
    for secret in (person.name, person.phone, person.account, str(person.row.id), phone.client.client_id):
        assert secret not in told.get_data(as_text=True)


def test_to_a_browser_without_the_secret_there_is_no_ticket(offering: World) -> None:
    _, ticket = a_page(offering)
    other, _ = a_page(offering)
    for stranger in (offering.browser(), other):
        answer = ask(stranger, ticket)
        assert (answer.status_code, answer.get_json()) == (404, {"state": "unknown"})


@pytest.mark.parametrize(
    "malformed", ["x", "A" * 21, "A" * 23, "A" * 21 + "%00", "..%2f" + "A" * 20, "A" * 22]
)
def test_what_is_no_ticket_is_not_found(offering: World, malformed: str) -> None:
    browser, _ = a_page(offering)
    assert ask(browser, malformed).status_code == 404


def test_a_ticket_is_asked_about_five_times_a_second_at_most(offering: World) -> None:
    browser, ticket = a_page(offering)
    with time_machine.travel(datetime.now(UTC), tick=False) as clock:
        assert [ask(browser, ticket).status_code for _ in range(6)] == [200] * 5 + [429]
        clock.shift(1)
        assert ask(browser, ticket).status_code == 200


def test_whoever_knows_the_ticket_alone_does_not_silence_the_page(offering: World) -> None:
    browser, ticket = a_page(offering)
    thief, _ = a_page(offering)
    with time_machine.travel(datetime.now(UTC), tick=False):
        assert [ask(thief, ticket).status_code for _ in range(6)] == [404] * 5 + [429]
        assert ask(browser, ticket).status_code == 200


def test_the_secret_is_a_cookie_no_script_reads_and_stands_in_no_page(offering: World) -> None:
    browser = offering.browser()
    page = browser.open("/login/qr", follow=False)
    cookie = next(one for one in page.response.headers.getlist("Set-Cookie") if one.startswith("idp_wait="))
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert (browser.cookie("idp_wait") or "?") not in page.html


def test_the_answer_is_kept_nowhere(offering: World) -> None:
    browser, ticket = a_page(offering)
    assert ask(browser, ticket).headers["Cache-Control"] == "no-store"
