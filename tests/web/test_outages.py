"""Without its database or store the service says so, lets nobody in, and recovers (SECURITY 92, 93)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import event, select
from sqlalchemy.exc import OperationalError

from idp.accounts.sessions import SigninSession
from idp.adapters.ephemeral import EphemeralStore
from idp.adapters.ephemeral.redis import RedisEphemeralStore
from idp.adapters.ephemeral.sql import SqlEphemeralStore
from idp.db import Database
from tests.entering import enter
from tests.login.acting import is_in, type_in
from tests.world import PASSWORD, Page, World

NOWHERE = "127.0.0.1:1"


@contextmanager
def cut_off(world: World, part: str, tmp_path: Path) -> Iterator[World]:
    """The application while its database or its store is away, of the same kind as before."""
    on_postgres = world.settings.database_url.startswith("postgresql")
    blocked = tmp_path / "a file, not a directory"
    blocked.touch()
    with world.rewired() as other:
        database = Database(f"postgresql://x@{NOWHERE}/x" if on_postgres else f"sqlite:///{blocked}/idp.db")
        store: EphemeralStore = (
            RedisEphemeralStore(f"redis://{NOWHERE}/0")
            if on_postgres
            else SqlEphemeralStore(blocked / "x.db")
        )
        away = {"database": database} if part == "database" else {"store": store}
        other.app.extensions["idp-platform"] = replace(other.platform, **away)
        yield other
        database.close()
        store.close()


def says_so(page: Page) -> bool:
    """Whether the answer is the page of an outage."""
    return (
        page.status == 503
        and "服务正忙" in page.text
        and "请求编号" in page.text
        and page.response.headers["Retry-After"] == "5"
    )


@pytest.mark.parametrize("part", ["database", "store"])
def test_readiness_names_what_is_away(world: World, tmp_path: Path, part: str) -> None:
    with cut_off(world, part, tmp_path) as lame:
        ready = lame.browser().open("/readyz")
        alive = lame.browser().open("/healthz")
    assert ready.status == 503
    assert ready.response.get_json() == {
        "status": "unavailable",
        "database": part != "database",
        "store": part != "store",
    }
    assert alive.status == 200
    assert world.browser().open("/readyz").status == 200


def test_without_the_database_nobody_comes_in_and_pages_say_so(world: World, tmp_path: Path) -> None:
    person, browser = world.a_person(), world.browser()
    enter(browser, person)
    with cut_off(world, "database", tmp_path) as lame:
        assert lame.browser().open("/").status == 200
        assert says_so(type_in(lame.browser(), "person", PASSWORD, account=person.phone))
        returning = lame.browser()
        returning.client.set_cookie("idp_session", browser.cookie("idp_session") or "")
        for address in ("/center/person", "/center/person/sessions", "/login", "/login/company"):
            assert says_so(returning.open(address)), address
    assert browser.open("/center/person").status == 200


def test_without_the_store_nobody_comes_in_and_sign_ins_stay(world: World, tmp_path: Path) -> None:
    person, browser = world.a_person(), world.browser()
    enter(browser, person)
    ready = world.browser()
    fields = ready.open("/login/person").form()["fields"]
    with cut_off(world, "store", tmp_path) as lame:
        assert says_so(lame.browser().open("/login/person"))
        stranger = lame.browser()
        stranger.client.set_cookie("idp_browser", ready.cookie("idp_browser") or "")
        form = {**fields, "account": person.phone, "password": PASSWORD, "captcha": "2345"}
        assert says_so(stranger.post("/login/person", form))
        returning = lame.browser()
        returning.client.set_cookie("idp_session", browser.cookie("idp_session") or "")
        assert returning.open("/center/person").status == 200


def test_a_sign_in_that_cannot_be_written_is_none(world: World) -> None:
    person, browser = world.a_person(), world.browser()
    engine = world.platform.database.engine

    commits = count(1)

    def breaks(_connection: object) -> None:
        # The first one gives the connection back before the hash; the second one ends the request.
        if next(commits) == 2:
            raise OperationalError("COMMIT", None, OSError("the disk is full"))

    browser.open("/login/person")
    event.listen(engine, "commit", breaks)
    try:
        page = browser.submit_with_captcha({"account": person.phone, "password": PASSWORD}, follow=False)
    finally:
        event.remove(engine, "commit", breaks)
    assert says_so(page)
    assert browser.cookie("idp_session") is None
    assert browser.cookie("idp_known") is None
    with world.reading() as db:
        assert db.scalars(select(SigninSession)).all() == []
    assert is_in(type_in(browser, "person", PASSWORD, account=person.phone))


def test_a_broken_connection_is_replaced(world: World) -> None:
    person, browser = world.a_person(), world.browser()
    enter(browser, person)
    for connection in list(world.platform.database.engine.pool._pool.queue):  # type: ignore[attr-defined]  # of queue pools
        connection.dbapi_connection.close()
    statuses = [browser.open("/center/person").status for _ in range(3)]
    assert set(statuses) <= {200, 503}
    assert statuses[-1] == 200


def test_figures_are_for_whoever_holds_the_token(world: World) -> None:
    browser = world.browser()
    token = world.settings.metrics_token.get_secret_value()
    for header in ({}, {"Authorization": "Bearer x"}, {"Authorization": token}, {"Authorization": "Bearer "}):
        assert browser.open("/metrics", headers=header).status == 404
    answer = browser.open("/metrics", headers={"Authorization": f"Bearer {token}"})
    assert answer.status == 200
    assert "python_info" in answer.html
    with world.rewired(metrics_token="") as closed:
        assert closed.browser().open("/metrics", headers={"Authorization": "Bearer "}).status == 404
