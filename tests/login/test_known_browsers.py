"""Browsers an account knows, those it forgot, and the notice of a new one (section Y, S10, S29)."""

from __future__ import annotations

import pytest
from sqlalchemy import event, select, update

from idp.access import retention
from idp.accounts.models import Credential
from tests.login.acting import (
    TOO_MANY,
    a_passkey,
    is_in,
    key_of,
    later,
    names_of,
    sign_in,
    told,
    touch,
    trail_of,
    type_in,
)
from tests.world import PASSWORD, APerson, Browser, World


def known_id(browser: Browser) -> str:
    """The id by which accounts know a browser."""
    return (browser.cookie("idp_known") or "").split(".")[0]


def forget(world: World, person: APerson, *browsers: str) -> None:
    """What 忘记 on the security page writes."""
    with world.write() as db:
        mine = update(Credential).where(Credential.person_id == person.row.id)
        db.execute(mine.values(forgotten_browsers=list(browsers)))


def forgotten(world: World, person: APerson) -> list[str]:
    with world.reading() as db:
        mine = select(Credential.forgotten_browsers).where(Credential.person_id == person.row.id)
        return db.scalars(mine).one()


def test_the_first_sign_in_ever_is_no_news(world: World) -> None:
    person = world.a_person()
    sign_in(world.browser(), person)
    assert told(world, key_of(world, person)) == []


def test_another_browser_is_told_once(world: World) -> None:
    person, home = world.a_person(), world.browser()
    account = key_of(world, person)
    sign_in(home, person)
    sign_in(home, person)
    assert told(world, account) == []
    other = world.browser()
    sign_in(other, person)
    assert told(world, account) == [("new_browser", "")]
    sign_in(other, person)
    sign_in(home, person)
    assert told(world, account) == [("new_browser", "")]


def test_a_sign_in_by_passkey_from_elsewhere_is_told_too(world: World) -> None:
    person = world.a_person()
    account = key_of(world, person)
    device = a_passkey(world, account)
    for _ in range(2):
        browser = world.browser()
        browser.open("/login/passkey")
        touch(browser, device)
    assert told(world, account) == [("new_browser", "")]


@pytest.mark.parametrize("installation", ["sqlite"], indirect=True)
def test_after_a_long_absence_every_browser_is_new(world: World) -> None:
    person = world.a_person()
    account = key_of(world, person)
    sign_in(world.browser(), person)
    with later(days=190):
        with world.write() as db:
            while retention.forget(db, now=world.now()):
                pass
        sign_in(world.browser(), person)
        assert told(world, account) == [("new_browser", "")]


def test_a_wrong_password_is_no_new_browser(world: World) -> None:
    person = world.a_person()
    sign_in(world.browser(), person)
    way, fields = names_of(person)
    type_in(world.browser(), way, **fields)
    assert told(world, key_of(world, person)) == []


def test_each_account_has_its_own_browsers(world: World) -> None:
    person = world.a_person()
    operator, home = world.an_operator(person=person), world.browser()
    sign_in(home, person)
    sign_in(home, operator)
    assert told(world, key_of(world, operator)) == [], "his mandate's first"
    sign_in(world.browser(), operator)
    assert told(world, key_of(world, operator)) == [("new_browser", "")]
    assert told(world, key_of(world, person)) == []


def test_a_browser_that_was_forgotten_is_a_stranger_until_it_signs_in_again(world: World) -> None:
    person, home, stranger = world.a_person(), world.browser(), world.browser()
    sign_in(home, person)
    way, fields = names_of(person)
    forget(world, person, known_id(home), "another-browser")
    for _ in range(6):
        type_in(stranger, way, **fields)
    page = type_in(home, way, PASSWORD, **fields)
    assert TOO_MANY in page.text, "it waits with the strangers"
    world.backends.store.delete(
        f"try:{key_of(world, person)}:strangers", f"try:{key_of(world, person)}:strangers:wait"
    )
    assert is_in(type_in(home, way, PASSWORD, **fields))
    assert forgotten(world, person) == ["another-browser"]
    assert told(world, key_of(world, person)) == [("new_browser", "")]
    for _ in range(6):
        type_in(stranger, way, **fields)
    assert is_in(type_in(home, way, PASSWORD, **fields)), "known again"


@pytest.mark.parametrize("installation", ["sqlite"], indirect=True)
def test_who_must_wait_in_a_known_browser_is_not_told_that_such_browsers_need_not(world: World) -> None:
    person, home, stranger = world.a_person(), world.browser(), world.browser()
    sign_in(home, person)
    way, fields = names_of(person)
    for browser, spared in ((home, False), (stranger, True)):
        for _ in range(6):
            page = type_in(browser, way, **fields)
        assert TOO_MANY in page.text
        assert ("曾经登录过的浏览器不受影响" in page.text) is spared


def test_a_throttled_try_leaves_a_line(world: World) -> None:
    person, stranger = world.a_person(), world.browser()
    way, fields = names_of(person)
    for _ in range(6):
        type_in(stranger, way, **fields)
    lines = trail_of(world, key_of(world, person))
    assert lines == [("sign_in_refused", {"why": "password"})] * 5 + [
        ("sign_in_refused", {"why": "throttled"})
    ]


def test_a_browser_that_comes_now_and_then_stays_known(world: World) -> None:
    """Its cookie lasts 180 days from a sign-in, or up to a tenth less: it is not written at each."""
    person, home = world.a_person(), world.browser()
    sign_in(home, person)
    first = home.cookie("idp_known")
    with later(days=17):
        sign_in(home, person)
        assert home.cookie("idp_known") == first
    with later(days=19):
        sign_in(home, person)
        assert home.cookie("idp_known") != first
    with later(days=19 + 179):
        sign_in(home, person)
    assert told(world, key_of(world, person)) == []
    # Who signs in between, or has another password, is written down at once.
    somebody = world.a_person(account="somebody")
    kept = home.cookie("idp_known")
    sign_in(home, somebody)
    assert home.cookie("idp_known") != kept


@pytest.mark.parametrize("place", ["at home", "in a new browser"])
def test_second_factors_and_earlier_sign_ins_are_looked_up_with_the_password(
    world: World, place: str
) -> None:
    company, home = world.a_company(), world.browser()
    sign_in(home, company)
    way, fields = names_of(company)
    asked: list[str] = []

    def note(_conn: object, _cursor: object, statement: str, *_rest: object) -> None:
        asked.append(statement)

    engine = world.platform.database.engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        assert is_in(type_in(home if place == "at home" else world.browser(), way, PASSWORD, **fields))
    finally:
        event.remove(engine, "before_cursor_execute", note)
    for what in ("totp_secrets", "signin_sessions.account ="):
        looked_up = [statement for statement in asked if what in statement]
        assert len(looked_up) == 2, "before the hash and after it"
        assert all("password_hash" in statement for statement in looked_up)
