"""What was taken back gives nothing any more: no code on its way, no device that comes late (MISSION Y)."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any, cast

import pytest
from sqlalchemy import func, select, text
from werkzeug.test import TestResponse

from idp.access.consents import Consent
from idp.access.endings import withdraw_consent
from idp.access.grants import Grant
from idp.accounts.audit import Origin
from idp.accounts.identity import Identity, Role
from idp.adapters.ephemeral import EphemeralStore
from idp.crypto import hash_token
from tests.entering import enter
from tests.oauth.asking import a_signed_in_person, at_once, code_for, refresh
from tests.oauth.devices import ASKS, ADevice, a_device, a_device_client, allow, changed, type_code
from tests.portals import Authorization, get_with
from tests.security.acting import ROOM, links_on
from tests.world import AClient, Browser, World

_WAITING = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
)
NOTHING_ALLOWED = "您还没有同意过任何应用"


def a_third_party(world: World) -> AClient:
    return world.a_client(first_party=False, name="外部网站")


def asks_a_device(world: World) -> ADevice:
    """A third-party device that shows a code."""
    return a_device(world, "openid profile offline_access", first_party=False)


def agreed(browser: Browser, asked: Authorization, scope: str = "openid profile offline_access") -> str:
    """The code of a portal that was allowed what it asks for."""
    browser.open(asked.address(scope))
    return browser.submit({"decision": "allow"}, follow=False).query["code"]


def withdraw(browser: Browser) -> None:
    """Take back what was allowed to the one application on the page."""
    browser.open(links_on(browser.open(ROOM), "/withdraw")[0])
    assert "授权已撤回" in browser.submit(number=1).text


def somebody_waits(world: World) -> bool:
    """Whether a statement waits for the lock of another."""
    with world.reading() as db:
        return bool(db.scalar(text(_WAITING)))


def gives_nothing(answer: TestResponse) -> bool:
    return answer.status_code == 400 and answer.get_json()["error"] == "invalid_grant"


def granted(world: World) -> int:
    with world.reading() as db:
        return db.scalar(select(func.count()).select_from(Grant)) or 0


def test_a_code_that_was_on_its_way_gives_nothing(world: World) -> None:
    browser, asked = a_signed_in_person(world), Authorization(a_third_party(world))
    code = agreed(browser, asked)
    withdraw(browser)
    assert gives_nothing(asked.redeem(browser, code))
    assert granted(world) == 0


def test_allowing_less_afterwards_does_not_revive_it(world: World) -> None:
    browser, client = a_signed_in_person(world), a_third_party(world)
    more, less = Authorization(client), Authorization(client)
    code = agreed(browser, more)
    withdraw(browser)
    assert less.redeem(browser, agreed(browser, less, "openid")).status_code == 200
    assert gives_nothing(more.redeem(browser, code))


def test_a_remembered_answer_is_withdrawn_with_its_codes_and_a_wider_one_ends_none(world: World) -> None:
    browser, client = a_signed_in_person(world), a_third_party(world)
    first, again, wider = (Authorization(client) for _each in range(3))
    agreed(browser, first)
    code = browser.open(again.address("openid profile")).query["code"]
    agreed(browser, wider, "openid profile phone")
    assert again.redeem(browser, code).status_code == 200
    code = browser.open(again.address("openid profile")).query["code"]
    withdraw(browser)
    assert gives_nothing(again.redeem(browser, code))


@pytest.mark.parametrize("installation", ["sqlite"], indirect=True)
def test_a_code_that_a_process_of_the_version_before_minted_is_redeemed(world: World) -> None:
    browser, asked, store = (
        a_signed_in_person(world),
        Authorization(a_third_party(world)),
        world.backends.store,
    )
    code = agreed(browser, asked)
    key = f"code:{hash_token(code).hex()}"
    kept = json.loads(store.take(key) or b"")
    for name in ("acr", "amr", "consent"):
        del kept[name]
    store.put(key, json.dumps(kept).encode(), ttl=60)
    assert asked.redeem(browser, code).status_code == 200


# Locks of rows are a matter of PostgreSQL; SQLite has one writer.
@pytest.mark.parametrize("installation", ["postgres"], indirect=True)
def test_a_code_that_comes_during_the_withdrawal_waits_for_its_end(world: World) -> None:
    person, browser, asked = world.a_person(), world.browser(), Authorization(a_third_party(world))
    enter(browser, person)
    code, himself = agreed(browser, asked), Identity(person.row.id, Role.NATURAL_PERSON)
    client_id, here = asked.client.client_id, world.backends
    with ThreadPoolExecutor(1) as portal, world.write() as db:
        withdraw_consent(db, here.vault, here.trail, himself, client_id, Origin(), now=world.now())
        coming = portal.submit(asked.redeem, world.browser(), code)
        while not coming.done() and not somebody_waits(world):
            pass
        db.commit()
        assert gives_nothing(coming.result())


def test_what_a_first_party_was_given_without_asking_is_nothing_to_a_third_party(world: World) -> None:
    browser, client = a_signed_in_person(world), world.a_client()
    asked = Authorization(client)
    code = code_for(browser, asked)
    changed(world, client, first_party=False)
    assert gives_nothing(asked.redeem(browser, code))


def test_a_third_partys_device_is_listed_and_can_be_withdrawn(world: World) -> None:
    browser, device = a_signed_in_person(world), asks_a_device(world)
    assert NOTHING_ALLOWED in browser.open(ROOM).text
    allow(browser, device)
    tokens = device.polls().get_json()
    assert "自助终端" in browser.open(ROOM).text
    assert get_with(world, tokens["access_token"]).status_code == 200
    withdraw(browser)
    assert NOTHING_ALLOWED in browser.open(ROOM).text
    assert get_with(world, tokens["access_token"]).status_code == 401
    assert gives_nothing(refresh(world, device.client, tokens["refresh_token"]))


def test_a_device_that_comes_for_its_tokens_after_the_withdrawal_gets_none(world: World) -> None:
    browser, device = a_signed_in_person(world), asks_a_device(world)
    allow(browser, device)
    withdraw(browser)
    assert gives_nothing(device.polls())
    assert granted(world) == 0


class AtTheAnswer:
    """The ephemeral store as it is when the person's answer stands in it: what does `act` get then."""

    def __init__(self, store: EphemeralStore, act: Callable[[], TestResponse]) -> None:
        self._store, self._act, self.seen = store, act, list[TestResponse]()

    def compare_and_set(self, key: str, old: bytes, new: bytes, *, ttl: float) -> bool:
        """Set it, and look."""
        done = self._store.compare_and_set(key, old, new, ttl=ttl)
        if b'"allowed"' in new and not self.seen:
            # A request of its own, not one within the person's.
            self.seen += at_once(1, lambda _number: self._act())
        return done

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


def test_a_device_that_polls_at_the_very_moment_of_the_answer_gets_its_tokens(world: World) -> None:
    browser, device = a_signed_in_person(world), asks_a_device(world)
    store = AtTheAnswer(world.platform.store, device.polls)
    world.app.extensions["idp-platform"] = replace(world.platform, store=cast("EphemeralStore", store))
    allow(browser, device)
    assert store.seen[0].status_code == 200, store.seen[0].get_json()


def test_a_third_partys_device_is_asked_about_each_time_all_the_same(world: World) -> None:
    browser, client = a_signed_in_person(world), a_device_client(world, first_party=False)
    for _time in range(2):
        device = ADevice(world, client)
        device.asks()
        assert ASKS in type_code(browser, device.user_code).text
        browser.submit({"decision": "allow"})
    with world.reading() as db:
        assert len(db.scalars(select(Consent)).all()) == 1
