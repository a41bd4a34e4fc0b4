"""Hashing while people wait: bounded, without a database connection, and renewed (SECURITY 26)."""

from __future__ import annotations

import threading
from collections.abc import Callable

import argon2
import pytest
from sqlalchemy import select

from idp.accounts.models import Credential
from tests.adapters.arrange import at_once
from tests.login.acting import WRONG, choose_first_password, is_in, type_in
from tests.world import PASSWORD, APerson, Page, World


def stored_hash(world: World, person: APerson) -> str:
    with world.reading() as db:
        owner = Credential.person_id == person.row.id
        return db.scalars(select(Credential.password_hash).where(owner)).one()


def test_a_hash_of_old_parameters_is_renewed_by_signing_in(world: World) -> None:
    person = world.a_person()
    before = stored_hash(world, person)
    with world.rewired(argon2_time=2) as stronger:
        type_in(stronger.browser(), "person", WRONG, account=person.phone)
        assert stored_hash(world, person) == before
        assert is_in(type_in(stronger.browser(), "person", PASSWORD, account=person.phone))
        renewed = stored_hash(world, person)
        assert "t=2" in renewed
        assert "t=1" in before
        assert is_in(type_in(stronger.browser(), "person", PASSWORD, account=person.phone))
        assert stored_hash(world, person) == renewed


def test_a_renewed_hash_does_not_forget_known_browsers(world: World) -> None:
    person, browser = world.a_person(), world.browser()
    browser.sign_in_person(person)
    with world.rewired(argon2_time=2) as stronger:
        again = stronger.browser()
        again.client.set_cookie("idp_known", browser.cookie("idp_known") or "")
        type_in(again, "person", PASSWORD, account=person.phone)
        for _ in range(6):
            type_in(stronger.browser(), "person", WRONG, account=person.phone)
        assert is_in(type_in(again, "person", PASSWORD, account=person.phone))


def test_while_a_password_is_looked_at_no_database_connection_is_held(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    person, operator = world.a_person(), world.an_operator(must_change=True)
    held: list[int] = []

    def watched(real: Callable[..., object]) -> Callable[..., object]:
        def look(*given: object) -> object:
            held.append(world.platform.database.engine.pool.checkedout())  # type: ignore[attr-defined]  # of queue pools
            return real(*given)

        return look

    for name in ("verify", "hash"):
        monkeypatch.setattr(argon2.PasswordHasher, name, watched(getattr(argon2.PasswordHasher, name)))
    type_in(world.browser(), "person", PASSWORD, account=person.phone)
    type_in(world.browser(), "person", WRONG, account="13812345678")
    browser = world.browser()
    browser.sign_in_operator(operator)
    choose_first_password(browser, operator.phone, "Only-mine 2026")
    assert browser.open("/center/operator").status == 200
    assert held == [0] * 5


def test_past_the_bound_the_answer_is_503_and_soon_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    turned_away, all_answered = threading.Semaphore(0), threading.Event()
    real = argon2.PasswordHasher.verify

    def held_up(self: argon2.PasswordHasher, stored: str, password: str) -> bool:
        # One is looked at, one waits for it; nobody goes on before the three others are answered.
        assert all_answered.is_set() or all(turned_away.acquire(timeout=20) for _ in range(3))
        all_answered.set()
        return real(self, stored, password)

    monkeypatch.setattr(argon2.PasswordHasher, "verify", held_up)
    with world.rewired(hash_slots=1, hash_queue=1) as narrow:
        people = [world.a_person() for _ in range(5)]

        def sign_in(number: int) -> Page:
            page = type_in(narrow.browser(), "person", PASSWORD, account=people[number].phone)
            if page.status == 503:
                turned_away.release()
            return page

        answers = at_once(5, sign_in)
    busy = [page for page in answers if page.status == 503]
    assert sorted(page.status for page in answers) == [303, 303, 503, 503, 503]
    assert {page.response.headers["Retry-After"] for page in busy} == {"1"}
    assert all("服务正忙" in page.text and "TX-" in page.text for page in busy)


def test_being_turned_away_by_a_crowd_costs_no_try(world: World) -> None:
    person = world.a_person()
    hasher = world.platform.hasher
    taken = 0
    while hasher._room.acquire(blocking=False):
        taken += 1
    browser = world.browser()
    for _time in range(6):
        assert browser.sign_in_person(person).status == 503
    for _time in range(taken):
        hasher._room.release()
    assert browser.sign_in_person(person).url == "/center/person"
