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


@pytest.mark.parametrize("option", ["--port=0", "--port=70000", "--port=x", "--workers=0", "--threads=0"])
def test_a_wrong_number_is_refused(embedded: Command, option: str) -> None:
    assert "Invalid value" in embedded.refuses("serve", option)


@pytest.mark.parametrize("command", [("nonsense",), ("client", "nonsense"), ("serve", "extra"), ("--x",)])
def test_an_unknown_command_is_refused(embedded: Command, command: tuple[str, ...]) -> None:
    embedded.refuses(*command)
