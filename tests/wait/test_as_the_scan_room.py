"""`idp wait` and the scan room answer alike; only one of them holds an answer back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from idp.proof import tickets
from idp.proof.ticket_record import Seen, Ticket
from idp.wait.room import INTERVAL
from tests.wait.callers import SECRET, running
from tests.wait.conftest import ASKED, MINE
from tests.world import Browser, World

OF_ONE_ANSWER = {"date", "connection", "x-request-id", "content-security-policy", "content-length"}


def a_ticket(world: World) -> Ticket:
    """A ticket the browser with `SECRET` waits for."""
    return tickets.open_ticket(
        world.backends.store,
        ASKED,
        Seen("Mozilla/5.0", "192.0.2.7"),
        secret=SECRET,
        lifetime=timedelta(seconds=120),
        now=datetime.now(UTC),
    )


def a_waiting_browser(world: World) -> Browser:
    """One that has the cookie."""
    browser = world.browser()
    browser.client.set_cookie("idp_wait", SECRET, domain="localhost")
    return browser


def test_the_provider_itself_holds_nobody(world: World) -> None:
    with world.rewired(app_url="http://localhost:8004") as there:
        response = a_waiting_browser(there).client.get(
            f"/scan/wait/{a_ticket(there).id}?seconds=25&state=waiting", base_url="http://localhost:8000"
        )
    assert response.json
    assert (response.status_code, response.json["state"]) == (200, "waiting")
    assert response.json["interval"] == INTERVAL


@pytest.mark.parametrize("installation", ["postgres"], indirect=True)
@pytest.mark.parametrize("end", ["waiting", "scanned", "denied", "unknown", "malformed"])
def test_both_say_the_same_of_a_ticket(world: World, end: str) -> None:
    ticket = a_ticket(world)
    if end in {"scanned", "denied"}:
        tickets.scan(world.backends.store, ticket.id, MINE, now=datetime.now(UTC))
    if end == "denied":
        tickets.deny(world.backends.store, ticket.id, MINE, now=datetime.now(UTC))
    asked = {"unknown": "A" * 22, "malformed": "x"}.get(end, ticket.id)
    path = f"/scan/wait/{asked}?seconds=0"
    with world.rewired(app_url="http://localhost:8004") as there, running(world.settings) as here:
        room = a_waiting_browser(there).client.get(path, base_url="http://localhost:8000")
        wait = here.ask(path, cookie=f"idp_wait={SECRET}")
    assert wait.status == room.status_code
    assert wait.json == room.json
    told = {name.lower(): value for name, value in room.headers}
    assert {name: value for name, value in wait.headers.items() if name not in OF_ONE_ANSWER} == {
        name: value for name, value in told.items() if name not in OF_ONE_ANSWER
    }
    assert OF_ONE_ANSWER & wait.headers.keys() == OF_ONE_ANSWER - {"x-request-id"}
