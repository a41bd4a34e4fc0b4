"""Browsers for each worker, a window for each test, phones, and the portal a second time on another site."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress

import httpx2
import pytest
from playwright.sync_api import Browser, StorageState, sync_playwright

from tests.journeys.chrome import ARGUMENTS, WIDTHS, Person
from tests.journeys.console import comes_in
from tests.journeys.phone import ANDROID, HEIGHT, WIDTH, Camera, Phone
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
    """Makes people at browsers of their own: `somebody(width=360, script=False)`.

    With `at_every_width` the window is narrow, and each page is looked over wide, too.
    """
    contexts = []

    def arrive(
        *,
        width: int = 1280,
        script: bool = False,
        at_every_width: bool = False,
        kept: StorageState | None = None,
    ) -> Person:
        widths = WIDTHS if at_every_width else ()
        width = widths[0] if widths else width
        context = chrome.new_context(
            viewport={"width": width, "height": 800},
            java_script_enabled=script,
            locale="zh-CN",
            storage_state=kept,
        )
        contexts.append(context)
        return Person.at(context, running_demo.issuer, widths=widths)

    yield arrive
    for context in contexts:
        context.close()


@pytest.fixture(scope="session")
def kept_consoles() -> dict[str, StorageState]:
    """What the browsers of this worker keep in which one of the staff has signed in, by his role."""
    return {}


@pytest.fixture
def staff(
    somebody: Callable[..., Person], running_demo: RunningDemo, kept_consoles: dict[str, StorageState]
) -> Callable[[str], Person]:
    """One of the staff at the console, by his role; he signs in once a worker: a code is good only once."""

    def found(role: str) -> Person:
        person = somebody(script=True, kept=kept_consoles.get(role))
        person.open(f"{person.issuer}/staff")
        if "今日概览" not in person.reads():
            comes_in(person, running_demo.account("staff", role=role), lambda: None)
            kept_consoles[role] = person.page.context.storage_state()
        return person

    return found


@pytest.fixture(scope="session")
def camera(tmp_path_factory: pytest.TempPathFactory) -> Camera:
    """The camera of all phones of this worker."""
    return Camera(tmp_path_factory.mktemp("camera") / "seen.mjpeg")


@pytest.fixture(scope="session")
def new_phone(
    chrome: Browser, chromium_path: str, running_demo: RunningDemo, camera: Camera
) -> Iterator[Callable[..., Phone]]:
    """Makes phones on which nobody has signed in, in a Chromium beside that of the computers."""
    arguments = [*ARGUMENTS, *camera.arguments]
    browser = chrome.browser_type.launch(executable_path=chromium_path, args=arguments)

    def unpacked(*, width: int = WIDTH) -> Phone:
        context = browser.new_context(
            viewport={"width": width, "height": HEIGHT}, locale="zh-CN", user_agent=ANDROID
        )
        return Phone.on(context, running_demo, camera)

    yield unpacked
    browser.close()


@pytest.fixture(scope="session")
def kept_phones() -> dict[str, Phone]:
    """The phones of this worker on which somebody has signed in, by his account."""
    return {}


@pytest.fixture
def phone_of(
    new_phone: Callable[..., Phone], running_demo: RunningDemo, camera: Camera, kept_phones: dict[str, Phone]
) -> Iterator[Callable[[str], Phone]]:
    """The phone of a person of the demo, by his account; he signs in once a worker."""

    def found(account: str) -> Phone:
        if account not in kept_phones:
            kept_phones[account] = new_phone()
            people = running_demo.manifest["accounts"]["person"]
            kept_phones[account].signs_in(next(each for each in people if each["account"] == account))
        kept_phones[account].faults.clear()
        return kept_phones[account]

    camera.looks_away()
    yield found
    for phone in kept_phones.values():
        phone.page.context.set_offline(False)
        phone.page.unroute_all()
        # Whoever is on another page has let go of the camera.
        phone.open("about:blank")


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


@pytest.fixture
def portal(running_demo: RunningDemo) -> str:
    """The social insurance portal."""
    return running_demo.url("social_insurance")


@pytest.fixture
def computer(somebody: Callable[..., Person], portal: str) -> Person:
    """A computer on which somebody came from the portal to the code."""
    person = somebody(script=True)
    person.open(portal)
    person.press("单位登录")
    person.press("去登录")
    person.page.locator("[data-scan-image]").wait_for()
    return person
