"""A browser for each worker, a window for each test, and the portal a second time on another site."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress

import httpx2
import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.journeys.chrome import ARGUMENTS, Person
from tests.running_demo import RunningDemo, wait_for
from tests.services import free_port


@pytest.fixture(scope="session")
def chrome(chromium_path: str) -> Iterator[Browser]:
    """Chromium, started once a worker."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def somebody(chrome: Browser, running_demo: RunningDemo) -> Iterator[Callable[..., Person]]:
    """Makes people at browsers of their own: `somebody(width=360, script=False)`."""
    contexts = []

    def arrive(*, width: int = 1280, script: bool = False) -> Person:
        context = chrome.new_context(
            viewport={"width": width, "height": 800}, java_script_enabled=script, locale="zh-CN"
        )
        contexts.append(context)
        return Person.at(context, running_demo.issuer)

    yield arrive
    for context in contexts:
        context.close()


@pytest.fixture(scope="session")
def portal_on_another_site(
    running_demo: RunningDemo, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The social insurance portal once more, on 127.0.0.1: to a browser another site than localhost."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    made = running_demo.idp(
        *("client", "add", "--name", "示例智慧人社 单位网厅", "--first-party"),
        *("--scope", "openid profile phone identity entity"),
        *("--backchannel-logout-uri", f"{address}/backchannel-logout"),
        *("--redirect-uri", f"{address}/callback", "--post-logout-redirect-uri", f"{address}/signed-out"),
    )
    own = {
        "SI_BASE_URL": address,
        "SI_PORT": str(port),
        "SI_CLIENT_ID": made["client_id"],
        "SI_CLIENT_SECRET": made["client_secret"],
        "SI_DATABASE": str(tmp_path_factory.mktemp("portal") / "portal.db"),
    }
    environment = {**os.environ, **running_demo.environment("social_insurance"), **own}
    portal = subprocess.Popen([sys.executable, "-m", "relying_parties.social_insurance"], env=environment)
    try:
        wait_for(lambda: _answers(address), 60)
        yield address
    finally:
        portal.terminate()
        portal.wait(30)


def _answers(address: str) -> bool:
    with suppress(httpx2.HTTPError):
        return httpx2.get(address, trust_env=False).status_code == 200
    return False
