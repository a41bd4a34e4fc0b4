"""What a phone opened ends with the phone, wherever that is ended, and portals hear of it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select

from idp.access import endings
from idp.accounts.outbox import OutboxMessage
from idp.accounts.sessions import Device, Proof, SigninSession, open_session
from tests.access.test_endings import BACK_CHANNEL, signed_in_portal
from tests.login.acting import last_session
from tests.oauth.asking import later
from tests.oauth.test_app_sign_in import (
    redeem,
    refreshed,
    revoked,
    rows,
    wait_until_somebody_waits,
)
from tests.person.test_sign_ins import LIST, end
from tests.portals import Authorization, get_with
from tests.scan.phones import APhone, an_app, app_code, mandate_key
from tests.scan.waiting_pages import a_page, a_phone, confirmed, with_an_app
from tests.world import APerson, Browser, World


@pytest.fixture
def offering(world: World) -> Iterator[World]:
    with with_an_app(world) as there:
        yield there


def opened(phone: APhone, **said: str) -> Browser:
    """A browser that the phone opened."""
    browser, ticket = a_page(phone.world)
    confirmed(phone, ticket, **said)
    assert browser.submit().url.startswith("/center/")
    return browser


def is_in(browser: Browser) -> bool:
    """Whether the browser is signed in still."""
    return browser.open("/center/person", follow=False).status == 200


def from_the_list(phone: APhone) -> None:
    home = phone.world.browser()
    home.sign_in_person(phone.person)
    end(home, session=str(rows(phone.world)[0].id))
    assert is_in(home)


def by_signing_out(phone: APhone) -> None:
    assert revoked(phone) == 200


def by_a_stolen_refresh_token(phone: APhone) -> None:
    stolen = phone.refresh_token
    phone.refresh()
    phone.refresh()
    phone.refresh_token = stolen
    assert refreshed(phone).status_code == 400


def by_removing_the_app(phone: APhone) -> None:
    with phone.world.write() as db:
        endings.end_client_grants(
            db, phone.world.platform.vault, phone.client.client_id, now=phone.world.now()
        )


ENDINGS = [from_the_list, by_signing_out, by_a_stolen_refresh_token, by_removing_the_app]


@pytest.mark.parametrize("ending", ENDINGS, ids=lambda one: one.__name__)
def test_what_a_phone_opened_ends_with_it_and_portals_are_told(
    offering: World, ending: Callable[[APhone], None]
) -> None:
    phone = a_phone(offering, offering.a_person(), pin=None)
    other = a_phone(offering, phone.person, pin=None)
    its_own, others = opened(phone), opened(other)
    client = offering.a_client(backchannel_logout_uri=BACK_CHANNEL)
    held = signed_in_portal(offering, its_own, client, "openid")
    ending(phone)
    assert not is_in(its_own)
    assert get_with(offering, held["access_token"]).status_code == 401
    with offering.reading() as db:
        logout = select(OutboxMessage.subject).where(OutboxMessage.kind == "logout")
        assert db.scalars(logout).all() == [f"client:{client.client_id}"]
    if ending is not by_removing_the_app:
        assert is_in(others), "another phone's"


def test_a_phone_that_lay_unused_takes_what_it_opened_with_it(offering: World) -> None:
    with offering.rewired(app_idle=3600) as strict:
        phone = a_phone(strict, strict.a_person(), pin=None)
        browser = opened(phone)
        with later(minutes=61):
            assert refreshed(phone).status_code == 400
        row = last_session(strict, f"person:{phone.person.row.id}")
        assert (row.app, row.end_reason) == (None, "app_unused")
        assert not is_in(browser)


def test_a_code_that_comes_back_ends_what_its_phone_opened(offering: World) -> None:
    person, client = offering.a_person(), an_app(offering)
    asked = Authorization(client)
    phone = APhone(offering, person, client)
    code = app_code(offering.browser(), asked, person)
    phone.token = redeem(client, asked, code, phone.key, offering).get_json()["access_token"]
    browser = opened(phone)
    assert redeem(client, asked, code, phone.key, offering).status_code == 400
    assert not is_in(browser)


def test_whoever_went_on_to_his_mandate_is_signed_out_with_the_phone_too(offering: World) -> None:
    operator = offering.an_operator()
    phone = a_phone(offering, operator.person, pin=None)
    direct = opened(phone, identity=mandate_key(operator))
    browser = opened(phone)
    client = offering.a_client()
    browser.open(Authorization(client).address("openid entity"))
    assert browser.open("/center/operator", follow=False).status == 200
    by_signing_out(phone)
    for one in (direct, browser):
        assert one.open("/center/operator", follow=False).status == 302


def test_whoever_ends_all_others_stays_where_he_is(offering: World) -> None:
    phone = a_phone(offering, offering.a_person(), pin=None)
    here, there = opened(phone), opened(phone)
    end(here, others="1")
    assert rows(offering)[0].ended_at is not None
    assert here.open(LIST, follow=False).status == 200
    assert not is_in(there)


def test_no_other_sign_in_is_noted_as_a_phones(offering: World) -> None:
    phone = a_phone(offering, offering.a_person(), pin=None)
    opened(phone)
    offering.browser().sign_in_person(phone.person)
    (own,) = rows(offering)
    with offering.reading() as db:
        noted = db.scalars(select(SigninSession.opened_by).order_by(SigninSession.id)).all()
    assert noted == [None, None, own.id, None]


# Two transactions that wait for each other are a matter of PostgreSQL; SQLite lets one write at a time.
@pytest.mark.parametrize("installation", ["postgres"], indirect=True)
def test_a_browser_and_the_end_of_its_phone_never_pass_each_other(world: World) -> None:
    phone = a_phone(world, world.a_person(), pin=None)
    (own,) = rows(world)
    ends = threading.Thread(target=end_one, args=(world, own.id))
    with world.write() as db:
        proof = Proof(("qr",), "urn:idp:loa:1", world.now(), own.account, opened_by=own.id)
        open_session(db, own.identity, proof, Device("", ""), lifetime=timedelta(hours=1), now=world.now())
        # As the finish does: opened, the phone held, and not committed yet.
        db.get_one(SigninSession, own.id, with_for_update=True)
        ends.start()
        wait_until_somebody_waits(world)
    ends.join(10)
    assert last_session(world, f"person:{phone.person.row.id}").end_reason == "x"


def end_one(world: World, which: UUID) -> None:
    """End one sign-in."""
    with world.write() as db:
        endings.end_session(db, world.platform.vault, which, reason="x", now=world.now())


def test_people_share_no_phone(offering: World) -> None:
    mine, his = (a_phone(offering, someone, pin=None) for someone in two(offering))
    browser = opened(his)
    by_signing_out(mine)
    assert is_in(browser)


def two(world: World) -> tuple[APerson, APerson]:
    return world.a_person(), world.a_person()
