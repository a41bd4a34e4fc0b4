"""A phone that went to somebody else since: who proves it has it, unless its former owner has a password."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from idp.accounts.audit import Action, AuditEvent
from idp.accounts.models import Person
from tests.inhabitants import APerson
from tests.oauth.asking import at_once
from tests.person.registering import (
    NEW_PASSWORD,
    RegistrationWorld,
    a_newcomer,
    another_message_may_go,
)
from tests.world import World, error_sentences


def phone_of(world: World, person: APerson) -> str | None:
    """The phone of a person as it is now."""
    with world.reading() as db:
        return db.get_one(Person, person.row.id).phone(world.backends.vault)


def given_up(world: World) -> list[AuditEvent]:
    """Who gave his phone up, as the trail has it."""
    with world.reading() as db:
        return list(db.scalars(select(AuditEvent).where(AuditEvent.action == Action.PHONE_GIVEN_UP)))


@pytest.mark.parametrize("brought_from", ["e-zhangtong", ""])
def test_whoever_has_the_number_now_registers_with_it_and_who_had_it_gives_it_up(
    unseen: RegistrationWorld, brought_from: str
) -> None:
    """B22: proved by a message, and his by the people registry."""
    world = unseen.world
    former = world.a_person(password=None, name="林大满")
    with world.write() as db:
        db.get_one(Person, former.row.id).brought_from = brought_from
    person = a_newcomer(unseen, phone=former.phone)
    page = person.sends()
    assert page.url.startswith("/register/person/done"), page.text
    row = person.row()
    assert row
    assert row.id != former.row.id
    assert (row.phone(world.backends.vault), phone_of(world, former)) == (former.phone, None)
    [line] = given_up(world)
    assert (line.actor, line.target) == (f"person:{row.id}", f"person:{former.row.id}")
    browser = world.browser()
    browser.open("/login/person")
    page = browser.submit_with_captcha({"account": former.phone, "password": NEW_PASSWORD})
    assert page.url == "/center/person"


def test_who_takes_his_own_row_over_gets_the_phone_of_another_too(unseen: RegistrationWorld) -> None:
    world = unseen.world
    former, mine = (world.a_person(password=None, name=name) for name in ("林大满", "白云飞"))
    person = a_newcomer(unseen, id_number=mine.id_number, phone=former.phone)
    assert person.sends().url.startswith("/register/person/done")
    assert (phone_of(world, mine), phone_of(world, former)) == (former.phone, None)


def test_the_phone_of_whoever_has_a_password_stays_his(unseen: RegistrationWorld) -> None:
    known = unseen.world.a_person()
    page = a_newcomer(unseen, phone=known.phone).sends()
    assert "这个手机号已有个人账号" in error_sentences(page)[0]
    assert phone_of(unseen.world, known) == known.phone


def test_who_is_not_known_by_his_elements_takes_nobodys_phone(unseen: RegistrationWorld) -> None:
    former = unseen.world.a_person(password=None)
    assert a_newcomer(unseen, name="白不符", phone=former.phone).sends().status == 403
    assert phone_of(unseen.world, former) == former.phone
    assert given_up(unseen.world) == []


def test_of_several_at_once_one_has_the_phone(unseen: RegistrationWorld) -> None:
    """SECURITY 57."""
    former = unseen.world.a_person(password=None, name="林大满")
    people = [a_newcomer(unseen, phone=former.phone) for _ in range(4)]
    for person in people:
        another_message_may_go(unseen.world, former.phone)
        assert person.sends(name="白不符").status == 403, "the phone is proved, and the registry stops it"
    pages = at_once(4, lambda which: people[which].browser.submit(people[which].told()))
    assert [page.url.startswith("/register/person/done") for page in pages].count(True) == 1
    assert {page.status for page in pages} <= {200, 503}
    assert len(given_up(unseen.world)) == 1
