"""Settings are refused in sentences before anything runs with them, and secrets stay secret."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from idp.config import (
    Mode,
    Secret,
    Settings,
    SettingsRefused,
    as_variables,
    described,
    is_loopback,
    load_demo_settings,
    load_settings,
)

KEY = base64.b64encode(bytes(range(32))).decode()
GOOD = {
    "IDP_ISSUER": "https://id.example",
    "IDP_DATABASE_URL": "postgresql://db.example/idp",
    "IDP_SECRET_KEY": "0123456789 abcdefghijklmnopqrstuvwxyz",
    "IDP_DATA_KEYS": f"1:{KEY}",
}


def refusal(environ: Mapping[str, str]) -> str:
    """What the one who starts the service reads."""
    with pytest.raises(SettingsRefused) as refused:
        load_settings(environ)
    return str(refused.value)


FACE = {"IDP_FACE_URL": "https://face.example/api", "IDP_FACE_KEY": "0123456789-abcdefghijklmnopqrstuvwxyz"}


@pytest.mark.parametrize(
    "name",
    ["IDP_FACE_URL", "IDP_SOCIAL_SECURITY_URL", "IDP_APP_URL", "IDP_APP_ANDROID_URL", "IDP_APP_IOS_URL"],
)
@pytest.mark.parametrize(
    "address",
    [
        "http://other.example",
        "ftp://other.example",
        "other.example",
        "https://",
        "https://[::1",
        "https://other.example:99999",
        "https://other.example:0",
        "https://other.example:443",
        "https://other.example#x",
        "https://OTHER.example",
        "https://其他.example",
        "https://0x7f.1",
        "https://127.1",
        "https://somebody@other.example",
        "https://other..example",
        "https://other.example\\x",
        " https://other.example",
    ],
)
def test_an_address_that_browsers_would_read_otherwise_is_refused_in_a_sentence(
    name: str, address: str
) -> None:
    said = refusal({**GOOD, **FACE, name: address})
    assert f"{name} must be" in said
    assert len(said.splitlines()) == 1


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"IDP_FACE_KEY": "short"}, "IDP_FACE_KEY must be"),
        ({"IDP_FACE_KEY": "abcdefghi" * 8}, "IDP_FACE_KEY must be"),
        ({"IDP_FACE_KEY": ""}, "IDP_FACE_KEY must be"),
        ({"IDP_FACE_URL": "http://localhost:8005/face"}, "IDP_FACE_URL must not be on loopback"),
        ({"IDP_FACE_URL": "https://[::1]/face"}, "IDP_FACE_URL must not be on loopback"),
        ({"IDP_APP_URL": "https://app.example/"}, "IDP_APP_URL must have no path"),
    ],
)
def test_a_face_service_that_could_not_be_trusted_or_reached_is_refused(
    changed: dict[str, str], sentence: str
) -> None:
    assert sentence in refusal({**GOOD, **FACE, **changed})
    load_settings({**GOOD, **FACE})


def test_a_query_is_for_stores_which_name_their_apps_in_it() -> None:
    address = "https://store.example/apps/details?id=cn.example.app"
    load_settings({**GOOD, "IDP_APP_ANDROID_URL": address, "IDP_APP_IOS_URL": address})
    assert "IDP_APP_IOS_URL must be" in refusal({**GOOD, "IDP_APP_IOS_URL": "?id=cn.example.app"})
    for name in ("IDP_FACE_URL", "IDP_SOCIAL_SECURITY_URL", "IDP_APP_URL"):
        assert f"{name} must be" in refusal({**GOOD, **FACE, name: address})


def test_addresses_with_a_port_and_a_path_are_taken_and_loopback_on_ones_own_machine() -> None:
    for address in ("https://records.internal:8443/x", "https://10.0.0.7/x", "https://[fd00::7]:8443/x"):
        load_settings({**GOOD, **FACE, "IDP_FACE_URL": address, "IDP_APP_IOS_URL": address})
    load_settings(
        {**GOOD, **FACE, "IDP_ISSUER": "http://localhost:8000", "IDP_FACE_URL": "http://127.0.0.1:8005/f"}
    )


def test_production_is_the_default_and_needs_four_settings() -> None:
    settings = load_settings(GOOD)
    assert (settings.mode, settings.demo, settings.secure_cookies) == (Mode.PRODUCTION, False, True)
    for name in ("IDP_DATABASE_URL", "IDP_SECRET_KEY", "IDP_DATA_KEYS"):
        assert name in refusal({key: value for key, value in GOOD.items() if key != name})


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"IDP_ISSUER": "http://id.example"}, "IDP_ISSUER must be https"),
        ({"IDP_ISSUER": "http://localhost.evil.example"}, "IDP_ISSUER must be https"),
        ({"IDP_ISSUER": "https://id.example/"}, "no trailing slash"),
        ({"IDP_ISSUER": "https://id.example/path"}, "no path"),
        ({"IDP_ISSUER": "https://id.example?x=1"}, "IDP_ISSUER"),
        ({"IDP_ISSUER": "https://id.example#x"}, "IDP_ISSUER"),
        ({"IDP_ISSUER": "ftp://id.example"}, "IDP_ISSUER"),
        ({"IDP_ISSUER": "id.example"}, "IDP_ISSUER"),
        ({"IDP_ISSUER": "https://[::1"}, "IDP_ISSUER"),
        ({"IDP_ISSUER": ""}, "IDP_ISSUER"),
        ({"IDP_SECRET_KEY": "short"}, "IDP_SECRET_KEY"),
        ({"IDP_SECRET_KEY": "a" * 64}, "IDP_SECRET_KEY"),
        ({"IDP_DATA_KEYS": KEY}, "IDP_DATA_KEYS"),
        ({"IDP_DATA_KEYS": "1:" + KEY[:-4]}, "IDP_DATA_KEYS"),
        ({"IDP_DATA_KEYS": f"0:{KEY}"}, "IDP_DATA_KEYS"),
        ({"IDP_DATA_KEYS": f"256:{KEY}"}, "IDP_DATA_KEYS"),
        ({"IDP_DATA_KEYS": f"one:{KEY}"}, "IDP_DATA_KEYS"),
        ({"IDP_DATA_KEYS": f"1:{KEY},1:{KEY}"}, "IDP_DATA_KEYS"),
        ({"IDP_DATA_KEYS": f"1:{KEY},"}, "IDP_DATA_KEYS"),
        ({"IDP_DATA_KEYS": "1:***"}, "IDP_DATA_KEYS"),
        ({"IDP_TRUSTED_PROXIES": "10.0.0.0/8,everybody"}, "IDP_TRUSTED_PROXIES"),
        ({"IDP_MODE": "demo"}, "Demo mode runs on loopback only"),
        ({"IDP_MODE": "debug"}, "IDP_MODE"),
        ({"IDP_TOKEN_LIFETIME": "86400"}, "IDP_TOKEN_LIFETIME"),
        ({"IDP_CODE_LIFETIME": "sixty"}, "IDP_CODE_LIFETIME"),
        ({"IDP_ARGON2_MEMORY_KIB": "1"}, "IDP_ARGON2_MEMORY_KIB"),
    ],
)
def test_production_refuses_what_is_unsafe(changed: dict[str, str], sentence: str, tmp_path: Path) -> None:
    told = refusal({**GOOD, "IDP_VAR_DIR": str(tmp_path), **changed})
    assert sentence in told
    for secret in (GOOD["IDP_SECRET_KEY"], KEY):
        assert secret not in told


def test_every_problem_is_told_at_once() -> None:
    told = refusal({"IDP_ISSUER": "http://id.example"})
    assert all(name in told for name in ("IDP_ISSUER", "IDP_DATABASE_URL", "IDP_SECRET_KEY", "IDP_DATA_KEYS"))


def test_a_secret_may_come_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text(GOOD["IDP_SECRET_KEY"] + "\n")
    environ = {key: value for key, value in GOOD.items() if key != "IDP_SECRET_KEY"}
    settings = load_settings({**environ, "IDP_SECRET_KEY_FILE": str(file)})
    assert settings.secret_key.get_secret_value() == GOOD["IDP_SECRET_KEY"]
    assert "IDP_SECRET_KEY_FILE" in refusal({**environ, "IDP_SECRET_KEY_FILE": str(tmp_path / "missing")})
    assert "IDP_SECRET_KEY_FILE" in refusal({**environ, "IDP_SECRET_KEY_FILE": str(tmp_path)})


def test_secrets_do_not_show_when_settings_are_printed() -> None:
    settings = load_settings({**GOOD, "IDP_METRICS_TOKEN": "a-metrics-token"})
    shown = f"{settings!r} {settings} {asdict(settings)}"
    for secret in (GOOD["IDP_SECRET_KEY"], KEY, "a-metrics-token"):
        assert secret not in shown


def test_a_secret_is_equal_to_its_like_and_told_only_when_asked() -> None:
    secret = Secret("of the house")
    assert (secret == Secret("of the house"), hash(secret)) == (True, hash(Secret("of the house")))
    assert secret != Secret("another")
    assert secret != "of the house"
    assert (str(secret), f"{secret}", repr(secret)) == ("**********", "**********", "Secret('**********')")
    assert secret.get_secret_value() == "of the house"


def test_settings_that_are_made_anew_are_checked_again_and_no_name_is_invented() -> None:
    settings = load_settings(GOOD)
    assert replace(settings, console="off").console is False  # type: ignore[arg-type] # as text says it
    with pytest.raises(SettingsRefused, match="IDP_CODE_LIFETIME must be a whole number, 10 to 600"):
        replace(settings, code_lifetime=9)
    with pytest.raises(SettingsRefused, match="IDP_SECRET_KEY must be text"):
        replace(settings, secret_key=7)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="sesion_idle"):
        Settings(sesion_idle=60)  # type: ignore[call-arg]


def test_a_problem_of_each_variable_is_a_line_without_the_secrets_beside_it() -> None:
    wrong = {
        "IDP_MODE": "debug",
        "IDP_CONSOLE": "perhaps",
        "IDP_CODE_LIFETIME": "sixty",
        "IDP_SMS_VENDOR": "another",
        "IDP_APP_URL": "https://app.example/",
        "IDP_DAYS_OFF": "tomorrow",
        "IDP_TRUSTED_PROXIES": "everybody",
        "IDP_SITE_NAME": "\ud800",
    }
    lines = refusal({**GOOD, **wrong}).splitlines()
    assert {line.partition(" ")[0] for line in lines} == wrong.keys()
    assert len(lines) == len(wrong)


def test_the_first_data_key_is_the_one_that_encrypts() -> None:
    other = base64.b64encode(bytes(range(32, 64))).decode()
    settings = load_settings({**GOOD, "IDP_DATA_KEYS": f"7:{other}, 1:{KEY}"})
    assert list(settings.data_key_map()) == [7, 1]


def test_a_demo_makes_its_own_secrets_readable_by_its_owner_only(tmp_path: Path) -> None:
    var = tmp_path / "var"
    first = load_demo_settings({"IDP_VAR_DIR": str(var)})
    kept = sorted(var.glob("*.secret"))
    assert [file.stat().st_mode & 0o777 for file in kept] == [0o600] * 7
    assert var.stat().st_mode & 0o777 == 0o700
    again = load_demo_settings({"IDP_VAR_DIR": str(var)})
    elsewhere = load_demo_settings({"IDP_VAR_DIR": str(tmp_path / "other")})
    secret = first.secret_key.get_secret_value()
    assert secret == again.secret_key.get_secret_value() != elsewhere.secret_key.get_secret_value()
    assert first.data_key_map() == again.data_key_map()


def test_a_demo_leaves_another_installations_storage_and_secrets_alone(tmp_path: Path) -> None:
    settings = load_demo_settings(
        {**GOOD, "IDP_REDIS_URL": "redis://r.example", "IDP_VAR_DIR": str(tmp_path)}
    )
    assert settings.mode is Mode.DEMO
    assert settings.issuer == "http://localhost:8000"
    assert settings.database_url.startswith(f"sqlite:///{tmp_path.resolve()}")
    assert settings.redis_url.get_secret_value() == ""
    assert settings.secret_key.get_secret_value() != GOOD["IDP_SECRET_KEY"]


def test_a_demo_is_surrounded_by_its_phone_app_and_simulated_parties(tmp_path: Path) -> None:
    alien = {"IDP_APP_URL": "https://app.example", "IDP_FACE_KEY": "k" * 40, "IDP_PLACES_FILE": "/none"}
    settings = load_demo_settings({**alien, "IDP_VAR_DIR": str(tmp_path), "IDP_DEMO_PORT_BASE": "9000"})
    assert settings.app_url == "http://localhost:9004"
    assert settings.face_url == "http://localhost:9005/face"
    assert settings.social_security_url == "http://localhost:9005/cards/holder"
    assert settings.population_url == "http://localhost:9005/population/match"
    assert settings.registry_url == "http://localhost:9005/registry/match"
    assert Path(settings.places_file).name == "places.csv"
    tokens = (settings.social_security_token, settings.population_token, settings.registry_token)
    for secret in (settings.face_key, *tokens):
        assert len(secret.get_secret_value()) >= 32
    assert settings.face_key.get_secret_value() != alien["IDP_FACE_KEY"]


@pytest.mark.parametrize("port", ["x", "", "-1", "８０００", "1023", "70000", "9" * 5000])
def test_a_first_port_that_is_none_is_refused_in_a_sentence(tmp_path: Path, port: str) -> None:
    with pytest.raises(SettingsRefused, match="IDP_DEMO_PORT_BASE"):
        load_demo_settings({"IDP_VAR_DIR": str(tmp_path), "IDP_DEMO_PORT_BASE": port})


def test_a_demo_whose_directory_cannot_be_used_says_so(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    with pytest.raises(SettingsRefused, match="IDP_VAR_DIR"):
        load_demo_settings({"IDP_VAR_DIR": str(file / "var")})


def test_settings_handed_to_a_child_are_the_same(tmp_path: Path) -> None:
    settings = load_demo_settings({"IDP_VAR_DIR": str(tmp_path), "IDP_SITE_NAME": "试用"})
    assert load_settings(as_variables(settings)) == settings


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("localhost", True),
        ("127.0.0.1", True),
        ("127.8.9.1", True),
        ("[::1]", True),
        ("localhost.evil.example", False),
        ("127.0.0.1.evil.example", False),
        ("0.0.0.0", False),  # noqa: S104 - an example
        ("10.0.0.1", False),
        ("", False),
    ],
)
def test_what_is_loopback(host: str, expected: bool) -> None:
    assert is_loopback(host) is expected


def test_every_setting_is_described() -> None:
    assert [name for name, field in described(Settings).items() if not field.description] == []


@pytest.mark.parametrize("name", ["IDP_DAYS_OFF", "IDP_WORKDAYS"])
def test_a_day_that_is_none_is_refused_at_the_start(name: str) -> None:
    assert load_settings({**GOOD, name: "2026-10-01, 2026-10-02,"})
    for bad in ("2026-13-01", "2026-10-01;2026-10-02", "10-01", "tomorrow"):
        assert name in refusal({**GOOD, name: bad})
