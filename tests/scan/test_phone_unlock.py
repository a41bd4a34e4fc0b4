"""The app's PIN and passkeys: set by rules, checked and counted by this provider, and what they lift."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sqlalchemy import select, update

from idp.access import assurance
from idp.accounts import factors
from idp.accounts.app_pins import AppPin
from idp.accounts.factors import Passkey
from idp.accounts.notices import Notice
from idp.accounts.sessions import SigninSession
from idp.proof import tickets
from idp.proof.passkeys import Ceremony
from idp.proof.ticket_record import State
from tests.authenticator import AnAuthenticator
from tests.oauth.asking import at_once, later
from tests.scan.phones import APP_ORIGIN, PIN, APhone, a_ticket
from tests.world import APerson, World

OTHER_PIN = "604817"


def error_of(answer: Any) -> tuple[int, str]:
    told = answer.get_json()
    assert told["message"].endswith("。"), told
    return answer.status_code, told["error"]


def a_strong_ticket(world: World) -> str:
    """A ticket of a portal that wants a second proof."""
    ticket, _ = a_ticket(world, wants_person=True, acr_values=(assurance.SECOND_PROOF,))
    return ticket.id


def a_passkey(world: World, person: APerson) -> AnAuthenticator:
    """An authenticator with a passkey of the person, added on a page of ours."""
    account, key = f"person:{person.row.id}", AnAuthenticator()
    platform = world.platform
    ceremony = Ceremony(platform.store, world.settings, platform.vault, "a browser")
    asked = ceremony.ask_to_add(account, label=person.name, present=())
    verified = ceremony.check_added(asked.id, key.create(asked.options), account)
    with world.write() as db:
        factors.add_passkey(db, account=account, name="钥匙", now=world.now(), **verified)
    key.origin = APP_ORIGIN
    return key


def a_phone_with_passkey(world: World) -> tuple[APhone, AnAuthenticator]:
    person = world.a_person()
    phone = APhone.of(world, person)
    return phone, a_passkey(world, person)


def answered(shown: dict[str, Any], key: AnAuthenticator, **bent: Any) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(key.get(shown["unlock"]["passkey_options"], **bent))
    return {"passkey": told}


def test_the_first_pin_comes_with_the_agreement(world: World) -> None:
    phone = APhone.of(world, world.a_person())
    before = phone.me()["pin"]
    assert before["set"] is False
    assert before["agreement"]["paragraphs"]
    answer = phone.call("POST", "/scan/pin", {"pin": PIN, "agreement": "2020-01"})
    assert error_of(answer) == (409, "agreement_outdated")
    assert phone.set_pin().status_code == 204
    assert phone.me()["pin"]["set"] is True
    with world.reading() as db:
        kept = db.scalars(select(AppPin)).one()
    assert (kept.agreement, PIN in kept.pin_hash) == (before["agreement"]["version"], False)


@pytest.mark.parametrize(
    "pin",
    [
        "",
        "12345",
        "1234567",
        "abcdef",
        "１２３４５６",
        "12 456",
        "111111",
        "123456",
        "654321",
        "012345",
        "890123",
        "121212",
        "147147",
        "520131",
    ],
)
def test_a_pin_that_anybody_would_try_is_refused(world: World, pin: str) -> None:
    phone = APhone.of(world, world.a_person())
    assert error_of(phone.set_pin(pin)) == (400, "weak_pin")
    assert phone.me()["pin"]["set"] is False


def test_a_pin_is_no_part_of_ones_own_numbers(world: World) -> None:
    person = world.a_person(phone="13950286174", id_number="990100197804120240")
    phone = APhone.of(world, person)
    for pin in ("502861", "286174", "780412", "120478", "041278", "197804", "412024"):
        answer = phone.set_pin(pin)
        assert error_of(answer) == (400, "weak_pin")
        assert "手机号" in answer.get_json()["message"]


@pytest.mark.parametrize("broken", ["\ud800", "730\udfff"])
def test_a_text_that_is_no_text_is_refused_and_costs_no_try(world: World, broken: str) -> None:
    phone, (ticket, _) = APhone.of(world, world.a_person()), a_ticket(world)
    phone.set_pin()
    phone.scanned(ticket.id)
    malformed = (400, "invalid_request")
    for _ in range(6):
        assert error_of(phone.set_pin(OTHER_PIN, current=broken)) == malformed
    assert error_of(phone.set_pin(broken)) == malformed
    assert error_of(phone.confirm(ticket.id, pin=broken)) == malformed
    assert error_of(phone.confirm(ticket.id, unlock={"passkey": {"id": broken}})) == malformed
    assert phone.set_pin(OTHER_PIN, current=PIN).status_code == 204


def test_the_app_hears_whether_the_present_agreement_was_given(world: World) -> None:
    phone = APhone.of(world, world.a_person())
    assert phone.me()["pin"]["agreement"]["agreed"] is False
    phone.set_pin()
    assert phone.me()["pin"]["agreement"]["agreed"] is True
    with world.write() as db:
        db.execute(update(AppPin).values(agreement="2020-01"))
    told = phone.me()["pin"]
    assert (told["set"], told["agreement"]["agreed"]) == (True, False)


def test_another_pin_needs_the_old_one_once_the_sign_in_is_not_young(world: World) -> None:
    phone = APhone.of(world, world.a_person())
    phone.set_pin()
    with later(minutes=11):
        phone.refresh()
        assert error_of(phone.set_pin(OTHER_PIN)) == (403, "current_pin_required")
        assert error_of(phone.set_pin(OTHER_PIN, current="271828")) == (403, "wrong_pin")
        assert error_of(phone.set_pin(PIN, current=PIN)) == (400, "weak_pin")
        assert phone.set_pin(OTHER_PIN, current=PIN).status_code == 204
    with world.reading() as db:
        assert [notice.kind for notice in db.scalars(select(Notice))].count("app_pin_changed") == 1


def test_whoever_forgot_it_signs_in_again_and_sets_another(world: World) -> None:
    person = world.a_person()
    APhone.of(world, person).set_pin()
    with later(days=1):
        phone = APhone.of(world, person)
        assert phone.set_pin(OTHER_PIN).status_code == 204


def test_of_two_first_pins_at_once_one_is_set(world: World) -> None:
    phone = APhone.of(world, world.a_person())
    answers = at_once(2, lambda at: phone.set_pin((PIN, OTHER_PIN)[at]))
    statuses = sorted(answer.status_code for answer in answers)
    # The second may have come after the first one was there; then its young sign-in replaces it.
    assert statuses in ([204, 409], [204, 204])
    with world.reading() as db:
        assert len(db.scalars(select(AppPin)).all()) == 1


def test_a_sign_in_that_ended_sets_no_pin(world: World) -> None:
    phone = APhone.of(world, world.a_person())
    with world.write() as db:
        db.execute(update(SigninSession).values(ended_at=world.now(), end_reason="signed_out"))
    answer = phone.call("POST", "/scan/pin", {"pin": PIN, "agreement": "2026-11"})
    assert error_of(answer) == (401, "invalid_token")
    with world.reading() as db:
        assert db.scalars(select(AppPin)).all() == []


def test_an_unlocked_app_lifts_the_sign_in(world: World) -> None:
    phone = APhone.of(world, world.a_person())
    phone.set_pin()
    ticket, secret = a_ticket(world)
    assert phone.scanned(ticket.id)["unlock"] == {"required": False, "ways": ["pin"], "passkey_options": None}
    assert phone.confirm(ticket.id, pin=PIN).status_code == 200
    answer = tickets.take(world.platform.store, ticket.id, secret, now=world.now()).answer
    assert answer is not None
    assert (answer.amr, answer.acr) == (("qr", "pin"), assurance.SECOND_PROOF)


def test_what_wants_a_second_proof_wants_the_app_unlocked(world: World) -> None:
    phone, ticket = APhone.of(world, world.a_person()), a_strong_ticket(world)
    assert phone.scanned(ticket)["unlock"] == {"required": True, "ways": [], "passkey_options": None}
    assert error_of(phone.confirm(ticket)) == (403, "unlock_required")
    assert error_of(phone.confirm(ticket, pin=PIN)) == (409, "pin_not_set")
    phone.set_pin()
    assert phone.confirm(ticket, pin=PIN).status_code == 200


def test_a_wrong_pin_does_not_end_the_ticket(world: World) -> None:
    phone, (ticket, _) = APhone.of(world, world.a_person()), a_ticket(world)
    phone.set_pin()
    phone.scanned(ticket.id)
    assert error_of(phone.confirm(ticket.id, pin="271828")) == (403, "wrong_pin")
    found = tickets.find(world.platform.store, ticket.id)
    assert found is not None
    assert found.state is State.SCANNED
    assert phone.confirm(ticket.id, pin=PIN).status_code == 200


def test_wrong_pins_are_counted_on_all_phones_of_a_person(world: World) -> None:
    person = world.a_person()
    phones = [APhone.of(world, person) for _ in range(2)]
    phones[0].set_pin()
    made = [a_ticket(world)[0].id for _ in phones]
    for phone, ticket in zip(phones, made, strict=True):
        phone.scanned(ticket)
    for at in range(world.settings.throttle_failures):
        answer = phones[at % 2].confirm(made[at % 2], pin="271828")
        assert error_of(answer) == (403, "wrong_pin")
    answer = phones[0].confirm(made[0], pin=PIN)
    assert error_of(answer) == (429, "too_many_tries")
    assert "分钟" in answer.get_json()["message"]
    assert int(answer.headers["Retry-After"]) > 0
    with later(seconds=world.settings.throttle_wait + 1):
        assert phones[0].confirm(made[0], pin=PIN).status_code == 200


def test_of_wrong_pins_at_once_no_more_are_looked_at_than_one_after_another(world: World) -> None:
    phone, (ticket, _) = APhone.of(world, world.a_person()), a_ticket(world)
    phone.set_pin()
    phone.scanned(ticket.id)
    answers = at_once(10, lambda _: phone.confirm(ticket.id, pin="271828"))
    looked_at = [answer for answer in answers if answer.get_json()["error"] == "wrong_pin"]
    assert len(looked_at) <= world.settings.throttle_failures


def test_a_passkey_unlocks_on_the_page_of_the_app(world: World) -> None:
    phone, key = a_phone_with_passkey(world)
    assert phone.me()["passkey"] is True
    ticket, secret = a_ticket(world)
    shown = phone.scanned(ticket.id)
    assert shown["unlock"]["ways"] == ["passkey"]
    assert phone.confirm(ticket.id, unlock=answered(shown, key)).status_code == 200
    answer = tickets.take(world.platform.store, ticket.id, secret, now=world.now()).answer
    assert answer is not None
    assert (answer.amr, answer.acr) == (("qr", "hwk"), assurance.SECOND_PROOF)
    with world.reading() as db:
        assert db.scalars(select(Passkey)).one().last_used_at is not None


def test_a_passkey_answers_once_on_its_phone_and_for_its_ticket(world: World) -> None:
    person = world.a_person()
    phone, other = APhone.of(world, person), APhone.of(world, person)
    key = a_passkey(world, person)
    first, second = a_ticket(world)[0].id, a_ticket(world)[0].id
    shown = phone.scanned(first)
    other.scanned(second)
    signed = answered(shown, key)
    assert error_of(other.confirm(second, unlock=signed)) == (403, "passkey_refused")
    assert error_of(phone.confirm(first, number="00", unlock=signed))[1] == "wrong_number"
    assert error_of(phone.confirm(first, unlock=signed)) == (410, "ticket_ended")
    third = a_ticket(world)[0].id
    phone.scanned(third)
    assert error_of(phone.confirm(third, unlock=signed)) == (403, "passkey_refused")


@pytest.mark.parametrize(
    "bent", [{"origin": "https://evil.example"}, {"verified": False}, {"challenge": "AAAA"}]
)
def test_a_passkey_that_proves_nothing_leaves_the_ticket_open(world: World, bent: dict[str, Any]) -> None:
    phone, key = a_phone_with_passkey(world)
    ticket, _ = a_ticket(world)
    shown = phone.scanned(ticket.id)
    assert error_of(phone.confirm(ticket.id, unlock=answered(shown, key, **bent))) == (403, "passkey_refused")
    again = phone.scanned(ticket.id)
    assert phone.confirm(ticket.id, unlock=answered(again, key)).status_code == 200


def test_somebody_elses_passkey_unlocks_nothing(world: World) -> None:
    phone, _ = a_phone_with_passkey(world)
    theirs = a_passkey(world, world.a_person())
    ticket, _ = a_ticket(world)
    shown = phone.scanned(ticket.id)
    shown["unlock"]["passkey_options"]["allowCredentials"] = []
    assert error_of(phone.confirm(ticket.id, unlock=answered(shown, theirs))) == (403, "passkey_refused")


def test_nonsense_instead_of_a_passkey_is_refused(world: World) -> None:
    phone, _ = a_phone_with_passkey(world)
    ticket, _ = a_ticket(world)
    for nonsense in ({"id": 1}, {"rawId": 5, "response": []}, {"response": {"userHandle": 7}}):
        phone.scanned(ticket.id)
        assert error_of(phone.confirm(ticket.id, unlock={"passkey": nonsense})) == (403, "passkey_refused")
