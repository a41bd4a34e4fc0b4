"""A portal under test, the provider it talks to, and browsers that go back and forth between the two."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from relying_parties.kit.portal import Portal
from relying_parties.social_insurance.app import create_app
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


@pytest.fixture
def app(provider: StandIn, tmp_path: Path) -> Iterator[Flask]:
    app = create_app(settings_for(provider.issuer, tmp_path))
    yield app
    portal_of(app).close()


@pytest.fixture
def portal(app: Flask) -> Portal:
    return portal_of(app)


@pytest.fixture
def browser(app: Flask, provider: StandIn) -> Iterator[Browser]:
    with Browser(app, provider) as browser:
        yield browser


@pytest.fixture
def other_browser(app: Flask, provider: StandIn) -> Iterator[Browser]:
    with Browser(app, provider) as browser:
        yield browser


def portal_of(app: Flask) -> Portal:
    portal: Portal = app.extensions["portal"]
    return portal
