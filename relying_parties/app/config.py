"""The settings of the phone app: variables `APP_<NAME>`; there is no secret among them."""

import os
from collections.abc import Mapping
from typing import Final

from pydantic import Field, field_validator

from relying_parties.kit.settings import ProgramSettings, check_origin

PREFIX: Final = "APP_"


class Settings(ProgramSettings):
    """What an installation of this app may decide."""

    issuer: str = Field("http://localhost:8000", description="The provider's issuer, to the letter.")
    base_url: str = Field("http://localhost:8004", description="The app's address as browsers see it.")
    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(8004, ge=0, le=65535, description="Port to listen on.")
    jishiban: str = Field("jishiban", min_length=1, description="Client id of 吉事办 at the provider.")
    social_card: str = Field("social-card", min_length=1, description="Client id of 电子社保卡.")
    licence: str = Field("licence", min_length=1, description="Client id of 电子营业执照.")

    @field_validator("issuer", "base_url")
    @classmethod
    def _is_safe_origin(cls, value: str) -> str:
        return check_origin(value)

    @property
    def https(self) -> bool:
        """Whether browsers reach the app by https."""
        return self.base_url.startswith("https://")


def load_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """The settings of this process. Raises SettingsRefused."""
    return Settings.from_environment(PREFIX, os.environ if environ is None else environ)
