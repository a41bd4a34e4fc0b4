"""Tries at 身份验证 of a reset: strangers slow strangers, no right document and no known browser."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from idp.accounts.models import Credential
from tests.login.acting import is_in, later, names_of, type_in
from tests.login.resetting import KINDS, asks_again_and_again, identity_of, somebody, tells
from tests.login.test_reset_identity import NAME, is_recognised
from tests.world import PASSWORD, World, a_resident_number, error_sentences


@pytest.mark.parametrize("kind", KINDS)
def test_who_knows_no_right_document_does_not_keep_the_owner_out(world: World, kind: str) -> None:
    """Strangers who know an account's public name alone have tries of their own."""
    _, fields = identity_of(somebody(world, kind))
    wrong = {**fields, "id_number": a_resident_number(777)}
    for number in range(12):
        page = tells(world.browser(address=f"203.0.113.{number + 1}"), kind, wrong)
    assert page.status == 429
    assert is_recognised(tells(world.browser(), kind, fields))


@pytest.mark.parametrize("kind", ["legal", "person"])
def test_the_sixty_second_document_told_of_an_account_in_an_hour_waits(world: World, kind: str) -> None:
    known = somebody(world, kind)
    _, fields = identity_of(known)
    asks_again_and_again(world, kind, fields, times=61)
    page = tells(world.browser(), kind, fields)
    assert page.status == 429
    assert "曾经登录过的浏览器不受影响" in error_sentences(page)[0]
    with later(seconds=61):
        assert is_recognised(tells(world.browser(), kind, fields))


@pytest.mark.parametrize("kind", KINDS)
def test_a_browser_that_the_account_knows_waits_for_its_own_tries_alone(world: World, kind: str) -> None:
    known, mine = somebody(world, kind), world.browser(address="203.0.113.1")
    way, names = names_of(known)
    assert is_in(type_in(mine, way, PASSWORD, **names))
    mine.open("/logout")
    _, fields = identity_of(known)
    wrong = {**fields, NAME[kind]: "欧阳无人"}
    for _ in range(12):
        page = tells(world.browser(address="203.0.113.1"), kind, wrong)
    assert page.status == 429
    for _ in range(10):
        assert is_recognised(tells(mine, kind, fields))
    assert tells(mine, kind, wrong).status == 200
    page = tells(mine, kind, fields)
    assert page.status == 429
    assert "曾经登录过的浏览器" not in error_sentences(page)[0]


def test_a_browser_that_was_forgotten_is_a_stranger(world: World) -> None:
    person, mine = world.a_person(), world.browser()
    assert is_in(type_in(mine, "person", PASSWORD, account=person.account))
    kind, fields = identity_of(person)
    for _ in range(12):
        page = tells(world.browser(), kind, {**fields, "name": "欧阳无人"})
    assert page.status == 429
    with world.write() as db:
        forgotten = [(mine.cookie("idp_known") or "").split(".")[0]]
        his = update(Credential).where(Credential.person_id == person.row.id)
        db.execute(his.values(forgotten_browsers=forgotten))
    assert tells(mine, kind, fields).status == 429
