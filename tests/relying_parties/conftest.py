"""A portal under test, the provider it talks to, and browsers that go back and forth between the two."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from flask import Flask

from relying_parties.kit.portal import Portal
from relying_parties.social_insurance.app import create_app
from tests.conftest import COMPILED
from tests.relying_parties.browser import Browser, settings_for
from tests.relying_parties.stand_in import StandIn


@pytest.fixture(scope="session")
def stand_in() -> Iterator[StandIn]:
    provider = StandIn()
    server = provider.start()
    yield provider
    server.shutdown()
    server.server_close()


@pytest.fixture
def provider(stand_in: StandIn) -> StandIn:
    stand_in.reset()
    return stand_in


@pytest.fixture(scope="session")
def after_a_start(stand_in: StandIn, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The database of a portal that was started once: its tables, and the records it was given."""
    folder = tmp_path_factory.mktemp("portal")
    portal_of(create_app(settings_for(stand_in.issuer, folder))).close()
    return folder / "portal.db"


@pytest.fixture(scope="session")
def http() -> Iterator[httpx2.Client]:
    with httpx2.Client(trust_env=False) as client:
        yield client


@pytest.fixture
def app(provider: StandIn, tmp_path: Path, after_a_start: Path) -> Iterator[Flask]:
    """Each test has a portal of its own; what every first start makes alike is made once."""
    shutil.copy(after_a_start, tmp_path / "portal.db")
    app = create_app(settings_for(provider.issuer, tmp_path))
    app.jinja_env.bytecode_cache = COMPILED
    yield app
    portal_of(app).close()


@pytest.fixture
def portal(app: Flask) -> Portal:
    return portal_of(app)


@pytest.fixture
def browser(app: Flask, provider: StandIn, http: httpx2.Client) -> Browser:
    return Browser(app, provider, http)


@pytest.fixture
def other_browser(app: Flask, provider: StandIn, http: httpx2.Client) -> Browser:
    return Browser(app, provider, http)


def portal_of(app: Flask) -> Portal:
    portal: Portal = app.extensions["portal"]
    return portal
