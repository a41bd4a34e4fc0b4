"""What every program beside the provider is told at its start; its own `config` adds its own fields."""

from collections.abc import Mapping
from ipaddress import ip_address
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator

_SHORTEST_SECRET_KEY = 32


class SettingsRefused(Exception):
    """The portal cannot start with these settings; the message is a sentence for whoever starts it."""


class ProgramSettings(BaseModel):
    """Settings of one program. A variable `<PREFIX><NAME>_FILE` names a file that holds the value instead."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @classmethod
    def from_environment(cls, prefix: str, environ: Mapping[str, str]) -> Self:
        """The settings that `environ` names with `prefix`.

        Raises SettingsRefused with every problem found, naming the variables, never their values.
        """
        try:
            return cls.model_validate(_given(prefix, cls.model_fields, environ))
        except ValidationError as refused:
            raise SettingsRefused(_sentences(prefix, refused)) from None


class PortalSettings(ProgramSettings):
    """Settings of one portal."""

    issuer: str = Field(description="The provider's issuer, to the letter.")
    client_id: str = Field(min_length=1, description="The portal's client id at the provider.")
    client_secret: SecretStr = Field(description="Its client secret (client_secret_basic).")
    base_url: str = Field(description="The portal's own address as browsers see it, no path.")
    other_base_urls: str = Field("", description="Further addresses of the same portal, comma-separated.")
    secret_key: SecretStr = Field(
        description="At least 32 random characters: signs forms, keys record hashes."
    )
    database: Path = Field(description="The portal's own SQLite file; made at the first start.")
    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(ge=0, le=65535, description="Port to listen on.")
    hotline: str = Field("0431-0000-0000", description="The portal's service number, shown on its pages.")
    hotline_hours: str = Field("工作日 8:30 至 17:30", description="When the hotline answers.")

    @field_validator("other_base_urls")
    @classmethod
    def _are_safe_origins(cls, value: str) -> str:
        for address in filter(None, value.split(",")):
            check_origin(address)
        return value

    @field_validator("issuer", "base_url")
    @classmethod
    def _is_safe_origin(cls, value: str) -> str:
        return check_origin(value)

    @field_validator("secret_key")
    @classmethod
    def _is_long_enough(cls, value: SecretStr) -> SecretStr:
        if len(value.get_secret_value()) < _SHORTEST_SECRET_KEY:
            raise ValueError(f"must have at least {_SHORTEST_SECRET_KEY} characters")
        return value

    @property
    def addresses(self) -> tuple[str, ...]:
        """Every address browsers may reach the portal at, its own first."""
        return (self.base_url, *filter(None, self.other_base_urls.split(",")))

    @property
    def https(self) -> bool:
        """Whether browsers reach the portal by https, so that cookies may be Secure."""
        return self.base_url.startswith("https://")


def check_origin(value: str) -> str:
    """`value` if it is an origin that may be told secrets. Raises ValueError."""
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username is not None:
        raise ValueError("must be an http(s) address")
    if parts.path or parts.query or parts.fragment:
        raise ValueError("must have no path, query or trailing slash")
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise ValueError("must be https (http is for loopback only)")
    return value


def _given(prefix: str, names: Mapping[str, object], environ: Mapping[str, str]) -> dict[str, str]:
    given: dict[str, str] = {}
    for name in names:
        variable = prefix + name.upper()
        if file := environ.get(variable + "_FILE"):
            try:
                given[name] = Path(file).read_text(encoding="utf-8").strip()
            except (OSError, UnicodeDecodeError):
                raise SettingsRefused(f"{variable}_FILE names a file that cannot be read.") from None
        elif environ.get(variable):
            given[name] = environ[variable]
    return given


def _sentences(prefix: str, refused: ValidationError) -> str:
    errors = ((error["loc"], error["msg"]) for error in refused.errors())
    return " ".join(f"{prefix}{'_'.join(map(str, where)).upper()}: {what}." for where, what in errors)


def is_loopback(host: str) -> bool:
    """Whether `host` names this machine: localhost or a loopback address."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
