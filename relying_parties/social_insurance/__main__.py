"""Serve the portal: `python -m relying_parties.social_insurance`; exit code 2 for wrong settings."""

import sys

from relying_parties.kit.serve import check_and_serve
from relying_parties.social_insurance.app import create_app
from relying_parties.social_insurance.config import Settings, load_settings


def check() -> Settings:
    """Settings that a portal can be made of. Raises SettingsRefused."""
    settings = load_settings()
    create_app(settings).extensions["portal"].close()
    return settings


if __name__ == "__main__":
    sys.exit(check_and_serve("relying_parties.social_insurance.app:from_environment", check))
