"""A browser that waits is held until its ticket moves, and hears nothing of anybody else's."""

from __future__ import annotations

import time
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine

from idp.config import Secret, Settings
from idp.proof.polls import A_SECOND
from idp.proof.ticket_record import key_of
from idp.wait.room import A_TICKET, FULL_INTERVAL, INTERVAL
from tests.wait.callers import Running, running
from tests.wait.conftest import Tickets

SOON = 5.0  # seconds: held for at least 20, so whoever hears it sooner was told


def within_a_second() -> AbstractContextManager[Any]:
    """Questions are counted by the second: however long these take, it stays the same one."""
    return time_machine.travel(datetime.now(UTC), tick=False)


def test_a_browser_hears_at_once_that_a_phone_scanned(here: Running, provider: Tickets) -> None:
    ticket = provider.open()
    with here.caller() as browser:
        browser.wait(ticket)
        here.until_held(1)
        number = provider.scan(ticket).number
        began = time.monotonic()
        heard = browser.answer()
        assert time.monotonic() - began < SOON
    assert heard.status == 200
    assert heard.json.pop("expires_in") > 0
    assert heard.json | {"expires_in": 0} == {
        "state": "scanned",
        "number": number,
        "expires_in": 0,
        "interval": 0,
    }


def test_a_page_that_knows_of_the_scan_hears_of_the_confirmation(here: Running, provider: Tickets) -> None:
    ticket = provider.open()
    provider.scan(ticket)
    with here.caller() as browser:
        browser.wait(ticket, "seconds=25&state=scanned")
        here.until_held(1)
        provider.confirm(ticket)
        assert browser.answer().json == {"state": "confirmed", "interval": 0}


def test_a_scan_between_two_questions_is_heard_at_the_second(here: Running, provider: Tickets) -> None:
    ticket = provider.open()
    assert here.wait(ticket, "seconds=0&state=waiting").json["state"] == "waiting"
    provider.scan(ticket)
    heard = here.wait(ticket, "seconds=25&state=waiting").json
    assert (heard["state"], heard["interval"]) == ("scanned", 0)


def test_a_page_that_does_not_say_what_it_knows_does_not_ask_in_a_loop(
    here: Running, provider: Tickets
) -> None:
    ticket = provider.open()
    provider.scan(ticket)
    assert here.wait(ticket).json["interval"] == INTERVAL


@pytest.mark.parametrize("known", ["scanned", "confirmed", "denied", "expired"])
def test_a_page_that_knows_of_more_than_there_was_does_not_ask_in_a_loop(
    here: Running, provider: Tickets, known: str
) -> None:
    heard = here.wait(provider.open(), f"seconds=25&state={known}").json
    assert (heard["state"], heard["interval"]) == ("waiting", INTERVAL)


@pytest.mark.parametrize("kept", [b"[" * 100_000, b"[]", b"{}", b"null", b"\xff"])
def test_what_cannot_be_read_as_a_ticket_is_not_found(here: Running, provider: Tickets, kept: bytes) -> None:
    ticket = provider.open()
    provider.store.put(key_of(ticket), kept, ttl=60)
    assert here.wait(ticket).status == 404


@pytest.mark.parametrize(
    ("end", "told"),
    [
        ("deny", {"state": "denied", "ended": "by_phone", "interval": 0}),
        ("cancel", {"state": "denied", "ended": "by_browser", "interval": 0}),
    ],
)
def test_every_end_is_heard(here: Running, provider: Tickets, end: str, told: dict[str, object]) -> None:
    ticket = provider.open()
    provider.scan(ticket)
    with here.caller() as browser:
        browser.wait(ticket, "seconds=25&state=scanned")
        here.until_held(1)
        getattr(provider, end)(ticket)
        assert browser.answer().json == told


def test_the_end_of_a_tickets_time_is_heard_before_the_seconds_are_over(
    here: Running, provider: Tickets
) -> None:
    # Opened so long ago that fifteen seconds are left, with the grace of ten.
    opened = datetime.now(UTC) - timedelta(seconds=25)
    ticket = provider.open(seconds=30, opened=opened)
    with here.caller() as browser:
        browser.wait(ticket)
        here.until_held(1)
        with time_machine.travel(opened + timedelta(seconds=41)):
            here.later(16)
            assert browser.answer().json == {"state": "expired", "interval": 0}


def test_after_its_seconds_a_browser_hears_that_nothing_happened(here: Running, provider: Tickets) -> None:
    ticket = provider.open()
    with here.caller() as browser:
        browser.wait(ticket)
        here.until_held(1)
        here.later(19)
        assert here.figure("idp_wait_waiting") == 1
        here.later(6)
        heard = browser.answer().json
    assert (heard["state"], heard["interval"]) == ("waiting", 0)


def test_a_ticket_that_has_ended_is_told_at_once(here: Running, provider: Tickets) -> None:
    ticket = provider.open()
    provider.cancel(ticket)
    assert here.wait(ticket).json["state"] == "denied"
    assert here.wait(ticket, "state=denied").json == {
        "state": "denied",
        "ended": "by_browser",
        "interval": INTERVAL,
    }


