"""What is remembered of a scan, in the trail and in the app; and what any other camera opens."""

from __future__ import annotations

import pytest
from sqlalchemy import select, update

from idp.accounts.audit import AuditEvent
from idp.accounts.calendar import SHANGHAI
from idp.proof import tickets
from idp.proof.ticket_record import Seen, State
from idp.web.audit_words import ACTIONS, action_line, detail_rows
from tests.oauth.asking import later
from tests.scan.phones import ANDROID, PIN, WINDOWS, APhone, a_ticket, mandate_key, other_number
from tests.scan.waiting_pages import early_in_the_hour
from tests.world import World


def events(world: World, action: str) -> list[AuditEvent]:
    with world.reading() as db:
        found = select(AuditEvent).where(AuditEvent.action == action).order_by(AuditEvent.id)
        return list(db.scalars(found))


def test_the_trail_knows_both_devices_and_what_was_decided(world: World) -> None:
    operator, portal = world.an_operator(), world.a_client()
    phone = APhone.of(world, operator.person, address="203.0.113.5")
    phone.set_pin()
    ticket, _ = a_ticket(
        world, wants_entity=True, client_id=portal.client_id, browser=Seen(WINDOWS, "198.51.100.7")
    )
    phone.scanned(ticket.id)
    phone.scanned(ticket.id)
    phone.confirm(ticket.id, identity=mandate_key(operator), pin=PIN)
    assert len(events(world, "scan_seen")) == 1
    (event,) = events(world, "scan_confirmed")
    person = f"person:{operator.person.row.id}"
    assert (event.actor, event.target) == (person, person)
    assert (event.address, event.device) == ("203.0.113.5", ANDROID)
    assert event.entity == str(operator.company.row.id)
    assert event.detail == {
        "client": portal.client_id,
        "purpose": "login",
        "channel": "jishiban",
        "browser": WINDOWS,
        "browser_address": "198.51.100.7",
        "role": "operator",
        "unlock": ["pin"],
        "far": False,
    }
    told = dict(detail_rows(event.detail))
    assert told["等待的浏览器"] == "Windows，Chrome 130"
    assert (told["App 解锁"], told["手机 App"], told["相距较远"]) == ("App 口令", "吉事办", "否")


def test_what_was_refused_is_remembered_with_its_reason(world: World) -> None:
    person = world.a_person()
    phone, stranger = APhone.of(world, person), APhone.of(world, world.a_person())
    phone.set_pin()
    ticket, _ = a_ticket(world)
    shown = phone.scanned(ticket.id)
    stranger.scan(ticket.id)
    phone.confirm(ticket.id, pin="271828")
    kept = tickets.find(world.platform.store, ticket.id)
    assert kept is not None
    phone.confirm(ticket.id, number=other_number(shown, kept.number))
    refused = events(world, "scan_refused")
    assert [event.detail["why"] for event in refused] == ["scanned_by_another", "wrong_pin", "wrong_number"]
    assert [event.detail["why"] for event in events(world, "app_pin_refused")] == ["wrong_pin"]
    for event in refused:
        line = action_line(event.action, event.detail)
        assert line.startswith(ACTIONS["scan_refused"])
        assert not line.endswith(event.detail["why"])
    assert "271828" not in str([event.detail for event in refused])


def reasons(world: World) -> list[str]:
    """Why scans and confirmations were refused, as the trail has it."""
    return [event.detail["why"] for event in events(world, "scan_refused")]


