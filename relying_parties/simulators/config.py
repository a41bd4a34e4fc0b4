"""The settings of the simulators: variables `SIM_<NAME>`, or `SIM_<NAME>_FILE` for a file with the value."""

import os
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator

from relying_parties.kit.settings import ProgramSettings, SettingsRefused, check_origin, is_loopback

PREFIX: Final = "SIM_"


class Settings(ProgramSettings):
    """What an installation of the simulators may decide."""

    issuer: str = Field("http://localhost:8000", description="The provider; verdicts go nowhere else.")
    base_url: str = Field("http://localhost:8005", description="The address browsers reach, no path.")
    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(8005, ge=0, le=65535, description="Port to listen on.")
    face_key: SecretStr = Field(
        min_length=32, description="The key shared with the provider (IDP_FACE_KEY): signs both directions."
    )
    cards_token: SecretStr = Field(
        SecretStr(""), description="The bearer token the provider shows (IDP_SOCIAL_SECURITY_TOKEN)."
    )
    population_token: SecretStr = Field(SecretStr(""), description="Likewise (IDP_POPULATION_TOKEN).")
    registry_token: SecretStr = Field(SecretStr(""), description="Likewise (IDP_REGISTRY_TOKEN).")

    @field_validator("issuer", "base_url")
    @classmethod
    def _is_safe_origin(cls, value: str) -> str:
        return check_origin(value)


def load_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """The settings of this process. Raises SettingsRefused.

    Whoever presses a button here passes for anybody, so real people's provider never gets to hear it.
    """
    settings = Settings.from_environment(PREFIX, os.environ if environ is None else environ)
    if not is_loopback(urlsplit(settings.issuer).hostname or ""):
        raise SettingsRefused(
            f"{PREFIX}ISSUER: must be on this machine (localhost); simulators serve no real provider."
        )
    return settings
