"""A phone at a face check, signed in or not: what it sees, what it may do, and nothing else (A17, A18)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

import idp
from idp.accounts.audit import Action, AuditEvent
from idp.accounts.identifiers import mask_name
from idp.proof import face, tickets
from tests.login.acting import is_in, later
from tests.neighbours import APP, Neighbours, forget_checks
from tests.relying_parties.simulating import FACE_KEY, Simulators, simulators
from tests.scan.faces import (
    APhoneOfNobody,
    FaceWorld,
    ask,
    check_of,
    deliver,
    face_world,
    finish,
    number_of,
    stored,
    ticket_of,
    verdict,
)
from tests.scan.phones import APhone, a_ticket
from tests.world import ISSUER, World


@pytest.fixture
def here(world: World, neighbours: Neighbours) -> FaceWorld:
    return face_world(world, neighbours)


@pytest.fixture(scope="module")
def for_home() -> Iterator[Simulators]:
    with simulators(ISSUER) as running:
        yield running


@pytest.fixture
def at_home(world: World, for_home: Simulators) -> Iterator[World]:
    """The same at the address the tests' phones know; its verdicts are delivered by the test."""
    forget_checks(for_home)
    with world.rewired(app_url=APP, face_url=for_home.face_url, face_key=FACE_KEY) as other:
        yield other


def a_face_ticket(world: World) -> str:
    return ticket_of(ask(world.browser(), world.a_person()))


def test_a_phone_of_nobody_sees_whom_it_is_about_masked_and_who_asks(here: FaceWorld) -> None:
    person = here.world.a_person(name="欧阳小满")
    ticket = ticket_of(ask(here.world.browser(), person))
    told = APhoneOfNobody(here.world).scan(ticket).get_json()
    assert told["subject"] == mask_name("欧阳小满")
    assert set(told) == {
        "ticket",
        "purpose",
        "portal",
        "reason",
        "subject",
        "browser",
        "expires_in",
        "numbers",
        "far",
        "agreement",
    }
    assert (told["purpose"], len(told["numbers"]), told["far"]) == ("face", 3, None)
    assert told["portal"].endswith("统一身份认证平台")
    assert set(told["browser"]) == {"system", "name", "place", "at"}
    assert person.id_number not in str(told)


def test_it_may_do_nothing_else(here: FaceWorld) -> None:
    phone, ticket = APhoneOfNobody(here.world), a_face_ticket(here.world)
    phone.scan(ticket)
    number = getattr(tickets.find(here.world.platform.store, ticket), "number", "")
    confirmed = phone.call(
        ticket, "confirm", {"identity": "person", "number": number, "unlock": None, "phone": phone.name}
    )
    assert (confirmed.status_code, confirmed.get_json()["error"]) == (403, "face_required")
    assert phone.call(ticket, "deny", {"phone": phone.name}).status_code == 401
    login, _secret = a_ticket(here.world)
    assert phone.scan(login.id).status_code == 401, "a sign-in is shown to nobody's phone"
    assert phone.agree(login.id).status_code == 404
    client = here.world.app.test_client(use_cookies=False)
    for path in ("/scan/me", "/scan/recent"):
        assert client.get(path, base_url=here.world.settings.issuer).status_code == 401


def test_it_must_agree_before_the_face_is_looked_at(here: FaceWorld) -> None:
    phone, ticket = APhoneOfNobody(here.world), a_face_ticket(here.world)
    assert phone.agree(ticket).status_code == 409, "nothing was scanned"
    phone.scan(ticket)
    consents: list[Any] = [None, "true", 1, [], {}]
    for consent in consents:
        assert phone.agree(ticket, consent=consent).status_code == 400
    assert phone.agree(ticket).status_code == 200


