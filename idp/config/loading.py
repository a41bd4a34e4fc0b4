"""The settings of a process, read once from the environment; nothing else reads it.

Every field is the variable ``IDP_<NAME>``; ``IDP_<NAME>_FILE`` names a file that holds the value instead.
"""

from __future__ import annotations

import base64
import os
import secrets
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from idp.config.chapters import Mode
from idp.config.fields import PREFIX, Secret, SettingsRefused, described
from idp.config.settings import Settings

_OF_ONE_INSTALLATION = (
    "database_url",
    "redis_url",
    "redis_prefix",
    "secret_key",
    "data_keys",
    "metrics_token",
    "sms_url",
    "sms_token",
    "sms_vendor",
    "sms_vendor_config",
    "sms_receipt_token",
    "app_url",
    "places_file",
    "face_url",
    "face_key",
    "social_security_url",
    "social_security_token",
    "population_url",
    "population_token",
    "registry_url",
    "registry_token",
    "files_dir",
    "clamav_address",
)


DEMO_PHONE, DEMO_SIMULATORS = 4, 5
"""How far behind the first port of a demo the phone app and the simulated parties listen."""
_DEMO_PLACES = Path(__file__).parents[1] / "demo" / "places.csv"


def load_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """The settings of this process.

    Raises SettingsRefused with every problem found, in sentences.
    """
    return _checked(_given(os.environ if environ is None else environ))


def unread(environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """The variables with our prefix that no setting reads, each with the one it may have been meant to be.

    They are nobody's fault always: a cluster gives every process the addresses of a service called idp.
    """
    known = {one.variable + suffix for one in described(Settings).values() for suffix in ("", "_FILE")}
    others = sorted(set(os.environ if environ is None else environ) - known)
    return {
        name: next(iter(get_close_matches(name, known, 1, 0.8)), "")
        for name in others
        if name.startswith(PREFIX)
    }


def load_demo_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """The settings of `idp demo`: an installation of its own in the var directory, on loopback.

    Storage and secrets named in the environment are another installation's and are left alone.

    Raises SettingsRefused.
    """
    given_to_process = os.environ if environ is None else environ
    alien = {PREFIX + name.upper() + suffix for name in _OF_ONE_INSTALLATION for suffix in ("", "_FILE")}
    given = _given({name: value for name, value in given_to_process.items() if name not in alien})
    var = Path(given.get("var_dir", "var")).resolve()
    port = given.get("demo_port_base", described(Settings)["demo_port_base"].default)
    given |= {"mode": Mode.DEMO, "issuer": f"http://localhost:{port}", "var_dir": var}
    given["database_url"] = f"sqlite:///{var / 'idp.db'}"
    return _checked(given | _demo_surroundings(str(port)))


def _demo_surroundings(port: str) -> dict[str, Any]:
    """What stands around the provider of a demo: the phone app, its places, the simulated parties."""
    if not (port.isascii() and port.isdecimal() and len(port) <= 5):
        # No number: the check of the settings says so.
        return {}
    simulators = f"http://localhost:{int(port) + DEMO_SIMULATORS}"
    return {
        "app_url": f"http://localhost:{int(port) + DEMO_PHONE}",
        "places_file": str(_DEMO_PLACES),
        "face_url": f"{simulators}/face",
        "social_security_url": f"{simulators}/cards/holder",
        "population_url": f"{simulators}/population/match",
        "registry_url": f"{simulators}/registry/match",
        # Everybody who tries the demo comes from one address.
        "sms_an_address": 300,
    }


def as_variables(settings: Settings) -> dict[str, str]:
    """The variables that give another process these settings; defaults are left out."""
    told = {}
    for name, setting in described(Settings).items():
        value = getattr(settings, name)
        if value != setting.default or name in {*_OF_ONE_INSTALLATION, "issuer", "demo_port_base"}:
            told[setting.variable] = value.get_secret_value() if isinstance(value, Secret) else str(value)
    return told


def child_environment(variables: Mapping[str, str]) -> dict[str, str]:
    """This process's environment for a child: no setting of ours but those in `variables`."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    return {**inherited, **variables}


def _checked(given: dict[str, Any]) -> Settings:
    if given.get("mode") == Mode.DEMO:
        _fill_demo_secrets(given)
    return Settings(**given)


def _given(environ: Mapping[str, str]) -> dict[str, Any]:
    given: dict[str, Any] = {}
    for name, setting in described(Settings).items():
        variable = setting.variable
        file = environ.get(variable + "_FILE")
        if file:
            try:
                given[name] = Path(file).read_text(encoding="utf-8").strip()
            except (OSError, UnicodeDecodeError) as unreadable:
                msg = f"{variable}_FILE cannot be read: {type(unreadable).__name__}."
                raise SettingsRefused(msg) from None
        elif variable in environ:
            given[name] = environ[variable]
    return given


def _fill_demo_secrets(given: dict[str, Any]) -> None:
    """Give a demo secrets of its own: made at first start, kept in the var directory, mode 0600."""
    var = Path(given.get("var_dir", "var"))
    made = {
        "secret_key": secrets.token_urlsafe(48),
        "data_keys": "1:" + base64.b64encode(secrets.token_bytes(32)).decode(),
        "metrics_token": secrets.token_urlsafe(24),
        "face_key": secrets.token_urlsafe(32),
        "social_security_token": secrets.token_urlsafe(32),
        "population_token": secrets.token_urlsafe(32),
        "registry_token": secrets.token_urlsafe(32),
    }
    try:
        for name, value in made.items():
            if name not in given:
                given[name] = kept_secret(var / f"{name}.secret", value)
    except OSError as unusable:
        msg = f"IDP_VAR_DIR cannot be used: {unusable.strerror}."
        raise SettingsRefused(msg) from None


def kept_secret(path: Path, value: str) -> str:
    """The secret kept in `path`; `value`, kept there from now on, if there was none. Mode 0600."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text(encoding="ascii")
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(value)
    return value
