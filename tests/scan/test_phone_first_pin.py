"""The first PIN is a proof's work, its owner hears of it, and it goes with what locks his account."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from sqlalchemy import select

from idp.access import endings
from idp.accounts import app_pins
from idp.accounts.app_pins import AppPin
from idp.accounts.audit import Origin
from idp.accounts.sessions import SigninSession, hold
from tests.login.acting import key_of, told
from tests.oauth.asking import later
from tests.oauth.test_app_sign_in import wait_until_somebody_waits
from tests.scan.phones import PIN, APhone, a_ticket
from tests.world import APerson, World

OTHER_PIN = "604817"


def lock(world: World, person: APerson) -> None:
    """不是我."""
    here = world.platform
    with world.write() as db:
        key = key_of(world, person)
        endings.lock(db, here.vault, here.trail, here.notifier, key, Origin("notice:x"), now=world.now())


def unlock(world: World, person: APerson) -> None:
    """The hotline opened the account again."""
    with world.write() as db:
        key = key_of(world, person)
        endings.unlock(db, world.platform.trail, key, Origin("cli:x"), reason="proved", now=world.now())


def reset(world: World, person: APerson) -> None:
    """Staff took his second factors."""
    here = world.platform
    with world.write() as db:
        endings.reset_factors(
            db,
            here.vault,
            here.trail,
            here.notifier,
            key_of(world, person),
            Origin("cli:x"),
            reason="x",
            now=world.now(),
        )


def has_pin(world: World, person: APerson) -> bool:
    with world.reading() as db:
        return db.get(AppPin, person.row.id) is not None


def test_the_first_pin_needs_a_young_sign_in_of_the_phone(world: World) -> None:
    person = world.a_person()
    phone = APhone.of(world, person)
    with later(minutes=11):
        phone.refresh()
        for more in ({}, {"current": OTHER_PIN}):
            answer = phone.set_pin(PIN, **more)
            assert (answer.status_code, answer.get_json()["error"]) == (403, "sign_in_not_young")
            assert "请重新登录后再设置" in answer.get_json()["message"]
        assert not has_pin(world, person)
        assert APhone.of(world, person).set_pin(PIN).status_code == 204


def test_its_owner_is_told_of_the_first_pin_and_of_the_next(world: World) -> None:
    person = world.a_person()
    phone = APhone.of(world, person)
    phone.set_pin(PIN)
    phone.set_pin(OTHER_PIN, current=PIN)
    pins = [kind for kind, _ in told(world, key_of(world, person)) if "pin" in kind]
    assert pins == ["app_pin_set", "app_pin_changed"]


@pytest.mark.parametrize("ending", [lock, reset], ids=lambda one: one.__name__)
def test_a_pin_goes_with_what_locks_or_empties_the_account(
    world: World, ending: Callable[[World, APerson], None]
) -> None:
    person, other = world.a_person(), world.a_person()
    phones = [APhone.of(world, one) for one in (person, other)]
    for phone in phones:
        phone.set_pin(PIN)
    ending(world, person)
    assert not has_pin(world, person)
    assert has_pin(world, other), "nobody else's"
    unlock(world, person)
    anew = APhone.of(world, person)
    assert anew.me()["pin"]["set"] is False
    ticket, _ = a_ticket(world)
    anew.scanned(ticket.id)
    assert anew.confirm(ticket.id, pin=PIN).get_json()["error"] == "pin_not_set"
    assert anew.set_pin(OTHER_PIN).status_code == 204


def test_a_company_that_is_locked_leaves_its_representative_his_pin(world: World) -> None:
    company = world.a_company()
    APhone.of(world, company.representative).set_pin(PIN)
    here = world.platform
    with world.write() as db:
        key = key_of(world, company)
        endings.lock(db, here.vault, here.trail, here.notifier, key, Origin("notice:x"), now=world.now())
    assert has_pin(world, company.representative)


# Two transactions that wait for each other are a matter of PostgreSQL; SQLite lets one write at a time.
@pytest.mark.parametrize("installation", ["postgres"], indirect=True)
def test_a_pin_that_is_being_set_does_not_outlive_the_lock(world: World) -> None:
    person = world.a_person()
    APhone.of(world, person)
    with world.reading() as db:
        phone = db.scalars(select(SigninSession).where(SigninSession.app.is_not(None))).one()
    locks = threading.Thread(target=lock, args=(world, person))
    with world.write() as db:
        # As setting it does: the PIN, then the sign-in.
        app_pins.put_pin(db, person.row.id, old_hash=None, new_hash="x", agreement="2026-11", now=world.now())
        assert hold(db, phone.id)
        locks.start()
        wait_until_somebody_waits(world)
    locks.join(10)
    assert not has_pin(world, person)