def test_a_phone_that_does_not_agree_ends_it_and_the_browser_hears_so(here: FaceWorld) -> None:
    browser, phone = here.world.browser(), APhoneOfNobody(here.world)
    ticket = ticket_of(ask(browser, here.world.a_person()))
    phone.scan(ticket)
    assert phone.agree(ticket, consent=False).get_json() == {"state": "denied"}
    told = browser.open(f"/scan/wait/{ticket}").response.get_json()
    assert (told["state"], told["ended"]) == ("denied", "by_phone")
    assert phone.agree(ticket).status_code == 410


def test_a_wrong_number_ends_the_code_and_no_face_is_asked_for(here: FaceWorld) -> None:
    browser, phone = here.world.browser(), APhoneOfNobody(here.world)
    page = ask(browser, here.world.a_person())
    ticket = ticket_of(page)
    numbers = phone.scan(ticket).get_json()["numbers"]
    wrong = next(one for one in numbers if one != number_of(here.world, ticket))
    for number in (None, 47, "4", "４７"):
        assert phone.agree(ticket, number=number).status_code == 400
    answer = phone.agree(ticket, number=wrong)
    assert (answer.status_code, answer.get_json()["ended"]) == (409, "wrong_number")
    assert phone.agree(ticket).status_code == 410
    told = browser.open(f"/scan/wait/{ticket}").response.get_json()
    assert (told["state"], told["ended"]) == ("denied", "wrong_number")
    assert stored(here.world, check_of(page)).state == "waiting", "a fresh code may be scanned"


def test_with_three_wrong_numbers_the_check_is_over(here: FaceWorld) -> None:
    browser = here.world.browser()
    page = ask(browser, here.world.a_person())
    check = check_of(page)
    for _ in range(3):
        ticket, phone = ticket_of(browser.open(page.url)), APhoneOfNobody(here.world)
        numbers = phone.scan(ticket).get_json()["numbers"]
        phone.agree(ticket, number=next(one for one in numbers if one != number_of(here.world, ticket)))
    assert stored(here.world, check).state == "failed"
    assert "人脸核验已经取消" in browser.open(page.url).text


def test_far_from_the_computer_he_is_asked_once_more_before_the_number(
    world: World, neighbours: Neighbours
) -> None:
    places = str(Path(idp.__file__).parent / "demo" / "places.csv")
    here = face_world(world, neighbours, places_file=places, trusted_proxies="127.0.0.1")
    ticket, phone = a_face_ticket(here.world), APhoneOfNobody(here.world, address="203.0.113.9")
    far = phone.scan(ticket).get_json()["far"]
    assert set(far) == {"browser", "phone"}
    answer = phone.agree(ticket, number="99")
    assert (answer.status_code, answer.get_json()["error"]) == (409, "far_unconfirmed")
    assert far["browser"] in answer.get_json()["message"]
    assert phone.agree(ticket, far=True).status_code == 200


def test_who_refuses_before_the_camera_has_ended_it_whatever_the_service_says_later(here: FaceWorld) -> None:
    browser, phone, person = here.world.browser(), APhoneOfNobody(here.world), here.world.a_person()
    page = ask(browser, person)
    phone.page_for(ticket_of(page))
    assert phone.agree(ticket_of(page), consent=False).status_code == 200
    check = check_of(page)
    assert deliver(here.world, verdict(here.world, check, person)).status_code == 409
    assert stored(here.world, check).state == "failed"
    assert "人脸核验已经取消" in browser.open(page.url).text


def test_a_yes_is_written_down_once_however_often_it_is_sent(here: FaceWorld) -> None:
    phone, ticket = APhoneOfNobody(here.world), a_face_ticket(here.world)
    phone.scan(ticket)
    assert {phone.agree(ticket).status_code for _ in range(5)} == {200}
    with here.world.reading() as db:
        actions = [row.action for row in db.scalars(select(AuditEvent))]
    assert actions.count(Action.FACE_CONSENTED.value) == 2, "on the computer, and on the phone"


def test_a_service_that_fails_is_asked_for_one_check_so_many_times(here: FaceWorld) -> None:
    phone = APhoneOfNobody(here.world)
    ticket = ticket_of(ask(here.world.browser(), here.world.a_person(name="人脸故障")))
    phone.scan(ticket)
    statuses = [phone.agree(ticket).status_code for _ in range(face.BEGINS + 2)]
    assert statuses == [503] * face.BEGINS + [410, 410]


