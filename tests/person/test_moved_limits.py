"""Whom 迁移原有账号 does not let in by his phone alone, and how often it looks at account names (B23)."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest

from idp.accounts.calendar import civil_day
from idp.accounts.models import Mandate, Person
from idp.person.registration import TRIES_A_PHONE
from tests.person.registering import RegistrationWorld, a_newcomer, another_message_may_go
from tests.person.test_moved import Former, a_former_user
from tests.world import World, error_sentences

_BY_REGISTERING = "请通过个人注册办理"


def an_operators_mandate(world: World, former: Former) -> UUID:
    """Give him the right to act for a company."""
    operator = world.an_operator(person=former.person)
    with world.write() as db:
        # The builder writes his row as it was when it was made.
        db.get_one(Person, former.person.row.id).brought_from = "e-zhangtong"
    return operator.mandate.id


def an_operator_brought_over(world: World, *, begins_in: int = 0, ended: bool = False) -> Former:
    """Somebody who acts for a company, from so many days on."""
    former = a_former_user(world)
    mandate_id = an_operators_mandate(world, former)
    today = civil_day(world.now())
    with world.write() as db:
        mandate = db.get_one(Mandate, mandate_id)
        mandate.first_day = today + timedelta(days=begins_in)
        mandate.last_day = today + timedelta(days=begins_in + 30)
        mandate.ended_at = world.now() if ended else None
    return former


@pytest.mark.parametrize("begins_in", [0, 3])
def test_an_operator_is_led_to_registering_where_his_face_is_asked_for(there: World, begins_in: int) -> None:
    former = an_operator_brought_over(there, begins_in=begins_in)
    former.proves_the_phone()
    page = former.tells_his_number()
    assert (page.status, _BY_REGISTERING in page.text) == (403, True)
    assert 'href="/register/person"' in page.html
    assert not former.has_account


def test_a_representative_is_led_there_too(there: World) -> None:
    former = a_former_user(there)
    company = there.a_company()
    with there.write() as db:
        merged = db.merge(company.row)
        merged.representative_id = former.person.row.id
    former.proves_the_phone()
    assert _BY_REGISTERING in former.tells_his_number().text
    assert not former.has_account


def test_nobody_hears_that_he_acts_for_a_company_before_he_told_the_number(there: World) -> None:
    former, other = an_operator_brought_over(there), there.a_person()
    page = former.proves_the_phone()
    assert page.url.startswith("/register/moved/identity")
    page = former.tells_his_number(other.id_number)
    assert error_sentences(page) == ["证件号码与原有账号登记的不一致，请对照证件核对"]


def test_who_gets_a_mandate_meanwhile_sets_no_password_either(there: World) -> None:
    former = a_former_user(there)
    former.proves_the_phone()
    former.tells_his_number()
    an_operators_mandate(there, former)
    page = former.chooses()
    assert (page.status, _BY_REGISTERING in page.text) == (403, True)
    assert not former.has_account


def test_whose_mandate_is_over_takes_his_account_over(there: World) -> None:
    former = an_operator_brought_over(there, ended=True)
    assert former.moves().url.startswith("/register/moved/done")


def test_the_operator_takes_the_same_account_over_by_registering(here: RegistrationWorld) -> None:
    former = an_operator_brought_over(here.world)
    person = a_newcomer(here, id_number=former.person.id_number, phone=former.person.phone)
    another_message_may_go(here.world, person.phone)
    page = person.sends()
    assert page.url.startswith("/register/person/face"), page.text
    person.agrees()
    person.shows_his_face()
    assert person.browser.submit().url.startswith("/register/person/done")
    row = person.row()
    assert row
    assert (row.id, former.has_account) == (former.person.row.id, True)


def test_account_names_are_looked_at_so_often_and_no_more(there: World) -> None:
    """SECURITY 3: what is taken is no list for whoever has one phone."""
    former, known = a_former_user(there), there.a_person()
    former.proves_the_phone()
    former.tells_his_number()
    for _ in range(TRIES_A_PHONE):
        page = former.chooses(account=known.account)
        assert error_sentences(page) == ["这个账号已被使用，请换一个"]
    former.chooses(account=known.account)
    page = former.chooses(account=known.account)
    assert page.status == 429
    assert int(page.response.headers["Retry-After"]) > 0
    assert "尝试次数过多" in error_sentences(page)[0]


def test_a_name_is_looked_at_before_anything_is_hashed(there: World) -> None:
    """Whoever asks about names takes nobody's turn at the hash."""
    former, known, hasher = a_former_user(there), there.a_person(), there.platform.hasher
    former.proves_the_phone()
    former.tells_his_number()
    taken = 0
    while hasher._room.acquire(blocking=False):
        taken += 1
    try:
        assert "已被使用" in error_sentences(former.chooses(account=known.account))[0]
        assert former.chooses(account="bai_yunfei").status == 503
    finally:
        for _time in range(taken):
            hasher._room.release()
    assert former.chooses(account="bai_yunfei").url.startswith("/register/moved/done")
