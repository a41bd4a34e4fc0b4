"""`idp demo`: everything answers, beside it the commands work, and a port in use is said so."""

from __future__ import annotations

import io
import os
import socket
import stat
import subprocess
import sys
from contextlib import redirect_stderr
from datetime import date
from pathlib import Path

import httpx2
import pytest

from idp.adapters.population import Claimed, population_of
from idp.adapters.registry import Company, Registered, registry_of
from idp.cli import main
from idp.config import as_variables, load_demo_settings, load_settings
from tests.running_demo import RunningDemo

PRIVATE = stat.S_IRWXG | stat.S_IRWXO


def refused(var: Path, base: int | str) -> str:
    """What a demo says that must refuse to start, before it has touched anything."""
    said = io.StringIO()
    mask = os.umask(0)
    try:
        with pytest.MonkeyPatch.context() as here, redirect_stderr(said):
            here.setenv("IDP_VAR_DIR", str(var))
            here.setenv("IDP_DEMO_PORT_BASE", str(base))
            with pytest.raises(SystemExit) as left:
                main(["demo"])
    finally:
        os.umask(mask)
    assert left.value.code == 2
    return said.getvalue()


def test_every_application_answers_at_its_root(running_demo: RunningDemo) -> None:
    for name, url in running_demo.manifest["apps"].items():
        assert httpx2.get(url + "/", trust_env=False).status_code == 200, name


def test_the_portal_begins_a_sign_in_at_the_provider(running_demo: RunningDemo) -> None:
    with httpx2.Client(trust_env=False) as http:
        sent = http.get(running_demo.url("social_insurance") + "/login")
        assert sent.headers["Location"].startswith(running_demo.issuer + "/oauth/authorize?")
        page = http.get(sent.headers["Location"], follow_redirects=True)
    assert page.status_code == 200
    assert str(page.url).startswith(running_demo.issuer + "/login")


def test_the_commands_work_beside_it(running_demo: RunningDemo) -> None:
    told = running_demo.idp("account", "show", running_demo.account("legal")["uscc"])
    assert told["state"] == "active"
    assert running_demo.idp("audit", "verify")["whole"]


def test_what_it_keeps_is_for_its_owner_alone(running_demo: RunningDemo) -> None:
    open_files = [
        path for path in running_demo.var.rglob("*") if path.is_file() and path.stat().st_mode & PRIVATE
    ]
    assert open_files == []
    assert not running_demo.var.stat().st_mode & PRIVATE


def test_its_environment_can_be_sourced_by_a_shell(running_demo: RunningDemo) -> None:
    script = f"set -a; . '{running_demo.var}/demo.env'; '{sys.executable}' -m idp.cli client list --json"
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, done.stderr
    assert "social-insurance" in done.stdout


def test_the_provider_is_believed_by_the_registries_it_asks(running_demo: RunningDemo) -> None:
    settings = load_settings(running_demo.environment())
    population, registry = population_of(settings), registry_of(settings)
    assert population
    assert registry
    document = ("resident_id", "990100198404170542")
    days = (date(2020, 1, 1), date(2040, 1, 1))
    assert population.matches(Claimed("田禾", *document, *days, "13800000020"))
    company = Company("91990100MA0TX00708", "向海示例农业有限公司", "企业法人", "田禾", *document)
    assert registry.check(company) == Registered(matches=True, status="normal")


def test_a_second_one_in_the_same_directory_is_refused(running_demo: RunningDemo) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "idp.cli", "demo"],
        env={"IDP_VAR_DIR": str(running_demo.var), "IDP_DEMO_PORT_BASE": "20000"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert "running" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_port_in_use_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert f"Port {port} (idp) is in use" in refused(tmp_path / "var", port)


@pytest.mark.parametrize("base", ["80", "99999", "eight"])
def test_a_port_that_cannot_be_is_refused(tmp_path: Path, base: str) -> None:
    assert "IDP_DEMO_PORT_BASE" in refused(tmp_path / "var", base)


def test_storage_of_another_installation_is_left_alone(tmp_path: Path) -> None:
    production = {
        "IDP_VAR_DIR": str(tmp_path),
        "IDP_DATABASE_URL": "postgresql://production/idp",
        "IDP_REDIS_URL": "redis://production/0",
        "IDP_SECRET_KEY_FILE": "/nowhere/secret",
        "IDP_ISSUER": "https://idp.example",
    }
    told = as_variables(load_demo_settings(production))
    assert told["IDP_DATABASE_URL"] == f"sqlite:///{tmp_path / 'idp.db'}"
    assert (told["IDP_REDIS_URL"], told["IDP_ISSUER"]) == ("", "http://localhost:8000")