def test_while_the_service_is_asked_the_same_check_asks_it_no_second_time(here: FaceWorld) -> None:
    phone, browser = APhoneOfNobody(here.world), here.world.browser()
    page = ask(browser, here.world.a_person())
    ticket = ticket_of(page)
    phone.scan(ticket)
    here.world.platform.store.put(f"face-begin:{check_of(page)}", b"1", ttl=10)
    answer = phone.agree(ticket)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "3")
    assert "现在刷脸的人较多" in answer.get_json()["message"]


def test_another_phone_than_the_one_that_scanned_is_refused(here: FaceWorld) -> None:
    first, second = APhoneOfNobody(here.world), APhoneOfNobody(here.world)
    ticket = a_face_ticket(here.world)
    first.scan(ticket)
    assert second.scan(ticket).get_json()["error"] == "scanned_by_another"
    assert second.agree(ticket).get_json()["error"] == "scanned_by_another"
    assert first.agree(ticket).status_code == 200


@pytest.mark.parametrize("name", [None, "", "short", "x" * 65, 5, ["x" * 22], "x" * 22 + "é", {"a": 1}])
def test_a_phone_without_a_token_must_name_itself(here: FaceWorld, name: Any) -> None:
    ticket = a_face_ticket(here.world)
    answer = APhoneOfNobody(here.world).scan(ticket, phone=name)
    assert (answer.status_code, answer.get_json()["error"]) == (400, "phone_unnamed")
    assert "请更新 App" in answer.get_json()["message"]


@pytest.mark.parametrize("ticket", ["A" * 22, "short", "..%2f..", "A" * 200])
def test_an_unknown_ticket_is_unknown(here: FaceWorld, ticket: str) -> None:
    assert APhoneOfNobody(here.world).agree(ticket).status_code == 404


@pytest.mark.parametrize("body", [None, [], "text", 5])
def test_a_body_that_is_no_object_is_refused(here: FaceWorld, body: Any) -> None:
    ticket = a_face_ticket(here.world)
    phone = APhoneOfNobody(here.world)
    for what in ("scan", "face"):
        assert phone.call(ticket, what, body).status_code == 400


def test_agreed_twice_it_is_one_check_and_one_page(here: FaceWorld) -> None:
    phone, ticket = APhoneOfNobody(here.world), a_face_ticket(here.world)
    phone.scan(ticket)
    first, second = (phone.agree(ticket).get_json() for _ in range(2))
    assert first["url"] == second["url"]
    assert first["url"].startswith(f"{here.simulators.face_url}/")
    assert 0 < first["expires_in"] <= here.world.settings.face_lifetime


def test_an_expired_code_begins_nothing(here: FaceWorld) -> None:
    phone, ticket = APhoneOfNobody(here.world), a_face_ticket(here.world)
    with later(seconds=181):
        assert phone.scan(ticket).status_code == 410
        assert phone.agree(ticket).status_code == 410


def test_a_code_that_was_replaced_begins_nothing(here: FaceWorld) -> None:
    browser, phone = here.world.browser(), APhoneOfNobody(here.world)
    page = ask(browser, here.world.a_person())
    phone.scan(ticket_of(page))
    browser.submit({"again": "1"})
    assert phone.agree(ticket_of(page)).status_code == 410
    assert stored(here.world, check_of(page)).state == "waiting"


def test_once_a_phone_has_scanned_the_browser_does_not_begin_beside_it(here: FaceWorld) -> None:
    browser, phone = here.world.browser(), APhoneOfNobody(here.world)
    page = ask(browser, here.world.a_person())
    phone.scan(ticket_of(page))
    answer = browser.submit(number=1, follow=False)
    assert answer.location == f"/login/face/finish?check={check_of(page)}"
    assert stored(here.world, check_of(page)).state == "waiting"
    assert phone.agree(ticket_of(page)).status_code == 200


