"""Only a sign-in made for the app makes a phone: none that lay there, none that a scan opened; he is told."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.entering import enter
from tests.login.acting import is_in, key_of, told
from tests.neighbours import Neighbours
from tests.oauth.asking import later, refused_with
from tests.oauth.test_app_sign_in import is_signed_in, refreshed, rows
from tests.portals import Authorization
from tests.scan.faces import APhoneOfNobody, ask, begin_here, check_of, face_world, finish, ticket_of
from tests.scan.phones import SCOPE, APhone, an_app
from tests.scan.waiting_pages import a_page, a_phone, confirmed, ticket_on, with_an_app
from tests.security.telling import texts
from tests.world import APerson, Browser, Page, World


@pytest.fixture
def offering(world: World) -> Iterator[World]:
    with with_an_app(world) as there:
        yield there


def scanned_in(world: World, phone: APhone) -> Browser:
    """A browser that a phone opened."""
    browser, ticket = a_page(world)
    confirmed(phone, ticket)
    assert browser.submit().url == "/center/person"
    return browser


def asks_as_app(browser: Browser, **more: str) -> Page:
    """The app's request in this browser."""
    return browser.open(Authorization(an_app(browser.world)).address(SCOPE, **more))


def test_a_sign_in_that_lay_there_makes_no_phone(world: World) -> None:
    person, browser = world.a_person(), world.browser()
    enter(browser, person)
    page = asks_as_app(browser)
    assert "/login" in page.url, "no code without a sign-in for this very request"
    assert "要求重新登录" in page.text
    assert rows(world) == []
    back = browser.sign_in_person(person, at=f"/login/person?tx={page.url.partition('tx=')[2]}")
    assert "code" in back.query


def test_somebody_else_may_answer_where_a_person_is_signed_in_already(world: World) -> None:
    browser, other = world.browser(), world.a_person()
    enter(browser, world.a_person())
    phone = APhone.of(world, other, browser=browser)
    assert is_signed_in(phone)
    assert rows(world)[0].person_id == other.row.id


def test_where_nobody_can_be_asked_the_app_hears_that_a_sign_in_is_needed(world: World) -> None:
    browser = world.browser()
    enter(browser, world.a_person())
    assert refused_with(asks_as_app(browser, prompt="none")) == ("login_required", True)


def test_other_clients_are_answered_from_the_sign_in_that_is_there(world: World) -> None:
    browser = world.browser()
    enter(browser, world.a_person())
    assert "code" in browser.open(Authorization(an_app(world)).address("openid profile")).query


def test_a_sign_in_that_a_scan_opened_makes_no_phone_even_while_the_app_asks(offering: World) -> None:
    phone = a_phone(offering, offering.a_person(), pin=None)
    browser = offering.browser()
    transaction = asks_as_app(browser).url.partition("tx=")[2]
    ticket = ticket_on(browser.open("/login/qr"))
    confirmed(phone, ticket)
    assert browser.submit().url == "/center/person"
    page = browser.open(f"/oauth/authorize?tx={transaction}")
    assert "/login" in page.url
    assert "要求重新登录" in page.text
    assert len(rows(offering)) == 1


def test_a_password_typed_in_a_browser_that_a_scan_opened_makes_no_phone_of_it(offering: World) -> None:
    """It is a proof within that sign-in, which stays one that a scan opened."""
    person = offering.a_person()
    browser = scanned_in(offering, a_phone(offering, person, pin=None))
    transaction = asks_as_app(browser).url.partition("tx=")[2]
    browser.open("/login/confirm?next=/center/person/security/totp")
    assert "/security/totp" in browser.submit({"password": person.password}).url
    assert "/login" in browser.open(f"/oauth/authorize?tx={transaction}").url


def test_a_face_that_somebody_shows_at_another_phone_makes_no_phone(
    world: World, neighbours: Neighbours
) -> None:
    here = face_world(world, neighbours)
    person, browser = here.world.a_person(), here.world.browser()
    transaction = asks_as_app(browser).url.partition("tx=")[2]
    at = f"/login/face?tx={transaction}"
    page = ask(browser, person, at=at)
    assert "/scan/qr/" not in page.html, "no code: it would be for another phone than this"
    back = here.simulators.press(begin_here(browser), "passed").headers["Location"]
    assert "人脸核验已通过" in browser.open(back).text
    assert "code" in browser.submit().query

    thief = here.world.browser()
    transaction = asks_as_app(thief).url.partition("tx=")[2]
    check = ask(thief, person)
    shown = APhoneOfNobody(here.world).page_for(ticket_of(check))
    here.simulators.press(shown, "passed")
    assert is_in(finish(thief, check_of(check)))
    assert "/login" in thief.open(f"/oauth/authorize?tx={transaction}").url


def kinds(world: World, person: APerson) -> list[str]:
    """What the person was told of, in order."""
    return [kind for kind, _ in told(world, key_of(world, person))]


def test_the_owner_is_told_of_every_new_phone_and_can_say_it_was_not_he(world: World) -> None:
    person = world.a_person()
    phone = APhone.of(world, person)
    assert kinds(world, person) == ["app_signed_in"], "the very first too"
    (sms,) = texts(world)
    assert "新的手机登录了您的账号，使用的是「吉事办」App" in sms["text"]
    path = sms["text"].split(world.settings.issuer)[1].split(" ", maxsplit=1)[0]
    page = world.browser()
    page.open(path)
    page.submit()
    assert not is_signed_in(phone)
    phone.world = world
    assert refreshed(phone).get_json()["error"] == "invalid_grant"


def test_a_refresh_is_no_new_phone(world: World) -> None:
    person = world.a_person()
    phone = APhone.of(world, person)
    with later(days=3):
        phone.refresh()
    assert kinds(world, person) == ["app_signed_in"]


def test_a_lost_answer_is_given_again_as_long_as_its_successor_was_not_used(world: World) -> None:
    phone = APhone.of(world, world.a_person())
    first = phone.refresh_token
    lost = refreshed(phone).get_json()["refresh_token"]
    with later(days=2):
        assert refreshed(phone).get_json()["refresh_token"] == lost
        phone.refresh_token = lost
        assert refreshed(phone).status_code == 200
        phone.refresh_token = first
        assert refreshed(phone).get_json()["error_uri"].endswith("#2202")
        assert rows(world)[0].ended_at is not None


def test_without_the_key_no_lost_answer_is_given_again(world: World) -> None:
    phone, stranger = APhone.of(world, world.a_person()), APhone.of(world, world.a_person())
    refreshed(phone)
    stolen = APhone(world, phone.person, phone.client, key=stranger.key, refresh_token=phone.refresh_token)
    with later(minutes=5):
        assert refreshed(stolen).get_json()["error"] in {"invalid_grant", "invalid_dpop_proof"}
        assert refreshed(phone).status_code == 200
