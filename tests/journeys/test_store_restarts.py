"""Redis is restarted under a page that waits: the page says so, and goes on with a new code."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.journeys.chrome import Person
from tests.journeys.served import served
from tests.scan.waiting_pages import APP
from tests.wait.conftest import OneRedis
from tests.world import World


@pytest.fixture
def store(tmp_path: Path) -> Iterator[OneRedis]:
    """A Redis of this test's own, which keeps nothing."""
    made = OneRedis(tmp_path)
    made.start()
    yield made
    made.stop()


@pytest.mark.parametrize("installation", ["sqlite"], indirect=True)
def test_a_page_that_waits_outlives_a_restart_of_redis(
    world: World, store: OneRedis, chrome: Browser
) -> None:
    with served(world, app_url=APP, redis_url=store.url) as there:
        context = chrome.new_context(viewport={"width": 1280, "height": 800}, locale="zh-CN")
        person = Person.at(context, there.settings.issuer)
        person.page.clock.install()
        person.open(f"{there.settings.issuer}/login")
        ticket = person.page.input_value("[name=ticket]")
        store.stop()
        person.page.clock.run_for(3_000)
        expect(person.page.locator("[data-scan-says]")).to_have_text("连接中断，正在重试")
        store.start()
        person.page.clock.run_for(40_000)
        expect(person.page.locator("[name=ticket]")).not_to_have_value(ticket)
        expect(person.page.locator("[data-scan-says]")).to_have_text("二维码已失效")
        context.close()
