"""Each app opens what it was registered for; the rest is refused on the phone, and the code waits on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from idp.access import channels
from idp.accounts.models import Person
from idp.proof import tickets
from idp.proof.ticket_record import State, Ticket
from tests.scan.card_records import Records, the_records
from tests.scan.phones import APhone, a_ticket, legal_key, mandate_key
from tests.world import World


def refused(answer: Any) -> str:
    told = answer.get_json()
    assert answer.status_code in {403, 409, 503}, told
    assert told["message"].endswith("。")
    return str(told["error"])


def is_waiting(world: World, ticket: Ticket) -> bool:
    found = tickets.find(world.platform.store, ticket.id)
    return found is not None and found.state is State.WAITING


@contextmanager
def with_records(world: World) -> Iterator[tuple[World, Records]]:
    """The same world, where somebody knows cards."""
    with the_records() as records:
        asked_with = {"social_security_url": records.address, "social_security_token": "a token"}
        with world.rewired(**asked_with) as other:
            yield other, records


def test_the_licence_does_not_scan_yet_and_says_what_does(world: World) -> None:
    phone, (ticket, _) = APhone.of(world, world.a_person(), "licence"), a_ticket(world)
    answer = phone.scan(ticket.id)
    assert refused(answer) == "channel_closed"
    assert answer.get_json()["message"] == channels.CHANNELS["licence"].closed
    assert is_waiting(world, ticket)


def test_the_licence_offers_nothing_that_it_cannot_do(world: World) -> None:
    company = world.a_company()
    person, portal = company.representative, world.a_client()
    other = APhone.of(world, person)
    ticket, _ = a_ticket(world, client_id=portal.client_id)
    other.scanned(ticket.id)
    assert other.confirm(ticket.id, identity=legal_key(company)).status_code == 200
    phone = APhone.of(world, person, "licence")
    closed = channels.CHANNELS["licence"].closed
    told = phone.me()
    assert (told["identities"], told["closed"]) == ([], closed)
    answer = phone.set_pin()
    assert refused(answer) == "channel_closed"
    assert answer.get_json()["message"] == closed
    assert other.me()["pin"]["set"] is False
    assert other.me()["closed"] is None
    assert [one["company"] for one in other.recent()] == [company.row.name]
    for name in ("licence", "social_card"):
        (line,) = APhone.of(world, person, name).recent()
        assert (line["company"], line["result"]) == (None, "confirmed")


def test_in_its_mini_program_the_app_does_not_scan(world: World) -> None:
    phone, (ticket, _) = APhone.of(world, world.a_person()), a_ticket(world)
    answer = phone.scan(ticket.id, surface="mini_program")
    assert refused(answer) == "wrong_surface"
    assert "请打开「吉事办」App" in answer.get_json()["message"]
    assert is_waiting(world, ticket)
    assert phone.scan(ticket.id).status_code == 200


def test_the_card_scans_in_a_mini_program(world: World) -> None:
    with with_records(world) as (other, records):
        person = other.a_person()
        records.recorded[person.id_number] = ()
        phone, (ticket, _) = APhone.of(other, person, "social_card"), a_ticket(other)
        assert phone.scan(ticket.id, surface="mini_program").status_code == 200


def test_a_card_that_is_not_activated_opens_nothing(world: World) -> None:
    with with_records(world) as (other, _):
        phone, (ticket, _secret) = APhone.of(other, other.a_person(), "social_card"), a_ticket(other)
        answer = phone.scan(ticket.id)
        assert refused(answer) == "card_not_activated"
        assert "激活" in answer.get_json()["message"]
        assert is_waiting(other, ticket)


def test_the_card_opens_the_companies_its_holder_is_recorded_for(world: World) -> None:
    with with_records(world) as (other, records):
        known = other.an_operator()
        unknown = other.an_operator(person=known.person)
        records.recorded[known.person.id_number] = (known.company.uscc,)
        phone = APhone.of(other, known.person, "social_card")
        ticket, _ = a_ticket(other, wants_entity=True)
        shown = phone.scanned(ticket.id)
        assert [one["key"] for one in shown["identities"]] == [mandate_key(known)]
        assert refused(phone.confirm(ticket.id, identity=mandate_key(unknown))) == "card_not_recorded"
        assert phone.confirm(ticket.id, identity=mandate_key(known)).status_code == 200
        assert set(records.asked[0]["companies"]) == {known.company.uscc, unknown.company.uscc}


def test_an_operator_nobody_recorded_reads_where_to_go(world: World) -> None:
    with with_records(world) as (other, records):
        operator = other.an_operator()
        records.recorded[operator.person.id_number] = ()
        phone = APhone.of(other, operator.person, "social_card")
        ticket, _ = a_ticket(other, wants_entity=True)
        assert refused(phone.scan(ticket.id)) == "card_not_recorded"
        assert is_waiting(other, ticket)


def test_the_card_does_not_open_what_a_representative_opens(world: World) -> None:
    with with_records(world) as (other, records):
        company = other.a_company()
        records.recorded[company.representative.id_number] = (company.uscc,)
        phone = APhone.of(other, company.representative, "social_card")
        ticket, _ = a_ticket(other, wants_entity=True)
        answer = phone.scan(ticket.id)
        assert refused(answer) == "no_identity"
        assert "法人" in answer.get_json()["message"]
        ticket, _ = a_ticket(other)
        phone.scanned(ticket.id)
        assert refused(phone.confirm(ticket.id, identity=legal_key(company))) == "identity_not_accepted"


def test_while_the_records_are_silent_the_card_waits_and_other_apps_do_not(world: World) -> None:
    with with_records(world) as (other, records):
        person = other.a_person()
        records.recorded[person.id_number], records.status = (), 500
        ticket, _ = a_ticket(other)
        assert refused(APhone.of(other, person, "social_card").scan(ticket.id)) == "temporarily_unavailable"
        assert is_waiting(other, ticket)
        assert APhone.of(other, person).scan(ticket.id).status_code == 200


def test_without_records_the_card_opens_nothing(world: World) -> None:
    phone, (ticket, _) = APhone.of(world, world.a_person(), "social_card"), a_ticket(world)
    assert refused(phone.scan(ticket.id)) == "temporarily_unavailable"


def test_a_person_without_a_number_has_no_card(world: World) -> None:
    with with_records(world) as (other, records):
        person = other.a_person()
        with other.write() as db:
            row = db.get_one(Person, person.row.id)
            row.id_number_sealed = row.id_number_index = None
        phone, (ticket, _) = APhone.of(other, person, "social_card"), a_ticket(other)
        assert refused(phone.scan(ticket.id)) == "card_not_activated"
        assert records.asked == []


@pytest.mark.parametrize("channel", ["jishiban", "social_card", "licence"])
def test_each_app_says_which_it_is(world: World, channel: str) -> None:
    told = APhone.of(world, world.a_person(), channel).me()
    assert (told["channel"], told["channel_name"]) == (channel, channels.CHANNELS[channel].name)


def test_the_app_names_the_identities_it_can_use(world: World) -> None:
    company = world.a_company()
    operator = world.an_operator(person=company.representative)
    whole, card = (APhone.of(world, operator.person, name).me() for name in ("jishiban", "social_card"))
    assert [one["label"] for one in whole["identities"]] == ["法人", "经办人", "个人"]
    assert [one["label"] for one in card["identities"]] == ["经办人", "个人"]
    assert whole["name"] == "林*满"
    assert whole["phone"] == f"{operator.person.phone[:3]}****{operator.person.phone[-4:]}"
    assert company.uscc not in str(whole)