def test_two_pages_may_wait_for_one_ticket(here: Running, provider: Tickets) -> None:
    ticket = provider.open()
    with here.caller() as one, here.caller() as other:
        one.wait(ticket)
        other.wait(ticket)
        here.until_held(2)
        provider.scan(ticket)
        assert one.answer().json["state"] == other.answer().json["state"] == "scanned"


def test_who_waits_for_another_ticket_hears_nothing(here: Running, provider: Tickets) -> None:
    mine, others = provider.open(), provider.open()
    with here.caller() as browser:
        browser.wait(mine)
        here.until_held(1)
        provider.scan(others)
        here.until_held(1)
        provider.cancel(mine)
        assert browser.answer().json["state"] == "denied"


def test_one_connection_asks_again_and_again(here: Running, provider: Tickets) -> None:
    ticket = provider.open()
    with here.caller() as browser:
        browser.wait(ticket)
        here.until_held(1)
        provider.scan(ticket)
        assert browser.answer().json["state"] == "scanned"
        browser.wait(ticket, "state=scanned")
        here.until_held(1)
        provider.confirm(ticket)
        assert browser.answer().json["state"] == "confirmed"


def test_who_leaves_frees_his_place_at_once(settings: Settings, provider: Tickets) -> None:
    tickets = [provider.open() for _ in range(2)]
    with running(settings, most=2) as here, here.caller() as stays:
        stays.wait(tickets[0])
        leaves = here.caller().wait(tickets[1])
        here.until_held(2)
        leaves.leave()
        here.until_held(1)
        provider.scan(tickets[1])
        provider.scan(tickets[0])
        assert stays.answer().json["state"] == "scanned"


def test_beyond_the_bound_the_answer_comes_at_once(settings: Settings, provider: Tickets) -> None:
    tickets = [provider.open() for _ in range(3)]
    with running(settings, most=2) as here, here.caller() as one, here.caller() as two:
        one.wait(tickets[0])
        two.wait(tickets[1])
        here.until_held(2)
        heard = here.wait(tickets[2])
        assert (heard.status, heard.json["state"], heard.json["interval"]) == (200, "waiting", FULL_INTERVAL)
        assert here.figure("idp_wait_waiting") == 2


def test_one_ticket_does_not_take_many_places(here: Running, provider: Tickets) -> None:
    ticket = provider.open()
    callers = [here.caller().wait(ticket) for _ in range(A_TICKET)]
    here.until_held(A_TICKET)
    assert here.wait(ticket).json["interval"] == FULL_INTERVAL
    for caller in callers:
        caller.leave()


def test_a_page_that_asks_without_pause_is_told_to_wait(here: Running, provider: Tickets) -> None:
    ticket = provider.open()
    with within_a_second():
        answers = [here.wait(ticket, "seconds=0") for _ in range(A_SECOND + 1)]
    assert [answer.status for answer in answers] == [200] * A_SECOND + [429]
    assert answers[-1].headers["retry-after"] == "2"


def test_whoever_knows_the_ticket_alone_does_not_silence_its_page(here: Running, provider: Tickets) -> None:
    ticket, stranger = provider.open(), "another-browsers-secret-of-the-same-length"
    with within_a_second():
        answers = [here.wait(ticket, "seconds=0", secret=stranger) for _ in range(A_SECOND + 1)]
        assert {answer.status for answer in answers} == {404, 429}
        assert here.wait(ticket, "seconds=0").status == 200


@pytest.mark.parametrize("secret", ["", "short", "x" * 101, "another-browsers-secret-of-the-same-length"])
def test_without_the_browsers_own_cookie_there_is_no_such_ticket(
    here: Running, provider: Tickets, secret: str
) -> None:
    heard = here.wait(provider.open(), secret=secret)
    assert (heard.status, heard.json) == (404, {"state": "unknown"})


@pytest.mark.parametrize("ticket", ["", "x", "A" * 22, "A" * 23, "%41" * 22, "..%2f", "A" * 21 + "/"])
def test_what_is_no_ticket_is_not_found(here: Running, ticket: str) -> None:
    assert here.wait(ticket).status == 404


def test_neither_a_malformed_id_nor_a_missing_cookie_reaches_the_store(
    settings: Settings, provider: Tickets
) -> None:
    # Whoever reaches for the store hears 503 here, as nothing is there.
    away = replace(settings, redis_url=Secret("redis://127.0.0.1:1/0"))
    with running(away, ready=False) as here:
        assert here.wait("A" * 23).status == 404
        assert here.wait("A" * 22, secret="").status == 404
        assert here.wait("A" * 22).status == 503


@pytest.mark.parametrize("seconds", ["", "-1", "x", "99999", "1e9", "²"])
def test_odd_seconds_are_the_longest(here: Running, provider: Tickets, seconds: str) -> None:
    ticket = provider.open()
    with here.caller() as browser:
        browser.send(
            f"GET /scan/wait/{ticket}?seconds={seconds.encode().hex() if not seconds.isascii() else seconds} "
            "HTTP/1.1\r\nHost: localhost:8000\r\n"
            "Cookie: a=b; idp_wait=the-secret-of-the-browser-that-waits\r\n\r\n"
        )
        here.until_held(1)
        provider.scan(ticket)
        assert browser.answer().json["state"] == "scanned"
