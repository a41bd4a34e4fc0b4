"""Where `idp serve` listens, and what it does not start with."""

from __future__ import annotations

from pathlib import Path

import pytest

from idp.cli.serving import listen_address
from idp.config import Mode
from tests.cli.conftest import Command
from tests.cli.test_database import write
from tests.conftest import make_settings


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7", "idp.example"])  # noqa: S104 - what must not work
def test_a_demo_listens_on_loopback_whatever_it_is_told(tmp_path: Path, host: str) -> None:
    assert listen_address(make_settings(mode=Mode.DEMO, var_dir=tmp_path), host) == "127.0.0.1"


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "::1", "localhost"])
def test_a_demo_may_choose_among_loopback_addresses(tmp_path: Path, host: str) -> None:
    assert listen_address(make_settings(mode=Mode.DEMO, var_dir=tmp_path), host) == host


def test_production_listens_where_it_is_told() -> None:
    settings = make_settings(issuer="https://idp.example", database_url="postgresql://db/idp")
    assert listen_address(settings, "192.0.2.7") == "192.0.2.7"


def test_a_database_without_signing_keys_says_what_to_run(embedded: Command) -> None:
    write(embedded, "DELETE FROM signing_keys")
    assert "idp db upgrade" in embedded.refuses("serve")


def test_production_does_not_run_on_a_demos_database(embedded: Command) -> None:
    write(embedded, f"PRAGMA application_id = {int.from_bytes(b'demo', 'big')}")
    assert "demo" in embedded.refuses("serve")


def test_a_misspelt_setting_is_named_with_the_one_it_may_be(embedded: Command) -> None:
    write(embedded, "DELETE FROM signing_keys")
    said = embedded.refuses(
        "serve", IDP_SESION_IDLE="60", IDP_PORT_8000_TCP="tcp://10.0.0.1", IDP_HOTLINE="x"
    )
    assert "IDP_SESION_IDLE is no setting and is not read; did you mean IDP_SESSION_IDLE?" in said
    assert "IDP_PORT_8000_TCP is no setting and is not read; `idp settings`" in said
    assert "tcp://" not in said
    assert "IDP_HOTLINE" not in said


@pytest.mark.parametrize(
    ("setting", "value", "sentence"),
    [
        ("IDP_PLACES_FILE", "192.0.2.1/24,长春,43.88,125.32", "IDP_PLACES_FILE, line 1"),
        ("IDP_SOCIAL_SECURITY_URL", "http://records.example", "IDP_SOCIAL_SECURITY_URL must be"),
        ("IDP_SOCIAL_SECURITY_URL", "https://records.example", "IDP_SOCIAL_SECURITY_TOKEN"),
        ("IDP_POPULATION_URL", "https://registry.example", "IDP_POPULATION_TOKEN"),
        ("IDP_REGISTRY_URL", "https://registry.example", "IDP_REGISTRY_TOKEN"),
        ("IDP_FACE_URL", "http://face.example", "IDP_FACE_URL must be"),
    ],
)
def test_what_stands_outside_is_looked_at_before_anything_is_served(
    embedded: Command, tmp_path: Path, setting: str, value: str, sentence: str
) -> None:
    if setting.endswith("_FILE"):
        file = tmp_path / "places.csv"
        file.write_text(value, encoding="utf-8")
        value = str(file)
    assert sentence in embedded.refuses("serve", **{setting: value})


@pytest.mark.parametrize("option", ["--port=0", "--port=70000", "--port=x", "--workers=0", "--threads=0"])
def test_a_wrong_number_is_refused(embedded: Command, option: str) -> None:
    assert "Invalid value" in embedded.refuses("serve", option)


@pytest.mark.parametrize("command", [("nonsense",), ("client", "nonsense"), ("serve", "extra"), ("--x",)])
def test_an_unknown_command_is_refused(embedded: Command, command: tuple[str, ...]) -> None:
    embedded.refuses(*command)
