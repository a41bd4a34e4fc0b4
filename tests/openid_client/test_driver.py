"""The driver of the outside client loads, and its failures are readable."""

import json
from pathlib import Path

import pytest

from tests.openid_client.driver import Driver, OpenIdClient, OpenIdClientError
from tests.services import free_port

PACKAGE = Path(__file__).with_name("package.json")


def test_the_pinned_openid_client_answers(driver: Driver) -> None:
    pinned = json.loads(PACKAGE.read_text())["dependencies"]["openid-client"]
    assert OpenIdClient(driver, {})("version")["openid_client"] == pinned


def test_an_unknown_command_names_the_known_ones(driver: Driver) -> None:
    with pytest.raises(OpenIdClientError, match="the commands are: version, discover, authorize"):
        OpenIdClient(driver, {})("guess")


def test_an_unknown_way_to_authenticate_is_refused(driver: Driver) -> None:
    client = OpenIdClient(driver, {"issuer": "http://localhost:1", "client_id": "a", "auth_method": "magic"})
    with pytest.raises(OpenIdClientError, match="auth_method must be basic, post, key or none"):
        client("discover")


def test_a_provider_that_is_not_there_is_an_error(driver: Driver) -> None:
    issuer = f"http://127.0.0.1:{free_port()}"
    with pytest.raises(OpenIdClientError, match="ECONNREFUSED"):
        OpenIdClient(driver, {"issuer": issuer, "client_id": "a"})("discover")


def test_plain_http_is_for_loopback_only(driver: Driver) -> None:
    with pytest.raises(OpenIdClientError, match="only requests to HTTPS are allowed"):
        OpenIdClient(driver, {"issuer": "http://idp.example.com", "client_id": "a"})("discover")
