"""Settings: typed, documented, read once from the environment.

Every field is the variable ``IDP_<NAME>``; ``IDP_<NAME>_FILE`` names a file that holds the value
instead. ``docs/settings.md`` is generated from this file. Nothing else reads the environment.
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
import os
import secrets
from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)

PREFIX = "IDP_"
_OF_ONE_INSTALLATION = (
    "database_url",
    "redis_url",
    "redis_prefix",
    "secret_key",
    "data_keys",
    "metrics_token",
    "trusted_proxies",
    "sms_url",
    "sms_token",
)


class SettingsRefused(Exception):
    """The settings cannot be used; the message is a sentence for whoever starts the service."""


class Mode(StrEnum):
    """How strict the service is about its surroundings."""

    PRODUCTION = "production"
    DEMO = "demo"


class Settings(BaseModel):
    """What an installation may decide. Durations are whole seconds."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    mode: Mode = Field(
        Mode.PRODUCTION, description="`production`, or `demo`: loopback only, with demo routes."
    )
    issuer: str = Field(
        "http://localhost:8000", description="The issuer: https, or http on loopback; no trailing slash."
    )
    database_url: str = Field(
        "", description="`postgresql://…` or `sqlite:///…`; empty: SQLite in the var directory (demo only)."
    )
    redis_url: SecretStr = Field(
        SecretStr(""),
        description="`redis://…` for the ephemeral store; empty: a SQLite file in the var directory.",
    )
    redis_prefix: str = Field(
        "idp:", description="What every key in Redis begins with, where several share one."
    )
    secret_key: SecretStr = Field(
        SecretStr(""),
        description="At least 32 random characters; signs cookies and derives successor tokens.",
    )
    data_keys: SecretStr = Field(
        SecretStr(""),
        description="Keys for personal data at rest: `id:base64` of 32 bytes, comma-separated, ids 1–255. "
        "The first one encrypts, all decrypt.",
    )
    var_dir: Path = Field(
        Path("var"), description="Where an embedded installation keeps its files and secrets."
    )
    trusted_proxies: str = Field(
        "",
        description="Addresses or networks whose X-Forwarded-For and -Proto are believed, comma-separated.",
    )
    metrics_token: SecretStr = Field(
        SecretStr(""), description="Bearer token of /metrics; empty: /metrics is closed."
    )
    demo_port_base: int = Field(
        8000, ge=1024, le=65000, description="First port of the demo; the others follow."
    )

    session_idle: int = Field(
        1800, ge=60, description="A sign-in unused by its browser for so long asks again."
    )
    session_lifetime: int = Field(28800, ge=300, description="No sign-in lives longer.")
    console: bool = Field(
        default=True,
        description="Whether this process serves the staff console; without it /staff is nothing here.",
    )
    staff_idle: int = Field(900, ge=60, le=1800, description="The same of a sign-in at the staff console.")
    staff_lifetime: int = Field(28800, ge=300, description="No sign-in at the staff console lives longer.")
    fresh_proof: int = Field(
        600, ge=60, le=3600, description="How long a proof counts as fresh where security is changed."
    )
    second_step_lifetime: int = Field(
        300, ge=60, le=900, description="How long a right password waits for its second step."
    )
    invitation_lifetime: int = Field(
        86400, ge=300, description="Life of the link by which a staff member begins."
    )
    notice_days: int = Field(7, ge=1, le=30, description="How long the 不是我 of a notice works.")
    notices_a_day: int = Field(
        10, ge=1, description="Notices of one kind an account gets in a day; further ones are not sent."
    )
    sms_url: str = Field(
        "", description="Where SMS are posted to (docs/sms.md); empty: none leave, except in the demo."
    )
    sms_token: SecretStr = Field(SecretStr(""), description="Bearer token for that address.")
    code_lifetime: int = Field(60, ge=10, le=600, description="Life of an authorization code.")
    token_lifetime: int = Field(
        600, ge=30, le=3600, description="Life of an access token and of an ID token."
    )
    pending_lifetime: int = Field(
        1800, ge=60, description="How long an authorization request waits for a sign-in."
    )
    key_rotation_days: int = Field(
        90, ge=0, le=3650, description="The worker rotates a signing key that signed for so long; 0: never."
    )
    refresh_grace: int = Field(
        30, ge=0, le=300, description="A repeated refresh gets the same successor for so long."
    )
    captcha_lifetime: int = Field(120, ge=30, le=300, description="Life of a captcha.")
    known_browser_days: int = Field(180, ge=1, description="How long a browser stays known to an account.")

    account_min: int = Field(6, ge=3, description="Shortest account name (X1).")
    account_max: int = Field(20, le=64, description="Longest account name (X1).")
    password_min: int = Field(8, ge=8, description="Shortest password (X2).")
    password_max: int = Field(128, ge=64, le=1024, description="Longest password (X2).")
    password_kinds: int = Field(
        2, ge=1, le=3, description="How many of digits, letters, symbols a password needs (X2)."
    )
    argon2_memory_kib: int = Field(19456, ge=8192, description="Argon2id memory, KiB.")
    argon2_time: int = Field(2, ge=1, description="Argon2id passes.")
    argon2_lanes: int = Field(1, ge=1, description="Argon2id lanes.")
    hash_slots: int = Field(2, ge=1, description="Password hashes that run at once in one process.")
    hash_queue: int = Field(
        8, ge=0, description="Password checks that may wait for a slot; more are answered 503."
    )

    throttle_failures: int = Field(
        5, ge=1, description="Failed tries of one kind of browser before waiting begins."
    )
    throttle_wait: int = Field(60, ge=1, description="First wait; it doubles with each further failure.")
    throttle_wait_max: int = Field(900, ge=1, description="Longest wait.")
    throttle_spray: int = Field(
        20, ge=1, description="Accounts an address may fail on in an hour before it is slowed."
    )

    site_name: str = Field("通行", description="The platform's name on its pages.")
    hotline: str = Field("0431-0000-0000", description="Customer service phone on pages (A20).")
    hotline_hours: str = Field("工作日 8:30 至 17:30", description="When the hotline answers.")
    fax: str = Field("0431-0000-0001", description="Fax in the footer (A20, X18); empty: not shown.")
    icp: str = Field("", description="ICP registration in the footer (A23); empty: not shown.")
    police_record: str = Field("", description="公安网安备 number in the footer (A23); empty: not shown.")

    database_pool: int = Field(10, ge=1, description="Database connections a process keeps.")

    @field_validator("issuer")
    @classmethod
    def _issuer_is_an_origin(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
            msg = "IDP_ISSUER must be an http(s) address without query or fragment."
            raise ValueError(msg)
        if parts.path:
            msg = "IDP_ISSUER must have no path and no trailing slash."
            raise ValueError(msg)
        return value

    @field_validator("trusted_proxies")
    @classmethod
    def _proxies_are_networks(cls, value: str) -> str:
        for item in filter(None, (part.strip() for part in value.split(","))):
            ipaddress.ip_network(item, strict=False)
        return value

    @model_validator(mode="after")
    def _surroundings_fit_the_mode(self) -> Settings:
        problems = self._problems()
        if problems:
            raise ValueError(" ".join(problems))
        return self

    def _problems(self) -> list[str]:
        problems = []
        loopback = is_loopback(urlsplit(self.issuer).hostname or "")
        if self.mode is Mode.DEMO and not loopback:
            problems.append("Demo mode runs on loopback only: IDP_ISSUER must be localhost.")
        if self.mode is Mode.PRODUCTION and not self.issuer.startswith("https://") and not loopback:
            problems.append("IDP_ISSUER must be https in production.")
        if self.mode is Mode.PRODUCTION and not self.database_url:
            problems.append("IDP_DATABASE_URL is required in production.")
        secret = self.secret_key.get_secret_value()
        if len(secret) < 32 or len(set(secret)) < 10:
            problems.append("IDP_SECRET_KEY must be at least 32 random characters.")
        try:
            self.data_key_map()
        except (ValueError, binascii.Error):
            problems.append("IDP_DATA_KEYS must be id:base64 of 32 bytes, comma-separated.")
        return problems

    @property
    def demo(self) -> bool:
        """Whether demo routes exist."""
        return self.mode is Mode.DEMO

    @property
    def secure_cookies(self) -> bool:
        """Whether cookies are Secure and carry the __Host- prefix: whenever the issuer is https."""
        return self.issuer.startswith("https://")

    def seconds(self, name: str) -> timedelta:
        """The duration setting `name` as a timedelta."""
        return timedelta(seconds=getattr(self, name))

    def data_key_map(self) -> dict[int, bytes]:
        """Key id to 32-byte key, the encrypting one first. Raises ValueError when malformed."""
        keys: dict[int, bytes] = {}
        for item in self.data_keys.get_secret_value().split(","):
            key_id, _, encoded = item.strip().partition(":")
            key = base64.b64decode(encoded, validate=True)
            if len(key) != 32 or not 1 <= int(key_id) <= 255 or int(key_id) in keys:
                raise ValueError(item)
            keys[int(key_id)] = key
        return keys

    def proxy_networks(self) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
        """The networks named in `trusted_proxies`."""
        parts = (part.strip() for part in self.trusted_proxies.split(","))
        return [ipaddress.ip_network(part, strict=False) for part in parts if part]

    def effective_database_url(self) -> str:
        """The database to use, by default SQLite in the var directory."""
        return self.database_url or f"sqlite:///{self.var_dir.resolve() / 'idp.db'}"


def is_address(host: str) -> bool:
    """Whether `host` is an IP address and no name."""
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True


def is_loopback(host: str) -> bool:
    """Whether `host` names this machine: localhost or a loopback address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def load_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """The settings of this process.

    Raises SettingsRefused with every problem found, in sentences.
    """
    return _checked(_given(os.environ if environ is None else environ))


def load_demo_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """The settings of `idp demo`: an installation of its own in the var directory, on loopback.

    Storage and secrets named in the environment are another installation's and are left alone.

    Raises SettingsRefused.
    """
    given_to_process = os.environ if environ is None else environ
    alien = {PREFIX + name.upper() + suffix for name in _OF_ONE_INSTALLATION for suffix in ("", "_FILE")}
    given = _given({name: value for name, value in given_to_process.items() if name not in alien})
    var = Path(given.get("var_dir", "var")).resolve()
    port = given.get("demo_port_base", Settings.model_fields["demo_port_base"].default)
    given |= {"mode": Mode.DEMO, "issuer": f"http://localhost:{port}", "var_dir": var}
    given["database_url"] = f"sqlite:///{var / 'idp.db'}"
    return _checked(given)


def as_variables(settings: Settings) -> dict[str, str]:
    """The variables that give another process these settings; defaults are left out."""
    told = {}
    for name, field in Settings.model_fields.items():
        value = getattr(settings, name)
        if value != field.default or name in {*_OF_ONE_INSTALLATION, "issuer", "demo_port_base"}:
            text = value.get_secret_value() if isinstance(value, SecretStr) else str(value)
            told[PREFIX + name.upper()] = text
    return told


def child_environment(variables: Mapping[str, str]) -> dict[str, str]:
    """This process's environment for a child: no setting of ours but those in `variables`."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    return {**inherited, **variables}


def _checked(given: dict[str, Any]) -> Settings:
    if given.get("mode") == Mode.DEMO:
        _fill_demo_secrets(given)
    try:
        return Settings(**given)
    except ValidationError as refused:
        raise SettingsRefused(_sentences(refused)) from None


def _given(environ: Mapping[str, str]) -> dict[str, Any]:
    given: dict[str, Any] = {}
    for name in Settings.model_fields:
        variable = PREFIX + name.upper()
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


def _sentences(refused: ValidationError) -> str:
    lines = []
    for error in refused.errors(include_input=False):
        where = PREFIX + str(error["loc"][0]).upper() + ": " if error["loc"] else ""
        lines.append(where + error["msg"].removeprefix("Value error, "))
    return "\n".join(lines)
