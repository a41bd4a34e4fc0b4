"""A phone scans, shows what is asked, and confirms once: whoever comes second, elsewhere or late does not."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from idp.access import assurance
from idp.accounts.calendar import civil_day
from idp.accounts.identifiers import mask_name
from idp.accounts.models import Mandate
from idp.proof import tickets
from idp.proof.ticket_record import Ended, Purpose, Seen, State, Ticket
from tests.oauth.asking import at_once, later
from tests.scan.phones import PIN, WINDOWS, APhone, a_ticket, legal_key, mandate_key, other_number
from tests.world import World


def state_of(world: World, ticket: Ticket) -> State:
    found = tickets.find(world.platform.store, ticket.id)
    assert found is not None
    return found.state_at(world.now())


def error_of(answer: Any) -> tuple[int, str]:
    told = answer.get_json()
    assert told["message"].endswith(("。", "？")), told
    assert told["error_uri"].startswith("http://localhost:8000/help/errors#6")
    return answer.status_code, told["error"]


def test_the_phone_shows_who_asks_from_where_and_whom_it_may_answer_as(world: World) -> None:
    operator = world.an_operator()
    phone = APhone.of(world, operator.person)
    ticket, _ = a_ticket(world, portal="示例网厅", wants_entity=True)
    shown = phone.scanned(ticket.id)
    assert (shown["ticket"], shown["purpose"], shown["portal"]) == (ticket.id, "login", "示例网厅")
    assert shown["browser"]["system"] == "Windows 电脑"
    assert shown["browser"]["name"] == "Chrome 浏览器"
    assert shown["browser"]["place"] == "地点未知"
    assert shown["browser"]["at"].endswith("+08:00")
    assert 0 < shown["expires_in"] <= 180
    assert len(set(shown["numbers"])) == 3
    assert shown["name"] == mask_name(operator.person.name)
    assert shown["far"] is None
    assert shown["unlock"] == {"required": False, "ways": [], "passkey_options": None}
    (identity,) = shown["identities"]
    assert identity == {
        "key": mandate_key(operator),
        "role": "operator",
        "company": operator.company.name,
        "uscc": f"{operator.company.uscc[:4]}{'*' * 11}{operator.company.uscc[-3:]}",
        "label": "经办人",
    }
    assert state_of(world, ticket) is State.SCANNED


def test_what_was_confirmed_is_the_browsers_to_take(world: World) -> None:
    company = world.a_company()
    phone = APhone.of(world, company.representative)
    ticket, secret = a_ticket(world)
    phone.scanned(ticket.id)
    answer = phone.confirm(ticket.id, identity=legal_key(company))
    assert (answer.status_code, answer.get_json()) == (200, {"state": "confirmed"})
    taken = tickets.take(world.platform.store, ticket.id, secret, now=world.now())
    assert taken.answer is not None
    assert taken.answer.identity == legal_key(company)
    assert (taken.answer.amr, taken.answer.acr) == (("qr",), assurance.PASSWORD)
    assert taken.phone is not None
    assert taken.phone.person == str(company.representative.row.id)


def test_a_scan_alone_confirms_nothing(world: World) -> None:
    phone, (ticket, secret) = APhone.of(world, world.a_person()), a_ticket(world)
    phone.scanned(ticket.id)
    with pytest.raises(tickets.OutOfOrder):
        tickets.take(world.platform.store, ticket.id, secret, now=world.now())


def test_a_ticket_that_was_not_scanned_cannot_be_confirmed(world: World) -> None:
    phone, (ticket, _) = APhone.of(world, world.a_person()), a_ticket(world)
    assert error_of(phone.confirm(ticket.id, number="42")) == (409, "not_scanned")
    assert error_of(phone.deny(ticket.id)) == (409, "not_scanned")
    assert state_of(world, ticket) is State.WAITING


def test_a_second_phone_cannot_scan_a_code_that_was_scanned(world: World) -> None:
    first, second = APhone.of(world, world.a_person()), APhone.of(world, world.a_person())
    ticket, _ = a_ticket(world)
    first.scanned(ticket.id)
    assert error_of(second.scan(ticket.id)) == (409, "scanned_by_another")
    assert first.confirm(ticket.id).status_code == 200


def test_nobody_else_confirms_or_denies_what_one_person_scanned(world: World) -> None:
    person = world.a_person()
    first, stranger = APhone.of(world, person), APhone.of(world, world.a_person())
    his_other = APhone.of(world, person)
    ticket, _ = a_ticket(world)
    shown = first.scanned(ticket.id)
    for phone in (stranger, his_other):
        for number in shown["numbers"]:
            answer = phone.confirm(ticket.id, number=number)
            assert error_of(answer) == (409, "scanned_by_another")
        assert error_of(phone.deny(ticket.id)) == (409, "scanned_by_another")
    assert state_of(world, ticket) is State.SCANNED


def test_another_phone_does_not_learn_what_became_of_a_ticket(world: World) -> None:
    first, stranger = APhone.of(world, world.a_person()), APhone.of(world, world.a_person())
    ticket, _ = a_ticket(world)
    first.scanned(ticket.id)
    first.deny(ticket.id)
    told = stranger.scan(ticket.id).get_json()
    assert told["error"] == "scanned_by_another"
    assert {"state", "ended"}.isdisjoint(told)


def test_the_same_phone_may_look_again(world: World) -> None:
    phone, (ticket, _) = APhone.of(world, world.a_person()), a_ticket(world)
    assert phone.scanned(ticket.id)["numbers"] == phone.scanned(ticket.id)["numbers"]
    assert phone.confirm(ticket.id).status_code == 200
    assert error_of(phone.scan(ticket.id)) == (409, "ticket_used")


def test_a_confirmation_counts_once(world: World) -> None:
    phone, (ticket, secret) = APhone.of(world, world.a_person()), a_ticket(world)
    phone.scanned(ticket.id)
    assert phone.confirm(ticket.id).status_code == 200
    again = phone.confirm(ticket.id)
    assert error_of(again) == (409, "ticket_used")
    assert again.get_json()["state"] == "confirmed"
    tickets.take(world.platform.store, ticket.id, secret, now=world.now())
    assert error_of(phone.confirm(ticket.id)) == (409, "ticket_used")
    assert error_of(phone.deny(ticket.id)) == (409, "ticket_used")


def test_of_confirmations_at_once_one_wins(world: World) -> None:
    phone, (ticket, _) = APhone.of(world, world.a_person()), a_ticket(world)
    phone.scanned(ticket.id)
    answers = at_once(6, lambda _: phone.confirm(ticket.id))
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409, 409, 409]
    assert {answer.get_json().get("error") for answer in answers} == {None, "ticket_used"}
    assert [scan["result"] for scan in phone.recent()] == ["confirmed"]


def test_a_wrong_number_ends_the_ticket_and_the_browser_hears_why(world: World) -> None:
    phone, (ticket, _) = APhone.of(world, world.a_person()), a_ticket(world)
    shown = phone.scanned(ticket.id)
    kept = tickets.find(world.platform.store, ticket.id)
    assert kept is not None
    answer = phone.confirm(ticket.id, number=other_number(shown, kept.number))
    assert error_of(answer) == (409, "wrong_number")
    assert (answer.get_json()["state"], answer.get_json()["ended"]) == ("denied", "wrong_number")
    ended = tickets.find(world.platform.store, ticket.id)
    assert ended is not None
    assert ended.ended is Ended.WRONG_NUMBER
    assert error_of(phone.confirm(ticket.id, number=kept.number)) == (410, "ticket_ended")


def test_after_three_wrong_numbers_scanning_waits(world: World) -> None:
    person = world.a_person()
    for _ in range(3):
        phone, (ticket, _secret) = APhone.of(world, person), a_ticket(world)
        shown = phone.scanned(ticket.id)
        kept = tickets.find(world.platform.store, ticket.id)
        assert kept is not None
        phone.confirm(ticket.id, number=other_number(shown, kept.number))
    ticket, _ = a_ticket(world)
    answer = phone.scan(ticket.id)
    assert error_of(answer) == (429, "too_many_wrong_numbers")
    assert 0 < int(answer.headers["Retry-After"]) <= 600
    assert "10 分钟" in answer.get_json()["message"]
    assert APhone.of(world, world.a_person()).scan(ticket.id).status_code == 200


def test_a_refusal_on_the_phone_ends_the_ticket(world: World) -> None:
    phone, (ticket, _) = APhone.of(world, world.a_person()), a_ticket(world)
    phone.scanned(ticket.id)
    answer = phone.deny(ticket.id)
    assert (answer.status_code, answer.get_json()) == (200, {"state": "denied"})
    ended = tickets.find(world.platform.store, ticket.id)
    assert ended is not None
    assert ended.ended is Ended.BY_PHONE
    told = phone.confirm(ticket.id, number="42")
    assert error_of(told) == (410, "ticket_ended")
    assert told.get_json()["ended"] == "by_phone"


@pytest.mark.parametrize("ticket", ["A" * 22, "x", "A" * 500, "票" * 22, "a b", "<b>", "0"])
def test_a_ticket_nobody_made_is_unknown(world: World, ticket: str) -> None:
    phone = APhone.of(world, world.a_person())
    for act in (phone.scan, phone.deny, lambda one: phone.confirm(one, number="42")):
        assert error_of(act(ticket)) == (404, "ticket_unknown")


def test_an_expired_ticket_says_so(world: World) -> None:
    phone, (ticket, _) = APhone.of(world, world.a_person()), a_ticket(world)
    phone.scanned(ticket.id)
    with later(seconds=200):
        assert error_of(phone.confirm(ticket.id)) == (410, "ticket_expired")
        assert error_of(phone.deny(ticket.id)) == (410, "ticket_expired")
        assert error_of(phone.scan(ticket.id)) == (410, "ticket_expired")


def test_a_code_the_browser_gave_up_says_so(world: World) -> None:
    phone, (ticket, secret) = APhone.of(world, world.a_person()), a_ticket(world)
    tickets.withdraw(world.platform.store, ticket.id, secret, now=world.now())
    answer = phone.scan(ticket.id)
    assert error_of(answer) == (410, "ticket_ended")
    assert answer.get_json()["ended"] == "by_browser"


def test_a_mandate_that_ended_before_the_confirmation_has_its_own_sentence(world: World) -> None:
    company = world.a_company()
    operator = world.an_operator(company)
    other = world.an_operator(person=operator.person)
    phone, (ticket, _) = APhone.of(world, operator.person), a_ticket(world, wants_entity=True)
    phone.scanned(ticket.id)
    with world.write() as db:
        db.get_one(Mandate, operator.mandate.id).ended_at = world.now()
    answer = phone.confirm(ticket.id, identity=mandate_key(operator))
    assert error_of(answer) == (409, "identity_gone")
    assert "企业已结束对您的授权" in answer.get_json()["message"]
    assert phone.confirm(ticket.id, identity=mandate_key(other)).status_code == 200


def test_somebody_elses_mandate_is_no_identity(world: World) -> None:
    operator = world.an_operator()
    phone, (ticket, _) = APhone.of(world, world.a_person()), a_ticket(world)
    phone.scanned(ticket.id)
    for key in (mandate_key(operator), legal_key(operator.company), "mandate:" + "0" * 36, "legal:x", "x"):
        answer = phone.confirm(ticket.id, identity=key)
        assert answer.status_code in {400, 409}
        assert operator.company.name not in answer.get_json()["message"]
    assert state_of(world, ticket) is State.SCANNED


def test_an_identity_that_does_not_answer_the_request_is_refused(world: World) -> None:
    first, second = world.a_company(), world.a_company()
    operator = world.an_operator(first)
    other = world.an_operator(second, operator.person)
    phone, (ticket, _) = (
        APhone.of(world, operator.person),
        a_ticket(world, wants_entity=True, entity=first.uscc),
    )
    assert [one["key"] for one in phone.scanned(ticket.id)["identities"]] == [mandate_key(operator)]
    for key in ("person", mandate_key(other)):
        assert error_of(phone.confirm(ticket.id, identity=key)) == (403, "identity_not_accepted")
    assert phone.confirm(ticket.id, identity=mandate_key(operator)).status_code == 200


def test_a_portal_for_people_is_answered_by_the_person_himself(world: World) -> None:
    operator = world.an_operator()
    phone, (ticket, _) = APhone.of(world, operator.person), a_ticket(world, wants_person=True)
    assert [one["key"] for one in phone.scanned(ticket.id)["identities"]] == ["person"]
    assert error_of(phone.confirm(ticket.id, identity=mandate_key(operator))) == (
        403,
        "identity_not_accepted",
    )


def test_without_an_identity_for_it_the_code_waits_for_another_phone(world: World) -> None:
    phone, (ticket, _) = APhone.of(world, world.a_person()), a_ticket(world, wants_entity=True)
    answer = phone.scan(ticket.id)
    assert error_of(answer) == (403, "no_identity")
    assert "企业" in answer.get_json()["message"]
    assert state_of(world, ticket) is State.WAITING
    operator = world.an_operator()
    assert APhone.of(world, operator.person).scan(ticket.id).status_code == 200


def test_a_person_scans_so_often_an_hour(world: World) -> None:
    with world.rewired(scans_an_account=3) as other:
        phone = APhone.of(other, other.a_person())
        for _ in range(3):
            phone.scanned(a_ticket(other)[0].id)
        phone.scan(a_ticket(other)[0].id)
        answer = phone.scan(a_ticket(other)[0].id)
        assert error_of(answer) == (429, "too_many_scans")
        assert int(answer.headers["Retry-After"]) > 0
        assert APhone.of(other, other.a_person()).scan(a_ticket(other)[0].id).status_code == 200


PLACES = """network,place,latitude,longitude
192.0.2.0/24,吉林省长春市,43.8171,125.3235
198.51.100.0/24,广东省广州市,23.1291,113.2644
"""


def test_a_browser_far_away_is_asked_about_a_second_time(world: World, tmp_path: Any) -> None:
    file = tmp_path / "places.csv"
    file.write_text(PLACES, encoding="utf-8")
    with world.rewired(places_file=str(file)) as other:
        phone = APhone.of(other, other.a_person(), address="192.0.2.7")
        ticket, _ = a_ticket(other, browser=Seen(WINDOWS, "198.51.100.7"))
        shown = phone.scanned(ticket.id)
        assert shown["far"] == {"browser": "广东省广州市", "phone": "吉林省长春市"}
        assert shown["browser"]["place"] == "广东省广州市"
        for said in (None, False):
            answer = phone.confirm(ticket.id, far=said)
            assert error_of(answer) == (409, "far_unconfirmed")
            assert "广州" in answer.get_json()["message"]
        assert phone.confirm(ticket.id, far=True).status_code == 200
        assert phone.recent()[0]["place"] == "广东省广州市"


def test_near_or_unknown_places_warn_nobody(world: World, tmp_path: Any) -> None:
    file = tmp_path / "places.csv"
    file.write_text(PLACES, encoding="utf-8")
    with world.rewired(places_file=str(file)) as other:
        phone = APhone.of(other, other.a_person(), address="192.0.2.7")
        for address in ("192.0.2.200", "203.0.113.9"):
            ticket, _ = a_ticket(other, browser=Seen(WINDOWS, address))
            assert phone.scanned(ticket.id)["far"] is None
            assert phone.confirm(ticket.id).status_code == 200


def test_everything_that_can_be_put_right_is_asked_before_the_number(world: World) -> None:
    phone = APhone.of(world, world.a_person())
    phone.set_pin()
    ticket, _ = a_ticket(world, wants_person=True, acr_values=(assurance.SECOND_PROOF,))
    phone.scanned(ticket.id)
    for wrong in ({"identity": "company"}, {"pin": "271828"}, {}):
        assert phone.confirm(ticket.id, number="00", **wrong).status_code < 500
        assert state_of(world, ticket) is State.SCANNED
    assert phone.confirm(ticket.id, pin=PIN).status_code == 200


def test_a_mandate_that_begins_later_is_not_offered(world: World) -> None:
    day = civil_day(world.now()) + timedelta(days=2)
    operator = world.an_operator(first_day=day)
    phone, (ticket, _) = APhone.of(world, operator.person), a_ticket(world)
    assert [one["key"] for one in phone.scanned(ticket.id)["identities"]] == ["person"]
    answer = phone.confirm(ticket.id, identity=mandate_key(operator))
    assert error_of(answer) == (409, "identity_gone")


def test_the_code_of_a_face_check_is_confirmed_by_no_number(world: World) -> None:
    phone = APhone.of(world, world.a_person())
    ticket, _ = a_ticket(world, purpose=Purpose.FACE, subject="林*满")
    shown = phone.scanned(ticket.id)
    kept = tickets.find(world.platform.store, ticket.id)
    assert kept is not None
    assert (shown["purpose"], shown["numbers"]) == ("face", list(kept.numbers))
    assert error_of(phone.confirm(ticket.id, number=kept.number)) == (403, "face_required")
    assert state_of(world, ticket) is State.SCANNED
