"""Wrong numbers are few: also for who scanned many tickets before he chose the first one (RFC 10027)."""

from __future__ import annotations

from typing import Any

from idp.proof import tickets
from tests.oauth.asking import later
from tests.scan.phones import APhone, a_ticket, other_number
from tests.scan.waiting_pages import early_in_the_hour
from tests.world import World


def error_of(answer: Any) -> tuple[int, str]:
    told = answer.get_json()
    return answer.status_code, told["error"]


def scanned_in_store(world: World, phone: APhone, count: int) -> list[tuple[str, str, str]]:
    """Tickets this phone scanned, each with the right number and a wrong one."""
    found = []
    for _ in range(count):
        ticket, _secret = a_ticket(world)
        shown = phone.scanned(ticket.id)
        kept = tickets.find(world.platform.store, ticket.id)
        assert kept is not None
        found.append((ticket.id, kept.number, other_number(shown, kept.number)))
    return found


def test_tickets_that_were_scanned_in_store_are_no_further_guesses(world: World) -> None:
    phone = APhone.of(world, world.a_person())
    first, *more = scanned_in_store(world, phone, 5)
    assert phone.confirm(first[0], number=first[1]).status_code == 200
    answers = [phone.confirm(ticket, number=wrong) for ticket, _, wrong in more]
    assert [error_of(one)[1] for one in answers] == ["wrong_number"] * 3 + ["too_many_wrong_numbers"]
    ticket, number, _ = more[-1]
    assert error_of(phone.confirm(ticket, number=number)) == (429, "too_many_wrong_numbers")


def test_after_the_wait_one_ticket_has_its_turn_to_its_end(world: World) -> None:
    with early_in_the_hour():
        phone = APhone.of(world, world.a_person())
        for ticket, _, wrong in scanned_in_store(world, phone, 3):
            phone.confirm(ticket, number=wrong)
        with later(minutes=11):
            phone.refresh()
            [(ticket, number, _wrong)] = scanned_in_store(world, phone, 1)
            another, _ = a_ticket(world)
            assert error_of(phone.scan(another.id)) == (429, "too_many_wrong_numbers")
            assert phone.scan(ticket).status_code == 200
            assert phone.confirm(ticket, number=number).status_code == 200
