"""What rests on a right dies with it, on the very next request, however the right ended."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from idp.access import endings
from idp.accounts.audit import Origin
from idp.accounts.calendar import civil_day
from idp.accounts.models import Enterprise, EnterpriseStatus, LegalAccount, Mandate, Person
from tests.entering import enter
from tests.oauth.asking import code_for, introspect, later, refresh, tokens_for
from tests.portals import Authorization, get_with
from tests.world import AClient, AnOperator, Browser, World

SCOPE = "openid entity offline_access"


def of_mandate(operator: AnOperator, **values: Any) -> Any:
    return update(Mandate).where(Mandate.id == operator.mandate.id).values(**values)


def of_company(operator: AnOperator, **values: Any) -> Any:
    return update(Enterprise).where(Enterprise.id == operator.company.row.id).values(**values)


# Written past the functions that end sessions: the rows alone must be enough.
ENDINGS: dict[str, tuple[str, Callable[[World, AnOperator], Any]]] = {
    "the mandate was ended": ("operator", lambda world, it: of_mandate(it, ended_at=world.now())),
    "its last day was yesterday": (
        "operator",
        lambda world, it: of_mandate(it, last_day=civil_day(world.now()) - timedelta(days=1)),
    ),
    "its first day is tomorrow": (
        "operator",
        lambda world, it: of_mandate(it, first_day=civil_day(world.now()) + timedelta(days=1)),
    ),
    "the operator is suspended": (
        "operator",
        lambda world, it: (
            update(Person).where(Person.id == it.person.row.id).values(suspended_at=world.now())
        ),
    ),
    "the company is suspended": ("operator", lambda world, it: of_company(it, suspended_at=world.now())),
    "the company was revoked": (
        "operator",
        lambda _world, it: of_company(it, status=EnterpriseStatus.REVOKED.value),
    ),
    "the representative's company was deregistered": (
        "legal",
        lambda _world, it: of_company(it, status=EnterpriseStatus.DEREGISTERED.value),
    ),
    "another is the representative now": (
        "legal",
        lambda _world, it: of_company(it, representative_id=it.person.row.id),
    ),
    "the account is no longer active": (
        "legal",
        lambda _world, it: (
            update(LegalAccount)
            .where(LegalAccount.enterprise_id == it.company.row.id)
            .values(activated_at=None)
        ),
    ),
}


def signed_in(world: World, way: str, operator: AnOperator) -> Browser:
    browser = world.browser()
    if way == "legal":
        enter(browser, operator.company)
    else:
        browser.sign_in_operator(operator)
    return browser


def assert_all_is_dead(world: World, client: AClient, tokens: dict[str, Any]) -> None:
    assert get_with(world, tokens["access_token"]).status_code == 401
    for token in (tokens["access_token"], tokens["refresh_token"]):
        assert introspect(world, client, token) == {"active": False}
    assert refresh(world, client, tokens["refresh_token"]).get_json()["error"] == "invalid_grant"


@pytest.mark.parametrize("ending", ENDINGS)
def test_once_it_ended_nothing_works(world: World, ending: str) -> None:
    way, end = ENDINGS[ending]
    operator, client = world.an_operator(), world.a_client()
    browser = signed_in(world, way, operator)
    tokens, asked = tokens_for(browser, client, SCOPE), Authorization(client)
    code = code_for(browser, asked, SCOPE)
    with world.write() as db:
        db.execute(end(world, operator))
    assert_all_is_dead(world, client, tokens)
    assert asked.redeem(browser, code).get_json()["error"] == "invalid_grant"
    page = browser.open(Authorization(client).address("openid entity", prompt="none"))
    assert page.query["error"] == "login_required"


def test_a_suspended_person_loses_what_he_held_as_himself(world: World) -> None:
    person, client, browser = world.a_person(), world.a_client(), world.browser()
    enter(browser, person)
    tokens = tokens_for(browser, client)
    with world.write() as db:
        db.execute(update(Person).where(Person.id == person.row.id).values(suspended_at=world.now()))
    assert_all_is_dead(world, client, tokens)


def test_lifting_a_suspension_revives_nothing(world: World) -> None:
    operator, client = world.an_operator(), world.a_client()
    tokens = tokens_for(signed_in(world, "operator", operator), client, SCOPE)
    vault, trail = world.backends.vault, world.backends.trail
    with world.write() as db:
        row = db.get_one(Person, operator.person.row.id)
        endings.suspend(db, vault, trail, row, Origin(), reason="a test", now=world.now())
    with world.write() as db:
        row = db.get_one(Person, operator.person.row.id)
        endings.resume(db, trail, row, Origin(), reason="a test", now=world.now())
    assert_all_is_dead(world, client, tokens)
    assert tokens_for(signed_in(world, "operator", operator), client, SCOPE)


def test_a_new_mandate_revives_nothing_of_the_old_one(world: World) -> None:
    operator, client = world.an_operator(), world.a_client()
    tokens = tokens_for(signed_in(world, "operator", operator), client, SCOPE)
    with world.write() as db:
        row = db.get_one(Mandate, operator.mandate.id)
        endings.end_mandate(db, world.backends.vault, world.backends.trail, row, Origin(), now=world.now())
    again = world.an_operator(company=operator.company, person=operator.person)
    assert_all_is_dead(world, client, tokens)
    assert tokens_for(signed_in(world, "operator", again), client, SCOPE)


def test_the_representatives_change_leaves_his_operators_alone(world: World) -> None:
    operator, client = world.an_operator(), world.a_client()
    tokens = tokens_for(signed_in(world, "operator", operator), client, SCOPE)
    other = world.a_person()
    with world.write() as db:
        db.execute(of_company(operator, representative_id=other.row.id))
    assert get_with(world, tokens["access_token"]).status_code == 200


def test_a_sign_in_has_an_absolute_end_whatever_is_refreshed(world: World) -> None:
    person, client, browser = world.a_person(), world.a_client(), world.browser()
    enter(browser, person)
    token = tokens_for(browser, client)["refresh_token"]
    for hour in (2, 5, 7.9):
        with later(hours=hour):
            token = refresh(world, client, token).get_json()["refresh_token"]
    with later(hours=8.1):
        assert refresh(world, client, token).get_json()["error"] == "invalid_grant"