def test_what_is_refused_for_ever_fills_no_trail(world: World) -> None:
    most = world.settings.scans_an_account
    with early_in_the_hour():
        phone, stranger = APhone.of(world, world.a_person()), APhone.of(world, world.a_person())
        ticket, unscanned = a_ticket(world)[0].id, a_ticket(world)[0].id
        phone.scanned(ticket)
        for _ in range(most // 2 + 10):
            stranger.scan(ticket)
            stranger.confirm(unscanned, number="42")
        assert len(reasons(world)) == most + 2, "one turn after the ceiling, and one line of the rest"
        assert reasons(world).count("too_many_scans") == 1
        with later(seconds=world.settings.throttle_wait + 1):
            for _ in range(5):
                stranger.scan(ticket)
        assert len(reasons(world)) == most + 4


def test_tries_that_wait_fill_no_trail(world: World) -> None:
    phone = APhone.of(world, world.a_person())
    phone.set_pin()
    for _ in range(20):
        phone.set_pin("604817", current="271828")
    why = [event.detail["why"] for event in events(world, "app_pin_refused")]
    assert why == ["wrong_pin"] * 5 + ["throttled"]


def test_the_app_lists_the_latest_scans(world: World) -> None:
    operator, portal = world.an_operator(), world.a_client(name="长春社保网厅")
    phone = APhone.of(world, operator.person)
    assert phone.recent() == []
    first, second = (a_ticket(world, client_id=portal.client_id)[0].id for _ in range(2))
    third = a_ticket(world)[0].id
    for ticket in (first, second, third):
        phone.scanned(ticket)
    phone.confirm(first, identity=mandate_key(operator))
    phone.deny(second)
    phone.confirm(third)
    APhone.of(world, world.a_person()).scan(first)
    last, denied, confirmed = phone.recent()
    assert (last["portal"], last["role"], last["company"]) == (
        "通行 统一身份认证平台",
        "natural_person",
        None,
    )
    assert (denied["result"], denied["role"]) == ("denied", None)
    assert confirmed == {
        "portal": "长春社保网厅",
        "at": confirmed["at"],
        "place": "地点未知",
        "role": "operator",
        "company": operator.company.name,
        "result": "confirmed",
    }
    assert confirmed["at"].endswith("+08:00")
    assert confirmed["at"][:10] == f"{world.now().astimezone(SHANGHAI):%Y-%m-%d}"


def test_a_spoilt_row_of_the_trail_costs_nobody_his_list(world: World) -> None:
    phone = APhone.of(world, world.a_person())
    for _ in range(2):
        ticket = a_ticket(world)[0].id
        phone.scanned(ticket)
        phone.deny(ticket)
    newest = events(world, "scan_denied")[-1].id
    spoilt = {"detail": {"client": ["x"], "role": "king", "browser_address": 7}, "entity": "nobody"}
    with world.write() as db:
        db.execute(update(AuditEvent).where(AuditEvent.id == newest).values(**spoilt))
    told = phone.recent()
    assert [one["result"] for one in told] == ["denied", "denied"]
    assert (told[0]["role"], told[0]["company"], told[0]["place"]) == (None, None, "地点未知")


def test_a_wrong_number_stands_in_the_list_and_no_other_refusal(world: World) -> None:
    phone = APhone.of(world, world.a_person())
    phone.set_pin()
    ticket, _ = a_ticket(world)
    shown = phone.scanned(ticket.id)
    kept = tickets.find(world.platform.store, ticket.id)
    assert kept is not None
    phone.confirm(ticket.id, pin="271828")
    phone.confirm(ticket.id, number=other_number(shown, kept.number))
    assert "wrong_pin" in reasons(world)
    (told,) = phone.recent()
    assert (told["result"], told["role"], told["company"]) == ("wrong_number", None, None)


def test_the_list_is_twenty_long(world: World) -> None:
    phone = APhone.of(world, world.a_person())
    for _ in range(21):
        ticket = a_ticket(world)[0].id
        phone.scan(ticket)
        phone.deny(ticket)
    assert len(phone.recent()) == 20


def test_nobody_sees_anothers_scans(world: World) -> None:
    phone, other = APhone.of(world, world.a_person()), APhone.of(world, world.a_person())
    ticket = a_ticket(world)[0].id
    phone.scanned(ticket)
    phone.confirm(ticket)
    assert other.recent() == []


def test_any_other_camera_opens_a_page_that_changes_nothing(world: World) -> None:
    with world.rewired(app_url="http://localhost:8004") as other:
        ticket, _ = a_ticket(other)
        page = other.browser().open(f"/q/{ticket.id}")
        assert page.status == 200
        assert "吉事办" in page.text
        code = f"http%3A%2F%2Flocalhost%3A8000%2Fq%2F{ticket.id}"
        assert f'href="http://localhost:8004/open?code={code}"' in page.html
        found = tickets.find(other.platform.store, ticket.id)
        assert found is not None
        assert found.state is State.WAITING


@pytest.mark.parametrize(
    "ticket", ["A" * 22, "x", "<script>", "%22onclick%3D", "A?next=https:%2F%2Fevil.test"]
)
def test_a_code_nobody_made_opens_the_same_page(world: World, ticket: str) -> None:
    with world.rewired(app_url="http://localhost:8004") as other:
        known, unknown = (other.browser().open(f"/q/{one}") for one in (a_ticket(other)[0].id, ticket))
        assert unknown.status == 200
        assert unknown.text == known.text
        assert "https://evil.test" not in unknown.html
        assert "<script>" not in unknown.html


def test_without_an_app_there_is_no_such_page(world: World) -> None:
    assert world.browser().open(f"/q/{'A' * 22}").status == 404


def test_a_phone_whose_token_ran_out_is_told_to_get_another(world: World) -> None:
    phone = APhone.of(world, world.a_person())
    with later(minutes=11):
        assert phone.call("GET", "/scan/me").status_code == 401
        phone.refresh()
        assert phone.call("GET", "/scan/me").status_code == 200
