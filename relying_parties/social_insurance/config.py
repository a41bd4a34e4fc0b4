"""The settings of this portal: variables `SI_<NAME>`, or `SI_<NAME>_FILE` for a file that holds the value."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from pydantic import Field

from relying_parties.kit.settings import PortalSettings

PREFIX: Final = "SI_"


class Settings(PortalSettings):
    """What an installation of this portal may decide."""

    base_url: str = Field(
        "http://localhost:8001", description="The portal's address as browsers see it, no path."
    )
    database: Path = Field(Path("var/social_insurance.db"), description="The portal's own SQLite file.")
    port: int = Field(8001, ge=0, le=65535, description="Port to listen on.")
    records: Path | None = Field(None, description="JSON file of insured units, loaded while there are none.")
    notice: str = Field("", description="A notice on the pages of signed-in units (I02); empty: none.")


def load_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """The settings of this process. Raises SettingsRefused."""
    return Settings.from_environment(PREFIX, os.environ if environ is None else environ)
