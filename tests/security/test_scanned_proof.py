"""A scan opens a browser, and changes no account's security: that wants a proof given in it (MISSION Y)."""

from __future__ import annotations

from collections.abc import Iterator

import pyotp
import pytest

from tests.login.acting import key_of
from tests.neighbours import Neighbours
from tests.scan.faces import APhoneOfNobody, ask, check_of, face_world, finish, ticket_of
from tests.scan.phones import PIN
from tests.scan.waiting_pages import a_page, a_phone, confirmed, with_an_app
from tests.security.acting import PASSKEY, TOTP, asked_to_confirm
from tests.world import Browser, World


@pytest.fixture
def offering(world: World) -> Iterator[World]:
    with with_an_app(world) as there:
        yield there


def scanned_in(world: World, *, pin: str | None, with_factor: bool = False) -> tuple[Browser, str, str]:
    """A browser that a phone opened just now, the password of its owner, and the secret of his factor."""
    person = world.a_person()
    phone = a_phone(world, person, pin=pin)
    secret = world.a_totp(key_of(world, person)) if with_factor else ""
    browser, ticket = a_page(world)
    confirmed(phone, ticket, pin=pin)
    assert browser.submit().url == "/center/person"
    return browser, person.password, secret


@pytest.mark.parametrize("pin", [None, PIN])
def test_a_sign_in_by_scan_is_asked_for_the_password_first(offering: World, pin: str | None) -> None:
    browser, password, _ = scanned_in(offering, pin=pin)
    assert asked_to_confirm(browser.open(PASSKEY, follow=False)) == PASSKEY
    browser.open(PASSKEY)
    browser.submit({"password": password})
    assert asked_to_confirm(browser.open(PASSKEY, follow=False)) is None


@pytest.mark.parametrize("pin", [None, PIN])
def test_a_sign_in_by_scan_is_asked_for_the_factor_where_there_is_one(
    offering: World, pin: str | None
) -> None:
    browser, _, secret = scanned_in(offering, pin=pin, with_factor=True)
    assert asked_to_confirm(browser.open(TOTP, follow=False)) == TOTP
    browser.open(TOTP)
    browser.submit({"code": pyotp.TOTP(secret).at(offering.now())})
    assert asked_to_confirm(browser.open(TOTP, follow=False)) is None


def test_a_face_is_a_proof_of_his_own_wherever_he_shows_it(world: World, neighbours: Neighbours) -> None:
    here = face_world(world, neighbours)
    person, browser = here.world.a_person(), here.world.browser()
    page = ask(browser, person)
    here.simulators.press(APhoneOfNobody(here.world).page_for(ticket_of(page)), "passed")
    finish(browser, check_of(page), follow=True)
    assert asked_to_confirm(browser.open(PASSKEY, follow=False)) is None