def test_a_service_that_is_away_is_said_and_the_code_goes_on(world: World, neighbours: Neighbours) -> None:
    here = face_world(world, neighbours, face_url="http://127.0.0.1:1/face")
    phone, ticket = APhoneOfNobody(here.world), a_face_ticket(here.world)
    phone.scan(ticket)
    answer = phone.agree(ticket)
    assert (answer.status_code, answer.get_json()["error"]) == (503, "temporarily_unavailable")
    assert "没有做任何更改" in answer.get_json()["message"]
    state = getattr(tickets.find(here.world.platform.store, ticket), "state", "")
    assert state == "scanned"


def test_a_phone_somebody_is_signed_in_on_does_the_same(at_home: World) -> None:
    browser, subject = at_home.browser(), at_home.a_person(name="白云飞")
    phone = APhone.of(at_home, at_home.a_person())
    page = ask(browser, subject)
    ticket = ticket_of(page)
    assert phone.scanned(ticket)["subject"] == mask_name("白云飞")
    answer = phone.call(
        "POST", f"/scan/tickets/{ticket}/face", {"consent": True, "number": number_of(at_home, ticket)}
    )
    assert answer.status_code == 200, answer.get_json()
    assert deliver(at_home, verdict(at_home, check_of(page), subject)).status_code == 204
    assert is_in(finish(browser, check_of(page))), "whose face it was, not whose phone"
    with at_home.reading() as db:
        actions = [row.action for row in db.scalars(select(AuditEvent))]
    assert actions.count(Action.FACE_CONSENTED.value) == 2


def test_a_signed_in_phone_confirms_no_face_by_a_number(at_home: World) -> None:
    phone, ticket = APhone.of(at_home, at_home.a_person()), a_face_ticket(at_home)
    phone.scanned(ticket)
    answer = phone.confirm(ticket)
    assert answer.get_json()["error"] == "face_required"
    assert getattr(tickets.find(at_home.platform.store, ticket), "state", "") == "scanned"


def test_a_signed_in_phone_may_deny_and_what_it_began_is_over(at_home: World) -> None:
    browser, phone = at_home.browser(), APhone.of(at_home, at_home.a_person())
    page = ask(browser, at_home.a_person())
    ticket = ticket_of(page)
    phone.scanned(ticket)
    body = {"consent": True, "number": number_of(at_home, ticket)}
    assert phone.call("POST", f"/scan/tickets/{ticket}/face", body).status_code == 200
    assert phone.deny(ticket).status_code == 200
    assert stored(at_home, check_of(page)).state == "failed"


def test_the_signed_in_phone_and_nobodys_are_two_phones(at_home: World) -> None:
    phone, ticket = APhone.of(at_home, at_home.a_person()), a_face_ticket(at_home)
    phone.scanned(ticket)
    assert APhoneOfNobody(at_home).agree(ticket).get_json()["error"] == "scanned_by_another"


def test_an_app_that_is_not_for_faces_is_told_which_one_is(at_home: World) -> None:
    phone, ticket = APhone.of(at_home, at_home.a_person(), "social_card"), a_face_ticket(at_home)
    answer = phone.scan(ticket)
    assert (answer.status_code, answer.get_json()["error"]) == (403, "wrong_purpose")
    assert "吉事办" in answer.get_json()["message"]


def test_a_mini_program_is_refused(at_home: World) -> None:
    phone, ticket = APhone.of(at_home, at_home.a_person()), a_face_ticket(at_home)
    assert phone.scan(ticket, surface="mini_program").get_json()["error"] == "wrong_surface"


def test_a_wrong_token_does_not_pass_for_none(at_home: World) -> None:
    phone, ticket = APhone.of(at_home, at_home.a_person()), a_face_ticket(at_home)
    answer = phone.call(
        "POST", f"/scan/tickets/{ticket}/scan", {"surface": "app", "phone": "x" * 24}, token="none"
    )
    assert answer.status_code == 401
