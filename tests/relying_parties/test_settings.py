"""What a portal is told at its start, and that it really starts."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import httpx2
import pytest

from relying_parties.kit.masking import mask_id_number, mask_name, mask_phone
from relying_parties.kit.settings import SettingsRefused
from relying_parties.social_insurance.config import load_settings
from tests.relying_parties.browser import RECORDS
from tests.services import free_port

GOOD = {
    "SI_ISSUER": "http://localhost:8000",
    "SI_CLIENT_ID": "portal",
    "SI_CLIENT_SECRET": "secret",
    "SI_SECRET_KEY": "k" * 32,
}


def test_the_environment_says_what_the_portal_needs() -> None:
    settings = load_settings(GOOD | {"SI_PORT": "9001", "SI_RECORDS": str(RECORDS)})
    assert (settings.host, settings.port, settings.base_url) == ("127.0.0.1", 9001, "http://localhost:8001")
    assert settings.records == RECORDS
    assert not settings.https


def test_a_secret_may_lie_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("from the file\n", encoding="utf-8")
    given = {name: value for name, value in GOOD.items() if name != "SI_CLIENT_SECRET"}
    settings = load_settings(given | {"SI_CLIENT_SECRET_FILE": str(file)})
    assert settings.client_secret.get_secret_value() == "from the file"


@pytest.mark.parametrize(
    ("change", "variable"),
    [
        ({"SI_ISSUER": ""}, "SI_ISSUER"),
        ({"SI_ISSUER": "http://idp.example"}, "SI_ISSUER"),
        ({"SI_ISSUER": "http://localhost:8000/"}, "SI_ISSUER"),
        ({"SI_ISSUER": "ftp://localhost"}, "SI_ISSUER"),
        ({"SI_BASE_URL": "http://portal.example"}, "SI_BASE_URL"),
        ({"SI_BASE_URL": "https://a@portal.example"}, "SI_BASE_URL"),
        ({"SI_CLIENT_ID": ""}, "SI_CLIENT_ID"),
        ({"SI_SECRET_KEY": "too-short"}, "SI_SECRET_KEY"),
        ({"SI_CLIENT_SECRET_FILE": "/no/such/file"}, "SI_CLIENT_SECRET_FILE"),
        ({"SI_PORT": "many"}, "SI_PORT"),
    ],
)
def test_wrong_settings_are_named_without_their_values(change: dict[str, str], variable: str) -> None:
    with pytest.raises(SettingsRefused, match=variable) as refused:
        load_settings(GOOD | change)
    assert "too-short" not in str(refused.value)


def test_secrets_do_not_show_when_settings_are_printed() -> None:
    assert "k" * 32 not in repr(load_settings(GOOD))


def test_the_portal_does_not_start_with_wrong_settings() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "relying_parties.social_insurance"],
        env=_environment({}),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert "SI_ISSUER" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_portal_serves_without_its_provider_and_stops_when_told(tmp_path: Path) -> None:
    port = free_port()
    given = GOOD | {
        "SI_ISSUER": "http://127.0.0.1:1",
        "SI_PORT": str(port),
        "SI_BASE_URL": f"http://127.0.0.1:{port}",
        "SI_DATABASE": str(tmp_path / "portal.db"),
        "SI_RECORDS": str(RECORDS),
    }
    with (
        subprocess.Popen(
            [sys.executable, "-m", "relying_parties.social_insurance"],
            env=_environment(given),
            stdout=subprocess.DEVNULL,
        ) as process,
        _patient_client(given["SI_BASE_URL"]) as client,
    ):
        try:
            assert client.get("/").status_code == 200
            away = client.get("/login")
            assert (away.status_code, "暂时无法连接" in away.text) == (503, True)
        finally:
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=20) == 0


@pytest.mark.parametrize(
    ("name", "masked"),
    [("张三明", "张*明"), ("赵六", "赵*"), ("欧阳小明", "欧**明"), ("王", "王*"), ("", "*")],
)
def test_a_name_is_masked_between_its_ends(name: str, masked: str) -> None:
    assert mask_name(name) == masked


def test_numbers_keep_their_ends() -> None:
    assert mask_phone("+8613800000011") == "138****0011"
    assert mask_phone("123") == "***"
    assert mask_id_number("990100197804120240") == "9901**********0240"


def _environment(given: dict[str, str]) -> dict[str, str]:
    root = str(Path(__file__).parents[2])
    return {"PATH": os.environ["PATH"], "PYTHONPATH": root} | given


def _patient_client(base_url: str) -> httpx2.Client:
    """A client that tries again, ever more slowly, while nobody listens yet."""
    return httpx2.Client(base_url=base_url, transport=httpx2.HTTPTransport(retries=7))
